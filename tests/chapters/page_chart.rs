//! Charts: streams of numbers in every form, a day of them from the newest back.

use crate::folder::Folder;
use crate::server::Server;
use crate::viewer::Viewer;
use serde_json::json;
use std::fmt::Write;
use std::fs;

/// Shows the charts of the first stream in the page, as its Chart button does, and keeps them in
/// `charts`.
const OPEN: &str = "(async (view) => {
    const [source] = await (await fetch('sources')).json();
    globalThis.charts?.close();
    document.getElementById('charts')?.remove();
    const host = document.createElement('section');
    host.id = 'charts';
    host.style.cssText = 'position: fixed; inset: 0; background: var(--paper)';
    document.body.append(host);
    const { open } = await import('./chart.js');
    globalThis.told = [];
    globalThis.alerts = {
        rules: [],
        set(rules) { this.rules = rules; return null; },
        value: (series, value) => told.push([series, value]),
    };
    globalThis.charts = await open(host, {
        name: source.name, address: source.url, view, alerts,
        others: await (await fetch('sources')).json(),
        keep: (text) => (globalThis.view = text),
        moment: (ms) => (globalThis.moment = ms),
    });
})";

/// All that is known of the first series: its readings, one after the other.
pub const VALUES: &str = "[...(({ raw }) => raw.data.subarray(0, raw.length * 2))(charts.feeds[0].series[0]?.data ?? { raw: { data: new Float64Array(0), length: 0 } })].filter((_, i) => i % 2)";
/// All is read, and drawn.
const DONE: &str = "charts.feeds.every(({ done }) => done) &&
    !['', 'Reading …'].includes(document.querySelector('#charts .chart-said p').textContent)";
/// `name value unit` of each series as it stands above the charts.
pub const LEGEND: &str = "[...document.querySelectorAll('#charts li')].map((item) => `${item.children[1].textContent} ${item.querySelector('strong').textContent}`)";
pub const SAID: &str = "document.querySelector('#charts .chart-said p').textContent";

pub fn open(viewer: &mut Viewer, view: &str) {
    viewer.browser.evaluate(&format!("{OPEN}({})", json!(view)));
    viewer.until("all to be read", DONE);
}

pub fn scene(content: &str) -> Option<(Folder, Server, Viewer)> {
    let folder = Folder::new();
    folder.append(content);
    let mut viewer = Viewer::start()?;
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until_state("live");
    open(&mut viewer, "");
    Some((folder, server, viewer))
}

/// Lines of this form, one a second.
pub fn make(count: u32, mut line: impl FnMut(u32, &str) -> String) -> String {
    (0..count).fold(String::new(), |mut all, i| {
        let time = format!("{:02}:{:02}:{:02}", i / 3600, i / 60 % 60, i % 60);
        writeln!(all, "{}", line(i, &format!("2026-11-25T{time}Z"))).unwrap();
        all
    })
}

#[test]
pub fn every_form_with_no_question_asked() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let forms: [(&str, String, &[&str]); 7] = [
        (
            "sample",
            make(100, |i, time| format!("{time} {}.5", 20 + i % 3)),
            &["app.log 20.5"],
        ),
        (
            "bare",
            make(100, |i, _| format!("{}.25 °C", 20 + i % 3)),
            &["app.log 20.25 °C"],
        ),
        (
            "CSV with a header",
            "time,temp (°C),hum [%]\n".to_owned()
                + &make(20_000, |i, time| format!("{time},{}.5,48", i % 7)),
            &["temp 0.5 °C", "hum 48 %"],
        ),
        (
            "CSV without a header",
            make(100, |i, time| format!("{time},{},-1.5", i % 7)),
            &["column 2 1", "column 3 −1.5"],
        ),
        (
            "pairs",
            make(100, |i, time| {
                format!("{time} temp_c={}.5 load=0.{}", i % 7, i % 9)
            }),
            &["temp 1.5 °C", "load 0"],
        ),
        (
            "Klipper",
            make(100, |i, _| {
                format!(
                    "Stats {}.5: gcodein=0 heater_bed: target=60 temp={}.1",
                    944 + i,
                    i % 7
                )
            }),
            &["gcodein 0", "heater_bed.target 60", "heater_bed.temp 1.1"],
        ),
        (
            "JSON",
            make(100, |i, time| {
                format!(
                    "{{\"time\":\"{time}\",\"bme\":{{\"temp_c\":{}.5}},\"pid\":7}}",
                    i % 7
                )
            }),
            &["bme.temp 1.5 °C"],
        ),
    ];
    for (form, lines, legend) in forms {
        let folder = Folder::new();
        folder.append(&lines);
        let server = Server::start(&[folder.arg()]);
        viewer.look_at(&server);
        viewer.until_state("live");
        open(&mut viewer, "");
        let shown = format!(
            "JSON.stringify({LEGEND}) === JSON.stringify({})",
            json!(legend)
        );
        viewer.until(&format!("{form}: {legend:?}"), &shown);
        let drawn = "[...document.querySelectorAll('#charts canvas')].every((canvas) =>
            new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size > 3)";
        viewer.until(&format!("{form} to be drawn"), drawn);
        viewer.browser.evaluate("charts.close()");
        viewer.assert_no_complaints_but_of_the_network();
    }
}

/// Numbers open as a chart with the log below it, text does not; who puts the chart away does not
/// get it again.
#[test]
pub fn numbers_open_by_themselves() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let folder = Folder::new();
    folder.append(make(200, |i, time| format!("{time},{}.5,48", i % 7)));
    let text = folder.path("text.log");
    fs::write(
        &text,
        make(200, |i, time| {
            format!("{time} pi cron[{i}]: job {i} was done in {i} ms, as it should be")
        }),
    )
    .unwrap();
    let server = Server::start(&[folder.arg(), text.to_str().unwrap()]);
    let chart = "document.querySelectorAll('#chart-panel canvas').length === 2 && location.hash === '#app.log&chart'";
    viewer.browser.go(&server.url("/#app.log"));
    viewer.until("the chart", chart);
    viewer.until(
        "the log below it",
        "document.querySelectorAll('.row').length > 2",
    );
    viewer.browser.evaluate("location.hash = '#text.log'");
    viewer.until(
        "the text",
        "/cron/.test(document.querySelector('.row')?.textContent)",
    );
    assert_eq!(
        viewer
            .browser
            .evaluate("document.getElementById('chart-panel').hidden"),
        true
    );
    viewer.browser.evaluate("location.hash = '#app.log'");
    viewer.until("the chart again", chart);
    viewer
        .browser
        .evaluate("document.getElementById('chart').click()");
    viewer.browser.evaluate("location.hash = '#text.log'");
    viewer.until(
        "the text again",
        "/cron/.test(document.querySelector('.row')?.textContent)",
    );
    viewer.browser.evaluate("location.hash = '#app.log'");
    viewer.until(
        "the log",
        "/,48$/.test(document.querySelector('.row')?.textContent)",
    );
    assert_eq!(
        viewer
            .browser
            .evaluate("document.getElementById('chart-panel').hidden"),
        true
    );
    viewer
        .browser
        .evaluate("document.getElementById('chart').click()");
    viewer.until("the chart, asked for", chart);
    viewer.assert_no_complaints();
}

/// A day at one a second: each reading is there, and the extremes of the file are those of the
/// chart.
#[test]
pub fn a_day() {
    let day = make(86_400, |i, time| match i {
        50_001 => format!("{time} 99.25"),
        61_003 => format!("{time} -40.5"),
        _ => format!("{time} {}.{}", 20 + i % 3, i % 10),
    });
    let Some((_folder, _server, mut viewer)) = scene(&day) else {
        return;
    };
    viewer.until("each reading", &format!("{VALUES}.length === 86400"));
    viewer.until(
        "the extremes",
        "/^min −40.5 .* max 99.25$/.test(document.querySelector('#charts small').textContent)",
    );
    // The one great reading reaches up alone: in the column of its instant, and nowhere beside it.
    let column = "(() => {
        const canvas = document.querySelector('#charts canvas');
        const [left, right] = [58, 14];
        const x = left + (50001 / 86399) * (canvas.width - left - right);
        const { data } = canvas.getContext('2d').getImageData(0, 14, canvas.width, 40);
        const pixels = new Uint32Array(data.buffer);
        const inked = (x) => {
            let count = 0;
            for (let y = 0; y < 40; y += 1) if (pixels[y * canvas.width + Math.round(x)] !== pixels[1]) count += 1;
            return count;
        };
        return [inked(x - 12), Math.max(...[-2, -1, 0, 1, 2].map((by) => inked(x + by))), inked(x + 12)];
    })()";
    let inked: Vec<u32> = serde_json::from_value(viewer.browser.evaluate(column)).unwrap();
    assert!(inked[1] > 25, "{inked:?}");
    assert!(inked[0] < 5 && inked[2] < 5, "{inked:?}");
    viewer.assert_no_complaints();
}
