//! A board that hands its streams to NATS: exactly once, whatever happens on the way. Each test
//! looks at the messages in the stream: every one begins where the one before it ended, and all
//! together they are the file.

use crate::deadline::until_true;
use crate::dice::Dice;
use crate::folder::{Folder, rename};
use crate::http::get;
use crate::nats::{Nats, Talk, chained, credentials};
use crate::server::Server;
use crate::weather::{Fault, Weather};
use crate::writer::{assert_lines, lines};
use serde_json::json;
use std::env;
use std::fs;
use std::thread;
use std::time::Duration;

/// The subject of `app.log` of the board `kitchen`.
pub const SUBJECT: &str = "tailcast.kitchen.app%2Elog";

/// How many faults a test has: `TAILCAST_FAULTS=300` for once by hand.
fn faults() -> u64 {
    let faults = env::var("TAILCAST_FAULTS").ok();
    faults.map_or(12, |faults| faults.parse().expect("a number"))
}

/// A Tailcast that publishes the log to `url`, as a board that may do no more than that.
pub fn board(folder: &Folder, url: &str) -> Server {
    let credentials = credentials(folder, "kitchen:cook\n");
    let to = format!("--to={url}");
    Server::start(&["--public", &to, "--as=kitchen", &credentials, folder.arg()])
}

/// How the log stands at its engine, as `/sources` says.
pub fn state(board: &Server) -> serde_json::Value {
    get(board, "/sources").json()[0]["engine"].clone()
}

/// Writes lines through the weather until it is over, and looks what has arrived then.
fn through(seed: u64, kind: fn(&mut Dice) -> Fault) {
    let Some(nats) = Nats::start() else { return };
    let folder = Folder::new();
    let weather = Weather::start(nats.addr, seed, faults(), kind);
    let board = board(&folder, &format!("nats://{}", weather.addr));
    let mut dice = Dice(seed);
    let mut written = 0;
    while weather.left() > 0 {
        let count = 1 + dice.below(200);
        folder.append(lines(written + 1..=written + count));
        written += count;
        // What is written while nothing arrives makes the batches no more interesting.
        until_true("some of it to arrive, or the weather to be over", || {
            let arrived = nats.last(SUBJECT).map_or(0, |last| last.bytes);
            let size = fs::metadata(&folder.log).unwrap().len();
            size - arrived < 400_000 || weather.left() == 0
        });
        thread::sleep(Duration::from_millis(dice.below(40)));
    }
    folder.append(lines([written + 1]));
    let want = fs::read(&folder.log).unwrap();
    let bytes = nats.bytes(SUBJECT, want.len());
    assert_lines(&bytes, 1..=written + 1);
    let metrics = get(&board, "/metrics").text();
    println!(
        "{written} lines, {}",
        metrics
            .lines()
            .filter(|l| l.starts_with("tailcast_engine"))
            .collect::<Vec<_>>()
            .join(", ")
    );
}

#[test]
fn connections_that_are_cut_anywhere() {
    through(11, |dice| Fault::Cut(1000 + dice.below(100_000)));
}

#[test]
fn messages_whose_confirmation_is_lost() {
    through(12, |dice| Fault::LoseAnswer(1 + dice.below(12)));
}

#[test]
fn old_bytes_that_arrive_after_new_ones() {
    through(13, |dice| Fault::HoldBack(2500 + dice.below(100_000)));
}

#[test]
fn power_cuts_of_the_engine_and_of_the_board() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let folder = Folder::new();
    let mut board = board(&folder, &nats.url());
    let seed = 14;
    println!("{} rounds with seed {seed}", faults());
    let mut dice = Dice(seed);
    let mut written = 0;
    for round in 0..faults() {
        for _ in 0..20 {
            let count = 1 + dice.below(50);
            folder.append(lines(written + 1..=written + count));
            written += count;
            thread::sleep(Duration::from_millis(dice.below(10)));
        }
        match round % 3 {
            0 => nats.kill(),
            1 => board.crash(),
            _ => {
                nats.kill();
                board.crash();
            }
        }
        if round % 3 != 1 {
            nats.start_again();
        }
        // So that each round begins with both at work.
        nats.bytes(SUBJECT, fs::read(&folder.log).unwrap().len());
    }
    assert_lines(&nats.bytes(SUBJECT, 0), 1..=written);
}

#[test]
fn an_engine_that_was_put_back_to_an_older_copy_is_filled_up_again() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let folder = Folder::new();
    let _board = board(&folder, &nats.url());
    folder.append(lines(1..=500));
    nats.bytes(SUBJECT, lines(1..=500).len());
    nats.kill();
    let copy = folder.path("copy");
    rename(&nats.store(), &copy);
    assert!(
        std::process::Command::new("cp")
            .arg("-a")
            .args([&copy, &nats.store()])
            .status()
            .unwrap()
            .success()
    );
    nats.start_again();
    folder.append(lines(501..=1000));
    nats.bytes(SUBJECT, lines(1..=1000).len());
    nats.kill();
    fs::remove_dir_all(nats.store()).unwrap();
    rename(&copy, &nats.store());
    nats.start_again();
    folder.append(lines(1001..=1100));
    assert_lines(&nats.bytes(SUBJECT, lines(1..=1100).len()), 1..=1100);
}

#[test]
fn two_of_one_name_do_not_mix() {
    let Some(nats) = Nats::start() else { return };
    let folder = Folder::new();
    let (mut one, mut other) = (board(&folder, &nats.url()), board(&folder, &nats.url()));
    let mut written = 0;
    let told = |board: &Server| {
        let state = state(board);
        state["cause"]
            .as_str()
            .is_some_and(|cause| cause.contains("--as"))
    };
    let mut said = (false, false);
    until_true("both to have met", || {
        written += 1;
        folder.append(lines([written]));
        said = (said.0 || told(&one), said.1 || told(&other));
        // Who always comes first has nothing to say.
        said.0 || said.1
    });
    let length = fs::read(&folder.log).unwrap().len();
    assert_lines(&nats.bytes(SUBJECT, length), 1..=written);
    let errors = [one.stop().stderr, other.stop().stderr].concat();
    assert!(
        errors.contains("two boards must not have one name (`--as`)"),
        "{errors}"
    );
}

#[test]
fn a_place_that_would_expire_is_published_again() {
    let Some(nats) = Nats::bare(include_str!("../nats/hub.conf")) else {
        return;
    };
    nats.create(json!({ "max_age": 3_000_000_000u64 }));
    let folder = Folder::new();
    let mut board = board(&folder, &nats.url());
    folder.append(lines(1..=10));
    let length = lines(1..=10).len();
    nats.bytes(SUBJECT, length);
    until_true("the lines to have expired", || {
        nats.messages(SUBJECT)
            .iter()
            .all(|message| message.payload.is_empty())
    });
    board.restart();
    folder.append(lines([11]));
    let mut talk = Talk::open(&nats);
    until_true("line 11", || {
        talk.last(SUBJECT)
            .is_some_and(|last| last.bytes == (length + lines([11]).len()) as u64)
    });
    let messages = nats.messages(SUBJECT);
    let payloads: Vec<u8> = messages.iter().flat_map(|m| m.payload.clone()).collect();
    assert_eq!(payloads, lines([11]));
}

#[test]
fn samples_and_pipes_go_there_too() {
    let Some(nats) = Nats::start() else { return };
    let folder = Folder::new();
    folder.append("21\n");
    let sample = format!("temp=sample:{}", folder.arg());
    let fifo = folder.path("fifo");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let pipe = format!("meter={}", fifo.to_str().unwrap());
    let to = format!("--to={}", nats.url());
    let credentials = credentials(&folder, "admin:secret");
    let _board = Server::start(&[
        "--public",
        "--sample=50ms",
        &to,
        "--as=a.b",
        &credentials,
        &sample,
        &pipe,
    ]);
    fs::write(&fifo, "42 kWh\n43").unwrap();
    let mut talk = Talk::open(&nats);
    let subject = "tailcast.a%2Eb.meter";
    until_true("the half line, too, after its second", || {
        talk.last(subject).is_some_and(|last| last.bytes == 9)
    });
    assert_eq!(chained(&nats.messages(subject)), b"42 kWh\n43");
    until_true("readings", || {
        nats.messages("tailcast.a%2Eb.temp").len() > 3
    });
    let readings = chained(&nats.messages("tailcast.a%2Eb.temp"));
    let readings = String::from_utf8(readings).unwrap();
    assert!(
        readings.lines().all(|line| line.ends_with("Z 21")),
        "{readings}"
    );
}

#[test]
fn two_boards_of_one_name_do_not_take_turns() {
    let Some(nats) = Nats::start() else { return };
    let (mine, other) = (Folder::new(), Folder::new());
    mine.append("mine\n");
    let _first = board(&mine, &nats.url());
    nats.bytes(SUBJECT, 5);
    other.append("other\n");
    let second = board(&other, &nats.url());
    // It finds a place in a file that is none of its own, and may think that its own was deleted.
    nats.bytes(SUBJECT, 11);
    let mut written = 0;
    until_true("one of them to be silent, and to say so", || {
        written += 1;
        mine.append(format!("mine {written}\n"));
        let list = get(&second, "/sources").json();
        list[0]["engine"]["state"] == "refused" || {
            let first = get(&_first, "/sources").json();
            first[0]["engine"]["state"] == "refused"
        }
    });
    chained(&nats.messages(SUBJECT));
}
