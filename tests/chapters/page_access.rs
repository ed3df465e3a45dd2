//! The page for everybody: by keyboard, at a thumb's reach, read aloud; what axe-core finds.

use crate::deadline::until_true;
use crate::folder::Folder;
use crate::require::{is_required, skip};
use crate::viewer::{SIZES, Viewer};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

#[test]
pub fn every_target_is_large_enough_for_a_thumb() {
    let folder = Folder::new();
    folder.append("a line\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.size(360, 640);
    viewer
        .browser
        .evaluate("document.getElementById('find').click()");
    let small = "[...document.querySelectorAll('body > * button, select, input')]
        .filter(one => one.checkVisibility())
        .map(one => [one.id, one.getBoundingClientRect()])
        .filter(([id, { width, height }]) => id !== 'box' && (width < 44 || height < 44))
        .map(([id, { width, height }]) => `${id} ${width}x${height}`)";
    assert_eq!(viewer.browser.evaluate(small), json!([]));
    let wide = "document.documentElement.scrollWidth";
    assert_eq!(viewer.browser.evaluate(wide), 360);
    // The five of the bar stand at the lower edge.
    let bar = "[...document.querySelectorAll('#bar button')].filter(one => one.checkVisibility())
        .every(one => one.getBoundingClientRect().bottom > 580)";
    assert_eq!(viewer.browser.evaluate(bar), true);
    viewer.assert_no_complaints();
}

#[test]
pub fn rows_are_silent_and_the_state_is_told() {
    let folder = Folder::new();
    folder.append("before\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("before");
    let log = "document.querySelector('[role=log]')";
    assert_eq!(
        viewer
            .browser
            .evaluate(&format!("{log}.getAttribute('aria-live')")),
        "off"
    );
    assert_eq!(
        viewer
            .browser
            .evaluate(&format!("{log} === document.activeElement")),
        true
    );
    assert_eq!(
        viewer
            .browser
            .evaluate("document.querySelector('[role=status]').textContent"),
        "live"
    );
    folder.append("three\nnew\nlines\n");
    let news = "document.getElementById('news').textContent";
    viewer.until("the news", &format!("{news} === 'three\\nnew\\nlines'"));
    viewer.press("p");
    viewer.until_state("live, paused");
    viewer.assert_no_complaints();
}

#[test]
pub fn a_letter_in_a_field_is_a_letter() {
    let folder = Folder::new();
    folder.append("a line\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("a line");
    viewer.press("/");
    for letter in ["p", "w", "g"] {
        viewer.press(letter);
    }
    assert_eq!(
        viewer
            .browser
            .evaluate("document.getElementById('box').value"),
        "pwg"
    );
    viewer.until_state("live");
    viewer.press("Escape");
    viewer.until(
        "the box to be closed",
        "document.getElementById('search').hidden",
    );
    viewer.press("?");
    viewer.until(
        "the keys",
        "document.querySelectorAll('#help-panel dt').length > 8",
    );
    viewer.assert_no_complaints();
}

/// A screen reader hears of a flood now and then, in a few words; and its pace stands beside the
/// state.
#[test]
pub fn a_flood_is_told_in_few_words() {
    let folder = Folder::new();
    folder.append("a line\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("a line");
    viewer.browser.evaluate(
        "globalThis.heard = [];
         new MutationObserver(() => heard.push([performance.now(), document.getElementById('news').textContent]))
            .observe(document.getElementById('news'), { childList: true, characterData: true, subtree: true })",
    );
    let pace = "document.getElementById('pace').textContent";
    let mut fast = false;
    let heard = "globalThis.heard.length >= 3";
    until_true("three messages", || {
        folder.append("one of many\n".repeat(1000));
        fast |= viewer
            .browser
            .evaluate(&format!("/^[\\d,]+ lines\\/s$/.test({pace})"))
            == true;
        viewer.browser.evaluate(heard) == true
    });
    assert!(fast, "no pace was told");
    viewer.until(
        "how soon the board answers",
        "/^the board answers within \\d+ ms$/.test(document.getElementById('state').title)",
    );
    let heard = viewer.browser.evaluate("heard");
    let times: Vec<f64> = heard
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one[0].as_f64().unwrap())
        .collect();
    for pair in times.windows(2) {
        // Twelve a minute; timers are rounded.
        assert!(pair[1] - pair[0] > 4900.0, "{heard}");
    }
    for one in heard.as_array().unwrap() {
        let words = one[1].as_str().unwrap();
        assert!(words.ends_with(" new lines"), "{heard}");
    }
    viewer.until("rest", &format!("/^last line \\d+ s ago$/.test({pace})"));
    viewer.assert_no_complaints();
}

/// What axe-core finds in the page as it is, a sentence for each.
pub const AXE: &str = "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    .then(({ violations }) => violations.map(({ id, nodes }) =>
        id + ' ' + nodes.map(({ target, failureSummary }) => target + ' ' + failureSummary).join('; ')))";

/// `axe.min.js` of npm's `axe-core`, from where `.ci/run` has put it; `None` after having said so.
pub fn axe() -> Option<String> {
    let path = std::env::var_os("TAILCAST_AXE").map(PathBuf::from);
    let text = path.and_then(|path| fs::read_to_string(path).ok());
    if text.is_none() {
        assert!(!is_required("axe"), "`TAILCAST_AXE` names no axe.min.js");
        skip("axe-core is not installed (`TAILCAST_AXE` names its axe.min.js)");
    }
    text
}

#[test]
pub fn axe_finds_nothing() {
    let Some(axe) = axe() else {
        return;
    };
    let folder = Folder::new();
    let colours: String = (30..38)
        .map(|n| format!("\u{1b}[{n}mcolour {n}\u{1b}[0m "))
        .collect();
    folder.append(format!(
        "2026-11-25T20:26:01Z app ERROR broken\n{colours}\n{{\"level\":\"warn\",\"msg\":\"slow\",\"ms\":1}}\n21.5\n"
    ));
    let Some((mut server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    for (width, height) in SIZES {
        for theme in ["light", "dark"] {
            viewer.size(width, height);
            viewer.theme(theme);
            viewer.browser.reload();
            viewer.until_state("live");
            viewer.until_last("21.5");
            viewer.browser.evaluate(&axe);
            let check = |viewer: &mut Viewer, state: &str| {
                let found = viewer.browser.evaluate(AXE);
                assert_eq!(found, Value::Array(vec![]), "{state}, {theme}, {width} px");
            };
            check(&mut viewer, "live");
            viewer.press("p");
            viewer.until_state("live, paused");
            check(&mut viewer, "paused");
            viewer.press("/");
            viewer.write("slow");
            viewer.until(
                "a hit",
                "document.getElementById('hits').textContent === '1 hit'",
            );
            check(&mut viewer, "find");
            viewer.press("Escape");
            viewer
                .browser
                .evaluate("document.getElementById('more').click()");
            viewer.until(
                "the panel",
                "document.getElementById('more-panel').checkVisibility()",
            );
            check(&mut viewer, "more");
            viewer
                .browser
                .evaluate("document.getElementById('more-panel').hidePopover()");
            server.stop();
            viewer.until_state(r"reconnecting in \d+ s");
            check(&mut viewer, "reconnecting");
            server.start_again();
        }
    }
}
