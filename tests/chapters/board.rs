//! Whole boards: `cross/board.sh` boots one in QEMU, with Debian's kernel and a binary of `dist/`,
//! and a browser and a client outside look at it. What happens on the board happens over its
//! console.
//!
//! An emulated processor tells nothing about speed: here is no time that something must take less
//! than.

use crate::client::Client;
use crate::deadline::{DEADLINE, until};
use crate::http::Connection;
use crate::require::{is_required, skip, tool};
use crate::server::reserve;
use crate::viewer::Viewer;
use crate::writer::sha256;
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
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

/// What it may have in memory after its start, in KiB. The aim was 1,536, which it had while it was
/// half as large; most of what is there is its own code (1,648 on a Pi Zero, 2026-11-26).
const RESIDENT_MAX: u32 = 2048;

/// What a command on the board may take there, half a minute of waiting included.
const COMMAND: Duration = Duration::from_secs(180);

/// One at a time: each is a processor at work.
static ONE: Mutex<()> = Mutex::new(());

/// A running board with a growing log; powered off when dropped.
struct Board {
    name: &'static str,
    script: Child,
    /// What the script prints, and what the board's console shows.
    printed: Receiver<String>,
    console: Receiver<String>,
    shown: Vec<String>,
    keyboard: Option<ChildStdin>,
    asked: usize,
    addr: SocketAddr,
    key: String,
    _port: OwnedFd,
    _one: MutexGuard<'static, ()>,
}

impl Board {
    /// Boots one with the first binary that there is for `architectures`, and waits for its link;
    /// `None` (the test should return) where it can't be had.
    fn boot(name: &'static str, architectures: &[&str]) -> Option<Board> {
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
    fn run(&mut self, command: &str) -> String {
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
    fn log(&self) -> String {
        format!("/var/log/{}.log", self.name)
    }

    /// An exact client of one of its streams.
    fn client(&self, stream: &str, from: &str) -> Client {
        let target = format!("/stream/{stream}?from={from}&key={}", self.key);
        Client::over(Connection::to(self.addr), &target)
    }

    /// Nobody is connected, and it is small. Not `VmRSS`: with several processors that is off by up
    /// to 256 KiB a thread.
    fn is_small(&mut self) {
        let resident = self.run("grep ^Rss /proc/$(pidof tailcast)/smaps_rollup");
        println!("{}: {resident}", self.name);
        let kilobytes = resident.split_whitespace().nth(1).unwrap();
        assert!(
            kilobytes.parse::<u32>().unwrap() < RESIDENT_MAX,
            "{resident}"
        );
    }

    /// Nobody is connected any more, and soon it sleeps through more than a heartbeat, while the
    /// log grows.
    fn is_asleep(&mut self) {
        self.run(
            "quiet=0; before=; until [ $quiet = 22 ]; do \
             now=$(grep -h ^voluntary /proc/$(pidof tailcast)/task/*/status); \
             [ \"$now\" = \"$before\" ] && quiet=$((quiet + 1)) || quiet=0; before=$now; sleep 1; done",
        );
    }

    /// A real browser shows a line that is written on the board.
    fn is_seen(&mut self) {
        let Some(mut viewer) = Viewer::start() else {
            return;
        };
        viewer
            .browser
            .go(&format!("http://{}/?key={}", self.addr, self.key));
        viewer.until_state("live");
        let line = "written on the board";
        self.run(&format!("echo {line} >>{}", self.log()));
        let row = format!(
            "[...document.querySelectorAll('.row')].some(row => row.textContent === '{line}')"
        );
        viewer.until("the line on the page", &row);
        viewer.assert_no_complaints();
    }

    /// An exact client gets every byte once, over a rotation and over a lost connection with
    /// another rotation in it.
    fn is_followed(&mut self) {
        let log = self.log();
        let stream = format!("{}.log", self.name);
        // From here on the board writes what it is told to.
        self.run("kill -STOP $(cat /run/writer)");
        let mut client = self.client(&stream, "start");
        self.run(&format!(
            "head -c 100000 /dev/urandom >>{log}; echo >>{log}; echo whole >>{log}"
        ));
        let mut came = client.bytes_until("\nwhole\n");
        self.run(&format!("mv {log} {log}.1; echo second >>{log}"));
        came.extend(client.bytes_until("second\n"));
        assert_eq!(client.event_names(), ["rotated"]);

        client.disconnect();
        self.run(&format!(
            "echo unseen >>{log}; mv {log}.1 {log}.2; mv {log} {log}.1; echo third >>{log}"
        ));
        let place = client.place().clone();
        let mut client = self.client(&stream, &place.to_string());
        assert_eq!(client.open["cursor"], place.to_string());
        came.extend(client.bytes_until("third\n"));
        assert_eq!(client.event_names(), ["rotated"]);

        let written = self.run(&format!("cat {log}.2 {log}.1 {log} | sha256sum"));
        assert_eq!(sha256(&came), written.split(' ').next().unwrap());
    }

    /// A thermometer's readings arrive, each with the board's time before it.
    fn has_temperature(&mut self, reading: &str) {
        let mut client = self.client("temperature", "end");
        let bytes = client.bytes_until(format!("Z {reading}\n"));
        let last = String::from_utf8(bytes).unwrap();
        let time = last.lines().last().unwrap().split(' ').next().unwrap();
        let today = self.run("date -u +%F");
        assert!(time.starts_with(&today), "{time} on {today}");
    }

    /// QEMU's monitor, which the script names in its second line: it is talked to for as long as
    /// something is set there.
    fn monitor(&self) -> UnixStream {
        let line = self.printed.recv_timeout(DEADLINE).expect("a second line");
        UnixStream::connect(line.rsplit(' ').next().unwrap()).expect("monitor")
    }

    /// Sets the thermometer of `vexpress-a9`.
    fn set_temperature(&mut self, monitor: &mut UnixStream, reading: &str) {
        let set = format!("qom-set /machine/peripheral/thermometer temperature {reading}\n");
        monitor.write_all(set.as_bytes()).expect("monitor");
        // It goes once it is told, not before.
        until("the thermometer to be set", || {
            let read = self.run("cat /sys/class/hwmon/hwmon0/temp1_input");
            (read == reading).then_some(())
        });
    }

    /// A real browser shows the thermometer as a chart with no question asked, and what is set
    /// outside is its newest point.
    fn is_charted(&mut self, monitor: &mut UnixStream) {
        let Some(mut viewer) = Viewer::start() else {
            return;
        };
        viewer.browser.go(&format!(
            "http://{}/?key={}#temperature",
            self.addr, self.key
        ));
        let live = "document.querySelector('#chart-panel strong')?.textContent";
        for (reading, shown) in [("41500", "41.5"), ("-12250", "−12.25"), ("30500", "30.5")] {
            self.set_temperature(monitor, reading);
            viewer.until(shown, &format!("{live} === '{shown} °C'"));
            // What is drawn, as it is taken away: its last row.
            let newest = "(async () => {
                const taken = new Promise((done) => (URL.createObjectURL = (blob) => (done(blob), 'data:,')));
                [...document.querySelectorAll('#chart-panel button')].find((one) => one.textContent === 'CSV').click();
                return (await (await taken).text()).trimEnd().split(/[\\n,]/).at(-1);
            })()";
            let newest = viewer.browser.evaluate(newest);
            assert_eq!(newest, shown.replace('−', "-"));
        }
        viewer.assert_no_complaints();
    }

    /// The processor's thermometer, which QEMU never warms.
    fn has_processor_temperature(&mut self) {
        let reading = self.run("cat /sys/class/thermal/thermal_zone0/temp");
        self.has_temperature(&reading);
    }

    /// Everything that a board is asked for. `act` comes while the log grows and nothing else is
    /// connected.
    fn serves(mut self, act: impl FnOnce(&mut Board)) {
        self.run("touch /run/mark; sleep 1");
        self.is_small();
        self.is_seen();
        act(&mut self);
        self.is_asleep();
        self.is_followed();
        self.is_small();
        // Nothing has been written but by the writer, and by us.
        let log = self.log();
        let changed = self.run("find / -xdev -newer /run/mark | sort");
        let logs = ["/var/log", &log, &format!("{log}.1"), &format!("{log}.2")];
        assert_eq!(changed.lines().collect::<Vec<_>>(), logs);
        assert!(self.power_off());
        assert!(
            TcpStream::connect(self.addr).is_err(),
            "QEMU is still there"
        );
    }

    /// Ends the script as a person does, and tells whether it ended well.
    fn power_off(&mut self) -> bool {
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

/// ARMv6, network over USB, a thermometer, and a clock that starts in 1970.
#[test]
fn raspi0() {
    if let Some(board) = Board::boot("raspi0", &["armv6"]) {
        board.serves(Board::has_processor_temperature);
    }
}

/// The same in 64 bit.
#[test]
fn raspi3b() {
    if let Some(board) = Board::boot("raspi3b", &["aarch64"]) {
        board.serves(Board::has_processor_temperature);
    }
}

/// A thermometer that gets warmer. An ARMv7 runs code for ARMv6, too.
#[test]
fn vexpress_a9() {
    if let Some(board) = Board::boot("vexpress-a9", &["armv7", "armv6"]) {
        board.serves(|board| {
            let mut monitor = board.monitor();
            board.set_temperature(&mut monitor, "30500");
            board.has_temperature("30500");
            board.is_charted(&mut monitor);
        });
    }
}

/// 64 MiB.
#[test]
fn virt() {
    if let Some(board) = Board::boot("virt", &["aarch64"]) {
        board.serves(|_| {});
    }
}
