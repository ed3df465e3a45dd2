//! 100,000 lines a second, which a page follows.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{FEW, LINE, OWN, Page, lines, row, slowest, wall_clock};
use crate::browser::Device;
use crate::measure::{median, percentile};
use crate::table::{Row, Target};

/// Lines a second, and for how many seconds on a desk and on a phone.
const RATE: u64 = 100_000;
const MINUTE: u64 = 60;
const A_WHILE: u64 = 20;

/// Lines between two looks at the clock: a hundredth of a second.
const STEP: u64 = RATE / 100;

/// Lines after which the page's memory is looked at.
const MILLION: u64 = 1_000_000;
const MANY: u64 = 10_000_000;

/// What somebody types while the lines go by, which is in none of them, and how soon one letter
/// follows the other.
const WORD: &str = "valve sticks";
const TYPING: Duration = Duration::from_millis(150);

/// Sentences that a screen reader may be told in a minute.
const TOLD: f64 = 12.0;

/// When lines were written, by the machine's clock: each step its time.
struct Poured {
    from: u64,
    written: Vec<f64>,
    took: Duration,
}

impl Poured {
    /// How old, in ms, the newest line of each frame was.
    fn ages(&self, page: &mut Page) -> Vec<f64> {
        let seen = page.evaluate("seen.splice(0)");
        let seen: Vec<(f64, u64)> = serde_json::from_value(seen).expect("times and lines");
        let ages = seen.iter().filter_map(|(at, line)| {
            let step = line.checked_sub(self.from)? / STEP;
            Some(at - self.written.get(usize::try_from(step).ok()?)?)
        });
        ages.collect()
    }
}

fn pour(mut log: File, from: u64, seconds: u64) -> JoinHandle<(File, Poured)> {
    thread::spawn(move || {
        let mut written = Vec::new();
        let begin = Instant::now();
        for step in 0..RATE * seconds / STEP {
            let first = from + step * STEP;
            let text = lines(first, first + STEP);
            written.push(wall_clock());
            log.write_all(text.as_bytes()).expect("room on the disk");
            let due = begin + Duration::from_millis(10) * u32::try_from(step + 1).expect("few");
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let took = begin.elapsed();
        (
            log,
            Poured {
                from,
                written,
                took,
            },
        )
    })
}

fn appended(file: &Path) -> File {
    let log = OpenOptions::new().append(true).open(file);
    log.expect("the file")
}

/// Follows for so many seconds: the rows, and the file to go on with.
fn follow(
    page: &mut Page,
    log: File,
    from: u64,
    seconds: u64,
    who: &str,
    task: f64,
) -> (File, Vec<Row>) {
    page.evaluate("longest = 0, frames_ = 0, said = 0, seen = []");
    let (log, poured) = pour(log, from, seconds).join().expect("the writer");
    let frames = page.number("frames_") / poured.took.as_secs_f64();
    let said = page.number("said") * 60.0 / poured.took.as_secs_f64();
    let ages = poured.ages(page);
    page.evaluate("seen = null");
    page.counted(from + RATE * seconds - FEW);
    eprintln!(
        "{:.0} lines a second{who}",
        (RATE * seconds) as f64 / poured.took.as_secs_f64()
    );
    let old = percentile(&ages, 99).expect("frames");
    let rows = vec![
        row(
            format!("100,000 lines a second{who}: the page's longest task"),
            "ms",
            Target::Below(task),
            &[page.number("longest")],
        ),
        row("the same: frames a second", "", Target::None, &[frames]),
        row(
            "the same: age of the newest line, median of frames",
            "ms",
            Target::None,
            &[median(&ages).expect("frames")],
        ),
        row(
            "the same: age of it in 99 of 100 frames",
            "ms",
            Target::Below(250.0),
            &[old],
        ),
        row(
            "the same: told to a screen reader, a minute",
            "",
            Target::Below(TOLD + 1.0),
            &[said],
        ),
    ];
    (log, rows)
}

/// Types into the find box while lines go by.
fn type_meanwhile(page: &mut Page, log: File, from: u64, who: &str) -> (File, Vec<Row>) {
    page.press("/");
    page.until("the box", "document.activeElement.id === 'box'");
    page.evaluate("keys.length = 0");
    let writer = pour(log, from, A_WHILE);
    while !writer.is_finished() {
        for letter in WORD.chars() {
            page.press(&letter.to_string());
            thread::sleep(TYPING);
        }
        page.evaluate("document.getElementById('box').select()");
    }
    let (log, _) = writer.join().expect("the writer");
    page.counted(from + RATE * A_WHILE - FEW);
    let keys = page.evaluate("keys");
    let keys: Vec<f64> = serde_json::from_value(keys).expect("ms");
    page.press("Escape");
    let rows = vec![
        row(
            format!("a key typed in find meanwhile{who}: median"),
            "ms",
            Target::None,
            &[median(&keys).expect("keys")],
        ),
        row(
            format!("the same: 95 of 100 keys of {}", keys.len()),
            "ms",
            Target::Below(50.0),
            &[percentile(&keys, 95).expect("keys")],
        ),
        row(
            "the same: the slowest",
            "ms",
            Target::None,
            &[slowest(&keys)],
        ),
    ];
    (log, rows)
}

/// Lines are written as fast as the page counts them, up to the line `to`.
fn fill(page: &mut Page, log: &mut File, from: u64, to: u64) {
    for from in (from..to).step_by(50_000) {
        let to = to.min(from + 50_000);
        log.write_all(lines(from, to).as_bytes())
            .expect("room on the disk");
        page.counted(to - FEW);
    }
}

pub(super) fn desk(file: &Path) -> Vec<Row> {
    let mut page = Page::new(file, &Device::DESK).expect("Chromium, as before");
    page.open();
    page.evaluate(OWN);
    let mut log = appended(file);
    fill(&mut page, &mut log, FEW, MILLION);
    let early = page.heap();
    let (log, mut rows) = follow(&mut page, log, MILLION, MINUTE, "", 50.0);
    let after = MILLION + RATE * MINUTE;
    let (mut log, typed) = type_meanwhile(&mut page, log, after, "");
    rows.extend(typed);
    fill(&mut page, &mut log, after + RATE * A_WHILE, MANY);
    let came = page.number("own.count");
    let at = page.number("own.pieces.live.at");
    let marks = page.number("document.querySelectorAll('.mark').length");
    assert!(
        marks == 0.0 && at == (MANY * LINE) as f64,
        "{marks} marks, at byte {at}"
    );
    let heap = page.heap();
    rows.extend([
        row(
            "lines lost of ten million",
            "",
            Target::Zero,
            &[(MANY - FEW) as f64 - came],
        ),
        row(
            "heap after ten million lines",
            "MiB",
            Target::Below(64.0),
            &[heap],
        ),
        row(
            "the same, more than after a million",
            "MiB",
            Target::Below(4.0),
            &[heap - early],
        ),
        row(
            "rows in the document, at most",
            "",
            Target::Below(401.0),
            &[page.number("most")],
        ),
    ]);
    rows
}

pub(super) fn phone(file: &Path) -> Vec<Row> {
    let mut page = Page::new(file, &Device::PHONE).expect("Chromium, as before");
    page.open();
    page.evaluate(OWN);
    let mut log = appended(file);
    // Its first lines are drawn, its code is compiled: what is measured is the flood.
    fill(&mut page, &mut log, FEW, FEW + STEP);
    let (log, mut rows) = follow(&mut page, log, FEW + STEP, A_WHILE, ", on a phone", 100.0);
    let after = FEW + STEP + RATE * A_WHILE;
    rows.extend(type_meanwhile(&mut page, log, after, ", on a phone").1);
    rows
}
