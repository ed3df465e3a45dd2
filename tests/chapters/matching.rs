//! `match` and `not`: only the lines that are wanted, in every form that sends lines, and no line
//! missed over a resume.

use crate::client::{Client, Plain};
use crate::cursor::Place;
use crate::deadline::until_true;
use crate::endless::Endless;
use crate::event_source::EventSource;
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::Server;
use std::time::Duration;

/// Of each ten lines one holds an error; every second one of those is of cron.
fn line(number: usize) -> String {
    match number % 20 {
        0 => format!("line {number}: an ERROR of cron\n"),
        10 => format!("line {number}: an error\r\n"),
        _ => format!("line {number}: all is well\n"),
    }
}

fn all(numbers: std::ops::Range<usize>) -> String {
    numbers.map(line).collect()
}

fn errors(numbers: std::ops::Range<usize>) -> String {
    all(numbers)
        .split_inclusive('\n')
        .filter(|line| line.to_lowercase().contains("error"))
        .collect()
}

fn scene(content: impl AsRef<[u8]>) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append(content);
    let server = Server::start(&[folder.arg()]);
    (folder, server)
}

#[test]
fn each_form_sends_the_wanted_lines() {
    let (folder, server) = scene(all(0..1000));
    // The last ten that match, not those of the last ten lines; and they come whole.
    let mut follow = Endless::ask(&server, "/stream/app.log?follow&match=error", "");
    let mut without_cron = Endless::ask(
        &server,
        "/stream/app.log?follow&match=error&not=cron&from=-3",
        "",
    );
    let mut regex = Endless::ask(
        &server,
        "/stream/app.log?follow&match=/error%5Cb/&match=/^line%20%5Cd%2B0:/&from=start",
        "",
    );
    let mut plain = Plain::connect(&server, "/stream/app.log?match=error");
    let mut events = EventSource::connect(&server, "/stream/app.log?match=error&from=-2");
    assert_eq!(
        follow.until("line 990: an error\r\n"),
        errors(900..1000).as_bytes()
    );
    let start = Place::behind(folder.inode(), all(0..900).as_bytes());
    let cursor = Place::parse(follow.head.header("Tailcast-Cursor").unwrap());
    assert!(cursor.agrees(&start), "{:?}", follow.head);
    let three = [950, 970, 990].map(line).concat();
    assert_eq!(
        without_cron.until("line 990: an error\r\n"),
        three.as_bytes()
    );
    let lower: String = (0..50).map(|number| line(20 * number + 10)).collect();
    assert_eq!(regex.until("line 990: an error\r\n"), lower.as_bytes());
    let text = |lines: String| -> Vec<String> { lines.lines().map(str::to_owned).collect() };
    assert_eq!(plain.lines(10), text(errors(900..1000)));
    assert_eq!(events.lines(2), text(errors(980..1000)));
    // Live: byte by byte, so that each line is held for its end.
    for byte in all(1000..1031).bytes() {
        folder.append([byte]);
    }
    assert_eq!(
        follow.until("line 1030: an error\r\n"),
        errors(1000..1031).as_bytes()
    );
    assert_eq!(plain.lines(4), text(errors(1000..1031)));
    assert_eq!(events.lines(4), text(errors(1000..1031)));
    assert_eq!(
        without_cron.until("line 1030: an error\r\n"),
        [1010, 1030].map(line).concat().as_bytes()
    );

    // Polls: the cursor stands behind what was looked at, though nothing of its end was sent.
    let poll = get(&server, "/stream/app.log?from=-50&match=error");
    assert_eq!(poll.text(), errors(540..1031));
    let behind = Place::behind(folder.inode(), all(0..1031).as_bytes());
    assert_eq!(
        poll.header("Tailcast-Cursor"),
        Some(&behind.to_string()[..])
    );
    let poll = get(
        &server,
        "/stream/app.log?from=start&not=is+well&not=of%20cron",
    );
    assert_eq!(
        poll.body,
        lower
            .into_bytes()
            .into_iter()
            .chain([1010, 1030].map(line).concat().into_bytes())
            .collect::<Vec<_>>()
    );

    // Those are the file's own bytes, whatever is asked for.
    let mut exact = Client::connect(&server, "/stream/app.log?from=-20&match=error");
    assert_eq!(exact.bytes_until(line(1030)), all(1011..1031).as_bytes());
    assert_eq!(
        get(&server, "/stream/app.log?match=error").text(),
        all(0..1031)
    );
}

/// A long poll that finds nothing has moved on all the same; a line is looked at when it has its
/// end, and once.
#[test]
fn polls_go_on_behind_what_they_looked_at() {
    let (folder, server) = scene(all(1..10));
    let mut at = format!("{}", Place::behind(folder.inode(), b""));
    let mut seen = all(1..10);
    let mut got = String::new();
    for round in 0..40 {
        let answer = get(&server, &format!("/stream/app.log?from={at}&match=error"));
        got += &answer.text();
        let whole = seen.rfind('\n').map_or(0, |newline| newline + 1);
        at = answer.header("Tailcast-Cursor").unwrap().to_owned();
        assert_eq!(
            answer.status,
            if answer.body.is_empty() { 204 } else { 200 }
        );
        let behind = Place::behind(folder.inode(), &seen.as_bytes()[..whole]);
        assert_eq!(at, behind.to_string(), "round {round}");
        // Cut anywhere, within the wanted words, too.
        let more = all(10 + 7 * round..17 + 7 * round);
        let more = &more[..];
        let cut = (round * 31) % more.len();
        folder.append(&more[..cut]);
        seen += &more[..cut];
        let answer = get(&server, &format!("/stream/app.log?from={at}&match=error"));
        got += &answer.text();
        at = answer.header("Tailcast-Cursor").unwrap().to_owned();
        let whole = seen.rfind('\n').map_or(0, |newline| newline + 1);
        let behind = Place::behind(folder.inode(), &seen.as_bytes()[..whole]);
        assert_eq!(at, behind.to_string(), "round {round}, half a line");
        folder.append(&more[cut..]);
        seen += &more[cut..];
    }
    got += &get(&server, &format!("/stream/app.log?from={at}&match=error")).text();
    let want: String = seen
        .split_inclusive('\n')
        .filter(|line| line.to_lowercase().contains("error"))
        .collect();
    assert_eq!(got, want);

    // Held: what does not match does not end it, and is behind the cursor when the wait is over.
    let end = Place::behind(folder.inode(), seen.as_bytes());
    let _awake = Client::connect(&server, "/stream/app.log");
    let mut held = Connection::open(&server);
    held.send(format!(
        "GET /stream/app.log?from={end}&match=error&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ));
    until_true("the poll to be held", || {
        source(&server, "app.log")["clients"] == 2
    });
    folder.append("nothing of note\n");
    folder.append("an err");
    folder.append("or at last\n");
    let answer = held.answer();
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "an error at last\n")
    );
    let seen = seen + "nothing of note\nan error at last\n";
    let end = Place::behind(folder.inode(), seen.as_bytes());
    assert_eq!(answer.header("Tailcast-Cursor"), Some(&end.to_string()[..]));
    folder.append("nothing\n");
    let answer = held.get(&format!("/stream/app.log?from={end}&match=error&wait=1"));
    let moved = Place::behind(folder.inode(), (seen + "nothing\n").as_bytes());
    assert_eq!(
        (answer.status, answer.header("Tailcast-Cursor")),
        (204, Some(&moved.to_string()[..]))
    );
}

/// Over a rotation: the last line of the old file needs no newline, and each file is looked at to
/// its end.
#[test]
fn over_rotations() {
    let (folder, server) = scene("first error\nsecond\n");
    let mut follow = Endless::ask(&server, "/stream/app.log?follow&from=start&match=error", "");
    let mut events = EventSource::connect(&server, "/stream/app.log?from=start&match=error");
    assert_eq!(follow.line(), "first error");
    assert_eq!(events.line(), "first error");
    let start = Place::behind(folder.inode(), b"");
    folder.append("no end, no newline, but an error: /x/");
    folder.rotate();
    folder.append("fine\nthe error of the new file\n");
    assert_eq!(
        follow.until("new file\n"),
        b"no end, no newline, but an error: /x/the error of the new file\n"
    );
    assert_eq!(events.line(), "no end, no newline, but an error: /x/");
    events.event("rotated");
    assert_eq!(events.line(), "the error of the new file");
    let mut at = start.to_string();
    let mut got = Vec::new();
    for _ in 0..3 {
        let answer = get(&server, &format!("/stream/app.log?from={at}&match=error"));
        at = answer.header("Tailcast-Cursor").unwrap().to_owned();
        got.push(answer.text());
    }
    assert_eq!(
        got,
        [
            "first error\nno end, no newline, but an error: /x/",
            "the error of the new file\n",
            ""
        ]
    );
}

/// A line whose end does not come in time is passed on where it is wanted however it goes on.
#[test]
fn half_lines() {
    let (folder, server) = scene("");
    let mut sure = Plain::connect(&server, "/stream/app.log?match=error");
    let mut unsure = Plain::connect(&server, "/stream/app.log?match=error&not=fine");
    folder.append("an error in half a line");
    assert_eq!(sure.line(), "an error in half a line");
    assert_eq!(unsure.line_within(Duration::from_millis(1500)), None);
    folder.append(", and its rest\nno\n");
    assert_eq!(sure.line(), ", and its rest");
    assert_eq!(unsure.line(), "an error in half a line, and its rest");
    folder.append("half, not wanted yet");
    assert_eq!(sure.line_within(Duration::from_millis(1500)), None);
    folder.append(": error\n");
    assert_eq!(sure.line(), "half, not wanted yet: error");
}

/// A megabyte without a newline is one line; where it is wanted, it comes whole, to a client that
/// reads slowly, too.
#[test]
fn long_lines() {
    let long = "x".repeat((1 << 20) - 10) + " needle";
    let content = format!("a\n{long}\nb\n{}\nlast needle\n", "y".repeat(1 << 20));
    let (folder, server) = scene(&content);
    let want = format!("{long}\nlast needle\n");
    let mut follow = Endless::ask(
        &server,
        "/stream/app.log?follow&from=start&match=needle",
        "",
    );
    assert!(follow.until("last needle\n") == want.as_bytes());
    let mut narrow = Endless::over(
        Connection::narrow(&server),
        "/stream/app.log?from=start&match=needle",
        "",
    );
    assert!(narrow.rest() == want.as_bytes());
    // In text messages it comes in parts.
    let mut plain = Plain::connect(&server, "/stream/app.log?from=start&match=needle");
    let mut parts = String::new();
    while parts.len() < long.len() {
        parts += &plain.line();
    }
    assert!(parts == long);
    assert_eq!(plain.line(), "last needle");
    folder.append("more needle\n");
    assert_eq!(follow.line(), "more needle");
    assert_eq!(plain.line(), "more needle");
}

/// Who resumes server-sent events goes on behind what was looked at, though nothing of it was sent.
#[test]
fn events_tell_how_far_they_looked() {
    let folder = Folder::new();
    folder.append("error\n");
    let server = Server::start(&[folder.arg(), "--heartbeat=200ms"]);
    let mut events = EventSource::connect(&server, "/stream/app.log?from=start&match=error");
    assert_eq!(events.line(), "error");
    let noise = "nothing\n".repeat(1000);
    folder.append(&noise);
    let behind = Place::behind(folder.inode(), format!("error\n{noise}").as_bytes());
    events.body().until(format!("id: {behind}\n\n"));
}

#[test]
fn of_what_is_kept() {
    let folder = Folder::new();
    let fifo = folder.path("events");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let server = Server::start(&[fifo.to_str().unwrap()]);
    let mut writer = std::fs::File::options().write(true).open(&fifo).unwrap();
    std::io::Write::write_all(&mut writer, all(0..20_000).as_bytes()).unwrap();
    until_true("all of it to be read", || {
        get(&server, "/stream/events?from=-1").text() == line(19_999)
    });
    let poll = get(&server, "/stream/events?from=-50&match=error");
    assert_eq!(poll.text(), errors(19_500..20_000));
    // An instrument's lines, which end in a carriage return alone.
    let mut plain = Plain::connect(&server, "/stream/events?from=end&match=error&not=old");
    std::io::Write::write_all(&mut writer, b"old error\rfine\rnew error\rfine\r").unwrap();
    assert_eq!(plain.line(), "new error");
}

#[test]
fn bad_patterns_are_refused_where_they_are_wrong() {
    let (_folder, server) = scene("a\n");
    for (query, words) in [
        ("follow&match=", "`match=` is empty"),
        ("from=start&not=", "`not=` is empty"),
        ("from=start&match=/a(b/", "at character 2 of it, `(b`"),
        ("find&match=/(a)%5C1/", "at character 4 of it"),
        ("follow&match=a%0Ab", "the end of a line"),
        (&format!("follow&match={}", "x".repeat(300)), "256 bytes"),
        (&format!("follow{}", "&match=x".repeat(9)), "8 times"),
        ("find", "`find` needs `match=TEXT`"),
        ("find&match=a&before=x", "`before`"),
        ("find&match=a&limit=-1", "`limit`"),
        ("find&match=a&budget=1M", "`budget`"),
    ] {
        let answer = get(&server, &format!("/stream/app.log?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(
            answer.sentence().contains(words),
            "{query}: {}",
            answer.text()
        );
    }
    let upgrade = Connection::open(&server).ask_for_upgrade("/stream/app.log?match=/a(/", "");
    assert_eq!(upgrade.status, 400);
}
