//! What a browser fetches of the page: little at the first visit, nothing again at the second, few
//! pieces of a large log.

use crate::folder::Folder;
use crate::http::Connection;
use crate::viewer::Viewer;
use serde_json::json;
use std::fmt::Write;

/// The page without its charts, in bytes: what a phone at the edge of the Wi-Fi has to wait for.
const GZIPPED: usize = 40 << 10;
const PLAIN: usize = 128 << 10;

/// The page's files that the browser asked for.
const FILES: &str =
    "performance.getEntriesByType('resource').filter(({ name }) => /\\.(js|css)$/.test(name))";

#[test]
pub fn little_at_first_and_nothing_again() {
    let folder = Folder::new();
    folder.append("the door was opened\n".repeat(20));
    let Some((server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("the door was opened");
    let names = format!("{FILES}.map(({{ name }}) => new URL(name).pathname)");
    let mut names: Vec<String> = serde_json::from_value(viewer.browser.evaluate(&names)).unwrap();
    names.push("/".to_owned());
    assert!(names.contains(&"/page.js".to_owned()), "{names:?}");
    let (mut gzipped, mut plain) = (0, 0);
    for name in &names {
        let mut connection = Connection::open(&server);
        let fields = "Accept-Encoding: gzip\r\n";
        gzipped += connection.request("GET", name, fields).body.len();
        plain += connection.get(name).body.len();
    }
    println!("{} files, {gzipped} bytes gzipped of {plain}", names.len());
    assert!(gzipped <= GZIPPED, "{gzipped} bytes gzipped");
    assert!(plain <= PLAIN, "{plain} bytes");

    viewer.browser.reload();
    viewer.until_last("the door was opened");
    // Only a head was sent for each: by the specification of resource timing that counts as 300
    // bytes.
    let again = format!(
        "{FILES}.filter(({{ transferSize }}) => transferSize > 300).map(({{ name }}) => name)"
    );
    assert_eq!(viewer.browser.evaluate(&again), json!([]));
    viewer.assert_no_complaints();
}

/// How many pieces of the log were asked for.
const PIECES: &str = "performance.getEntriesByType('resource').filter(({ name }) => /[?&](from|generations)/.test(name)).length";

#[test]
pub fn few_pieces_of_a_large_log() {
    let folder = Folder::new();
    let mut text = String::new();
    // Two days in 32 MiB.
    for second in 0..172_800 {
        let (day, hour) = (24 + second / 86_400, second / 3600 % 24);
        let (minute, second) = (second / 60 % 60, second % 60);
        let time = format!("2026-11-{day}T{hour:02}:{minute:02}:{second:02}Z");
        writeln!(text, "{time} {:x>170}", "").unwrap();
    }
    folder.append(&text);
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until(
        "the newest line",
        "[...document.querySelectorAll('.row')].at(-1)?.textContent.startsWith('2026-11-25T23:59:59Z')",
    );
    let asked = |viewer: &mut Viewer, begin: &str, line: &str| {
        let before = viewer.browser.evaluate(PIECES).as_u64().unwrap();
        viewer.browser.evaluate(begin);
        let rows = "[...document.querySelectorAll('.row')]";
        viewer.until(
            line,
            &format!("{rows}.some((row) => row.textContent.startsWith('{line}'))"),
        );
        viewer.browser.evaluate(PIECES).as_u64().unwrap() - before
    };
    let start = "document.getElementById('view').dispatchEvent(
        new KeyboardEvent('keydown', { key: 'g', bubbles: true }))";
    let pieces = asked(&mut viewer, start, "2026-11-24T00:00:00Z");
    assert!(pieces <= 3, "{pieces} requests to the start");
    let time = "document.getElementById('goto').value = '2026-11-24 14:30:07';
        document.getElementById('goto-form').requestSubmit()";
    viewer.browser.call(
        "Emulation.setTimezoneOverride",
        json!({ "timezoneId": "UTC" }),
    );
    let pieces = asked(&mut viewer, time, "2026-11-24T14:30:07Z");
    assert!(pieces <= 20, "{pieces} requests to a time");
    println!("{pieces} requests to a time");
    viewer.assert_no_complaints();
}
