//! Request heads, good and bad.

use super::*;

fn request(head: &str) -> Result<Request, Status> {
    parse(head.as_bytes()).map(|parsed| parsed.expect("a whole head").0)
}

#[test]
fn statuses_of_bad_heads() {
    let long = "a".repeat(HEAD_MAX);
    let table: [(String, Status); 21] = [
        ("\0\0\0\r\n\r\n".into(), 400),
        ("GET\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n".into(), 400),
        ("GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n".into(), 505),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1 x\r\nHost: a\r\n\r\n".into(), 400),
        ("GET /a b\r\nHost: a\r\n\r\n".into(), 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 505),
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"),
            431,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
                "X: y\r\n".repeat(FIELDS_MAX)
            ),
            431,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n".into(),
            413,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n".into(),
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n".into(),
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".into(),
            501,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
                .into(),
            400,
        ),
        (
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
            400,
        ),
    ];
    for (head, status) in table {
        assert_eq!(
            request(&head),
            Err(status),
            "{}",
            &head[..head.len().min(80)]
        );
    }
}

#[test]
fn a_head_in_any_pieces() {
    let head = b"\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\nnext";
    for end in 0..head.len() - 4 {
        assert_eq!(parse(&head[..end]), Ok(None), "{end} bytes");
    }
    assert_eq!(parse(head).unwrap().unwrap().1, head.len() - 4);
}

#[test]
fn targets() {
    for (target, path, query) in [
        ("/", "/", None),
        ("/a/b?c=d", "/a/b", Some("c=d")),
        ("http://pi:8080", "/", None),
        ("HTTP://pi/stream?from=end", "/stream", Some("from=end")),
        ("http://pi?x", "/", Some("x")),
    ] {
        let request = request(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        assert_eq!(
            (request.path.as_str(), request.query.as_deref()),
            (path, query),
            "{target}"
        );
    }
}

#[test]
fn keep_alive_and_websocket() {
    let ask = |rest: &str| request(&format!("GET /?a=b%20c&d HTTP/1.{rest}\r\n\r\n")).unwrap();
    assert!(ask("1\r\nHost: a").keep_alive);
    assert!(!ask("1\r\nHost: a\r\nConnection: foo, Close").keep_alive);
    assert!(!ask("0").keep_alive);
    let upgrade = "\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket";
    assert!(ask(&format!("1{upgrade}")).is_websocket());
    assert!(!ask(&format!("0{upgrade}")).is_websocket());
    assert!(!ask("1\r\nHost: a\r\nUpgrade: websocket").is_websocket());
    let request = ask("0");
    assert_eq!(request.parameter("a").as_deref(), Some("b c"));
    assert_eq!(request.parameter("d").as_deref(), Some(""));
    assert_eq!(request.parameter("e"), None);
}
