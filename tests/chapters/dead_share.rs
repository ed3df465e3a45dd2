//! A network share whose server is gone, played by a FUSE file system that stops answering: it
//! holds up nobody but those who ask for it, and of them it holds nothing when they have left.

use crate::chapters::polled::{self, Mount};
use crate::client::Client;
use crate::deadline::{DEADLINE, until_true};
use crate::endless::Endless;
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::Server;
use rustix::fs::{Advice, fadvise};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

/// More than may be held at once.
const CLIENTS: usize = 20;

/// A server of a file on the card and one on a share, with places for few clients.
fn scene() -> Option<(Folder, Mount, Server)> {
    let (folder, mount) = polled::scene()?;
    fs::write(folder.path("real/app.log"), "x".repeat(1 << 20) + "\n").unwrap();
    fs::write(folder.path("card.log"), "y".repeat(8 << 20) + "\n").unwrap();
    let card = folder.path("card.log");
    let share = format!("share={}", mount.view.join("app.log").display());
    let server = Server::start(&[
        card.to_str().unwrap(),
        &share,
        "--public",
        "--max-clients=8",
    ]);
    Some((folder, mount, server))
}

/// How many connections are held, this one included.
fn held(server: &Server) -> u64 {
    let metrics = get(server, "/metrics").text();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("tailcast_connections "));
    line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

/// The card's file is read from the card, not from memory.
fn read_the_card(folder: &Folder, server: &Server) {
    let file = File::open(folder.path("card.log")).unwrap();
    file.sync_all().unwrap();
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    let began = Instant::now();
    assert_eq!(get(server, "/stream/card.log").body.len(), (8 << 20) + 1);
    assert!(began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
}

#[test]
fn those_who_ask_for_it_and_leave_hold_nothing() {
    let Some((folder, mount, server)) = scene() else {
        return;
    };
    // FUSE remembers sizes for a second.
    until_true("the share's file", || {
        get(&server, "/stream/share?from=-1").body.len() == (1 << 20) + 1
    });
    let stopped = mount.stop();
    let before = server.threads();
    for target in [
        "/stream/share",
        "/stream/share?from=-1",
        "/stream/share?follow",
        "/stream/share?from=1-1&max=10",
        "/stream/share?generations",
    ]
    .repeat(CLIENTS / 5)
    {
        let mut client = Connection::open(&server);
        client.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        // It is there, and waits.
        until_true("a place", || held(&server) > 1);
        drop(client);
        until_true("the place of one that left", || held(&server) == 1);
        read_the_card(&folder, &server);
        if server.threads() > before + 8 {
            panic!("{} threads, {before} before", server.threads());
        }
    }
    let began = Instant::now();
    assert_eq!(source(&server, "share")["missing"], "unreadable");
    // One that stays is told.
    assert_eq!(get(&server, "/stream/share").status, 503);
    assert!(began.elapsed() < DEADLINE);
    drop(stopped);
    until_true("the share to be back", || {
        get(&server, "/stream/share").status == 200
    });
}

#[test]
fn those_who_read_it_and_leave_hold_nothing() {
    let Some((folder, mount, server)) = scene() else {
        return;
    };
    fs::write(folder.path("real/app.log"), "x".repeat(64 << 20)).unwrap();
    let open = |_| {
        let narrow = Connection::narrow(&server);
        let follow = Endless::over(narrow, "/stream/share?follow&from=start", "");
        let narrow = Connection::narrow(&server);
        (follow, Client::over(narrow, "/stream/share?from=start"))
    };
    let mut clients: Vec<_> = (0..3).map(open).collect();
    let _stopped = mount.stop();
    // They take what was read before, then wait for the share.
    for (follow, exact) in &mut clients {
        follow
            .connection()
            .socket()
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        use std::io::Read;
        let mut sink = vec![0; 1 << 20];
        while matches!(follow.connection().stream().read(&mut sink), Ok(1..)) {}
        while exact.next_within(Duration::from_millis(300)).is_some() {}
    }
    assert_eq!(held(&server), 7);
    read_the_card(&folder, &server);
    drop(clients);
    until_true("the places of those that left", || held(&server) == 1);
    read_the_card(&folder, &server);
}

/// The file is here, the way to it leads over the share: the server's own thread never waits for
/// that.
#[test]
fn a_link_on_it_to_a_file_on_the_card() {
    let Some((folder, mount)) = polled::scene() else {
        return;
    };
    folder.append("one\n");
    symlink(&folder.log, folder.path("real/link.log")).unwrap();
    let link = mount.view.join("link.log");
    let server = Server::start(&[link.to_str().unwrap(), "--poll=20ms", "--public"]);
    let mut client = Client::connect(&server, "/stream/link.log?from=start");
    assert_eq!(client.bytes_until("\n"), b"one\n");
    let _stopped = mount.stop();
    for _ in 0..20 {
        folder.append("more\n");
        let began = Instant::now();
        assert_eq!(get(&server, "/health").status, 200);
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    // What is written to the file that is open is told by the kernel, whatever has become of its
    // name.
    let mut bytes = client.bytes_until("more\n");
    while bytes.len() < 20 * 5 {
        bytes.extend(client.bytes_until("\n"));
    }
}

/// The search for lines of a client that has left ends: here at a megabyte a second, of 64.
#[test]
fn a_search_for_lines_ends_with_its_client() {
    let folder = Folder::new();
    fs::create_dir(folder.path("real")).unwrap();
    fs::write(folder.path("real/app.log"), "x".repeat(64 << 20)).unwrap();
    let Some(mount) = Mount::of(
        &folder.path("real"),
        folder.path("view"),
        &["--read-rate=1M"],
    ) else {
        return;
    };
    let view = mount.view.join("app.log");
    let server = Server::start(&[view.to_str().unwrap(), "--public"]);
    let mut client = Connection::open(&server);
    client.send("GET /stream/app.log?from=-999999999 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let read = || {
        let io = fs::read_to_string(format!("/proc/{}/io", server.pid().as_raw_nonzero())).unwrap();
        io.lines()
            .find_map(|line| line.strip_prefix("rchar: ")?.parse::<u64>().ok())
            .unwrap()
    };
    until_true("the search to begin", || read() > 300_000);
    drop(client);
    until_true("the place of one that left", || held(&server) == 1);
    assert!(read() < 32 << 20, "it was read to its end");
}
