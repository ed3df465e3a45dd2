//! The page in a real browser: what a reader sees while lines come, servers restart and logs rotate.

use crate::chromium::Chromium;
use crate::cursor::Place;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::server::Server;
use crate::writer::Writer;
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

/// What the log shows, top to bottom: the text of lines, and of marks their kind.
const SHOWN: &str = "[...document.querySelectorAll('.row, #rows .mark')].map(row =>
    row.matches('.mark') ? `<${row.className}>` : row.textContent)";

/// The connection in words.
const STATE: &str = "document.getElementById('state').textContent";

/// A browser that shows the log of `folder`, live.
fn scene(folder: &Folder) -> Option<(Server, Chromium)> {
    let mut chromium = Chromium::start()?;
    let server = Server::start(&[folder.arg()]);
    chromium.go(&server.url("/"));
    live(&mut chromium);
    Some((server, chromium))
}

fn live(chromium: &mut Chromium) {
    chromium.until("the page to be live", &format!("{STATE} === 'live'"));
}

fn shown(chromium: &mut Chromium) -> Vec<String> {
    serde_json::from_value(chromium.evaluate(SHOWN)).expect("strings")
}

/// Waits until this is the text of the last row.
fn until_last(chromium: &mut Chromium, text: &str) {
    let last = format!("({SHOWN}).at(-1) === {}", json!(text.trim_end()));
    chromium.until(&format!("the last row to be {text:?}"), &last);
}

/// The lines of a writer as they should be shown.
fn rows(text: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(text).expect("UTF-8");
    text.lines().map(str::to_owned).collect()
}

/// The `from` of each connection the page made, oldest first.
fn asked(chromium: &mut Chromium) -> Vec<String> {
    let made = chromium.told("Network.webSocketCreated");
    let urls = made.iter().map(|told| told["url"].as_str().expect("url"));
    urls.map(|url| url.split_once("from=").expect("from").1.to_owned())
        .collect()
}

/// The payloads of the WebSocket messages told of by `method`, oldest first; binary ones in base64.
fn frames(chromium: &mut Chromium, method: &str) -> Vec<String> {
    let told = chromium.told(method);
    let payloads = told.iter().map(|told| &told["response"]["payloadData"]);
    payloads
        .map(|payload| payload.as_str().expect("payload").to_owned())
        .collect()
}

/// How many bytes of files the page was sent over all of its connections.
fn received(chromium: &mut Chromium) -> usize {
    let told = chromium.told("Network.webSocketFrameReceived");
    let binary = told
        .iter()
        .map(|told| &told["response"])
        .filter(|frame| frame["opcode"] == 2);
    // Base64: four characters for three bytes, less the padding.
    let length = |text: &str| text.len() / 4 * 3 - text.matches('=').count();
    binary
        .map(|frame| length(frame["payloadData"].as_str().expect("payload")))
        .sum()
}

fn assert_no_complaints(chromium: &mut Chromium) {
    assert_eq!(chromium.complaints(), [""; 0]);
}

/// The browser itself reports each connection that fails while the server is away; no page can keep it from that.
fn assert_no_complaints_but_of_the_network(chromium: &mut Chromium) {
    let mut complaints = chromium.complaints();
    complaints.retain(|complaint| !complaint.contains(r#""source":"network""#));
    assert_eq!(complaints, [""; 0]);
}

#[test]
fn a_line_appears_within_a_second() {
    let folder = Folder::new();
    folder.append("there before\n");
    let Some((_server, mut chromium)) = scene(&folder) else {
        return;
    };
    until_last(&mut chromium, "there before");
    let mut delays: Vec<Duration> = (0..9)
        .map(|number| {
            let line = format!("line {number}");
            let written = Instant::now();
            folder.append(format!("{line}\n"));
            until_last(&mut chromium, &line);
            written.elapsed()
        })
        .collect();
    // The median: one hiccup of a busy machine is not the page's.
    delays.sort();
    assert!(delays[4] < Duration::from_secs(1), "{delays:?}");
    assert_no_complaints(&mut chromium);
}

#[test]
fn half_a_line_is_shown_and_grows() {
    let folder = Folder::new();
    folder.append("whole\r\n\r\nhal");
    let Some((_server, mut chromium)) = scene(&folder) else {
        return;
    };
    until_last(&mut chromium, "hal");
    folder.append("f\r");
    until_last(&mut chromium, "half");
    folder.append("\n");
    folder.append("next");
    until_last(&mut chromium, "next");
    assert_eq!(shown(&mut chromium), ["whole", "", "half", "next"]);
    assert_no_complaints(&mut chromium);
}

#[test]
fn restarts_lose_and_repeat_nothing() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    let Some((mut server, mut chromium)) = scene(&folder) else {
        return;
    };
    for signal in [Signal::TERM, Signal::KILL, Signal::TERM] {
        writer.begin(300);
        server.end(signal);
        writer.wait();
        writer.write(100);
        chromium.until(
            "the page to notice",
            &format!("/^(connecting|reconnecting in \\d+ s)$/.test({STATE})"),
        );
        writer.begin(300);
        server.start_again();
        writer.wait();
        live(&mut chromium);
    }
    until_last(&mut chromium, &writer.last());
    assert_eq!(shown(&mut chromium), rows(&writer.everything()));
    assert_no_complaints_but_of_the_network(&mut chromium);
}

#[test]
fn rotation_shows_each_line_once_and_a_mark() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    writer.write(50);
    let Some((server, mut chromium)) = scene(&folder) else {
        return;
    };
    until_last(&mut chromium, &writer.last());
    server.between_two_looks(|| {
        folder.rotate();
        // A daemon goes on in the old file until it is told.
        writer.write(20);
        writer.reopen();
        writer.write(50);
    });
    until_last(&mut chromium, &writer.last());
    let mut expected = rows(&writer.everything());
    expected.insert(70, "<mark rotated>".to_owned());
    assert_eq!(shown(&mut chromium), expected);
    assert_no_complaints(&mut chromium);
}

#[test]
fn truncation_and_absence_leave_a_mark() {
    let folder = Folder::new();
    let Some((_server, mut chromium)) = scene_without_file(&folder) else {
        return;
    };
    folder.append("first\nhalf");
    until_last(&mut chromium, "half");
    live(&mut chromium);
    folder.truncate();
    until_last(&mut chromium, "<mark truncated>");
    folder.append("again\n");
    until_last(&mut chromium, "again");
    fs::remove_file(&folder.log).expect("remove");
    until_last(&mut chromium, "<mark missing>");
    chromium.until("the word", &format!("{STATE} === 'waiting for the file'"));
    folder.append("back\n");
    until_last(&mut chromium, "back");
    let expected = [
        "<mark missing>",
        "<mark found>",
        "<mark rotated>",
        "first",
        "half",
        "<mark truncated>",
        "again",
        "<mark missing>",
        "<mark found>",
        "<mark rotated>",
        "back",
    ];
    assert_eq!(shown(&mut chromium), expected);
    assert_no_complaints(&mut chromium);
}

/// The same as `scene`, before there is a log.
fn scene_without_file(folder: &Folder) -> Option<(Server, Chromium)> {
    let mut chromium = Chromium::start()?;
    let server = Server::start(&[folder.arg()]);
    chromium.go(&server.url("/"));
    chromium.until("the word", &format!("{STATE} === 'waiting for the file'"));
    Some((server, chromium))
}

#[test]
fn a_gap_leaves_a_mark() {
    let folder = Folder::new();
    folder.append("before\n");
    let Some((mut server, mut chromium)) = scene(&folder) else {
        return;
    };
    until_last(&mut chromium, "before");
    server.stop();
    fs::remove_file(&folder.log).expect("remove");
    folder.append("after\n");
    server.start_again();
    until_last(&mut chromium, "after");
    assert_eq!(shown(&mut chromium), ["before", "<mark lost>", "after"]);
    assert_no_complaints_but_of_the_network(&mut chromium);
}

#[test]
fn a_character_cut_in_half_survives_a_restart() {
    let pine = "🌲".as_bytes();
    // Shorter and longer than what the cursor's check covers.
    for start in ["grün ".to_owned(), format!("grün\n{} ", "ß".repeat(100))] {
        let folder = Folder::new();
        folder.append(&start);
        let Some((mut server, mut chromium)) = scene(&folder) else {
            return;
        };
        let mut content = start.clone().into_bytes();
        for piece in [&pine[..1], &pine[1..3]] {
            folder.append(piece);
            content.extend_from_slice(piece);
            until_true("all bytes to come", || {
                received(&mut chromium) == content.len()
            });
            server.restart();
            let place = Place::behind(folder.inode(), &content).to_string();
            until_true(&format!("the page to ask for {place}"), || {
                asked(&mut chromium).last() == Some(&place)
            });
            live(&mut chromium);
            assert_eq!(shown(&mut chromium), rows(start.as_bytes()));
        }
        folder.append(&pine[3..]);
        folder.append(" end\n");
        let whole = format!("{start}🌲 end");
        until_last(&mut chromium, whole.lines().last().unwrap());
        assert_eq!(shown(&mut chromium), rows(whole.as_bytes()));
        assert_no_complaints_but_of_the_network(&mut chromium);
    }
}

#[test]
fn the_cursor_of_a_large_file_is_exact() {
    let Some(mut chromium) = Chromium::start() else {
        return;
    };
    let folder = Folder::new();
    let server = Server::start(&[folder.arg()]);
    chromium.go(&server.url("/"));
    let told = chromium.evaluate(
        "import(new URL('cursor.js', document.baseURI)).then(({ Cursor }) => {
            const told = (cursor, ...texts) => {
                const place = new Cursor(cursor);
                for (const text of texts) place.push(new TextEncoder().encode(text));
                return place.toString();
            };
            return [
                told('ffffffffffffffff-1fffffffff-1234abcd'),
                told('ffffffffffffffff-1fffffffff-1234abcd', 'a'),
                told('ffffffffffffffff-fffffffff0', '-'.repeat(32), 'foobar'.repeat(16)),
                told('1-0', 'foo', 'bar'),
                told('1-0', ''),
            ];
        })",
    );
    let large = Place::behind(0, "foobar".repeat(16).as_bytes());
    let expected = [
        "ffffffffffffffff-1fffffffff-1234abcd".to_owned(),
        // Joined in the middle, not enough seen yet for a check.
        "ffffffffffffffff-2000000000".to_owned(),
        format!("ffffffffffffffff-10000000070-{:x}", large.check().unwrap()),
        "1-6-bf9cf968".to_owned(),
        "1-0".to_owned(),
    ];
    assert_eq!(told, json!(expected));
}

#[test]
fn text_stays_text() {
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
    let Some((_server, mut chromium)) = scene(&folder) else {
        return;
    };
    until_last(&mut chromium, lines[5]);
    // The bytes are shown as they are; only what a document cannot hold would be replaced.
    assert_eq!(shown(&mut chromium), lines);
    let elements =
        "[...new Set([...document.querySelectorAll('#rows *')].map(e => e.tagName))].sort()";
    assert_eq!(chromium.evaluate(elements), json!(["DIV", "SPAN"]));
    assert_eq!(chromium.evaluate("document.images.length"), 0);
    assert!(chromium.told("Page.javascriptDialogOpening").is_empty());
    assert_no_complaints(&mut chromium);
}

#[test]
fn another_stream_can_be_chosen() {
    let Some(mut chromium) = Chromium::start() else {
        return;
    };
    let folder = Folder::new();
    folder.append("of the first\n");
    let other = folder.path("a ü?#.log");
    fs::write(&other, "of the second\n").expect("write");
    let server = Server::start(&[folder.arg(), other.to_str().unwrap()]);
    chromium.go(&server.url("/"));
    until_last(&mut chromium, "of the first");
    assert_eq!(chromium.evaluate("document.title"), "app.log · Tailcast");
    let options = "[...document.querySelectorAll('#choice option')].map(option => option.value)";
    assert_eq!(chromium.evaluate(options), json!(["app.log", "a ü?#.log"]));
    chromium.evaluate(
        "{ const choice = document.getElementById('choice');
           choice.value = 'a ü?#.log';
           choice.dispatchEvent(new Event('change', { bubbles: true })); }",
    );
    until_last(&mut chromium, "of the second");
    folder.append("still of the first\n");
    for round in ["chosen", "loaded again"] {
        fs::write(&other, format!("of the second\n{round}\n")).expect("write");
        until_last(&mut chromium, round);
        assert_eq!(chromium.evaluate("document.title"), "a ü?#.log · Tailcast");
        chromium.reload();
    }
    chromium.evaluate("history.back()");
    until_last(&mut chromium, "still of the first");
    assert_eq!(shown(&mut chromium), ["of the first", "still of the first"]);
    assert_no_complaints(&mut chromium);
}

#[test]
fn a_flood_keeps_the_end_and_the_readers_place() {
    let folder = Folder::new();
    folder.append("");
    let Some((_server, mut chromium)) = scene(&folder) else {
        return;
    };
    let flood = |from: u32, to: u32| {
        (from..to)
            .map(|n| format!("line {n}\n"))
            .collect::<String>()
    };
    folder.append(flood(0, 10_000));
    until_last(&mut chromium, "line 9999");
    let kept = shown(&mut chromium);
    assert!((4_000..=5_000).contains(&kept.len()), "{} rows", kept.len());
    assert_eq!(kept[0], format!("line {}", 10_000 - kept.len()));
    let dropped = chromium.evaluate("document.getElementById('dropped').textContent");
    let number = format!(
        "{},{:03}",
        (10_000 - kept.len()) / 1000,
        (10_000 - kept.len()) % 1000
    );
    assert!(dropped.as_str().unwrap().starts_with(&number), "{dropped}");
    let at_end = "{ const view = document.getElementById('view');
        view.scrollHeight - view.scrollTop - view.clientHeight < 9 }";
    chromium.until("the end to be in sight", at_end);

    // The reader scrolls up: what they look at stays where it is.
    chromium.evaluate("document.getElementById('view').scrollTop -= 1000");
    chromium.until("the way back", "!document.getElementById('jump').hidden");
    let in_sight = "document.elementFromPoint(100, 300).closest('.row').textContent";
    let before = chromium.evaluate(in_sight);
    folder.append(flood(10_000, 11_234));
    until_last(&mut chromium, "line 11233");
    assert_eq!(
        chromium.evaluate("document.getElementById('jump').textContent"),
        "↓ 1,234 new lines"
    );
    assert_eq!(chromium.evaluate(in_sight), before);

    chromium.evaluate("document.getElementById('jump').click()");
    chromium.until("the end to be in sight again", at_end);
    assert_eq!(
        chromium.evaluate("document.getElementById('jump').hidden"),
        true
    );
    assert_no_complaints(&mut chromium);
}

/// Time in the page runs this many times faster, for the beats of a heart.
const HASTE: &str = "{
    const [now, wait, haste, start] = [Date.now, setTimeout, 20, Date.now()];
    Date.now = () => start + (now() - start) * haste;
    window.setTimeout = (call, delay) => wait(call, delay / haste);
}";

#[test]
fn a_silent_server_is_noticed() {
    let Some(mut chromium) = Chromium::start() else {
        return;
    };
    chromium.call(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({ "source": HASTE }),
    );
    let folder = Folder::new();
    folder.append("before\n");
    let server = Server::start(&[folder.arg()]);
    chromium.go(&server.url("/"));
    until_last(&mut chromium, "before");
    let heard = |chromium: &mut Chromium| frames(chromium, "Network.webSocketFrameReceived");
    until_true("three beats", || {
        heard(&mut chromium)
            .iter()
            .filter(|text| text.contains("pong"))
            .count()
            >= 3
    });
    assert!(
        frames(&mut chromium, "Network.webSocketFrameSent")
            .iter()
            .all(|text| text == "ping")
    );
    assert_eq!(
        asked(&mut chromium),
        ["-1000"],
        "a quiet log is no dead server"
    );
    server.between_two_looks(|| {
        chromium.until("the silence to be noticed", &format!("{STATE} !== 'live'"));
        folder.append("meanwhile\n");
    });
    until_last(&mut chromium, "meanwhile");
    assert_eq!(shown(&mut chromium), ["before", "meanwhile"]);
}

/// Nothing is drawn in a tab that nobody sees.
#[test]
fn a_hidden_tab_stays_small_and_catches_up() {
    let folder = Folder::new();
    folder.append("before\n");
    let Some((_server, mut chromium)) = scene(&folder) else {
        return;
    };
    until_last(&mut chromium, "before");
    // The tool would keep every message, too.
    chromium.call("Network.disable", json!({}));
    chromium.evaluate(
        "{ const decode = TextDecoder.prototype.decode;
           globalThis.decoded = 0;
           TextDecoder.prototype.decode = function (bytes, ...rest) {
               decoded += bytes?.length ?? 0;
               return decode.call(this, bytes, ...rest);
           }; }",
    );
    let before = heap(&mut chromium);
    chromium.hide();
    chromium.until("the tab to be hidden", "document.hidden");
    let mut written = 0;
    for round in 0..64 {
        let lines: String = (0..10_000)
            .map(|n| format!("round {round}, line {n} of a long night\n"))
            .collect();
        written += lines.len();
        folder.append(lines);
    }
    chromium.until("all of it to come", &format!("decoded === {written}"));
    assert_eq!(shown(&mut chromium), ["before"]);
    let grown = heap(&mut chromium) - before;
    assert!(
        written > 20_000_000 && grown < 4_000_000,
        "{written} bytes came, {grown} were kept"
    );
    chromium.show();
    until_last(&mut chromium, "round 63, line 9999 of a long night");
    let dropped = 640_001 - shown(&mut chromium).len();
    let said = chromium.evaluate("document.getElementById('dropped').textContent");
    assert!(
        said.as_str()
            .unwrap()
            .replace(',', "")
            .starts_with(&dropped.to_string()),
        "{said}"
    );
    assert_no_complaints(&mut chromium);
}

/// Bytes in use by the page's JavaScript.
fn heap(chromium: &mut Chromium) -> i64 {
    chromium.call("HeapProfiler.collectGarbage", json!({}));
    let usage = chromium.call("Runtime.getHeapUsage", json!({}));
    usage["usedSize"].as_f64().expect("usedSize") as i64
}

/// Timers that would not be due for a while never are.
const PATIENCE: &str = "{
    const wait = setTimeout;
    window.setTimeout = (call, delay) => (delay > 50 ? 0 : wait(call, delay));
}";

#[test]
fn being_looked_at_again_ends_the_wait() {
    let Some(mut chromium) = Chromium::start() else {
        return;
    };
    chromium.call(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({ "source": PATIENCE }),
    );
    let folder = Folder::new();
    folder.append("before\n");
    let mut server = Server::start(&[folder.arg()]);
    chromium.go(&server.url("/"));
    let wakes: [fn(&mut Chromium); 2] = [
        |chromium| {
            chromium.hide();
            chromium.until("the tab to be hidden", "document.hidden");
            chromium.show();
        },
        |chromium| {
            chromium.evaluate("dispatchEvent(new Event('online'))");
        },
    ];
    for wake in wakes {
        live(&mut chromium);
        server.stop();
        chromium.until(
            "the count-down",
            &format!("/^reconnecting in \\d+ s$/.test({STATE})"),
        );
        server.start_again();
        wake(&mut chromium);
        live(&mut chromium);
    }
    assert_no_complaints_but_of_the_network(&mut chromium);
}
