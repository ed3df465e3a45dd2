//! How the cost of a line grows with what there is: viewers, files, lines a second, bytes before
//! it.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Swarm;
use crate::measure::{cpu_seconds, median};
use crate::sides::{From, Server, Side};
use crate::table::{Row, Target, Values};

const ROUNDS: usize = 3;
const LINE: &[u8; 64] = b"2026-01-01T00:00:00.000Z sensor[1234]: 21.5 degrees, 40 percent\n";

/// So many receipts of a line are made for one figure: CPU time is counted in hundredths of a
/// second.
const RECEIPTS: usize = 20_000;

/// A row for each size of each thing that grows.
pub fn rows(folder: &Path) -> Vec<Row> {
    eprintln!("growth");
    let mut rows = Vec::new();
    let mut row = |name: String, unit, one: &dyn Fn() -> f64| {
        let mut values = Values::default();
        for _ in 0..ROUNDS {
            values.add(Side::Tailcast, Some(one()));
        }
        rows.push(Row::new(name, unit, Target::None, values));
    };
    for viewers in [1, 10, 100, 1000, 10_000] {
        let name = format!("CPU time of a line to each of {viewers} viewers");
        row(name, "us", &|| of_viewers(folder, viewers));
    }
    for files in [1, 10, 100, 1000] {
        let name = format!("CPU time of a line, a viewer for each of {files} files");
        row(name, "us", &|| of_files(folder, files));
    }
    for rate in [10, 100, 1000, 10_000] {
        let name = format!("CPU time of a line, {rate} a second");
        row(name, "us", &|| of_rate(folder, rate));
    }
    for megabytes in [1, 100, 1000, 10_000] {
        let name = format!("to the last lines of {megabytes} MB (sparse)");
        row(name, "ms", &|| of_size(folder, megabytes));
    }
    rows
}

fn log(folder: &Path, name: &str) -> PathBuf {
    let log = folder.join(name);
    fs::write(&log, LINE).expect("a file");
    log
}

fn appending(log: &Path) -> File {
    OpenOptions::new().append(true).open(log).expect("the file")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that can be named")
}

fn micros(server: &Server, before: f64, receipts: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let each = (cpu_seconds(server.pid()) - before) / receipts as f64;
    each * 1e6
}

/// One line after another, each when everybody has the one before.
fn of_viewers(folder: &Path, viewers: usize) -> f64 {
    let log = log(folder, "viewers.log");
    let server = Server::tailcast(&["--max-clients", "12000", text(&log)], Stdio::null());
    let mut swarm = Swarm::connect(&server, viewers);
    let mut file = appending(&log);
    let lines = RECEIPTS.div_ceil(viewers);
    let before = cpu_seconds(server.pid());
    let mut had = swarm.received();
    for _ in 0..lines {
        file.write_all(LINE).expect("an append");
        had += (viewers * LINE.len()) as u64;
        swarm.wait_for(had);
    }
    micros(&server, before, lines * viewers)
}

/// A line to each file in turn.
fn of_files(folder: &Path, files: usize) -> f64 {
    let names = (0..files).map(|number| format!("growing-{number}.log"));
    let logs: Vec<PathBuf> = names.map(|name| log(folder, &name)).collect();
    let mut arguments = vec!["--max-clients", "12000"];
    arguments.extend(logs.iter().map(|log| text(log)));
    let server = Server::tailcast(&arguments, Stdio::null());
    let mut swarm = Swarm::empty();
    for number in 0..files {
        swarm.join(&server, &format!("/stream/growing-{number}.log?from=end"));
    }
    let mut files: Vec<File> = logs.iter().map(|log| appending(log)).collect();
    let turns = (RECEIPTS / 10).div_ceil(files.len());
    let before = cpu_seconds(server.pid());
    let mut had = swarm.received();
    for _ in 0..turns {
        for file in &mut files {
            file.write_all(LINE).expect("an append");
            had += LINE.len() as u64;
            swarm.wait_for(had);
        }
    }
    let cost = micros(&server, before, turns * files.len());
    logs.iter()
        .for_each(|log| fs::remove_file(log).expect("the file"));
    cost
}

/// So many lines a second for two seconds, to one viewer.
fn of_rate(folder: &Path, rate: u32) -> f64 {
    const TICK: Duration = Duration::from_millis(10);
    let log = log(folder, "rate.log");
    let server = Server::tailcast(&[text(&log)], Stdio::null());
    let mut swarm = Swarm::connect(&server, 1);
    let seconds = if rate < 100 { 10 } else { 3 };
    let lines = usize::try_from(rate * seconds).expect("some thousands");
    let writer = thread::spawn(move || {
        let mut file = appending(&log);
        let begun = Instant::now();
        for number in 0..rate * seconds {
            let due = Duration::from_secs(1) * number / rate;
            // Of many in a tick all come at its end, each by a write of its own.
            let due = if rate > 100 {
                TICK * u32::try_from(due.as_millis() / 10).expect("seconds")
            } else {
                due
            };
            thread::sleep(due.saturating_sub(begun.elapsed()));
            file.write_all(LINE).expect("an append");
        }
    });
    let before = cpu_seconds(server.pid());
    let had = swarm.received();
    swarm.wait_for(had + (lines * LINE.len()) as u64);
    writer.join().expect("the writer");
    micros(&server, before, lines)
}

/// From a connection to the last lines of a file that is large.
fn of_size(folder: &Path, megabytes: u64) -> f64 {
    let path = folder.join("large.log");
    let mut file = File::create(&path).expect("a file");
    file.seek(SeekFrom::Start(megabytes * 1_000_000))
        .expect("a file");
    // A hole ends where lines begin.
    file.write_all(&LINE.repeat(1000))
        .expect("room on the disk");
    let server = Server::start(Side::Tailcast, &path, From::End);
    let times: Vec<f64> = (0..20)
        .map(|_| {
            let begun = Instant::now();
            let mut swarm = Swarm::empty();
            swarm.join(&server, "/stream?from=-10");
            swarm.wait_for(10 * LINE.len() as u64);
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    fs::remove_file(&path).expect("the file");
    median(&times).expect("some")
}
