//! Server-sent events: a line is an event, its id the cursor behind it, and what happens to the
//! file is told beside.

use crate::client::Client;
use crate::cursor::Place;
use crate::deadline::until_true;
use crate::endless::Endless;
use crate::event_source::{Event, EventSource};
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::{Server, is_emulated};
use crate::writer::{Writer, lines};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use serde_json::Value;
use std::fs;
use std::time::Duration;

const TARGET: &str = "/stream/app.log?from=start";

/// A server on this content, and a client that gets it from its start.
fn scene(content: impl AsRef<[u8]>) -> (Folder, Server, EventSource) {
    let folder = Folder::new();
    folder.append(content);
    let server = Server::start(&[folder.arg()]);
    let events = EventSource::connect(&server, TARGET);
    (folder, server, events)
}

#[test]
fn a_line_is_an_event_and_its_id_the_place_behind_it() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg()]);
    writer.write(50);
    let mut events = EventSource::connect(&server, "/stream/app.log");
    let head = &events.body().head;
    let start = Place::behind(folder.inode(), &lines(1..=40)).to_string();
    assert_eq!(head.header("Tailcast-Cursor"), Some(start.as_str()));
    assert_eq!(head.header("Cache-Control"), Some("no-store"));
    assert_eq!(head.header("X-Accel-Buffering"), Some("no"));
    writer.begin(50);
    for number in 41..=100 {
        let data = String::from_utf8(lines([number])).unwrap();
        let behind = Place::behind(folder.inode(), &lines(1..=number));
        let event = Event {
            name: "message".to_owned(),
            data: data.trim_end().to_owned(),
            id: behind.to_string(),
        };
        assert_eq!(events.next(), event);
    }
    writer.wait();
    let retry = events.retry.expect("retry");
    assert!(retry <= Duration::from_secs(5), "{retry:?}");
    assert_eq!(source(&server, "app.log")["clients"], 1);
}

/// The header, too, where it comes among others and with weights (RFC 9110 section 12.5.1).
#[test]
fn who_is_given_events() {
    let (_folder, server, _) = scene("hello\n");
    let media = |accept: &str| {
        let more = format!("Accept: {accept}\r\n");
        let mut connection = Connection::open(&server);
        let head = connection.request("HEAD", "/stream/app.log", &more);
        head.header("Content-Type").unwrap().to_owned()
    };
    for accept in [
        "text/event-stream",
        "TEXT/Event-Stream",
        "text/event-stream, */*;q=0.1",
        "text/html;q=0.5, text/event-stream;q=0.9",
        "text/event-stream;charset=utf-8",
    ] {
        assert_eq!(media(accept), "text/event-stream", "{accept}");
    }
    for accept in [
        "*/*",
        "text/*",
        "text/plain",
        "text/event-stream;q=0",
        "text/event-stream; q=0.000",
    ] {
        assert_eq!(media(accept), "text/plain; charset=utf-8", "{accept}");
    }
}

#[test]
fn lines_of_every_kind() {
    let content: &[u8] = b"one\n\ntwo\r\n a space\n: colon\ndata: x\ncr\rin\rit\n\xff\xfe\n\r\nnul \0\n\xef\xbb\xbfbom\n";
    let (folder, _server, mut events) = scene(content);
    let mut behind = 0;
    for (line, data) in content.split_inclusive(|&byte| byte == b'\n').zip([
        "one",
        // `data:` alone is data, of no length.
        "",
        "two",
        " a space",
        ": colon",
        "data: x",
        // A line break in data is one for the client, whichever it is.
        "cr\nin\nit",
        "\u{fffd}\u{fffd}",
        "",
        "nul \0",
        "\u{feff}bom",
    ]) {
        behind += line.len();
        let place = Place::behind(folder.inode(), &content[..behind]).to_string();
        let event = events.next();
        assert_eq!((event.data.as_str(), event.id), (data, place));
    }
}

#[test]
fn half_a_line_is_held_for_a_second() {
    let (folder, server, mut events) = scene("whole\nhalf");
    assert_eq!(events.lines(2), ["whole", "half"]);
    let half = Place::behind(folder.inode(), b"whole\nhalf").to_string();
    assert_eq!(events.last_id, half);
    folder.append(" a line\nnext\n");
    assert_eq!(events.lines(2), [" a line", "next"]);
    // Who goes on in the middle of a line is given its rest, and nothing for a newline alone.
    folder.append("half");
    assert_eq!(events.line(), "half");
    events.reconnect(&server);
    folder.append("\nlast\n");
    assert_eq!(events.line(), "last");
    let content = fs::read(&folder.log).unwrap();
    let behind = Place::behind(folder.inode(), &content).to_string();
    assert_eq!(events.last_id, behind);
}

#[test]
fn a_character_cut_in_half_waits() {
    let (folder, server, mut events) = scene(b"caf\xc3");
    assert_eq!(events.line(), "caf");
    let before = Place::behind(folder.inode(), b"caf").to_string();
    assert_eq!(events.last_id, before);
    events.reconnect(&server);
    folder.append(b"\xa9\n");
    assert_eq!(events.line(), "é");
}

#[test]
fn long_lines_come_in_parts_that_can_be_resumed() {
    let line = format!("a{}", "€".repeat(100_000));
    let (folder, server, mut events) = scene(format!("{line}\nend\n"));
    let (mut joined, mut parts) = (String::new(), 0);
    while joined.len() < line.len() {
        let event = events.next();
        assert!(event.data.len() <= 65_536, "{}", event.data.len());
        joined += &event.data;
        let behind = Place::behind(folder.inode(), joined.as_bytes()).to_string();
        if joined.len() < line.len() {
            assert_eq!(event.id, behind);
        }
        parts += 1;
        events.reconnect(&server);
    }
    assert!(joined == line && parts >= 5, "{parts} parts");
    assert_eq!(events.line(), "end");
}

/// The same JSON as over WebSocket; with a new place comes a new id.
fn both(events: &mut EventSource, exact: &mut Client, name: &str) -> Value {
    let json = events.event(name);
    assert_eq!(json, exact.event(name));
    if let Some(cursor) = json["cursor"].as_str() {
        assert_eq!(events.last_id, cursor);
    }
    json
}

#[test]
fn what_happens_to_the_file() {
    let (folder, server, mut events) = scene(lines(1..=5));
    let mut exact = Client::connect(&server, TARGET);
    exact.bytes_until(lines([5]));
    events.lines(5);
    folder.rotate();
    folder.append("new\n");
    both(&mut events, &mut exact, "rotated");
    assert_eq!(events.line(), "new");
    exact.bytes_until("new\n");
    folder.truncate();
    let truncated = both(&mut events, &mut exact, "truncated");
    assert_eq!(truncated["lost"], 0);
    fs::remove_file(&folder.log).unwrap();
    both(&mut events, &mut exact, "missing");
    folder.append("back\n");
    both(&mut events, &mut exact, "found");
    let rotated = both(&mut events, &mut exact, "rotated");
    let start = Place::behind(folder.inode(), b"").to_string();
    assert_eq!(rotated["cursor"], start);
    assert_eq!(events.line(), "back");

    // A cursor that means nothing any more.
    events.last_id = "1-2-3".to_owned();
    events.reconnect(&server);
    let lost = events.event("lost");
    assert_eq!(
        (&lost["bytes"], &lost["cursor"]),
        (&Value::Null, &start.into())
    );
    assert_eq!(events.line(), "back");
}

/// The id is set before the first line, so that one who is cut off at once does not begin again.
#[test]
fn cut_off_before_the_first_line() {
    let folder = Folder::new();
    let mut server = Server::start(&[folder.arg()]);
    let mut events = EventSource::connect(&server, "/stream/app.log");
    assert_eq!(events.event("missing")["event"], "missing");
    assert_eq!(events.last_id, "0-0");
    server.stop();
    folder.append(lines(1..=100));
    server.start_again();
    events.reconnect(&server);
    // All hundred: every one is new to who was there before the file.
    for number in 1..=100 {
        assert_eq!(events.line().as_bytes(), lines([number]).trim_ascii_end());
    }
}

#[test]
fn the_id_wins_over_the_query() {
    let (folder, server, mut events) = scene(lines(1..=20));
    events.lines(15);
    events.reconnect(&server);
    assert_eq!(events.line().as_bytes(), lines([16]).trim_ascii_end());
    events.reconnect_by_from(&server);
    assert_eq!(events.line().as_bytes(), lines([17]).trim_ascii_end());
    for id in ["nonsense", "1-2-3-4", "-"] {
        let more = format!("Accept: text/event-stream\r\nLast-Event-ID: {id}\r\n");
        let answer = Connection::open(&server).request("GET", TARGET, &more);
        assert_eq!(answer.status, 400, "{id}: {answer:?}");
        answer.sentence();
    }
    // It means something to this form only.
    let more = "Last-Event-ID: nonsense\r\n";
    let answer = Connection::open(&server).request("GET", TARGET, more);
    assert_eq!(answer.body, fs::read(&folder.log).unwrap());
}

#[test]
fn a_sign_of_life_each_heartbeat() {
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start(&[folder.arg(), "--heartbeat=100ms"]);
    let mut events = EventSource::connect(&server, TARGET);
    assert_eq!(events.line(), "hello");
    let before = events.comments;
    let writing = std::thread::spawn({
        let log = folder.log.clone();
        move || {
            std::thread::sleep(Duration::from_secs(1));
            let mut log = fs::OpenOptions::new().append(true).open(log).unwrap();
            std::io::Write::write_all(&mut log, b"again\n").unwrap();
        }
    });
    assert_eq!(events.line(), "again");
    writing.join().unwrap();
    let beats = events.comments - before;
    assert!((3..=12).contains(&beats), "{beats} comments in a second");
}

#[test]
fn the_end_of_the_server() {
    let (_folder, mut server, mut events) = scene("hello\n");
    assert_eq!(events.line(), "hello");
    let ended = server.stop();
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(events.body().rest(), b"");
}

#[test]
fn who_leaves_is_gone() {
    let (_folder, server, mut events) = scene("hello\n");
    events.line();
    drop(events);
    until_true("it to be counted no more", || {
        source(&server, "app.log")["clients"] == 0
    });
    assert_eq!(get(&server, "/health").status, 200);
}

/// Short lines make a long answer: fifty bytes of event for each. As many clients as there are
/// places for, none of which reads, stay within what the service is given (`MemoryMax` of
/// `cross/service/tailcast.service`).
#[test]
fn short_lines_for_those_who_never_read() {
    let folder = Folder::new();
    folder.append("fifteen letters\n".repeat(1 << 18));
    let server = Server::start(&[folder.arg()]);
    // Each takes another part of what is made at once.
    let connect = |number: usize| {
        let connection = Connection::open(&server);
        let taken = (16 + number % 64) << 10;
        set_socket_recv_buffer_size(connection.socket(), taken).expect("SO_RCVBUF");
        Endless::over(connection, TARGET, "Accept: text/event-stream\r\n")
    };
    // The places that are left beside the one that asks below.
    let count = if is_emulated() { 20 } else { 250 };
    let stuck: Vec<Endless> = (0..count).map(connect).collect();
    // Until it has filled every socket, and goes on no more.
    let sent = || {
        let counted = get(&server, "/metrics").text();
        let line = counted
            .lines()
            .find(|line| line.starts_with("tailcast_sent_bytes_total"));
        line.expect("the counter").to_owned()
    };
    let (mut most, mut last, mut same) = (0, String::new(), 0);
    until_true("it to have sent what the sockets take", || {
        let now = sent();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        most = most.max(server.own_memory());
        same > 50
    });
    drop(stuck);
    if is_emulated() {
        return crate::require::skip("what grows here is the emulator");
    }
    assert!(most < 32 << 20, "{} KiB for {count} of them", most >> 10);
}
