//! A whole board: `cross/board.sh` boots one in QEMU, with Debian's kernel and a binary of `dist/`.

use crate::client::Client;
use crate::deadline::{DEADLINE, until};
use crate::http::Connection;
use crate::require::{is_required, skip, tool};
use crate::server::reserve;
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Fetching a kernel over a slow line, and booting it on a slow machine.
const BOOT: Duration = Duration::from_secs(900);

/// What a command on the board may take there, half a minute of waiting included.
const COMMAND: Duration = Duration::from_secs(180);

/// One at a time: each is a processor at work.
static ONE: Mutex<()> = Mutex::new(());

/// A running board with a growing log; powered off when dropped.
pub struct Board {
    pub name: &'static str,
    script: Child,
    /// What the script prints, and what the board's console shows.
    printed: Receiver<String>,
    console: Receiver<String>,
    shown: Vec<String>,
    keyboard: Option<ChildStdin>,
    asked: usize,
    pub addr: SocketAddr,
    pub key: String,
    _port: OwnedFd,
    _one: MutexGuard<'static, ()>,
}

impl Board {
    /// Boots one with the first binary that there is for `architectures`, and waits for its link;
    /// `None` (the test should return) where it can't be had.
    pub fn boot(name: &'static str, architectures: &[&str]) -> Option<Board> {
        let binary = find(name, architectures)?;
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (port, addr) = reserve(Ipv4Addr::LOCALHOST);
        let mut script = Command::new(root().join("cross/board.sh"))
            .arg(name)
            .arg(binary)
            .arg(addr.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cross/board.sh");
        let mut board = Board {
            name,
            printed: lines(script.stdout.take().unwrap()),
            console: lines(script.stderr.take().unwrap()),
            shown: Vec::new(),
            keyboard: script.stdin.take(),
            script,
            asked: 0,
            addr,
            key: String::new(),
            _port: port,
            _one: one,
        };
        let Ok(link) = board.printed.recv_timeout(BOOT) else {
            panic!(
                "no link: {:?}",
                board.console.try_iter().collect::<Vec<_>>()
            );
        };
        let key = link.strip_prefix(&format!("http://{addr}/?key="));
        board.key = key.unwrap_or_else(|| panic!("{link:?}")).to_owned();
        Some(board)
    }

    /// Runs a command on the board and tells what it printed.
    pub fn run(&mut self, command: &str) -> String {
        self.asked += 1;
        let end = format!("end of {}", self.asked);
        let typed = format!("{command}; echo {end}");
        writeln!(self.keyboard.as_mut().unwrap(), "{typed}").expect("console");
        // A terminal shows what is typed; a line that has just been opened may begin with noise.
        while !self.read().ends_with(&typed) {}
        let mut printed = Vec::new();
        loop {
            let line = self.read();
            if line == end {
                return printed.join("\n");
            }
            printed.push(line);
        }
    }

    /// The next line on the console.
    fn read(&mut self) -> String {
        let Ok(line) = self.console.recv_timeout(COMMAND) else {
            panic!("the console of {} is silent", self.name);
        };
        let line = line.trim_end().to_owned();
        self.shown.push(line.clone());
        line
    }

    /// The log's path on the board.
    pub fn log(&self) -> String {
        format!("/var/log/{}.log", self.name)
    }

    /// An exact client of one of its streams.
    pub fn client(&self, stream: &str, from: &str) -> Client {
        let target = format!("/stream/{stream}?from={from}&key={}", self.key);
        Client::over(Connection::to(self.addr), &target)
    }

    /// QEMU's monitor, which the script names in its second line: it is talked to for as long as
    /// something is set there.
    pub fn monitor(&self) -> UnixStream {
        let line = self.printed.recv_timeout(DEADLINE).expect("a second line");
        UnixStream::connect(line.rsplit(' ').next().unwrap()).expect("monitor")
    }

    /// Sets the thermometer of `vexpress-a9`.
    pub fn set_temperature(&mut self, monitor: &mut UnixStream, reading: &str) {
        let set = format!("qom-set /machine/peripheral/thermometer temperature {reading}\n");
        monitor.write_all(set.as_bytes()).expect("monitor");
        // It goes once it is told, not before.
        until("the thermometer to be set", || {
            let read = self.run("cat /sys/class/hwmon/hwmon0/temp1_input");
            (read == reading).then_some(())
        });
    }

    /// Ends the script as a person does, and tells whether it ended well.
    pub fn power_off(&mut self) -> bool {
        // It may have ended by itself.
        let _ = kill_process(Pid::from_child(&self.script), Signal::TERM);
        let ended = until("the end of cross/board.sh", || {
            self.script.try_wait().expect("wait")
        });
        ended.success()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        if matches!(self.script.try_wait(), Ok(None)) {
            self.power_off();
        }
        if thread::panicking() {
            println!(
                "on the console of {}:\n{}",
                self.name,
                self.shown.join("\n")
            );
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The binary for this board, if a board may be had here; else says why not.
fn find(name: &str, architectures: &[&str]) -> Option<PathBuf> {
    let binary = |architecture: &&str| {
        let version = env!("CARGO_PKG_VERSION");
        root().join(format!("dist/tailcast-{version}-{architecture}"))
    };
    let mut binaries = architectures.iter().map(binary);
    let found = binaries.find(|path| path.exists());
    if is_required("board") {
        // All that is missing besides the script itself says.
        assert!(
            found.is_some(),
            "no binary for {architectures:?} in dist/; cross/build.sh makes it"
        );
        return found;
    }
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into());
    let kernel = root().join(target).join("cross/board").join(name);
    if found.is_none() || !kernel.join("complete").exists() {
        skip(&format!(
            "a board is booted where dist/ has a binary for it and where `cross/board.sh {name}` or TAILCAST_REQUIRE=board \
             has fetched its kernel"
        ));
        return None;
    }
    for program in ["qemu-system-arm", "qemu-system-aarch64", "cpio", "curl"] {
        tool(program)?;
    }
    found
}

/// What comes out of a pipe, line by line.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        // Until the end: a script that nobody listens to any more would die of it.
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    lines
}
