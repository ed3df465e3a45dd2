//! How fast a client catches up, what that costs the server, and how fast clients come in.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use crate::client::Swarm;
use crate::measure::cpu_seconds;
use crate::sides::{From, Server, Side};
use crate::table::{Row, Target, alternate};

const ROUNDS: usize = 5;
const LINE: &[u8; 64] = b"2026-01-01T00:00:00.000Z sensor[1234]: 21.5 degrees, 40 percent\n";
const FILE: u64 = 256 << 20;

/// websocketd takes 100 CPU seconds per GB: all of the file would take the time of all of the
/// bench.
const SHORT_FILE: u64 = 8 << 20;

/// Times that a run reads the file, so that the hundredths of a second of `/proc` become small.
const DOWNLOADS: u64 = 3;

/// The whole of a file that is in the page cache.
pub fn catch_up(sides: &[Side], folder: &Path) -> Vec<Row> {
    eprintln!("catch-up");
    let (long, short) = (folder.join("long.log"), folder.join("short.log"));
    fill(&long, FILE);
    fill(&short, SHORT_FILE);
    let [speed, cost] = alternate(ROUNDS, sides, |side| match side {
        Side::Websocketd => download(side, &short, SHORT_FILE, 1),
        _ => download(side, &long, FILE, DOWNLOADS),
    });
    fs::remove_file(&long).expect("the file");
    vec![
        Row::new(
            "catch-up from a 256 MiB file",
            "MB/s",
            Target::RatioAtLeast(0.9),
            speed,
        ),
        Row::new("CPU time per GB of that", "s", Target::None, cost),
    ]
}

/// Clients that come one after the other, a few at a time, each up to its first message.
pub fn connects(sides: &[Side], folder: &Path) -> Vec<Row> {
    eprintln!("connects");
    let log = folder.join("connects.log");
    fs::write(&log, LINE).expect("a file");
    let [rate] = alternate(ROUNDS, sides, |side| {
        let server = Server::start(side, &log, From::End);
        let count: u16 = if side == Side::Websocketd { 60 } else { 500 };
        let start = Instant::now();
        let _swarm = Swarm::connect(&server, count.into());
        [Some(f64::from(count) / start.elapsed().as_secs_f64())]
    });
    vec![Row::new(
        "connects to the first message",
        "1/s",
        Target::None,
        rate,
    )]
}

fn download(side: Side, file: &Path, size: u64, times: u64) -> [Option<f64>; 2] {
    let server = Server::start(side, file, From::Start);
    let lines = size / LINE.len() as u64;
    let expected = match side {
        // The first line is its greeting, and the newlines are taken off.
        Side::Websocketd => (lines - 1) * (LINE.len() as u64 - 1),
        _ => size,
    };
    let (start, before) = (Instant::now(), cpu_seconds(server.pid()));
    for _ in 0..times {
        Swarm::connect(&server, 1).wait_for(expected);
    }
    let (seconds, cpu) = (
        start.elapsed().as_secs_f64(),
        cpu_seconds(server.pid()) - before,
    );
    #[expect(clippy::cast_precision_loss, reason = "less than a GB")]
    let bytes = (size * times) as f64;
    [Some(bytes / 1e6 / seconds), Some(cpu / (bytes / 1e9))]
}

/// Lines, written through to the disk so that no write-back runs beside the measurement, and then
/// still in the cache.
fn fill(path: &Path, size: u64) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    for _ in 0..size / LINE.len() as u64 {
        file.write_all(LINE).expect("room on the disk");
    }
    file.into_inner()
        .expect("room on the disk")
        .sync_all()
        .expect("the disk");
}
