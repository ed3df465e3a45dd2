//! What no file keeps: a command's output through a pipe, and readings of sensors.

use std::io::{Read, Write, pipe};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::cpu_seconds;
use crate::sides::{Server, Side};
use crate::table::{Row, Target, Values, alternate};

const ROUNDS: usize = 5;
const SENSORS: usize = 10;

/// An hour is extrapolated from this.
const WINDOW: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// How long `yes | head -c 1G` takes: into Tailcast, without a viewer and with one, and into `cat
/// >/dev/null`, which is the limit.
pub fn piped() -> Vec<Row> {
    eprintln!("pipe");
    let sides = [Side::Tailcast, Side::Bare];
    let [alone] = alternate(ROUNDS, &sides, |side| [Some(command(side, false))]);
    let [watched] = alternate(ROUNDS, &sides, |side| [Some(command(side, true))]);
    let row = |name, values| Row::new(name, "s", Target::None, values);
    vec![
        row("yes | head -c 1G into a pipe (limit: cat)", alone),
        row("the same, one viewer (limit: cat)", watched),
    ]
}

/// Seconds that the command takes, from its start to its end.
fn command(side: Side, watched: bool) -> f64 {
    let (output, input) = pipe().expect("a pipe");
    let mut yes = Command::new("yes")
        .stdout(Stdio::piped())
        .spawn()
        .expect("yes");
    let lines = yes.stdout.take().expect("a pipe");
    let (server, cat) = match side {
        Side::Tailcast => (Some(Server::tailcast(&["-"], output.into())), None),
        _ => {
            let mut cat = Command::new("cat");
            cat.stdin(output).stdout(Stdio::null());
            (None, Some(cat.spawn().expect("cat")))
        }
    };
    if let Some(server) = server.as_ref().filter(|_| watched) {
        watch(server, "/stream?follow");
    }
    let start = Instant::now();
    let mut head = Command::new("head")
        .args(["-c", "1G"])
        .stdin(lines)
        .stdout(input)
        .spawn()
        .expect("head");
    head.wait().expect("head");
    let took = start.elapsed().as_secs_f64();
    yes.wait().expect("yes");
    if let Some(mut cat) = cat {
        cat.wait().expect("cat");
    }
    took
}

/// CPU time of ten samples a second, each with a viewer.
pub fn samples() -> Vec<Row> {
    eprintln!("samples");
    let sources: Vec<String> = (0..SENSORS)
        .map(|n| format!("s{n}=/proc/loadavg"))
        .collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let server = Server::tailcast(&sources, Stdio::null());
    for sensor in 0..SENSORS {
        watch(&server, &format!("/stream/s{sensor}?follow"));
    }
    let (start, before) = (Instant::now(), cpu_seconds(server.pid()));
    thread::sleep(WINDOW);
    let spent = cpu_seconds(server.pid()) - before;
    let hour = spent * HOUR.as_secs_f64() / start.elapsed().as_secs_f64();
    let mut values = Values::default();
    values.add(Side::Tailcast, Some(hour));
    let name = "CPU time of an hour of 10 samples a second";
    vec![Row::new(name, "s", Target::None, values)]
}

/// A viewer who takes everything at once, on a thread of its own. Returns once the stream has
/// begun.
fn watch(server: &Server, target: &str) {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    let host = server.address;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("a request");
    let mut space = vec![0; 256 << 10];
    let read = stream.read(&mut space).expect("an answer");
    assert!(space[..read].starts_with(b"HTTP/1.1 200 "), "{target}");
    thread::spawn(move || while stream.read(&mut space).is_ok_and(|read| read > 0) {});
}
