//! `?follow`, for `curl -N`: the file's own bytes in a body that does not end.

use crate::cursor::Place;
use crate::deadline::until_true;
use crate::endless::Endless;
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::Server;
use crate::writer::{Writer, lines, sha256};
use rustix::net::sockopt::set_socket_linger;
use std::fs;
use std::time::Duration;

fn scene(args: &[&str]) -> (Folder, Server, Writer) {
    let folder = Folder::new();
    let writer = Writer::start(&folder.log);
    let server = Server::start(&[&[folder.arg()], args].concat());
    (folder, server, writer)
}

fn follow(server: &Server, query: &str) -> Endless {
    Endless::ask(server, &format!("/stream/app.log?follow{query}"), "")
}

#[test]
fn from_where_it_is_asked() {
    let (folder, server, mut writer) = scene(&["--lines=5"]);
    writer.write(100);
    let third = Place::behind(folder.inode(), &lines(1..=3));
    for (query, first) in [
        ("", 96),
        ("=", 96),
        ("&from=start", 1),
        ("&from=-20", 81),
        ("&from=-1000", 1),
        ("&from=end", 101),
        (&format!("&from={third}"), 4),
    ] {
        let mut endless = follow(&server, query);
        let head = &endless.head;
        assert_eq!(
            head.header("Content-Type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(head.header("Cache-Control"), Some("no-store"));
        assert_eq!(head.header("X-Accel-Buffering"), Some("no"));
        assert_eq!(head.header("Incremental"), Some("?1"));
        // For an endless body, the place it starts at.
        let start = Place::behind(folder.inode(), &lines(1..first));
        assert_eq!(
            head.header("Tailcast-Cursor"),
            Some(start.to_string().as_str()),
            "{query}"
        );
        folder.append("mark\n");
        let all = [lines(first..=100), b"mark\n".to_vec()].concat();
        assert_eq!(endless.until("mark\n"), all, "{query}");
        // The next one finds the log as this one did.
        fs::write(&folder.log, lines(1..=100)).unwrap();
        until_true("the server to see it cut", || {
            get(&server, "/stream/app.log").body == lines(1..=100)
        });
    }
    let answer = get(&server, "/stream/app.log?follow&from=nonsense");
    assert_eq!(answer.status, 400);
    answer.sentence();
}

/// An HTTP/1.0 client knows no chunks: the end of the connection ends its body (RFC 9112 section
/// 6.3).
#[test]
fn over_http_1_0() {
    let (_folder, mut server, mut writer) = scene(&[]);
    writer.write(3);
    let mut connection = Connection::open(&server);
    connection.send("GET /stream/app.log?follow HTTP/1.0\r\n\r\n");
    let mut endless = Endless::answered(connection);
    assert_eq!(endless.head.header("Transfer-Encoding"), None);
    assert_eq!(endless.head.header("Connection"), Some("close"));
    assert_eq!(endless.until(writer.last()), lines(1..=3));
    writer.write(1);
    assert_eq!(endless.until(writer.last()), lines([4]));
    server.stop();
    assert_eq!(endless.rest(), b"");
}

#[test]
fn through_rotations_and_cuts() {
    for folder in Folder::each() {
        let mut writer = Writer::start(&folder.log);
        let server = Server::start(&[folder.arg()]);
        let mut endless = follow(&server, "&from=start");
        let mut bytes = Vec::new();
        for _ in 0..5 {
            writer.write(500);
            folder.rotate();
            // The writer has not noticed yet.
            writer.write(5);
            writer.reopen();
            writer.write(50);
            bytes.extend(endless.until(writer.last()));
        }
        assert_eq!(sha256(bytes), sha256(writer.everything()));
        folder.truncate();
        folder.append("after the cut\n");
        assert_eq!(endless.until("cut\n"), b"after the cut\n");
        fs::remove_file(&folder.log).unwrap();
        folder.append("another\n");
        assert_eq!(endless.until("another\n"), b"another\n");
    }
}

#[test]
fn a_file_that_is_not_there_yet() {
    let folder = Folder::new();
    let server = Server::start(&[folder.arg()]);
    let mut endless = follow(&server, "");
    assert_eq!(endless.head.header("Tailcast-Cursor"), Some("0-0"));
    folder.append("hello\n");
    assert_eq!(endless.until("\n"), b"hello\n");
}

#[test]
fn only_the_head() {
    let (folder, server, mut writer) = scene(&[]);
    writer.write(20);
    let mut connection = Connection::open(&server);
    let head = connection.request("HEAD", "/stream/app.log?follow", "");
    assert_eq!(head.status, 200);
    let start = Place::behind(folder.inode(), &lines(1..=10)).to_string();
    assert_eq!(head.header("Tailcast-Cursor"), Some(start.as_str()));
    assert_eq!(connection.get("/health").text(), "ok\n");
    assert_eq!(source(&server, "app.log")["clients"], 0);
}

/// The end of the server is a proper end: a body cut short would be one without its last chunk.
#[test]
fn the_end_of_the_server() {
    let (_folder, mut server, mut writer) = scene(&[]);
    writer.write(5);
    let mut endless = follow(&server, "");
    assert_eq!(endless.until(writer.last()), writer.everything());
    let ended = server.stop();
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
    assert_eq!(endless.rest(), b"");
    assert_eq!(endless.connection().rest(), b"", "behind the last chunk");
}

/// Whoever leaves gives the place back, even where the file says nothing that could not be sent any
/// more.
#[test]
fn who_leaves_is_gone() {
    let (_folder, server, mut writer) = scene(&[]);
    writer.write(1);
    for last_words in ["", "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        for reset in [false, true] {
            let mut endless = follow(&server, "");
            endless.until(writer.last());
            assert_eq!(source(&server, "app.log")["clients"], 1);
            // What it says during the answer is for later, or for nothing.
            endless.connection().send(last_words);
            if reset {
                let socket = endless.connection().socket();
                set_socket_linger(socket, Some(Duration::ZERO)).unwrap();
            }
            drop(endless);
            until_true("it to be counted no more", || {
                source(&server, "app.log")["clients"] == 0
            });
        }
    }
}

/// Whoever vanishes without a word, in the shadow of a wall, is asked for by the kernel
/// (`SO_KEEPALIVE`): a silent file has nothing to send that would show it.
#[test]
fn who_vanishes_is_asked_for() {
    let (_folder, server, mut writer) = scene(&[]);
    writer.write(1);
    let mut endless = follow(&server, "");
    endless.until(writer.last());
    let client = endless.connection().socket().local_addr().unwrap();
    // proc(5): addresses as hexadecimal `ADDRESS:PORT`, and `TIMER:WHEN` with 2 for a keepalive
    // timer.
    let ports = [server.addr().port(), client.port()].map(|port| format!(":{port:04X}"));
    until_true("the kernel to have set its timer", || {
        let connections = fs::read_to_string("/proc/net/tcp").unwrap();
        let ours = connections.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let ours = fields[1].ends_with(&ports[0]) && fields[2].ends_with(&ports[1]);
            ours.then(|| fields[5].to_owned())
        });
        let timer = ours.expect("our connection");
        let (timer, when) = timer.split_once(':').unwrap();
        let seconds = u64::from_str_radix(when, 16).unwrap() / 100;
        timer == "02" && seconds <= 60
    });
}

/// One who never reads costs a buffer and loses nothing; the others do not notice.
#[test]
fn who_never_reads() {
    let (folder, server, _) = scene(&[]);
    let stuck = Connection::narrow(&server);
    let mut stuck = Endless::over(stuck, "/stream/app.log?follow&from=start", "");
    let mut other = follow(&server, "&from=start");
    let mut written = Vec::new();
    for number in 0..32 {
        let mut block = format!("block {number:05}\n").repeat(1 << 16).into_bytes();
        let last = format!("the end of {number}\n");
        block.extend(last.as_bytes());
        folder.append(&block);
        assert!(other.until(&last) == block, "block {number}");
        written.extend(block);
    }
    assert!(stuck.until("the end of 31\n") == written);
}

/// A range that never ends (RFC 8673): the bytes from there on, those to come included.
#[test]
fn a_range_without_an_end() {
    let (folder, server, mut writer) = scene(&[]);
    writer.write(10);
    let all = lines(1..=10);
    let range = |first: usize| format!("Range: bytes={first}-9007199254740991\r\n");
    for first in [0, 123, all.len()] {
        let mut endless = Endless::ask(&server, "/stream/app.log", &range(first));
        let head = &endless.head;
        assert_eq!(head.status, 206, "{head:?}");
        let told = format!("bytes {first}-9007199254740991/*");
        assert_eq!(head.header("Content-Range"), Some(&told[..]));
        assert_eq!(head.header("Incremental"), Some("?1"));
        let start = Place::behind(folder.inode(), &all[..first]);
        assert_eq!(head.header("Tailcast-Cursor"), Some(&start.to_string()[..]));
        folder.append("live\n");
        let want = [&all[first..], b"live\n"].concat();
        assert_eq!(endless.until("live\n"), want);
        fs::write(&folder.log, &all).unwrap();
        until_true("the server to see it cut", || {
            get(&server, "/stream/app.log").body == all
        });
    }
    let mut connection = Connection::open(&server);
    let beyond = connection.request("GET", "/stream/app.log", &range(all.len() + 1));
    assert_eq!(beyond.status, 416, "{beyond:?}");
    let size = format!("bytes */{}", all.len());
    assert_eq!(beyond.header("Content-Range"), Some(&size[..]));
    // HEAD knows no ranges; how a client learns where the live edge is.
    let head = connection.request("HEAD", "/stream/app.log", &range(0));
    assert_eq!(
        (head.status, head.header("Content-Length")),
        (200, Some(&all.len().to_string()[..]))
    );
    // A range that ends is one that ends.
    let part = connection.request(
        "GET",
        "/stream/app.log",
        "Range: bytes=0-9007199254740990\r\n",
    );
    assert_eq!((part.status, part.body), (206, all));
    fs::remove_file(&folder.log).unwrap();
    until_true("the file to be missing", || {
        connection
            .request("GET", "/stream/app.log", &range(0))
            .status
            == 404
    });
}
