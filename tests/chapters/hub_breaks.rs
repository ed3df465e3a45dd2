//! A hub whose engine is cut off, forgets, goes back in time or is written to by others: its
//! viewers have each byte once, or are told what is lost.

use crate::chapters::engine::{SUBJECT, board};
use crate::chapters::hub::{both, hub};
use crate::client::{Client, Heard};
use crate::deadline::{DEADLINE, until_true};
use crate::dice::Dice;
use crate::folder::Folder;
use crate::http::{get, source};
use crate::jetstream::Talk;
use crate::nats::Nats;
use crate::weather::{Fault, Weather};
use crate::writer::{assert_lines, lines};
use serde_json::json;
use std::fs;
use std::process::Command;
use std::time::Instant;

#[test]
fn a_viewer_misses_nothing_in_bad_weather() {
    let Some(nats) = Nats::start() else { return };
    let folder = Folder::new();
    folder.append(lines([1]));
    let _board = board(&folder, &nats.url());
    nats.bytes(SUBJECT, 1);
    // Towards a hub come the messages themselves.
    let weather = Weather::start(nats.addr, 21, 6, |dice| {
        Fault::CutBack(20_000 + dice.below(60_000))
    });
    let hub = hub(&folder, weather.addr, SUBJECT);
    let mut client = Client::connect(&hub, "/stream/app.log?from=start");
    let mut dice = Dice(21);
    let mut written = 1;
    let mut bytes = client.bytes_until(lines([1]));
    while weather.left() > 0 {
        let count = 1 + dice.below(50);
        folder.append(lines(written + 1..=written + count));
        written += count;
        bytes.extend(client.bytes_until(lines([written])));
    }
    assert_lines(&bytes, 1..=written);
    assert!(client.events.is_empty(), "{:?}", client.events);
}

#[test]
fn a_lost_beginning_is_told() {
    let Some(nats) = Nats::start() else { return };
    let text = lines(1..=3000);
    let (folder, _board, hub) = both(&nats, &text);
    let cursor = get(&hub, "/stream?from=start")
        .header("Tailcast-Cursor")
        .unwrap()
        .to_owned();
    assert!(!cursor.is_empty());
    folder.append(lines([3001]));
    nats.bytes(SUBJECT, text.len() + lines([3001]).len());
    nats.api("STREAM.PURGE.TAILCAST", &json!({ "keep": 1 }).to_string());
    until_true("the beginning to be gone", || {
        get(&hub, "/stream?generations").json()[0]["start"] == text.len()
    });
    let inode = get(&hub, "/stream?generations").json()[0]["inode"]
        .as_str()
        .unwrap()
        .to_owned();
    let poll = get(&hub, &format!("/stream?from={inode}-64"));
    assert_eq!(
        poll.header("Tailcast-Lost"),
        Some(&*(text.len() - 100).to_string())
    );
    assert_eq!(poll.body, lines([3001]));
    assert_eq!(get(&hub, "/stream?from=start").body, lines([3001]));
    assert_eq!(
        source(&hub, "app.log")["size"],
        text.len() + lines([3001]).len()
    );
    let gone = get(&hub, &format!("/stream?from={inode}-64&max=10"));
    assert_eq!(
        (gone.status, gone.header("Tailcast-Lost")),
        (404, Some("unknown"))
    );
    // A viewer that stands there all the while hears of nothing.
    let mut client = Client::connect(&hub, "/stream?from=end");
    folder.append(lines([3002]));
    assert_eq!(client.bytes_until(lines([3002])), lines([3002]));
    assert!(client.events.is_empty());
}

#[test]
fn an_older_copy_and_an_emptied_subject() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let (folder, _board, hub) = both(&nats, &lines(1..=500));
    let copy = folder.path("copy");
    nats.kill();
    let copied = Command::new("cp")
        .arg("-a")
        .args([&nats.store(), &copy])
        .status();
    assert!(copied.unwrap().success());
    nats.start_again();
    let mut client = Client::connect(&hub, "/stream?from=start");
    folder.append(lines(501..=600));
    let mut bytes = client.bytes_until(lines([600]));
    nats.kill();
    fs::remove_dir_all(nats.store()).unwrap();
    fs::rename(&copy, nats.store()).unwrap();
    nats.start_again();
    folder.append(lines(601..=700));
    // The board fills the gap; the viewer has seen that, and sees it once.
    bytes.extend(client.bytes_until(lines([700])));
    assert_lines(&bytes, 1..=700);
    assert!(client.events.is_empty(), "{:?}", client.events);
    // Emptied, it is published anew from the file's start: for who stood at its end nothing
    // happened.
    nats.api("STREAM.PURGE.TAILCAST", "");
    folder.append(lines([701]));
    assert_eq!(client.bytes_until(lines([701])), lines([701]));
    assert!(client.events.is_empty(), "{:?}", client.events);
    // With another file it is another subject, and that is told.
    folder.rotate();
    nats.api("STREAM.PURGE.TAILCAST", "");
    folder.append(lines([702]));
    let mut anew = Vec::new();
    let end = Instant::now() + DEADLINE;
    while !anew.ends_with(&lines([702])) {
        assert!(Instant::now() < end, "{:?}", client.events);
        match client.next() {
            Heard::Bytes(more) => anew.extend(more),
            Heard::Event(event) => assert_eq!(event["event"], "lost"),
            Heard::Closed(code) => panic!("closed with {code:?}"),
        }
    }
    assert_eq!((client.event_names(), anew), (vec!["lost"], lines([702])));
}

#[test]
fn what_others_publish_there_is_not_shown() {
    let Some(nats) = Nats::start() else { return };
    let (folder, _board, hub) = both(&nats, &lines([1]));
    let mut client = Client::connect(&hub, "/stream?from=start");
    client.bytes_until(lines([1]));
    let mut talk = Talk::open(&nats);
    // Without headers; with those of a message that the stream does not take, as an old one of a
    // broken connection.
    let last = nats.last(SUBJECT).unwrap();
    let forged = format!(
        "NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: {}\r\nTailcast-From: {}\r\nTailcast-Cursor: 1-5\r\nTailcast-Bytes: {}\r\n\r\n",
        last.sequence + 7,
        last.cursor,
        last.bytes + 5,
    );
    talk.publish_with(SUBJECT, &forged, b"forge");
    folder.append(lines([2]));
    assert_eq!(client.bytes_until(lines([2])), lines([2]));
    assert!(client.events.is_empty());
}
