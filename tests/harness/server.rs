//! The binary as a process: started, stopped, restarted on its port, measured.

use crate::deadline::{DEADLINE, until, until_true};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// The command that runs Tailcast, without arguments.
///
/// `TAILCAST_BIN` is the binary to test instead of the one just built, `TAILCAST_RUNNER` the words
/// before it (`qemu-arm-static`).
pub fn words() -> Vec<String> {
    let runner = env::var("TAILCAST_RUNNER").unwrap_or_default();
    let binary =
        env::var("TAILCAST_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tailcast").to_owned());
    let mut words: Vec<String> = runner.split_whitespace().map(str::to_owned).collect();
    words.push(binary);
    words
}

/// Whether an emulator stands between us and Tailcast, so that its memory is not Tailcast's.
pub fn is_emulated() -> bool {
    words().len() > 1
}

/// A command line of `words` in `directory`, with nothing of our own environment that Tailcast
/// would read.
pub fn command(words: &[String], directory: &Path) -> Command {
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .current_dir(directory)
        .env_remove("TAILCAST_KEY")
        .env_remove("TAILCAST_CREDENTIALS")
        .stdin(Stdio::null());
    command
}

/// A running Tailcast on a loopback port of its own; killed when dropped.
pub struct Server {
    words: Vec<String>,
    addr: SocketAddr,
    /// Bound, not listening: keeps the port ours between a stop and the next start, when a client
    /// of another test could be given it. Needs the server to set `SO_REUSEADDR`, as it must to be
    /// restarted at once.
    _port: OwnedFd,
    running: Option<Running>,
}

struct Running {
    child: Child,
    banner: Vec<String>,
    lines: Receiver<String>,
    errors: JoinHandle<String>,
}

/// How a server ended, with everything it said.
pub struct Ended {
    pub status: ExitStatus,
    pub took: std::time::Duration,
    pub stdout: Vec<String>,
    pub stderr: String,
}

impl Server {
    /// Starts Tailcast with these arguments and waits until it can be reached.
    pub fn start(args: &[&str]) -> Server {
        Server::start_under(&[], args)
    }

    /// The same behind other words, which must end in `exec`ing what follows them: `["sh", "-c",
    /// "ulimit ...", "sh"]`.
    pub fn start_under(before: &[&str], args: &[&str]) -> Server {
        Server::start_on(Ipv4Addr::LOCALHOST, before, args)
    }

    /// The same, listening on another address of this machine; it is reached over loopback all the
    /// same.
    pub fn start_on(host: Ipv4Addr, before: &[&str], args: &[&str]) -> Server {
        let (port, listen) = reserve(host);
        let mut all: Vec<String> = before.iter().map(|&word| word.to_owned()).collect();
        all.extend(words());
        all.push(format!("--listen={listen}"));
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        let mut server = Server {
            words: all,
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, listen.port())),
            _port: port,
            running: None,
        };
        server.start_again();
        server
    }

    /// Starts the stopped server again: same arguments, same port.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let mut child = command(&self.words, Path::new("/"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {:?}: {error}", self.words));
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let errors = thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stderr.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        });
        self.running = Some(Running {
            child,
            banner: Vec::new(),
            lines,
            errors,
        });
        self.wait_for_banner();
    }

    /// Ready is not "something answers on the port" but this process naming its link.
    fn wait_for_banner(&mut self) {
        let url = self.url("/");
        let running = self.running.as_mut().unwrap();
        let end = Instant::now() + DEADLINE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = running.lines.recv_timeout(left) else {
                let ended = self.end(Signal::KILL);
                panic!(
                    "no line with {url} on standard output: {:?}, {}, standard error: {}",
                    ended.stdout, ended.status, ended.stderr
                );
            };
            let ready = line.contains(&url);
            running.banner.push(line);
            if ready {
                return;
            }
        }
    }

    /// What it printed on standard output until it could be reached.
    pub fn banner(&self) -> &[String] {
        &self.running.as_ref().expect("the server is stopped").banner
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT` and the path (with its slash).
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.running.as_ref().expect("the server is stopped").child)
    }

    /// Stops it as a service manager does.
    pub fn stop(&mut self) -> Ended {
        self.end(Signal::TERM)
    }

    /// Stops it with this signal and tells how it ended.
    pub fn end(&mut self, signal: Signal) -> Ended {
        let pid = self.pid();
        let start = Instant::now();
        // It may have ended by itself: then its status tells more than ours.
        let _ = kill_process(pid, signal);
        let running = self.running.as_mut().unwrap();
        let status = until("the end of the server", || {
            running.child.try_wait().expect("wait")
        });
        let took = start.elapsed();
        let Running {
            mut banner,
            lines,
            errors,
            ..
        } = self.running.take().unwrap();
        banner.extend(lines);
        Ended {
            status,
            took,
            stdout: banner,
            stderr: errors.join().unwrap(),
        }
    }

    /// Stops it and starts it again on the same port with the same arguments.
    pub fn restart(&mut self) {
        let ended = self.stop();
        assert!(
            ended.status.success(),
            "stopped by SIGTERM: {}, {}",
            ended.status,
            ended.stderr
        );
        self.start_again();
    }

    /// The power fails: no time to say goodbye. Then it is started again.
    pub fn crash(&mut self) {
        self.end(Signal::KILL);
        self.start_again();
    }

    /// Does something to the file while the server cannot look: all of it lies between two of its
    /// looks.
    pub fn between_two_looks<T>(&self, act: impl FnOnce() -> T) -> T {
        let stat = format!("/proc/{}/stat", self.pid());
        kill_process(self.pid(), Signal::STOP).expect("SIGSTOP");
        until_true("the server to stand still", || {
            let stat = fs::read_to_string(&stat).expect("stat");
            stat.rsplit(')').next().unwrap().trim().starts_with('T')
        });
        let done = act();
        kill_process(self.pid(), Signal::CONT).expect("SIGCONT");
        done
    }

    /// Resident memory in bytes. `VmRSS` in `status` may be off on several cores; this is counted.
    pub fn rss(&self) -> u64 {
        self.counted("\nRss:")
    }

    /// Resident memory of its own in bytes: what it took from the kernel, and what an attack can
    /// make it keep. The pages of its binary are not in it: how many of those count depends on what
    /// this machine has in its page cache.
    pub fn own_memory(&self) -> u64 {
        self.counted("\nAnonymous:")
    }

    fn counted(&self, what: &str) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.pid());
        let counted = fs::read_to_string(path).expect("smaps_rollup");
        number_after(&counted, what) * 1024
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.pid()))
            .expect("task")
            .count()
    }

    /// How many file descriptors it holds.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .expect("fd")
            .count()
    }

    /// How long its threads have been at work, in seconds.
    pub fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("stat");
        // proc_pid_stat(5): fields 14 and 15, the second one is the last in parentheses. Linux
        // counts 100 ticks a second.
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        let ticks: u32 = fields
            .skip(11)
            .take(2)
            .map(|n| n.parse::<u32>().unwrap())
            .sum();
        f64::from(ticks) / 100.0
    }

    /// How often its threads, the ended ones not counted, went to sleep by themselves: each is a
    /// wake-up.
    pub fn sleeps(&self) -> u64 {
        fs::read_dir(format!("/proc/{}/task", self.pid()))
            .expect("task")
            // A thread may end between the listing and the look.
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok())
            .map(|status| number_after(&status, "\nvoluntary_ctxt_switches:"))
            .sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running.is_none() {
            return;
        }
        let ended = self.end(Signal::KILL);
        if thread::panicking() {
            println!("standard error of {:?}:\n{}", self.words, ended.stderr);
        }
    }
}

/// A port that stays ours while the descriptor lives.
pub fn reserve(host: Ipv4Addr) -> (OwnedFd, SocketAddr) {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("socket");
    sockopt::set_socket_reuseaddr(&socket, true).expect("SO_REUSEADDR");
    bind(&socket, &SocketAddr::from((host, 0))).expect("bind");
    let addr = getsockname(&socket).expect("name").try_into().expect("IP");
    (socket, addr)
}

/// The number that follows `label` in a file of /proc.
fn number_after(text: &str, label: &str) -> u64 {
    text.split_once(label)
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no number after {label} in {text}"))
}
