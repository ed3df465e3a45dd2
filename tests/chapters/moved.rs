//! What changes above the last part of a path: links, directories, mounts. Seen at once, by notices
//! alone.

use crate::client::Client;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::{get, source};
use crate::require;
use crate::server::Server;
use rustix::process::Signal;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

/// No look happens by itself before a test's deadline is over.
const NOTICES_ALONE: &str = "--heartbeat=10m";

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.as_mut().expect("a file to append to");
    file.write_all(text.as_bytes()).expect("append");
}

fn following(path: &Path) -> (Server, Client) {
    let server = Server::start(&[NOTICES_ALONE, path.to_str().unwrap()]);
    let name = path.file_name().unwrap().to_str().unwrap();
    let client = Client::connect(&server, &format!("/stream/{name}?from=start"));
    assert_eq!(source(&server, name)["watch"], "notices");
    (server, client)
}

#[test]
fn a_link_to_a_directory_is_pointed_elsewhere() {
    for folder in Folder::each() {
        for start in ["one", "two", "three"] {
            fs::create_dir(folder.path(start)).unwrap();
            append(&folder.path(start).join("log.txt"), &format!("{start}\n"));
        }
        let current = folder.path("current");
        symlink("one", &current).unwrap();
        let (_server, mut client) = following(&current.join("log.txt"));
        assert_eq!(client.bytes_until("\n"), b"one\n");
        // In two steps, then in one.
        fs::remove_file(&current).unwrap();
        symlink("two", &current).unwrap();
        assert_eq!(client.bytes_until("\n"), b"two\n");
        symlink("three", folder.path("new")).unwrap();
        fs::rename(folder.path("new"), &current).unwrap();
        assert_eq!(client.bytes_until("\n"), b"three\n");
        append(&folder.path("three/log.txt"), "more\n");
        assert_eq!(client.bytes_until("\n"), b"more\n");
    }
}

#[test]
fn the_middle_of_a_chain_is_pointed_elsewhere() {
    for folder in Folder::each() {
        append(&folder.path("one.log"), "one\n");
        append(&folder.path("two.log"), "two\n");
        symlink("one.log", folder.path("middle")).unwrap();
        symlink(folder.path("middle"), folder.path("outer")).unwrap();
        symlink("outer", &folder.log).unwrap();
        let (_server, mut client) = following(&folder.log);
        assert_eq!(client.bytes_until("\n"), b"one\n");
        symlink("two.log", folder.path("new")).unwrap();
        fs::rename(folder.path("new"), folder.path("middle")).unwrap();
        assert_eq!(client.bytes_until("\n"), b"two\n");
    }
}

#[test]
fn a_directory_above_is_renamed_and_made_anew() {
    for folder in Folder::each() {
        let log = folder.path("site/logs/web.log");
        let make = |text: &str| {
            fs::create_dir_all(log.parent().unwrap()).unwrap();
            append(&log, text);
        };
        make("before\n");
        let (_server, mut client) = following(&log);
        assert_eq!(client.bytes_until("\n"), b"before\n");
        for (away, text) in [("away", "after\n"), ("farther", "again\n")] {
            fs::rename(folder.path("site"), folder.path(away)).unwrap();
            make(text);
            assert_eq!(client.bytes_until("\n"), text.as_bytes());
        }
        fs::rename(folder.path("site"), folder.path("gone")).unwrap();
        assert_eq!(client.event("missing")["cause"], "absent");
        fs::rename(folder.path("gone"), folder.path("site")).unwrap();
        client.event("found");
    }
}

#[test]
fn directories_that_come_one_after_the_other() {
    for folder in Folder::each() {
        let log = folder.path("a/b/c/deep.log");
        let (_server, mut client) = following(&log);
        for directory in ["a", "a/b", "a/b/c"] {
            fs::create_dir(folder.path(directory)).unwrap();
            // Something else there is nobody's business.
            append(&folder.path(directory).join("other"), "x");
        }
        append(&log, "hello\n");
        assert_eq!(client.bytes_until("\n"), b"hello\n");
    }
}

/// The kernel's watches of what was moved away are given back.
#[test]
fn no_watch_is_left_behind() {
    let folder = Folder::new();
    let log = folder.path("logs/app.log");
    fs::create_dir(folder.path("logs")).unwrap();
    append(&log, "0\n");
    let (server, mut client) = following(&log);
    let watches = || {
        let pid = server.pid().as_raw_nonzero();
        let infos = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
        // A descriptor may be gone by now.
        let infos = infos.filter_map(|info| fs::read_to_string(info.ok()?.path()).ok());
        infos.map(|info| info.matches("inotify wd:").count()).sum()
    };
    client.bytes_until("0\n");
    let before: usize = watches();
    for turn in 1..10 {
        fs::rename(folder.path("logs"), folder.path(&format!("old{turn}"))).unwrap();
        fs::create_dir(folder.path("logs")).unwrap();
        append(&log, &format!("{turn}\n"));
        client.bytes_until(format!("{turn}\n"));
    }
    until_true("the watches to be given back", || watches() <= before);
}

/// The words before the server that give it mounts of its own; `None` (the test should return)
/// where that can't be.
fn apart() -> Option<[&'static str; 2]> {
    require::tool("unshare")?;
    require::tool("nsenter")?;
    let words = ["unshare", "-Urm"];
    let tried = Command::new(words[0]).args([words[1], "true"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        require::skip("there are no user namespaces");
        return None;
    }
    Some(words)
}

/// Runs a script among the mounts of the server.
fn inside(server: &Server, script: &str) {
    let target = format!("--target={}", server.pid().as_raw_nonzero());
    let done = Command::new("nsenter")
        .args([&target, "--user", "--mount", "--preserve-credentials"])
        .args(["sh", "-ec", script])
        .output()
        .expect("nsenter");
    assert!(done.status.success(), "{script}: {done:?}");
}

#[test]
fn mounted_over_a_directory_on_the_way() {
    let Some(apart) = apart() else { return };
    let folder = Folder::new();
    fs::create_dir_all(folder.path("usb/logs")).unwrap();
    append(&folder.path("usb/logs/app.log"), "below\n");
    let log = folder.path("usb/logs/app.log");
    let server = Server::start_under(&apart, &[NOTICES_ALONE, log.to_str().unwrap()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    assert_eq!(client.bytes_until("\n"), b"below\n");
    let usb = folder.path("usb").display().to_string();
    inside(&server, &format!("mount -t tmpfs none {usb}"));
    assert_eq!(client.event("missing")["cause"], "absent");
    inside(
        &server,
        &format!("mkdir {usb}/logs; echo above > {usb}/logs/app.log"),
    );
    client.event("found");
    assert_eq!(client.bytes_until("\n"), b"above\n");
    inside(&server, &format!("umount -l {usb}"));
    assert_eq!(client.bytes_until("\n"), b"below\n");
    inside(
        &server,
        &format!(
            "mount -t tmpfs none {usb}; mkdir {usb}/logs; echo other > {usb}/logs/app.log;
             mount -t tmpfs none {usb}/logs; echo last > {usb}/logs/app.log"
        ),
    );
    client.bytes_until("last\n");
}

/// A mount anywhere may have changed what the name means. It is found out on another thread, while
/// lines come.
#[test]
fn mounted_elsewhere_while_lines_come() {
    let Some(apart) = apart() else { return };
    let folder = Folder::new();
    folder.append("begin\n");
    let server = Server::start_under(&apart, &[NOTICES_ALONE, folder.arg()]);
    let mut client = Client::connect(&server, "/stream?from=start");
    let mut expected = client.bytes_until("begin\n");
    let over = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut lines = String::new();
            for number in 0.. {
                let line = format!("line {number}\n");
                folder.append(&line);
                lines += &line;
                if over.load(SeqCst) {
                    return lines;
                }
            }
            unreachable!()
        });
        inside(
            &server,
            "for i in $(seq 100); do mount -t tmpfs none /mnt; umount /mnt; done",
        );
        over.store(true, SeqCst);
        writer.join().unwrap()
    });
    folder.append("end\n");
    expected.extend_from_slice(written.as_bytes());
    expected.extend_from_slice(b"end\n");
    let mut got = b"begin\n".to_vec();
    got.extend(client.bytes_until("end\n"));
    assert_eq!(client.event_names(), Vec::<&str>::new());
    // Not shown in full: there are some ten thousand lines.
    assert!(got == expected, "not what was written");
}

/// What Landlock grants, it grants by the directory that is there at the start.
#[test]
fn mounted_over_a_directory_of_the_root() {
    let Some(apart) = apart() else { return };
    for log in ["/mnt/app.log", "/mnt/sub/app.log"] {
        let server = Server::start_under(&apart, &[NOTICES_ALONE, log]);
        let mut client = Client::connect(&server, "/stream/app.log");
        assert_eq!(client.event("missing")["cause"], "absent");
        inside(
            &server,
            &format!("mount -t tmpfs none /mnt; mkdir -p /mnt/sub; echo hello > {log}"),
        );
        client.event("found");
        assert_eq!(client.bytes_until("\n"), b"hello\n");
        assert_eq!(get(&server, "/stream/app.log").text(), "hello\n");
    }
}

/// What is there but may not be read is not told as absent.
#[test]
fn not_readable_after_a_rotation() {
    if !rustix::process::geteuid().is_root() {
        require::skip("only root can go on as another user");
        return;
    }
    let folder = Folder::new();
    let mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    mode(&folder.path(""), 0o755);
    folder.append("old\n");
    let mut server = Server::start(&["--user=nobody", "--public", NOTICES_ALONE, folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    let missing = |server: &Server| source(server, "app.log")["missing"].clone();
    assert_eq!(missing(&server), serde_json::Value::Null);
    client.bytes_until("old\n");
    folder.append("its rest\n");
    folder.rotate();
    append(&folder.path("new"), "new\n");
    mode(&folder.path("new"), 0o600);
    fs::rename(folder.path("new"), &folder.log).unwrap();
    assert_eq!(client.bytes_until("its rest\n"), b"its rest\n");
    assert_eq!(client.event("missing")["cause"], "unreadable");
    assert_eq!(missing(&server), "unreadable");
    let plain = get(&server, "/stream/app.log");
    assert_eq!(plain.status, 404);
    assert_eq!(plain.header("Tailcast-Missing"), Some("unreadable"));
    assert!(plain.text().contains("may not be read"), "{}", plain.text());
    let poll = get(&server, "/stream/app.log?from=end");
    assert_eq!(poll.status, 204);
    assert_eq!(poll.header("Tailcast-Missing"), Some("unreadable"));

    fs::remove_file(&folder.log).unwrap();
    assert_eq!(client.event("missing")["cause"], "absent");
    assert_eq!(missing(&server), "absent");
    // Nobody may go through a directory on the way.
    mode(&folder.path(""), 0o700);
    assert_eq!(client.event("missing")["cause"], "unreadable");
    folder.append("mended\n");
    mode(&folder.path(""), 0o755);
    client.event("found");
    assert_eq!(client.bytes_until("mended\n"), b"mended\n");
    let said = server.end(Signal::TERM).stderr;
    assert_eq!(said.matches("may not be read").count(), 1, "{said}");
    assert!(said.contains(folder.arg()), "{said}");
}

/// A deleted file that was read to its end gives its space back, though somebody looks on.
#[test]
fn a_deleted_file_is_let_go() {
    for folder in Folder::each() {
        folder.append("the last line\n");
        let mut writer = OpenOptions::new().append(true).open(&folder.log).unwrap();
        let (server, mut client) = following(&folder.log);
        client.bytes_until("\n");
        fs::remove_file(&folder.log).unwrap();
        assert_eq!(client.event("missing")["cause"], "absent");
        writer.write_all(b"written all the same\n").unwrap();
        assert_eq!(client.bytes_until("\n"), b"written all the same\n");
        let pid = server.pid().as_raw_nonzero();
        let is_held = || {
            let held = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
            let mut held = held.filter_map(|held| fs::read_link(held.ok()?.path()).ok());
            held.any(|held| held.to_string_lossy().contains("app.log (deleted)"))
        };
        assert!(is_held());
        until_true("the deleted file to be let go", || !is_held());
        folder.append("a new one\n");
        client.event("found");
        client.event("rotated");
        assert_eq!(client.bytes_until("\n"), b"a new one\n");
    }
}
