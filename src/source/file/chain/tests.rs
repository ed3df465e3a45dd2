//! What a chain makes of what is handed in, as tables. A row: milliseconds since the start | what
//! was found | what comes of it.
//!
//! A file is `INODE:SIZE@TIME`. A look finds `name=` and `open=`, what the name means and the open
//! file, or `both=`; an open file may be `deleted`, its known end may hold `other` bytes, and its
//! content may `end=` before NULs; a look that took long began when the open file was as `since=`
//! says. Then a file is `opened=` or `refused=`. What comes of it: the open file and where its
//! content ends, or each that follows it now; why there is no file, if viewers are told; when to
//! look next.

use std::fmt::Write;
use std::fs::File;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::source::Runtime;
use crate::source::file::chain::{Chain, GENERATIONS_MAX};
use crate::source::file::change::{FileId, Seen, TailCheck};
use crate::source::file::generation::{Generation, Link};
use crate::source::file::nuls::End;
use crate::source::file::observe::{Observation, Replacement};
use crate::source::os::fs::{FileSystem, OpenFile};
use crate::source::os::way::Way;

/// Reads `INODE:SIZE@TIME`; with a `p` behind it, not everybody may read it.
fn seen(text: &str) -> Seen {
    let private = text.ends_with('p');
    let numbers = text.trim_end_matches('p').split([':', '@']);
    let numbers: Vec<u64> = numbers.map(|number| number.parse().unwrap()).collect();
    let [inode, size, time] = numbers[..] else {
        panic!("{text}");
    };
    Seen {
        id: FileId { device: 1, inode },
        size,
        modified: time.into(),
        changed: time.into(),
        private,
    }
}

fn error(text: &str) -> io::Error {
    io::Error::from(match text {
        "absent" => Errno::NOENT,
        "unreadable" => Errno::ACCESS,
        // Of the process, not of the file.
        "descriptors" => Errno::MFILE,
        _ => panic!("{text}"),
    })
}

fn open(text: &str) -> OpenFile {
    OpenFile {
        file: Arc::new(File::open("/dev/null").unwrap()),
        seen: seen(text),
        system: FileSystem::Memory,
    }
}

struct Bench {
    chain: Chain,
    start: Instant,
}

impl Bench {
    /// It is to look after 60 s where notices come, after 1 s where they do not.
    fn new() -> Self {
        let runtime = Runtime {
            poll: Duration::from_secs(1),
            anyway: Duration::from_secs(60),
            ..Runtime::bare(|_| {})
        };
        let task = runtime.executor.spawn(async {});
        Self {
            chain: Chain::new(runtime, Rc::new(|| {}), task),
            start: Instant::now(),
        }
    }

    /// Hands in what was `found`, and tells what comes of it.
    fn step(&mut self, millis: u64, found: &str) -> String {
        let now = self.start + Duration::from_millis(millis);
        let before = self.chain.last.clone();
        let mut told = match found.split_once('=').unwrap() {
            ("opened", opened) => {
                self.chain.succeed(replacement(opened));
                "opened".to_owned()
            }
            ("refused", cause) => {
                self.chain.refuse(&error(cause), now);
                "refused".to_owned()
            }
            _ => self.look(found, now),
        };
        if before.next().is_none() {
            write!(told, ", {}", end(&before)).unwrap();
        }
        for (link, generation) in std::iter::successors(before.next(), |(_, at)| at.next()) {
            let link = match link {
                Link::Truncated if before.over.get() => "cut",
                Link::Truncated => "cut, though not over,",
                Link::Rotated { gap: true, .. } => "gap to",
                Link::Rotated { gap: false, .. } => "to",
            };
            write!(told, ", {link} {}", end(&generation)).unwrap();
        }
        if let Some((Link::Rotated { start, .. }, _)) = before.next()
            && start > 0
        {
            write!(told, " from {start}").unwrap();
        }
        if let Some(cause) = self.chain.missing() {
            write!(told, ", {}", cause.name()).unwrap();
        }
        if self.chain.wants_way() {
            let way = Way {
                points: Vec::new(),
                answers_at_once: true,
                sends_notices: true,
            };
            self.chain.take_way(way, 0);
        }
        write!(told, ", {:?}", self.chain.next_look(now) - now).unwrap();
        told
    }

    fn look(&mut self, found: &str, now: Instant) -> String {
        let mut observation = Observation {
            since: self.chain.seen(),
            now: None,
            held: None,
            deleted: false,
            tail: TailCheck::Fits,
            end: self.chain.baseline().end,
            fresh: b"fresh".to_vec(),
            grown: Vec::new(),
        };
        for word in found.split(' ') {
            match word.split_once('=').unwrap_or((word, "")) {
                ("name", file) if file.contains(':') => observation.now = Some(Ok(seen(file))),
                ("name", cause) => observation.now = Some(Err(error(cause))),
                ("open", file) => observation.held = Some(seen(file)),
                ("both", file) => {
                    (observation.now, observation.held) = (Some(Ok(seen(file))), Some(seen(file)));
                }
                ("deleted", _) => observation.deleted = true,
                ("other", _) => observation.tail = TailCheck::Differs,
                ("since", file) => observation.since = Some(seen(file)),
                ("grown", bytes) => observation.grown = bytes.as_bytes().to_vec(),
                ("end", _) => {}
                _ => panic!("{found}"),
            }
        }
        let padded = found
            .split_once("end=")
            .map(|(_, end)| end.parse().unwrap());
        let offset = padded.or(observation.held.map(|held| held.size));
        observation.end.offset = offset.unwrap_or(observation.end.offset);
        observation.end.padded = padded.is_some();
        let outcome = self.chain.apply(observation, now);
        let mut told = ["to open", "settled"][usize::from(outcome.settled)].to_owned();
        told += if outcome.news { " news" } else { "" };
        told += if outcome.vanished { " vanished" } else { "" };
        told
    }
}

/// Reads `FILE [after=FILE...] [start=N]`, with a `gap` before each that something is missing
/// before, the first one last.
fn replacement(opened: &str) -> Replacement {
    let mut words = opened.split(' ');
    let newest = open(words.next().unwrap());
    let (mut between, mut gap, mut start) = (Vec::new(), false, 0);
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("after", file) => between.push((open(file), std::mem::take(&mut gap))),
            ("gap", _) => gap = true,
            ("start", at) => start = at.parse().unwrap(),
            _ => panic!("{opened}"),
        }
    }
    let (offset, padded) = (newest.seen.size, false);
    Replacement {
        end: End { offset, padded },
        open: newest,
        tail: b"tail".to_vec(),
        between,
        gap,
        start,
    }
}

/// A file by its inode, 0 for none, and where its content ends, with a `+` where NULs stand behind
/// that.
fn end(generation: &Generation) -> String {
    let padded = if generation.padded.get() { "+" } else { "" };
    format!("{}:{}{padded}", generation.id.inode, generation.end.get())
}

/// What `one file` in a table stands for.
const ONE_FILE: &str = "0 | opened=7:20@1 | opened, to 7:20, 60s";

#[test]
fn tables() {
    for table in include_str!("tables.txt").split("\n\n") {
        let mut bench = Bench::new();
        let (name, rows) = table.split_once('\n').unwrap();
        for row in rows.replace("one file", ONE_FILE).lines() {
            let mut columns = row.splitn(3, '|').map(str::trim);
            let [millis, found, want] = [(); 3].map(|()| columns.next().unwrap());
            let told = bench.step(millis.parse().unwrap(), found);
            assert_eq!(told, want, "{name}: {row}");
        }
    }
}

#[test]
fn what_the_next_look_is_compared_with() {
    let mut bench = Bench::new();
    let before = |bench: &Bench| bench.chain.baseline().before.map(|seen| seen.id.inode);
    bench.step(0, "opened=7:20@1");
    assert_eq!(bench.chain.baseline().tail, b"tail");
    bench.step(10, "both=7:9000@2 end=25");
    let baseline = bench.chain.baseline();
    assert!(baseline.file.is_some());
    assert_eq!(baseline.seen, Some(seen("7:9000@2")));
    assert_eq!((baseline.end.offset, baseline.end.padded), (25, true));
    assert_eq!(baseline.tail, b"fresh");
    for millis in [20, 520] {
        bench.step(millis, "name=absent open=7:9000@2 deleted end=25");
        assert_eq!(before(&bench), None);
    }
    bench.step(10_020, "name=absent open=7:9000@2 deleted end=25");
    assert_eq!(before(&bench), Some(7), "it was let go");
    let baseline = bench.chain.baseline();
    assert!(baseline.file.is_none() && baseline.seen.is_none() && baseline.tail.is_empty());
    assert_eq!(baseline.end, End::default());
    bench.step(11_000, "opened=8:3@3");
    assert_eq!(before(&bench), None);
}

#[test]
fn what_was_appended_is_there_to_be_read() {
    let mut bench = Bench::new();
    let cache = bench.chain.runtime.cache.clone();
    bench.step(0, "opened=7:20@1");
    bench.step(10, "both=7:24@2 grown=more");
    assert!(cache.borrow().holds(bench.chain.last.serial, 20));
    assert_eq!(cache.borrow().bytes(), b"more");
    // Other bytes than those known are no more of them.
    bench.step(20, "both=7:28@3 grown=else other");
    assert_eq!(cache.borrow().bytes(), b"more");
    // A reader that looks has it in its hands.
    let held = cache.borrow_mut();
    bench.step(30, "both=7:32@4 grown=lost");
    assert_eq!(held.bytes(), b"more");
}

#[test]
fn an_older_file_that_is_read_is_news_each_time() {
    let mut bench = Bench::new();
    bench.step(0, "opened=7:20@1");
    let older = bench.chain.last.clone();
    bench.step(10, "opened=8:3@2");
    assert_eq!(bench.step(20, "both=8:3@2"), "settled news, 8:3, 60s");
    drop(older);
    assert_eq!(bench.step(30, "both=8:3@2"), "settled, 8:3, 60s");
}

#[test]
fn a_file_that_is_let_go_is_news() {
    let mut bench = Bench::new();
    bench.step(0, "opened=7:20@1");
    let mut look = |millis| {
        let now = bench.start + Duration::from_millis(millis);
        bench.look("name=absent open=7:20@2 deleted", now)
    };
    let told = [0, 500, 9999, 10_000].map(&mut look);
    let want = [
        "settled vanished",
        "settled news",
        "settled",
        "settled news",
    ];
    assert_eq!(told, want);
}

#[test]
fn what_was_once_open_to_all_stays_so() {
    let mut bench = Bench::new();
    let mut opened = replacement("7:20@1p");
    // The file at hand is not asked itself.
    opened.open.system = FileSystem::Distant;
    bench.chain.succeed(opened);
    assert!(bench.chain.last.is_private());
    bench.step(10, "both=7:20@2");
    assert!(!bench.chain.last.is_private());
    bench.step(20, "both=7:20@3p");
    assert!(!bench.chain.last.is_private());
}

#[test]
fn each_file_has_its_way() {
    let mut bench = Bench::new();
    let now = bench.start;
    bench.step(0, "opened=7:20@1");
    assert!(!bench.chain.wants_way(), "it was taken");
    bench.chain.succeed(replacement("8:3@2"));
    assert!(
        bench.chain.wants_way(),
        "a link may have been pointed elsewhere"
    );
    bench.step(0, "both=8:3@2");
    assert!(!bench.chain.wants_way());
    bench.look("name=absent open=8:3@2", now);
    assert!(
        bench.chain.wants_way(),
        "it may be another one when it is back"
    );
}

#[test]
fn of_too_many_that_are_kept_the_oldest_are_given_up() {
    let mut bench = Bench::new();
    let mut kept = Vec::new();
    for inode in 1..=2 * GENERATIONS_MAX {
        bench.step(0, &format!("opened={inode}:1@1"));
        // Those that nobody holds do not count.
        if inode > GENERATIONS_MAX {
            kept.push(bench.chain.last.clone());
        }
    }
    let expired = |kept: &[Rc<Generation>]| -> Vec<usize> {
        let places = 0..kept.len();
        places.filter(|&at| kept[at].expired.get()).collect()
    };
    assert_eq!(expired(&kept), [0; 0]);
    bench.step(0, "opened=2000:1@1");
    assert_eq!(expired(&kept), [0]);
    assert!(kept[0].file().is_none(), "it is closed");
    assert!(kept[0].next().is_none(), "it leads nowhere");
    assert!(Rc::ptr_eq(&bench.chain.oldest().unwrap(), &kept[1]));
    bench.step(0, "opened=2002:1@1 after=2001:1@1");
    assert_eq!(expired(&kept), [0, 1, 2]);
}
