//! A `nats-server` with JetStream.

use crate::deadline::{DEADLINE, until_true};
use crate::folder::Folder;
use crate::jetstream::{Stored, Talk, chained};
use crate::program::Program;
use crate::require::{skip, tool};
use crate::server::reserve;
use serde_json::Value;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
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
    /// Starts it with Tailcast's stream; `None` (the test should return) where there is no
    /// nats-server.
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

    /// One that listens on `addr` once it is started, behind the words that it takes to run it
    /// there.
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

    /// All that stands under `subject`, oldest first. JetStream answers a moment after it has
    /// started.
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

    /// The bytes of `subject`, once they are so many; every message must begin where the one before
    /// it ended.
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

/// Whether a cluster of these servers keeps to the condition of a publish when its leader changes:
/// before 2.9.21 it may take two messages on one condition (nats-server's issue 4320). `false` (the
/// test should return) after having said so.
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
