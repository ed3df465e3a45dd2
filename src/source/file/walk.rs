//! A random walk: what happens to logs, in any order, against a naive model. Each record that was written
//! is read once, in order, or a mark says that some are gone.

use std::cell::{Cell, RefCell};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use smol::LocalExecutor;
use tempfile::TempDir;

use crate::bytes::cursor::From;
use crate::metrics::Counter;
use crate::source::Runtime;
use crate::source::cache::ReadCache;
use crate::source::file::follower::Follower;
use crate::source::file::path::FilePath;
use crate::source::file::reader::FileReader;
use crate::source::marker::{Marker, Next};
use crate::source::os::inotify::Notices;

const STEPS: usize = 10_000;

/// The size of a record in bytes: its number, in so many digits.
const RECORD: usize = 8;

/// How many rotated files are kept.
const KEPT: u32 = 4;

/// Numbers that look random, the same ones each time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// The directory, and what was written in it.
struct Log {
    directory: TempDir,
    /// The number of the next record.
    next: u64,
}

impl Log {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn current(&self) -> PathBuf {
        self.path("app.log")
    }

    fn records(&mut self, count: u64) -> Vec<u8> {
        let from = self.next;
        self.next += count;
        let records = (from..self.next).map(|number| format!("{number:07}\n"));
        records.collect::<String>().into_bytes()
    }

    fn append(&mut self, count: u64) {
        let records = self.records(count);
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(self.current())
            .unwrap();
        file.write_all(&records).unwrap();
    }

    /// Goes on behind a hole, as a writer does that has not noticed that its file was cut.
    fn leave_hole(&mut self, length: u64, count: u64) {
        let records = self.records(count);
        if let Ok(file) = OpenOptions::new().write(true).open(self.current()) {
            let end = file.metadata().unwrap().len();
            file.write_all_at(&records, end + length).unwrap();
        } else {
            self.next -= count;
        }
    }

    /// Points the link that the name is to the file of another day, with so many records in it.
    fn point(&mut self, day: u64, count: u64) {
        let (year, month, day) = (2026 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
        let target = format!("app-{year}-{month:02}-{day:02}.log");
        let records = self.records(count);
        fs::write(self.path(&target), records).unwrap();
        symlink(target, self.path("link~")).unwrap();
        fs::rename(self.path("link~"), self.current()).unwrap();
    }

    /// Makes place for a new `app.log.1`.
    fn shift(&self) {
        for number in (1..KEPT).rev() {
            let from = self.path(&format!("app.log.{number}"));
            let _ = fs::rename(from, self.path(&format!("app.log.{}", number + 1)));
        }
    }

    fn rotate(&self) {
        if self.current().exists() {
            self.shift();
            fs::rename(self.current(), self.path("app.log.1")).unwrap();
        }
    }

    fn copy_and_truncate(&self) {
        if self.current().exists() {
            self.shift();
            fs::copy(self.current(), self.path("app.log.1")).unwrap();
            fs::write(self.current(), "").unwrap();
        }
    }

    /// A new file under the name: what was there, if it is `edited`, and more.
    fn replace(&mut self, edited: bool, count: u64) {
        let old = fs::read(self.current()).unwrap_or_default();
        let mut new = if edited { old } else { Vec::new() };
        new.extend(self.records(count));
        fs::write(self.path("new~"), new).unwrap();
        fs::rename(self.path("new~"), self.current()).unwrap();
    }
}

/// A reader, and what it has to have read by the model.
struct Reading {
    walk: FileReader,
    /// The number of the record that comes next, where nothing is gone.
    expected: u64,
    /// It was told since the last record that some are gone.
    told: bool,
    /// All that can be lost are records.
    counts: bool,
    /// How many bytes of them were counted.
    counted: u64,
    /// How many NULs were passed over.
    skipped: u64,
    /// How many new files there have been since it read last: of too many the oldest are given up.
    stalled: usize,
}

impl Reading {
    async fn new(follower: &Rc<Follower>, counts: bool) -> Self {
        Self {
            walk: FileReader::open(follower, From::Start).await.unwrap(),
            expected: 0,
            told: false,
            counts,
            counted: 0,
            skipped: 0,
            stalled: 0,
        }
    }

    async fn read(&mut self, cache: &RefCell<ReadCache>) {
        loop {
            let next = self.walk.next(&mut cache.borrow_mut()).unwrap();
            match next {
                Next::Bytes => self.check(cache.borrow().bytes()),
                Next::Marker(Marker::Truncated(_, bytes)) => {
                    self.told = true;
                    self.counted += bytes;
                }
                Next::Marker(Marker::Lost(..)) => {
                    assert!(self.stalled > 60, "lost after {} files", self.stalled);
                    self.told = true;
                }
                Next::Marker(Marker::Skipped(_, bytes)) => self.skipped += bytes,
                Next::Marker(_) => {}
                Next::Cold => self.walk.warm().await.unwrap(),
                Next::End => break,
            }
        }
        self.stalled = 0;
    }

    fn check(&mut self, bytes: &[u8]) {
        let mut records = bytes.chunks_exact(RECORD);
        for record in records.by_ref() {
            let text = std::str::from_utf8(record).unwrap();
            let number: u64 = text.trim_end().parse().unwrap();
            let expected = self.expected;
            assert!(
                number >= expected,
                "{number} comes again: {expected} is next"
            );
            let gone = (number - expected) * RECORD as u64;
            assert!(
                gone == 0 || self.told,
                "{expected} to {number} are gone untold"
            );
            assert!(
                self.counted <= gone || !self.counts,
                "{} bytes told, {gone} gone",
                self.counted
            );
            (self.expected, self.told, self.counted) = (number + 1, false, 0);
        }
        assert!(records.remainder().is_empty(), "half a record");
    }
}

fn runtime(executor: &Rc<LocalExecutor<'static>>) -> Runtime {
    Runtime {
        executor: executor.clone(),
        notices: Notices::new(),
        serials: Rc::new(Cell::new(1)),
        cache: Rc::default(),
        looks: Rc::new(Counter::default()),
        // It looks when the walk says so, and at no other time.
        poll: Duration::from_secs(3600),
        anyway: Duration::from_secs(3600),
        sample: Duration::from_secs(3600),
        record: false,
        history: 0,
        started: Instant::now(),
        say: |_| {},
    }
}

/// `holes`: files have some. What is lost then is more than records, and isn't counted.
async fn walk(mut dice: Dice, executor: &Rc<LocalExecutor<'static>>, holes: bool) {
    let mut log = Log {
        directory: TempDir::with_prefix("tailcast-").unwrap(),
        next: 0,
    };
    log.append(1);
    let runtime = runtime(executor);
    let follower = Follower::new(FilePath::named(log.current()), &runtime);
    let mut readers = Vec::new();
    for _ in 0..3 {
        readers.push(Reading::new(&follower, !holes).await);
    }
    let (mut rotations, mut deleted) = (0, false);
    for step in 0..STEPS {
        // What is nowhere in the directory any more must have been seen: nobody could tell of it.
        let what = dice.below(20);
        // The same where a deleted file's successor is rotated: others may have been deleted between them.
        let is_rotation = (5..=6).contains(&what);
        if (13..=18).contains(&what) || rotations >= KEPT - 1 || (is_rotation && deleted) {
            follower.fresh().await;
            rotations = 0;
            deleted &= !log.current().exists();
        }
        match what {
            0 if holes => log.leave_hole(8192 * (1 + dice.below(3)), 1 + dice.below(9)),
            0..=4 => log.append(1 + dice.below(40)),
            5 | 6 => {
                log.rotate();
                rotations += 1;
                if what == 6 {
                    log.append(1 + dice.below(9));
                }
            }
            7..=9 => follower.fresh().await,
            // One reads along, one now and then, one hardly ever.
            10..=12 => readers[0].read(&runtime.cache).await,
            13 => log.copy_and_truncate(),
            14 if log.current().exists() => fs::write(log.current(), "").unwrap(),
            15 if log.current().exists() => {
                let records = log.records(1 + dice.below(40));
                fs::write(log.current(), records).unwrap();
            }
            16 => log.replace(true, dice.below(3)),
            17 => log.replace(false, dice.below(9)),
            18 => {
                let _ = fs::remove_file(log.current());
                deleted = true;
            }
            _ if dice.below(10) == 0 => readers[1].read(&runtime.cache).await,
            _ if step % 1000 == 0 => readers[2].read(&runtime.cache).await,
            _ => {}
        }
        if (5..=6).contains(&what) || what >= 13 {
            for reader in &mut readers {
                reader.stalled += 1;
            }
        }
        if (13..=18).contains(&what) {
            follower.fresh().await;
        }
    }
    log.append(1);
    follower.fresh().await;
    for reader in &mut readers {
        reader.read(&runtime.cache).await;
        assert_eq!(reader.expected, log.next, "the last record has come");
    }
    assert_eq!(readers[0].skipped > 0, holes, "holes are told");
}

#[test]
fn ten_thousand_steps() {
    let executor = Rc::new(LocalExecutor::new());
    let walk = walk(Dice(0x7a11_ca57), &executor, false);
    smol::block_on(executor.run(walk));
}

#[test]
fn ten_thousand_steps_with_holes() {
    let executor = Rc::new(LocalExecutor::new());
    let walk = walk(Dice(0x401e5), &executor, true);
    smol::block_on(executor.run(walk));
}

/// The name is a link to the file of a day, and is pointed to later days, several of them between two looks.
async fn days(mut dice: Dice, executor: &Rc<LocalExecutor<'static>>) {
    let mut log = Log {
        directory: TempDir::with_prefix("tailcast-").unwrap(),
        next: 0,
    };
    let runtime = runtime(executor);
    let follower = Follower::new(FilePath::named(log.current()), &runtime);
    let mut day = 0;
    log.point(day, 3);
    let mut readers = Vec::new();
    for _ in 0..2 {
        readers.push(Reading::new(&follower, true).await);
    }
    for _ in 0..STEPS / 5 {
        match dice.below(12) {
            0..=3 => log.append(1 + dice.below(40)),
            4 | 5 => {
                day += 1 + dice.below(2);
                log.point(day, dice.below(3));
                for reader in &mut readers {
                    reader.stalled += 1;
                }
            }
            6..=8 => follower.fresh().await,
            9 | 10 => readers[0].read(&runtime.cache).await,
            _ => readers[1].read(&runtime.cache).await,
        }
    }
    log.append(1);
    follower.fresh().await;
    for reader in &mut readers {
        reader.read(&runtime.cache).await;
        assert_eq!(reader.expected, log.next, "the last record has come");
    }
}

#[test]
fn two_thousand_steps_of_a_link() {
    let executor = Rc::new(LocalExecutor::new());
    let days = days(Dice(0x11_4e5), &executor);
    smol::block_on(executor.run(days));
}
