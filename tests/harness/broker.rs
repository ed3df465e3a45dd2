//! MQTT brokers that others wrote, and a reader that others wrote: what arrives there, with the
//! words beside it.

use crate::deadline::{DEADLINE, until_true};
use crate::program::Program;
use crate::require::{require, tool};
use crate::server::reserve;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use tempfile::TempDir;

/// mosquitto on a loopback port of its own.
pub struct Mosquitto {
    pub addr: SocketAddr,
    _port: OwnedFd,
    directory: TempDir,
    running: Option<Program>,
}

impl Mosquitto {
    /// With these settings beside a listener. `None`: it is not installed.
    pub fn start(settings: &str) -> Option<Mosquitto> {
        tool("mosquitto")?;
        tool("mosquitto_sub")?;
        let directory = TempDir::with_prefix("tailcast-").expect("temporary directory");
        let (port, addr) = reserve(Ipv4Addr::LOCALHOST);
        let anonymous = if settings.contains("allow_anonymous") {
            ""
        } else {
            "allow_anonymous true"
        };
        let config = format!(
            "listener {} 127.0.0.1\nuser root\nmax_queued_messages 0\n\
             persistence_location {}/\n{anonymous}\n{settings}\n",
            addr.port(),
            directory.path().display(),
        );
        fs::write(directory.path().join("mosquitto.conf"), config).expect("configuration");
        let mut broker = Mosquitto {
            addr,
            _port: port,
            directory,
            running: None,
        };
        broker.start_again();
        Some(broker)
    }

    /// Starts it again on its port.
    pub fn start_again(&mut self) {
        let mut command = Command::new(tool("mosquitto").expect("mosquitto"));
        command
            .arg("-c")
            .arg(self.directory.path().join("mosquitto.conf"));
        command.stderr(std::process::Stdio::null());
        self.running = Some(Program::start(&mut command));
        until_true("the broker to listen", || {
            TcpStream::connect(self.addr).is_ok()
        });
    }

    /// Ends it without a warning, as a power cut does.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// A reader of `topic`, which is subscribed when this returns.
    pub fn reader(&self, topic: &str) -> Reader {
        Reader::start(self.addr, topic)
    }
}

/// aedes, in Node, which knows MQTT 3.1.1 alone.
pub struct Aedes {
    pub addr: SocketAddr,
    _port: OwnedFd,
    _running: Program,
}

const AEDES: &str = r"
const [module, port] = process.argv.slice(1)
import(module).then(async ({ Aedes }) => {
  const broker = await Aedes.createBroker()
  const server = require('net').createServer(broker.handle)
  server.listen(Number(port), '127.0.0.1', () => console.log('ready'))
})
";

impl Aedes {
    /// `None`: it is not installed.
    pub fn start() -> Option<Aedes> {
        let (node, _) = (tool("node")?, tool("mosquitto_sub")?);
        let package = node_module("aedes")?;
        let (port, addr) = reserve(Ipv4Addr::LOCALHOST);
        let mut command = Command::new(node);
        command
            .args(["--eval", AEDES])
            .arg(package.join("aedes.js"));
        let mut running = Program::start(command.arg(addr.port().to_string()));
        assert_eq!(running.line(), "ready");
        Some(Aedes {
            addr,
            _port: port,
            _running: running,
        })
    }
}

/// Where npm's global package of that name is. `None`: it is not installed.
pub fn node_module(name: &str) -> Option<PathBuf> {
    let modules = Command::new("npm").args(["root", "--global"]).output();
    let modules = modules.map(|output| String::from_utf8(output.stdout).unwrap());
    let package = PathBuf::from(modules.unwrap_or_default().trim_end()).join(name);
    require(name, package.is_dir()).then_some(package)
}

/// A message with the words beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub retained: bool,
    pub text: String,
    pub from: String,
    pub cursor: String,
    pub bytes: u64,
    pub lost: Option<String>,
    pub mark: Option<String>,
}

/// mosquitto_sub, at least once, in MQTT 5.
pub struct Reader {
    program: Program,
}

/// Stands before each message, so that it is told from what else is printed.
const SIGN: &str = "message:";

impl Reader {
    pub fn start(addr: SocketAddr, topic: &str) -> Reader {
        Self::speaking("5", addr, topic)
    }

    /// The same in this version of MQTT: 3.1.1 has no words beside a message.
    pub fn speaking(version: &str, addr: SocketAddr, topic: &str) -> Reader {
        // It keeps back what it prints into a pipe.
        let mut command = Command::new("stdbuf");
        command
            .arg("-oL")
            .arg(tool("mosquitto_sub").expect("mosquitto_sub"));
        command.args(["-V", version, "-q", "1", "-d", "-h", "127.0.0.1", "-p"]);
        command.arg(addr.port().to_string()).args(["-t", topic]);
        let words = if version == "5" { " %P" } else { "" };
        command.args(["-F", &format!("{SIGN} %r %x %t{words}")]);
        let mut program = Program::start(&mut command);
        while !program.line().starts_with("Subscribed") {}
        Reader { program }
    }

    /// The next message.
    pub fn next(&mut self) -> Message {
        loop {
            let line = self.program.line();
            if let Some(rest) = line.strip_prefix(SIGN) {
                return Message::read(rest.trim_start());
            }
        }
    }

    /// What it has heard until the broker died; it is over then.
    pub fn rest(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        self.program.stop();
        while let Some(line) = self.program.next() {
            let message = line.strip_prefix(SIGN);
            messages.extend(message.map(|rest| Message::read(rest.trim_start())));
        }
        messages
    }

    /// Messages up to and with the first whose text is `last`.
    pub fn until(&mut self, last: &str) -> Vec<Message> {
        let end = Instant::now() + 10 * DEADLINE;
        let mut messages: Vec<Message> = Vec::new();
        while messages.last().is_none_or(|message| message.text != last) {
            assert!(
                Instant::now() < end,
                "no `{last}` after {:?}",
                messages.last()
            );
            messages.push(self.next());
        }
        messages
    }
}

impl Message {
    fn read(line: &str) -> Message {
        let mut parts = line.splitn(3, ' ');
        let (retained, hex) = (parts.next().unwrap(), parts.next().unwrap());
        let mut words = parts.next().unwrap_or_default().split(' ');
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex"))
            .collect();
        let mut message = Message {
            retained: retained == "1",
            text: String::from_utf8(bytes).expect("UTF-8"),
            topic: words.next().unwrap_or_default().to_owned(),
            ..Message::default()
        };
        for word in words {
            let Some((name, value)) = word.split_once(':') else {
                continue;
            };
            match name {
                "Tailcast-From" => message.from = value.to_owned(),
                "Tailcast-Cursor" => message.cursor = value.to_owned(),
                "Tailcast-Bytes" => message.bytes = value.parse().expect("a number"),
                "Tailcast-Lost" => message.lost = Some(value.to_owned()),
                "Tailcast-Mark" => message.mark = Some(value.to_owned()),
                "Tailcast-Process" => {}
                other => panic!("beside a message: {other}"),
            }
        }
        message
    }
}

/// How many faults a test of them makes: `TAILCAST_FAULTS`, or these few.
pub fn faults(few: u64) -> u64 {
    let given = std::env::var("TAILCAST_FAULTS").ok();
    given.map_or(few, |number| {
        number.parse().expect("TAILCAST_FAULTS is a number")
    })
}
