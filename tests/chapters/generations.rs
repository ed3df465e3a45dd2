//! Any part of any file of the family, whatever is rotated meanwhile: what a viewer scrolls by.

use crate::cursor::Place;
use crate::deadline::until_true;
use crate::dice::Dice;
use crate::folder::{Folder, inode};
use crate::http::{Answer, Connection, get, source};
use crate::server::Server;
use crate::writer::{Writer, lines};
use std::fs;
use std::io::Write;
use std::sync::Mutex;
use std::thread;

fn cursor(answer: &Answer) -> &str {
    answer.header("Tailcast-Cursor").expect("Tailcast-Cursor")
}

fn part(server: &Server, inode: u64, offset: usize, max: usize) -> Answer {
    get(
        server,
        &format!("/stream/app.log?from={inode:x}-{offset:x}&max={max}"),
    )
}

#[test]
fn of_each_file_and_never_beyond_it() {
    for folder in Folder::each() {
        let mut writer = Writer::start(&folder.log);
        writer.write(100);
        let old = folder.inode();
        let server = Server::start(&[folder.arg()]);
        folder.rotate();
        writer.reopen();
        writer.write(50);
        let new = folder.inode();
        let all = [(old, lines(1..=100)), (new, lines(101..=150))];

        for (inode, content) in &all {
            let length = content.len();
            for (offset, max) in [
                (0, 1),
                (7, 100),
                (0, length),
                (0, length + 1),
                (length - 1, 9),
            ] {
                let answer = part(&server, *inode, offset, max);
                let end = length.min(offset + max);
                assert_eq!(answer.status, 200, "{offset} {max}: {answer:?}");
                assert_eq!(answer.body, &content[offset..end]);
                let behind = Place::behind(*inode, &content[..end]);
                assert_eq!(cursor(&answer), behind.to_string());
            }
            let answer = part(&server, *inode, length, 10);
            assert_eq!(answer.status, 204, "at its end: {answer:?}");
            assert!(Place::parse(cursor(&answer)).agrees(&Place::behind(*inode, content)));
            let answer = part(&server, *inode, length + 1, 10);
            assert_eq!(answer.status, 404, "behind its end: {answer:?}");
        }
        let head = Connection::open(&server).request(
            "HEAD",
            &format!("/stream/app.log?from={old:x}-0&max=10"),
            "",
        );
        assert_eq!(
            (head.status, head.header("Content-Length")),
            (200, Some("10"))
        );

        // Nobody has to listen for it, and none is counted as one who does.
        assert_eq!(source(&server, "app.log")["clients"], 0);

        let list = get(&server, "/stream/app.log?generations");
        assert_eq!(list.header("Content-Type"), Some("application/json"));
        let list = list.json();
        let list = list.as_array().expect("an array");
        assert_eq!(list.len(), 2, "{list:?}");
        for (listed, (inode, content)) in list.iter().zip(all.iter().rev()) {
            assert_eq!(listed["inode"], format!("{inode:x}"));
            assert_eq!(listed["size"], content.len());
            assert_eq!(listed["sealed"], *inode == old);
            assert_eq!(listed["start"], 0);
            let modified = listed["modified"].as_str().expect("modified");
            assert!(
                modified.ends_with('Z') && modified.contains('T'),
                "{modified}"
            );
        }
    }
}

#[test]
fn what_is_not_of_the_family_is_gone() {
    let folder = Folder::new();
    folder.append("mine\n");
    fs::write(folder.path("secret"), "not for you\n").unwrap();
    let secret = inode(&folder.path("secret"));
    let server = Server::start(&[folder.arg()]);
    let check = Place::behind(folder.inode(), b"mine\n");
    for (from, status) in [
        (format!("{check}"), 204),
        // Another past than this file has.
        (format!("{:x}-5-1", folder.inode()), 404),
        (format!("{secret:x}-0"), 404),
        ("1-0".to_owned(), 404),
        ("0-0".to_owned(), 404),
    ] {
        let answer = get(&server, &format!("/stream/app.log?from={from}&max=100"));
        assert_eq!(answer.status, status, "{from}: {answer:?}");
        let lost = answer.header("Tailcast-Lost");
        assert_eq!(lost, (status == 404).then_some("unknown"), "{from}");
    }
    for query in [
        "max=10",
        "from=end&max=10",
        "from=-3&max=10",
        "from=1-0&max=0",
        "from=1-0&max=",
        "from=1-0&max=-1",
        "from=1-0&max=1.5",
    ] {
        let answer = get(&server, &format!("/stream/app.log?{query}"));
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        assert!(answer.sentence().contains("max"), "{query}");
    }
    fs::remove_file(&folder.log).unwrap();
    let list = get(&server, "/stream/app.log?generations").json();
    assert_eq!(list.as_array().map(Vec::len), Some(0));
}

/// What is kept of a FIFO: the same, as far as it is kept.
#[test]
fn of_what_is_kept() {
    let folder = Folder::new();
    let fifo = folder.path("events");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let server = Server::start(&[fifo.to_str().unwrap()]);
    let mut writer = fs::File::options().write(true).open(&fifo).unwrap();
    let content = lines(1..=5000);
    assert!(content.len() > 300_000, "more than is kept");
    writer.write_all(&content).unwrap();
    let listed = || get(&server, "/stream/events?generations").json()[0].clone();
    until_true("all of it to be read", || listed()["size"] == content.len());
    let list = listed();
    let (id, start) = (
        list["inode"].as_str().unwrap(),
        list["start"].as_u64().unwrap(),
    );
    assert!(start > 0 && list["sealed"] == false, "{list}");
    let start = usize::try_from(start).unwrap();
    let ask = |offset: usize| {
        get(
            &server,
            &format!("/stream/events?from={id}-{offset:x}&max=1000"),
        )
    };
    for offset in [
        start,
        start + 100_000,
        content.len() - 1000,
        content.len() - 5,
    ] {
        let end = content.len().min(offset + 1000);
        let answer = ask(offset);
        assert_eq!(
            (answer.status, &answer.body[..]),
            (200, &content[offset..end])
        );
        let place = Place::parse(cursor(&answer));
        assert_eq!(place.offset, end as u64);
    }
    assert_eq!(ask(content.len()).status, 204);
    for offset in [0, start - 1, content.len() + 1] {
        assert_eq!(ask(offset).status, 404, "{offset} of {start}..");
    }
}

/// One who asks at random while the log is rotated in a loop, the oldest deleted or not.
#[test]
fn rotated_in_a_loop() {
    // Where files are deleted, their inodes come again: then the places are asked for with their
    // checks.
    for kept in [usize::MAX, 3] {
        let folder = Folder::new();
        let content = |generation: usize| -> Vec<u8> {
            let line = |n| format!("line {n} of generation {generation}\n").into_bytes();
            (0..40).flat_map(line).collect()
        };
        folder.append(content(0));
        let server = Server::start(&[folder.arg()]);
        // The inode of each generation, and how much of it is written.
        let written = Mutex::new(vec![(folder.inode(), content(0).len())]);
        thread::scope(|scope| {
            let rotating = scope.spawn(|| {
                for generation in 1..60 {
                    folder.rotate();
                    _ = fs::remove_file(folder.path(&format!("app.log.{}", kept.min(100))));
                    folder.append("");
                    written.lock().unwrap().push((folder.inode(), 0));
                    for piece in content(generation).chunks(700) {
                        folder.append(piece);
                        written.lock().unwrap().last_mut().unwrap().1 += piece.len();
                    }
                }
            });
            let mut dice = Dice(13);
            let (mut got, mut gone) = (0, 0);
            while !rotating.is_finished() || got < 100 {
                let snapshot = written.lock().unwrap().clone();
                let newest = snapshot.len() - 1;
                let back = dice.below(snapshot.len().min(8) as u64) as usize;
                let generation = newest - back;
                let (inode, length) = snapshot[generation];
                let all = content(generation);
                let offset = dice.below(length as u64 + 1) as usize;
                let max = 1 + dice.below(2000) as usize;
                let place = match kept {
                    usize::MAX => format!("{inode:x}-{offset:x}"),
                    _ if offset < 64 => continue,
                    _ => Place::behind(inode, &all[..offset]).to_string(),
                };
                let answer = get(&server, &format!("/stream/app.log?from={place}&max={max}"));
                match answer.status {
                    200 => {
                        got += 1;
                        let end = offset + answer.body.len();
                        assert!(answer.body.len() <= max && end <= all.len());
                        assert_eq!(answer.body, &all[offset..end], "{place} of {generation}");
                        let behind = Place::behind(inode, &all[..end]);
                        assert!(behind.agrees(&Place::parse(cursor(&answer))), "{answer:?}");
                    }
                    204 => assert_eq!(offset, length, "{place} of {generation}"),
                    404 => {
                        gone += 1;
                        // And perhaps one that is made, but not written down yet.
                        let now = written.lock().unwrap().len() + 1;
                        assert!(
                            now - generation > kept,
                            "{place} of {generation}, now {now}"
                        );
                    }
                    _ => panic!("{answer:?}"),
                }
            }
            rotating.join().unwrap();
            assert!(got >= 100, "{got}");
            assert_eq!(gone > 0, kept == 3, "{gone} were gone");
        });
    }
}
