//! Following one file that grows, is cut, is rewritten, is not there: what arrives is what was
//! written, and each break is told.

use crate::client::{Client, Heard};
use crate::cursor::Place;
use crate::deadline::DEADLINE;
use crate::folder::{Folder, inode};
use crate::server::Server;
use crate::writer::{Writer, line, lines, sha256};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// A log of 100 lines, a server, and a client that has heard them all.
pub fn scene(folder: &Folder) -> (Server, Writer, Client) {
    let mut writer = Writer::start(&folder.log);
    writer.write(100);
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    assert_eq!(client.bytes_until(writer.last()), writer.everything());
    (server, writer, client)
}

/// The breaks the client was told of, each with the number of bytes before it. Whether it also
/// heard the name missing for a moment depends on when the server looked.
pub fn breaks(client: &Client) -> Vec<(u64, &str)> {
    client
        .events
        .iter()
        .map(|(at, event)| (*at, event["event"].as_str().unwrap()))
        .filter(|(_, name)| !matches!(*name, "missing" | "found"))
        .collect()
}

/// The cursor of the latest event that has one is the start of the file that is at `path` now.
pub fn assert_at_start_of(path: &Path, event: &Value) {
    let cursor = Place::parse(event["cursor"].as_str().expect("cursor"));
    assert!(
        cursor.agrees(&Place::behind(inode(path), b"")),
        "{event}, file {:x}",
        inode(path)
    );
}

#[test]
fn grown() {
    for folder in Folder::each() {
        let (_server, mut writer, mut client) = scene(&folder);
        writer.begin(20_000);
        let more = client.bytes_until(line(20_100));
        writer.wait();
        assert_eq!(sha256(more), sha256(lines(101..=20_100)));
        assert!(client.events.is_empty(), "{:?}", client.events);
    }
}

#[test]
fn grown_by_less_than_a_line() {
    let folder = Folder::new();
    let (_server, _writer, mut client) = scene(&folder);
    folder.append("hal");
    assert_eq!(client.bytes_until("hal"), b"hal");
    folder.append("f\n");
    assert_eq!(client.bytes_until("f\n"), b"f\n");
}

#[test]
fn copied_and_truncated() {
    for folder in Folder::each() {
        let (_server, mut writer, mut client) = scene(&folder);
        fs::copy(&folder.log, folder.path("app.log.1")).unwrap();
        folder.truncate();
        writer.write(20);
        assert_eq!(client.bytes_until(writer.last()), lines(101..=120));
        assert_eq!(
            breaks(&client),
            [(lines(1..=100).len() as u64, "truncated")]
        );
        let truncated = &client.events[0].1;
        assert_eq!(truncated["lost"], 0);
        assert_at_start_of(&folder.log, truncated);
    }
}

/// A cut is told when it is seen, not when the next line comes.
#[test]
fn truncated_and_left_empty() {
    let folder = Folder::new();
    let (_server, _writer, mut client) = scene(&folder);
    folder.truncate();
    assert_eq!(client.event("truncated")["lost"], 0);
}

#[test]
fn truncated_before_the_client_had_it_all() {
    let folder = Folder::new();
    let size = 64 << 20;
    folder.append(vec![b'x'; size]);
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    folder.truncate();
    folder.append("new\n");
    let bytes = client.bytes_until("new\n");
    let [(at, event)] = &client.events[..] else {
        panic!("{:?}", client.events);
    };
    assert_eq!(event["event"], "truncated");
    assert_eq!(event["lost"], size as u64 - at);
    assert_eq!(bytes.len() as u64, at + 4);
}

#[test]
fn truncated_and_grown_past_the_offset_between_two_looks() {
    for folder in Folder::each() {
        let (server, mut writer, mut client) = scene(&folder);
        server.between_two_looks(|| {
            folder.truncate();
            writer.write(500);
        });
        assert_eq!(client.bytes_until(writer.last()), lines(101..=600));
        assert_eq!(
            breaks(&client),
            [(lines(1..=100).len() as u64, "truncated")]
        );
        assert_eq!(client.events[0].1["lost"], 0);
    }
}

#[test]
fn rewritten_in_place_at_the_same_size() {
    for folder in Folder::each() {
        let (server, mut writer, mut client) = scene(&folder);
        let reversed: Vec<u8> = writer.everything().into_iter().rev().collect();
        server.between_two_looks(|| {
            let mut log = OpenOptions::new().write(true).open(&folder.log).unwrap();
            log.write_all(&reversed).unwrap();
        });
        writer.write(1);
        let expected = [reversed, lines([101])].concat();
        assert_eq!(client.bytes_until(writer.last()), expected);
        assert_eq!(
            breaks(&client),
            [(lines(1..=100).len() as u64, "truncated")]
        );
        assert_eq!(client.events[0].1["lost"], 0);
    }
}

#[test]
fn missing_at_start() {
    for folder in Folder::each() {
        let server = Server::start(&[folder.arg()]);
        let mut client = Client::connect(&server, "/stream/app.log");
        assert_eq!(client.open["cursor"], "0-0");
        client.event("missing");
        let mut writer = Writer::start(&folder.log);
        writer.write(100);
        assert_eq!(client.bytes_until(writer.last()), writer.everything());
        assert_eq!(client.event_names(), ["missing", "found", "rotated"]);
    }
}

#[test]
fn missing_with_its_directory_at_start() {
    let folder = Folder::new();
    let log = folder.path("not/yet/app.log");
    let server = Server::start(&[log.to_str().unwrap()]);
    let mut client = Client::connect(&server, "/stream/app.log");
    client.event("missing");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    let mut writer = Writer::start(&log);
    writer.write(100);
    assert_eq!(client.bytes_until(writer.last()), writer.everything());
}

/// No timer, no poll: while nobody listens, no thread of the server wakes up, whatever happens to
/// the file.
#[test]
fn nothing_runs_while_nobody_listens() {
    let folder = Folder::new();
    let (server, mut writer, mut client) = scene(&folder);
    folder.rotate();
    writer.reopen();
    writer.write(1);
    client.bytes_until(writer.last());
    client.disconnect();
    let quiet = std::time::Duration::from_secs(2);
    crate::deadline::until_true("two seconds without a wake-up", || {
        let before = (server.threads(), server.sleeps());
        writer.write(10);
        // The one place where time is what is measured.
        std::thread::sleep(quiet);
        before == (server.threads(), server.sleeps())
    });

    // And it wakes up for the next one.
    let mut late = Client::connect(&server, "/stream/app.log");
    writer.write(1);
    late.bytes_until(writer.last());
}

/// Without any notice from the kernel (NFS, FUSE, or its limit of inotify instances reached), a
/// look every `--poll`.
#[test]
fn followed_without_inotify() {
    let Some(unshare) = crate::require::tool("unshare") else {
        return;
    };
    let no_inotify = "echo 0 >/proc/sys/user/max_inotify_instances || exit 77; exec \"$@\"";
    let before = [
        unshare.to_str().unwrap(),
        "-Ur",
        "sh",
        "-c",
        no_inotify,
        "sh",
    ];
    let allowed = std::process::Command::new(before[0])
        .args(&before[1..])
        .arg("true")
        .output()
        .unwrap();
    if !allowed.status.success() {
        crate::require::skip("user namespaces are not allowed here");
        return;
    }
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    writer.write(100);
    let server = Server::start_under(&before, &[folder.arg(), "--poll=20ms"]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    client.bytes_until(writer.last());
    writer.write(10);
    assert_eq!(client.bytes_until(writer.last()), lines(101..=110));
    folder.rotate();
    writer.write(10);
    writer.reopen();
    writer.write(10);
    assert_eq!(client.bytes_until(writer.last()), lines(111..=130));
    assert_eq!(breaks(&client), [(lines(1..=120).len() as u64, "rotated")]);
    folder.truncate();
    writer.write(10);
    assert_eq!(client.bytes_until(writer.last()), lines(131..=140));
    fs::remove_file(&folder.log).unwrap();
    loop {
        match client.next_within(DEADLINE) {
            Some(Heard::Event(event)) if event["event"] == "missing" => break,
            Some(Heard::Event(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Offsets that 32 bits have no room for, live: a log that has grown for months.
#[test]
fn beyond_four_gibibytes() {
    const END: u64 = 5 << 30;
    let folder = Folder::new();
    let log = File::create(&folder.log).unwrap();
    log.set_len(END).unwrap();
    folder.append("\nthe end\n");
    let mut server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=-1");
    assert_eq!(client.open["size"], END + 9);
    assert_eq!(client.bytes_until("\n"), b"the end\n");
    assert_eq!(client.place().offset, END + 9);
    folder.append("more\n");
    assert_eq!(client.bytes_until("\n"), b"more\n");
    client.disconnect();
    folder.append(format!("{}\n", "-".repeat(99)));
    server.restart();
    client.resume(&server);
    assert_eq!(client.bytes_until("\n").len(), 100);
    // Its check is of bytes behind the fourth gibibyte, too.
    client.disconnect();
    folder.append("and more\n");
    client.resume(&server);
    assert_eq!(client.bytes_until("\n"), b"and more\n");
    assert_eq!(client.place().offset, END + 123);
    log.set_len(0).unwrap();
    assert_eq!(client.event("truncated")["lost"], 0);
    folder.append("new\n");
    assert_eq!(client.bytes_until("\n"), b"new\n");
    assert_eq!(client.place().offset, 4);
    folder.rotate();
    folder.append("next\n");
    client.event("rotated");
    assert_eq!(client.bytes_until("\n"), b"next\n");
}
