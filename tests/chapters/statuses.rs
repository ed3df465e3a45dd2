//! Plain HTTP at its edges: every answer arrives, whatever the request; connections end in peace
//! (RFC 9110, 9112).

use crate::folder::Folder;
use crate::http::{Answer, Connection};
use crate::server::Server;
use std::io::Read;
use std::net::Shutdown;

pub(super) fn scene(args: &[&str]) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start(&[&[folder.arg()], args].concat());
    (folder, server)
}

/// One answer to these bytes, and the rest of the connection once we have no more to say: no reset.
pub(super) fn ask(server: &Server, bytes: &str) -> (Answer, Connection) {
    let mut connection = Connection::open(server);
    connection.send(bytes);
    let answer = connection.answer();
    (answer, connection)
}

pub(super) fn parted(mut connection: Connection) {
    assert_eq!(connection.rest(), b"");
    let _ = connection.socket().shutdown(Shutdown::Both);
}

/// What lets a connection go on, and what ends it (RFC 9112 section 9.3).
#[test]
fn whether_it_is_kept() {
    let (_folder, server) = scene(&[]);
    for (request, kept) in [
        ("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", true),
        (
            "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n",
            true,
        ),
        (
            "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            false,
        ),
        (
            "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: foo, CLOSE\r\n\r\n",
            false,
        ),
        ("GET /health HTTP/1.0\r\n\r\n", false),
        ("GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n", false),
        ("GET /stream/app.log HTTP/1.0\r\n\r\n", false),
        ("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", true),
        (
            "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
            true,
        ),
        ("POST /health HTTP/1.1\r\nHost: localhost\r\n\r\n", true),
        (
            "GET /stream/app.log?from=nonsense HTTP/1.1\r\nHost: localhost\r\n\r\n",
            true,
        ),
        (
            "GET /stream/app.log?from=end HTTP/1.1\r\nHost: localhost\r\n\r\n",
            true,
        ),
        // A CRLF before a request is passed over (section 2.2).
        ("\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", true),
    ] {
        let (answer, mut connection) = ask(&server, request);
        let said = answer.header("Connection");
        assert_eq!(said, (!kept).then_some("close"), "{request:?}: {answer:?}");
        if kept {
            assert_eq!(connection.get("/health").status, 200, "{request:?}");
        } else {
            parted(connection);
        }
    }
}

/// Nothing here takes a body; one that comes is read over, and what it says is no request.
#[test]
fn a_body_where_none_is_wanted() {
    let (_folder, server) = scene(&[]);
    let inner = "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (method, status) in [("GET", 200), ("POST", 405)] {
        for target in ["/health", "/stream/app.log", "/sources"] {
            let length = inner.len();
            let (answer, mut connection) = ask(
                &server,
                &format!(
                    "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{inner}"
                ),
            );
            assert_eq!(answer.status, status, "{method} {target}");
            assert_eq!(connection.get("/health").status, 200, "{method} {target}");
        }
        // Chunked: the answer is there, and then the connection ends.
        let (answer, connection) = ask(
            &server,
            &format!(
                "{method} /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{inner}\r\n0\r\n\r\n",
                inner.len()
            ),
        );
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("Connection"), Some("close"));
        parted(connection);
    }
    // A body that is still on its way when the answer goes out does not reset it (section 9.6).
    let mut connection = Connection::open(&server);
    connection.send("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n");
    connection.send(vec![b'x'; 30_000]);
    assert_eq!(connection.answer().status, 405);
    connection.send(vec![b'x'; 30_000]);
    assert_eq!(connection.get("/health").status, 200);
}

/// A client that asks first is told at once, and its body, sent or not, is never taken for a
/// request (RFC 9110 section 10.1.1).
#[test]
fn expect_100_continue() {
    let (_folder, server) = scene(&[]);
    let inner = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for body in ["", inner] {
        let mut connection = Connection::open(&server);
        let length = inner.len();
        connection.send(format!(
            "POST /stream/app.log HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n{body}"
        ));
        let answer = connection.answer();
        assert_eq!(answer.status, 405, "{answer:?}");
        assert_eq!(answer.header("Connection"), Some("close"));
        connection.socket().shutdown(Shutdown::Write).unwrap();
        parted(connection);
    }
    // Without a body there is nothing to go on with.
    let (answer, mut connection) = ask(
        &server,
        "GET /health HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(answer.status, 200);
    assert_eq!(connection.get("/health").status, 200);
}

/// Two servers must not read a request's length differently (RFC 9112 section 6.3): refused, and
/// the connection ended.
#[test]
fn lengths_that_could_be_read_two_ways() {
    let (_folder, server) = scene(&[]);
    for (fields, status) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
        ("Content-Length: 5, 5\r\n", 400),
        ("Content-Length: +5\r\n", 400),
        ("Content-Length: 0x5\r\n", 400),
        ("Content-Length: -1\r\n", 400),
        ("Content-Length:\r\n", 400),
        ("Content-Length: 65537\r\n", 413),
        ("Content-Length: 99999999999999999999999999\r\n", 413),
        ("Transfer-Encoding: gzip\r\n", 501),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Transfer-Encoding: chunked, chunked\r\n", 501),
        ("Transfer-Encoding: xchunked\r\n", 501),
    ] {
        let (answer, connection) = ask(
            &server,
            &format!("POST /health HTTP/1.1\r\nHost: localhost\r\n{fields}\r\nhello"),
        );
        assert_eq!(answer.status, status, "{fields:?}: {answer:?}");
        assert_eq!(answer.header("Connection"), Some("close"), "{fields:?}");
        answer.sentence();
        parted(connection);
    }
    // A version that knows no codings (section 6.1).
    let request = "POST /health HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(ask(&server, request).0.status, 400);
}

/// More than is ever read of a refused request: the answer stands all the same.
#[test]
fn refused_while_they_still_talk() {
    let (_folder, server) = scene(&[]);
    for (head, status) in [
        ("NONSENSE\r\n\r\n".to_owned(), 400),
        (format!("GET /{} HTTP/1.1\r\n", "x".repeat(9_000)), 414),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {}",
                "x".repeat(9_000)
            ),
            431,
        ),
        ("GET / HTTP/3.0\r\nHost: localhost\r\n\r\n".to_owned(), 505),
    ] {
        let mut connection = Connection::open(&server);
        connection.send(&head);
        let mut socket = connection.socket().try_clone().unwrap();
        let talking = std::thread::spawn(move || {
            // 50 KB more, slowly enough that the answer is out long before the end.
            for _ in 0..50 {
                std::io::Write::write_all(&mut socket, &[b'x'; 1_000]).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            socket.shutdown(Shutdown::Write).unwrap();
        });
        talking.join().expect("nobody hung up on us");
        let answer = connection.answer();
        assert_eq!(answer.status, status, "{answer:?}");
        answer.sentence();
        parted(connection);
    }
}

/// Absolute-form, as to a proxy, must be accepted, and its host stands for the `Host` field (RFC
/// 9112 section 3.2.2).
#[test]
fn targets() {
    let (_folder, server) = scene(&[]);
    let host = server.addr();
    for (target, status) in [
        (format!("http://{host}/stream/app.log"), 200),
        (format!("HTTP://{host}/health?x"), 200),
        (format!("http://{host}"), 200),
        (format!("http://{host}?stream=app.log"), 200),
        ("http://".to_owned(), 400),
        ("http:///health".to_owned(), 400),
        ("health".to_owned(), 400),
        ("*".to_owned(), 400),
        // Percent-encoded: the same name (RFC 3986 section 6.2.2.2), in any part of the path.
        ("/stream/app%2elog".to_owned(), 200),
        ("/stream/%61pp.log".to_owned(), 200),
        ("/%73tream/app.log".to_owned(), 200),
        ("/stream/app.log?%66rom=%65nd".to_owned(), 204),
        ("/stream/app%2Flog".to_owned(), 404),
        ("/stream/app.log%00".to_owned(), 404),
        ("/stream/%zz".to_owned(), 404),
        ("/stream/%".to_owned(), 404),
        ("/stream/%ff".to_owned(), 400),
        // Another path than `/health` (RFC 3986 section 3.3), and never a host.
        ("//health".to_owned(), 404),
        ("//stream/app.log".to_owned(), 404),
        ("/stream//app.log".to_owned(), 404),
        ("/./health".to_owned(), 404),
        ("/stream/../health".to_owned(), 404),
    ] {
        let (answer, mut connection) = ask(
            &server,
            &format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        );
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        match answer.status {
            400 | 404 => drop(answer.sentence()),
            _ => assert_eq!(connection.get("/health").status, 200),
        }
    }
}

/// For the server as a whole (RFC 9110 section 9.3.7), and for methods that no target here has.
#[test]
fn other_methods() {
    let (_folder, server) = scene(&[]);
    for request in [
        "OPTIONS * HTTP/1.1",
        "OPTIONS /stream/app.log HTTP/1.1",
        "POST /stream HTTP/1.1",
        "DELETE /metrics HTTP/1.1",
        "get /health HTTP/1.1",
        "M-SEARCH / HTTP/1.1",
    ] {
        let (answer, mut connection) =
            ask(&server, &format!("{request}\r\nHost: localhost\r\n\r\n"));
        assert_eq!(answer.status, 405, "{request}: {answer:?}");
        assert_eq!(answer.header("Allow"), Some("GET, HEAD"), "{request}");
        answer.sentence();
        assert_eq!(connection.get("/health").status, 200);
    }
    // A tunnel is asked for in a form of its own (section 9.3.6), which no server but a proxy
    // takes.
    let (answer, _) = ask(
        &server,
        "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert!(matches!(answer.status, 400 | 405), "{answer:?}");
}

/// A client that half-closes behind its request still gets its answer (RFC 9112 section 9.6).
#[test]
fn one_that_has_said_all() {
    let (_folder, server) = scene(&[]);
    for target in [
        "/health",
        "/stream/app.log",
        "/nothing",
        "/stream/app.log?from=start",
    ] {
        let mut connection = Connection::open(&server);
        connection.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        connection.socket().shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        connection
            .stream()
            .read_to_string(&mut answer)
            .expect("no reset");
        assert!(answer.starts_with("HTTP/1.1 "), "{target}: {answer:?}");
        assert!(
            answer.ends_with('\n') && answer.contains("\r\n\r\n"),
            "{target}: {answer:?}"
        );
    }
}
