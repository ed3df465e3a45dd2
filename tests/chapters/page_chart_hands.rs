//! Charts in a person's hands: pointed at, moved and zoomed by fingers and mouse, chosen, taken
//! away.

use super::page_chart::{LEGEND, SAID, VALUES, make, open, scene};
use crate::folder::Folder;
use crate::server::Server;
use crate::viewer::Viewer;
use serde_json::{Value, json};

fn finger(viewer: &mut Viewer, kind: &str, points: &[(f64, f64)]) {
    let points: Vec<Value> = points
        .iter()
        .enumerate()
        .map(|(id, (x, y))| json!({ "x": x, "y": y, "id": id }))
        .collect();
    let event = json!({ "type": kind, "touchPoints": points });
    viewer.browser.call("Input.dispatchTouchEvent", event);
}

fn span(viewer: &mut Viewer) -> (f64, f64) {
    // A frame later, when it is drawn.
    let span = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done([charts.from, charts.to]))))";
    serde_json::from_value(viewer.browser.evaluate(span)).unwrap()
}

/// On a phone: two fingers zoom about their middle, one pans, and up and down it scrolls the page.
#[test]
pub fn fingers() {
    let folder = Folder::new();
    folder.append(make(3600, |i, time| {
        format!("{time} a_c={i} b_v={i} c_pa={i} d_w={i}")
    }));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let screen = json!({ "width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": true });
    viewer
        .browser
        .call("Emulation.setDeviceMetricsOverride", screen);
    let touch = json!({ "enabled": true, "maxTouchPoints": 2 });
    viewer
        .browser
        .call("Emulation.setTouchEmulationEnabled", touch);
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    open(&mut viewer, "");
    // Between two events of a driver on a busy machine more time may pass than a finger rests that
    // is to point.
    let restless = |on: bool| {
        format!("globalThis.restless ??= setTimeout;
            globalThis.setTimeout = (act, ms, ...more) => restless(act, {on} && ms === 350 ? 1e6 : ms, ...more), 0")
    };
    viewer.browser.evaluate(&restless(true));
    let y: f64 = serde_json::from_value(viewer.browser.evaluate(
        "(({ top, height }) => top + height / 2)(document.querySelector('#charts canvas').getBoundingClientRect())",
    ))
    .unwrap();
    let before = span(&mut viewer);
    let width = before.1 - before.0;
    let instant = |(from, to): (f64, f64), x: f64| {
        from + (to - from) * (x - 12.0 - 58.0) / (360.0 - 24.0 - 72.0)
    };

    finger(&mut viewer, "touchStart", &[(180.0, y)]);
    finger(&mut viewer, "touchStart", &[(180.0, y), (220.0, y)]);
    for step in 1..=8 {
        let by = f64::from(step) * 5.0;
        finger(
            &mut viewer,
            "touchMove",
            &[(180.0 - by, y), (220.0 + by, y)],
        );
    }
    finger(&mut viewer, "touchEnd", &[]);
    let near = span(&mut viewer);
    let zoomed = width / (near.1 - near.0);
    assert!((2.4..3.2).contains(&zoomed), "{zoomed}");
    // What was between the fingers still is.
    let moved = (instant(near, 200.0) - instant(before, 200.0)).abs() / (near.1 - near.0);
    assert!(moved < 0.06, "{moved}");

    finger(&mut viewer, "touchStart", &[(200.0, y)]);
    for step in 1..=10 {
        finger(
            &mut viewer,
            "touchMove",
            &[(200.0 + f64::from(step) * 6.0, y)],
        );
    }
    finger(&mut viewer, "touchEnd", &[]);
    let panned = span(&mut viewer);
    let by = (near.0 - panned.0) / (near.1 - near.0) * (360.0 - 24.0 - 72.0);
    assert!((40.0..64.0).contains(&by), "{by} px");

    finger(&mut viewer, "touchStart", &[(200.0, y)]);
    for step in 1..=10 {
        finger(
            &mut viewer,
            "touchMove",
            &[(200.0, y - f64::from(step) * 12.0)],
        );
    }
    finger(&mut viewer, "touchEnd", &[]);
    viewer.until(
        "the page to scroll",
        "document.getElementById('charts').scrollTop > 50",
    );
    assert_eq!(span(&mut viewer), panned);

    // A tap points, a second one tells the difference.
    viewer
        .browser
        .evaluate("document.getElementById('charts').scrollTop = 0");
    for x in [150.0, 250.0] {
        finger(&mut viewer, "touchStart", &[(x, y)]);
        finger(&mut viewer, "touchEnd", &[]);
    }
    viewer.until(
        "the difference",
        &format!("/ between two points/.test({SAID})"),
    );
    viewer.until(
        "it of the values, too",
        "/^\\+[\\d,]+ from [\\d,]+$/.test(document.querySelector('#charts small').textContent)",
    );

    // One that rests points from then on, and moves nothing.
    let told = "document.querySelector('#charts strong').textContent";
    viewer.browser.evaluate(&restless(false));
    for (kind, x) in [("touchStart", 120.0), ("touchMove", 180.0)] {
        let before = viewer.browser.evaluate(told);
        finger(&mut viewer, kind, &[(x, y)]);
        viewer.until("another value", &format!("{told} !== {before}"));
    }
    finger(&mut viewer, "touchEnd", &[]);
    assert_eq!(span(&mut viewer), panned);
    viewer.assert_no_complaints();
}

/// With a mouse: what is under it is told, a wheel zooms, Live freezes the view and not the data.
#[test]
pub fn mouse_and_live() {
    let lines = make(600, |i, time| format!("{time} {i}.5"));
    let Some((folder, _server, mut viewer)) = scene(&lines) else {
        return;
    };
    let mouse = |viewer: &mut Viewer, kind: &str, more: Value| {
        let mut event = json!({ "type": kind, "x": 400, "y": 200, "pointerType": "mouse" });
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        viewer.browser.call("Input.dispatchMouseEvent", event);
    };
    let before = span(&mut viewer);
    mouse(&mut viewer, "mouseMoved", json!({}));
    let value = "parseFloat(document.querySelector('#charts strong').textContent)";
    viewer.until(
        "the value under the mouse",
        &format!("{value} > 100 && {value} < 500"),
    );
    viewer.browser.evaluate("[...document.querySelectorAll('#charts button')].find((one) => one.textContent === 'Show in log').click()");
    let under = viewer.browser.evaluate(&format!(
        "(moment - Date.parse('2026-11-25T00:00:00Z')) / 1000 - {value}"
    ));
    assert!(under.as_f64().unwrap().abs() < 1.6, "{under}");
    mouse(
        &mut viewer,
        "mouseWheel",
        json!({ "deltaX": 0, "deltaY": -300 }),
    );
    viewer.until(
        "a zoom",
        &format!("charts.to - charts.from < {}", (before.1 - before.0) * 0.9),
    );
    let near = span(&mut viewer);
    assert!(near.0 > before.0 && near.1 < before.1);

    // It stands still; the data do not.
    folder.append("2026-11-25T00:10:00Z 7777.5\n");
    viewer.until("the newest", &format!("{VALUES}.at(-1) === 7777.5"));
    assert_eq!(span(&mut viewer), near);
    let kept = "new Promise((done) => setInterval(() => /^\\d+-\\d+$/.test(globalThis.view) && done(view)))";
    let kept = viewer.browser.evaluate(kept);
    viewer.browser.evaluate("[...document.querySelectorAll('#charts button')].find((one) => one.textContent === 'Live').click()");
    viewer.until(
        "it to go on",
        "charts.to >= Date.parse('2026-11-25T00:10:00Z')",
    );

    // The address brings the same view back.
    open(&mut viewer, kept.as_str().unwrap());
    let again = span(&mut viewer);
    assert!((again.0 - near.0).abs() <= 1.0 && (again.1 - near.1).abs() <= 1.0);
    viewer.assert_no_complaints();
}

/// Chosen, renamed, watched: kept for the stream, and in the address.
#[test]
pub fn what_a_person_chose() {
    let lines = make(100, |i, time| {
        format!("{time} a={}.5 b={} pid=7", i % 9, 99 - i)
    });
    let Some((_folder, _server, mut viewer)) = scene(&lines) else {
        return;
    };
    viewer.until("both", &format!("{LEGEND}.join() === 'a 0.5,b 0'"));
    viewer
        .browser
        .evaluate("document.querySelector('#charts summary').click()");
    let set = |label: &str, act: &str| {
        format!(
            "(() => {{ const input = document.querySelector('#charts [aria-label=\"{label}\"]'); {act}; input.dispatchEvent(new Event('change')); }})()"
        )
    };
    viewer.until(
        "the panel",
        "document.querySelectorAll('#charts [type=checkbox]').length === 3",
    );
    viewer
        .browser
        .evaluate(&set("Name of a", "input.value = 'attic'"));
    viewer
        .browser
        .evaluate(&set("Alert when b is above", "input.value = '120'"));
    assert_eq!(
        viewer.browser.evaluate("alerts.rules"),
        json!([{ "series": "b", "above": 120 }])
    );
    viewer
        .browser
        .evaluate(&set("Show pid", "input.checked = true"));
    viewer.until(
        "a third",
        &format!("{LEGEND}.join() === 'attic 0.5,b 0,pid 7'"),
    );
    viewer
        .browser
        .evaluate(&set("Show b", "input.checked = false"));
    viewer.until("two", &format!("{LEGEND}.join() === 'attic 0.5,pid 7'"));
    viewer.until("the address", "globalThis.view === '24-h~a,pid'");
    viewer.browser.reload();
    open(&mut viewer, "");
    viewer.until(
        "it is kept",
        &format!("{LEGEND}.join() === 'attic 0.5,pid 7'"),
    );
    open(&mut viewer, "10-min~b");
    viewer.until("the address wins", &format!("{LEGEND}.join() === 'b 0'"));
    viewer.assert_no_complaints();
}

/// What is seen is taken away: the file's own values, and a picture.
#[test]
pub fn taken_away() {
    let lines = make(500, |i, time| {
        format!("{time},{}.{},{}", i % 30, i % 10, 1000 - i)
    });
    let Some((_folder, _server, mut viewer)) = scene(&lines) else {
        return;
    };
    let take = |kind: &str| {
        format!("(async () => {{
            const taken = new Promise((done) => (URL.createObjectURL = (blob) => (done(blob), 'data:,')));
            [...document.querySelectorAll('#charts button')].find((one) => one.textContent === '{kind}').click();
            const blob = await taken;
            return blob.type === 'text/csv' ? blob.text() : (await createImageBitmap(blob)).height;
        }})()")
    };
    let csv = viewer.browser.evaluate(&take("CSV"));
    let number = |text: &str| text.parse::<f64>().unwrap();
    let rows: Vec<(String, f64, f64)> = csv
        .as_str()
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            (
                cells[0].replace(".000Z", "Z"),
                number(cells[1]),
                number(cells[2]),
            )
        })
        .collect();
    let written: Vec<_> = lines
        .lines()
        .map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            (cells[0].to_owned(), number(cells[1]), number(cells[2]))
        })
        .collect();
    assert_eq!(rows, written);
    let height = viewer.browser.evaluate(&take("PNG"));
    assert!(height.as_u64().unwrap() > 400, "{height}");
    viewer.assert_no_complaints();
}

/// By keyboard alone: pointed at, told, zoomed, moved.
#[test]
pub fn keys() {
    let lines = make(600, |i, time| format!("{time} {i}.5"));
    let Some((_folder, _server, mut viewer)) = scene(&lines) else {
        return;
    };
    viewer
        .browser
        .evaluate("document.querySelector('#charts canvas').focus()");
    let value = "parseFloat(document.querySelector('#charts strong').textContent)";
    viewer.press("ArrowLeft");
    viewer.until(
        "what is left of the middle",
        &format!("{value} > 250 && {value} < 299"),
    );
    viewer.press("Enter");
    for _ in 0..5 {
        viewer.press("ArrowRight");
    }
    viewer.until("the way", &format!("/ between two points/.test({SAID})"));
    let before = span(&mut viewer);
    viewer.press("+");
    let near = span(&mut viewer);
    let zoomed = (before.1 - before.0) / (near.1 - near.0);
    assert!((zoomed - 2.0).abs() < 0.1, "{zoomed}");
    viewer.press("PageUp");
    let moved = span(&mut viewer);
    assert!(moved.0 < near.0 && moved.1 < near.1);
    assert!((moved.1 - moved.0 - near.1 + near.0).abs() < 1.0);
    viewer.press("-");
    let wide = span(&mut viewer);
    assert!(wide.1 - wide.0 > 1.9 * (near.1 - near.0));
    viewer.assert_no_complaints();
}
