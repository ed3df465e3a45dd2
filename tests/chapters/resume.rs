//! Going on where a client stood: over lost connections, restarts of the server, and rotations
//! while it was away.

use crate::client::{Client, Heard};
use crate::cursor::Place;
use crate::dice::Dice;
use crate::folder::{Folder, inode, rename};
use crate::http::Connection;
use crate::server::Server;
use crate::writer::{Writer, assert_lines, lines};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn a_hundred_lost_connections() {
    let folder = Folder::new();
    let mut dice = Dice(0x7a11_ca57);
    let mut writer = Writer::start(&folder.log);
    let mut server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    let (mut bytes, mut rotations) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        writer.begin(1 + dice.below(2_000));
        // Somewhere on the way, perhaps in the middle of a line, perhaps with half of a message on
        // the wire.
        let enough = client.count + dice.below(100_000);
        let enough = enough.min(writer.everything().len() as u64);
        while client.count < enough {
            if let Heard::Bytes(more) = client.next() {
                bytes.extend(more);
            }
        }
        // Rotations while it still listens, while it is away, and while it comes back.
        rotate(dice.below(2), &folder, &mut writer, &mut rotations);
        client.disconnect();
        rotate(dice.below(3), &folder, &mut writer, &mut rotations);
        match dice.below(6) {
            0 => server.restart(),
            1 => server.crash(),
            _ => {}
        }
        client.resume(&server);
        rotate(dice.below(2), &folder, &mut writer, &mut rotations);
        writer.wait();
    }
    // It may have them all already: one more for it to wait for.
    writer.write(1);
    bytes.extend(client.bytes_until(writer.last()));
    assert_lines(&bytes, 1..=writer.written);
    let mut heard: Vec<(u64, &str)> = client
        .events
        .iter()
        .map(|(at, event)| (*at, event["event"].as_str().unwrap()))
        .collect();
    heard.retain(|(_, name)| !matches!(*name, "missing" | "found"));
    assert_eq!(heard, rotations);
}

/// Rotates under a writer that goes on at once, and notes at which byte.
fn rotate(times: u64, folder: &Folder, writer: &mut Writer, at: &mut Vec<(u64, &str)>) {
    for _ in 0..times {
        writer.wait();
        at.push((writer.everything().len() as u64, "rotated"));
        folder.rotate();
        writer.reopen();
        writer.begin(100);
    }
}

/// A client that has heard 100 lines and left.
fn scene(folder: &Folder) -> (Server, Writer, Client) {
    let mut writer = Writer::start(&folder.log);
    writer.write(100);
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    client.bytes_until(writer.last());
    client.disconnect();
    (server, writer, client)
}

#[test]
fn after_two_rotations_and_a_restart() {
    for folder in Folder::each() {
        let (mut server, mut writer, mut client) = scene(&folder);
        for _ in 0..2 {
            writer.write(50);
            folder.rotate();
            writer.reopen();
        }
        writer.write(50);
        server.restart();
        client.resume(&server);
        assert_eq!(client.bytes_until(writer.last()), lines(101..=250));
        assert_eq!(client.event_names(), ["rotated", "rotated"]);
        let at: Vec<u64> = client.events.iter().map(|(at, _)| *at).collect();
        let ends = [150, 200].map(|last| lines(1..=last).len() as u64);
        assert_eq!(at, ends);
    }
}

/// Fewer than 64 bytes seen: the cursor has no check, and that is good enough.
#[test]
fn from_a_cursor_without_check() {
    let folder = Folder::new();
    let (server, mut writer, _) = scene(&folder);
    let mut client = Client::connect(&server, "/stream/app.log?from=end");
    folder.append("short");
    client.bytes_until("short");
    assert_eq!(client.place().check(), None);
    client.disconnect();
    writer.write(1);
    client.resume(&server);
    assert_eq!(client.bytes_until(writer.last()), lines([101]));
    assert!(client.events.is_empty(), "{:?}", client.events);
}

/// What was there is gone: the client is told that it lost bytes nobody can count, and has the file
/// from its start.
fn assert_lost(client: &mut Client, server: &Server, file: &[u8]) {
    let before = client.count;
    client.resume(server);
    // `open` may already stand at the new place, or `lost` may move us there.
    if client.events.is_empty() {
        client.event("lost");
    }
    let (at, lost) = &client.events[0];
    assert_eq!((lost["event"].as_str(), *at), (Some("lost"), before));
    assert!(
        lost["bytes"].is_null() && lost.get("bytes").is_some(),
        "{lost}"
    );
    assert_eq!(client.bytes_until(&file[file.len() - 20..]), file);
    assert_eq!(client.event_names(), ["lost"]);
}

#[test]
fn from_a_file_that_is_gone() {
    let folder = Folder::new();
    let (server, mut writer, mut client) = scene(&folder);
    folder.rotate();
    fs::remove_file(folder.path("app.log.1")).unwrap();
    writer.reopen();
    writer.write(10);
    assert_lost(&mut client, &server, &lines(101..=110));
}

#[test]
fn from_a_file_that_was_cut_meanwhile() {
    let folder = Folder::new();
    let (server, mut writer, mut client) = scene(&folder);
    folder.truncate();
    writer.write(10);
    assert_lost(&mut client, &server, &lines(101..=110));
}

/// The check is what tells it: inode and length would fit.
#[test]
fn from_a_file_that_was_cut_and_has_grown_past_the_cursor() {
    let folder = Folder::new();
    let (server, mut writer, mut client) = scene(&folder);
    folder.truncate();
    writer.write(500);
    assert_lost(&mut client, &server, &lines(101..=600));
}

#[test]
fn from_before_there_was_a_file() {
    let folder = Folder::new();
    let mut server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log");
    assert_eq!(client.open["cursor"], "0-0");
    client.disconnect();
    let mut writer = Writer::start(&folder.log);
    writer.write(100);
    server.restart();
    // Every line, not the last ten: all of it is new to one who was there before it.
    let target = format!("/stream/app.log?from={}", client.place());
    let mut client = Client::connect(&server, &target);
    assert_eq!(client.bytes_until(writer.last()), writer.everything());
}

#[test]
fn from_nonsense() {
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start(&[folder.arg()]);
    for from in [
        "",
        "-",
        "--5",
        "-1x",
        "+5",
        "5",
        "begin",
        "START",
        "1-",
        "-1-2",
        "1-2-",
        "1-2-3-4",
        "g-1-2",
        "0x1-2",
        "1-2-123456789",
        "11112222333344445-0",
        "1%202",
        "%ff",
        "../app.log",
    ] {
        let target = format!("/stream/app.log?from={from}");
        let answer = Connection::open(&server).ask_for_upgrade(&target, "");
        assert_eq!(answer.status, 400, "{from}: {answer:?}");
        answer.sentence();
    }
}

/// The family: what rotation makes of `app.log`. A client that stands in one of these goes on
/// there.
#[test]
fn from_every_name_that_rotation_gives() {
    for name in [
        "app.log.1",
        "app.log.20",
        "app.log-20260101",
        "app.log-20260101-1767225600",
        "app.log.2026-01-01T00_00_00",
        "app-20260101.log",
        "app-1.log",
        "app.log.old",
        "app.log-old",
        "app-old.log",
    ] {
        let folder = Folder::new();
        let (server, mut writer, mut client) = scene(&folder);
        writer.write(50);
        rename(&folder.log, &folder.path(name));
        writer.reopen();
        writer.write(50);
        client.resume(&server);
        assert!(client.events.is_empty(), "{name}: {:?}", client.events);
        assert_eq!(
            client.bytes_until(writer.last()),
            lines(101..=200),
            "{name}"
        );
        assert_eq!(client.event_names(), ["rotated"], "{name}");
    }
}

/// A cursor is a stranger's input. None of these may be opened by it, whatever its inode says.
#[test]
fn never_from_another_file_of_the_directory() {
    let folder = Folder::new();
    folder.append("the log\n");
    let secret = "secret, and long enough that a check could be made of it, if it came to that\n";
    let private = [
        "secret.txt",
        "app.log.gz",
        "app.log.1.gz",
        "app.log.2.xz",
        "app.log.3.zst",
        "app.log.4.bz2",
        "app.log.bak",
        "app.log~",
        "app.log.swp",
        "app.logs",
        "app.log.private",
        "app.log.1.key",
        "app",
        "app-private.log",
        "other.log.1",
        "xapp.log.1",
        "app.log.",
        "app.log-",
        ".app.log.1",
        "app.log.1x",
        "app.log.older",
    ];
    for name in private {
        fs::write(folder.path(name), secret).unwrap();
    }
    symlink("secret.txt", folder.path("app.log.5")).unwrap();
    fs::create_dir(folder.path("app.log.6")).unwrap();
    // Opening this one to read would wait for a writer for ever.
    mknodat(
        CWD,
        folder.path("app.log.7"),
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    let server = Server::start(&[folder.arg()]);
    for name in private
        .into_iter()
        .chain(["app.log.5", "app.log.6", "app.log.7"])
    {
        let number = inode(&folder.path(name));
        let place = Place::behind(number, &secret.as_bytes()[..70]);
        for cursor in [
            format!("{number:x}-0"),
            format!("{number:x}-4"),
            place.to_string(),
        ] {
            let target = format!("/stream/app.log?from={cursor}");
            let mut client = Client::connect(&server, &target);
            assert_eq!(
                client.event("lost")["bytes"],
                serde_json::Value::Null,
                "{name}"
            );
            assert_eq!(client.bytes_until("\n"), b"the log\n", "{name}");
            assert_eq!(client.event_names(), ["lost"], "{name}");
        }
    }
}
