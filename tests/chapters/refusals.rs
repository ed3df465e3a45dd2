//! Why the command does not begin: one line on standard error that names the thing, and an exit
//! status.

use crate::chapters::cli::{ended, run};
use crate::folder::Folder;
use crate::require;
use crate::server::{command, words};
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

/// The one line on standard error, which is all that was said.
fn complaint(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(
        said.ends_with('\n') && said.lines().count() == 1,
        "{output:?}"
    );
    assert_eq!(output.stdout, b"", "{output:?}");
    said.trim_end().to_owned()
}

#[test]
fn bad_arguments() {
    let log = "/nonexistent/app.log";
    for (args, named) in [
        (&["--nonsense", log][..], "--nonsense"),
        (&["--nonsense=1", log], "--nonsense"),
        (&["-x", log], "-x"),
        (&["--listen", "nonsense", log], "--listen"),
        (&["--listen=127.0.0.1", log], "--listen"),
        (&["--listen=127.0.0.1:99999", log], "--listen"),
        (&["--listen=", log], "--listen"),
        (&["--poll", "5", log], "--poll"),
        (&["--poll=soon", log], "--poll"),
        (&["--poll=-1s", log], "--poll"),
        (&["--poll=0s", log], "--poll"),
        (&["--heartbeat", "1 lightyear", log], "--heartbeat"),
        (&["--heartbeat=0ms", log], "--heartbeat"),
        (&["--lines", "many", log], "--lines"),
        (&["--lines=-1", log], "--lines"),
        (&["--max-clients=0", log], "--max-clients"),
        (&["--max-clients", "1.5", log], "--max-clients"),
        (&["--key=", log], "--key"),
        (&["--key", "  ", log], "--key"),
        (&["--key=a", "--key-file=/dev/null", log], "--key-file"),
        (&["--key-file=/nonexistent/key", log], "/nonexistent/key"),
        (&["--key-file=/dev/null", log], "/dev/null"),
        (&["--public", "--key=a", log], "--public"),
        (&["--public=yes", log], "--public"),
        (&["--host=pi:8080", log], "--host"),
        (&["--host=a b", log], "--host"),
        (&["--origin=pi.example", log], "--origin"),
        (&["--origin=https://pi.example/path", log], "--origin"),
        (&["--origin=null", log], "--origin"),
        (&["--user=no-such-user", log], "no-such-user"),
        (&[log, "--max-clients"], "--max-clients"),
        (&[log, "--poll"], "--poll"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        let said = complaint(&output);
        assert!(said.contains(named), "{args:?}: {said}");
    }
}

/// A key that others can read is none. It is not shown in the complaint either.
#[test]
fn keys_that_are_no_secret() {
    let folder = Folder::new();
    let file = folder.path("key");
    fs::write(&file, "open-sesame\n").unwrap();
    let arg = format!("--key-file={}", file.display());
    for mode in [0o644, 0o604, 0o606, 0o602] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let output = run(&[&arg, "/nonexistent/app.log"]);
        assert_eq!(output.status.code(), Some(2), "{mode:o}: {output:?}");
        let said = complaint(&output);
        assert!(
            said.contains(file.to_str().unwrap()) && said.contains("chmod 600"),
            "{said}"
        );
        assert!(!said.contains("sesame"), "{said}");
    }
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    for content in ["", "\n", "open\nsesame\n", &"sesame".repeat(100)] {
        fs::write(&file, content).unwrap();
        let output = run(&[&arg, "/nonexistent/app.log"]);
        assert_eq!(output.status.code(), Some(2), "{content:?}: {output:?}");
        assert!(!complaint(&output).contains("sesame"));
    }
    let mut tailcast = command(&words(), Path::new("/"));
    tailcast.arg("/nonexistent/app.log").env("TAILCAST_KEY", "");
    let output = ended(tailcast);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(complaint(&output).contains("TAILCAST_KEY"));
}

#[test]
fn cannot_listen() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &addr, "/nonexistent/app.log"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = complaint(&output);
    assert!(said.contains(&addr) && said.contains("in use"), "{said}");
    // A documentation address (RFC 5737) is no machine's own.
    let output = run(&["--listen=192.0.2.1:0", "/nonexistent/app.log"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(complaint(&output).contains("192.0.2.1"), "{output:?}");
}

#[test]
fn what_cannot_be_followed() {
    let folder = Folder::new();
    let directory = folder.path("");
    let directory = directory.to_str().unwrap().trim_end_matches('/');
    for source in [
        directory.to_owned(),
        format!("name={directory}"),
        format!("{directory}/"),
    ] {
        let output = run(&["--listen=127.0.0.1:0", &source]);
        assert_eq!(output.status.code(), Some(1), "{source}: {output:?}");
        let said = complaint(&output);
        assert!(
            said.contains(directory) && said.contains("directory"),
            "{said}"
        );
    }
}

#[test]
fn what_may_not_be_read() {
    let folder = Folder::new();
    folder.append("secret\n");
    fs::set_permissions(&folder.log, Permissions::from_mode(0o200)).unwrap();
    fs::set_permissions(folder.path(""), Permissions::from_mode(0o755)).unwrap();
    let mut as_nobody = words();
    // Root may read everything.
    if fs::read(&folder.log).is_ok() {
        let Some(setpriv) = require::tool("setpriv") else {
            return;
        };
        let ids = ["--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned);
        let before = [vec![setpriv.to_str().unwrap().to_owned()], ids.to_vec()].concat();
        as_nobody = [before, as_nobody].concat();
        let mut version = command(&as_nobody, Path::new("/"));
        version.arg("--version");
        if !ended(version).status.success() {
            require::skip("nobody may run the binary where it is");
            return;
        }
    }
    let mut tailcast = command(&as_nobody, Path::new("/"));
    tailcast.args(["--listen=127.0.0.1:0", folder.arg()]);
    let output = ended(tailcast);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = complaint(&output);
    assert!(
        said.contains(folder.arg()) && said.contains("ermission"),
        "{said}"
    );
}
