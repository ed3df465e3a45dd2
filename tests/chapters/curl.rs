//! `curl`: ranges, kept connections, bodies that do not end.

use crate::client::Client;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::source;
use crate::program::Program;
use crate::require::tool;
use crate::server::Server;
use crate::writer::{Writer, lines, sha256};
use std::fs;
use std::process::{Command, Output};

struct Curl {
    program: std::path::PathBuf,
    folder: Folder,
    server: Server,
}

impl Curl {
    /// `None` (the test should return) where there is no `curl`.
    fn with(content: impl AsRef<[u8]>) -> Option<Curl> {
        let program = tool("curl")?;
        let folder = Folder::new();
        folder.append(content);
        let server = Server::start(&[folder.arg()]);
        Some(Curl {
            program,
            folder,
            server,
        })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // Nobody's own configuration, and no proxy on the way to loopback.
        command.args(["-q", "--noproxy", "*", "-sS"]).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().expect("curl");
        println!("curl {args:?}: {output:?}");
        output
    }

    fn url(&self) -> String {
        self.server.url("/stream/app.log")
    }
}

#[test]
fn ranges() {
    let Some(curl) = Curl::with("0123456789") else {
        return;
    };
    let url = curl.url();
    for (range, part) in [("2-5", "2345"), ("7-", "789"), ("-3", "789"), ("0-0", "0")] {
        let output = curl.run(&["-f", "-r", range, &url]);
        assert!(output.status.success());
        assert_eq!(output.stdout, part.as_bytes(), "{range}");
    }
    // 22 is curl's status for an answer of 400 or more.
    assert_eq!(curl.run(&["-f", "-r", "10-", &url]).status.code(), Some(22));
    let head = curl.run(&["-I", "-r", "2-5", &url]);
    let head = String::from_utf8(head.stdout).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("Content-Length: 10\r\n"), "{head}");
}

/// The number that RFC 8673 has for an end that never comes.
#[test]
fn a_range_that_follows() {
    let Some(curl) = Curl::with("0123456789\n") else {
        return;
    };
    let url = curl.url();
    let range = "4-9007199254740991";
    let mut program = Program::start(&mut curl.command(&["-N", "-r", range, &url]));
    program.until("456789");
    curl.folder.append("live\n");
    program.until("live");
}

/// A download that was cut off goes on where it was, over a log that has grown meanwhile.
#[test]
fn a_download_that_goes_on() {
    let Some(curl) = Curl::with(lines(1..=1_000)) else {
        return;
    };
    let copy = curl.folder.path("copy");
    let part = &lines(1..=1_000)[..12_345];
    fs::write(&copy, part).unwrap();
    curl.folder.append(lines(1_001..=2_000));
    let output = curl.run(&["-f", "-C", "-", "-o", copy.to_str().unwrap(), &curl.url()]);
    assert!(output.status.success());
    assert_eq!(sha256(fs::read(&copy).unwrap()), sha256(lines(1..=2_000)));
}

/// One connection for all of it, and curl says so.
#[test]
fn one_connection_for_many_requests() {
    let Some(curl) = Curl::with("hello\n") else {
        return;
    };
    let url = curl.url();
    let poll = format!("{url}?from=end");
    let nothing = curl.server.url("/nothing");
    let output = curl.run(&["-v", &url, &poll, &url, &nothing, &url]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("Connected to ").count(), 1, "{said}");
    assert_eq!(said.matches("Re-using existing ").count(), 4, "{said}");
    assert_eq!(said.matches("< HTTP/1.1 200 ").count(), 3, "{said}");
    assert_eq!(said.matches("< HTTP/1.1 204 ").count(), 1, "{said}");
    // The ends of HTTP/1.0 and of a refused body are ends, not errors.
    let output = curl.run(&["-f", "--http1.0", &url]);
    assert_eq!(output.stdout, b"hello\n");
    assert!(output.status.success());
}

/// curl asks before it sends a large body, and sends a smaller one at once: both get their answer,
/// neither a reset.
#[test]
fn bodies_that_nobody_wants() {
    let Some(curl) = Curl::with("hello\n") else {
        return;
    };
    let body = curl.folder.path("body");
    let data = format!("@{}", body.display());
    for (size, status) in [
        (10, "405"),
        (60_000, "405"),
        (100_000, "413"),
        (4 << 20, "413"),
    ] {
        fs::write(&body, vec![b'x'; size]).unwrap();
        let args = [
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "--data-binary",
            &data,
            &curl.url(),
        ];
        let output = curl.run(&args);
        assert_eq!(output.stdout, status.as_bytes(), "{size} bytes");
        assert!(output.status.success(), "{size} bytes");
    }
    let chunked = [
        "-H",
        "Transfer-Encoding: chunked",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-T",
        body.to_str().unwrap(),
        &curl.url(),
    ];
    let output = curl.run(&chunked);
    assert_eq!(output.stdout, b"405");
}

/// `curl -N`, through a rotation, to the end of the server, which is no error for curl.
#[test]
fn follow() {
    let Some(curl) = Curl::with("") else {
        return;
    };
    let Curl {
        folder, mut server, ..
    } = curl;
    let url = server.url("/stream/app.log?follow");
    let mut writer = Writer::start(&folder.log);
    writer.write(20);
    let mut command = Command::new(&curl.program);
    let mut follow =
        Program::start(command.args(["-q", "--noproxy", "*", "-sS", "--no-buffer", &url]));
    let mut said = follow.until(writer.last().trim_end());
    assert_eq!(said.len(), 10);
    writer.write(1);
    said.push(follow.line());
    folder.rotate();
    writer.reopen();
    writer.write(5);
    said.extend(follow.until(writer.last().trim_end()));
    let all: Vec<u8> = said
        .iter()
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect();
    assert_eq!(all, lines(11..=26));
    server.stop();
    let status = follow.end();
    assert!(status.success(), "curl: {status}");
}

/// `curl` with a wait is the article's long poll in one line.
#[test]
fn long_poll() {
    let Some(curl) = Curl::with("old\n") else {
        return;
    };
    // Somebody listens already, so that the poll's place is taken when it is counted.
    let _awake = Client::connect(&curl.server, "/stream/app.log");
    let url = format!("{}?from=end&wait=60", curl.url());
    let mut poll = Program::start(&mut curl.command(&["-i", &url]));
    until_true("the poll to be held", || {
        source(&curl.server, "app.log")["clients"] == 2
    });
    curl.folder.append("new\n");
    assert_eq!(poll.line(), "HTTP/1.1 200 OK");
    assert_eq!(poll.until("new").last().unwrap(), "new");
    assert!(poll.end().success());
}
