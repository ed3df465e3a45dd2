//! The chart and the log below it: what is pointed at in one is shown in the other; and charts of
//! streams that have hardly begun.

use super::page_chart::{LEGEND, SAID, VALUES, make, open};
use super::pipes::{make_fifo, write};
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::{get, source};
use crate::server::Server;
use crate::viewer::Viewer;
use serde_json::json;

/// The value that is told in large letters above the chart.
const VALUE: &str = "parseFloat(document.querySelector('#chart-panel strong')?.textContent)";

fn mouse(viewer: &mut Viewer, kind: &str, (x, y): (f64, f64)) {
    let pressed = i32::from(kind != "mouseMoved");
    let event = json!({ "type": kind, "x": x, "y": y, "pointerType": "mouse",
        "button": if pressed > 0 { "left" } else { "none" }, "clickCount": pressed });
    viewer.browser.call("Input.dispatchMouseEvent", event);
}

fn click(viewer: &mut Viewer, at: (f64, f64)) {
    for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
        mouse(viewer, kind, at);
    }
}

/// The middle of an element, once it has stood still for a few frames: a chart that was just opened
/// moves the rows below it.
fn middle(viewer: &mut Viewer, element: &str) -> (f64, f64) {
    let middle = format!(
        "new Promise((done) => {{
            let [before, still] = ['', 0];
            const look = () => {{
                const {{ left, top, width, height }} = ({element}).getBoundingClientRect();
                const middle = [left + width / 2, top + height / 2];
                still = middle.join() === before ? still + 1 : 0;
                before = middle.join();
                if (still < 5) requestAnimationFrame(look);
                else done(middle);
            }};
            look();
        }})"
    );
    serde_json::from_value(viewer.browser.evaluate(&middle)).unwrap()
}

/// What was done is drawn: in the next frame, or in the one behind it.
fn drawn(viewer: &mut Viewer) {
    let frames =
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))";
    viewer.browser.evaluate(frames);
}

/// How often it was asked which files a stream has: what a chart begins with.
fn beginnings(server: &Server) -> u32 {
    let metrics = String::from_utf8(get(server, "/metrics").body).unwrap();
    let mut counts = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("tailcast_streams_total{kind=\"generations\"} "));
    counts.next().unwrap().parse().unwrap()
}

#[test]
pub fn the_log_and_the_chart_point_at_one_moment() {
    let folder = Folder::new();
    folder.append(make(600, |i, time| format!("{time} {i}.5")));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.browser.go(&server.url("/#app.log&chart"));
    viewer.until("the newest reading", &format!("{VALUE} === 599.5"));
    viewer.until_last("2026-11-25T00:09:59Z 599.5");

    // From a line to the chart, for as long as the mouse is there.
    let row = "[...document.querySelectorAll('.row')].at(-5)";
    let at = middle(&mut viewer, row);
    mouse(&mut viewer, "mouseMoved", at);
    viewer.until("the value of that line", &format!("{VALUE} === 595.5"));
    mouse(&mut viewer, "mouseMoved", (5.0, 5.0));
    viewer.until("the newest again", &format!("{VALUE} === 599.5"));
    // A line that was chosen keeps its mark.
    click(&mut viewer, at);
    mouse(&mut viewer, "mouseMoved", (5.0, 5.0));
    viewer.until("that of the chosen line", &format!("{VALUE} === 595.5"));

    // From the chart to the line.
    let canvas = middle(&mut viewer, "document.querySelector('#chart-panel canvas')");
    click(&mut viewer, canvas);
    click(&mut viewer, (canvas.0 + 60.0, canvas.1));
    click(&mut viewer, (canvas.0 - 60.0, canvas.1));
    // Else the value would be that of a click before the last.
    drawn(&mut viewer);
    viewer.until("a value before", &format!("{VALUE} < 400"));
    let value = viewer.browser.evaluate(VALUE);
    let button = middle(
        &mut viewer,
        "[...document.querySelectorAll('#chart-panel button')].find((one) => one.textContent === 'Show in log')",
    );
    click(&mut viewer, button);
    let current = "document.querySelector('.row.current')?.textContent.split(' ')[1]";
    viewer.until(
        "the line of that moment",
        &format!("Math.abs({current} - {value}) <= 1"),
    );
    // Which is the one that the chart shows then.
    viewer.until("one moment", &format!("Number({current}) === {VALUE}"));
    viewer.assert_no_complaints();
}

/// A line far from what the chart shows brings the chart there.
#[test]
pub fn a_chosen_line_comes_into_the_chart() {
    let folder = Folder::new();
    folder.append(make(7200, |i, time| format!("{time} {i}.5")));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    open(&mut viewer, "");
    viewer.browser.evaluate(
        "[...document.querySelectorAll('#charts button')].find((one) => one.textContent === '10 min').click()",
    );
    viewer.until("ten minutes", "charts.to - charts.from < 11 * 60000");
    let ms = "Date.parse('2026-11-25T00:30:00Z')";
    viewer
        .browser
        .evaluate(&format!("charts.point({ms}), true"));
    viewer.until(
        "its value",
        &format!("{LEGEND}.join() === 'app.log 1,800.5'"),
    );
    assert_eq!(
        viewer.browser.evaluate(&format!("charts.from > {ms}")),
        true,
        "a mouse that passes moves nothing"
    );
    viewer
        .browser
        .evaluate(&format!("charts.point({ms}, true), true"));
    viewer.until(
        "it in sight",
        &format!("charts.from < {ms} && charts.to > {ms} && charts.to - charts.from < 11 * 60000"),
    );
    viewer.assert_no_complaints();
}

/// A file with one reading, written anew each time, with and without an end of line: a dot, and its
/// value.
#[test]
pub fn one_reading() {
    for end in ["\n", ""] {
        let folder = Folder::new();
        folder.append(format!("21.5{end}"));
        let Some(mut viewer) = Viewer::start() else {
            return;
        };
        let server = Server::start(&[folder.arg()]);
        viewer.browser.go(&server.url("/#app.log&chart"));
        viewer.until("its value", &format!("{VALUE} === 21.5"));
        let dot = "(() => {
            const canvas = document.querySelector('#chart-panel canvas');
            const [red, green, blue] = getComputedStyle(document.querySelector('#chart-panel .c0')).color.match(/\\d+/g);
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4) if (data[i] == red && data[i + 1] == green && data[i + 2] == blue) count += 1;
            return count;
        })()";
        viewer.until("a dot", &format!("{dot} >= 16"));
        for reading in ["22.5", "23.5", "24.5"] {
            std::fs::write(&folder.log, format!("{reading}{end}")).unwrap();
            viewer.until("the next one", &format!("{VALUE} === {reading}"));
        }
        // What the stream holds was found out once, and not anew for each reading.
        assert!(beginnings(&server) <= 3, "{}", beginnings(&server));
        viewer.assert_no_complaints();
    }
}

/// An instrument that ends its lines with a carriage return alone: what it said before one looked
/// is there.
#[test]
pub fn carriage_returns() {
    let folder = Folder::new();
    make_fifo(&folder.log);
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    write(&folder.log, "21.5 V\r22.5 V\r");
    until_true("it to be read", || source(&server, "app.log")["size"] == 14);
    viewer.look_at(&server);
    open(&mut viewer, "");
    viewer.until("both", &format!("{VALUES}.join() === '21.5,22.5'"));
    write(&folder.log, "23.5 V\r");
    viewer.until("a third", &format!("{VALUES}.join() === '21.5,22.5,23.5'"));
    viewer.assert_no_complaints();
}

#[test]
pub fn a_file_that_is_not_there_yet() {
    let folder = Folder::new();
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    open(&mut viewer, "");
    viewer.until(
        "words",
        &format!("{SAID} === 'No numbers in these lines yet.'"),
    );
    folder.append(make(10, |i, time| format!("{time} {i}.5")));
    viewer.until("each of them", &format!("{VALUES}.length === 10"));
    viewer.assert_no_complaints_but_of_the_network();
}

/// In a log that holds no numbers, one line that does is no reason to read all of it again.
#[test]
pub fn a_number_among_words() {
    let folder = Folder::new();
    folder.append("the door was opened and nobody came in\n".repeat(200));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    open(&mut viewer, "");
    let before = beginnings(&server);
    for i in 0..5 {
        folder.append(format!("temp={i}.5\n"));
        viewer.until_last(&format!("temp={i}.5"));
        folder.append("the door was closed\n");
        viewer.until_last("the door was closed");
    }
    // Nothing but numbers at last.
    for i in 0..60 {
        folder.append(format!("temp={i}.25\n"));
    }
    viewer.until("the numbers", &format!("{LEGEND}.join() === 'temp 59.25'"));
    let again = beginnings(&server) - before;
    assert!(again <= 4, "{again}");
    viewer.assert_no_complaints();
}

/// Pause is for all that moves: the chart stands still, too, and loses nothing.
#[test]
pub fn pause_is_for_both() {
    let folder = Folder::new();
    folder.append(make(600, |i, time| format!("{time} {i}.5")));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.browser.go(&server.url("/#app.log&chart"));
    viewer.until("the newest reading", &format!("{VALUE} === 599.5"));
    viewer.until_state("live");
    viewer.press("p");
    viewer.until_state("live, paused");
    let said = "document.querySelector('#chart-panel .chart-said p').textContent";
    let before = viewer.browser.evaluate(said);
    folder.append("2026-11-25T02:00:00Z 700.5\nno such thing\n");
    viewer.until("the newest, kept", &format!("{VALUE} === 700.5"));
    let after = viewer.browser.evaluate(said);
    let (before, after) = (before.as_str().unwrap(), after.as_str().unwrap());
    // A line without a reading is told of.
    assert_eq!(after.strip_prefix(before), Some(" · 1 line does not fit"));
    viewer.press("p");
    viewer.until("it to go on", &format!("/\\(2 h\\)/.test({said})"));
    // What a person has zoomed stays so when the log goes on.
    viewer
        .browser
        .evaluate("document.querySelector('#chart-panel .chart-live').click()");
    viewer.press("p");
    viewer.until_state("live, paused");
    viewer.press("p");
    viewer.until_state("live");
    // Two frames later, when it is drawn.
    let live = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
        done(document.querySelector('#chart-panel .chart-live').ariaPressed))))";
    assert_eq!(viewer.browser.evaluate(live), "false");
    viewer.assert_no_complaints();
}

/// What was written long ago and stands still is shown as it stands.
#[test]
pub fn readings_of_long_ago() {
    let folder = Folder::new();
    folder.append(
        make(20_000, |i, time| format!("{time} temp_c={}.5", i % 7)).replace("2026-", "2020-"),
    );
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.browser.go(&server.url("/#app.log&chart"));
    viewer.until("the newest of them", &format!("{VALUE} === 0.5"));
    let all = "/^Wed 25 Nov 2020 .* \\(5 h 33 min\\)$/.test(document.querySelector('#chart-panel .chart-said p').textContent)";
    viewer.until("all of them", all);
    viewer.assert_no_complaints();
}
