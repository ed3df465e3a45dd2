//! The page in a real browser: what a reader sees while lines come.

use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http;
use crate::server::Server;
use crate::viewer::Viewer;
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

#[test]
pub fn a_line_appears_within_a_second() {
    let folder = Folder::new();
    folder.append("there before\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("there before");
    let mut delays: Vec<Duration> = (0..9)
        .map(|number| {
            let line = format!("line {number}");
            let written = Instant::now();
            folder.append(format!("{line}\n"));
            viewer.until_last(&line);
            written.elapsed()
        })
        .collect();
    // The median: one hiccup of a busy machine is not the page's.
    delays.sort();
    assert!(delays[4] < Duration::from_secs(1), "{delays:?}");
    viewer.assert_no_complaints();
}

#[test]
pub fn half_a_line_is_shown_and_grows() {
    let folder = Folder::new();
    folder.append("whole\r\n\r\nhal");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("hal");
    folder.append("f\r");
    viewer.until_last("half");
    folder.append("\n");
    folder.append("next");
    viewer.until_last("next");
    assert_eq!(viewer.shown(), ["whole", "", "half", "next"]);
    viewer.assert_no_complaints();
}

#[test]
pub fn text_stays_text() {
    let folder = Folder::new();
    let lines = [
        "<img src=x onerror=alert(1)>",
        "</div></main><script>alert(1)</script>",
        "&lt;b&gt; &amp; <!-- ",
        "\u{1b}[31mred\u{1b}[0m \u{0} end of control characters",
        "2026-11-23T18:00:00Z <b>after a time</b>",
        "tabs\tand  two spaces",
    ];
    folder.append(lines.join("\n") + "\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last(lines[5]);
    // Escapes and other control characters are no text.
    let mut text = lines;
    text[3] = "red  end of control characters";
    assert_eq!(viewer.shown(), text);
    let elements = "[...document.querySelectorAll('#rows *')].map(element => element.tagName)";
    let elements = viewer
        .browser
        .evaluate(&format!("[...new Set({elements})].sort()"));
    assert_eq!(elements, json!(["DIV", "SPAN"]));
    assert_eq!(viewer.browser.evaluate("document.images.length"), 0);
    let dialogs = viewer.browser.told("Page.javascriptDialogOpening");
    assert!(dialogs.is_empty(), "{dialogs:?}");
    viewer.assert_no_complaints();
}

#[test]
pub fn another_stream_can_be_chosen() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let folder = Folder::new();
    folder.append("of the first\n");
    let other = folder.path("a ü?#.log");
    fs::write(&other, "of the second\n").expect("write");
    let server = Server::start(&[folder.arg(), other.to_str().unwrap()]);
    viewer.look_at(&server);
    viewer.until_last("of the first");
    let title = "document.title";
    assert_eq!(viewer.browser.evaluate(title), "app.log · Tailcast");
    let options = "[...document.querySelectorAll('#choice option')].map(option => option.value)";
    let options = viewer.browser.evaluate(options);
    assert_eq!(options, json!(["app.log", "a ü?#.log"]));

    viewer.browser.evaluate(
        "{ const choice = document.getElementById('choice');
           choice.value = 'a ü?#.log';
           choice.dispatchEvent(new Event('change', { bubbles: true })); }",
    );
    viewer.until_last("of the second");
    assert_eq!(viewer.shown(), ["of the second"]);
    assert_eq!(viewer.browser.evaluate(title), "a ü?#.log · Tailcast");

    folder.append("still of the first\n");
    viewer.browser.reload();
    viewer.until_last("of the second");
    assert_eq!(viewer.browser.evaluate(title), "a ü?#.log · Tailcast");

    viewer.browser.evaluate("history.back()");
    viewer.until_last("still of the first");
    assert_eq!(viewer.shown(), ["of the first", "still of the first"]);
    viewer.assert_no_complaints();
}

#[test]
pub fn a_flood_keeps_the_end_and_the_readers_place() {
    let folder = Folder::new();
    folder.append("");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    let flood =
        |from: usize, to: usize| -> String { (from..to).map(|n| format!("line {n}\n")).collect() };
    folder.append(flood(0, 10_000));
    viewer.until_last("line 9999");
    let drawn = viewer.shown();
    assert!((40..=300).contains(&drawn.len()), "{} rows", drawn.len());
    let at_end = "{ const view = document.getElementById('view');
        view.scrollHeight - view.scrollTop - view.clientHeight < 9 }";
    viewer.until("the end to be in sight", at_end);

    // The reader scrolls up: what they look at stays where it is.
    // Again, where the page was just then putting its scrollbar right.
    let way_back = "!document.getElementById('jump').hidden
        || (document.getElementById('view').scrollTop -= 1000, false)";
    viewer.until("the way back", way_back);
    let in_sight = "(() => { const row = document.elementFromPoint(100, 300).closest('.row');
        return row.textContent + row.getBoundingClientRect().top; })()";
    let before = viewer.browser.evaluate(in_sight);
    folder.append(flood(10_000, 11_234));
    let told = "document.getElementById('jump').textContent === '↓ 1,234 new lines'";
    viewer.until("the number of new lines", told);
    assert_eq!(viewer.browser.evaluate(in_sight), before);

    viewer
        .browser
        .evaluate("document.getElementById('jump').click()");
    viewer.until_last("line 11233");
    viewer.until("the end to be in sight again", at_end);
    assert_eq!(viewer.browser.evaluate(way_back), false);
    viewer.assert_no_complaints();
}

/// The browser tells of a scroll a frame later. Until then the page may be changing heights, and
/// would bring to the end who has just left it.
#[test]
pub fn who_scrolls_up_while_the_page_changes_heights_is_not_brought_back() {
    let folder = Folder::new();
    folder.append("");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    let lines: String = (0..3_000).map(|n| format!("line {n}\n")).collect();
    folder.append(&lines);
    viewer.until_last("line 2999");
    let at_end = "{ const view = document.getElementById('view');
        view.scrollHeight - view.scrollTop - view.clientHeight < 9 }";
    viewer.until("the end to be in sight", at_end);
    let up = viewer.browser.evaluate(
        "(() => { const view = document.getElementById('view');
           view.scrollTop -= 1000;
           document.getElementById('wrap').click();
           return view.scrollHeight - view.scrollTop - view.clientHeight > 500
             && !document.getElementById('jump').hidden; })()",
    );
    assert_eq!(up, true, "the reader was brought back to the end");

    // Who then wishes for the end in the same breath as scrolling gets the end.
    viewer.browser.evaluate(
        "document.getElementById('view').scrollTop -= 200;
         document.getElementById('jump').click()",
    );
    viewer.until("the end to be in sight again", at_end);
    folder.append("the newest\n");
    viewer.until_last("the newest");
    viewer.until("the newest line to be in sight", at_end);
    viewer.assert_no_complaints();
}

#[test]
pub fn a_hidden_tab_stays_small_and_catches_up() {
    let folder = Folder::new();
    folder.append("before\n");
    let Some((server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("before");
    // It would keep every message for us, too.
    viewer.browser.call("Network.disable", json!({}));
    let before = viewer.browser.heap();
    viewer.browser.hide();
    viewer.until("the tab to be hidden", "document.hidden");
    for round in 0..64 {
        let line = |n| format!("round {round}, line {n} of a long night\n");
        folder.append((0..10_000).map(line).collect::<String>());
    }
    // Nobody looks: the page leaves the stream.
    until_true("the page to leave", || {
        http::source(&server, "app.log")["clients"] == 0
    });
    let grown = viewer.browser.heap().saturating_sub(before);
    assert!(grown < 12_000_000, "{grown} bytes were kept");
    viewer.browser.show();
    viewer.until_last("round 63, line 9999 of a long night");
    // What came meanwhile is there, with no mark.
    let middle = "(() => { const view = document.getElementById('view');
        view.scrollTop = view.scrollHeight / 2; })()";
    viewer.browser.evaluate(middle);
    viewer.until(
        "a line of the middle",
        "/^round (3[0-4]), line/.test(document.querySelector('.row')?.textContent)",
    );
    let marks = viewer
        .browser
        .evaluate("document.querySelectorAll('.mark').length");
    assert_eq!(marks, 0);
    viewer.assert_no_complaints();
}
