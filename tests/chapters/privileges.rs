//! What is left to the process: to read in the followed directories, as nobody in particular.

use crate::chapters::cli::{ended, run};
use crate::client::Client;
use crate::deadline::{until, until_true};
use crate::folder::Folder;
use crate::http::get;
use crate::require;
use crate::server::{Server, command, is_emulated, words};
use crate::strace::{injecting, strace};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tempfile::TempDir;

/// As on a kernel of before 2021.
const NO_LANDLOCK: &str = "inject=landlock_create_ruleset:error=ENOSYS";

/// Whether an emulator stands between Tailcast and the kernel; it knows nothing of Landlock, and
/// rights are its own.
fn is_out_of_sight() -> bool {
    if is_emulated() {
        require::skip("an emulator has rights of its own");
    }
    is_emulated()
}

/// A line of `/proc/PID/status`.
fn status(server: &Server, name: &str) -> String {
    let pid = server.pid().as_raw_nonzero();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}"))
        .trim()
        .to_owned()
}

/// What `--verbose` says of the rights that are left.
fn rights(server: &mut Server) -> String {
    let said = server.end(Signal::KILL).stderr;
    let line = said
        .lines()
        .find(|line| line.contains("Landlock") || line.contains("rights"));
    line.unwrap_or_else(|| panic!("nothing of rights in {said}"))
        .to_owned()
}

#[test]
fn no_new_privileges() {
    if is_out_of_sight() {
        return;
    }
    let folder = Folder::new();
    let server = Server::start(&[folder.arg()]);
    assert_eq!(status(&server, "NoNewPrivs:"), "1");
}

/// The followed name is made a link to somewhere else: what is there stays there. A link that was
/// named at start may lead anywhere, as its owner said.
#[test]
fn other_directories_are_out_of_reach() {
    let Ok(elsewhere) = TempDir::with_prefix_in("tailcast-", "/dev/shm") else {
        require::skip("no second file system at /dev/shm");
        return;
    };
    let secret = elsewhere.path().join("secret");
    fs::write(&secret, "secret\n").unwrap();
    let folder = Folder::new();
    folder.append("hello\n");
    let link = folder.path("link.log");
    symlink(&folder.log, &link).unwrap();
    let mut server = Server::start(&["--verbose", folder.arg()]);
    let mut linked = Server::start(&["--verbose", link.to_str().unwrap()]);
    assert_eq!(get(&server, "/stream").text(), "hello\n");
    assert_eq!(get(&linked, "/stream").text(), "hello\n");
    fs::remove_file(&folder.log).unwrap();
    symlink(&secret, &folder.log).unwrap();
    let answer = get(&server, "/stream");
    assert_eq!(get(&linked, "/stream").text(), "secret\n");
    let rights = [rights(&mut server), rights(&mut linked)];
    if rights[0].contains("no Landlock") {
        require::skip("this kernel has no Landlock");
        return;
    }
    assert!(!answer.text().contains("secret"), "{answer:?}");
    assert!(
        rights[0].contains(folder.path("").parent().unwrap().to_str().unwrap()),
        "{}",
        rights[0]
    );
    assert!(!rights[0].contains("`/`"), "{}", rights[0]);
    assert!(rights[1].contains("`/`"), "{}", rights[1]);
}

/// A directory that was removed and made again is another one to the kernel.
#[test]
fn a_directory_made_anew() {
    let folder = Folder::new();
    let log = folder.path("logs/app.log");
    let write = |text: &str| {
        fs::create_dir_all(log.parent().unwrap()).unwrap();
        fs::write(&log, text).unwrap();
    };
    write("one\n");
    let server = Server::start(&[log.to_str().unwrap()]);
    assert_eq!(get(&server, "/stream").text(), "one\n");
    fs::remove_dir_all(log.parent().unwrap()).unwrap();
    write("two\n");
    until_true("the new one", || get(&server, "/stream").text() == "two\n");
}

#[test]
fn what_metrics_and_vitals_read_is_left() {
    let server = Server::start(&[]);
    assert!(
        get(&server, "/metrics")
            .text()
            .contains("tailcast_resident_bytes ")
    );
    assert!(get(&server, "/stream?from=-1").text().contains("load="));
}

#[test]
fn without_landlock() {
    if is_out_of_sight() {
        return;
    }
    let Some(none) = injecting(NO_LANDLOCK) else {
        return;
    };
    let folder = Folder::new();
    folder.append("hello\n");
    let mut server = Server::start_under(&none, &["--verbose", folder.arg()]);
    assert_eq!(get(&server, "/stream").text(), "hello\n");
    assert!(rights(&mut server).contains("no Landlock"));
}

/// Root's own file, read by nobody, over a rotation.
#[test]
fn started_as_root() {
    if is_out_of_sight() {
        return;
    }
    let folder = Folder::new();
    folder.append("hello\n");
    fs::set_permissions(&folder.log, Permissions::from_mode(0o600)).unwrap();
    if !rustix::process::geteuid().is_root() {
        let output = run(&["--user=nobody", folder.arg()]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        require::skip("only root can go on as another user");
        return;
    }
    let mut server = Server::start(&["--user=nobody", "--verbose", "--key=k", folder.arg()]);
    let nobody = "65534\t65534\t65534\t65534";
    assert_eq!(status(&server, "Uid:"), nobody);
    assert_eq!(status(&server, "Gid:"), nobody);
    assert_eq!(status(&server, "Groups:"), "");
    // To read and search, whatever the mode says: bit 2, and nothing else.
    assert_eq!(status(&server, "CapPrm:"), "0000000000000004");
    assert_eq!(get(&server, "/stream?key=k").text(), "hello\n");
    folder.rotate();
    folder.append("next\n");
    fs::set_permissions(&folder.log, Permissions::from_mode(0o600)).unwrap();
    until_true("the next file", || {
        get(&server, "/stream?key=k").text() == "next\n"
    });
    rights(&mut server);

    // What nobody may read anyway takes no right at all.
    fs::set_permissions(folder.path(""), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&folder.log, Permissions::from_mode(0o644)).unwrap();
    let server = Server::start(&["--user=nobody", folder.arg()]);
    for name in ["CapInh:", "CapPrm:", "CapEff:"] {
        assert_eq!(status(&server, name), "0000000000000000", "{name}");
    }
    assert_eq!(get(&server, "/stream").text(), "next\n");

    let output = run(&["--user=no-such-user", folder.arg()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-user"));
}

/// That right is too much without Landlock.
#[test]
fn started_as_root_without_landlock() {
    if is_out_of_sight() {
        return;
    }
    let (Some(before), true) = (injecting(NO_LANDLOCK), rustix::process::geteuid().is_root())
    else {
        return;
    };
    let folder = Folder::new();
    folder.append("hello\n");
    fs::set_permissions(&folder.log, Permissions::from_mode(0o600)).unwrap();
    let before = before.iter().map(|&word| word.to_owned());
    let all: Vec<String> = before.chain(words()).collect();
    let mut tailcast = command(&all, Path::new("/"));
    tailcast.args(["--listen=127.0.0.1:0", "--user=nobody", folder.arg()]);
    let output = ended(tailcast);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains(folder.arg()) && said.contains("nobody"),
        "{said}"
    );
}

/// A memory card lives as long as nobody writes to it: over a whole session, from its start to its
/// end, no file is opened for writing, made, renamed or removed, and what is written goes to
/// sockets, pipes and events.
#[test]
fn nothing_is_written() {
    if is_out_of_sight() {
        return;
    }
    let folder = Folder::new();
    folder.append("hello\n");
    let trace = folder.path("trace");
    let calls = "trace=%file,%desc,sendfile,copy_file_range";
    let Some(traced) = strace(&["-q", "-yy", "-o", trace.to_str().unwrap(), "-e", calls]) else {
        return;
    };
    let sources = [folder.arg(), "sample:/proc/uptime", "--sample=10ms"];
    let mut server = Server::start_under(&traced, &sources);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    let mut readings = Client::connect(&server, "/stream/uptime");
    assert_eq!(client.bytes_until("\n"), b"hello\n");
    folder.rotate();
    folder.append("next\n");
    assert_eq!(client.bytes_until("next\n"), b"next\n");
    client.disconnect();
    folder.append("more\n");
    client.resume(&server);
    assert_eq!(client.bytes_until("more\n"), b"more\n");
    for path in [
        "/",
        "/sources",
        "/metrics",
        "/stream",
        "/stream/app.log?from=-1",
    ] {
        assert_eq!(get(&server, path).status, 200, "{path}");
    }
    readings.bytes_until("\n");
    // strace is what was started; what it traces is its child.
    let tracer = server.pid().as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).unwrap();
    let traced = Pid::from_raw(children.trim().parse().unwrap()).unwrap();
    kill_process(traced, Signal::TERM).unwrap();
    let trace = until("the end of the trace", || {
        let trace = fs::read_to_string(&trace).unwrap();
        // A short number has more than one blank behind it.
        let pid = format!("{} ", traced.as_raw_nonzero());
        let is_last =
            |line: &str| line.starts_with(&pid) && line.ends_with("+++ exited with 0 +++");
        trace.lines().any(is_last).then_some(trace)
    });
    server.end(Signal::KILL);
    // It was really looked at.
    assert!(trace.contains(&format!("\"{}\", O_RDONLY", folder.arg())));

    let changing = [
        "O_WRONLY",
        "O_RDWR",
        "O_CREAT",
        "O_TRUNC",
        "O_TMPFILE",
        " creat(",
        " mkdir",
        " mknod",
        " rename",
        " unlink",
        " rmdir(",
        " link",
        " symlink",
        "truncate",
        "fallocate",
        " chmod(",
        " fchmod",
        " chown(",
        " fchown",
        " lchown(",
        "utime",
        "setxattr",
        " flock(",
        "F_SETLK",
        "sendfile",
        "copy_file_range",
        "fsync",
        "fdatasync",
        " sync",
    ];
    let writing = [
        " write(",
        " writev(",
        " pwrite64(",
        " pwritev(",
        " pwritev2(",
    ];
    for line in trace.lines() {
        let target = line.split_once('<').map_or("", |(_, target)| target);
        let kept = ["socket:", "TCP", "TCPv6", "UNIX", "pipe:", "anon_inode:"];
        let is_written = writing.iter().any(|call| line.contains(call))
            && !kept.iter().any(|kind| target.starts_with(kind));
        let is_changed = changing.iter().any(|mark| line.contains(mark));
        assert!(!is_written && !is_changed, "{line}");
    }
}
