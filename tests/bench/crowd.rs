//! Ten thousand viewers of one file on one machine, and some among them that never read.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_recv_buffer_size;

use crate::client::Swarm;
use crate::measure::{cpu_seconds, percentile, resident_kib};
use crate::sides::{Server, Side};
use crate::table::{Row, Target, Values};

const VIEWERS: usize = 10_000;

/// One in a hundred.
const STALLED: usize = VIEWERS / 100;

const ROUNDS: usize = 3;
const LINES: usize = 8;
const PERIOD: Duration = Duration::from_secs(1);
const LINE: &[u8; 64] = b"2026-01-01T00:00:00.000Z sensor[1234]: 21.5 degrees, 40 percent\n";

/// What those who never read ask for, in bytes: more than all buffers on the way to them hold.
const BEFORE: usize = 32 << 20;

/// Connects, memory, and a line a second to all of them.
pub fn rows(folder: &Path) -> Vec<Row> {
    eprintln!("crowd");
    let mut rows: [Values; 7] = Default::default();
    for _ in 0..ROUNDS {
        let log = folder.join("crowd.log");
        fs::write(&log, LINE.repeat(BEFORE / LINE.len())).expect("a file");
        let path = log.to_str().expect("a path that can be named");
        let server = Server::tailcast(&["--max-clients", "12000", path], Stdio::null());
        let start = Instant::now();
        let mut swarm = Swarm::connect(&server, VIEWERS);
        let connected = start.elapsed().as_secs_f64();
        let memory = resident_kib(server.pid()) / 1024.0;
        let [slowest, last, cost] = lines(&server, &mut swarm, &log);
        let stalled: Vec<TcpStream> = (0..STALLED).map(|_| never_reads(&server)).collect();
        thread::sleep(PERIOD);
        let [beside, _, _] = lines(&server, &mut swarm, &log);
        let with_them = resident_kib(server.pid()) / 1024.0;
        drop(stalled);
        let values = [connected, memory, slowest, last, cost, beside, with_them];
        for (row, value) in rows.iter_mut().zip(values) {
            row.add(Side::Tailcast, Some(value));
        }
    }
    let heads = [
        ("to connect 10,000 viewers", "s", Target::None),
        ("resident memory with them", "MiB", Target::Below(64.0)),
        (
            "a line to all of them, the slowest tenth",
            "ms",
            Target::Below(250.0),
        ),
        ("the last of them", "ms", Target::Below(250.0)),
        ("CPU time of a line to all of them", "s", Target::None),
        (
            "the slowest tenth beside 100 that never read",
            "ms",
            Target::Below(250.0),
        ),
        ("resident memory with those", "MiB", Target::None),
    ];
    let rows = heads.into_iter().zip(rows);
    rows.map(|((name, unit, target), values)| Row::new(name, unit, target, values))
        .collect()
}

/// Appends lines, one each second; when the first of the slowest tenth and when the last viewer had
/// one, in ms after it was appended, and the CPU time of one in seconds.
fn lines(server: &Server, swarm: &mut Swarm, log: &Path) -> [f64; 3] {
    let mut file = OpenOptions::new().append(true).open(log).expect("the file");
    let (mut slowest, mut last) = (Vec::new(), Vec::new());
    let before = cpu_seconds(server.pid());
    for _ in 0..LINES {
        let start = Instant::now();
        file.write_all(LINE).expect("an append");
        let mut times = Vec::with_capacity(VIEWERS);
        while times.len() < VIEWERS {
            swarm.turn(|before, after| {
                if (after - before) > 0 && after % LINE.len() as u64 == 0 {
                    times.push(start.elapsed().as_secs_f64() * 1e3);
                }
            });
        }
        slowest.extend(percentile(&times, 90));
        last.extend(percentile(&times, 100));
        thread::sleep(PERIOD.saturating_sub(start.elapsed()));
    }
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let cost = (cpu_seconds(server.pid()) - before) / LINES as f64;
    [
        percentile(&slowest, 50).expect("lines"),
        percentile(&last, 50).expect("lines"),
        cost,
    ]
}

/// Asks for everything and takes nothing.
fn never_reads(server: &Server) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).expect("a connection");
    set_socket_recv_buffer_size(&socket, 16 << 10).expect("SO_RCVBUF");
    let head = format!(
        "GET /stream?follow&from=start HTTP/1.1\r\nHost: {}\r\n\r\n",
        server.address
    );
    socket
        .write_all(head.as_bytes())
        .expect("room for a request");
    socket
}
