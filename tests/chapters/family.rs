//! The family of a file: what its name, or the link that is followed, has meant before. Who was away goes on there, in
//! the right order, and is told what nobody can know.

use crate::chapters::follow::{breaks, scene};
use crate::client::Client;
use crate::folder::{Folder, inode, rename};
use crate::http::{Connection, get};
use crate::server::Server;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

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

/// When `name` was written last, in seconds before now.
fn written_before(folder: &Folder, name: &str, seconds: u64) {
    let file = File::options()
        .append(true)
        .open(folder.path(name))
        .unwrap();
    let time = SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(time).unwrap();
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

#[test]
fn names_that_other_loggers_give() {
    for (log, old) in [
        ("app.log", "app.1.log"),
        ("app.log", "app_1.log"),
        ("app.log", "app.2026-11-25.log"),
        ("app.log", "app.2026-11-25.0.log"),
        ("app.log", "app-2026-11-25-1.log"),
        ("app.log", "app__2026-11-25_00-00-00.log"),
        ("app.log", "app.log.2026-11-25-10"),
        ("current", "@400000006745c3e52f3a1b2c.s"),
        ("current", "@400000006745c3e52f3a1b2c.u"),
    ] {
        let folder = Folder::new();
        append(&folder, log, OLD);
        let (server, back) = left(&folder, log, OLD);
        append(&folder, log, "its rest\n");
        rename(&folder.path(log), &folder.path(old));
        append(&folder, log, "the new file\n");
        let (text, events) = heard(&server, &back, "new file\n");
        assert_eq!(text, "its rest\nthe new file\n", "{old}");
        assert_eq!(events, ["rotated"], "{old}");
    }
}

/// A board without a clock of its own: what was written later has an earlier time. The numbers tell.
#[test]
fn the_clock_set_back_between_rotations() {
    let folder = Folder::new();
    folder.append(OLD);
    let (server, back) = left(&folder, "app.log", OLD);
    folder.append("1\n");
    rename(&folder.log, &folder.path("app.log.3"));
    append(&folder, "app.log.2", "2\n");
    append(&folder, "app.log.1", "3\n");
    folder.append("4\n");
    for (name, seconds) in [("app.log.3", 60), ("app.log.2", 3600), ("app.log.1", 7200)] {
        written_before(&folder, name, seconds);
    }
    let (text, events) = heard(&server, &back, "4\n");
    assert_eq!(text, "1\n2\n3\n4\n");
    assert_eq!(events, ["rotated"; 3]);
}

/// Numbers that count up: by their times a file lies in between, by their names none does. Nobody can know.
#[test]
fn what_contradicts_is_told_as_lost() {
    let folder = Folder::new();
    folder.append(OLD);
    let (server, back) = left(&folder, "app.log", OLD);
    folder.append("1\n");
    rename(&folder.log, &folder.path("app-1.log"));
    append(&folder, "app-2.log", "2\n");
    folder.append("3\n");
    for (name, seconds) in [("app-1.log", 60), ("app-2.log", 30)] {
        written_before(&folder, name, seconds);
    }
    let (_, events) = heard(&server, &back, "3\n");
    assert_eq!(events, ["lost", "rotated"]);
}

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

/// log2ram: at a reboot the log is copied to the card and back. Its bytes are the same, its inode is not.
#[test]
fn a_copy_goes_on_where_it_was() {
    let folder = Folder::new();
    folder.append(OLD);
    let (mut server, back) = left(&folder, "app.log", OLD);
    fs::copy(&folder.log, folder.path("card")).unwrap();
    let before = folder.inode();
    fs::remove_file(&folder.log).unwrap();
    // Keeps the inode from being given out again.
    append(&folder, "other", "x");
    fs::copy(folder.path("card"), &folder.log).unwrap();
    assert_ne!(folder.inode(), before);
    folder.append("up again\n");
    server.restart();
    assert_eq!(
        heard(&server, &back, "again\n"),
        ("up again\n".to_owned(), vec![])
    );

    // In two files nobody can tell, and without a check nothing is compared.
    let (from, check) = back.rsplit_once('-').unwrap();
    assert!(check.len() <= 8 && from.contains('-'));
    let (text, events) = heard(&server, from, "again\n");
    assert_eq!(
        (text.len(), &events[..]),
        (OLD.len() + 9, &["lost".to_owned()][..])
    );
    fs::copy(&folder.log, folder.path("app.log.1")).unwrap();
    let (text, events) = heard(&server, &back, "again\n");
    assert_eq!(
        (text.len(), &events[..]),
        (OLD.len() + 9, &["lost".to_owned()][..])
    );
}

/// `sed -i`, vim, a sync: a new file under the name that begins with all of the old one.
#[test]
fn edited_in_place() {
    for folder in Folder::each() {
        let (_server, _writer, mut client) = scene(&folder);
        let old = fs::read(&folder.log).unwrap();
        folder.replace([&old[..], b"one more\n"].concat());
        assert_eq!(client.bytes_until("more\n"), b"one more\n");
        assert_eq!(breaks(&client), [(old.len() as u64, "rotated")]);
        let (_, told) = client.events.last().unwrap();
        let cursor = format!("{:x}-{:x}", inode(&folder.log), old.len());
        assert_eq!(told["cursor"].as_str(), Some(&cursor[..]));

        // Another first byte is another file.
        let new = [&b"X"[..], &old[1..], b"one more\n", b"two\n"].concat();
        folder.replace(&new);
        assert_eq!(client.bytes_until("two\n"), new);
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

/// Whoever shows no key gets what everybody on this machine may read: the mode of each file counts when it is opened,
/// and every directory on the way to it.
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
    let banner = server.banner().join("\n");
    let key = banner.split_once("?key=").unwrap().1;
    let key = key.split_whitespace().next().unwrap();
    let bearer = format!("Authorization: Bearer {key}\r\n");
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

/// Polls resume in a file that is rewritten all the time, in a directory that takes long to read: nobody else waits.
#[test]
fn a_file_rewritten_all_the_time_keeps_nobody_waiting() {
    let folder = Folder::new();
    folder.append("first\n");
    for number in 0..20_000 {
        File::create(folder.path(&format!("neighbour-{number}"))).unwrap();
    }
    let chaos = std::env::var_os("TAILCAST_CHAOS").is_some();
    let (time, most) = if chaos {
        (Duration::from_secs(60), Duration::from_millis(100))
    } else {
        // The machine may have other things to do: that there is an answer is what counts.
        (Duration::from_secs(3), crate::deadline::DEADLINE)
    };
    let server = Server::start(&[folder.arg()]);
    let over = AtomicBool::new(false);
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
            while !over.load(Ordering::Relaxed) {
                let answer = get(&server, "/stream/app.log?from=1-0&wait=1");
                assert!(matches!(answer.status, 200 | 204), "{answer:?}");
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
