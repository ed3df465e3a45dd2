//! Hosts and origins: which names the server answers to, which pages may connect, and what every
//! answer forbids.

use crate::chapters::door::{ENCODED, KEY, ask, scene};
use crate::http::Connection;
use std::fs;

#[test]
fn hosts() {
    let (_folder, server) = scene(&["--host=stream.example", "--host", "second.example"]);
    let port = server.addr().port();
    let own = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let own = own.trim();
    for host in [
        "127.0.0.1",
        "[::1]",
        "192.0.2.99:1",
        "localhost",
        "LOCALHOST:8080",
        own,
        &format!("{own}:{port}"),
        &format!("{own}.local"),
        "stream.example",
        "stream.example.",
        "SECOND.example:443",
    ] {
        assert_eq!(
            ask(&server, "/health", &[&format!("Host: {host}")]).status,
            200,
            "{host}"
        );
    }
    for host in [
        "evil.example",
        "third.example",
        "localhost.evil.example",
        "x@localhost",
        "1.2.3.4.example",
    ] {
        let answer = ask(&server, "/health", &[&format!("Host: {host}")]);
        assert_eq!(answer.status, 421, "{host}");
        assert!(answer.sentence().contains("--host"), "{answer:?}");
    }
}

#[test]
fn pages_of_other_origins() {
    let (_folder, server) = scene(&["--key", KEY, "--origin=https://dash.example"]);
    let port = server.addr().port();
    let host = format!("Host: localhost:{port}");
    let bearer = format!("Authorization: Bearer {KEY}");
    let own = format!("Origin: http://localhost:{port}");
    let answer = ask(&server, "/stream", &[&host, &own, &bearer]);
    assert_eq!(
        (answer.status, answer.header("Access-Control-Allow-Origin")),
        (200, None)
    );
    for origin in [
        "https://evil.example",
        "null",
        "http://dash.example",
        "http://localhost",
        "http://localhost:1",
    ] {
        let origin = format!("Origin: {origin}");
        let answer = ask(&server, "/stream", &[&host, &origin, &bearer]);
        assert_eq!(answer.status, 403, "{origin}");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
        answer.sentence();
        let mut connection = Connection::open(&server);
        let more = format!("{origin}\r\n{bearer}\r\n");
        assert_eq!(
            connection.ask_for_upgrade("/stream", &more).status,
            403,
            "{origin}"
        );
        for method in ["HEAD", "POST", "OPTIONS", "DELETE"] {
            let mut connection = Connection::open(&server);
            connection.send(format!(
                "{method} / HTTP/1.1\r\n{host}\r\n{origin}\r\nConnection: close\r\n\r\n"
            ));
            assert!(
                connection.rest().starts_with(b"HTTP/1.1 403 "),
                "{method} {origin}"
            );
        }
    }

    // The one page that may: asked before with OPTIONS, then with a key, then without.
    let origin = "Origin: https://dash.example";
    let mut connection = Connection::open(&server);
    let asks = format!(
        "{origin}\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization\r\n"
    );
    let answer = connection.request("OPTIONS", "/stream", &asks);
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(
        answer
            .header("Access-Control-Allow-Methods")
            .unwrap()
            .contains("GET")
    );
    assert!(
        answer
            .header("Access-Control-Allow-Headers")
            .unwrap()
            .contains("Authorization")
    );
    for (lines, status) in [
        (&[&host, origin, &bearer][..], 200),
        (&[&host, origin], 401),
    ] {
        for target in ["/stream", "/stream?from=start", "/sources"] {
            let answer = ask(&server, target, lines);
            assert_eq!(answer.status, status, "{target}");
            assert_eq!(
                answer.header("Access-Control-Allow-Origin"),
                Some("https://dash.example")
            );
            assert!(
                answer
                    .header("Access-Control-Expose-Headers")
                    .unwrap()
                    .contains("Tailcast-Cursor")
            );
            assert_eq!(answer.header("Vary"), Some("Origin"));
        }
    }
    let target = format!("/stream?key={ENCODED}");
    assert_eq!(
        connection
            .ask_for_upgrade(&target, &format!("{origin}\r\n"))
            .status,
        101
    );
}

/// Whatever is answered, it is no page for a frame, no script for another site, and its links tell
/// nobody.
#[test]
fn headers_of_every_answer() {
    let (_folder, server) = scene(&["--key", KEY]);
    let key = format!("key={ENCODED}");
    let requests = [
        (
            200,
            format!("GET /page.css?{key} HTTP/1.1\r\nHost: localhost\r\n"),
        ),
        (
            101,
            format!(
                "GET /stream?{key} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n",
                crate::http::KEY
            ),
        ),
        (
            206,
            format!("GET /stream?{key} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-1\r\n"),
        ),
        (303, format!("GET /?{key} HTTP/1.1\r\nHost: localhost\r\n")),
        (
            400,
            format!("GET /stream?{key}&from=x HTTP/1.1\r\nHost: localhost\r\n"),
        ),
        (400, "GET / HTTP/1.1\r\n".to_owned()),
        (401, "GET / HTTP/1.1\r\nHost: localhost\r\n".to_owned()),
        (
            403,
            "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n".to_owned(),
        ),
        (404, format!("GET /x?{key} HTTP/1.1\r\nHost: localhost\r\n")),
        (
            405,
            format!("PUT /health?{key} HTTP/1.1\r\nHost: localhost\r\n"),
        ),
        (421, "GET / HTTP/1.1\r\nHost: evil.example\r\n".to_owned()),
        (
            431,
            format!(
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n",
                "x".repeat(10_000)
            ),
        ),
        (505, "GET / HTTP/2.0\r\n".to_owned()),
    ];
    for (status, head) in requests {
        let mut connection = Connection::open(&server);
        connection.send(format!("{head}\r\n"));
        let answer = connection.answer();
        assert_eq!(answer.status, status, "{head}");
        for (name, value) in [
            ("Content-Security-Policy", "default-src 'self'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ] {
            let said = answer.header(name).unwrap_or_default();
            assert_eq!(said.split(';').next(), Some(value), "{status}");
        }
    }
}
