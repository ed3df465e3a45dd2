//! The bytes on the wire of a WebSocket: handshake, events, pings, and how a bad frame ends.

use crate::client::{Client, EXACT, Heard, Plain, close_code, message};
use crate::cursor::Place;
use crate::deadline::DEADLINE;
use crate::folder::Folder;
use crate::http::{Connection, KEY, get};
use crate::server::Server;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::time::{Duration, SystemTime};
use tungstenite::Message;
use tungstenite::protocol::CloseFrame;

/// Twenty lines of ten bytes.
fn content() -> String {
    (0..20)
        .map(|number| format!("number {number:02}\n"))
        .collect()
}

fn scene(args: &[&str]) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append(content());
    let server = Server::start(&[&[folder.arg()], args].concat());
    (folder, server)
}

#[test]
fn open_tells_the_place() {
    let (folder, server) = scene(&[]);
    let content = content();
    for (query, offset) in [
        ("", 100), // the last ten lines
        ("?from=start", 0),
        ("?from=end", 200),
        ("?from=-1", 190),
        ("?from=-0", 200),
        ("?from=-19", 10),
        ("?from=-20", 0),
        ("?from=-21", 0),
    ] {
        let mut client = Client::connect(&server, &format!("/stream/app.log{query}"));
        let open = client.open.clone();
        assert_eq!(open["name"], "app.log");
        assert_eq!(open["kind"], "file");
        assert_eq!(open["size"], 200);
        assert_eq!(open.as_object().unwrap().len(), 5, "{open}");
        let place = Place::parse(open["cursor"].as_str().unwrap());
        let expected = Place::behind(folder.inode(), &content.as_bytes()[..offset]);
        assert!(place.agrees(&expected), "{query}: {open}, not {expected}");
        if offset < 200 {
            assert_eq!(
                client.bytes_until("19\n"),
                &content.as_bytes()[offset..],
                "{query}"
            );
        }
        // And it is the place of a cursor, too.
        let target = format!("/stream/app.log?from={expected}");
        let resumed = Client::connect(&server, &target);
        assert_eq!(
            Place::parse(resumed.open["cursor"].as_str().unwrap()).offset,
            offset as u64
        );
    }
}

#[test]
fn lines_of_history() {
    let (folder, server) = scene(&["--lines", "2"]);
    let mut client = Client::connect(&server, "/stream/app.log");
    assert_eq!(client.bytes_until("19\n"), b"number 18\nnumber 19\n");
    // A line that has not ended is one as well.
    folder.append("half");
    let mut client = Client::connect(&server, "/stream/app.log");
    assert_eq!(client.bytes_until("half"), b"number 19\nhalf");
    let mut client = Client::connect(&server, "/stream/app.log?from=-1");
    assert_eq!(client.bytes_until("half"), b"half");
}

/// Longer than any buffer that looks for the newlines from the end.
#[test]
fn history_of_long_lines() {
    let folder = Folder::new();
    let long = |letter: &str| format!("{}\n", letter.repeat(1 << 20));
    folder.append([long("a"), long("b"), long("c")].concat());
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=-2");
    assert_eq!(
        client.bytes_until("c\n"),
        [long("b"), long("c")].concat().into_bytes()
    );
}

#[test]
fn pong_answers_ping() {
    let (_folder, server) = scene(&[]);
    let mut client = Client::connect(&server, "/stream/app.log?from=end");
    // Nothing that is not asked for is answered.
    for ignored in ["hello", "{", "{\"event\":\"open\"}", "pong", "[1,2]", ""] {
        client.send(ignored);
    }
    client
        .socket()
        .send(Message::binary(vec![0xff; 100]))
        .unwrap();
    for ping in ["ping", "{\"event\":\"ping\"}", "{ \"event\" : \"ping\" }"] {
        client.send(ping);
        assert_eq!(client.event("pong"), json!({"event": "pong"}));
    }
    client
        .socket()
        .send(Message::Ping(b"are you there".to_vec().into()))
        .unwrap();
    assert_eq!(
        message(client.socket(), DEADLINE),
        Some(Message::Pong(b"are you there".to_vec().into()))
    );

    let mut plain = Plain::connect(&server, "/stream/app.log?from=end");
    plain.send("hello");
    plain.send("ping");
    assert_eq!(plain.line(), "pong");
}

#[test]
fn the_server_pings() {
    let (_folder, server) = scene(&["--heartbeat", "100ms"]);
    for protocol in [None, Some(EXACT)] {
        let mut socket = Connection::open(&server).upgrade("/stream/app.log?from=end", protocol);
        let mut pings = 0;
        // More than the three that a silent client would be given.
        while pings < 6 {
            match message(&mut socket, DEADLINE).expect("a ping") {
                Message::Ping(_) => pings += 1,
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }
}

/// A client frame with an all-zero mask, so that its payload is readable.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let mut frame = vec![first];
    match u16::try_from(length) {
        Ok(short @ 0..126) => frame.push(0x80 | short as u8),
        Ok(medium) => {
            frame.push(0x80 | 126);
            frame.extend(medium.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// RFC 6455 sections 5 to 8, and this server's limit on what a client may say.
#[test]
fn bad_frames_end_with_their_code() {
    let (_folder, server) = scene(&[]);
    let fragments = [frame(0x01, &[b'x'; 4000]), frame(0x80, &[b'x'; 97])].concat();
    let announced = vec![
        0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
    ];
    for (what, bytes, code) in [
        ("text over 4 KiB", frame(0x81, &[b'x'; 4097]), 1009),
        ("binary of 1 MiB", frame(0x82, &vec![0; 1 << 20]), 1009),
        ("fragments over 4 KiB", fragments, 1009),
        ("an announcement of 8 EiB", announced, 1009),
        ("text that is not UTF-8", frame(0x81, b"caf\xe9"), 1007),
        ("unmasked text", b"\x81\x05hello".to_vec(), 1002),
        ("a reserved bit", frame(0xc1, b"hello"), 1002),
        ("a reserved opcode", frame(0x83, b"hello"), 1002),
        ("a fragmented ping", frame(0x09, b"hello"), 1002),
        ("a ping over 125 bytes", frame(0x89, &[b'x'; 126]), 1002),
        ("a continuation of nothing", frame(0x80, b"hello"), 1002),
        (
            "text within text",
            [frame(0x01, b"a"), frame(0x81, b"b")].concat(),
            1002,
        ),
        ("a close code of one byte", frame(0x88, &[3]), 1002),
    ] {
        for protocol in [None, Some(EXACT)] {
            let mut socket = Connection::open(&server).upgrade("/stream/app.log", protocol);
            // The server may have had enough before it has it all.
            let _ = socket.get_mut().write_all(&bytes);
            assert_eq!(close_code(&mut socket), Some(code), "{what}, {protocol:?}");
        }
    }
    // The limit itself is no offence, in one piece or in several.
    let mut client = Client::connect(&server, "/stream/app.log?from=end");
    let pieces = [frame(0x01, &[b'x'; 4000]), frame(0x80, &[b'x'; 96])].concat();
    for bytes in [frame(0x81, &[b'x'; 4096]), pieces] {
        client.socket().get_mut().write_all(&bytes).unwrap();
        client.send("ping");
        client.event("pong");
    }
}

#[test]
fn a_close_is_answered() {
    let (_folder, server) = scene(&[]);
    let mut client = Client::connect(&server, "/stream/app.log?from=end");
    let goodbye = CloseFrame {
        code: 1000.into(),
        reason: "bye".into(),
    };
    client.socket().close(Some(goodbye)).unwrap();
    client.socket().flush().unwrap();
    assert!(matches!(client.next(), Heard::Closed(Some(1000))));
}

#[test]
fn handshake() {
    let (_folder, server) = scene(&[]);
    let ask = |method: &str, target: &str, headers: &str| {
        Connection::open(&server).request(method, target, headers)
    };
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let key = format!("Sec-WebSocket-Key: {KEY}\r\n");
    let version = "Sec-WebSocket-Version: 13\r\n";

    // As Firefox asks, and as the RFC lets others ask.
    for good in [
        format!("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n{key}{version}"),
        format!("connection: upgrade\r\nUPGRADE: WebSocket\r\n{key}{version}"),
    ] {
        assert_eq!(ask("GET", "/stream/app.log", &good).status, 101, "{good}");
    }
    let answer = ask(
        "GET",
        "/stream/app.log",
        &format!("{upgrade}{key}Sec-WebSocket-Version: 8\r\n"),
    );
    assert_eq!(answer.status, 426, "{answer:?}");
    assert_eq!(answer.header("Sec-WebSocket-Version"), Some("13"));
    answer.sentence();
    let answer = ask("GET", "/stream/app.log", &format!("{upgrade}{version}"));
    assert_eq!(answer.status, 400, "{answer:?}");
    answer.sentence();
    let whole = format!("{upgrade}{key}{version}");
    assert_eq!(ask("POST", "/stream/app.log", &whole).status, 405);
    assert_eq!(ask("GET", "/stream/other.log", &whole).status, 404);
    assert_eq!(
        ask("GET", "/stream/app.log?from=nowhere", &whole).status,
        400
    );

    for (asked, given) in [
        ("graphql-ws", None),
        ("graphql-ws, tailcast.v1", Some(EXACT)),
        (
            "graphql-ws\r\nSec-WebSocket-Protocol: tailcast.v1",
            Some(EXACT),
        ),
        ("tailcast.v2", None),
    ] {
        let headers = format!("{whole}Sec-WebSocket-Protocol: {asked}\r\n");
        let answer = ask("GET", "/stream/app.log", &headers);
        assert_eq!(answer.status, 101, "{asked}: {answer:?}");
        assert_eq!(answer.header("Sec-WebSocket-Protocol"), given, "{asked}");
    }
}

/// The place is taken before the 101 goes out.
#[test]
fn what_is_appended_after_the_101_arrives() {
    let (folder, server) = scene(&[]);
    for round in 0..100 {
        for from in ["end", "-0", "-1"] {
            let target = format!("/stream/app.log?from={from}");
            let mut socket = Connection::open(&server).upgrade(&target, Some(EXACT));
            let line = format!("after {from} {round}\n");
            folder.append(&line);
            let mut bytes = Vec::new();
            while !bytes.ends_with(line.as_bytes()) {
                match message(&mut socket, DEADLINE).expect("the line") {
                    Message::Binary(more) => bytes.extend_from_slice(&more),
                    Message::Text(_) | Message::Ping(_) => {}
                    other => panic!("{other:?}"),
                }
            }
            if from != "-1" {
                assert_eq!(String::from_utf8_lossy(&bytes), line);
            }
        }
        let mut plain = Plain::connect(&server, "/stream/app.log?from=end");
        folder.append(format!("a line of round {round}\n"));
        assert_eq!(plain.line(), format!("a line of round {round}"));
    }
}

#[test]
fn every_name_has_its_stream() {
    let folder = Folder::new();
    let names = [
        "a b.log",
        "100%.log",
        "100%25.log",
        "日誌.log",
        "what?.log",
        "a#b&c=d.log",
        "'\".log",
        "+.log",
    ];
    let arguments: Vec<String> = names
        .iter()
        .map(|name| {
            fs::write(folder.path(name), format!("this is {name}\n")).unwrap();
            folder.path(name).to_str().unwrap().to_owned()
        })
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // One of them holds an `=`, and is a path all the same: a NAME holds no `/`.
    let server = Server::start(&arguments);
    let sources = get(&server, "/sources").json();
    assert_eq!(sources.as_array().unwrap().len(), names.len());
    for (name, source) in names.iter().zip(sources.as_array().unwrap()) {
        assert_eq!(source["name"], *name);
        let target = format!("/{}", source["url"].as_str().unwrap());
        assert_eq!(get(&server, &target).text(), format!("this is {name}\n"));
        let mut client = Client::connect(&server, &target);
        assert_eq!(client.open["name"], *name);
        client.bytes_until(format!("this is {name}\n"));
    }
    // The one that was written last, by its time.
    let last = fs::File::options()
        .append(true)
        .open(folder.path(names[0]))
        .unwrap();
    last.set_modified(SystemTime::now() + Duration::from_secs(5))
        .unwrap();
    let mut first = Plain::connect(&server, "/stream");
    assert_eq!(first.line(), "this is a b.log");
}
