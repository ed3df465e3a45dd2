//! A quoted glob: it offers what matches, now and later, and nothing that leads out of its
//! directory.

use crate::chapters::cli::run;
use crate::client::{Client, Plain};
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::{get, source};
use crate::server::Server;
use crate::strace::strace;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::time::Instant;

pub(super) fn names(server: &Server) -> Vec<String> {
    let sources = get(server, "/sources").json();
    let name = |source: &Value| source["name"].as_str().unwrap().to_owned();
    sources.as_array().unwrap().iter().map(name).collect()
}

pub(super) fn glob(folder: &Folder, pattern: &str) -> String {
    folder.path(pattern).to_str().unwrap().to_owned()
}

#[test]
fn what_matches_now_and_later() {
    let folder = Folder::new();
    for name in ["b.log", "a.log", ".hidden.log", "old.log.gz", "notes.txt"] {
        fs::write(folder.path(name), format!("{name}\n")).unwrap();
    }
    fs::create_dir(folder.path("sub.log")).unwrap();
    let _socket = UnixListener::bind(folder.path("socket.log")).unwrap();
    let server = Server::start(&[&glob(&folder, "*.log"), "last=/proc/uptime"]);
    assert_eq!(names(&server), ["a.log", "b.log", "last"]);
    assert_eq!(get(&server, "/stream/b.log").text(), "b.log\n");
    assert_eq!(get(&server, "/stream").text(), "a.log\n", "the first one");

    // Nobody has looked at the list: the name alone is enough.
    fs::write(folder.path("new.log"), "new\n").unwrap();
    assert_eq!(get(&server, "/stream/new.log").text(), "new\n");
    assert_eq!(names(&server), ["a.log", "b.log", "new.log", "last"]);
    for name in [
        ".hidden.log",
        "old.log.gz",
        "notes.txt",
        "sub.log",
        "socket.log",
        "../app.log",
    ] {
        assert_eq!(
            get(&server, &format!("/stream/{name}")).status,
            404,
            "{name}"
        );
    }
    assert_eq!(source(&server, "new.log")["watch"], "notices");
}

/// A key made at start is not asked of this machine's own users, unless there is a file that not
/// all of them may read: also one that has just come.
#[test]
fn a_private_file_that_comes_later() {
    let folder = Folder::new();
    folder.append("for everybody\n");
    let server = Server::start(&[&glob(&folder, "*.log")]);
    assert_eq!(get(&server, "/stream/app.log").status, 200);
    let private = folder.path("new.log");
    let mut file = File::options();
    file.write(true).create_new(true).mode(0o600);
    file.open(&private).unwrap().write_all(b"secret\n").unwrap();
    assert_eq!(get(&server, "/stream/new.log").status, 401);
    assert_eq!(get(&server, "/sources").status, 401);
    fs::remove_file(&private).unwrap();
    assert_eq!(get(&server, "/stream/app.log").status, 200);
}

#[test]
fn there_need_be_none_at_first() {
    let folder = Folder::new();
    let server = Server::start(&[&glob(&folder, "not/yet/*.log")]);
    assert_eq!(names(&server), [""; 0]);
    assert_eq!(get(&server, "/stream").status, 404);
    fs::create_dir_all(folder.path("not/yet")).unwrap();
    fs::write(folder.path("not/yet/a.log"), "a\n").unwrap();
    assert_eq!(get(&server, "/stream").text(), "a\n");
}

/// A viewer stays with its file over rotations, whether or not there is one at this moment.
#[test]
fn rotated_while_it_is_followed() {
    let folder = Folder::new();
    folder.append("one\n");
    let server = Server::start(&[&glob(&folder, "*.log")]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    client.bytes_until("one\n");
    folder.rotate();
    assert_eq!(names(&server), ["app.log"], "still offered without a file");
    client.disconnect();
    until_true("the viewer to be gone", || {
        source(&server, "app.log")["clients"] == 0
    });
    client.resume(&server);
    folder.append("two\n");
    assert_eq!(client.bytes_until("two\n"), b"two\n");
}

#[test]
fn names_of_every_kind() {
    let folder = Folder::new();
    let odd = [
        "a b.log",
        "grüße 🌡.log",
        "100%25.log",
        "q?x=1&y#z.log",
        "+.log",
    ];
    for name in odd {
        fs::write(folder.path(name), format!("{name}\n")).unwrap();
    }
    fs::write(folder.path("[1].log"), "brackets\n").unwrap();
    let pattern = glob(&folder, "*.log");
    let sources = [
        &format!("web={pattern}"),
        &pattern,
        &glob(&folder, "a b.log"),
        // A file that is there is meant as it is written.
        &glob(&folder, "[1].log"),
    ];
    let server = Server::start(&sources.map(String::as_str));
    let listed = get(&server, "/sources").json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2 * 6 + 2);
    let mut seen = Vec::new();
    for source in listed {
        let (name, url) = (
            source["name"].as_str().unwrap(),
            source["url"].as_str().unwrap(),
        );
        assert!(!seen.contains(&name), "{name} twice");
        seen.push(name);
        let path = url.strip_prefix("stream/").unwrap();
        assert!(!path.contains(['/', '?', '#', ' ']), "{url}");
        let content = get(&server, &format!("/{url}")).text();
        let file = name.trim_start_matches("web/").trim_end_matches("-2");
        let want = if file == "[1].log" { "brackets" } else { file };
        assert_eq!(content, format!("{want}\n"), "{name}");
        let mut plain = Plain::connect(&server, &format!("/{url}"));
        assert_eq!(plain.line(), want);
    }
    for name in [
        "web/a b.log",
        "a b.log",
        "a b.log-2",
        "[1].log",
        "[1].log-2",
    ] {
        assert!(seen.contains(&name), "{name} in {seen:?}");
    }
}

/// A sensor has a directory, and its number is that one's name.
#[test]
fn wildcards_in_directories() {
    let folder = Folder::new();
    let sensor = |name: &str, text: &str| {
        fs::create_dir(folder.path(name)).unwrap();
        fs::write(folder.path(&format!("{name}/w1_slave")), text).unwrap();
    };
    sensor("28-0316a", "21500\n");
    fs::create_dir(folder.path("28-none")).unwrap();
    fs::create_dir(folder.path(".28-hidden")).unwrap();
    fs::write(folder.path("28-file"), "").unwrap();
    let server = Server::start(&[&glob(&folder, "28-*/w1_slave")]);
    // The second one may come at any time: the first one has its number from the start.
    assert_eq!(names(&server), ["28-0316a:w1_slave"]);
    sensor("28-0416b", "18250\n");
    assert_eq!(names(&server), ["28-0316a:w1_slave", "28-0416b:w1_slave"]);
    let mut client = Client::connect(&server, "/stream/28-0416b%3Aw1_slave?from=start");
    assert_eq!(client.bytes_until("18250\n"), b"18250\n");
    folder.append("unasked\n");
    let two = Server::start(&[&glob(&folder, "28-*/*_slave"), &glob(&folder, "*.log")]);
    let want = ["28-0316a:w1_slave", "28-0416b:w1_slave", "app.log"];
    assert_eq!(names(&two), want);
}

/// Values of procfs are readings, also where a glob has found them.
#[test]
fn a_glob_over_readings() {
    let server = Server::start(&["/proc/sys/kernel/host*", "--sample=20ms"]);
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(source(&server, "hostname")["kind"], "sample");
    let mut plain = Plain::connect(&server, "/stream/hostname");
    assert!(plain.line().ends_with(name.trim()));
}

#[test]
fn broken_globs() {
    for (glob, said) in [
        ("/var/*/../app.log", "`..`"),
        ("/var/log/[.log", "`/var/log/[.log`"),
    ] {
        let output = run(&["--listen=127.0.0.1:0", glob]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said) && text.lines().count() == 1, "{text}");
    }
}

/// A directory that has not changed is read once a second at most, however many ask; and never for
/// the page's own files.
#[test]
fn a_directory_is_not_read_for_everybody() {
    let folder = Folder::new();
    folder.append("hello\n");
    let trace = folder.path("trace");
    let arguments = [
        "-qq",
        "-e",
        "trace=getdents64",
        "-yy",
        "-o",
        trace.to_str().unwrap(),
    ];
    let Some(traced) = strace(&arguments) else {
        return;
    };
    fs::create_dir(folder.path("logs")).unwrap();
    fs::write(folder.path("logs/a.log"), "a\n").unwrap();
    let pattern = folder.path("logs/*.log");
    let server = Server::start_under(&traced, &[pattern.to_str().unwrap()]);
    let marker = format!("<{}>", folder.path("logs").display());
    let readings = || {
        let trace = fs::read_to_string(&trace).unwrap();
        // A directory's end is a call of its own.
        trace
            .lines()
            .filter(|line| line.contains(&marker) && !line.ends_with("= 0"))
            .count()
    };
    assert_eq!(get(&server, "/stream/a.log").text(), "a\n");
    let (before, began) = (readings(), Instant::now());
    for _ in 0..20 {
        assert_eq!(get(&server, "/page.js").status, 200);
    }
    assert_eq!(readings(), before, "for the page's own files");
    for _ in 0..20 {
        assert_eq!(get(&server, "/stream/a.log").status, 200);
    }
    let most = before + 1 + began.elapsed().as_secs() as usize;
    assert!(
        readings() <= most,
        "{} readings, {before} before",
        readings()
    );
    fs::write(folder.path("logs/b.log"), "b\n").unwrap();
    assert_eq!(
        get(&server, "/stream/b.log").text(),
        "b\n",
        "at once all the same"
    );
}
