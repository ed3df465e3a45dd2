//! The log in Chromium: how soon a line is seen of a small and of a large file, any place of 2 GB, a flood that is
//! followed, and what the page holds after ten million lines. The page's own `Log` says how many lines came.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::deadline::until_true;
use crate::protocol::Protocol;
use crate::sides::Side;
use crate::table::{Row, Target, Values};

const ROUNDS: usize = 5;

/// Bytes of each line, its newline among them.
const LINE: u64 = 64;

/// Lines of 2 GB.
const LARGE: u64 = 2_000_000_000 / LINE;

/// Lines a second of the flood, and how long it lasts.
const RATE: u64 = 100_000;
const SECONDS: u64 = 60;

/// Lines between two looks at the clock: a hundredth of a second.
const STEP: u64 = RATE / 100;

/// Lines after which the page's memory is first looked at, and at the end.
const FEW: u64 = 10_000;
const MANY: u64 = 10_000_000;

/// In each page: when the first row was painted, the tasks that kept its thread, the frames that were drawn.
const WATCH: &str = "globalThis.frames_ = 0;
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ type: 'longtask' });
    const frame = () => {
        frames_ += 1;
        if (document.querySelector('.row')) globalThis.first ??= performance.now();
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);";

/// The page's modules are there once: its log is found where it takes bytes.
const OWN: &str = "import(new URL('log.js', document.baseURI)).then(({ Log }) => {
    const { write } = Log.prototype;
    Log.prototype.write = function (...all) {
        globalThis.own = this;
        return write.apply(this, all);
    };
})";

/// The first line in sight, as the number it is.
const SIGHT: &str = "(() => { const top = document.getElementById('view').getBoundingClientRect().top;
    const row = [...document.querySelectorAll('.row')].find((one) => one.getBoundingClientRect().bottom > top + 1);
    return row ? Number(row.textContent.split(' ').at(-1)) : -1; })()";

struct Page {
    browser: Browser,
}

impl Page {
    /// A browser of a desk's size, not yet at the page; `None` without Chromium.
    fn new(file: &Path) -> Option<Page> {
        let mut browser = Browser::new(file, WATCH)?;
        // Else each frame of the socket is told to this process.
        browser.chromium.call("Network.disable", json!({}));
        Some(Page { browser })
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        self.browser.evaluate(expression)
    }

    fn number(&mut self, expression: &str) -> f64 {
        self.evaluate(expression).as_f64().expect("a number")
    }

    fn open(&mut self) {
        self.browser.go("/#page.log");
        until_true("the first line", || {
            self.evaluate("globalThis.first !== undefined") == true
        });
    }

    /// ms until a line between these is the first in sight, asked in each frame of the page.
    fn jump(&mut self, how: &str, least: u64, most: u64) -> f64 {
        self.number(&format!(
            "new Promise((done) => {{
                const start = performance.now();
                {how};
                const look = () => {{
                    const line = {SIGHT};
                    if (line >= {least} && line <= {most}) done(performance.now() - start);
                    else requestAnimationFrame(look);
                }};
                requestAnimationFrame(look);
            }})"
        ))
    }

    /// MiB of the page's objects.
    fn heap(&mut self) -> f64 {
        let usage = self.browser.heap_usage();
        usage["usedSize"].as_f64().expect("bytes") / f64::from(1 << 20)
    }

    /// Waits until the page has counted so many lines.
    fn counted(&mut self, lines: u64) {
        until_true(&format!("{lines} lines"), || {
            self.evaluate("globalThis.own?.count ?? 0").as_u64() >= Some(lines)
        });
    }
}

fn one(value: f64) -> Values {
    let mut values = Values::default();
    values.add(Side::Tailcast, Some(value));
    values
}

/// Words: numbers alone, or in columns, would open as a chart.
fn lines(from: u64, to: u64) -> String {
    let mut text = String::new();
    for line in from..to {
        let begin = "2026-11-25 20:26:01 INFO pump: the valve is open at";
        writeln!(text, "{begin} {line:0>11}").expect("a string");
    }
    text
}

pub fn rows(folder: &Path) -> Vec<Row> {
    eprintln!("page");
    let file = folder.join("page.log");
    fs::write(&file, lines(0, FEW)).expect("room on the disk");
    let Some(mut page) = Page::new(&file) else {
        return Vec::new();
    };
    let mut rows = vec![first(&mut page, "of 640 kB")];
    rows.extend(flood(&mut page, &file));
    drop(page);

    let mut log = BufWriter::new(File::create(&file).expect("the file"));
    for from in (0..LARGE).step_by(10_000) {
        log.write_all(lines(from, from + 10_000).as_bytes())
            .expect("room on the disk");
    }
    drop(log);
    let mut page = Page::new(&file).expect("Chromium, as before");
    rows.push(first(&mut page, "of 2 GB"));
    rows.extend(jumps(&mut page));
    drop(page);
    fs::remove_file(&file).expect("the file");
    rows
}

fn first(page: &mut Page, what: &str) -> Row {
    // What the browser keeps of the page is there.
    page.open();
    let mut values = Values::default();
    for _ in 0..ROUNDS {
        page.open();
        values.add(Side::Tailcast, Some(page.number("first")));
    }
    let name = format!("link to the first line {what}");
    Row::new(name, "ms", Target::Below(150.0), values)
}

fn jumps(page: &mut Page) -> [Row; 2] {
    let key = |key: &str| {
        format!(
            "document.getElementById('view').dispatchEvent(
                new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"
        )
    };
    let middle = "document.getElementById('goto').value = '50%';
        document.getElementById('goto-form').requestSubmit()";
    let (mut start, mut half) = (Values::default(), Values::default());
    for _ in 0..ROUNDS {
        page.open();
        start.add(Side::Tailcast, Some(page.jump(&key("g"), 0, 0)));
        let near = (LARGE / 2 - 1000, LARGE / 2 + 1000);
        half.add(Side::Tailcast, Some(page.jump(middle, near.0, near.1)));
    }
    [("byte 0", start), ("50 %", half)].map(|(place, values)| {
        let name = format!("jump to {place} of 2 GB");
        Row::new(name, "ms", Target::Below(500.0), values)
    })
}

fn flood(page: &mut Page, file: &Path) -> Vec<Row> {
    page.open();
    page.evaluate(OWN);
    let before = page.heap();
    let mut log = OpenOptions::new()
        .append(true)
        .open(file)
        .expect("the file");
    page.evaluate("longest = 0, frames_ = 0");
    let writer = thread::spawn(move || {
        let begin = Instant::now();
        for step in 0..RATE * SECONDS / STEP {
            let from = FEW + step * STEP;
            log.write_all(lines(from, from + STEP).as_bytes())
                .expect("room on the disk");
            let due = begin + Duration::from_millis(10) * u32::try_from(step + 1).expect("few");
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        (log, begin.elapsed())
    });
    let (mut log, took) = writer.join().expect("the writer");
    let frames = page.number("frames_") / took.as_secs_f64();
    page.counted(RATE * SECONDS);
    let longest = page.number("longest");
    eprintln!(
        "{} lines a second",
        RATE * SECONDS * 1000 / u64::try_from(took.as_millis()).expect("a minute")
    );
    for from in (FEW + RATE * SECONDS..MANY).step_by(50_000) {
        let to = MANY.min(from + 50_000);
        log.write_all(lines(from, to).as_bytes())
            .expect("room on the disk");
        page.counted(to - FEW);
    }
    let came = page.number("own.count");
    let at = page.number("own.pieces.live.at");
    let marks = page.number("document.querySelectorAll('.mark').length");
    assert!(
        marks == 0.0 && at == (MANY * LINE) as f64,
        "{marks} marks, at byte {at}"
    );
    let heap = page.heap();
    eprintln!("the page's objects: {before:.1} MiB of 10,000 lines");
    vec![
        Row::new(
            "100,000 lines a second: the page's longest task",
            "ms",
            Target::Below(50.0),
            one(longest),
        ),
        Row::new("the same: frames a second", "", Target::None, one(frames)),
        Row::new(
            "lines lost of ten million",
            "",
            Target::Zero,
            one((MANY - FEW) as f64 - came),
        ),
        Row::new(
            "heap after ten million lines",
            "MiB",
            Target::Below(64.0),
            one(heap),
        ),
        Row::new(
            "the same, more than of 10,000",
            "MiB",
            Target::Below(4.0),
            one(heap - before),
        ),
    ]
}
