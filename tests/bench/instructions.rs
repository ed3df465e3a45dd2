//! Instructions, counted by `valgrind --tool=callgrind` and not timed: the same each time on any
//! machine, whatever else it does. Each is the difference of two runs of different length, so that
//! the start cancels out.
//!
//! All runs on one processor. On two of them it is a matter of luck which thread takes an event,
//! the server's own or the reactor's, and the way by the second one costs a fifth more.
//!
//! They are held to the numbers kept in `instructions.txt`: more than a tenth above one of them is
//! a failure. Who changes one on purpose writes the new number there, and why into the commit's
//! message.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::sides::{Server, Side};
use crate::table::{Row, Target, Values};

const KEPT: &str = include_str!("instructions.txt");

/// What has grown by more is a failure.
const GROWTH_MAX: f64 = 1.1;

/// How much is done in the shorter run and in the longer one.
const TIMES: [u32; 2] = [100, 500];

/// The least of so many differences counts: threads that wait for each other only add to it.
const ROUNDS: usize = 3;

/// Under valgrind all takes fifty times as long.
const PATIENCE: Duration = Duration::from_secs(60);

const LINE: &[u8] = b"2026-11-26T12:00:00.000Z sensor: temperature 21.5 degrees, humidity 40 percent, pressure 1013 hPa, all as it should be\n";

/// A browser's handshake (RFC 6455 section 4.1).
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Bytes before the text of a line of 126 bytes or fewer, and the whole of an empty ping (RFC 6455
/// section 5.2).
const FRAME_HEAD: usize = 2;

/// Heartbeats that do not come into what is counted, and those that are counted.
const RARE: &str = "--heartbeat=1h";
const OFTEN: &str = "--heartbeat=20ms";

/// Who asks from this machine for what everybody may read is asked for no key: that is looked up on
/// another thread, and what two threads take to wake each other is not the same each time. Where
/// all is public nothing is looked up.
const PUBLIC: &str = "--public";

type Work = fn(SocketAddr, &Path, u32);

pub fn rows(folder: &Path) -> Vec<Row> {
    let allowed = sched_getaffinity(None).expect("the processors");
    let mut first = CpuSet::new();
    first.set(
        (0..CpuSet::MAX_CPU)
            .find(|&cpu| allowed.is_set(cpu))
            .expect("a processor"),
    );
    // The server inherits it.
    sched_setaffinity(None, &first).expect("one processor");
    let rows = counted(folder);
    sched_setaffinity(None, &allowed).expect("all processors again");
    rows
}

fn counted(folder: &Path) -> Vec<Row> {
    let mut grown = Vec::new();
    let works: [(&str, &str, Work); 4] = [
        ("a line to one viewer", RARE, |addr, log, times| {
            lines(addr, log, times, 1);
        }),
        ("a line to ten viewers", RARE, |addr, log, times| {
            lines(addr, log, times, 10);
        }),
        ("a request", RARE, requests),
        ("a heartbeat of an idle viewer", OFTEN, heartbeats),
    ];
    let rows = works.map(|(name, beat, work)| {
        let counted: Vec<f64> = (0..ROUNDS)
            .map(|_| difference(folder, beat, work))
            .collect();
        eprintln!("{name}: {counted:.0?}");
        let value = counted.into_iter().reduce(f64::min);
        if let (Some(value), Some(kept)) = (value, kept(name))
            && value > kept * GROWTH_MAX
        {
            grown.push(format!("{name}: {value:.0} instructions, kept are {kept}"));
        }
        let mut values = Values::default();
        values.add(Side::Tailcast, value);
        let target = kept(name).map_or(Target::None, |kept| {
            Target::Below((kept * GROWTH_MAX).round())
        });
        Row::new(name, "instructions", target, values)
    });
    assert!(
        grown.is_empty(),
        "more than is kept in `instructions.txt`: {}",
        grown.join("; ")
    );
    rows.into()
}

fn kept(name: &str) -> Option<f64> {
    let line = KEPT
        .lines()
        .find(|line| line.starts_with(&format!("{name}: ")));
    line?.rsplit(' ').next()?.parse().ok()
}

/// Instructions for doing it once.
fn difference(folder: &Path, beat: &str, work: Work) -> f64 {
    let [short, long] = TIMES.map(|times| count(folder, beat, work, times));
    (long - short) / f64::from(TIMES[1] - TIMES[0])
}

/// Instructions of a whole run.
fn count(folder: &Path, beat: &str, work: Work, times: u32) -> f64 {
    let (log, out) = (folder.join("counted.log"), folder.join("callgrind.out"));
    fs::write(&log, LINE).expect("a file");
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env!("CARGO_BIN_EXE_tailcast"))
        .args(["--listen=127.0.0.1:0", PUBLIC, beat])
        .arg(&log)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let mut server = Server::announced(Side::Tailcast, crate::sides::From::End, command);
    work(server.address, &log, times);
    let process = &mut server.process;
    end(process);
    let said = fs::read_to_string(&out).expect("what callgrind counted");
    let total = said.lines().find_map(|line| line.strip_prefix("totals: "));
    total.expect("a total").trim().parse().expect("a number")
}

fn end(process: &mut Child) {
    kill_process(Pid::from_child(process), Signal::TERM).expect("a signal");
    process.wait().expect("its end");
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("a connection");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// Sends a request and reads the head of its answer; gives how long the body is.
fn ask(stream: &mut TcpStream, target: &str, fields: &str) -> usize {
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().expect("a length"))
}

fn viewer(addr: SocketAddr) -> TcpStream {
    let mut stream = connect(addr);
    ask(&mut stream, "/stream?from=end", UPGRADE);
    stream
}

/// The next frame that is no ping, or the next ping.
fn frame(stream: &mut TcpStream, ping: bool) {
    loop {
        let mut head = [0; FRAME_HEAD];
        stream.read_exact(&mut head).expect("a frame");
        let mut payload = vec![0; usize::from(head[1])];
        stream.read_exact(&mut payload).expect("a payload");
        if head[0] == 0x89 {
            // The answer with a mask of zeros.
            let mut pong = vec![0x8a, 0x80 | head[1], 0, 0, 0, 0];
            pong.append(&mut payload);
            stream.write_all(&pong).expect("a pong");
        }
        if (head[0] == 0x89) == ping {
            return;
        }
    }
}

/// Each line is with everybody before the next one is written.
fn lines(addr: SocketAddr, log: &Path, times: u32, viewers: usize) {
    let mut viewers: Vec<TcpStream> = (0..viewers).map(|_| viewer(addr)).collect();
    let mut file = OpenOptions::new().append(true).open(log).expect("the log");
    for _ in 0..times {
        file.write_all(LINE).expect("an append");
        for viewer in &mut viewers {
            frame(viewer, false);
        }
    }
}

fn requests(addr: SocketAddr, _: &Path, times: u32) {
    let mut stream = connect(addr);
    for _ in 0..times {
        let length = ask(&mut stream, "/health", "");
        stream.read_exact(&mut vec![0; length]).expect("a body");
    }
}

fn heartbeats(addr: SocketAddr, _: &Path, times: u32) {
    let mut stream = viewer(addr);
    for _ in 0..times {
        frame(&mut stream, true);
    }
}
