//! `?wait`: a poll that is held until something comes, or in vain.

use crate::chapters::poll::{Held, cursor, from, scene};
use crate::client::Client;
use crate::cursor::Place;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::Server;
use crate::writer::lines;
use std::time::{Duration, Instant};

/// Being held, too: a poll that waits at the end is answered when the file under it is another one.
#[test]
fn cut_while_held() {
    let (folder, server) = scene(lines(1..=10));
    let _awake = Client::connect(&server, "/stream/app.log");
    let held = cursor(&get(&server, "/stream/app.log"));
    let mut held = Held::send(&server, &from(&held), "Prefer: wait=60\r\n");
    folder.truncate();
    folder.append("new\n");
    let answer = held.0.answer();
    assert_eq!((answer.status, answer.text().as_str()), (200, "new\n"));
    // All of the old content had been read: nothing was lost.
    assert_eq!(answer.header("Tailcast-Lost"), None);
    let behind = Place::behind(folder.inode(), b"new\n");
    assert_eq!(cursor(&answer), behind.to_string());
}

/// Both ways to ask for a wait; an append ends it.
#[test]
fn held_until_something_comes() {
    let (folder, server) = scene("old\n");
    let end = cursor(&get(&server, "/stream/app.log"));
    let mut before = b"old\n".to_vec();
    let mut at = end;
    for (query, fields, applied) in [
        ("", "Prefer: wait=50\r\n", Some("wait=50")),
        ("&wait=50", "", None),
        // Longer than anybody is held.
        ("", "Prefer: wait=3600\r\n", Some("wait=60")),
        ("&wait=99999999999999999999", "", None),
        // The grammar of RFC 7240 section 2: other preferences, parameters, any case, bad
        // whitespace.
        (
            "",
            "Prefer: respond-async, WAIT=50; foo=bar\r\n",
            Some("wait=50"),
        ),
        (
            "",
            "Prefer: return=minimal\r\nPrefer: wait=50\r\n",
            Some("wait=50"),
        ),
        ("", "Prefer: wait = 50\r\n", Some("wait=50")),
    ] {
        let target = from(&at) + query;
        let mut held = Held::send(&server, &target, fields);
        let start = Instant::now();
        let line = format!("{query} {fields:?}\n");
        folder.append(&line);
        let answer = held.0.answer();
        assert!(start.elapsed() < Duration::from_secs(30));
        assert_eq!((answer.status, answer.text()), (200, line.clone()));
        assert_eq!(answer.header("Preference-Applied"), applied, "{fields:?}");
        before.extend(line.as_bytes());
        at = cursor(&answer);
        assert_eq!(at, Place::behind(folder.inode(), &before).to_string());
        // On the same connection it goes on.
        assert_eq!(held.0.get(&from(&at)).status, 204);
    }
}

#[test]
fn held_in_vain() {
    let (_folder, server) = scene("old\n");
    let end = cursor(&get(&server, "/stream/app.log"));
    for (query, fields, applied) in [
        ("&wait=1", "", None),
        ("", "Prefer: wait=1\r\n", Some("wait=1")),
    ] {
        let mut connection = Connection::open(&server);
        let start = Instant::now();
        let answer = connection.request("GET", &(from(&end) + query), fields);
        assert!(start.elapsed() >= Duration::from_secs(1), "too early");
        assert_eq!((answer.status, cursor(&answer)), (204, end.clone()));
        assert_eq!(answer.header("Preference-Applied"), applied);
        assert_eq!(connection.get("/health").status, 200);
    }
    // What can't be read of a preference is passed over (RFC 7240 section 2).
    for fields in ["Prefer: wait=soon\r\n", "Prefer: wait\r\n", "Prefer: ,\r\n"] {
        let answer = Connection::open(&server).request("GET", &from(&end), fields);
        assert_eq!(answer.status, 204, "{fields}");
        assert_eq!(answer.header("Preference-Applied"), None, "{fields}");
    }
}

/// Who waits costs no wake-up, and who leaves gives the place back at once.
#[test]
fn held_for_nothing() {
    let folder = Folder::new();
    folder.append("old\n");
    let server = Server::start(&[folder.arg(), "--max-clients=11", "--heartbeat=60s"]);
    let mut held: Vec<Held> = (0..10)
        .map(|_| Held::send(&server, &from("end"), "Prefer: wait=60\r\n"))
        .collect();
    // What others mount meanwhile wakes it, too; a poll would each quarter of a second.
    until_true("a second without a wake-up", || {
        let before = (server.threads(), server.sleeps());
        // The one place where time is what is measured.
        std::thread::sleep(Duration::from_secs(1));
        before == (server.threads(), server.sleeps())
    });
    assert!(held.iter().all(|held| !held.is_answered()));

    let looking = Connection::open(&server);
    until_true("all places to be taken", || {
        get(&server, "/health").status == 503
    });
    drop((held.pop(), looking));
    until_true("a place to be free", || {
        get(&server, "/health").status == 200
    });
    until_true("one to be gone", || {
        source(&server, "app.log")["clients"] == 9
    });
    drop(held);
    until_true("all to be gone", || {
        source(&server, "app.log")["clients"] == 0
    });
}

/// The end of the server is the end of a wait, not of an answer.
#[test]
fn held_at_the_end() {
    let (_folder, mut server) = scene("old\n");
    let end = cursor(&get(&server, "/stream/app.log"));
    let mut held = Held::send(&server, &from(&end), "Prefer: wait=60\r\n");
    let ended = server.stop();
    assert!(ended.status.success(), "{}", ended.stderr);
    let answer = held.0.answer();
    assert_eq!((answer.status, cursor(&answer)), (204, end));
    assert_eq!(held.0.rest(), b"");
}
