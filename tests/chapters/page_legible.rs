//! The page's rows: colours, levels, times, records; and what is copied of them is the lines
//! themselves.

use crate::folder::Folder;
use crate::viewer::Viewer;
use serde_json::{Value, json};
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
pub const CLIPBOARD: &str = "{
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

/// A browser lets a page copy only in the seconds behind a key: who comes too late learns what helps.
/// Firefox takes the call of a test for a hand.
#[test]
pub fn what_came_too_late_to_be_copied_is_copied_the_next_time() {
    let folder = Folder::new();
    folder.append("a line\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("a line");
    viewer.browser.evaluate(CLIPBOARD);
    // A key that no hand has pressed lets a page do nothing.
    viewer.browser.evaluate(
        "document.getElementById('view').dispatchEvent(new KeyboardEvent('keydown', { key: 'c' }))",
    );
    viewer.until(
        "the refusal",
        "/copy again$/.test(document.getElementById('news').textContent)",
    );
    assert_eq!(
        viewer.browser.evaluate("globalThis.copied ?? null"),
        Value::Null
    );
    viewer.press("c");
    viewer.until("a copy", "globalThis.copied === 'a line'");
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

/// What the page gives the browser to save, with the name that it has there.
const SAVED: &str = "{
    const address = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
        globalThis.saving = blob.text();
        return address(blob);
    };
    HTMLAnchorElement.prototype.click = function () {
        const name = this.download;
        saving.then((text) => (globalThis.saved = { name, text }));
    };
}";

#[test]
pub fn what_is_shown_is_saved() {
    let folder = Folder::new();
    let mut log = String::new();
    for number in 0..500 {
        writeln!(log, "\u{1b}[3{}mline\u{1b}[0m {number}", number % 8).expect("a string");
    }
    folder.append(&log);
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("line 499");
    viewer.browser.evaluate(SAVED);
    let in_panel = |viewer: &mut Viewer, what: &str| {
        viewer
            .browser
            .evaluate("document.getElementById('more').click()");
        let found = format!(
            "[...document.querySelectorAll('#more-panel:popover-open .group > *')].find((one) => one.textContent === '{what}')"
        );
        viewer.until(what, &format!("{found} !== undefined"));
        found
    };
    // The file itself is a link that the browser follows.
    let link = in_panel(&mut viewer, "the file");
    let file = format!("fetch({link}.href).then((answer) => answer.text())");
    assert_eq!(viewer.browser.evaluate(&file), log);
    assert_eq!(
        viewer.browser.evaluate(&format!("{link}.download")),
        "app.log"
    );
    viewer
        .browser
        .evaluate("document.getElementById('more-panel').hidePopover()");
    // Of a filter its lines, the ones that were never drawn too.
    viewer.browser.evaluate("location.hash = '#app.log&f=/7$/'");
    viewer.until_last("line 497");
    viewer.until(
        "the first hit",
        "document.querySelectorAll('.row').length > 9",
    );
    let button = in_panel(&mut viewer, "these lines");
    viewer.browser.evaluate(&format!("{button}.click()"));
    viewer.until("what is saved", "globalThis.saved !== undefined");
    // As they read, without their escapes.
    let wanted: String = (0..500)
        .filter(|number| number % 10 == 7)
        .map(|number| format!("line {number}\n"))
        .collect();
    assert_eq!(
        viewer.browser.evaluate("saved"),
        json!({ "name": "app.log.txt", "text": wanted })
    );
    viewer.assert_no_complaints();
}
