//! Plain HTTP: the file as it is now, the list of sources, the page, and a status of its own for
//! each bad request.

use crate::client::Client;
use crate::cursor::Place;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::Server;
use serde_json::Value;
use std::fs;
use std::time::{Duration, UNIX_EPOCH};

/// What every answer says of what a page may load.
pub(super) const POLICY: &str = "default-src 'self'";

/// The policy of an answer to one who asked this server by name.
fn policy(server: &Server) -> String {
    let host = server.addr();
    format!("{POLICY}; connect-src 'self' ws://{host} wss://{host}")
}

pub(super) fn scene() -> (Folder, Server) {
    let folder = Folder::new();
    folder.append("hello\n");
    let missing = folder.path("missing.log");
    let server = Server::start(&[folder.arg(), missing.to_str().unwrap()]);
    (folder, server)
}

#[test]
fn a_file_as_it_is_now() {
    for folder in Folder::each() {
        let server = Server::start(&[folder.arg()]);
        for size in [0, 1, 63, 64, 65, 5_000_000] {
            let content: Vec<u8> = (0..size).map(|n: u32| (n % 251) as u8).collect();
            folder.replace(&content);
            for target in ["/stream/app.log", "/stream"] {
                let answer = get(&server, target);
                assert_eq!(answer.status, 200);
                assert_eq!(
                    answer.header("Content-Type"),
                    Some("text/plain; charset=utf-8")
                );
                assert!(
                    answer.body == content,
                    "{size} bytes, got {}",
                    answer.body.len()
                );
                let cursor = answer.header("Tailcast-Cursor").expect("Tailcast-Cursor");
                let behind = Place::behind(folder.inode(), &content);
                assert!(
                    Place::parse(cursor).agrees(&behind),
                    "{cursor}, not {behind}"
                );
            }
        }
        // Two ways to the same bytes: what the one has not, the other goes on with.
        let answer = get(&server, "/stream/app.log");
        let cursor = answer.header("Tailcast-Cursor").unwrap();
        folder.append("more\n");
        let target = format!("/stream/app.log?from={cursor}");
        assert_eq!(
            Client::connect(&server, &target).bytes_until("\n"),
            b"more\n"
        );
    }
}

/// A file that grows under the answer does not make it longer than it said.
#[test]
fn a_file_that_grows_meanwhile() {
    let folder = Folder::new();
    let size = 32 << 20;
    folder.append(vec![b'x'; size]);
    let server = Server::start(&[folder.arg()]);
    let mut connection = Connection::open(&server);
    connection.send("GET /stream/app.log HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // The answer has begun, and is too large to be under way as a whole.
    connection.socket().peek(&mut [0]).unwrap();
    folder.append("more\n");
    assert_eq!(connection.answer().body.len(), size);
    assert_eq!(connection.get("/health").status, 200);
}

#[test]
fn what_is_not_there() {
    let (folder, server) = scene();
    fs::write(folder.path("secret.txt"), "secret\n").unwrap();
    for target in [
        "/stream/missing.log",
        "/stream/other.log",
        "/stream/",
        "/stream/app.log/",
        "/stream/app.log%00",
        "/stream/secret.txt",
        "/stream/../secret.txt",
        "/stream/%2e%2e%2fsecret.txt",
        "/stream/app.log/../secret.txt",
        "/nothing.js",
        "/../Cargo.toml",
        "/%2e%2e/src/main.rs",
        "/index.html/",
        "//sources",
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, 404, "{target}: {answer:?}");
        answer.sentence();
    }
    assert!(
        get(&server, "/stream/missing.log")
            .sentence()
            .contains("missing.log")
    );
}

#[test]
fn health() {
    let (_folder, server) = scene();
    let answer = get(&server, "/health?x=1");
    assert_eq!((answer.status, answer.text().trim_end()), (200, "ok"));
}

#[test]
fn sources() {
    let (folder, server) = scene();
    let answer = get(&server, "/sources");
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("Content-Type")
            .unwrap()
            .starts_with("application/json")
    );
    let sources = answer.json();
    assert_eq!(sources.as_array().unwrap().len(), 2);
    let (there, missing) = (&sources[0], &sources[1]);
    let mut keys: Vec<&String> = there.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "clients", "engine", "kind", "missing", "modified", "name", "size", "url", "watch"
        ]
    );
    assert_eq!(
        (&there["name"], &there["kind"]),
        (&"app.log".into(), &"file".into())
    );
    assert_eq!((&there["size"], &there["clients"]), (&6.into(), &0.into()));
    assert_eq!(there["url"], "stream/app.log");
    assert_eq!(missing["name"], "missing.log");
    assert_eq!(
        (&missing["size"], &missing["modified"]),
        (&Value::Null, &Value::Null)
    );

    // A time that every reader of RFC 3339 knows, to the millisecond.
    let time = UNIX_EPOCH + Duration::from_millis(1_767_225_600_007);
    let log = fs::File::options().append(true).open(&folder.log).unwrap();
    log.set_modified(time).unwrap();
    assert_eq!(
        source(&server, "app.log")["modified"],
        "2026-01-01T00:00:00.007Z"
    );

    let first = Client::connect(&server, "/stream/app.log");
    let second = Client::connect(&server, "/stream");
    assert_eq!(source(&server, "app.log")["clients"], 2);
    assert_eq!(source(&server, "missing.log")["clients"], 0);
    drop(first);
    until_true("one to be gone", || {
        source(&server, "app.log")["clients"] == 1
    });
    drop(second);
    until_true("both to be gone", || {
        source(&server, "app.log")["clients"] == 0
    });

    folder.append("more\n");
    assert_eq!(source(&server, "app.log")["size"], 11);
    fs::remove_file(&folder.log).unwrap();
    assert_eq!(source(&server, "app.log")["size"], Value::Null);
}

/// What stands between the quotes of `src="..."` and `href="..."`.
fn links(html: &str) -> Vec<&str> {
    ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

/// Nothing of the page comes from elsewhere, and everything of it works under any sub-path of a
/// reverse proxy.
#[test]
fn the_page() {
    let (_folder, server) = scene();
    let page = get(&server, "/");
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(get(&server, "/?stream=app.log").body, page.body);
    let html = page.text();
    let links = links(&html);
    assert!(links.len() >= 2, "{html}");
    for link in links {
        let relative = !link.starts_with('/') && !link.contains("//") && !link.contains(':');
        assert!(relative, "{link}");
        let asset = get(&server, &format!("/{link}"));
        assert_eq!(asset.status, 200, "{link}");
        let kind = match link.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("webmanifest") => "application/manifest+json",
            Some("stream") => "text/plain",
            _ => panic!("no type known for {link}"),
        };
        assert!(
            asset.header("Content-Type").unwrap().starts_with(kind),
            "{asset:?}"
        );
        assert_eq!(
            asset.header("Content-Security-Policy"),
            Some(policy(&server).as_str()),
            "{link}"
        );
    }
}

#[test]
fn every_answer_carries_the_policy() {
    let (_folder, server) = scene();
    for target in [
        "/",
        "/health",
        "/sources",
        "/stream/app.log",
        "/stream/missing.log",
        "/nothing",
    ] {
        let answer = get(&server, target);
        assert_eq!(
            answer.header("Content-Security-Policy"),
            Some(policy(&server).as_str()),
            "{target}"
        );
    }
}

/// HEAD is GET without the body (RFC 9110 section 9.3.2), and the connection goes on right behind
/// it.
#[test]
fn heads() {
    let (_folder, server) = scene();
    for target in [
        "/",
        "/health",
        "/sources",
        "/stream/app.log",
        "/stream/missing.log",
        "/nothing",
    ] {
        let mut connection = Connection::open(&server);
        let head = connection.request("HEAD", target, "");
        let whole = connection.get(target);
        assert_eq!(head.status, whole.status, "{target}");
        for name in ["Content-Length", "Content-Type", "Tailcast-Cursor"] {
            assert_eq!(head.header(name), whole.header(name), "{target}");
        }
    }
}

#[test]
fn connections_are_kept() {
    let (_folder, server) = scene();
    let mut connection = Connection::open(&server);
    for target in [
        "/health",
        "/stream/app.log",
        "/nothing",
        "/sources",
        "/",
        "/health",
    ] {
        let status = if target == "/nothing" { 404 } else { 200 };
        assert_eq!(connection.get(target).status, status, "{target}");
    }
    // The last one becomes a WebSocket.
    connection.upgrade("/stream/app.log", None);

    let mut connection = Connection::open(&server);
    let answer = connection.request("GET", "/health", "Connection: close\r\n");
    assert_eq!(answer.status, 200);
    assert_eq!(connection.rest(), b"");
    let mut connection = Connection::open(&server);
    connection.send("GET /health HTTP/1.0\r\n\r\n");
    assert_eq!(connection.answer().status, 200);
    assert_eq!(connection.rest(), b"");
    // Byte by byte, as a tired network may bring it.
    let mut connection = Connection::open(&server);
    for byte in b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" {
        connection.send([*byte]);
    }
    assert_eq!(connection.answer().status, 200);
}
