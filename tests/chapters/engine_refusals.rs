//! Why a stream does not go to its engine: one sentence each, which says what to do.

use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::get;
use crate::nats::{self, Nats, Talk};
use crate::server::{Server, command, reserve, words};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

const CONFIG: &str = include_str!("../nats/hub.conf");

/// Starts a board with these credentials, and waits until it says this in `/sources` and on
/// standard error, once.
fn says(url: &str, credentials: &str, want: &str) {
    let folder = Folder::new();
    folder.append("hello\n");
    let credentials = nats::credentials(&folder, credentials);
    let to = format!("--to={url}");
    let mut board = Server::start(&["--public", &to, "--as=kitchen", &credentials, folder.arg()]);
    until_true(want, || {
        let cause = get(&board, "/sources").json()[0]["engine"]["cause"].clone();
        cause.as_str().is_some_and(|cause| cause.contains(want))
    });
    let said = board.stop().stderr;
    let told = said.lines().filter(|line| line.contains(want)).count();
    assert_eq!(told, 1, "{said}");
    assert!(!said.contains("cook"), "{said}");
}

#[test]
fn what_is_missing_there() {
    let Some(nats) = Nats::bare(CONFIG) else {
        return;
    };
    says(&nats.url(), "kitchen:cook", "it has no stream `TAILCAST`");
    says(
        &nats.url(),
        "kitchen:wrong",
        "it does not know this user and password",
    );
    nats.create(json!({ "allow_direct": false }));
    says(
        &nats.url(),
        "kitchen:cook",
        "nats stream edit TAILCAST --allow-direct",
    );
    let nats = Nats::start().unwrap();
    says(
        &nats.url(),
        "hub:look",
        "may not subscribe to `_INBOX.kitchen.>`",
    );
    Talk::open(&nats).ask("tailcast.kitchen.app%2Elog", b"mine");
    says(&nats.url(), "kitchen:cook", "none of Tailcast's");
    let other = CONFIG.replace("[\"tailcast.kitchen.>\"", "[\"tailcast.hall.>\"");
    let nats = Nats::bare(&other).unwrap();
    nats.create(json!({}));
    says(
        &nats.url(),
        "kitchen:cook",
        "may not publish to `tailcast.kitchen.app%2Elog`",
    );
    let without = CONFIG.replace("jetstream {", "# {");
    let nats = Nats::bare(&without).unwrap();
    says(&nats.url(), "kitchen:cook", "it has no JetStream");
    let (_port, nobody) = reserve(Ipv4Addr::LOCALHOST);
    says(
        &format!("nats://{nobody}"),
        "kitchen:cook",
        "connection refused",
    );
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("nats://{}", other.local_addr().unwrap());
    thread::spawn(move || {
        for mut socket in other.incoming().map_while(Result::ok) {
            let _ = socket.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        }
    });
    says(&url, "kitchen:cook", "is not the protocol of NATS");
}

#[test]
fn what_is_wrong_on_the_command_line() {
    let folder = Folder::new();
    let file = folder.path("credentials");
    fs::write(&file, "me:secret").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let credentials = format!("--credentials={}", file.to_str().unwrap());
    let to = "--to=nats://127.0.0.1:1";
    for (args, want) in [
        (&[to][..], "`--to` needs `--as NAME`"),
        (&["--as=kitchen"], "`--to URL` says which"),
        (&["--listen=none"], "`--listen none` serves nobody"),
        (&["--to=nats://me:secret@hub", "--as=a"], "--credentials"),
        (
            &["--to=mail://hub", "--as=a"],
            "`mail://` is not spoken here",
        ),
        (
            &[to, "--as=a", &credentials],
            "is open to others (mode 644)",
        ),
        (
            &[to, "--as=a", "--credentials=/nowhere"],
            "`/nowhere` can't be read",
        ),
    ] {
        let mut all = words();
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        let ended = command(&all, Path::new("/")).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{args:?}: {said}");
        assert!(
            said.contains(want) && said.lines().count() == 1,
            "{args:?}: {said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
}
