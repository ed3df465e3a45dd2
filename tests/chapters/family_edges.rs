//! The family of a file at its edges: what a link meant while nobody looked, a gap between many, a
//! member that is not everybody's to read, and a file that is rewritten all the time.

use crate::chapters::follow::{breaks, scene};
use crate::client::{Client, Heard};
use crate::deadline::until_true;
use crate::folder::{Folder, inode, rename};
use crate::http::{Connection, get};
use crate::server::Server;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A client that has read `log` of `folder` to its end and left, and its server.
fn left(folder: &Folder, log: &str, content: &str) -> (Server, String) {
    let path = folder.path(log);
    let server = Server::start(&[path.to_str().unwrap()]);
    let mut client = Client::connect(&server, &format!("/stream/{log}?from=start"));
    client.bytes_until(content);
    (server, format!("/stream/{log}?from={}", client.place()))
}

fn append(folder: &Folder, name: &str, text: &str) {
    let file = File::options()
        .create(true)
        .append(true)
        .open(folder.path(name));
    std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
}

/// What comes at `target` up to `last`, and the names of the events.
fn heard(server: &Server, target: &str, last: &str) -> (String, Vec<String>) {
    let mut client = Client::connect(server, target);
    let bytes = client.bytes_until(last);
    let events = client
        .event_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    (String::from_utf8(bytes).unwrap(), events)
}

const OLD: &str = "the first line of the old file, and long enough for a check to be made of it\n";

/// cronolog, glog, winston: a date in the name, and a link to the newest file.
#[test]
fn what_a_link_meant_in_between() {
    for is_away in [true, false] {
        let folder = Folder::new();
        let day = |name: &str, text: &str| {
            append(&folder, name, text);
            symlink(name, folder.path("link~")).unwrap();
            rename(&folder.path("link~"), &folder.log);
        };
        day("app-2026-11-23.log", OLD);
        append(&folder, "web-2026-11-24.log", "another's\n");
        let (server, back) = left(&folder, "app.log", OLD);
        let mut awake = Client::connect(&server, "/stream/app.log?from=end");
        server.between_two_looks(|| {
            append(&folder, "app-2026-11-23.log", "23\n");
            day("app-2026-11-24.log", "24\n");
            day("app-2026-11-25.log", "25\n");
        });
        let (text, events) = if is_away {
            heard(&server, &back, "25\n")
        } else {
            let bytes = awake.bytes_until("25\n");
            let names = awake.event_names().into_iter().map(str::to_owned);
            (String::from_utf8(bytes).unwrap(), names.collect())
        };
        assert_eq!(text, "23\n24\n25\n", "away: {is_away}");
        assert_eq!(events, ["rotated", "rotated"], "away: {is_away}");
    }
}

#[test]
fn one_gap_is_told_once() {
    let folder = Folder::new();
    let (server, _, mut client) = scene(&folder);
    server.between_two_looks(|| {
        fs::remove_file(&folder.log).unwrap();
        for number in [3, 2, 1] {
            append(&folder, &format!("app.log.{number}"), "rotated\n");
        }
        folder.append("now\n");
    });
    client.bytes_until("now\n");
    let mut names: Vec<&str> = breaks(&client).into_iter().map(|(_, name)| name).collect();
    names.retain(|name| *name == "lost");
    assert_eq!(names.len(), 1, "{:?}", client.events);
}

/// The header that shows the key of the banner.
fn bearer(server: &Server) -> String {
    let banner = server.banner().join("\n");
    let key = banner.split_once("?key=").unwrap().1;
    let key = key.split_whitespace().next().unwrap();
    format!("Authorization: Bearer {key}\r\n")
}

/// Whoever shows no key gets what everybody on this machine may read: the mode of each file counts
/// when it is opened, and every directory on the way to it.
#[test]
fn what_is_private_needs_the_key() {
    let folder = Folder::new();
    folder.append("open to all\n");
    append(&folder, "app.log.1", "secret\n");
    let mode = |path: &std::path::Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    mode(&folder.path("app.log.1"), 0o600);
    let server = Server::start(&[folder.arg()]);
    assert_eq!(get(&server, "/stream/app.log").text(), "open to all\n");
    let bearer = bearer(&server);
    for more in ["", "&max=100"] {
        let inode = inode(&folder.path("app.log.1"));
        let target = format!("/stream/app.log?from={inode:x}-0{more}");
        let answer = get(&server, &target);
        assert_eq!(answer.status, 401, "{target}: {answer:?}");
        let answer = Connection::open(&server).request("GET", &target, &bearer);
        assert!(
            answer.text().starts_with("secret\n"),
            "{target}: {answer:?}"
        );
    }

    // The directory is closed while it runs, and opened again.
    let directory = folder.log.parent().unwrap();
    for (directory_mode, status) in [(0o700, 401), (0o750, 401), (0o711, 200), (0o755, 200)] {
        mode(directory, directory_mode);
        let answer = get(&server, "/stream/app.log");
        assert_eq!(answer.status, status, "{directory_mode:o}: {answer:?}");
    }
}

/// logrotate's `create` makes the new log for its owner alone, and opens it to all a moment later:
/// a viewer without a key goes on, another one is let in, and one of a log that stays private is
/// let go once something stands in it.
#[test]
fn a_log_that_is_private_for_a_moment() {
    let folder = Folder::new();
    folder.append("one\n");
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    client.bytes_until("one\n");
    let rotate = || {
        folder.rotate();
        let mut owners = File::options();
        owners.write(true).create_new(true).mode(0o600);
        owners.open(&folder.log).unwrap();
        // It has been looked at: `/sources` with the key asks for its size.
        let look = Connection::open(&server).request("GET", "/sources", &bearer(&server));
        assert_eq!(look.status, 200, "{look:?}");
    };
    rotate();
    let mode = |mode| fs::set_permissions(&folder.log, Permissions::from_mode(mode)).unwrap();
    until_true("a new one to be let in while it is made", || {
        mode(0o600);
        get(&server, "/stream/app.log").status == 200
    });
    until_true("the key to be asked for where it stays so", || {
        get(&server, "/stream/app.log").status == 401
    });
    mode(0o644);
    assert_eq!(get(&server, "/stream/app.log").status, 200);
    folder.append("two\n");
    assert_eq!(client.bytes_until("two\n"), b"two\n");
    rotate();
    folder.append("secret\n");
    client.event("rotated");
    let heard = client.next();
    assert!(matches!(heard, Heard::Closed(Some(1011))), "{heard:?}");
}

/// Polls resume in a file that is rewritten all the time, in a directory that takes long to read:
/// nobody else waits.
#[test]
fn a_file_rewritten_all_the_time_keeps_nobody_waiting() {
    let folder = Folder::new();
    folder.append("first\n");
    for number in 0..20_000 {
        File::create(folder.path(&format!("neighbour-{number}"))).unwrap();
    }
    // By hand, with nothing beside it: `TAILCAST_ALONE=1 cargo test keeps_nobody_waiting`.
    let alone = std::env::var_os("TAILCAST_ALONE").is_some();
    let (time, most) = if alone {
        (Duration::from_secs(60), Duration::from_millis(100))
    } else {
        // The machine may have other things to do: that there is an answer is what counts.
        (Duration::from_secs(3), crate::deadline::DEADLINE)
    };
    let server = Server::start(&[folder.arg()]);
    let (addr, over) = (server.addr(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0_u64.. {
                fs::write(&folder.log, format!("round {round}\n")).unwrap();
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        scope.spawn(|| {
            let targets = [
                "/stream/app.log?from=1-0&wait=1",
                "/stream/app.log",
                "/stream/app.log?from=1-0&match=round",
            ];
            for target in targets.iter().cycle() {
                let mut connection = Connection::to(addr);
                let head = "Host: localhost\r\nConnection: close";
                connection.send(format!("GET {target} HTTP/1.1\r\n{head}\r\n\r\n"));
                // A body may break off, where the file is cut under it. That there is an answer is
                // ours to see to.
                let answer = connection.rest();
                assert!(answer.starts_with(b"HTTP/1.1 "), "{target}: {answer:?}");
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let ended = Instant::now() + time;
        let mut slowest = Duration::ZERO;
        while Instant::now() < ended {
            let asked = Instant::now();
            assert_eq!(get(&server, "/health").status, 200);
            slowest = slowest.max(asked.elapsed());
        }
        over.store(true, Ordering::Relaxed);
        assert!(slowest <= most, "/health took {slowest:?}");
    });
}
