//! Several streams as one log: ordered by time, a late line in its place, each stream complete.

use crate::folder::Folder;
use crate::server::Server;
use crate::viewer::Viewer;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Lines of each stream before and after it is looked at.
const LINES: u32 = 200;

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path);
    let file = file.as_mut().expect("the log");
    file.write_all(text.as_bytes()).expect("write");
}

/// The line of this name and number, written at that second.
fn line(name: &str, number: u32) -> String {
    let (minute, second) = (number / 60, number % 60);
    format!("2026-11-25T20:{minute:02}:{second:02}Z {name} {number}")
}

/// What stands there, without the stream's name before it.
const LAST: &str =
    "[...document.querySelectorAll('.row')].at(-1)?.textContent.split(' ').slice(1).join(' ')";

#[test]
pub fn two_streams_are_one_log() {
    let folder = Folder::new();
    let [even, odd] = ["even.log", "odd.log"].map(|name| folder.path(name));
    let name = |number: u32| {
        if number.is_multiple_of(2) {
            "even"
        } else {
            "odd"
        }
    };
    let path = |number: u32| {
        if number.is_multiple_of(2) {
            &even
        } else {
            &odd
        }
    };
    for number in 0..LINES {
        append(path(number), &(line(name(number), number) + "\n"));
    }
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[even.to_str().unwrap(), odd.to_str().unwrap()]);
    viewer.browser.go(&server.url("/#even.log&with=odd.log"));
    let until_last = |viewer: &mut Viewer, number: u32| {
        let last = json!(line(name(number), number));
        viewer.until("the last line", &format!("{LAST} === {last}"));
    };
    until_last(&mut viewer, LINES - 1);
    // One of them comes in heaps.
    for heap in (LINES..2 * LINES).step_by(20) {
        for remainder in [1, 0] {
            let numbers = (heap..heap + 20).filter(|number| number % 2 == remainder);
            let text: String = numbers.map(|n| line(name(n), n) + "\n").collect();
            append(path(remainder), &text);
        }
    }
    until_last(&mut viewer, 2 * LINES - 1);
    let all: Vec<String> = (0..2 * LINES)
        .map(|number| format!("{}.log {}", name(number), line(name(number), number)))
        .collect();
    // In its place within a moment.
    viewer.until(
        "the newest lines in order",
        &format!(
            "JSON.stringify([...document.querySelectorAll('.row')].slice(-9).map((row) => row.textContent))
                === {}",
            json!(json!(&all[all.len() - 9..]).to_string())
        ),
    );
    assert_eq!(viewer.everything(), all);
    // Where there is little room a time is short, as in a log of its own.
    let short =
        "/^\\d\\d:\\d\\d:\\d\\d$/.test(document.querySelector('.row .time')?.dataset.short)";
    assert_eq!(viewer.browser.evaluate(short), true);
    viewer.assert_no_complaints();
}

#[test]
pub fn a_late_line_is_put_in_its_place() {
    let folder = Folder::new();
    let [quick, slow] = ["quick.log", "slow.log"].map(|name| folder.path(name));
    append(&slow, &(line("slow", 0) + "\n"));
    for number in [1, 2, 3, 5] {
        append(&quick, &(line("quick", number) + "\n"));
    }
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[quick.to_str().unwrap(), slow.to_str().unwrap()]);
    viewer.browser.go(&server.url("/#quick.log&with=slow.log"));
    let rows = "[...document.querySelectorAll('.row')].map((row) => row.textContent.split(' ').at(-1)).join()";
    viewer.until("both streams", &format!("{rows} === '0,1,2,3,5'"));
    // How long it takes is measured where it is seen.
    viewer.browser.evaluate(&format!(
        "globalThis.seen = new Promise((done) => {{
            let came = null;
            const look = () => {{
                const now = {rows};
                if (now !== '0,1,2,3,5') came ??= performance.now();
                if (now === '0,1,2,3,4,5') done(performance.now() - came);
                else requestAnimationFrame(look);
            }};
            look();
        }}); 0"
    ));
    append(&slow, &(line("slow", 4) + "\n"));
    let ms = viewer.browser.evaluate("seen").as_f64().expect("ms");
    assert!(ms <= 2000.0, "{ms} ms out of its place");
    // Each knows its own by more than a colour, and can be taken away again.
    let names = "[...new Set([...document.querySelectorAll('.source-name')].map((one) => one.textContent.trim()))].sort().join()";
    assert_eq!(viewer.browser.evaluate(names), "quick.log,slow.log");
    viewer.browser.evaluate("location.hash = '#quick.log'");
    viewer.until_shown(&[1, 2, 3, 5].map(|number| line("quick", number)));
    viewer.assert_no_complaints();
}
