//! The real `logrotate`, under a writer that does not wait for it.

use crate::client::Client;
use crate::folder::Folder;
use crate::require;
use crate::server::Server;
use crate::writer::{Writer, line, lines, sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A logrotate with a configuration and a state file of its own.
pub struct Logrotate {
    tool: PathBuf,
    configuration: PathBuf,
    state: PathBuf,
}

impl Logrotate {
    pub fn new(folder: &Folder, directives: &str) -> Option<Logrotate> {
        let logrotate = Logrotate {
            tool: require::tool("logrotate")?,
            configuration: folder.path("logrotate.conf"),
            state: folder.path("logrotate.state"),
        };
        let text = format!("{} {{\n rotate 20\n {directives}\n}}\n", folder.arg());
        fs::write(&logrotate.configuration, text).unwrap();
        Some(logrotate)
    }

    /// Begins to rotate now, whatever the log's age and size.
    pub fn begin(&self) -> Child {
        Command::new(&self.tool)
            .arg("--force")
            .arg("--state")
            .args([&self.state, &self.configuration])
            .stderr(Stdio::piped())
            .spawn()
            .expect("logrotate")
    }
}

fn assert_rotated(rotating: Child, first: &Path) {
    let output = rotating.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && first.exists(), "{said}");
}

/// Keeps writing while logrotate is at work, and tells it to reopen its log after it, as a
/// postrotate script would.
fn rotate_under(writer: &mut Writer, mut rotating: Child, first: &Path) {
    while rotating.try_wait().unwrap().is_none() {
        writer.write(100);
    }
    assert_rotated(rotating, first);
    // Still in the old file, which has another name now.
    writer.write(100);
    writer.reopen();
    writer.write(100);
}

#[test]
fn create() {
    let folder = Folder::new();
    let Some(logrotate) = Logrotate::new(&folder, "create") else {
        return;
    };
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    writer.write(1_000);
    for _ in 0..10 {
        rotate_under(&mut writer, logrotate.begin(), &folder.path("app.log.1"));
    }
    let bytes = client.bytes_until(writer.last());
    assert_eq!(sha256(bytes), sha256(writer.everything()));
    let mut names = client.event_names();
    names.retain(|name| *name == "rotated");
    assert_eq!(names.len(), 10, "{:?}", client.events);
}

/// Names as Debian's `dateext` makes them, and one that logrotate compresses later: nothing of it
/// may come twice.
#[test]
fn create_with_dates_while_nobody_listens() {
    let folder = Folder::new();
    let directives = "create\n dateext\n dateformat -%Y%m%d-%s\n compress\n delaycompress";
    let Some(logrotate) = Logrotate::new(&folder, directives) else {
        return;
    };
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    writer.write(1_000);
    let mut bytes = client.bytes_until(writer.last());
    client.disconnect();
    writer.write(1_000);
    let output = logrotate.begin().wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!folder.log.exists() || fs::metadata(&folder.log).unwrap().len() == 0);
    writer.reopen();
    writer.write(1_000);
    client.resume(&server);
    bytes.extend(client.bytes_until(writer.last()));
    assert_eq!(sha256(bytes), sha256(writer.everything()));
    assert_eq!(client.event_names(), ["rotated"]);
}

#[test]
fn copytruncate() {
    let folder = Folder::new();
    let Some(logrotate) = Logrotate::new(&folder, "copytruncate") else {
        return;
    };
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    for round in 0..10 {
        writer.write(100);
        let first = round * 100 + 1;
        assert_eq!(client.bytes_until(writer.last()), lines(first..first + 100));
        assert_rotated(logrotate.begin(), &folder.path("app.log.1"));
    }
    writer.write(1);
    assert_eq!(client.bytes_until(writer.last()), lines([1_001]));
    assert_eq!(client.event_names(), ["truncated"; 10]);
    for (at, truncated) in &client.events {
        assert_eq!(truncated["lost"], 0, "at {at}");
    }
}

/// Under a writer that does not pause, `copytruncate` itself loses what is written between its copy
/// and its cut. What may never happen: a line twice, a line out of order, a gap without a word.
#[test]
fn copytruncate_under_a_busy_writer() {
    let folder = Folder::new();
    let Some(logrotate) = Logrotate::new(&folder, "copytruncate") else {
        return;
    };
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    for _ in 0..5 {
        writer.write(1_000);
        rotate_under(&mut writer, logrotate.begin(), &folder.path("app.log.1"));
    }
    let bytes = client.bytes_until(writer.last());

    let cuts = client.events.iter().map(|(at, event)| {
        assert_eq!(event["event"], "truncated");
        *at as usize
    });
    let ends: Vec<usize> = cuts.chain([bytes.len()]).collect();
    let (mut next, mut start) = (1, 0);
    for end in ends {
        let part = &bytes[start..end];
        start = end;
        if part.is_empty() {
            continue;
        }
        // From a line's start on, without a gap, perhaps cut in its last line.
        let text = std::str::from_utf8(part).unwrap();
        let first: u64 = text.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap();
        assert!(first >= next, "line {first} came after line {}", next - 1);
        let count = text.lines().count() as u64;
        let written = lines(first..first + count);
        assert!(
            written.starts_with(part),
            "a gap between lines {first} and {}",
            first + count
        );
        next = first + count;
    }
    assert_eq!(line(next - 1), writer.last());
}
