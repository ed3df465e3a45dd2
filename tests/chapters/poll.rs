//! The article's Ajax polling and long polling: what came after a cursor, at once or after a wait.

use crate::cursor::Place;
use crate::deadline::{until, until_true};
use crate::folder::Folder;
use crate::http::{Answer, Connection, get, source};
use crate::server::Server;
use crate::writer::{Writer, lines, sha256};
use std::fs;
use std::io::ErrorKind;

pub(super) fn scene(content: impl AsRef<[u8]>) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append(content);
    let server = Server::start(&[folder.arg()]);
    (folder, server)
}

pub(super) fn cursor(answer: &Answer) -> String {
    let cursor = answer.header("Tailcast-Cursor").expect("Tailcast-Cursor");
    cursor.to_owned()
}

pub(super) fn from(cursor: &str) -> String {
    format!("/stream/app.log?from={cursor}")
}

/// A poll that is being held: sent, counted by the server, and not answered. Its place is surely
/// taken by then only where somebody else listens already: the first one waits for a look at the
/// file.
pub(super) struct Held(pub(super) Connection);

impl Held {
    pub(super) fn send(server: &Server, target: &str, fields: &str) -> Held {
        let held = source(server, "app.log")["clients"].as_u64().unwrap() + 1;
        let mut connection = Connection::open(server);
        connection.send(format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
        ));
        until_true("the poll to be held", || {
            source(server, "app.log")["clients"] == held
        });
        let held = Held(connection);
        assert!(!held.is_answered());
        held
    }

    pub(super) fn is_answered(&self) -> bool {
        self.0.socket().set_nonblocking(true).unwrap();
        let peeked = self.0.socket().peek(&mut [0]);
        self.0.socket().set_nonblocking(false).unwrap();
        match peeked {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                false
            }
        }
    }
}

#[test]
fn what_came_after_a_cursor() {
    for folder in Folder::each() {
        let mut writer = Writer::start(&folder.log);
        let server = Server::start(&[folder.arg()]);
        writer.write(100);
        let mut connection = Connection::open(&server);
        let first = connection.get("/stream/app.log");
        let answer = connection.get(&from(&cursor(&first)));
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_eq!(answer.header("Content-Length"), None);
        assert_eq!(answer.header("Content-Type"), None);
        assert_eq!(cursor(&answer), cursor(&first));
        writer.write(50);
        let answer = connection.get(&from(&cursor(&answer)));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body, lines(101..=150));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert_eq!(answer.header("Tailcast-Lost"), None);
        let behind = Place::behind(folder.inode(), &writer.everything());
        assert_eq!(cursor(&answer), behind.to_string());
        // HEAD tells the same and gives nothing.
        let head = connection.request("HEAD", &from(&cursor(&first)), "Prefer: wait=60\r\n");
        assert_eq!((head.status, cursor(&head)), (200, behind.to_string()));
    }
}

#[test]
fn forms_of_from() {
    let (folder, server) = scene("one\ntwo\nthree\nhalf");
    for (form, body) in [
        ("start", "one\ntwo\nthree\nhalf"),
        ("-1", "half"),
        ("-3", "two\nthree\nhalf"),
        ("-100", "one\ntwo\nthree\nhalf"),
    ] {
        let answer = get(&server, &from(form));
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, body),
            "{form}"
        );
    }
    let content = fs::read(&folder.log).unwrap();
    for form in ["end", "-0"] {
        let answer = get(&server, &from(form));
        assert_eq!(answer.status, 204, "{form}: {answer:?}");
        let behind = Place::behind(folder.inode(), &content);
        assert_eq!(cursor(&answer), behind.to_string());
    }
    for form in ["", "-", "nonsense", "1-2-3-4", "-1x"] {
        let answer = get(&server, &from(form));
        assert_eq!(answer.status, 400, "{form}: {answer:?}");
        assert!(answer.sentence().contains("from"));
    }
    for wait in ["", "-1", "soon", "1.5", "5s"] {
        let answer = get(&server, &format!("{}&wait={wait}", from("end")));
        assert_eq!(answer.status, 400, "{wait}: {answer:?}");
        assert!(answer.sentence().contains("wait"));
    }
}

/// A cursor whose bytes are gone: the poll says so and begins again, and the next one goes on.
#[test]
fn what_is_lost_is_told() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg()]);
    writer.write(100);
    let before = cursor(&get(&server, "/stream/app.log"));
    folder.truncate();
    let answer = get(&server, &from(&before));
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(answer.header("Tailcast-Lost"), Some("unknown"));
    let start = cursor(&answer);
    assert_eq!(start, Place::behind(folder.inode(), b"").to_string());
    writer.write(200);
    // Cut, and grown past the cursor: only the check can tell.
    let answer = get(&server, &from(&before));
    assert_eq!(answer.header("Tailcast-Lost"), Some("unknown"));
    assert_eq!(answer.body, lines(101..=300));
    let answer = get(&server, &from(&start));
    assert_eq!(answer.header("Tailcast-Lost"), None);
    assert_eq!(answer.body, lines(101..=300));
    // A cursor too old: its file has been deleted.
    let before = cursor(&answer);
    folder.replace(lines(301..=310));
    let answer = get(&server, &from(&before));
    assert_eq!(answer.header("Tailcast-Lost"), Some("unknown"));
    assert_eq!(answer.body, lines(301..=310));
    assert_eq!(get(&server, &from(&cursor(&answer))).status, 204);
}

#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new();
    let server = Server::start(&[folder.arg()]);
    for form in ["start", "end", "-5", "0-0"] {
        let answer = get(&server, &from(form));
        assert_eq!((answer.status, cursor(&answer).as_str()), (204, "0-0"));
        assert_eq!(answer.header("Tailcast-Lost"), None);
    }
    let mut held = Held::send(&server, &from("0-0"), "Prefer: wait=60\r\n");
    folder.append("first\n");
    let answer = held.0.answer();
    assert_eq!((answer.status, answer.text().as_str()), (200, "first\n"));
    assert_eq!(answer.header("Tailcast-Lost"), None);
    // It goes away under somebody who polls.
    fs::remove_file(&folder.log).unwrap();
    let answer = get(&server, &from(&cursor(&answer)));
    assert_eq!(answer.status, 204, "{answer:?}");
}

/// A page that polls uses one connection, and the server nothing more for it.
#[test]
fn many_polls_on_one_connection() {
    let (folder, server) = scene("");
    let mut connection = Connection::open(&server);
    let mut at = cursor(&connection.get("/stream/app.log"));
    let local = connection.socket().local_addr().unwrap();
    let before = server.descriptors();
    for number in 0..500 {
        let line = format!("line {number}\n");
        folder.append(&line);
        let answer = connection.get(&from(&at));
        assert_eq!((answer.status, answer.text()), (200, line));
        assert_eq!(answer.header("Connection"), None);
        at = cursor(&answer);
        assert_eq!(connection.get(&from(&at)).status, 204);
    }
    assert_eq!(connection.socket().local_addr().unwrap(), local);
    until_true("nothing more to be open than before", || {
        server.descriptors() <= before
    });
}

/// A poller that walks over rotations, restarts of the server in between, loses nothing and has
/// nothing twice.
#[test]
fn a_walk_over_rotations() {
    for folder in Folder::each() {
        let mut writer = Writer::start(&folder.log);
        let mut server = Server::start(&[folder.arg()]);
        let mut at = cursor(&get(&server, &from("start")));
        let mut bytes = Vec::new();
        for round in 0..40 {
            writer.begin(300);
            for _ in 0..3 {
                step(&server, &mut at, &mut bytes, "");
            }
            writer.wait();
            if round % 3 == 0 {
                folder.rotate();
                writer.reopen();
            }
            if round % 7 == 0 {
                // Two rotations between two polls.
                writer.write(20);
                folder.rotate();
                writer.reopen();
                writer.write(20);
                folder.rotate();
                writer.reopen();
            }
            if round % 10 == 9 {
                server.restart();
            }
        }
        let all = writer.everything();
        until("everything", || {
            step(&server, &mut at, &mut bytes, "&wait=1");
            (bytes.len() >= all.len()).then_some(())
        });
        assert_eq!(sha256(bytes), sha256(all));
    }
}

fn step(server: &Server, at: &mut String, bytes: &mut Vec<u8>, wait: &str) {
    let answer = get(server, &(from(at) + wait));
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    assert_eq!(answer.header("Tailcast-Lost"), None, "from {at}");
    *at = cursor(&answer);
    bytes.extend(answer.body);
}
