//! Readers that others wrote: NATS's own library over WebSocket, which takes the messages and knows nothing of Tailcast but
//! its headers. The same bytes arrive, however often the connections break.

use crate::broker::{faults, node_module};
use crate::chapters::engine::board;
use crate::deadline::{DEADLINE, until_true};
use crate::dice::Dice;
use crate::folder::Folder;
use crate::nats::Nats;
use crate::program::Program;
use crate::require::tool;
use crate::server::reserve;
use crate::weather::{Fault, Weather};
use crate::writer::{lines, sha256};
use std::env;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::chapters::engine::SUBJECT;

/// How many readers: `TAILCAST_VIEWERS=100` with `TAILCAST_FAULTS=1000` for once by hand.
fn readers() -> u64 {
    let readers = env::var("TAILCAST_VIEWERS").ok();
    readers.map_or(10, |readers| readers.parse().expect("a number"))
}

#[test]
fn in_node_over_websocket() {
    let Some(node) = tool("node") else { return };
    let Some(library) = node_module("@nats-io/nats-core") else {
        return;
    };
    let (_port, web) = reserve(Ipv4Addr::LOCALHOST);
    let config = format!(
        "{}\nwebsocket {{ listen: \"{web}\", no_tls: true }}\n",
        include_str!("../nats/hub.conf")
    );
    let Some(nats) = Nats::bare(&config) else {
        return;
    };
    nats.create(serde_json::json!({}));
    let folder = Folder::new();
    let _board = board(&folder, &nats.url());
    let seed = 31;
    let weather = Weather::start(web, seed, faults(40), |dice| {
        Fault::CutBack(5_000 + dice.below(60_000))
    });
    let mut command = Command::new(node);
    command.args(["--no-warnings", "--experimental-websocket"]);
    command.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/nats/reader.cjs"
    ));
    command.arg(library).arg(format!("ws://{}", weather.addr));
    command.args([SUBJECT, &readers().to_string()]);
    let mut node = Program::start(&mut command);
    let mut dice = Dice(seed);
    let mut written = 0;
    let end = Instant::now() + 20 * DEADLINE;
    while weather.left() > 0 {
        assert!(Instant::now() < end, "{} faults left", weather.left());
        let count = 1 + dice.below(50);
        folder.append(lines(written + 1..=written + count));
        written += count;
        thread::sleep(Duration::from_millis(dice.below(20)));
    }
    folder.append("the end\n");
    let want = fs::read(&folder.log).unwrap();
    until_true("all of it to arrive", || {
        nats.last_bytes(SUBJECT) == want.len() as u64
    });
    let mut cuts = 0;
    for reader in 0..readers() {
        let line = node.line();
        let (hash, again) = line.split_once(' ').unwrap();
        assert_eq!(hash, sha256(&want), "reader {reader}");
        cuts += again.parse::<u64>().unwrap();
    }
    println!(
        "{written} lines, {} readers, connected anew {cuts} times",
        readers()
    );
    assert!(cuts > 0);
}
