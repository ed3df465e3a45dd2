//! The engine is away, for as long as it likes: nothing is held for it, and what comes late is
//! exact, or told as lost.

use crate::chapters::engine::{SUBJECT, board, state};
use crate::deadline::until_true;
use crate::folder::{Folder, rename};
use crate::http::get;
use crate::jetstream::Stored;
use crate::nats::{Nats, credentials};
use crate::server::{Server, is_emulated};
use crate::writer::{assert_lines, lines};
use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::RangeInclusive;
use std::process::Command;

/// How many lines come while the engine is away: `TAILCAST_LINES=1000000` for once by hand.
fn how_many() -> u64 {
    let lines = env::var("TAILCAST_LINES").ok();
    lines.map_or(100_000, |lines| lines.parse().expect("a number"))
}

/// A board whose log has 1,000 lines, all of them arrived, and whose engine has just gone.
fn scene(nats: &mut Nats) -> (Folder, Server) {
    let folder = Folder::new();
    let board = board(&folder, &nats.url());
    folder.append(lines(1..=1000));
    nats.bytes(SUBJECT, lines(1..=1000).len());
    // It is there before the board knows; what it does not know counts as waiting.
    until_true("the board to know that it arrived", || {
        state(&board)["behind"] == 0
    });
    nats.kill();
    until_away(&board);
    (folder, board)
}

fn until_away(board: &Server) {
    until_true("the board to say that it is away", || {
        state(board)["state"] == "away"
    });
}

fn marks(messages: &[Stored]) -> Vec<&str> {
    messages.iter().filter_map(|m| m.mark.as_deref()).collect()
}

fn lost(messages: &[Stored]) -> Vec<&str> {
    messages.iter().filter_map(|m| m.lost.as_deref()).collect()
}

/// Writes `count` lines and rotates before each of `ways` but the first, the engine comes back, and
/// everything arrives.
fn all_arrive(ways: &[fn(&Folder)], all_marks: &[&str]) {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let (folder, board) = scene(&mut nats);
    let each = how_many() / (ways.len() as u64 + 1);
    let part =
        |number: u64| -> RangeInclusive<u64> { 1001 + number * each..=1000 + (number + 1) * each };
    folder.append(lines(part(0)));
    until_true("the board to say how much waits", || {
        state(&board)["behind"] == lines(part(0)).len()
    });
    for (number, rotate) in ways.iter().enumerate() {
        rotate(&folder);
        folder.append(lines(part(number as u64 + 1)));
    }
    nats.start_again();
    let last = *part(ways.len() as u64).end();
    let bytes = nats.bytes(SUBJECT, lines(1..=last).len());
    assert_lines(&bytes, 1..=last);
    let messages = nats.messages(SUBJECT);
    assert_eq!(lost(&messages), [""; 0]);
    assert_eq!(marks(&messages), all_marks);
    // Behind, they are large ones; each ends where a line does.
    let large = messages.iter().filter(|it| it.payload.len() > 200_000);
    assert!(large.count() > 10);
    assert!(messages.iter().all(|it| it.payload.ends_with(b"\n")));
    until_true("the board to have caught up", || {
        let state = state(&board);
        state["state"] == "publishing" && state["behind"] == 0
    });
}

/// `app.log.1` and those behind it go one further.
fn make_room(folder: &Folder) {
    for older in (1..10).rev() {
        let from = folder.path(&format!("app.log.{older}"));
        if from.exists() {
            rename(&from, &folder.path(&format!("app.log.{}", older + 1)));
        }
    }
}

#[test]
fn what_is_written_meanwhile_comes_later() {
    let copied_and_truncated = |folder: &Folder| {
        make_room(folder);
        fs::copy(&folder.log, folder.path("app.log.1")).unwrap();
        folder.truncate();
    };
    let renamed_over = |folder: &Folder| {
        make_room(folder);
        fs::hard_link(&folder.log, folder.path("app.log.1")).unwrap();
        folder.replace("");
    };
    let ways = [
        Folder::rotate,
        copied_and_truncated,
        renamed_over,
        Folder::rotate,
    ];
    all_arrive(&ways, &["rotated"; 4]);
}

#[test]
fn what_is_written_meanwhile_comes_later_from_files_with_dates() {
    fn dated(folder: &Folder, date: &str) {
        folder.tick();
        rename(&folder.log, &folder.path(&format!("app.log-{date}")));
    }
    let ways: [fn(&Folder); 3] = [
        |folder| dated(folder, "20261124"),
        |folder| dated(folder, "20261125"),
        |folder| dated(folder, "20261126"),
    ];
    all_arrive(&ways, &["rotated"; 3]);
}

#[test]
fn a_file_that_was_deleted_meanwhile_is_told_once() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let (folder, _board) = scene(&mut nats);
    folder.append(lines(1001..=1100));
    for first in [1101, 1201, 1301] {
        folder.rotate();
        folder.append(lines(first..=first + 99));
    }
    // The one that it stood in, and with it the next one: nobody knows any more how much came
    // after.
    fs::remove_file(folder.path("app.log.3")).unwrap();
    fs::remove_file(folder.path("app.log.2")).unwrap();
    nats.start_again();
    let want = [lines(1..=1000), lines(1301..=1400)].concat();
    let bytes = nats.bytes(SUBJECT, want.len());
    assert!(bytes == want, "{}", String::from_utf8_lossy(&bytes));
    assert_eq!(lost(&nats.messages(SUBJECT)), ["unknown"]);
}

#[test]
fn what_a_pipe_can_not_keep_is_told_to_the_byte() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let folder = Folder::new();
    let fifo = folder.path("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let pipe = format!("meter={}", fifo.to_str().unwrap());
    let to = format!("--to={}", nats.url());
    let admin = credentials(&folder, "admin:secret");
    let mut args = vec!["--public", "--history=16K", &to, "--as=kitchen", &admin];
    args.push(&pipe);
    let board = Server::start(&args);
    let mut writer = OpenOptions::new().write(true).open(&fifo).unwrap();
    writer.write_all(&lines(1..=100)).unwrap();
    let subject = "tailcast.kitchen.meter";
    nats.bytes(subject, lines(1..=100).len());
    nats.kill();
    until_away(&board);
    writer.write_all(&lines(101..=2000)).unwrap();
    let written = lines(1..=2000);
    until_true("the pipe to be read", || {
        get(&board, "/stream/meter").body.ends_with(&lines([2000]))
    });
    nats.start_again();
    until_true("the newest line", || {
        let last = nats.messages(subject).pop();
        last.is_some_and(|last| last.payload.ends_with(&lines([2000])))
    });
    let messages = nats.messages(subject);
    let lost: Vec<usize> = lost(&messages)
        .iter()
        .map(|it| it.parse().unwrap())
        .collect();
    let payloads: Vec<u8> = messages.iter().flat_map(|it| it.payload.clone()).collect();
    let (before, after) = payloads.split_at(lines(1..=100).len());
    assert!(lost.len() == 1 && before == lines(1..=100));
    assert_eq!(lost[0] + payloads.len(), written.len());
    assert!(written.ends_with(after) && after.len() > 15_000);
}

#[test]
fn a_log_that_grows_meanwhile_costs_nothing() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let (folder, board) = scene(&mut nats);
    let before = (board.rss(), board.descriptors());
    for round in 1..=20 {
        folder.append(vec![b'x'; 1 << 20]);
        folder.append("\n");
        until_true("the board to see it", || {
            state(&board)["behind"] == ((1 << 20) + 1) * round
        });
    }
    // But for a moment, while it looks whether the engine is back, or a visitor has come.
    until_true("no more descriptors than before", || {
        board.descriptors() <= before.1
    });
    let after = (board.rss(), board.descriptors());
    println!("memory and descriptors {before:?}, after 20 MiB {after:?}");
    // A queue would have twenty times that.
    if !is_emulated() {
        assert!(after.0 < before.0 + (1 << 20), "{before:?} {after:?}");
    }
    nats.start_again();
    nats.bytes(SUBJECT, fs::read(&folder.log).unwrap().len());
}
