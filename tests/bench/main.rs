//! `cargo bench`: Tailcast beside a bare TCP server, which is the limit, and beside websocketd
//! where it is installed. `cargo bench -- latency memory` measures only these. Some ten minutes in
//! all; one table at the end.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `sides` | the three servers, each a process that ends with this one |
//! | `bare` | the limit: inotify, read, write |
//! | `client` | a thousand clients on one thread |
//! | `measure` | `/proc`, medians, percentiles |
//! | `table` | alternating runs, ratios, targets, the table |
//! | `latency`, `throughput`, `footprint`, `flows`, `search`, `crowd`, `growth`, `engine`, `chart`, `page`, `instructions` | what is measured |
//! | `browser` | a page in Chromium, for `chart` and `page` |
//! | `chromium`, `protocol`, `deadline`, `require` | the browser of the tests |

// A bench talks to a person on a terminal, and a surprise ends it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub
)]

mod bare;
mod browser;
mod chart;
#[path = "../harness/chromium.rs"]
mod chromium;
mod client;
mod crowd;
#[path = "../harness/deadline.rs"]
mod deadline;
mod engine;
mod flows;
mod footprint;
mod growth;
mod instructions;
mod latency;
mod measure;
mod page;
#[path = "../harness/protocol.rs"]
#[allow(dead_code, reason = "each measurement starts a browser of its own")]
mod protocol;
#[path = "../harness/require.rs"]
mod require;
mod search;
mod sides;
mod table;
mod throughput;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{ExitCode, exit};
use std::time::Duration;
use std::{env, thread};

use sides::Side;
use table::Row;

/// Whatever hangs, it is over then; the servers end with this process.
const DEADLINE: Duration = Duration::from_secs(1200);

type Chapter = (&'static str, fn(&[Side], &Path) -> Vec<Row>);

const CHAPTERS: [Chapter; 16] = [
    ("latency", latency::rows),
    ("throughput", throughput::catch_up),
    ("connects", throughput::connects),
    ("memory", footprint::memory),
    ("wakeups", footprint::wake_ups),
    ("pipe", |_, _| flows::piped()),
    ("samples", |_, _| flows::samples()),
    ("find", |_, folder| search::find(folder)),
    ("matching", |_, folder| search::follow(folder)),
    ("crowd", |_, folder| crowd::rows(folder)),
    ("growth", |_, folder| growth::rows(folder)),
    ("engine", |_, folder| engine::rows(folder)),
    ("chart", |_, folder| chart::rows(folder)),
    ("page", |_, folder| page::rows(folder)),
    ("instructions", |_, folder| instructions::rows(folder)),
    ("size", |_, _| footprint::size()),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == sides::CHILD) {
        eprintln!("{:?}: {}", arguments, sides::become_server(&arguments[1..]));
        return ExitCode::FAILURE;
    }
    if cfg!(debug_assertions) {
        // `cargo test --all-targets` comes here; its build measures nothing.
        eprintln!("a debug build is not measured: `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| *argument != "--bench")
        .collect();
    let known = CHAPTERS.map(|(name, _)| name);
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        eprintln!("`{unknown}` is not measured: {}", known.join(", "));
        return ExitCode::from(2);
    }
    thread::spawn(|| {
        thread::sleep(DEADLINE);
        eprintln!("not done after {DEADLINE:?}");
        exit(1);
    });
    measure::raise_descriptor_limit();

    let mut sides = vec![Side::Tailcast, Side::Bare];
    match sides::websocketd() {
        Some(_) => sides.push(Side::Websocketd),
        None => println!("websocketd not installed: its column is empty"),
    }
    let folder =
        tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder beside the build");
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    for (name, measure) in CHAPTERS
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|w| w == name))
    {
        // A row that fails takes its chapter with it, not the others.
        match catch_unwind(AssertUnwindSafe(|| measure(&sides, folder.path()))) {
            Ok(measured) => rows.extend(measured),
            Err(_) => broken.push(*name),
        }
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!(
        "\nTailcast {}, {} cores; medians of alternating runs, loopback\n",
        env!("CARGO_PKG_VERSION"),
        cores
    );
    table::print(&rows);
    if broken.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nfailed, see above: {}", broken.join(", "));
    ExitCode::FAILURE
}
