//! The newest of the files that match: a sensor's file a day, and no link that leads to today's.

use crate::chapters::cli::run;
use crate::client::{Client, Heard, Plain};
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::{get, source};
use crate::server::Server;
use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

const URL: &str = "/stream/day?from=start";

fn start(folder: &Folder, pattern: &str) -> Server {
    let source = format!("day=newest:{}", folder.path(pattern).display());
    Server::start(&[&source, "--poll=20ms"])
}

fn append(folder: &Folder, name: &str, text: &str) {
    let path = folder.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = File::options();
    let mut file = file.append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// All bytes up to `last`, and the events on the way.
fn until(client: &mut Client, last: &str) -> (String, Vec<String>) {
    let (mut text, mut events) = (String::new(), Vec::new());
    while !text.ends_with(last) {
        match client.next() {
            Heard::Bytes(bytes) => text += std::str::from_utf8(&bytes).unwrap(),
            Heard::Event(event) => events.push(event["event"].as_str().unwrap().to_owned()),
            other => panic!("{other:?} before {last}, after {text}"),
        }
    }
    (text, events)
}

#[test]
fn midnight() {
    let folder = Folder::new();
    append(&folder, "2026-11-24.csv", "mon\n");
    append(&folder, "2026-11-25.csv", "tue\n");
    append(&folder, "2026-11-25.csv.gz", "compressed");
    let server = start(&folder, "*.csv");
    let mut client = Client::connect(&server, URL);
    assert_eq!(client.bytes_until("tue\n"), b"tue\n");
    append(&folder, "2026-11-25.csv", "tue, late\n");
    assert_eq!(client.bytes_until("late\n"), b"tue, late\n");
    // Made beforehand and still empty: what is written to the old one goes on.
    append(&folder, "2026-11-26.csv", "");
    until_true("the new file to be known", || {
        let listed = get(&server, "/stream/day?generations").json();
        listed.as_array().is_some_and(|list| list.len() == 3)
    });
    append(&folder, "2026-11-25.csv", "tue, last\n");
    assert_eq!(client.bytes_until("last\n"), b"tue, last\n");
    append(&folder, "2026-11-26.csv", "wed\n");
    let want = ("wed\n".to_owned(), vec!["rotated".to_owned()]);
    assert_eq!(until(&mut client, "wed\n"), want);
    assert_eq!(get(&server, "/stream/day").text(), "wed\n");
    assert_eq!(source(&server, "day")["watch"], "polling");
    let mut plain = Plain::connect(&server, URL);
    assert_eq!(plain.line(), "wed");
}

/// Each day's rest and the days between are sent, each once, and nothing is told as lost.
#[test]
fn asleep_over_two_midnights() {
    let folder = Folder::new();
    append(&folder, "sub/2026-11-09.csv", "one\n");
    let server = start(&folder, "*/*.csv");
    let mut client = Client::connect(&server, URL);
    client.bytes_until("one\n");
    client.disconnect();
    until_true("the viewer to be gone", || {
        source(&server, "day")["clients"] == 0
    });
    append(&folder, "sub/2026-11-09.csv", "one, rest\n");
    append(&folder, "sub/2026-11-10.csv", "two\n");
    append(&folder, "sub/2026-11-11.csv", "three\n");
    client.resume(&server);
    let (text, events) = until(&mut client, "three\n");
    assert_eq!(text, "one, rest\ntwo\nthree\n");
    assert_eq!(events, ["rotated", "rotated"]);

    // Awake, but two came between two looks.
    append(&folder, "sub/2026-11-12.csv", "four\n");
    append(&folder, "sub/2026-11-13.csv", "five\n");
    let (text, events) = until(&mut client, "five\n");
    assert_eq!(text, "four\nfive\n");
    assert_eq!(events, ["rotated", "rotated"]);
}

#[test]
fn none_yet_and_none_any_more() {
    let folder = Folder::new();
    let server = start(&folder, "not/yet/*.csv");
    let mut client = Client::connect(&server, URL);
    client.event("missing");
    assert_eq!(source(&server, "day")["missing"], "absent");
    append(&folder, "not/yet/a1.csv", "one\n");
    client.event("found");
    assert_eq!(client.bytes_until("one\n"), b"one\n");
    append(&folder, "not/yet/a2.csv", "two\n");
    assert_eq!(client.bytes_until("two\n"), b"two\n");
    // The one before it was sent already.
    fs::remove_file(folder.path("not/yet/a2.csv")).unwrap();
    client.event("missing");
    assert!(client.next_within(Duration::from_millis(300)).is_none());
    append(&folder, "not/yet/a3.csv", "three\n");
    assert_eq!(client.bytes_until("three\n"), b"three\n");
}

/// A cursor, a link and another pattern's file reach nothing that the glob does not stand for.
#[test]
fn nothing_else_is_reached() {
    let (outside, folder) = (Folder::new(), Folder::new());
    outside.append("secret\n");
    std::os::unix::fs::symlink(&outside.log, folder.path("2026-12-31.csv")).unwrap();
    append(&folder, "2026-11-25.csv", "mine\n");
    append(&folder, "2026-11-25.txt", "another's\n");
    let server = start(&folder, "*.csv");
    assert_eq!(get(&server, "/stream/day").text(), "mine\n");
    for path in [outside.log.clone(), folder.path("2026-11-25.txt")] {
        let inode = crate::folder::inode(&path);
        let part = get(&server, &format!("/stream/day?from={inode:x}-0&max=100"));
        assert_eq!(part.status, 404, "{path:?}");
    }
}

#[test]
fn no_wildcard() {
    let output = run(&["--listen=127.0.0.1:0", "newest:/data/a.csv"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("`/data/a.csv`") && text.lines().count() == 1,
        "{text}"
    );
}
