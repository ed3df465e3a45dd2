//! What a server costs that has nothing to do: memory, wake-ups, bytes on the card.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Swarm;
use crate::measure::{resident_kib, size_kib, voluntary_switches};
use crate::sides::{self, From, Server, Side};
use crate::table::{Row, Target, Values, alternate};

const ROUNDS: usize = 5;
const CLIENTS: u16 = 1000;
const LINE: &[u8] = b"one line\n";

/// Threads that a burst of work left behind are gone after this.
const SETTLE: Duration = Duration::from_secs(1);

const WINDOW_NOBODY: Duration = Duration::from_secs(10);

/// Longer than a heartbeat, so that a ping is in it.
const WINDOW_CLIENT: Duration = Duration::from_secs(21);

/// Resident memory before the first client, with many that wait for the next line, and the
/// difference for each.
pub fn memory(sides: &[Side], folder: &Path) -> Vec<Row> {
    eprintln!("memory");
    let log = folder.join("memory.log");
    let [idle, crowded, each] = alternate(ROUNDS, sides, |side| {
        fs::write(&log, LINE).expect("a file");
        let server = Server::start(side, &log, From::End);
        let idle = resident_kib(server.pid());
        if side == Side::Websocketd {
            return [Some(idle), None, None];
        }
        let mut swarm = Swarm::connect(&server, CLIENTS.into());
        // Not only accepted: each has been sent something once.
        OpenOptions::new()
            .append(true)
            .open(&log)
            .and_then(|mut file| file.write_all(LINE))
            .expect("an append");
        swarm.wait_for(u64::from(CLIENTS) * LINE.len() as u64);
        thread::sleep(SETTLE);
        let crowded = resident_kib(server.pid());
        [
            Some(idle),
            Some(crowded),
            Some((crowded - idle) / f64::from(CLIENTS)),
        ]
    });
    vec![
        Row::new("resident memory, nobody", "KiB", Target::None, idle),
        Row::new(
            "resident memory, 1000 idle clients",
            "KiB",
            Target::None,
            crowded,
        ),
        Row::new(
            "resident memory per idle client",
            "KiB",
            Target::Below(8.0),
            each,
        ),
    ]
}

/// How often the sides wake up by themselves, all in the same seconds.
pub fn wake_ups(sides: &[Side], folder: &Path) -> Vec<Row> {
    eprintln!("wake-ups");
    let log = folder.join("idle.log");
    fs::write(&log, LINE).expect("a file");
    let servers: Vec<Server> = sides
        .iter()
        .map(|side| Server::start(*side, &log, From::End))
        .collect();
    // Nobody any more, rather than nobody yet: a visit must leave nothing running.
    for server in &servers {
        Swarm::connect(server, 1);
    }
    let nobody = rates(&servers, WINDOW_NOBODY);
    let _clients: Vec<Swarm> = servers
        .iter()
        .map(|server| Swarm::connect(server, 1))
        .collect();
    let client = rates(&servers, WINDOW_CLIENT);
    vec![
        Row::new("wake-ups, nobody connected", "1/s", Target::Zero, nobody),
        Row::new("wake-ups, one idle client", "1/s", Target::None, client),
    ]
}

fn rates(servers: &[Server], window: Duration) -> Values {
    thread::sleep(SETTLE);
    let before: Vec<f64> = servers
        .iter()
        .map(|server| voluntary_switches(server.pid()))
        .collect();
    let start = Instant::now();
    thread::sleep(window);
    let mut values = Values::default();
    for (server, before) in servers.iter().zip(before) {
        let switches = voluntary_switches(server.pid()) - before;
        values.add(server.side, Some(switches / start.elapsed().as_secs_f64()));
    }
    values
}

/// The file to copy to a board.
pub fn size() -> Vec<Row> {
    let mut values = Values::default();
    values.add(
        Side::Tailcast,
        size_kib(Path::new(env!("CARGO_BIN_EXE_tailcast"))),
    );
    values.add(
        Side::Websocketd,
        sides::websocketd().and_then(|path| size_kib(&path)),
    );
    vec![Row::new(
        "release binary",
        "KiB",
        Target::Below(900.0),
        values,
    )]
}
