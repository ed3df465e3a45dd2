//! Requests that are refused: bad ones by their own status, and other methods.

use crate::chapters::requests::{POLICY, scene};
use crate::http::{Answer, Connection};
use crate::server::Server;
use std::net::Shutdown;

/// Sends these bytes on a connection of their own; the answer must arrive, and the connection end
/// without a reset.
fn refused(server: &Server, bytes: impl AsRef<[u8]>) -> Answer {
    let mut connection = Connection::open(server);
    connection.send(bytes);
    let answer = connection.answer();
    connection.socket().shutdown(Shutdown::Write).unwrap();
    assert_eq!(connection.rest(), b"", "after {answer:?}");
    answer.sentence();
    answer
}

#[test]
fn bad_requests_have_their_own_status() {
    let (_folder, server) = scene();
    let long = "x".repeat(9_000);
    let large = "x".repeat(40_000);
    for (request, status) in [
        ("NONSENSE\r\n\r\n".to_owned(), 400),
        ("GET /health\r\n\r\n".to_owned(), 400),
        ("GET /health HTTP/1.1\r\nno colon\r\n\r\n".to_owned(), 400),
        ("GET /health HTTP/1.1\r\nHo st: x\r\n\r\n".to_owned(), 400),
        ("GET health HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 400),
        // RFC 9112 section 3.2: exactly one Host.
        ("GET /health HTTP/1.1\r\n\r\n".to_owned(), 400),
        (
            "GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".to_owned(),
            400,
        ),
        (format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 414),
        (format!("GET /{large} HTTP/1.1\r\nHost: x\r\n\r\n"), 414),
        (
            format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {long}\r\n\r\n"),
            431,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {large}\r\n\r\n"),
            431,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
                "a: b\r\n".repeat(1_500)
            ),
            431,
        ),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n".to_owned(), 505),
        ("GET / HTTP/3\r\nHost: x\r\n\r\n".to_owned(), 505),
    ] {
        let answer = refused(&server, &request);
        let start: String = request.chars().take(60).collect();
        assert_eq!(answer.status, status, "{start:?}: {answer:?}");
        let said = answer.header("Content-Security-Policy").unwrap();
        assert!(said.starts_with(POLICY), "{said}");
    }
    // Nearly the limit is not over it.
    let answer = Connection::open(&server).request(
        "GET",
        "/health",
        &format!("Cookie: {}\r\n", &long[..7_900]),
    );
    assert_eq!(answer.status, 200);
}

#[test]
fn other_methods() {
    let (_folder, server) = scene();
    for target in ["/", "/health", "/sources", "/stream/app.log"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
            let mut connection = Connection::open(&server);
            let answer = connection.request(method, target, "Content-Length: 0\r\n");
            assert_eq!(answer.status, 405, "{method} {target}: {answer:?}");
            assert!(answer.header("Allow").expect("Allow").contains("GET"));
            answer.sentence();
        }
    }
    // What a body says is not a request.
    let inner = "GET /sources HTTP/1.1\r\nHost: x\r\n\r\n";
    let length = inner.len();
    let post = format!(
        "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{inner}"
    );
    assert_eq!(refused(&server, post).status, 405);
}
