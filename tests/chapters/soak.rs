//! A soak: logs that never rest, each rotated in a mode of logrotate of its own, their times set
//! back and forth, and viewers that break off and sleep. Each line comes once and in order, or its
//! viewer is told that some are gone.
//!
//! `TAILCAST_SOAK=3600` makes it last an hour, with a rotation each ten seconds; by itself it takes
//! some ten seconds.

use crate::chapters::rotate::Logrotate;
use crate::chapters::soak_log::{LINE, Log, MODES, line, number};
use crate::client::{Client, Heard};
use crate::deadline::{DEADLINE, until_true};
use crate::dice::Dice;
use crate::http::Connection;
use crate::server::Server;
use std::fs::{self};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// What became of one viewer.
#[derive(Default)]
struct Told {
    rotated: u32,
    truncated: u32,
    lost: u32,
    breaks: u32,
    sleeps: u32,
    /// Lines that did not come, and that it was told of.
    missed: u64,
}

/// A viewer's lines against what was written.
struct Check<'a> {
    log: &'a Log,
    /// The number of the line that comes next.
    next: u64,
    /// The beginning of a line.
    pending: Vec<u8>,
    /// It was told since the last line that some are gone.
    is_told: bool,
    told: Told,
}

impl Check<'_> {
    fn take(&mut self, heard: &Heard) {
        match heard {
            Heard::Bytes(bytes) => self.lines(bytes),
            Heard::Event(event) => match event["event"].as_str().unwrap() {
                "rotated" => {
                    self.told.rotated += 1;
                    // The copy may end in the midst of a line, of which the rest is gone.
                    let is_whole = self.pending.is_empty() || self.log.mode == "copytruncate";
                    assert!(is_whole, "{}: half of line {}", self.log.mode, self.next);
                    self.pending.clear();
                }
                "truncated" => {
                    self.told.truncated += 1;
                    self.tell();
                }
                "lost" => {
                    self.told.lost += 1;
                    self.tell();
                }
                "missing" | "found" => {}
                other => panic!("{}: {other}", self.log.mode),
            },
            Heard::Closed(code) => panic!("{}: closed with {code:?}", self.log.mode),
        }
    }

    /// What it was told ends the line that had begun.
    fn tell(&mut self) {
        self.is_told = true;
        self.pending.clear();
    }

    fn lines(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        let whole = self.pending.len() / LINE * LINE;
        for got in self.pending[..whole].chunks(LINE) {
            let (mode, next, number) = (self.log.mode, self.next, number(got));
            assert!(
                number >= next,
                "{mode}: line {number} again, {next} is next"
            );
            assert!(
                got == line(number).as_bytes(),
                "{mode}: line {number} is broken"
            );
            if number > next {
                let gap = (next, number - 1);
                assert!(
                    self.is_told || mode == "copytruncate",
                    "{mode}: {gap:?} are gone untold"
                );
                until_true(
                    &format!("{mode}: {gap:?} to be told, or in no file"),
                    || self.is_told || self.log.is_gone(gap),
                );
                self.told.missed += number - next;
            }
            self.is_told = false;
            self.next = number + 1;
        }
        self.pending.drain(..whole);
    }
}

/// Sees one log until it is over and everything has come. Now and then its connection breaks, or it
/// sleeps.
fn view(log: &Log, server: SocketAddr, seed: u64) -> Told {
    let mut dice = Dice(seed);
    let name = log.mode;
    let target = format!("/stream/{name}?from=start");
    let mut client = Client::over(Connection::to(server), &target);
    let mut check = Check {
        log,
        next: 1,
        pending: Vec::new(),
        is_told: false,
        told: Told::default(),
    };
    let mut blow = Instant::now() + Duration::from_millis(dice.below(4000));
    while !log.over.load(SeqCst) || check.next <= log.written.load(SeqCst) {
        match client.next_within(Duration::from_millis(50)) {
            Some(heard) => check.take(&heard),
            None => {
                let late = Instant::now().saturating_duration_since(blow);
                assert!(late < DEADLINE, "{name}: {} does not come", check.next);
            }
        }
        if Instant::now() < blow || log.over.load(SeqCst) {
            continue;
        }
        let time = Duration::from_millis(dice.below(3000));
        if dice.below(2) == 0 {
            check.told.breaks += 1;
            client.disconnect();
            thread::sleep(time);
            client.events.clear();
            client.resume_over(Connection::to(server));
            // What it was told with the place where it goes on.
            for (_, event) in client.events.split_off(0) {
                check.take(&Heard::Event(event));
            }
        } else {
            check.told.sleeps += 1;
            thread::sleep(time);
        }
        blow = Instant::now() + Duration::from_millis(dice.below(8000));
    }
    check.told
}

#[test]
fn every_line_once_or_told() {
    let seconds = std::env::var("TAILCAST_SOAK").map_or(8, |text| text.parse().expect("seconds"));
    let pause = Duration::from_secs(if seconds < 60 { 2 } else { 10 });
    let over = Arc::new(AtomicBool::new(false));
    let logs: Vec<Arc<Log>> = MODES
        .iter()
        .map(|(mode, _)| Log::new(mode, &over))
        .collect();
    let mut rotations = Vec::new();
    for (log, (_, directives)) in logs.iter().zip(MODES) {
        let directives = directives.replace("FLAG", log.flag().to_str().unwrap());
        let Some(logrotate) = Logrotate::new(&log.folder, &directives) else {
            return;
        };
        rotations.push(logrotate);
    }
    let sources: Vec<String> = logs
        .iter()
        .map(|log| format!("{}={}", log.mode, log.folder.arg()))
        .collect();
    let server = Server::start(&sources.iter().map(String::as_str).collect::<Vec<_>>());
    thread::scope(|scope| {
        let mut viewers = Vec::new();
        for (at, log) in logs.iter().enumerate() {
            scope.spawn(move || log.write());
            for seed in 1..=2 {
                let (server, seed) = (server.addr(), 10 * at as u64 + seed);
                viewers.push((log.mode, scope.spawn(move || view(log, server, seed))));
            }
        }
        let (mut dice, begun, mut round) = (Dice(seconds), Instant::now(), 0);
        while begun.elapsed() < Duration::from_secs(seconds)
            && !viewers.iter().any(|(_, viewer)| viewer.is_finished())
        {
            round += 1;
            thread::sleep((pause * round).saturating_sub(begun.elapsed()));
            for (log, logrotate) in logs.iter().zip(&rotations) {
                // Of a log that was copied and deleted nothing but the times says which copies are
                // older.
                if log.mode != "renamecopy" {
                    log.set_times(&mut dice);
                }
                let output = logrotate.begin().wait_with_output().unwrap();
                assert!(output.status.success(), "{}: {output:?}", log.mode);
                if log.mode == "copytruncate" {
                    log.find_gone();
                } else {
                    fs::write(log.flag(), "").unwrap();
                }
            }
        }
        over.store(true, SeqCst);
        for (mode, viewer) in viewers {
            let told = viewer.join().expect("its lines are right");
            println!(
                "{mode}: {} rotated, {} truncated, {} lost, {} breaks, {} sleeps; {} lines missed and told",
                told.rotated, told.truncated, told.lost, told.breaks, told.sleeps, told.missed
            );
        }
        for log in &logs {
            println!(
                "{}: {} lines, {} rotations",
                log.mode,
                log.written.load(SeqCst),
                round
            );
        }
    });
}
