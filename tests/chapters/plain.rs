//! The file as it is now, and any part of it (RFC 9110 section 14).

use crate::cursor::Place;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::{Answer, Connection, get};
use crate::server::{Server, is_emulated};
use crate::writer::Writer;
use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;

const TEN: &str = "0123456789";

fn scene(content: impl AsRef<[u8]>) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append(content);
    let server = Server::start(&[folder.arg()]);
    (folder, server)
}

fn ask(server: &Server, range: &str) -> Answer {
    let range = format!("Range: {range}\r\n");
    Connection::open(server).request("GET", "/stream/app.log", &range)
}

/// The place that an answer names, against one counted here.
fn assert_place(answer: &Answer, inode: u64, before: &[u8]) {
    let given = answer.header("Tailcast-Cursor").expect("Tailcast-Cursor");
    assert_eq!(given, Place::behind(inode, before).to_string());
}

#[test]
fn one_range() {
    let (folder, server) = scene(TEN);
    for (range, part, said) in [
        ("bytes=0-0", 0..1, "bytes 0-0/10"),
        ("bytes=2-5", 2..6, "bytes 2-5/10"),
        ("bytes=7-", 7..10, "bytes 7-9/10"),
        ("bytes=0-", 0..10, "bytes 0-9/10"),
        ("bytes=-3", 7..10, "bytes 7-9/10"),
        ("bytes=-10", 0..10, "bytes 0-9/10"),
        ("bytes=-99", 0..10, "bytes 0-9/10"),
        ("bytes=8-99", 8..10, "bytes 8-9/10"),
        ("bytes=9-99999999999999999999999", 9..10, "bytes 9-9/10"),
        // Range units are case-insensitive, and an empty list element is passed over (section
        // 5.6.1).
        ("BYTES=1-1", 1..2, "bytes 1-1/10"),
        ("bytes=1-1,", 1..2, "bytes 1-1/10"),
    ] {
        let answer = ask(&server, range);
        assert_eq!(answer.status, 206, "{range}: {answer:?}");
        assert_eq!(answer.header("Content-Range"), Some(said), "{range}");
        assert_eq!(answer.text(), TEN[part.clone()], "{range}");
        assert_eq!(answer.header("Accept-Ranges"), Some("bytes"));
        assert_place(&answer, folder.inode(), &TEN.as_bytes()[..part.end]);
    }
}

#[test]
fn no_such_range() {
    let (folder, server) = scene(TEN);
    for range in [
        "bytes=10-",
        "bytes=10-20",
        "bytes=-0",
        "bytes=99999999999999999999999-",
    ] {
        let answer = ask(&server, range);
        assert_eq!(answer.status, 416, "{range}: {answer:?}");
        assert_eq!(answer.header("Content-Range"), Some("bytes */10"));
        answer.sentence();
        assert_place(&answer, folder.inode(), TEN.as_bytes());
    }
    folder.truncate();
    for range in ["bytes=0-", "bytes=-5"] {
        let answer = ask(&server, range);
        assert_eq!(answer.status, 416, "{range}: {answer:?}");
        assert_eq!(answer.header("Content-Range"), Some("bytes */0"));
    }
}

/// A server may pass over a `Range`, and must where it does not know the unit (sections 14.2 and
/// 13.1.5).
#[test]
fn the_whole_all_the_same() {
    let (folder, server) = scene(TEN);
    let whole = |method: &str, fields: &str| {
        let answer = Connection::open(&server).request(method, "/stream/app.log", fields);
        assert_eq!(answer.status, 200, "{fields:?}: {answer:?}");
        assert_eq!(answer.header("Content-Range"), None, "{fields:?}");
        assert_eq!(answer.header("Accept-Ranges"), Some("bytes"));
        assert_eq!(answer.header("Content-Length"), Some("10"), "{fields:?}");
        assert_place(&answer, folder.inode(), TEN.as_bytes());
        answer.text()
    };
    for fields in [
        "",
        "Range: bytes=0-1,4-5\r\n",
        "Range: bytes=0-0, -1\r\n",
        "Range: lines=0-1\r\n",
        "Range: bytes=0-1\r\nIf-Range: \"a validator\"\r\n",
        "Range: bytes=0-1\r\nIf-Range: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
    ] {
        assert_eq!(whole("GET", fields), TEN, "{fields:?}");
        whole("HEAD", fields);
    }
    whole("HEAD", "Range: bytes=2-5\r\n");
    whole("HEAD", "Range: bytes=99-\r\n");
    whole("HEAD", "Range: nonsense\r\n");
}

#[test]
fn what_is_no_range() {
    let (_folder, server) = scene(TEN);
    for range in [
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=+1-2",
        "bytes=1-2,x",
        "bytes=0x1-2",
        "bytes=1 - 2",
        "bytes=--1",
    ] {
        let answer = ask(&server, range);
        assert_eq!(answer.status, 400, "{range}: {answer:?}");
        assert!(answer.sentence().contains("Range"), "{answer:?}");
    }
}

#[test]
fn a_file_that_is_not_there() {
    let (folder, server) = scene(TEN);
    fs::remove_file(&folder.log).unwrap();
    let mut last = None;
    until_true("the file to be missed", || {
        let answer = ask(&server, "bytes=0-1");
        let status = answer.status;
        last = Some(answer);
        status == 404
    });
    let answer = last.unwrap();
    answer.sentence();
    assert_eq!(answer.header("Tailcast-Cursor"), Some("0-0"));
}

/// Each answer is of one moment: what it holds, its length and its cursor belong together.
#[test]
fn while_the_file_grows() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg()]);
    let mut connection = Connection::open(&server);
    writer.write(10);
    writer.begin(3_000);
    let size = || fs::metadata(&folder.log).unwrap().len() as usize;
    let mut answers = Vec::new();
    for _ in 0..100 {
        let before = size();
        let range = "Range: bytes=-100\r\n";
        let answer = connection.request("GET", "/stream/app.log", range);
        answers.push((before, answer, size()));
        let before = size();
        let answer = connection.get("/stream/app.log");
        answers.push((before, answer, size()));
    }
    writer.wait();
    let content = fs::read(&folder.log).unwrap();
    for (before, answer, after) in answers {
        let (start, end) = match answer.header("Content-Range") {
            None => (0, answer.body.len()),
            Some(said) => {
                let numbers = said.strip_prefix("bytes ").unwrap();
                let (range, total) = numbers.split_once('/').unwrap();
                let (first, last) = range.split_once('-').unwrap();
                let number = |text: &str| text.parse::<usize>().unwrap();
                assert_eq!(number(last) + 1, number(total), "{said}");
                (number(first), number(total))
            }
        };
        assert!((before..=after).contains(&end), "{before} {end} {after}");
        assert!(answer.body == content[start..end], "{start}..{end}");
        assert_place(&answer, folder.inode(), &content[..end]);
    }
}

/// Offsets that 32 bits have no room for.
#[test]
fn five_gibibytes() {
    const END: u64 = 5 << 30;
    let (folder, server) = scene("");
    let log = OpenOptions::new().write(true).open(&folder.log).unwrap();
    log.set_len(END).unwrap();
    log.write_all_at(b"the end\n", END).unwrap();
    log.write_all_at(b"the middle\n", END / 2).unwrap();
    for (range, text) in [
        ("bytes=-8", "the end\n"),
        ("bytes=5368709120-", "the end\n"),
        ("bytes=2684354560-2684354570", "the middle\n"),
        ("bytes=5368709124-5368709126", "end"),
    ] {
        let answer = ask(&server, range);
        assert_eq!((answer.status, answer.text().as_str()), (206, text));
        let said = answer.header("Content-Range").unwrap();
        assert!(said.ends_with("/5368709128"), "{said}");
    }
    let answer = ask(&server, "bytes=-1");
    let cursor = Place::parse(answer.header("Tailcast-Cursor").unwrap());
    assert_eq!(cursor.offset, END + 8);
    let mut before = vec![0; 56];
    before.extend(b"the end\n");
    let mut place = Place::behind(folder.inode(), &before);
    place.offset = END + 8;
    assert_eq!(cursor.check(), place.check());
    let head = Connection::open(&server).request("HEAD", "/stream/app.log", "");
    assert_eq!(head.header("Content-Length"), Some("5368709128"));
}

/// A large answer to a slow reader waits in the file and nowhere else.
#[test]
fn a_slow_reader_of_a_large_file() {
    const SIZE: u64 = 256 << 20;
    let (folder, server) = scene("");
    let log = OpenOptions::new().write(true).open(&folder.log).unwrap();
    log.set_len(SIZE).unwrap();
    // One answer to the end: by then the server has all the buffers that it will ever have.
    assert_eq!(ask(&server, "bytes=0-4194303").body.len(), 4 << 20);
    let before = server.own_memory();
    let mut connection = Connection::narrow(&server);
    connection.send("GET /stream/app.log HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let head = connection.head();
    assert_eq!(head.header("Content-Length"), Some("268435456"));
    let (mut left, mut most) = (SIZE, before);
    let mut piece = vec![1; 1 << 20];
    while left > 0 {
        connection.stream().read_exact(&mut piece).unwrap();
        assert!(piece.iter().all(|&byte| byte == 0));
        left -= piece.len() as u64;
        most = most.max(server.own_memory());
        // The others do not wait for this one.
        if left % (64 << 20) == 0 {
            assert_eq!(get(&server, "/health").status, 200);
        }
    }
    if is_emulated() {
        return crate::require::skip("what grows here is the emulator");
    }
    let grown = (most - before) >> 10;
    assert!(grown < 1024, "RSS grew by {grown} KiB");
    // The connection is as good as before.
    assert_eq!(connection.get("/health").status, 200);
}

/// The answer can't be made good; the client must see that it is short, not wait for ever.
#[test]
fn a_file_that_is_cut_under_its_answer() {
    let (folder, server) = scene(vec![b'x'; 32 << 20]);
    let mut connection = Connection::narrow(&server);
    connection.send("GET /stream/app.log HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let head = connection.head();
    assert_eq!(head.header("Content-Length"), Some("33554432"));
    folder.truncate();
    let mut got = Vec::new();
    // Closed or reset: a short body either way.
    let _ = connection.stream().read_to_end(&mut got);
    assert!(got.len() < 32 << 20, "{} bytes", got.len());
    assert_eq!(get(&server, "/stream/app.log").body, b"");
}
