//! Requests for a WebSocket that are none, and a server that gives nothing else.

use crate::chapters::statuses::scene;
use crate::http::{Connection, KEY};

/// An upgrade that breaks the rules of its handshake (RFC 6455 section 4.2.1), or to something
/// else.
#[test]
fn upgrades_that_are_none() {
    let (_folder, server) = scene(&[]);
    let right = format!(
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
    );
    let target = "/stream/app.log";
    let without = |name: &str| -> String {
        let fields = right.split_inclusive("\r\n");
        fields.filter(|field| !field.starts_with(name)).collect()
    };
    for (method, version, fields, status) in [
        ("GET", "1.1", right.clone(), 101),
        ("GET", "1.1", without("Connection"), 400),
        ("GET", "1.1", without("Sec-WebSocket-Key"), 400),
        ("GET", "1.1", without("Sec-WebSocket-Version"), 426),
        ("GET", "1.1", right.replace(": 13", ": 8"), 426),
        ("HEAD", "1.1", right.clone(), 400),
        ("POST", "1.1", right.clone(), 405),
        ("GET", "1.0", right.clone(), 400),
        // Another protocol is none that we know: an ordinary request (RFC 9110 section 7.8).
        (
            "GET",
            "1.1",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
                .to_owned(),
            200,
        ),
        // Bytes of a body would be taken for frames.
        ("GET", "1.1", format!("{right}Content-Length: 5\r\n"), 400),
        (
            "GET",
            "1.1",
            format!("{right}Transfer-Encoding: chunked\r\n"),
            400,
        ),
    ] {
        let mut connection = Connection::open(&server);
        connection.send(format!(
            "{method} {target} HTTP/{version}\r\nHost: localhost\r\n{fields}\r\n"
        ));
        let answer = connection.head();
        assert_eq!(
            answer.status, status,
            "{method} HTTP/{version} {fields:?}: {answer:?}"
        );
        if status == 426 {
            assert_eq!(answer.header("Upgrade"), Some("websocket"));
            assert_eq!(answer.header("Connection"), Some("Upgrade"));
            assert_eq!(answer.header("Sec-WebSocket-Version"), Some("13"));
        }
    }
}

/// `--websocket-only`: every plain way to the stream, and nothing else, is answered 426.
#[test]
fn websocket_only() {
    let (_folder, server) = scene(&["--websocket-only"]);
    let mut connection = Connection::open(&server);
    for (method, target, fields) in [
        ("GET", "/stream/app.log", ""),
        ("GET", "/stream", ""),
        ("HEAD", "/stream/app.log", ""),
        ("GET", "/stream/app.log", "Range: bytes=0-1\r\n"),
        ("GET", "/stream/app.log?from=end", ""),
        ("GET", "/stream/app.log?from=end&wait=60", ""),
        ("GET", "/stream/app.log?from=end", "Prefer: wait=60\r\n"),
        ("GET", "/stream/app.log?follow", ""),
        ("GET", "/stream/app.log", "Accept: text/event-stream\r\n"),
    ] {
        let answer = connection.request(method, target, fields);
        assert_eq!(answer.status, 426, "{method} {target} {fields}: {answer:?}");
        assert_eq!(answer.header("Upgrade"), Some("websocket"));
        assert_eq!(answer.header("Connection"), Some("Upgrade"));
        if method == "GET" {
            answer.sentence();
        }
    }
    for (target, status) in [
        ("/health", 200),
        ("/sources", 200),
        ("/", 200),
        ("/stream/other", 404),
    ] {
        assert_eq!(connection.get(target).status, status, "{target}");
    }
    assert_eq!(connection.request("POST", "/stream", "").status, 405);
    let mut plain = crate::client::Plain {
        socket: connection.upgrade("/stream/app.log", None),
    };
    assert_eq!(plain.line(), "hello");
}
