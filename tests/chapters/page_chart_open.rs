//! A chart that is kept open: over a phone's sleep, a gap, a sensor that begins anew; what crosses
//! a threshold is told.

use super::page_chart::{VALUES, make, open};
use crate::cut::Cut;
use crate::folder::Folder;
use crate::http::get;
use crate::server::Server;
use crate::viewer::Viewer;
use serde_json::json;
use std::fs;

/// The lines of the first series, as they are drawn: the time of the first and of the last reading
/// of each, in seconds of the day.
const DRAWN: &str = "(async () => {
    const { trace } = await import('./draw.js');
    const { data } = charts.feeds[0].series[0];
    const { raw } = data;
    const from = raw.at(0);
    const { lines } = trace(data.source(from), from, 1000, 1e6);
    return lines.map((line) => [line[0], line.at(-2)].map((x) => Math.round(from / 1000 + x) % 86400).join('-')).join();
})()";

/// What the browser's tab is told of its life: a phone freezes what it does not show.
fn life(viewer: &mut Viewer, state: &str) {
    viewer
        .browser
        .call("Page.setWebLifecycleState", json!({ "state": state }));
}

/// Frozen, without its connection, and back: each reading once, and a line only where there were
/// readings.
#[test]
fn a_phone_that_sleeps() {
    let mut day = make(1000, |i, time| format!("{time} {i}.5"))
        .lines()
        .map(|line| format!("{line}\n"))
        .collect::<Vec<_>>();
    let folder = Folder::new();
    folder.append(day.drain(..100).collect::<String>());
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    let phone = Cut::before(server.addr());
    viewer.browser.go(&format!("http://{}/", phone.addr));
    viewer.until_state("live");
    open(&mut viewer, "all");
    folder.append(day.drain(..10).collect::<String>());
    viewer.until("it to be live", &format!("{VALUES}.length === 110"));

    viewer.browser.hide();
    life(&mut viewer, "frozen");
    phone.close();
    // The sensor slept, too, for a while.
    folder.append(day.drain(..40).collect::<String>());
    drop(day.drain(..350));
    folder.append(day.drain(..20).collect::<String>());
    phone.open();
    life(&mut viewer, "active");
    viewer.browser.show();
    folder.append(day.drain(..10).collect::<String>());
    let all = (0..150).chain(500..530);
    let all: Vec<f64> = all.map(|i| f64::from(i) + 0.5).collect();
    viewer.until(
        "each reading once",
        &format!(
            "JSON.stringify({VALUES}) === JSON.stringify({})",
            json!(all)
        ),
    );
    assert_eq!(viewer.browser.evaluate(DRAWN), "0-149,500-529");
    viewer.assert_no_complaints_but_of_the_network();
}

/// Its connection has died, and neither end was told: who looks again sees what came meanwhile.
#[test]
pub fn a_connection_that_died_in_its_sleep() {
    let folder = Folder::new();
    folder.append(make(100, |i, time| format!("{time} {i}.5")));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    let phone = Cut::before(server.addr());
    viewer.browser.go(&format!("http://{}/", phone.addr));
    viewer.until_state("live");
    open(&mut viewer, "all");
    folder.append("2026-11-25T00:01:40Z 100.5\n");
    viewer.until("it to be live", &format!("{VALUES}.at(-1) === 100.5"));
    phone.deaden();
    viewer.browser.hide();
    folder.append("2026-11-25T00:01:41Z 101.5\n2026-11-25T00:01:42Z 102.5\n");
    viewer.browser.show();
    let all: Vec<f64> = (0..103).map(|i| f64::from(i) + 0.5).collect();
    viewer.until(
        "each reading once",
        &format!(
            "JSON.stringify({VALUES}) === JSON.stringify({})",
            json!(all)
        ),
    );
    viewer.assert_no_complaints_but_of_the_network();
}

/// What the board has kept of its sensor.
fn readings(server: &Server) -> Vec<(String, f64)> {
    let kept = String::from_utf8(get(server, "/stream/attic").body).unwrap();
    let lines = kept.lines().map(|line| line.split_once(' ').unwrap());
    lines
        .map(|(time, value)| (time.to_owned(), value.parse().unwrap()))
        .collect()
}

/// The board keeps no readings over a restart, the page does: what came before and after, once
/// each, and no line between.
#[test]
fn a_sensor_over_a_restart() {
    let folder = Folder::new();
    fs::write(&folder.log, "21.5\n").unwrap();
    let sensor = format!("attic=sample:{}", folder.arg());
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let mut server = Server::start(&[&sensor, "--sample=50ms"]);
    viewer.look_at(&server);
    viewer.until_state("live");
    open(&mut viewer, "all");
    viewer.until("readings", &format!("{VALUES}.length > 20"));
    let before = readings(&server);
    viewer.until("them", &format!("{VALUES}.length >= {}", before.len()));
    server.stop();
    fs::write(&folder.log, "22.5\n").unwrap();
    viewer.until(
        "a gap, whatever the pace of this machine",
        "(({ raw, step }) => Date.now() - raw.at(raw.length - 1) > 2000 + 10 * step)(charts.feeds[0].series[0].data)",
    );
    server.start_again();
    viewer.until(
        "readings again",
        &format!("{VALUES}.filter((value) => value === 22.5).length > 20"),
    );
    // Two of a busy board may be of one millisecond: what is read twice shows beside what the board
    // kept.
    let drawn = "(({ raw }) => Array.from({ length: raw.length }, (_, i) => [new Date(raw.at(i)).toISOString(), raw.data[2 * i + 1]]))(charts.feeds[0].series[0].data)";
    let drawn: Vec<(String, f64)> = serde_json::from_value(viewer.browser.evaluate(drawn)).unwrap();
    let (first, second) = drawn.split_at(drawn.partition_point(|(_, value)| *value < 22.0));
    assert_eq!(first[..before.len()], before);
    assert_eq!(second, &readings(&server)[..second.len()]);
    let breaks = "(async () => {
        const { trace } = await import('./draw.js');
        const { data } = charts.feeds[0].series[0];
        const from = data.raw.at(0);
        const { lines } = trace(data.source(from), from, 1, 1e6);
        return lines.filter((line) => line[1] !== line.at(-1)).length;
    })()";
    assert_eq!(viewer.browser.evaluate(breaks), 0, "a line over the gap");
    viewer.assert_no_complaints_but_of_the_network();
}

/// In the page itself: a threshold is set beside a series, and the reading that crosses it raises
/// the row that stays.
#[test]
pub fn what_crosses_a_threshold() {
    let folder = Folder::new();
    folder.append(make(100, |_, time| format!("{time} attic_c=21.5")));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until(
        "the chart",
        "document.querySelectorAll('#chart-panel canvas').length === 1",
    );
    viewer
        .browser
        .evaluate("document.querySelector('#chart-panel summary').click()");
    let field = "document.querySelector('#chart-panel [aria-label=\"Alert when attic is above\"]')";
    viewer.until("the field", &format!("{field} !== null"));
    viewer.browser.evaluate(&format!(
        "(() => {{ const field = {field}; field.value = '30'; field.dispatchEvent(new Event('change')); }})()"
    ));
    let banner = "document.getElementById('banner')";
    folder.append("2026-11-25T00:01:40Z attic_c=29.5\n");
    viewer.until_last("2026-11-25T00:01:40Z attic_c=29.5");
    assert_eq!(
        viewer.browser.evaluate(&format!("{banner}.hidden")),
        json!(true)
    );
    folder.append("2026-11-25T00:01:41Z attic_c=30.5\n");
    viewer.until(
        "the alert",
        &format!("{banner}.textContent.startsWith('Alert · attic > 30 · attic: 30.5')"),
    );
    assert_eq!(
        viewer.browser.evaluate("document.title"),
        "(1) app.log · Tailcast"
    );
    // What it tells of is one tap away in the log.
    viewer
        .browser
        .evaluate(&format!("{banner}.querySelector('button').click()"));
    viewer.until(
        "its line",
        "/attic_c=30.5$/.test(document.querySelector('.row.current')?.textContent)",
    );
    viewer.browser.go("about:blank");
    viewer.look_at(&server);
    folder.append("2026-11-25T00:01:42Z attic_c=20\n");
    viewer.until(
        "the chart again",
        "document.querySelector('#chart-panel strong')?.textContent === '20 °C'",
    );
    folder.append("2026-11-25T00:01:43Z attic_c=31\n");
    viewer.until(
        "the alert, which is kept",
        &format!("{banner}.textContent.includes('attic: 31')"),
    );
    viewer.assert_no_complaints();
}
