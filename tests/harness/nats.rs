//! A `nats-server` with JetStream, and what stands in its stream: asked over a plain socket, by other code than Tailcast's.

use crate::deadline::{DEADLINE, until_true};
use crate::folder::Folder;
use crate::program::Program;
use crate::require::{skip, tool};
use crate::server::reserve;
use serde_json::{Value, json};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The README's configuration and its stream.
const CONFIG: &str = include_str!("../nats/hub.conf");
const STREAM: &str = include_str!("../nats/stream.json");

/// A running server on a loopback port of its own; killed when dropped.
pub struct Nats {
    /// The command that starts it.
    words: Vec<OsString>,
    directory: TempDir,
    pub addr: SocketAddr,
    _port: Option<OwnedFd>,
    running: Option<Program>,
}

impl Nats {
    /// Starts it with Tailcast's stream; `None` (the test should return) where there is no nats-server.
    pub fn start() -> Option<Nats> {
        let nats = Nats::bare(CONFIG)?;
        // By the README's command.
        let mut command = Command::new("bash");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nats/stream.sh"));
        command.args([nats.addr.ip().to_string(), nats.addr.port().to_string()]);
        let made = command.args(["admin", "secret"]).status();
        assert!(made.expect("bash").success());
        Some(nats)
    }

    /// Starts it with this configuration, with a place of its own, and no stream.
    pub fn bare(config: &str) -> Option<Nats> {
        let (port, addr) = reserve(Ipv4Addr::LOCALHOST);
        let mut nats = Nats::on(addr, &[], config)?;
        nats._port = Some(port);
        nats.start_again();
        Some(nats)
    }

    /// One that listens on `addr` once it is started, behind the words that it takes to run it there.
    pub fn on(addr: SocketAddr, before: &[&str], config: &str) -> Option<Nats> {
        let program = program()?;
        let directory = TempDir::with_prefix("tailcast-nats-").expect("temporary directory");
        let config = config.replace("0.0.0.0:4222", &addr.to_string()).replace(
            "/var/lib/nats",
            directory.path().join("store").to_str().unwrap(),
        );
        fs::write(directory.path().join("conf"), config).unwrap();
        let before = before.iter().map(OsString::from);
        let words = before.chain([program.into_os_string()]).collect();
        Some(Nats {
            words,
            directory,
            addr,
            _port: None,
            running: None,
        })
    }

    /// Makes the README's stream, with these values in the place of its own.
    pub fn create(&self, changes: Value) {
        assert!(self.try_create(changes));
    }

    /// The same; whether it was made.
    pub fn try_create(&self, changes: Value) -> bool {
        let mut stream: Value = serde_json::from_str(STREAM).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            stream[name] = value.clone();
        }
        let (asked, stream) = ("$JS.API.STREAM.CREATE.TAILCAST", stream.to_string());
        let answer = Talk::open(self).ask_within(DEADLINE / 10, asked, stream.as_bytes());
        let answer = answer.map(|(_, answer)| String::from_utf8(answer).unwrap());
        println!("{answer:?}");
        answer.is_some_and(|answer| answer.contains("\"config\""))
    }

    /// As `--to` takes it.
    pub fn url(&self) -> String {
        format!("nats://{}", self.addr)
    }

    /// Starts the stopped server again: same store, same port.
    pub fn start_again(&mut self) {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        command.arg("-c").arg(self.directory.path().join("conf"));
        command.arg("-l").arg(self.directory.path().join("log"));
        self.running = Some(Program::start(&mut command));
        until_true("nats-server to say what it is", || {
            TcpStream::connect(self.addr).is_ok_and(|socket| {
                socket.set_read_timeout(Some(DEADLINE)).unwrap();
                let mut info = String::new();
                let read = BufReader::new(socket).read_line(&mut info);
                read.is_ok() && info.starts_with("INFO ")
            })
        });
    }

    /// The power fails.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Where it keeps what it has.
    pub fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// Asks JetStream's API.
    pub fn api(&self, what: &str, payload: &str) -> Value {
        let (headers, body) = Talk::open(self).ask(&format!("$JS.API.{what}"), payload.as_bytes());
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {headers}"))
    }

    /// All that stands under `subject`, oldest first. JetStream answers a moment after it has started.
    pub fn messages(&self, subject: &str) -> Vec<Stored> {
        let mut talk = Talk::open(self);
        let mut messages = Vec::new();
        let mut sequence = 1;
        while let Some(message) = talk.next(subject, sequence) {
            sequence = message.sequence + 1;
            messages.push(message);
        }
        messages
    }

    /// The last message of `subject`.
    pub fn last(&self, subject: &str) -> Option<Stored> {
        Talk::open(self).last(subject)
    }

    /// How many bytes `subject` has had.
    pub fn last_bytes(&self, subject: &str) -> u64 {
        self.last(subject).map_or(0, |last| last.bytes)
    }

    /// The bytes of `subject`, once they are so many; every message must begin where the one before it ended.
    pub fn bytes(&self, subject: &str, length: usize) -> Vec<u8> {
        let mut talk = Talk::open(self);
        until_true("the subject to have its bytes", || {
            talk.last(subject)
                .is_some_and(|last| last.bytes >= length as u64)
        });
        chained(&self.messages(subject))
    }
}

/// nats-server; `TAILCAST_NATS_SERVER` is the path of another one than that on `PATH`.
pub fn program() -> Option<PathBuf> {
    let other = env::var_os("TAILCAST_NATS_SERVER").map(PathBuf::from);
    other.or_else(|| tool("nats-server"))
}

/// Whether a cluster of these servers keeps to the condition of a publish when its leader changes: before 2.9.21 it may
/// take two messages on one condition (nats-server's issue 4320). `false` (the test should return) after having said so.
pub fn is_serial_in_clusters() -> bool {
    let Some(program) = program() else {
        return false;
    };
    let said = Command::new(program)
        .arg("--version")
        .output()
        .expect("nats-server");
    let said = String::from_utf8(said.stdout).expect("text");
    let version = said.trim().rsplit_once('v').expect("a version").1;
    let numbers: Vec<u32> = version
        .split('.')
        .map_while(|number| number.parse().ok())
        .collect();
    let serial = numbers.as_slice() >= &[2, 9, 21];
    if !serial {
        skip(&format!("nats-server {version} is older than 2.9.21"));
    }
    serial
}

/// The option that names a file with these credentials, closed to others.
pub fn credentials(folder: &Folder, text: &str) -> String {
    let file = folder.path("credentials");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    format!("--credentials={}", file.to_str().unwrap())
}

/// The payloads in order, where each message's `Tailcast-From` is the `Tailcast-Cursor` before it.
pub fn chained(messages: &[Stored]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut cursor: Option<&str> = None;
    for message in messages {
        let shown = format!("{} of {:?}", message.sequence, message.cursor);
        assert!(
            cursor.is_none_or(|cursor| cursor == message.from),
            "{shown} begins at {}, not at {cursor:?}",
            message.from
        );
        bytes.extend_from_slice(&message.payload);
        assert_eq!(message.bytes, bytes.len() as u64, "{shown}");
        cursor = Some(&message.cursor);
    }
    bytes
}

/// A message in the stream.
#[derive(Debug)]
pub struct Stored {
    pub sequence: u64,
    pub from: String,
    pub cursor: String,
    pub bytes: u64,
    pub lost: Option<String>,
    pub mark: Option<String>,
    pub payload: Vec<u8>,
}

/// A connection of the hub's owner.
pub struct Talk {
    stream: BufReader<TcpStream>,
}

impl Talk {
    pub fn open(nats: &Nats) -> Talk {
        let mut socket = TcpStream::connect(nats.addr).expect("connect");
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let connect = json!({
            "headers": true, "no_responders": true, "verbose": false,
            "user": "admin", "pass": "secret",
        });
        write!(socket, "CONNECT {connect}\r\nSUB admin.box 1\r\n").unwrap();
        Talk {
            stream: BufReader::new(socket),
        }
    }

    /// The answer to `payload`: its headers and its payload.
    pub fn ask(&mut self, subject: &str, payload: &[u8]) -> (String, Vec<u8>) {
        let answer = self.ask_within(DEADLINE, subject, payload);
        answer.unwrap_or_else(|| panic!("no answer of `{subject}`"))
    }

    /// The same, if one comes in this time: a cluster without a leader says nothing. Without one the connection is over.
    pub fn ask_within(
        &mut self,
        time: Duration,
        subject: &str,
        payload: &[u8],
    ) -> Option<(String, Vec<u8>)> {
        let socket = self.stream.get_ref();
        socket.set_read_timeout(Some(time)).unwrap();
        self.publish(subject, Some("admin.box"), payload);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).ok()?;
            let words: Vec<&str> = line.split_whitespace().collect();
            let total = |at: usize| words[words.len() - at].parse::<usize>().unwrap();
            let (head, all) = match words.first() {
                Some(&"MSG") => (0, total(1)),
                Some(&"HMSG") => (total(2), total(1)),
                Some(&"PING") => {
                    self.stream.get_mut().write_all(b"PONG\r\n").unwrap();
                    continue;
                }
                Some(&"INFO") => continue,
                _ => panic!("{subject}: {line:?}"),
            };
            let mut body = vec![0; all + 2];
            self.stream.read_exact(&mut body).unwrap();
            body.truncate(all);
            let payload = body.split_off(head);
            return Some((String::from_utf8(body).unwrap(), payload));
        }
    }

    /// Publishes without a header.
    pub fn publish(&mut self, subject: &str, reply: Option<&str>, payload: &[u8]) {
        let reply = reply.unwrap_or_default();
        let mut frame = format!("PUB {subject} {reply} {}\r\n", payload.len()).into_bytes();
        frame.extend_from_slice(payload);
        frame.extend_from_slice(b"\r\n");
        self.stream.get_mut().write_all(&frame).unwrap();
    }

    /// Publishes with these headers.
    pub fn publish_with(&mut self, subject: &str, headers: &str, payload: &[u8]) {
        let (head, all) = (headers.len(), headers.len() + payload.len());
        let mut frame = format!("HPUB {subject} {head} {all}\r\n{headers}").into_bytes();
        frame.extend_from_slice(payload);
        frame.extend_from_slice(b"\r\n");
        self.stream.get_mut().write_all(&frame).unwrap();
    }

    /// The first message of `subject` from `sequence` on.
    pub fn next(&mut self, subject: &str, sequence: u64) -> Option<Stored> {
        let asked = json!({ "seq": sequence, "next_by_subj": subject }).to_string();
        self.get("$JS.API.DIRECT.GET.TAILCAST", asked.as_bytes())
    }

    /// The last message of `subject`.
    pub fn last(&mut self, subject: &str) -> Option<Stored> {
        self.get(&format!("$JS.API.DIRECT.GET.TAILCAST.{subject}"), b"")
    }

    /// The same of one in a cluster, which may say nothing for a while.
    pub fn last_if_any(&mut self, subject: &str) -> Option<Stored> {
        let asked = format!("$JS.API.DIRECT.GET.TAILCAST.{subject}");
        self.ask_within(DEADLINE / 10, &asked, b"").and_then(stored)
    }

    fn get(&mut self, asked: &str, payload: &[u8]) -> Option<Stored> {
        stored(self.ask(asked, payload))
    }
}

/// A message out of the answer to who asked for one.
fn stored((headers, payload): (String, Vec<u8>)) -> Option<Stored> {
    let header = |name: &str| {
        let line = headers
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))?;
        Some(line.to_owned())
    };
    let is_none = |it| headers.starts_with(it);
    if is_none("NATS/1.0 404") || is_none("NATS/1.0 503") {
        return None;
    }
    Some(Stored {
        sequence: header("Nats-Sequence").expect(&headers).parse().unwrap(),
        from: header("Tailcast-From").unwrap_or_default(),
        cursor: header("Tailcast-Cursor").unwrap_or_default(),
        bytes: header("Tailcast-Bytes").map_or(0, |bytes| bytes.parse().unwrap()),
        lost: header("Tailcast-Lost"),
        mark: header("Tailcast-Mark"),
        payload,
    })
}
