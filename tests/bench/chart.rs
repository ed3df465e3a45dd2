//! Charts in Chromium: a day of readings from the link to the whole picture, moving about in four
//! series, and what the page holds while readings come. A quarter of a processor is what Chromium's
//! own throttle leaves of the page's thread; the worker that reads the lines is not slowed by it.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::deadline::until_true;
use crate::protocol::Protocol;
use crate::sides::Side;
use crate::table::{Row, Target, Values};

const ROUNDS: usize = 3;

/// One a second.
const DAY: u32 = 86_400;

/// Readings of each series that is moved about in.
const LONG: u32 = 100_000;

/// What comes while one looks: more than is kept as it is, and three times that.
const MORE: u32 = 120_000;

/// In each page: when the numbers above the chart were first written, and when they told of the
/// oldest reading. They are written in the frame that draws the lines.
const WATCH: &str = "document.addEventListener('DOMContentLoaded', () =>
    new MutationObserver(() => {
        const text = document.querySelector('#chart-panel small')?.textContent ?? '';
        if (text.startsWith('min')) globalThis.first ??= performance.now();
        if (text.startsWith('min −40.5')) globalThis.whole ??= performance.now();
    }).observe(document.getElementById('chart-panel') ?? document, { subtree: true, childList: true, characterData: true }))";

/// Frames a second while a mouse drags the chart to and fro for two seconds, one step a frame.
const DRAG: &str = "new Promise((done) => {
    const canvas = document.querySelector('#chart-panel canvas');
    const { left, top, width } = canvas.getBoundingClientRect();
    const send = (kind, x) => canvas.dispatchEvent(new PointerEvent(kind,
        { pointerId: 1, pointerType: 'mouse', clientX: left + x, clientY: top + 50, bubbles: true }));
    canvas.setPointerCapture = () => {};
    send('pointerdown', width / 2);
    let frames = 0;
    const start = performance.now();
    const step = () => {
        const passed = performance.now() - start;
        if (passed > 2000) {
            send('pointerup', width / 2);
            return done(frames / passed * 1000);
        }
        frames += 1;
        send('pointermove', width / 2 + Math.sin(frames / 10) * width / 4);
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})";

struct Page {
    browser: Browser,
}

impl Page {
    /// A browser of a desk's size, not yet at the page; `None` without Chromium.
    fn new(file: &Path) -> Option<Page> {
        let browser = Browser::new(file, WATCH)?;
        Some(Page { browser })
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        self.browser.evaluate(expression)
    }

    fn until(&mut self, what: &str, expression: &str) {
        until_true(what, || self.evaluate(expression) == true);
    }

    /// Opens the link, as if for the first time.
    fn open(&mut self, slower: u32) {
        let rate = json!({ "rate": slower });
        let chromium = &mut self.browser.chromium;
        chromium.call("Emulation.setCPUThrottlingRate", rate);
        chromium.call("Network.clearBrowserCache", json!({}));
        self.browser.go("/#day.log&chart");
    }

    /// MiB that the page's thread holds: objects, and what stands in typed arrays.
    fn held(&mut self) -> f64 {
        let usage = self.browser.heap_usage();
        let bytes = |name: &str| usage[name].as_f64().unwrap_or(0.0);
        (bytes("usedSize") + bytes("backingStorageSize")) / f64::from(1 << 20)
    }
}

/// A line for each second of `from..to`, with the readings that `values` gives.
fn lines(from: u32, to: u32, mut values: impl FnMut(u32) -> String) -> String {
    let mut text = String::new();
    for i in from..to {
        let (days, second) = (i / DAY, i % DAY);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        writeln!(
            text,
            "2026-11-{:02}T{hour:02}:{minute:02}:{:02}.000Z {}",
            10 + days,
            second % 60,
            values(i)
        )
        .expect("a string");
    }
    text
}

pub fn rows(folder: &Path) -> Vec<Row> {
    eprintln!("chart");
    let file = folder.join("day.log");
    let reading = |i: u32| match i {
        // The oldest is the least: once it is seen, all are.
        0 => "temp_c=-40.5".to_owned(),
        _ => format!("temp_c={}.{}", 20 + i / 600 % 5, i % 10),
    };
    fs::write(&file, lines(0, DAY, reading)).expect("room on the disk");
    let Some(mut page) = Page::new(&file) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (slower, who, least) in [(1, "", 1000.0), (4, ", a quarter of the processor", 2500.0)] {
        let (mut first, mut whole) = (Values::default(), Values::default());
        for _ in 0..ROUNDS {
            page.open(slower);
            page.until("the whole day", "globalThis.whole !== undefined");
            first.add(Side::Tailcast, page.evaluate("first").as_f64());
            whole.add(Side::Tailcast, page.evaluate("whole").as_f64());
        }
        // The first picture's aim is said of an unthrottled page.
        let aim = if slower == 1 {
            Target::Below(300.0)
        } else {
            Target::None
        };
        rows.push(Row::new(
            format!("link to first picture of a day{who}"),
            "ms",
            aim,
            first,
        ));
        rows.push(Row::new(
            format!("link to all 86,400 readings{who}"),
            "ms",
            Target::Below(least),
            whole,
        ));
    }
    rows.push(held(&mut page, &file, reading));
    drop(page);
    rows.extend(moved(&file));
    fs::remove_file(&file).expect("the file");
    rows
}

/// What the page holds more after three times as many readings as are kept as they are.
fn held(page: &mut Page, file: &Path, reading: impl Fn(u32) -> String + Copy) -> Row {
    page.open(1);
    page.until("the whole day", "globalThis.whole !== undefined");
    let mut log = OpenOptions::new()
        .append(true)
        .open(file)
        .expect("the file");
    let mut written = DAY;
    let mut grow = |page: &mut Page, log: &mut File| {
        let end = written + MORE;
        while written < end {
            let next = written + 2_000;
            let mut more = lines(written, next - 1, reading);
            // Each piece ends in a value of its own, which is waited for.
            more += &lines(next - 1, next, |i| format!("temp_c={}.25", i / 2_000));
            log.write_all(more.as_bytes()).expect("room on the disk");
            let value = format!("{}.25 °C", (next - 1) / 2_000);
            let shown =
                format!("document.querySelector('#chart-panel strong').textContent === '{value}'");
            page.until(&value, &shown);
            written = next;
        }
        page.held()
    };
    let before = grow(page, &mut log);
    let after = grow(page, &mut log);
    let again = grow(page, &mut log);
    eprintln!("the page holds {before:.1}, {after:.1}, {again:.1} MiB");
    let mut values = Values::default();
    values.add(Side::Tailcast, Some((again - after).max(0.0)));
    let name = "memory of 120,000 more readings, after 240,000";
    Row::new(name, "MiB", Target::Below(1.0), values)
}

/// Four series of 100,000 readings in one chart, dragged.
fn moved(file: &Path) -> Vec<Row> {
    let four = |i: u32| {
        let value = |k: u32| f64::from(i * (k + 7) % 1000) / 100.0;
        format!(
            "a_c={} b_c={} c_c={} d_c={}",
            value(0),
            value(1),
            value(2),
            value(3) - 50.0
        )
    };
    fs::write(file, lines(0, LONG, four)).expect("room on the disk");
    let Some(mut page) = Page::new(file) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (slower, who, least) in [(1, "", 50), (4, ", a quarter of the processor", 30)] {
        let mut frames = Values::default();
        for _ in 0..ROUNDS {
            page.open(slower);
            page.until(
                "four series",
                "document.querySelectorAll('#chart-panel li small').length === 4",
            );
            let all = "[...document.querySelectorAll('#chart-panel button')].find((one) => one.textContent === 'all')";
            page.evaluate(&format!("{all}.click()"));
            let whole = "/\\(1 d 3 h\\)/.test(document.querySelector('#chart-panel .chart-said p').textContent)";
            page.until("all of them", whole);
            frames.add(Side::Tailcast, page.evaluate(DRAG).as_f64());
        }
        let name = format!("frames a second, four series of 100,000 dragged{who}");
        rows.push(Row::new(
            name,
            "",
            Target::AtLeast(f64::from(least)),
            frames,
        ));
    }
    let thrown = page.browser.chromium.told("Runtime.exceptionThrown");
    assert!(thrown.is_empty(), "{thrown:?}");
    rows
}
