//! Over an engine: what a hub between board and viewer costs, and how fast a board catches up.
//! Needs nats-server.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{cpu_seconds, median, resident_kib};
use crate::sides::{Server, Side};
use crate::table::{Row, Target, Values};

const LINE: &[u8; 64] = b"2026-01-01T00:00:00.000Z sensor[1234]: 21.5 degrees, 40 percent\n";
/// A line as a chunk of an answer: its length in hex before it, and two line ends.
const CHUNK: usize = "40".len() + 2 + LINE.len() + 2;
const ROUNDS: usize = 3;
const LINES: usize = 300;
/// What a board has to catch up with.
const GIGABYTE: u64 = 1_000_000_000 / 64 * 64;
/// What is written while the engine is away.
const WRITTEN: u64 = 64 << 20;
/// How long an engine is away before its board is measured: a few tries to reach it.
const AWAY: Duration = Duration::from_secs(20);

struct Nats(Child, SocketAddr);

impl Nats {
    fn start(folder: &Path) -> Option<Nats> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let address = free.expect("a free port");
        let config = folder.join("nats.conf");
        let store = folder.join("nats");
        let text = format!("listen: \"{address}\"\njetstream {{ store_dir: {store:?} }}\n");
        fs::write(&config, text).expect("a configuration");
        let mut command = Command::new("nats-server");
        command.arg("-c").arg(config).stderr(Stdio::null());
        let nats = Nats(command.spawn().ok()?, address);
        let socket = loop {
            match TcpStream::connect(address) {
                Ok(socket) => break socket,
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        };
        let stream = include_str!("../nats/stream.json").trim();
        let length = stream.len();
        let create = "SUB box 1\r\nPUB $JS.API.STREAM.CREATE.TAILCAST box";
        let ask = format!("CONNECT {{\"verbose\":false}}\r\n{create} {length}\r\n{stream}\r\n");
        (&socket).write_all(ask.as_bytes()).expect("a request");
        let mut lines = BufReader::new(socket).lines().map_while(Result::ok);
        let made = lines.find(|line| line.contains("stream_create_response"));
        assert!(made.is_some_and(|made| !made.contains("\"error\"")));
        Some(nats)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A viewer of the newest bytes.
fn follow(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    let host = server.address;
    let ask = format!("GET /stream?follow&from=end HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(ask.as_bytes()).expect("a request");
    let mut head = vec![0; 4096];
    let read = stream.read(&mut head).expect("an answer");
    assert!(head[..read].starts_with(b"HTTP/1.1 200 "));
    stream
}

fn fill(file: &Path, size: u64) {
    let file = OpenOptions::new().create(true).append(true).open(file);
    let mut file = BufWriter::with_capacity(1 << 20, file.expect("a log"));
    for _ in 0..size / 64 {
        file.write_all(LINE).expect("space");
    }
}

/// The page's list of sources, as text.
fn sources(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    let host = server.address;
    let ask = format!("GET /sources HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    text
}

fn until(server: &Server, what: &str) {
    while !sources(server).contains(what) {
        thread::sleep(Duration::from_millis(20));
    }
}

fn row(name: &str, unit: &'static str, target: Target, ours: f64, limit: Option<f64>) -> Row {
    let mut values = Values::default();
    values.add(Side::Tailcast, Some(ours));
    values.add(Side::Bare, limit);
    Row::new(name, unit, target, values)
}

/// From a line's write to its arrival, in ms, the middle of many.
fn latency(file: &mut File, viewer: &mut TcpStream) -> f64 {
    let mut space = vec![0; 4096];
    let took = (0..LINES).map(|_| {
        // Not in step with anybody's timer.
        thread::sleep(Duration::from_millis(3));
        let begun = Instant::now();
        file.write_all(LINE).expect("space");
        let mut came = 0;
        while came < CHUNK {
            came += viewer.read(&mut space).expect("a line");
        }
        assert_eq!(came, CHUNK, "each line comes by itself");
        begun.elapsed().as_secs_f64() * 1000.0
    });
    median(&took.collect::<Vec<_>>()).expect("lines")
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
pub fn rows(folder: &Path) -> Vec<Row> {
    eprintln!("engine");
    let Some(nats) = Nats::start(folder) else {
        println!("nats-server not installed: nothing is measured with an engine");
        return Vec::new();
    };
    let url = format!("nats://{}", nats.1);
    let log = folder.join("engine.log");
    fs::write(&log, LINE).expect("a log");
    let options = ["--public", "--to", &url, "--as", "b"];
    let path = log.to_str().expect("UTF-8");
    let board = Server::tailcast(&[&options[..], &[path]].concat(), Stdio::null());
    until(&board, "\"publishing\"");
    let subject = format!("{url}/tailcast.b.engine%2Elog");
    let hub = Server::tailcast(&["--public", &subject], Stdio::null());
    until(&hub, "\"receiving\"");
    until(&hub, "\"size\":64");
    let mut rows = Vec::new();

    let mut file = OpenOptions::new().append(true).open(&log).expect("a log");
    let mut values = Values::default();
    for _ in 0..ROUNDS {
        let (mut there, mut here) = (follow(&hub), follow(&board));
        values.add(Side::Tailcast, Some(latency(&mut file, &mut there)));
        // What went to both.
        let mut rest = vec![0; LINES * 100];
        let _ = here.read(&mut rest);
        drop(there);
        let mut here = follow(&board);
        values.add(Side::Bare, Some(latency(&mut file, &mut here)));
    }
    let name = "a line to a hub's viewer, p50 (limit: the board's own)";
    rows.push(Row::new(name, "ms", Target::None, values));

    drop((board, hub));
    fill(&log, GIGABYTE);
    let whole = fs::metadata(&log).expect("a log").len();
    let options = ["--public", "--to", &url, "--as", "late"];
    let begun = Instant::now();
    let board = Server::tailcast(&[&options[..], &[path]].concat(), Stdio::null());
    until(&board, "\"behind\":0,");
    let (took, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds(board.pid()));
    let megabytes = GIGABYTE as f64 / 1e6;
    rows.push(row(
        "a board catches up 1 GB",
        "MB/s",
        Target::None,
        megabytes / took,
        None,
    ));
    rows.push(row("CPU of the board for it", "s", Target::None, cpu, None));

    let subject = format!("{url}/tailcast.late.engine%2Elog");
    let hub = Server::tailcast(&["--public", &subject], Stdio::null());
    until(&hub, &format!("\"size\":{whole}"));
    let (begun, before) = (Instant::now(), cpu_seconds(hub.pid()));
    let mut stream = TcpStream::connect(hub.address).expect("a connection");
    let host = hub.address;
    let ask = format!("GET /stream HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).expect("a request");
    let (mut space, mut came) = (vec![0; 1 << 18], 0);
    while let Ok(read @ 1..) = stream.read(&mut space) {
        came += read as u64;
    }
    assert!(came >= whole, "{came} of {whole} bytes");
    let (took, cpu) = (
        begun.elapsed().as_secs_f64(),
        cpu_seconds(hub.pid()) - before,
    );
    rows.push(row(
        "a viewer reads 1 GB at a hub",
        "MB/s",
        Target::None,
        megabytes / took,
        None,
    ));
    rows.push(row("CPU of the hub for it", "s", Target::None, cpu, None));

    drop(nats);
    until(&board, "\"away\"");
    let before = resident_kib(board.pid());
    fill(&log, WRITTEN);
    thread::sleep(AWAY);
    let grown = resident_kib(board.pid()) - before;
    let name = "memory of 64 MiB written with the engine away";
    rows.push(row(name, "KiB", Target::Below(512.0), grown, None));
    rows
}
