//! The plain form, for five lines of JavaScript: one text message per line.

use crate::client::{Client, Plain};
use crate::event_source::EventSource;
use crate::folder::Folder;
use crate::require;
use crate::server::Server;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A server on this content, and a client that gets it from its start.
fn scene(content: impl AsRef<[u8]>) -> (Folder, Server, Plain) {
    let folder = Folder::new();
    folder.append(content);
    let server = Server::start(&[folder.arg()]);
    let plain = Plain::connect(&server, "/stream/app.log?from=start");
    (folder, server, plain)
}

#[test]
fn one_message_per_line() {
    let (folder, _server, mut plain) = scene("one\n\ntwo\r\n\r\nthr\ree\nfour\r\r\n \n");
    assert_eq!(
        plain.lines(7),
        ["one", "", "two", "", "thr\ree", "four\r", " "]
    );
    let many: Vec<String> = (0..10_000)
        .map(|number| format!("number {number}"))
        .collect();
    folder.append(many.join("\n") + "\n");
    assert_eq!(plain.lines(10_000), many);
}

#[test]
fn history() {
    let content: String = (0..30).map(|number| format!("{number}\n")).collect();
    let (_folder, server, _) = scene(content);
    let first = |from: &str| Plain::connect(&server, &format!("/stream/app.log{from}")).line();
    assert_eq!(first(""), "20");
    assert_eq!(first("?from=start"), "0");
    assert_eq!(first("?from=-3"), "27");
    assert_eq!(first("?from=-300"), "0");
    let exact = Client::connect(&server, "/stream/app.log?from=-5");
    assert_eq!(first(&format!("?from={}", exact.place())), "25");
    for end in ["end", "-0"] {
        let mut plain = Plain::connect(&server, &format!("/stream/app.log?from={end}"));
        plain.send("ping");
        assert_eq!(plain.line(), "pong", "no line before it");
    }
}

/// Its newline came too late, or never: it is shown after a second, and the rest is a message of
/// its own.
#[test]
fn half_a_line_is_held_for_a_second() {
    let (folder, _server, mut plain) = scene("whole\nhalf");
    assert_eq!(plain.lines(2), ["whole", "half"]);
    folder.append(" a line\nnext\n");
    assert_eq!(plain.lines(2), [" a line", "next"]);
    // Only the newline was missing: it makes no message.
    for newline in ["\n", "\r\n"] {
        folder.append("half");
        assert_eq!(plain.line(), "half");
        folder.append(newline);
        folder.append("next\n");
        assert_eq!(plain.line(), "next");
    }
}

#[test]
fn a_line_in_two_pieces_is_one_line() {
    let (folder, server, mut plain) = scene("");
    let mut exact = Client::connect(&server, "/stream/app.log?from=start");
    // On a machine so slow that a second goes by between two statements, once more.
    loop {
        let start = Instant::now();
        folder.append("two ");
        exact.bytes_until("two ");
        folder.append("pieces\n");
        exact.bytes_until("pieces\n");
        let quick = start.elapsed() < Duration::from_millis(500);
        let line = plain.line();
        if quick {
            assert_eq!(line, "two pieces");
            return;
        }
        if line == "two " {
            assert_eq!(plain.line(), "pieces");
        }
    }
}

#[test]
fn a_character_cut_in_half_waits() {
    let (folder, _server, mut plain) = scene(b"caf\xc3");
    assert_eq!(plain.line(), "caf");
    folder.append(b"\xa9\n");
    assert_eq!(plain.line(), "é");
    // All that there is of the line is the half of a character.
    folder.append(b"\xe2\x82");
    assert_eq!(plain.line_within(Duration::from_secs(2)), None);
    folder.append(b"\xac\n");
    assert_eq!(plain.line(), "€");
}

#[test]
fn what_is_no_utf_8_is_replaced() {
    let lines: [&[u8]; 9] = [
        b"caf\xe9",
        b"\xff\xfe\xfd",
        b"\xe2\x82",
        b"a\xe2\x82z",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x92",
        b"nul \0 escape \x1b",
        "ünïcödé 日本語 🦀".as_bytes(),
    ];
    let (_folder, _server, mut plain) = scene([lines.join(&b'\n'), b"\n".to_vec()].concat());
    for line in lines {
        assert_eq!(plain.line(), String::from_utf8_lossy(line));
    }
}

#[test]
fn long_lines_are_split() {
    let lines = [
        "x".repeat(65_536),
        "y".repeat(65_537),
        "é".repeat(1 << 19),
        format!("a{}", "€".repeat(100_000)),
        "end".to_owned(),
    ];
    let (_folder, _server, mut plain) = scene(lines.join("\n") + "\n");
    for (line, at_least) in lines.iter().zip([1, 2, 16, 5, 1]) {
        let (mut joined, mut messages) = (String::new(), 0);
        while joined.len() < line.len() {
            let message = plain.line();
            assert!(
                message.len() <= 65_536 && !message.is_empty(),
                "{}",
                message.len()
            );
            joined += &message;
            messages += 1;
        }
        assert!(
            joined == *line,
            "{messages} messages of a line of {} bytes",
            line.len()
        );
        // Split where it must be, not more.
        assert!(
            (at_least..=2 * at_least).contains(&messages),
            "{messages} messages"
        );
    }
}

/// Loss cannot be told here, but two files are never glued into one line.
#[test]
fn half_a_line_at_the_end_of_a_file() {
    let (folder, _server, mut plain) = scene("whole\nhalf of the old");
    folder.rotate();
    folder.append("new\n");
    assert_eq!(plain.lines(3), ["whole", "half of the old", "new"]);
    folder.replace("half of the second");
    assert_eq!(plain.line(), "half of the second");
    folder.truncate();
    folder.append("third\n");
    assert_eq!(plain.line(), "third");
    fs::remove_file(&folder.log).unwrap();
    folder.append("fourth\n");
    assert_eq!(plain.line(), "fourth");
}

/// A burst costs a system call per buffer, not one per line.
#[test]
fn a_burst_goes_out_in_few_writes() {
    let Some(strace) = require::tool("strace") else {
        return;
    };
    let (folder, server, mut plain) = scene("first\n");
    assert_eq!(plain.line(), "first");
    let trace = folder.path("trace");
    let mut tracer = Command::new(strace)
        .args(["-f", "-e", "trace=write,writev,sendto,sendmsg", "-p"])
        .arg(server.pid().to_string())
        .arg("-o")
        .arg(&trace)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let seen = || fs::read_to_string(&trace).unwrap_or_default();
    let attached = crate::deadline::until("strace to see the server write", || {
        if tracer.try_wait().unwrap().is_some() {
            return Some(false);
        }
        folder.append("one\n");
        (plain.line() == "one" && !seen().is_empty()).then_some(true)
    });
    if !attached {
        require::skip("strace may not look at another process here");
        return;
    }
    let before = seen().lines().count();
    folder.append("a line of a burst\n".repeat(20_000));
    for line in plain.lines(20_000) {
        assert_eq!(line, "a line of a burst");
    }
    folder.append("the end\n");
    assert_eq!(plain.line(), "the end");
    crate::deadline::until_true("strace to have written it all", || {
        seen().lines().any(|line| line.contains("the end"))
    });
    let writes = seen().lines().count() - before;
    let _ = tracer.kill();
    let _ = tracer.wait();
    assert!(writes < 1_000, "{writes} writes for 20,000 lines");
}

/// A file of one value, written anew each time, in place or by renaming: one clean line for each.
#[test]
fn a_value_that_is_written_anew() {
    for anew in [
        |folder: &Folder, value: &str| fs::write(&folder.log, value).unwrap(),
        |folder: &Folder, value: &str| folder.replace(value),
    ] {
        let (folder, _server, mut plain) = scene("21.0\n");
        assert_eq!(plain.line(), "21.0");
        for value in ["21.5\n", "9.25\n", "110.125\n", "7\n", "8\n"] {
            anew(&folder, value);
            assert_eq!(plain.line() + "\n", value);
        }
    }
}

/// A Windows program's log on a share: text where lines are sent, the file's bytes where those are,
/// wherever one begins.
#[test]
fn utf16() {
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let line = |number| format!("10:00:{number} Größe {number} °C");
    let text: String = (10..30).map(|number| line(number) + "\r\n").collect();
    let (folder, server, mut plain) = scene(wide(&format!("\u{feff}{text}")));
    assert_eq!(plain.lines(20), (10..30).map(line).collect::<Vec<_>>());
    let mut last = Plain::connect(&server, "/stream/app.log?from=-3");
    assert_eq!(last.lines(3), [line(27), line(28), line(29)]);
    let mut events = EventSource::connect(&server, "/stream/app.log?from=-2");
    assert_eq!(events.lines(2), [line(28), line(29)]);
    let mut exact = Client::connect(&server, "/stream/app.log?from=-1");
    let want = wide(&(line(29) + "\r\n"));
    assert_eq!(exact.bytes_until(&want), want);

    // On from the middle, by the id of an event.
    events.reconnect(&server);
    folder.append(wide("neu\r\n"));
    assert_eq!(events.line(), "neu");
    assert_eq!((plain.line(), last.line()), ("neu".into(), "neu".into()));
    assert_eq!(exact.bytes_until(wide("neu\r\n")), wide("neu\r\n"));

    // The next file tells for itself what it is.
    folder.rotate();
    folder.append("plain: Größe\n");
    events.event("rotated");
    for line in [plain.line(), last.line(), events.line()] {
        assert_eq!(line, "plain: Größe");
    }
}
