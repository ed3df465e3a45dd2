//! From an append to its receipt, over loopback, while a writer appends 100 lines a second.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Swarm;
use crate::measure::percentile;
use crate::sides::{From, Server, Side};
use crate::table::{Row, Target, alternate};

const ROUNDS: usize = 5;
const LINES: usize = 300;
const PERIOD: Duration = Duration::from_millis(10);

/// Lines at the start that are sent but not counted: buffers are found, caches filled.
const WARM_UP: u64 = 20;

/// A line's length, its newline included.
const LINE: usize = 64;

/// Two rows, middle and tail, for each number of clients.
pub fn rows(sides: &[Side], folder: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for (clients, most) in [(1, Some(1.3)), (100, None), (1000, Some(1.3))] {
        // A process of its own for each of 1,000 clients is not what websocketd is for.
        let sides: Vec<Side> = sides
            .iter()
            .copied()
            .filter(|s| clients < 1000 || *s != Side::Websocketd)
            .collect();
        let name = |part| {
            format!(
                "append to receipt, {clients} client{}, {part}",
                if clients == 1 { "" } else { "s" }
            )
        };
        eprintln!("latency, {clients} at once");
        let [p50, p99] = alternate(ROUNDS, &sides, |side| run(side, clients, folder));
        rows.push(Row::new(
            name("p50"),
            "us",
            most.map_or(Target::None, Target::RatioAtMost),
            p50,
        ));
        rows.push(Row::new(name("p99"), "us", Target::None, p99));
    }
    rows
}

fn run(side: Side, clients: usize, folder: &Path) -> [Option<f64>; 2] {
    let log = folder.join("latency.log");
    File::create(&log)
        .and_then(|mut file| file.write_all(&line(0)))
        .expect("a file");
    let server = Server::start(side, &log, From::End);
    let mut swarm = Swarm::connect(&server, clients);

    let epoch = Instant::now();
    let sent: Arc<[AtomicU64]> = (0..LINES).map(|_| AtomicU64::new(0)).collect();
    let writer = thread::spawn({
        let sent = Arc::clone(&sent);
        move || append(&log, &sent, epoch)
    });

    // websocketd takes the newline off.
    let length = if side == Side::Websocketd {
        LINE - 1
    } else {
        LINE
    } as u64;
    let expected = LINES * clients;
    let (mut receipts, mut micros) = (0, Vec::with_capacity(expected));
    while receipts < expected {
        swarm.turn(|before, after| {
            let now = nanos(epoch);
            for line in before / length..after / length {
                receipts += 1;
                if line >= WARM_UP {
                    let sent =
                        sent[usize::try_from(line).expect("an index")].load(Ordering::Acquire);
                    micros.push(Duration::from_nanos(now - sent).as_secs_f64() * 1e6);
                }
            }
        });
    }
    writer.join().expect("the writer");
    [percentile(&micros, 50), percentile(&micros, 99)]
}

/// Appends each line with one write, at its own time: a late one does not delay the next.
fn append(log: &Path, sent: &[AtomicU64], epoch: Instant) {
    let mut file = OpenOptions::new().append(true).open(log).expect("the file");
    let mut due = Instant::now();
    for (number, sent) in sent.iter().enumerate() {
        due += PERIOD;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let line = line(number);
        sent.store(nanos(epoch), Ordering::Release);
        file.write_all(&line).expect("an append");
    }
}

fn line(number: usize) -> Vec<u8> {
    format!("{number:>width$}\n", width = LINE - 1).into_bytes()
}

fn nanos(epoch: Instant) -> u64 {
    u64::try_from(epoch.elapsed().as_nanos()).expect("less than 500 years")
}
