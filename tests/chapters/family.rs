//! What rotation made of a name, while nobody looked: each byte once, in order, or a word of what
//! is missing.

use crate::client::Client;
use crate::folder::{Folder, rename};
use crate::server::Server;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A client that has seen `old`, and is away.
fn away(folder: &Folder, server: &Server) -> Client {
    let mut client = Client::connect(server, "/stream?from=start");
    client.bytes_until("old\n");
    client.disconnect();
    assert!(folder.log.exists());
    client
}

/// What was written so long ago, by the clock.
fn written(path: &Path, ago: u64) {
    let file = File::options().append(true).open(path).unwrap();
    let time = SystemTime::now() - Duration::from_secs(ago);
    file.set_modified(time).unwrap();
}

#[test]
fn the_names_that_loggers_give() {
    for rotated in [
        "app.log.1",
        "app.log-20261125",
        "app.1.log",
        "app_1.log",
        "app.2026-11-25.log",
        "app.2026-11-25.0.log",
        "app__2026-11-25_00-00-00.log",
        "app-11-25-2026-1.log",
    ] {
        let folder = Folder::new();
        folder.append("old\n");
        let server = Server::start(&[folder.arg()]);
        let mut client = away(&folder, &server);
        folder.append("its rest\n");
        rename(&folder.log, &folder.path(rotated));
        folder.append("new\n");
        client.resume(&server);
        assert_eq!(client.bytes_until("new\n"), b"its rest\nnew\n", "{rotated}");
        assert_eq!(client.event_names(), ["rotated"], "{rotated}");
    }
}

#[test]
fn multilog_beside_current() {
    let folder = Folder::new();
    let current = folder.path("current");
    fs::write(&current, "old\n").unwrap();
    let server = Server::start(&[current.to_str().unwrap()]);
    let mut client = Client::connect(&server, "/stream?from=start");
    client.bytes_until("old\n");
    client.disconnect();
    rename(&current, &folder.path("@4000000065f0c3a20bd2f3c4.s"));
    fs::write(folder.path("@4000000065f0c3b20bd2f3c4.u"), "between\n").unwrap();
    fs::write(&current, "new\n").unwrap();
    client.resume(&server);
    assert_eq!(client.bytes_until("new\n"), b"between\nnew\n");
    assert_eq!(client.event_names(), ["rotated", "rotated"]);
}

#[test]
fn the_clock_was_set_back_between_two_rotations() {
    for (old, told) in [
        ("app.log.2", &["rotated", "rotated"][..]),
        // Their times contradict their numbers, and a file may lie between them: that is told.
        ("app.log.3", &["lost", "rotated", "rotated"]),
    ] {
        let folder = Folder::new();
        folder.append("old\n");
        let server = Server::start(&[folder.arg()]);
        let mut client = away(&folder, &server);
        rename(&folder.log, &folder.path(old));
        fs::write(folder.path("app.log.1"), "between\n").unwrap();
        folder.append("new\n");
        for (name, ago) in [(old, 60), ("app.log.1", 3600), ("app.log", 1800)] {
            written(&folder.path(name), ago);
        }
        client.resume(&server);
        assert_eq!(client.bytes_until("new\n"), b"between\nnew\n");
        assert_eq!(client.event_names(), told, "{old}");
    }
}

#[test]
fn a_link_to_the_newest_of_dated_files() {
    let folder = Folder::new();
    let day = |day: &str, text: &str| {
        fs::write(folder.path(day), text).unwrap();
        symlink(day, folder.path("~")).unwrap();
        rename(&folder.path("~"), &folder.log);
    };
    day("app-2026-11-23.log", "old\n");
    let server = Server::start(&[folder.arg()]);
    let mut client = away(&folder, &server);
    day("app-2026-11-24.log", "the 24th\n");
    day("app-2026-11-25.log", "the 25th\n");
    fs::write(folder.path("other-2026-11-24.log"), "somebody else's\n").unwrap();
    client.resume(&server);
    assert_eq!(client.bytes_until("25th\n"), b"the 24th\nthe 25th\n");
    assert_eq!(client.event_names(), ["rotated", "rotated"]);
}

#[test]
fn a_copy_with_the_same_bytes_is_the_same_place() {
    let folder = Folder::new();
    folder.append("a line that is not the only one\n".repeat(40) + "old\n");
    let mut server = Server::start(&[folder.arg()]);
    let mut client = away(&folder, &server);
    // As log2ram does over a reboot.
    fs::copy(&folder.log, folder.path("hdd.log")).unwrap();
    fs::remove_file(&folder.log).unwrap();
    fs::write(folder.path("other"), "keeps the inode").unwrap();
    fs::copy(folder.path("hdd.log"), &folder.log).unwrap();
    folder.append("after the boot\n");
    server.restart();
    client.resume(&server);
    assert_eq!(client.bytes_until("boot\n"), b"after the boot\n");
    assert!(
        client.event_names().is_empty(),
        "{:?}",
        client.event_names()
    );
}

#[test]
fn edited_in_place_goes_on_where_it_was() {
    let folder = Folder::new();
    folder.append("one\nold\n");
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream?from=start");
    client.bytes_until("old\n");
    // As an editor saves: a new file with all that was there, and more, renamed over.
    fs::write(folder.path("new"), "one\nold\nadded\n").unwrap();
    rename(&folder.path("new"), &folder.log);
    assert_eq!(client.bytes_until("added\n"), b"added\n");
    let rotated = &client.events[0].1;
    assert_eq!(client.event_names(), ["rotated"]);
    let offset = rotated["cursor"]
        .as_str()
        .unwrap()
        .split('-')
        .nth(1)
        .unwrap();
    assert_eq!(offset, "8", "{rotated}");
    // Changed before its end it is another file.
    fs::write(folder.path("new"), "two\nold\nadded\nmore\n").unwrap();
    rename(&folder.path("new"), &folder.log);
    assert_eq!(client.bytes_until("more\n"), b"two\nold\nadded\nmore\n");
}

#[test]
fn a_rotated_file_is_another_one_however_alike() {
    let folder = Folder::new();
    folder.append("time;value\n");
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream?from=start");
    client.bytes_until("\n");
    rename(&folder.log, &folder.path("app.log.1"));
    // The same head of a table, written anew.
    folder.append("time;value\n1;2\n");
    assert_eq!(client.bytes_until("1;2\n"), b"time;value\n1;2\n");
    assert_eq!(client.event_names(), ["rotated"]);
}
