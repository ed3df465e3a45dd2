//! nginx in front, as people put one there: a sub-path that it strips, and no word about buffering.

use crate::client::Client;
use crate::deadline::until_true;
use crate::endless::Endless;
use crate::http::{Connection, source};
use crate::proxy::Proxy;
use crate::require::tool;
use crate::viewer::Viewer;
use std::fs;

/// `/old/` is a location with nothing but nginx's own defaults, HTTP/1.0 among them.
const CONFIG: &str = "
    server {
        listen LISTEN;
        location /logs/ {
            proxy_pass http://SERVER/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
        }
        location /old/ { proxy_pass http://SERVER/; }
    }
";

/// `None` (the test should return) where there is no nginx.
fn start() -> Option<Proxy> {
    Some(Proxy::nginx(tool("nginx")?, CONFIG, |_| ()))
}

/// Sends a request, of which `fields` are more lines; the rest of the answer is the caller's to
/// read.
fn ask(front: &Proxy, target: &str, fields: &str) -> Connection {
    let mut connection = Connection::to(front.addr);
    let host = front.addr;
    connection.send(format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"
    ));
    connection
}

#[test]
fn ordinary_answers() {
    let Some(front) = start() else {
        return;
    };
    for path in ["/logs", "/old"] {
        let get =
            |target: &str, fields: &str| ask(&front, &format!("{path}{target}"), fields).answer();
        assert_eq!(get("/health", "").text(), "ok\n");
        let whole = get("/stream/app.log", "");
        assert_eq!(whole.text(), "hello\n");
        let part = get("/stream/app.log", "Range: bytes=1-2\r\n");
        assert_eq!((part.status, part.text().as_str()), (206, "el"));
        let cursor = whole.header("Tailcast-Cursor").unwrap();
        let poll = get(&format!("/stream/app.log?from={cursor}"), "");
        assert_eq!(poll.status, 204);
        // Held behind a proxy, too. Somebody listens already, so that its place is taken when it is
        // counted.
        let _awake = Client::connect(&front.server, "/stream/app.log");
        let mut held = ask(
            &front,
            &format!("{path}/stream/app.log?from=end&wait=50"),
            "",
        );
        until_true("the poll to be held", || {
            source(&front.server, "app.log")["clients"] == 2
        });
        front.folder.append("more\n");
        assert_eq!(held.answer().text(), "more\n");
        fs::write(&front.folder.log, "hello\n").unwrap();
    }
}

/// What does not end goes through at once, a few bytes at a time, and ends where it is left.
#[test]
fn endless_answers() {
    let Some(front) = start() else {
        return;
    };
    for (target, fields) in [
        ("/stream/app.log?follow", ""),
        ("/stream/app.log?follow&match=stream", ""),
        ("/stream/app.log", "Range: bytes=0-9007199254740991\r\n"),
        ("/stream/app.log", "Accept: text/event-stream\r\n"),
    ] {
        for path in ["/logs", "/old"] {
            let connection = ask(&front, &format!("{path}{target}"), fields);
            let mut endless = Endless::answered(connection);
            for number in 0..10 {
                let line = format!("{path} {target} {number}\n");
                front.folder.append(&line);
                endless.until(&line);
            }
            drop(endless);
            until_true("it to be gone behind the proxy, too", || {
                source(&front.server, "app.log")["clients"] == 0
            });
        }
    }
}

#[test]
fn websocket() {
    let Some(front) = start() else {
        return;
    };
    let connection = Connection::to(front.addr);
    let mut client = Client::over(connection, "/logs/stream/app.log");
    assert_eq!(client.bytes_until("\n"), b"hello\n");
    front.folder.append("more\n");
    assert_eq!(client.bytes_until("\n"), b"more\n");
    front.folder.rotate();
    front.folder.append("new\n");
    assert_eq!(client.bytes_until("new\n"), b"new\n");
    assert_eq!(client.event_names(), ["rotated"]);
}

/// The page asks for everything relative to where it is.
#[test]
fn the_page() {
    let Some(front) = start() else {
        return;
    };
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    viewer.browser.go(&format!("http://{}/logs/", front.addr));
    viewer.until_state("live");
    front.folder.append("through nginx\n");
    viewer.until_last("through nginx");
    assert_eq!(viewer.shown(), ["hello", "through nginx"]);
    viewer.assert_no_complaints();
}
