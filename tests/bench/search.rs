//! What matching costs: a search of a file that is in the page cache, beside `grep`, and viewers
//! who follow what matches beside viewers who follow everything.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::measure::cpu_seconds;
use crate::sides::{Server, Side};
use crate::table::{Row, Target, Values, alternate};

const ROUNDS: usize = 3;
const FILE: u64 = 2 << 30;

/// For a regular expression, which is some fifty times slower.
const SHORT_FILE: u64 = 64 << 20;

const VIEWERS: usize = 100;
/// What is written while they follow.
const WRITTEN: u64 = 32 << 20;

const LINE: &[u8; 64] = b"2026-01-01T00:00:00.000Z sensor[1234]: 21.5 degrees, 40 percent\n";
const NEEDLE: &[u8] = b"2026-01-01T00:00:00.000Z sensor[1234]: An ERROR, the only one\n";

/// A word, as it is typed and in any case, and a pattern; the one line that has it is the oldest.
pub fn find(folder: &Path) -> Vec<Row> {
    eprintln!("find");
    let file = folder.join("find.log");
    fill(&file, FILE);
    let sides = [Side::Tailcast, Side::Bare];
    let mut rows = Vec::new();
    for (name, term, options, size, least) in [
        (
            "find a word (limit: grep -F)",
            "ERROR",
            &["-F", "ERROR"][..],
            FILE,
            0.5,
        ),
        (
            "find it in any case (limit: grep -F -i)",
            "error",
            &["-F", "-i", "error"],
            FILE,
            0.5,
        ),
        (
            "find a pattern (limit: grep -E)",
            "/ERR(OR|NO), /",
            &["-E", "ERR(OR|NO), "],
            SHORT_FILE,
            0.0,
        ),
    ] {
        if size < FILE {
            fill(&file, size);
        }
        let [speed, cost] = alternate(ROUNDS, &sides, |side| match side {
            Side::Tailcast => search(&file, term, size),
            _ => grep(&file, options, size),
        });
        let target = match least {
            0.0 => Target::None,
            least => Target::RatioAtLeast(least),
        };
        rows.push(Row::new(name, "MB/s", target, speed));
        rows.push(Row::new("CPU time per GB of that", "s", Target::None, cost));
    }
    fs::remove_file(&file).expect("the file");
    rows
}

fn fill(path: &Path, size: u64) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    file.write_all(NEEDLE).expect("room on the disk");
    for _ in 0..size / LINE.len() as u64 {
        file.write_all(LINE).expect("room on the disk");
    }
    let file = file.into_inner().expect("room on the disk");
    file.sync_all().expect("the disk");
}

/// MB/s, and CPU seconds per GB.
#[expect(clippy::cast_precision_loss, reason = "a few GB")]
fn rates(size: u64, seconds: f64, cpu: f64) -> [Option<f64>; 2] {
    [
        Some(size as f64 / 1e6 / seconds),
        Some(cpu / (size as f64 / 1e9)),
    ]
}

fn search(file: &Path, term: &str, size: u64) -> [Option<f64>; 2] {
    let server = Server::tailcast(&[file.to_str().expect("UTF-8")], Stdio::null());
    let term: String = term.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (start, before) = (Instant::now(), cpu_seconds(server.pid()));
    let answer = ask(
        &server,
        &format!("/stream?find&match={term}&budget={}", 2 * size),
    );
    let seconds = start.elapsed().as_secs_f64();
    assert!(
        answer.contains("\"at\"") && answer.contains("\"start\""),
        "{answer}"
    );
    rates(size, seconds, cpu_seconds(server.pid()) - before)
}

fn grep(file: &Path, options: &[&str], size: u64) -> [Option<f64>; 2] {
    let start = Instant::now();
    // GNU time would be one more program; what it would tell is what `grep` took, as it never
    // waits.
    let output = Command::new("grep")
        .env("LC_ALL", "C")
        .args(options)
        .arg(file)
        .output();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(output.expect("grep").stdout, NEEDLE);
    rates(size, seconds, seconds)
}

/// The whole answer to a GET.
fn ask(server: &Server, target: &str) -> String {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    let host = server.address;
    let request = format!("GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// CPU time of a hundred viewers over the same lines: those who want one in a thousand, and those
/// who want them all.
pub fn follow(folder: &Path) -> Vec<Row> {
    eprintln!("follow what matches");
    let file = folder.join("follow.log");
    let measure = |query: &str, wanted: usize| {
        fs::write(&file, "").expect("a file");
        let server = Server::tailcast(&[file.to_str().expect("UTF-8")], Stdio::null());
        let viewers: Vec<_> = (0..VIEWERS)
            .map(|_| viewer(&server, &format!("/stream?follow{query}"), wanted))
            .collect();
        let before = cpu_seconds(server.pid());
        let mut log = OpenOptions::new()
            .append(true)
            .open(&file)
            .expect("the file");
        let mut piece = LINE.repeat(999);
        piece.extend_from_slice(NEEDLE);
        for _ in 0..WRITTEN / piece.len() as u64 {
            log.write_all(&piece).expect("room on the disk");
        }
        viewers
            .into_iter()
            .for_each(|viewer| viewer.join().expect("a viewer"));
        #[expect(clippy::cast_precision_loss, reason = "a few MB")]
        let gigabytes = WRITTEN as f64 / 1e9;
        (cpu_seconds(server.pid()) - before) / gigabytes
    };
    let pieces = usize::try_from(WRITTEN).expect("a few MB") / (LINE.len() * 999 + NEEDLE.len());
    let all = pieces * (LINE.len() * 999 + NEEDLE.len());
    let mut values = Values::default();
    for _ in 0..ROUNDS {
        values.add(
            Side::Tailcast,
            Some(measure("&match=error", pieces * NEEDLE.len())),
        );
        values.add(Side::Bare, Some(measure("", all)));
    }
    fs::remove_file(&file).expect("the file");
    let name = "CPU per GB, 100 viewers of one line in 1000 (limit: of all lines)";
    vec![Row::new(name, "s", Target::RatioAtMost(1.0), values)]
}

/// Reads on a thread of its own until that many bytes of the body have come. Returns once the
/// stream has begun.
fn viewer(server: &Server, target: &str, wanted: usize) -> thread::JoinHandle<()> {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    let host = server.address;
    // HTTP/1.0: no sizes of chunks in between.
    write!(stream, "GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n").expect("a request");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    thread::spawn(move || {
        let mut space = vec![0; 64 << 10];
        let mut left = wanted;
        while left > 0 {
            let read = stream.read(&mut space).expect("more of the body");
            assert!(read > 0, "{left} bytes are missing");
            left = left.saturating_sub(read);
        }
    })
}
