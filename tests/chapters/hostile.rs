//! Those who mean harm: after each of them the next client is served, and the memory that they took
//! is back.

use crate::client::{Client, EXACT};
use crate::deadline::{DEADLINE, until, until_true};
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::{Server, is_emulated};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;
use tungstenite::protocol::WebSocket;

/// glibc keeps what lies under something that is in use, so that thirty buffers could stay in memory
/// long after they had been given back. What is larger than this many bytes goes back at once.
const OWN_PAGES: &str = "MALLOC_MMAP_THRESHOLD_=16384";

/// What an attack may leave in memory, in bytes: an allocator keeps some of it for the next one.
/// Half of what the smallest of the attacks that count on it takes, which is 64 KiB for each of
/// thirty.
const LEFT_MAX: u64 = 1 << 20;

/// A server that has served before, so that what it needs once is there.
pub fn scene(args: &[&str]) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append("hello\n");
    let args = [args, &[folder.arg()]].concat();
    let server = Server::start_under(&["env", OWN_PAGES], &args);
    for _ in 0..3 {
        let everyone: Vec<Client> = (0..8)
            .map(|_| Client::connect(&server, "/stream"))
            .collect();
        drop(everyone);
        assert_eq!(get(&server, "/stream").status, 200);
    }
    until_true("nobody to be there", || {
        source(&server, "app.log")["clients"] == 0
    });
    (folder, server)
}

/// The next client is served, and the memory is back.
pub fn unharmed(server: &Server, before: u64, attack: &str) {
    until(&format!("a place after {attack}"), || {
        let mut connection = Connection::open(server);
        connection.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
        (connection.answer().status == 200).then_some(())
    });
    let mut client = Client::connect(server, "/stream");
    assert_eq!(client.bytes_until("\n"), b"hello\n", "after {attack}");
    drop(client);
    if !is_emulated() {
        until_true(&format!("the memory that {attack} took"), || {
            server.own_memory() <= before + LEFT_MAX
        });
    }
}

/// Sends these bytes, though the server may have had enough before they are all sent, and tells
/// what it said.
fn sent(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut said = Vec::new();
    if let Err(error) = stream.read_to_end(&mut said) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
    said
}

/// The statuses of all answers in `said`, which have no bodies that look like one.
fn statuses(said: &[u8]) -> Vec<String> {
    let said = String::from_utf8_lossy(said);
    let heads = said.split("HTTP/1.1 ").skip(1);
    heads.map(|head| head[..3].to_owned()).collect()
}

#[test]
fn no_http_at_all() {
    let (_folder, server) = scene(&[]);
    let before = server.own_memory();
    let large = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(10_000)
    );
    let garbage: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(40);
    let table: [(&str, Vec<u8>, &[&str]); 12] = [
        ("a head of 10 KB", large.into(), &["431"]),
        (
            "a target of 10 KB",
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(10_000)).into(),
            &["414"],
        ),
        (
            "a thousand fields",
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
                "a:b\r\n".repeat(1000)
            )
            .into(),
            &["431"],
        ),
        ("garbage", garbage, &["400"]),
        ("zeros", vec![0; 100_000], &["400"]),
        ("newlines", b"\r\n".repeat(50_000), &["414"]),
        ("a TLS hello", tls, &["400"]),
        (
            "the preface of HTTP/2",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            &["505"],
        ),
        ("HTTP/0.9", b"GET /\r\n".to_vec(), &["400"]),
        (
            "a proxy's CONNECT",
            b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            &["400"],
        ),
        ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), &["400"]),
        ("nothing", Vec::new(), &[]),
    ];
    for (name, bytes, want) in table {
        assert_eq!(statuses(&sent(&server, &bytes)), want, "{name}");
        unharmed(&server, before, name);
    }
}

/// Bodies that two servers in a row could cut differently (RFC 9112 sections 6 and 11.2): never a
/// second answer, which would be one to a request that the first of them has not seen.
#[test]
fn smuggled_requests() {
    let (_folder, server) = scene(&[]);
    let before = server.own_memory();
    let inner = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let length = inner.len();
    for (fields, status) in [
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n".to_owned(),
            "400",
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n".to_owned(),
            "400",
        ),
        (
            format!("Content-Length: 0\r\nContent-Length: {length}\r\n"),
            "400",
        ),
        ("Content-Length: 0, 0\r\n".to_owned(), "400"),
        ("Content-Length: +5\r\n".to_owned(), "400"),
        ("Content-Length: -1\r\n".to_owned(), "400"),
        ("Content-Length: 0x5\r\n".to_owned(), "400"),
        ("Content-Length: 5 5\r\n".to_owned(), "400"),
        ("Content-Length:\r\n".to_owned(), "400"),
        ("Content-Length : 5\r\n".to_owned(), "400"),
        (
            "Content-Length: 99999999999999999999999\r\n".to_owned(),
            "413",
        ),
        ("Transfer-Encoding: identity\r\n".to_owned(), "501"),
        ("Transfer-Encoding: xchunked\r\n".to_owned(), "501"),
        ("Transfer-Encoding: chunked, identity\r\n".to_owned(), "501"),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(),
            "501",
        ),
        ("Transfer-Encoding : chunked\r\n".to_owned(), "400"),
        ("Transfer-Encoding:\u{b}chunked\r\n".to_owned(), "400"),
        ("X: a\r\n Transfer-Encoding: chunked\r\n".to_owned(), "400"),
        ("X: a\r\n\tfolded\r\n".to_owned(), "400"),
        ("X: a\0b\r\n".to_owned(), "400"),
        ("X\0: a\r\n".to_owned(), "400"),
        ("X: a\rTransfer-Encoding: chunked\r\n".to_owned(), "400"),
        (" X: a\r\n".to_owned(), "400"),
        (": a\r\n".to_owned(), "400"),
        ("Host: evil.example\r\n".to_owned(), "400"),
    ] {
        let bytes = format!("POST /health HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{inner}");
        assert_eq!(
            statuses(&sent(&server, bytes.as_bytes())),
            [status],
            "{fields:?}"
        );
    }
    // Whole bodies are no requests, and what follows them is.
    for (body, want) in [
        (
            format!("Content-Length: {length}\r\n\r\n{inner}"),
            &["405"][..],
        ),
        (
            format!("Content-Length: {length}\r\n\r\n{inner}{inner}"),
            &["405", "200"],
        ),
        (
            format!("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"),
            &["405"],
        ),
    ] {
        let bytes = format!("POST /health HTTP/1.1\r\nHost: localhost\r\n{body}");
        assert_eq!(statuses(&sent(&server, bytes.as_bytes())), want, "{body:?}");
    }
    unharmed(&server, before, "smuggling");
}

/// No target and no cursor leads to a file that is not followed, not even to one beside it.
#[test]
fn other_files() {
    let (folder, server) = scene(&[]);
    let before = server.own_memory();
    std::fs::write(folder.path("secret.txt"), "secret\n").unwrap();
    std::fs::write(folder.path("app.log.key"), "secret\n").unwrap();
    let up = [
        "..",
        "%2e%2e",
        "%2E.",
        "%252e%252e",
        "%c0%ae%c0%ae",
        "..%00",
        "..;",
        "....",
    ];
    let slash = ["/", "%2f", "%5c", "\\", "//", "%252f", "%c0%af"];
    let mut targets = vec![
        "/stream/secret.txt".to_owned(),
        "/stream/app.log.key".to_owned(),
        "/stream/app.log/../secret.txt".to_owned(),
        format!("/stream/{}", folder.path("secret.txt").display()),
        format!("/stream{}", folder.path("secret.txt").display()),
        format!("/stream/%2f{}", folder.path("secret.txt").display()),
        "/stream/file:///etc/passwd".to_owned(),
        "http://localhost/../../etc/passwd".to_owned(),
    ];
    for up in up {
        for slash in slash {
            targets.push(format!("/stream/{up}{slash}secret.txt"));
            targets.push(format!(
                "/stream{slash}{}etc{slash}passwd",
                format!("{up}{slash}").repeat(12)
            ));
            targets.push(format!(
                "/{}etc{slash}passwd",
                format!("{up}{slash}").repeat(12)
            ));
        }
    }
    for target in targets {
        let answer = get(&server, &target);
        assert!([400, 404].contains(&answer.status), "{target}: {answer:?}");
    }
    for name in ["secret.txt", "app.log.key"] {
        let inode = crate::folder::inode(&folder.path(name));
        for cursor in [format!("{inode:x}-0"), format!("{inode:x}-3")] {
            let answer = get(&server, &format!("/stream?from={cursor}"));
            assert_eq!(answer.text(), "hello\n", "{name}: {answer:?}");
        }
    }
    unharmed(&server, before, "traversal");
}

/// One frame from a client, masked with zeros (RFC 6455 section 5.2).
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u16::try_from(payload.len()) {
        Ok(short @ 0..126) => frame.push(0x80 | short as u8),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Sends `bytes` on a WebSocket of its own that nobody reads, until all are sent, the server ends
/// it, or takes no more.
fn flood(server: &Server, bytes: &[u8]) -> WebSocket<TcpStream> {
    let socket = Connection::open(server).upgrade("/stream", Some(EXACT));
    let patience = Some(Duration::from_secs(1));
    socket.get_ref().set_write_timeout(patience).unwrap();
    let _ = socket.get_ref().write_all(bytes);
    socket
}

#[test]
fn floods_of_frames() {
    let (_folder, server) = scene(&[]);
    let before = server.own_memory();
    let mut gibibyte = vec![0x82, 0x80 | 127];
    gibibyte.extend((1u64 << 30).to_be_bytes());
    gibibyte.extend([0; 4]);
    gibibyte.extend(vec![0; 1 << 20]);
    let mut exbibyte = vec![0x82, 0x80 | 127];
    exbibyte.extend(u64::MAX.to_be_bytes());
    exbibyte.extend([0; 100]);
    let begin = frame(0x01, b"a");
    let fragments = [begin.clone(), frame(0x00, b"").repeat(300_000)].concat();
    let growing = [begin, frame(0x00, &[b'a'; 100]).repeat(10_000)].concat();
    for (name, bytes) in [
        ("pings", frame(0x89, &[b'p'; 125]).repeat(50_000)),
        ("pongs", frame(0x8a, b"").repeat(60_000)),
        (
            "calls for a pong",
            frame(0x81, b"{\"event\":\"ping\"}").repeat(100_000),
        ),
        ("messages", frame(0x82, &[0; 4096]).repeat(2000)),
        ("messages that are too long", frame(0x82, &[0; 1 << 20])),
        ("fragments of nothing", fragments),
        ("fragments that add up", growing),
        ("a frame of a gibibyte", gibibyte),
        ("a frame of sixteen exbibytes", exbibyte),
        ("closes", frame(0x88, &[3, 232]).repeat(100_000)),
        (
            "frames without a mask",
            vec![0x81, 0x05, b'h', b'e', b'l', b'l', b'o'],
        ),
        ("reserved bits", frame(0xf1, b"x")),
        ("an opcode that is none", frame(0x83, b"x")),
        ("a ping in fragments", frame(0x09, b"x")),
        ("a ping of a kilobyte", frame(0x89, &[0; 1000])),
        ("text that is none", frame(0x81, b"\xff\xfe")),
    ] {
        let streams: Vec<WebSocket<TcpStream>> = (0..4).map(|_| flood(&server, &bytes)).collect();
        assert_eq!(get(&server, "/health").status, 200, "beside {name}");
        drop(streams);
        until_true(&format!("those with {name} to be gone"), || {
            source(&server, "app.log")["clients"] == 0
        });
        unharmed(&server, before, name);
    }
}
