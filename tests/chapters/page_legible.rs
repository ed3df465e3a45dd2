//! The page's rows: colours, levels, times, records; and what is copied of them is the lines themselves.

use crate::folder::Folder;
use crate::viewer::Viewer;
use serde_json::json;
use std::fmt::Write;

#[test]
pub fn colours_levels_and_records() {
    let folder = Folder::new();
    let lines = [
        "\u{1b}[31mred\u{1b}[0m and \u{1b}[38;2;1;2;3mtrue\u{1b}[0m",
        "10 %\r50 %\r100 %",
        "2026-11-25 20:26:01.123 ERROR it broke",
        "    at Object.connect (server.js:120:9)",
        "{\"time\":\"2026-11-25T20:26:01Z\",\"level\":\"warn\",\"msg\":\"slow\",\"ms\":12}",
        "<b>no markup</b>",
    ];
    folder.append(lines.join("\n") + "\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("<b>no markup</b>");
    let shown = viewer.shown();
    assert_eq!(shown[0], "red and true");
    assert_eq!(shown[1], "100 %");
    assert_eq!(shown[2], lines[2]);
    assert!(shown[4].contains("slow ms=12"), "{}", shown[4]);
    let row = |n: usize, what: &str| format!("document.querySelectorAll('.row')[{n}]{what}");
    let mut is = |n, what: &str| viewer.browser.evaluate(&row(n, what));
    assert_eq!(is(0, ".querySelector('.fg1').textContent"), "red");
    assert_eq!(is(2, ".dataset.level"), "error");
    // A trace is as bad as the line that it belongs to.
    assert_eq!(is(3, ".dataset.level"), "error");
    assert_eq!(is(4, ".dataset.level"), "warn");
    assert_eq!(
        is(2, ".querySelector('.time').textContent"),
        "2026-11-25 20:26:01.123"
    );
    assert_eq!(is(4, ".querySelector('pre')"), json!(null));
    is(4, ".querySelector('button').click()");
    let tree = is(4, ".querySelector('pre').textContent");
    assert!(tree.as_str().unwrap().contains("\"ms\": 12"), "{tree}");
    viewer.assert_no_complaints();
}

/// What the page would put on the clipboard.
const CLIPBOARD: &str = "{
    const put = DataTransfer.prototype.setData;
    DataTransfer.prototype.setData = function (kind, text) {
        globalThis.copied = text;
        return put.call(this, kind, text);
    };
}";

#[test]
pub fn lines_that_were_never_drawn_are_copied_as_they_are() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    viewer.browser.run_in_every_page(CLIPBOARD);
    let folder = Folder::new();
    let mut text = String::new();
    for n in 0..10_000 {
        writeln!(text, "{n}\t{} ü  ", "x".repeat(n % 70)).unwrap();
    }
    folder.append(&text);
    let server = crate::server::Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until("the end", "document.querySelector('.row') !== null");
    let all = json!({ "type": "keyDown", "key": "a", "modifiers": 2 });
    viewer.browser.call("Input.dispatchKeyEvent", all);
    viewer.until("a selection", "!getSelection().isCollapsed");
    viewer.press("c");
    viewer.until("all of it", "globalThis.copied?.length > 100000");
    assert_eq!(
        viewer.browser.evaluate("copied"),
        text.trim_end_matches('\n')
    );
    viewer.assert_no_complaints();
}

#[test]
pub fn a_choice_is_kept() {
    let folder = Folder::new();
    folder.append("a line\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("a line");
    let wrapped = "document.getElementById('view').classList.contains('wrapped')";
    assert_eq!(viewer.browser.evaluate(wrapped), true);
    viewer.press("w");
    viewer.until("no wrapping", &format!("!{wrapped}"));
    viewer.browser.reload();
    viewer.until_last("a line");
    assert_eq!(viewer.browser.evaluate(wrapped), false);
    viewer.assert_no_complaints();
}
