//! Find in 2 GB.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{LARGE, LINE, Page, ROUNDS, row};
use crate::browser::Device;
use crate::table::{Row, Target};

/// How far from the end the word stands, in bytes: in the newest 64 MiB, and not the newest of
/// them.
const BACK: u64 = 60 << 20;

/// As long as what stands there.
const WAS: &str = "the valve";
const WORD: &str = "one mouse";

/// A word that stands nowhere.
const NOWHERE: &str = "no such word";

/// The same as an expression, which takes the board half a minute.
const SLOW: &str = "/no such w.rd/";

/// Types it, and looks for what is told of hits.
fn typed(page: &mut Page, word: &str, met: &str) -> f64 {
    page.open();
    page.press("/");
    page.until("the box", "document.activeElement.id === 'box'");
    let there = "performance.getEntriesByType('resource')
        .some(({ name }) => name.endsWith('/find.js'))";
    page.until("what looks", there);
    page.until_frame(
        &format!("document.execCommand('insertText', false, '{word}')"),
        met,
    )
}

pub(super) fn rows(page: &mut Page, file: &Path) -> Vec<Row> {
    let log = OpenOptions::new().write(true).open(file);
    let log = log.expect("the file");
    let line = (LARGE - BACK / LINE) * LINE;
    let place = line + super::lines(0, 1).find(WAS).expect("a valve") as u64;
    log.write_all_at(WORD.as_bytes(), place)
        .expect("room on the disk");
    let hit = "/^1/.test(document.getElementById('hits').textContent)";
    let mut rows = Vec::new();
    for (device, who, limit) in [
        (Device::DESK, "", 1000.0),
        (Device::PHONE, ", on a phone", 3000.0),
    ] {
        page.browser.become_device(&device);
        let rounds: Vec<f64> = (0..ROUNDS).map(|_| typed(page, WORD, hit)).collect();
        let name = format!("a word 60 MiB before the end of 2 GB, typed to told{who}");
        rows.push(row(name, "ms", Target::Below(limit), &rounds));
    }
    page.browser.become_device(&Device::DESK);
    rows.extend(nowhere(page));
    rows
}

/// All of the file is looked at; then the same is given up on the way.
fn nowhere(page: &mut Page) -> [Row; 2] {
    let submit = "document.getElementById('find-form').requestSubmit()";
    let (mut whole, mut stopped) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        typed(
            page,
            NOWHERE,
            "document.getElementById('hits').textContent !== ''",
        );
        let none = "document.getElementById('news').textContent === 'no hit there'";
        whole.push(page.until_frame(submit, none));
    }
    for _ in 0..ROUNDS {
        typed(
            page,
            SLOW,
            "document.getElementById('hits').textContent !== ''",
        );
        page.evaluate(submit);
        let under_way = "document.getElementById('hits').textContent === 'searching… Esc stops'";
        page.until("the search", under_way);
        page.evaluate("keys.length = 0");
        page.press("Escape");
        page.until("the key", "keys.length > 0");
        assert_eq!(
            page.evaluate("document.getElementById('search').hidden"),
            true
        );
        stopped.push(page.number("keys[0]"));
    }
    [
        row(
            "a word that 2 GB do not hold, until that is told",
            "ms",
            Target::None,
            &whole,
        ),
        row(
            "the same, given up with Esc",
            "ms",
            Target::Below(100.0),
            &stopped,
        ),
    ]
}
