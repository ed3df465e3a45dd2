//! The log in Chromium, held to the numbers of the viewer's checklist: how soon a line is seen of
//! an empty, a small and a large file, any place of 2 GB, a flood on a desk and on a phone, a
//! pause, a search, an alert. A phone is a window of its size and a quarter of the processor, by
//! Chromium's own throttle.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `open` | from the link to the first line, warm and over a slow line |
//! | `places` | byte 0, the middle, a time, a hundred places of the scrollbar |
//! | `flood` | 100,000 lines a second, typing meanwhile, what is held after ten million |
//! | `reader` | a pause, a hidden tab, a long line, an alert |
//! | `find` | a word in the newest 64 MiB, and one that stands nowhere |

mod find;
mod flood;
mod open;
mod places;
mod reader;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::browser::{Browser, Device};
use crate::deadline::until_true;
use crate::protocol::Protocol;
use crate::sides::Side;
use crate::table::Values;
use crate::table::{Row, Target};

const ROUNDS: usize = 5;

/// Bytes of each line, its newline among them.
const LINE: u64 = 64;

/// Lines of the file that is flooded, before that: 640 kB.
const FEW: u64 = 10_000;

/// Lines of 1 MB, and of 2 GB.
const SMALL: u64 = 1_000_000 / LINE;
const LARGE: u64 = 2_000_000_000 / LINE;

/// Lines of each second that is written in them.
const A_SECOND: u64 = 1_000;

/// In each page. `first`: the first row, or the word that there is none, in ms since the link was
/// followed. `longest`: the longest task of the page's thread. `frames_`: how many were drawn, and
/// the most rows that stood in one. `seen`: while it is a list, each frame adds when it was drawn,
/// by the machine's clock, and its newest line. `keys`: from each key to the frame behind it, in
/// ms. `said`: how often a screen reader was told something. `alerted`: when the banner came, by
/// that clock.
const WATCH: &str = "Object.assign(globalThis,
        { frames_: 0, longest: 0, most: 0, seen: null, keys: [], said: 0, alerted: 0 });
    const wall = () => performance.timeOrigin + performance.now();
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ type: 'longtask' });
    const frame = () => {
        frames_ += 1;
        const rows = document.getElementById('rows');
        if (rows?.firstChild || document.getElementById('empty')?.hidden === false) {
            globalThis.first ??= performance.now();
        }
        most = Math.max(most, rows?.childElementCount ?? 0);
        seen?.push([wall(), Number(rows.lastElementChild.textContent.split(' ').at(-1))]);
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    addEventListener('keydown', ({ timeStamp }) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => keys.push(performance.now() - timeStamp);
        port2.postMessage(0);
    }), true);
    addEventListener('DOMContentLoaded', () => {
        const watch = (id, act) => {
            const node = document.getElementById(id);
            const all = { attributes: true, childList: true, subtree: true };
            if (node) new MutationObserver(() => act(node)).observe(node, all);
        };
        watch('news', () => (said += 1));
        watch('banner', ({ hidden }) => (alerted = hidden ? 0 : alerted || wall()));
    });";

/// The page's modules are there once: its log is found where it takes bytes.
const OWN: &str = "import(new URL('log.js', document.baseURI)).then(({ Log }) => {
    const { write } = Log.prototype;
    Log.prototype.write = function (...all) {
        globalThis.own = this;
        return write.apply(this, all);
    };
})";

/// The first line in sight, as the number it is.
const SIGHT: &str = "(() => {
    const top = document.getElementById('view').getBoundingClientRect().top;
    const row = [...document.querySelectorAll('.row')]
        .find((one) => one.getBoundingClientRect().bottom > top + 1);
    return row ? Number(row.textContent.split(' ').at(-1)) : -1; })()";

struct Page {
    browser: Browser,
}

impl Page {
    /// Not yet at the page of `file`; `None` without Chromium.
    fn new(file: &Path, device: &Device) -> Option<Page> {
        let mut browser = Browser::new(file, WATCH)?;
        browser.become_device(device);
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

    fn until(&mut self, what: &str, expression: &str) {
        until_true(what, || self.evaluate(expression) == true);
    }

    /// Follows the link to the log, and waits for its first line.
    fn open(&mut self) {
        self.browser.go("/#page.log");
        self.until("the first line", "globalThis.first !== undefined");
    }

    /// Presses a key, as a person does.
    fn press(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            "Escape" => "",
            letter => letter,
        };
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let event =
                json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code });
            let chromium = &mut self.browser.chromium;
            chromium.call("Input.dispatchKeyEvent", event);
        }
    }

    /// ms from doing `act` until `met` is true in a frame of the page.
    fn until_frame(&mut self, act: &str, met: &str) -> f64 {
        self.number(&format!(
            "new Promise((done) => {{
                const start = performance.now();
                {act};
                const look = () => {{
                    if ({met}) done(performance.now() - start);
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

/// ms since 1970, as the page's own clock has them.
fn wall_clock() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock that is set").as_secs_f64() * 1000.0
}

/// A row of these values, a round each.
fn row(name: impl Into<String>, unit: &'static str, target: Target, rounds: &[f64]) -> Row {
    let mut values = Values::default();
    for value in rounds {
        values.add(Side::Tailcast, Some(*value));
    }
    // What was measured is known, whatever becomes of what follows.
    let name = name.into();
    eprintln!("{name}: {rounds:.1?} {unit}");
    Row::new(name, unit, target, values)
}

fn slowest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// Words: numbers alone, or in columns, would open as a chart.
fn lines(from: u64, to: u64) -> String {
    let mut text = String::new();
    for line in from..to {
        let second = line / A_SECOND;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let time = format!("2026-11-25 {hour:02}:{minute:02}:{second:02}");
        writeln!(text, "{time} INFO pump: the valve is open at {line:0>11}").expect("a string");
    }
    text
}

/// What the machine does beside this: figures of a busy one mislead.
fn say_load(when: &str) {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    println!("page, {when}: load {}", load.join(" "));
}

pub fn rows(folder: &Path) -> Vec<Row> {
    say_load("at the start");
    let file = folder.join("page.log");
    fs::write(&file, "").expect("room on the disk");
    let Some(mut page) = Page::new(&file, &Device::DESK) else {
        return Vec::new();
    };
    let mut rows = vec![open::warm(&mut page, "an empty file")];
    fs::write(&file, lines(0, SMALL)).expect("room on the disk");
    rows.push(open::warm(&mut page, "1 MB"));
    rows.extend(open::cold(&mut page, "1 MB"));
    drop(page);

    let mut log = BufWriter::new(File::create(&file).expect("the file"));
    for from in (0..LARGE).step_by(10_000) {
        log.write_all(lines(from, from + 10_000).as_bytes())
            .expect("room on the disk");
    }
    drop(log);
    let mut page = Page::new(&file, &Device::DESK).expect("Chromium, as before");
    rows.push(open::warm(&mut page, "2 GB"));
    rows.extend(open::cold(&mut page, "2 GB"));
    rows.extend(places::rows(&mut page));
    rows.extend(find::rows(&mut page, &file));
    let thrown = page.browser.chromium.told("Runtime.exceptionThrown");
    assert!(thrown.is_empty(), "{thrown:?}");
    drop(page);

    fs::write(&file, lines(0, FEW)).expect("room on the disk");
    rows.extend(flood::desk(&file));
    fs::write(&file, lines(0, FEW)).expect("room on the disk");
    rows.extend(flood::phone(&file));
    fs::write(&file, lines(0, FEW)).expect("room on the disk");
    rows.extend(reader::rows(&file));
    fs::remove_file(&file).expect("the file");
    say_load("at the end");
    rows
}
