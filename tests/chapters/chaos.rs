//! Chaos: clients killed and stopped, the log cut again and again, under a writer who never rests.
//! Who survives has every byte.
//!
//! `TAILCAST_CHAOS=60` makes it last a minute with two hundred blows; it is sixteen seconds by
//! itself.

use crate::client::{Client, Heard};
use crate::deadline::until_true;
use crate::dice::Dice;
use crate::folder::Folder;
use crate::http::Connection;
use crate::require;
use crate::server::Server;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Blows in a minute.
const BLOWS: u32 = 200;

/// What the writer writes each [`TICK`]: 20 MB in a second.
const PIECE: u64 = 200_000;
const TICK: Duration = Duration::from_millis(10);

/// How much of a stream may still be the start of the next one, in bytes: less than this agrees by
/// chance alone.
const UNSURE: usize = 16;

/// What each content of the file is made of: from any place on it looks like no other place.
struct Text(Vec<u8>);

impl Text {
    /// A prime, so that contents of neighbouring numbers never fall into step.
    const LENGTH: u64 = 1_048_573;

    fn new() -> Text {
        let mut dice = Dice(0x7a11_ca57);
        let once: Vec<u8> = (0..Self::LENGTH).map(|_| dice.below(256) as u8).collect();
        Text(once.repeat(2))
    }

    /// Bytes of the content `number` from `offset` on, at most as many as the text is long.
    fn at(&self, number: u64, offset: u64, length: usize) -> &[u8] {
        let start = ((offset + number * 7919) % Self::LENGTH) as usize;
        &self.0[start..start + length]
    }
}

/// What all share.
struct Stage {
    text: Text,
    /// The number of the file's content now; it counts up before the file is cut.
    number: AtomicU64,
    /// How much of it is written.
    written: AtomicU64,
    over: AtomicBool,
}

/// Writes until it is over; each message is one cut.
fn write(stage: &Stage, log: PathBuf, cuts: &Receiver<()>) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(log)
        .unwrap();
    let start = Instant::now();
    let mut ticks = 0;
    while !stage.over.load(SeqCst) {
        if cuts.try_recv().is_ok() {
            stage.number.fetch_add(1, SeqCst);
            file.set_len(0).unwrap();
            stage.written.store(0, SeqCst);
        }
        let (number, offset) = (stage.number.load(SeqCst), stage.written.load(SeqCst));
        file.write_all(stage.text.at(number, offset, PIECE as usize))
            .unwrap();
        stage.written.store(offset + PIECE, SeqCst);
        ticks += 1;
        thread::sleep((TICK * ticks).saturating_sub(start.elapsed()));
    }
}

/// A client's bytes against what was written.
struct Check {
    stage: Arc<Stage>,
    /// The content that `pending` begins in, and where; `None`: a new one begins there.
    number: Option<u64>,
    offset: u64,
    pending: Vec<u8>,
    /// The least number that the next content can have.
    next: u64,
    /// This client is told where a new content begins, and there is none without.
    told: bool,
    /// How far it is: content and offset.
    place: Arc<Mutex<(u64, u64)>>,
}

impl Check {
    fn new(stage: &Arc<Stage>, told: bool) -> Check {
        Check {
            stage: stage.clone(),
            number: None,
            offset: 0,
            pending: Vec::new(),
            next: 0,
            told,
            place: Arc::default(),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        while self.pending.len() > UNSURE && self.step() {}
        let number = self.number.unwrap_or(u64::MAX);
        *self.place.lock().unwrap() = (number, self.offset + self.pending.len() as u64);
    }

    /// The client has been told that a new content begins here.
    fn moved(&mut self) {
        self.finish();
        self.number = None;
    }

    /// Nothing more comes of this content: what was kept back must be of it, too.
    fn finish(&mut self) {
        if let Some(number) = self.number {
            let expected = self.stage.text.at(number, self.offset, self.pending.len());
            assert!(
                self.pending == expected,
                "content {number} ends wrong at {}",
                self.offset
            );
        }
        self.pending.clear();
    }

    /// Looks at some of what is pending. `false`: more is needed.
    fn step(&mut self) -> bool {
        let Some(number) = self.number else {
            assert!(self.begin(0), "the start of no content");
            return true;
        };
        let length = self.pending.len().min(1 << 19);
        let expected = self.stage.text.at(number, self.offset, length);
        if self.pending[..length] == *expected {
            let sure = length - UNSURE;
            self.pending.drain(..sure);
            self.offset += sure as u64;
            return self.pending.len() > UNSURE;
        }
        let pairs = self.pending.iter().zip(expected);
        let same = pairs.take_while(|(got, want)| got == want).count();
        // The first bytes of a new content may be those that had to come anyway.
        let begun = !self.told && (same.saturating_sub(UNSURE)..=same).any(|at| self.begin(at));
        let too_early = !self.told && length - same <= UNSURE;
        let wrong = self.offset + same as u64;
        assert!(begun || too_early, "content {number} is wrong at {wrong}");
        begun
    }

    /// Goes over to the content that begins at `at` in what is pending, if one does.
    fn begin(&mut self, at: usize) -> bool {
        let rest = &self.pending[at..];
        let length = rest.len().min(4096);
        let text = &self.stage.text;
        let newest = self.stage.number.load(SeqCst);
        let found =
            (self.next..=newest).find(|&number| rest[..length] == *text.at(number, 0, length));
        if let Some(number) = found
            && length > UNSURE
        {
            self.pending.drain(..at);
            (self.number, self.offset, self.next) = (found, 0, number + 1);
            return true;
        }
        false
    }
}

/// A `curl -N` in a process of its own, which can be stopped and killed.
struct Curl {
    process: Child,
    place: Arc<Mutex<(u64, u64)>>,
    checking: JoinHandle<()>,
    /// When it goes on.
    stopped: Option<Instant>,
}

impl Curl {
    fn start(program: &PathBuf, url: &str, stage: &Arc<Stage>) -> Curl {
        let mut process = Command::new(program)
            .args(["--silent", "--no-buffer", url])
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl");
        let mut output = process.stdout.take().unwrap();
        let mut check = Check::new(stage, false);
        let place = check.place.clone();
        let checking = thread::spawn(move || {
            let mut piece = vec![0; 64 << 10];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                check.take(&piece[..length]);
            }
            check.finish();
        });
        Curl {
            process,
            place,
            checking,
            stopped: None,
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("signal");
    }

    /// What it had until then must be right.
    fn kill(mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("wait");
        self.checking.join().expect("its bytes are right");
    }
}

/// What happens to an exact client.
enum Blow {
    Break,
    Stop(Duration),
}

/// An exact client, which goes on where it was when its connection breaks.
struct Exact {
    blows: Sender<Blow>,
    place: Arc<Mutex<(u64, u64)>>,
    checking: JoinHandle<()>,
}

impl Exact {
    fn start(address: SocketAddr, stage: &Arc<Stage>) -> Exact {
        let (blows, suffered) = channel();
        let mut check = Check::new(stage, true);
        let place = check.place.clone();
        let checking = thread::spawn(move || {
            let connect =
                |from: &str| Client::over(Connection::to(address), &format!("/stream?from={from}"));
            let mut client = connect("start");
            loop {
                match client.next_within(Duration::from_millis(20)) {
                    Some(Heard::Bytes(bytes)) => check.take(&bytes),
                    Some(Heard::Event(_)) => check.moved(),
                    Some(Heard::Closed(code)) => panic!("closed with {code:?}"),
                    None => {}
                }
                match suffered.try_recv() {
                    Ok(Blow::Break) => {
                        let place = client.place().to_string();
                        client.disconnect();
                        client = connect(&place);
                    }
                    Ok(Blow::Stop(time)) => thread::sleep(time),
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => return check.finish(),
                }
            }
        });
        Exact {
            blows,
            place,
            checking,
        }
    }
}

#[test]
fn who_survives_has_every_byte() {
    let Some(curl) = require::tool("curl") else {
        return;
    };
    let seconds = std::env::var("TAILCAST_CHAOS").map_or(16, |text| text.parse().expect("seconds"));
    let folder = Folder::new();
    folder.append("");
    let server = Server::start(&[folder.arg()]);
    let stage = Arc::new(Stage {
        text: Text::new(),
        number: AtomicU64::new(0),
        written: AtomicU64::new(0),
        over: AtomicBool::new(false),
    });
    let (cuts, cut) = channel();
    let writer = thread::spawn({
        let (stage, log) = (stage.clone(), folder.log.clone());
        move || write(&stage, log, &cut)
    });
    let url = server.url("/stream?follow&from=start");
    let mut curls: Vec<Curl> = (0..4).map(|_| Curl::start(&curl, &url, &stage)).collect();
    let exact: Vec<Exact> = (0..2)
        .map(|_| Exact::start(server.addr(), &stage))
        .collect();

    let (mut dice, begun) = (Dice(seconds.into()), Instant::now());
    let blows = BLOWS * seconds / 60;
    for blow in 1..=blows {
        let when = begun + Duration::from_secs(seconds.into()) * blow / blows;
        while Instant::now() < when {
            let due = |until: &mut Instant| *until <= Instant::now();
            for curl in &mut curls {
                if curl.stopped.take_if(due).is_some() {
                    curl.signal(Signal::CONT);
                }
            }
            thread::sleep(TICK.min(when.saturating_duration_since(Instant::now())));
        }
        let time = Duration::from_millis(50 + dice.below(1500));
        let victim = dice.below(6) as usize;
        match (dice.below(8), exact.get(victim)) {
            (0, _) => cuts.send(()).unwrap(),
            (1..4, Some(client)) => client.blows.send(Blow::Break).unwrap(),
            (_, Some(client)) => client.blows.send(Blow::Stop(time)).unwrap(),
            (1..4, None) => {
                let next = Curl::start(&curl, &url, &stage);
                std::mem::replace(&mut curls[victim - 2], next).kill();
            }
            (_, None) => {
                curls[victim - 2].signal(Signal::STOP);
                curls[victim - 2].stopped = Some(Instant::now() + time);
            }
        }
    }
    stage.over.store(true, SeqCst);
    writer.join().unwrap();
    let end = (stage.number.load(SeqCst), stage.written.load(SeqCst));
    assert!(end.0 > 0 && end.1 > 0, "{end:?}: too few blows");
    curls.iter().for_each(|curl| curl.signal(Signal::CONT));
    let places = curls
        .iter()
        .map(|curl| &curl.place)
        .chain(exact.iter().map(|client| &client.place));
    for place in places {
        until_true(&format!("a survivor to have all of {end:?}"), || {
            *place.lock().unwrap() == end
        });
    }
    curls.into_iter().for_each(Curl::kill);
    for client in exact {
        drop(client.blows);
        client.checking.join().expect("its bytes are right");
    }
}
