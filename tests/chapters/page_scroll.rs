//! The page over files of any size: from the newest line to byte 0, on into rotated files, at both
//! sizes of window.

use super::page_legible::CLIPBOARD;
use crate::folder::Folder;
use crate::http;
use crate::protocol::IN_SIGHT;
use crate::server::Server;
use crate::viewer::{SIZES, Viewer, rows};
use serde_json::json;
use std::fmt::Write;
use std::fs;

/// The first row in sight.
const FIRST: &str =
    "(() => { const top = document.getElementById('view').getBoundingClientRect().top;
    return [...document.querySelectorAll('#rows > *')]
        .find(row => row.getBoundingClientRect().bottom > top + 1)?.textContent ?? null; })()";

fn numbered(from: usize, to: usize) -> String {
    let mut text = String::new();
    for n in from..to {
        // Lengths from none to many rows of the window.
        let words = " word".repeat(n * 7919 % 97 * usize::from(n % 5 == 0));
        writeln!(text, "line {n}{words}").unwrap();
    }
    text
}

#[test]
pub fn each_line_once_from_the_end_to_the_start_and_into_the_rotated_file() {
    for (width, height) in SIZES {
        let folder = Folder::new();
        fs::write(folder.path("app.log.1"), numbered(0, 300)).unwrap();
        folder.append(numbered(300, 2000));
        let Some(mut viewer) = Viewer::start() else {
            return;
        };
        viewer.size(width, height);
        let server = Server::start(&[folder.arg()]);
        viewer.look_at(&server);
        viewer.until_last("line 1999");
        let mut expected = rows(numbered(0, 2000));
        expected.insert(300, "<mark rotated>".to_owned());
        assert_eq!(viewer.everything(), expected);
        let drawn = viewer.shown().len();
        assert!(drawn <= 300, "{drawn} rows");
        viewer.assert_no_complaints();
    }
}

#[test]
pub fn a_wheel_moves_by_its_own_px_and_leaves_nothing_out() {
    let folder = Folder::new();
    folder.append(numbered(0, 3000));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    // Before the first row is drawn: another size draws all rows anew.
    viewer.size(1440, 900);
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until_state("live");
    viewer.until_last("line 2999");
    let frames = "(async () => {
        for (let i = 0; i < 5; i += 1) await new Promise(requestAnimationFrame);
        return true;
    })()";
    viewer.until("five frames", frames);
    for step in 0..60 {
        // A row is looked at, the wheel turned, and the row has moved by just that.
        viewer.browser.evaluate(
            "document.row = document.elementFromPoint(300, 400).closest('#rows > *');
             document.top = document.row.getBoundingClientRect().top",
        );
        viewer.browser.call(
            "Input.dispatchMouseEvent",
            json!({ "type": "mouseWheel", "x": 300, "y": 400, "deltaX": 0, "deltaY": -300 }),
        );
        let moved = "document.row.isConnected
            && Math.abs(document.row.getBoundingClientRect().top - document.top - 300) <= 1";
        viewer.until(&format!("the row to have moved, step {step}"), moved);
        let gap = "[...document.querySelectorAll('.row')].some((row, i, all) => i > 0 &&
            Number(row.textContent.split(' ')[1]) !== Number(all[i - 1].textContent.split(' ')[1]) + 1)";
        assert_eq!(viewer.browser.evaluate(gap), false, "step {step}");
    }
    viewer.assert_no_complaints();
}

#[test]
pub fn any_place_of_a_large_file_at_once() {
    let folder = Folder::new();
    // 64 MiB of lines of 64 bytes: a line says which.
    let mut text = String::new();
    for n in 0..1_048_576 {
        writeln!(text, "{n:>63}").unwrap();
    }
    folder.append(&text);
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last(&format!("{:>63}", 1_048_575));
    viewer.press("g");
    viewer.until("byte 0", &format!("{FIRST}?.trim() === '0'"));
    for part in [0.5, 0.03, 0.77, 0.999, 0.25] {
        let scroll = format!(
            "{{ const view = document.getElementById('view');
                view.scrollTop = (view.scrollHeight - view.clientHeight) * {part}; }}"
        );
        viewer.browser.evaluate(&scroll);
        let near = format!("Math.abs(Number({FIRST}) / 1048576 - {part}) < 0.01");
        viewer.until(&format!("the lines at {part}"), &near);
        // Neighbours are neighbours of the file.
        let shown: Vec<u64> = viewer
            .shown()
            .iter()
            .map(|row| row.trim().parse().unwrap())
            .collect();
        assert!(shown.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }
    let heap = viewer.browser.heap();
    assert!(heap < 40_000_000, "{heap} bytes");
    viewer.press("G");
    viewer.until_last(&format!("{:>63}", 1_048_575));
    folder.append("after all\n");
    viewer.until_last("after all");
    viewer.assert_no_complaints();
}

#[test]
pub fn pause_loses_nothing_and_moves_nothing() {
    let folder = Folder::new();
    folder.append(numbered(0, 500));
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("line 499");
    viewer.press("p");
    viewer.until_state("live, paused");
    assert_eq!(viewer.text("pause"), "Resume");
    let place = format!("{FIRST} + document.getElementById('view').scrollTop");
    let before = viewer.browser.evaluate(&place);
    folder.append(numbered(500, 5500));
    let told = "document.getElementById('jump').textContent === '↓ 5,000 new lines'";
    viewer.until("the number of new lines", told);
    assert_eq!(viewer.browser.evaluate(&place), before);
    viewer.press("p");
    viewer.until_last("line 5499");
    assert_eq!(viewer.text("pause"), "Pause");
    assert_eq!(viewer.everything(), rows(numbered(0, 5500)));
    viewer.assert_no_complaints();
}

/// More comes in a pause than the page keeps of that: none of it moves a row, and all of it is
/// there afterwards.
#[test]
pub fn a_pause_over_a_hundred_thousand_lines() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    viewer.browser.run_in_every_page(CLIPBOARD);
    let line = |n: usize| format!("line {n:>6}{}\n", " of a long pause".repeat(3));
    let lines = |from, to| (from..to).map(line).collect::<String>();
    let folder = Folder::new();
    folder.append(lines(0, 500));
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until_last(&line(499));
    viewer.press("p");
    viewer.until_state("live, paused");
    let stand = |viewer: &mut Viewer| -> Vec<(String, f64)> {
        serde_json::from_value(viewer.browser.evaluate(IN_SIGHT)).unwrap()
    };
    let before = stand(&mut viewer);
    for from in (500..100_500).step_by(5_000) {
        folder.append(lines(from, from + 5_000));
    }
    let told = "document.getElementById('jump').textContent === '↓ 100,000 new lines'";
    viewer.until("the number of new lines", told);
    // Below the last of them there may be room for a part of the next.
    let after = stand(&mut viewer);
    assert_eq!(after[..before.len()], before);
    let all = json!({ "type": "keyDown", "key": "a", "modifiers": 2 });
    viewer.browser.call("Input.dispatchKeyEvent", all);
    viewer.until("a selection", "!getSelection().isCollapsed");
    viewer.press("c");
    let again = "/copy again$/.test(document.getElementById('news').textContent)";
    let copied = "globalThis.copied !== undefined";
    viewer.until("a copy", &format!("{copied} || {again}"));
    // It took longer than a browser lets a page copy after a key; now all is here.
    if viewer.browser.evaluate(copied) == false {
        viewer.press("c");
        viewer.until("the copy", copied);
    }
    let copied = viewer.browser.evaluate("copied");
    let written = lines(0, 100_500);
    assert!(
        copied == written.trim_end_matches('\n'),
        "{} of {} bytes",
        copied.as_str().map_or(0, str::len),
        written.len()
    );
    viewer.press("p");
    viewer.until_last(&line(100_499));
    viewer.assert_no_complaints();
}

#[test]
pub fn a_line_of_a_mebibyte() {
    let folder = Folder::new();
    let long: String = (0..1_048_576 / 8).map(|n| format!("{n:07} ")).collect();
    folder.append(format!("before\n{long}\nafter\n"));
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("after");
    let row = "document.querySelectorAll('.row')[1]";
    viewer.until(
        "its beginning",
        &format!("{row}.textContent.length === 4000"),
    );
    let button = format!("{row}.querySelector('button').getAttribute('aria-label')");
    assert_eq!(viewer.browser.evaluate(&button), "show 1,044,577 more");
    viewer
        .browser
        .evaluate(&format!("{row}.querySelector('button').click()"));
    viewer.until("more of it", &format!("{row}.textContent.length > 65536"));
    let whole = "document.querySelectorAll('.row').length";
    viewer.until("its neighbours", &format!("{whole} >= 2"));
    viewer.assert_no_complaints();
}

/// The place in the address is the place in the file, whatever happened to it since.
#[test]
pub fn a_link_leads_into_the_rotated_file() {
    let folder = Folder::new();
    folder.append(numbered(0, 1000));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    let offset = numbered(0, 701).len();
    let inode = folder.inode();
    folder.rotate();
    folder.append(numbered(1000, 1500));
    let sources = http::source(&server, "app.log");
    assert_eq!(sources["name"], "app.log");
    let link = server.url(&format!("/#app.log&at={inode:x}-{offset:x}"));
    viewer.browser.go(&link);
    viewer.until("the line", &format!("{FIRST} === 'line 701'"));
    assert_eq!(viewer.text("pause"), "Resume");
    let address = viewer.browser.evaluate("location.hash");
    assert_eq!(address, format!("#app.log&at={inode:x}-{offset:x}"));
    viewer.assert_no_complaints();
}
