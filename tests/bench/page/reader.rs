//! Who looks at the log, and who does not: a pause, a tab that is hidden, a line of a mebibyte, an
//! alert.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::{FEW, OWN, Page, ROUNDS, lines, row, wall_clock};
use crate::browser::Device;
use crate::protocol::{IN_SIGHT, Protocol};
use crate::table::{Row, Target};

/// Lines that come in a pause.
const MILLION: u64 = 1_000_000;

/// Lines that come while the tab is hidden: 256 MB.
const AWAY: u64 = 4_000_000;

/// Walks along the page's own log, from the line behind the pause to the newest, loading what is
/// not here: how many lines it finds as the file has them, one behind the other.
const READ: &str = "(async () => {
    const { lines, pieces } = own;
    const here = async (question) => {
        for (;;) {
            const answer = question();
            if (answer !== undefined || !(await pieces.load())) return answer;
        }
    };
    const decoder = new TextDecoder();
    let count = 0;
    let entry = await here(() => lines.around(pieces.live, START));
    while (entry && !entry.mark) {
        const { run, start, end } = entry;
        const bytes = await here(() => pieces.bytes(run, start, end));
        if (Number(decoder.decode(bytes).split(' ').at(-1)) !== FIRST + count) break;
        count += 1;
        const last = entry;
        entry = await here(() => lines.after(last));
    }
    return count;
})()";

pub(super) fn rows(file: &Path) -> Vec<Row> {
    let mut page = Page::new(file, &Device::DESK).expect("Chromium, as before");
    page.open();
    page.evaluate(OWN);
    let log = OpenOptions::new().append(true).open(file);
    let mut log = log.expect("the file");
    let mut rows = paused(&mut page, &mut log);
    rows.push(hidden(&mut page, &mut log));
    rows.push(long_line(&mut page, &mut log));
    rows.push(alert(&mut page, &mut log));
    rows
}

fn write(log: &mut File, text: &str) {
    log.write_all(text.as_bytes()).expect("room on the disk");
}

fn paused(page: &mut Page, log: &mut File) -> Vec<Row> {
    // So that the page's own log is known.
    write(log, &lines(FEW, FEW + 1));
    page.counted(1);
    page.press("p");
    page.until(
        "the pause",
        "document.getElementById('pause').textContent === 'Resume'",
    );
    let stood = page.evaluate(IN_SIGHT);
    let first = FEW + 1;
    for from in (first..first + MILLION).step_by(10_000) {
        write(log, &lines(from, from + 10_000));
    }
    page.counted(1 + MILLION);
    // The number is told a moment later.
    page.until(
        "the number of new lines",
        "document.getElementById('jump').textContent === '↓ 1,000,000 new lines'",
    );
    // Below the last of them there may be room for a part of the next.
    let stands = page.evaluate(IN_SIGHT);
    let [before, after] = [&stood, &stands].map(|rows| rows.as_array().expect("rows"));
    let moved = before.iter().zip(after).filter(|(was, is)| was != is);
    let moved = (moved.count() + before.len().saturating_sub(after.len())) as f64;
    let read = READ
        .replace("START", &(first * super::LINE).to_string())
        .replace("FIRST", &first.to_string());
    let found = page.number(&read);
    page.press("p");
    let end = "document.getElementById('rows').lastChild?.textContent.endsWith('1010000')";
    page.until("the end", end);
    vec![
        row(
            "paused for a million lines: rows that moved",
            "",
            Target::Zero,
            &[moved],
        ),
        row(
            "the same: lines that can't be read afterwards",
            "",
            Target::Zero,
            &[MILLION as f64 - found],
        ),
    ]
}

fn hidden(page: &mut Page, log: &mut File) -> Row {
    let blank = json!({ "url": "about:blank" });
    page.browser.chromium.call("Target.createTarget", blank);
    page.until("the tab to be hidden", "document.hidden");
    let first = FEW + 1 + MILLION;
    for from in (first..first + AWAY).step_by(10_000) {
        write(log, &lines(from, from + 10_000));
    }
    let newest = format!("{:0>11}", first + AWAY - 1);
    page.evaluate(&format!(
        "globalThis.back = new Promise((done) => document.addEventListener('visibilitychange', () => {{
            const start = performance.now();
            const look = () => {{
                if (document.getElementById('rows').lastChild?.textContent.endsWith('{newest}')) {{
                    done(performance.now() - start);
                }} else requestAnimationFrame(look);
            }};
            look();
        }})), 0"
    ));
    page.browser.chromium.call("Page.bringToFront", json!({}));
    let ms = page.number("back");
    let name = "back in a tab that was hidden for 256 MB, to the newest line";
    row(name, "ms", Target::Below(300.0), &[ms])
}

/// From before it is written to the frame that shows its beginning.
fn long_line(page: &mut Page, log: &mut File) -> Row {
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        page.evaluate(&format!(
            "globalThis.painted = new Promise((done) => {{
                const look = () => {{
                    const last = document.getElementById('rows').lastElementChild?.textContent;
                    if (last?.startsWith('{round} long')) {{
                        done(performance.timeOrigin + performance.now());
                    }} else requestAnimationFrame(look);
                }};
                look();
            }}), 0"
        ));
        let line = format!("{round} long{}\n", " and more".repeat((1 << 20) / 9));
        let before = wall_clock();
        write(log, &line);
        rounds.push(page.number("painted") - before);
    }
    let name = "a line of 1 MiB, from its writing to its first 4,000 letters";
    row(name, "ms", Target::Below(50.0), &rounds)
}

/// From before the line is written to the banner, in a page that was just opened.
fn alert(page: &mut Page, log: &mut File) -> Row {
    page.evaluate(
        "localStorage.setItem('tailcast page.log',
            JSON.stringify({ alerts: [{ pattern: 'disk full' }] }))",
    );
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        page.open();
        let before = wall_clock();
        write(
            log,
            &format!("2026-11-25 20:26:01 ERROR disk full, {round}\n"),
        );
        page.until("the banner", "alerted > 0");
        rounds.push(page.number("alerted") - before);
    }
    page.evaluate("localStorage.clear()");
    row("a line to its alert", "ms", Target::Below(1000.0), &rounds)
}
