//! The three servers that are held side by side, each in a process of its own that ends with this
//! one.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Signal, set_parent_process_death_signal};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(10);

/// First argument of this program where it is to become a server: `bare FILE start|end`, or any
/// other command line.
pub const CHILD: &str = "--become";

/// Who serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The program under test.
    Tailcast,
    /// The limit.
    Bare,
    /// A peer: `tail` in a WebSocket.
    Websocketd,
}

/// Where a client's stream begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// All of the file.
    Start,
    /// Only what is appended.
    End,
}

/// A server that runs; killed when this is dropped.
pub struct Server {
    /// Who it is.
    pub side: Side,
    /// Where its clients begin.
    pub from: From,
    /// Where it listens.
    pub address: SocketAddr,
    pub process: Child,
}

impl Server {
    /// Starts a server for `file` and waits until it listens.
    pub fn start(side: Side, file: &Path, from: From) -> Self {
        match side {
            Side::Tailcast => {
                let options = ["--listen", "127.0.0.1:0", "--max-clients", "2000"];
                let mut command = child(env!("CARGO_BIN_EXE_tailcast"));
                command.args(options).arg(file);
                Self::announced(side, from, command)
            }
            Side::Bare => {
                let mut command = child("bare");
                command
                    .arg(file)
                    .arg(if from == From::Start { "start" } else { "end" });
                Self::announced(side, from, command)
            }
            Side::Websocketd => Self::websocketd(file, from),
        }
    }

    /// A Tailcast of these sources and options, with this standard input.
    pub fn tailcast(arguments: &[&str], input: Stdio) -> Self {
        let mut command = child(env!("CARGO_BIN_EXE_tailcast"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        command.stdin(input);
        Self::announced(Side::Tailcast, From::End, command)
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A server that prints its address.
    pub fn announced(side: Side, from: From, mut command: Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server's program");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let (found, address) = mpsc::channel();
        // Read to its end, so that the server never meets a closed pipe.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let url = line
                    .split_whitespace()
                    .find_map(|word| word.strip_prefix("http://"));
                if let Some(address) = url.and_then(|url| url.split('/').next()?.parse().ok()) {
                    let _ = found.send(address);
                }
            }
        });
        let mut server = Self {
            side,
            from,
            address: ([127, 0, 0, 1], 0).into(),
            process,
        };
        server.address = address
            .recv_timeout(START)
            .expect("the server's address on its standard output");
        server
    }

    /// It prints no port: a free one is looked for beforehand.
    fn websocketd(file: &Path, from: From) -> Self {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port");
        let mut command = child("websocketd");
        command
            .arg("--address=127.0.0.1")
            .arg(format!("--port={}", free.port()))
            .arg("--loglevel=fatal");
        // From the end: the last line serves as the greeting that says `tail` runs.
        command
            .args([
                "tail",
                "-n",
                if from == From::Start { "+1" } else { "1" },
                "-F",
            ])
            .arg(file);
        let process = command.stdout(Stdio::null()).spawn().expect("websocketd");
        let server = Self {
            side: Side::Websocketd,
            from,
            address: free,
            process,
        };
        let deadline = Instant::now() + START;
        while TcpStream::connect(free).is_err() {
            assert!(
                Instant::now() < deadline,
                "websocketd does not listen on {free}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where `websocketd` is, if it is installed.
pub fn websocketd() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join("websocketd"))
        .find(|path| path.is_file())
}

/// This program, to become another.
fn child(program: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args([CHILD, program]).stdin(Stdio::null());
    command
}

/// The child's side: from here on it dies with its parent, however that ends. Returns only what
/// went wrong.
pub fn become_server(arguments: &[String]) -> io::Error {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    match arguments {
        [program, file, from] if program == "bare" => {
            super::bare::serve(Path::new(file), from == "start")
                .err()
                .unwrap_or_else(|| io::ErrorKind::Other.into())
        }
        [program, rest @ ..] => Command::new(program).args(rest).exec(),
        [] => io::ErrorKind::InvalidInput.into(),
    }
}
