//! A random walk: what happens to logs, in any order, against a naive model. Each record that was written
//! is read once, in order, or a mark says that some are gone.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use smol::LocalExecutor;

use crate::bytes::cursor::From;
use crate::source::Runtime;
use crate::source::cache::ReadCache;
use crate::source::file::follower::Follower;
use crate::source::file::path::FilePath;
use crate::source::file::reader::FileReader;
use crate::source::marker::{Marker, Next};
use crate::source::os::inotify::Notices;

/// The size of a record in bytes: its number, in so many digits.
const RECORD: usize = 8;

/// How many rotated files are kept.
const KEPT: u32 = 4;

/// How many of the last steps a failure tells.
const STEPS_TOLD: usize = 60;

/// What decides the steps.
pub(crate) enum Dice<'a> {
    /// Numbers that look random, the same ones each time (xorshift).
    Seed(u64),
    /// An input, a byte for each decision, as a fuzzer gives it.
    #[allow(dead_code, reason = "for a fuzz target")]
    Bytes(&'a [u8]),
}

impl Dice<'_> {
    fn below(&mut self, sides: u64) -> u64 {
        match self {
            Self::Seed(state) => {
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                *state % sides
            }
            Self::Bytes(bytes) => {
                let (&first, rest) = bytes.split_first().unwrap_or((&0, &[]));
                *bytes = rest;
                u64::from(first) % sides
            }
        }
    }

    fn is_spent(&self) -> bool {
        matches!(self, Self::Bytes([]))
    }
}

/// What the last steps were, and what was found wrong after them.
pub(crate) struct Failure {
    steps: VecDeque<String>,
    wrong: String,
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        write!(f, "{}", self.wrong)
    }
}

/// The directory, and what was written in it.
struct Log<'a> {
    directory: &'a Path,
    /// The number of the next record.
    next: u64,
    /// The number of this step.
    step: usize,
    steps: VecDeque<String>,
}

impl<'a> Log<'a> {
    fn new(directory: &'a Path) -> Self {
        Self {
            directory,
            next: 0,
            step: 0,
            steps: VecDeque::new(),
        }
    }

    fn note(&mut self, what: &str) {
        if self.steps.len() == STEPS_TOLD {
            self.steps.pop_front();
        }
        let (step, next) = (self.step, self.next);
        self.steps
            .push_back(format!("{step}: {what}, then record {next}"));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
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
        self.note("appended");
    }

    /// Goes on behind a hole, as a writer does that has not noticed that its file was cut.
    fn leave_hole(&mut self, length: u64, count: u64) {
        let records = self.records(count);
        if let Ok(file) = OpenOptions::new().write(true).open(self.current()) {
            let end = file.metadata().unwrap().len();
            file.write_all_at(&records, end + length).unwrap();
            self.note("appended behind a hole");
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
        symlink(&target, self.path("link~")).unwrap();
        fs::rename(self.path("link~"), self.current()).unwrap();
        self.note(&format!("pointed to {day}"));
    }

    /// Makes place for a new `app.log.1`.
    fn shift(&self) {
        for number in (1..KEPT).rev() {
            let from = self.path(&format!("app.log.{number}"));
            let _ = fs::rename(from, self.path(&format!("app.log.{}", number + 1)));
        }
    }

    fn rotate(&mut self) {
        if self.current().exists() {
            self.shift();
            fs::rename(self.current(), self.path("app.log.1")).unwrap();
            self.note("rotated");
        }
    }

    fn copy_and_truncate(&mut self) {
        if self.current().exists() {
            self.shift();
            fs::copy(self.current(), self.path("app.log.1")).unwrap();
            fs::write(self.current(), "").unwrap();
            self.note("copied and truncated");
        }
    }

    /// Writes so many records over what is there.
    fn cut(&mut self, count: u64) {
        if self.current().exists() {
            let records = self.records(count);
            fs::write(self.current(), records).unwrap();
            self.note("written over");
        }
    }

    fn delete(&mut self) {
        if fs::remove_file(self.current()).is_ok() {
            self.note("deleted");
        }
    }

    /// A new file under the name: what was there, if it is `edited`, and more.
    fn replace(&mut self, edited: bool, count: u64) {
        let old = fs::read(self.current()).unwrap_or_default();
        let mut new = if edited { old } else { Vec::new() };
        new.extend(self.records(count));
        fs::write(self.path("new~"), new).unwrap();
        fs::rename(self.path("new~"), self.current()).unwrap();
        self.note(if edited { "edited" } else { "replaced" });
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

    /// Reads all that there is; tells what came, or what of it is wrong.
    async fn read(&mut self, cache: &RefCell<ReadCache>) -> Result<String, String> {
        let mut came = format!("read from {}", self.expected);
        loop {
            let next = self.walk.next(&mut cache.borrow_mut()).unwrap();
            if let Next::Marker(marker) = &next {
                came += &format!(" {}", marker.name());
            }
            let checked = match next {
                Next::Bytes => self.check(cache.borrow().bytes()),
                Next::Marker(Marker::Truncated(_, bytes)) => {
                    self.told = true;
                    self.counted += bytes;
                    Ok(())
                }
                Next::Marker(Marker::Lost(..)) => {
                    self.told = true;
                    if self.stalled <= 60 {
                        Err(format!("lost after {} files", self.stalled))
                    } else {
                        Ok(())
                    }
                }
                Next::Marker(Marker::Skipped(_, bytes)) => {
                    self.skipped += bytes;
                    Ok(())
                }
                Next::Marker(_) => Ok(()),
                Next::Cold => {
                    self.walk.warm().await.unwrap();
                    Ok(())
                }
                Next::End => break,
            };
            checked.map_err(|wrong| format!("{came}: {wrong}"))?;
        }
        self.stalled = 0;
        Ok(came)
    }

    fn check(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut records = bytes.chunks_exact(RECORD);
        for record in records.by_ref() {
            let text = String::from_utf8_lossy(record);
            let number = text.trim_end().parse();
            let number: u64 = number.map_err(|_| format!("no record: {text:?}"))?;
            let expected = self.expected;
            if number < expected {
                return Err(format!("{number} comes again: {expected} is next"));
            }
            let gone = (number - expected) * RECORD as u64;
            if gone > 0 && !self.told {
                return Err(format!("{expected} to {number} are gone untold"));
            }
            if self.counted > gone && self.counts {
                return Err(format!("{} bytes told, {gone} gone", self.counted));
            }
            (self.expected, self.told, self.counted) = (number + 1, false, 0);
        }
        match records.remainder() {
            [] => Ok(()),
            half => Err(format!("half a record: {half:?}")),
        }
    }
}

fn runtime(executor: &Rc<LocalExecutor<'static>>) -> Runtime {
    Runtime {
        executor: executor.clone(),
        notices: Notices::new(),
        serials: Rc::new(Cell::new(1)),
        cache: Rc::default(),
        looks: Rc::default(),
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

/// A log, who follows it, and who reads.
struct Bench<'a> {
    log: Log<'a>,
    follower: Rc<Follower>,
    cache: Rc<RefCell<ReadCache>>,
    readers: Vec<Reading>,
}

impl<'a> Bench<'a> {
    async fn new(mut log: Log<'a>, readers: usize, counts: bool, runtime: &Runtime) -> Self {
        let follower = Follower::new(FilePath::named(log.current()), runtime);
        let mut open = Vec::new();
        for _ in 0..readers {
            open.push(Reading::new(&follower, counts).await);
        }
        log.note("opened");
        Self {
            log,
            follower,
            cache: runtime.cache.clone(),
            readers: open,
        }
    }

    async fn look(&mut self) {
        self.follower.fresh().await;
        self.log.note("looked");
    }

    async fn read(&mut self, reader: usize) -> Result<(), Failure> {
        let came = self.readers[reader].read(&self.cache).await;
        came.map(|came| self.log.note(&format!("reader {reader}: {came}")))
            .map_err(|wrong| self.failure(format!("reader {reader}: {wrong}")))
    }

    /// One more file that a reader has to go on to.
    fn stall(&mut self) {
        for reader in &mut self.readers {
            reader.stalled += 1;
        }
    }

    /// Whether all have read all.
    async fn end(&mut self) -> Result<(), Failure> {
        self.log.append(1);
        self.look().await;
        for reader in 0..self.readers.len() {
            self.read(reader).await?;
            let expected = self.readers[reader].expected;
            if expected != self.log.next {
                return Err(self.failure(format!("reader {reader}: {expected} has not come")));
            }
        }
        Ok(())
    }

    fn failure(&mut self, wrong: String) -> Failure {
        Failure {
            steps: std::mem::take(&mut self.log.steps),
            wrong: format!("at step {}: {wrong}", self.log.step),
        }
    }
}

/// Goes so many `steps` in an empty `directory`. `holes`: files have some. What is lost then is more than
/// records, and isn't counted.
async fn rotations(
    directory: &Path,
    dice: &mut Dice<'_>,
    steps: usize,
    holes: bool,
    runtime: &Runtime,
) -> Result<(), Failure> {
    let mut log = Log::new(directory);
    log.append(1);
    let mut bench = Bench::new(log, 3, !holes, runtime).await;
    let (mut rotations, mut deleted) = (0, false);
    for step in 0..steps {
        if dice.is_spent() {
            break;
        }
        bench.log.step = step;
        // What is nowhere in the directory any more must have been seen: nobody could tell of it.
        let what = dice.below(20);
        // The same where a deleted file's successor is rotated: others may have been deleted between them.
        let is_rotation = (5..=6).contains(&what);
        if (13..=18).contains(&what) || rotations >= KEPT - 1 || (is_rotation && deleted) {
            bench.look().await;
            // A look that finds no file opens nothing of what was rotated before it.
            if bench.log.current().exists() {
                (rotations, deleted) = (0, false);
            }
        }
        let log = &mut bench.log;
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
            7..=9 => bench.look().await,
            // One reads along, one now and then, one hardly ever.
            10..=12 => bench.read(0).await?,
            13 => log.copy_and_truncate(),
            14 => log.cut(0),
            15 => log.cut(1 + dice.below(40)),
            16 => log.replace(true, dice.below(3)),
            17 => log.replace(false, dice.below(9)),
            18 => {
                log.delete();
                deleted = true;
            }
            _ if dice.below(10) == 0 => bench.read(1).await?,
            _ if step % 1000 == 0 => bench.read(2).await?,
            _ => {}
        }
        if (5..=6).contains(&what) || what >= 13 {
            bench.stall();
        }
        if (13..=18).contains(&what) {
            bench.look().await;
        }
    }
    bench.end().await?;
    if !dice.is_spent() && (bench.readers[0].skipped > 0) != holes {
        return Err(bench.failure("holes are told".to_owned()));
    }
    Ok(())
}

/// The same where the name is a link to the file of a day, and is pointed to later days, several of them between two looks.
async fn days(
    directory: &Path,
    dice: &mut Dice<'_>,
    steps: usize,
    runtime: &Runtime,
) -> Result<(), Failure> {
    let mut log = Log::new(directory);
    let mut day = 0;
    log.point(day, 3);
    let mut bench = Bench::new(log, 2, true, runtime).await;
    for step in 0..steps {
        if dice.is_spent() {
            break;
        }
        bench.log.step = step;
        match dice.below(12) {
            0..=3 => bench.log.append(1 + dice.below(40)),
            4 | 5 => {
                day += 1 + dice.below(2);
                bench.log.point(day, dice.below(3));
                bench.stall();
            }
            6..=8 => bench.look().await,
            9 | 10 => bench.read(0).await?,
            _ => bench.read(1).await?,
        }
    }
    bench.end().await
}

/// What may happen on a walk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Everything but holes.
    Rotations,
    /// That, and holes.
    Holes,
    /// A link to the file of a day.
    Days,
}

/// Goes so many `steps` in an empty `directory`, or fewer where the dice are spent before.
///
/// # Errors
/// Where a reader reads anything else than the model.
pub(crate) fn walk(
    kind: Kind,
    directory: &Path,
    mut dice: Dice<'_>,
    steps: usize,
) -> Result<(), Failure> {
    let executor = Rc::new(LocalExecutor::new());
    let runtime = runtime(&executor);
    let dice = &mut dice;
    smol::block_on(executor.run(async {
        match kind {
            Kind::Rotations => rotations(directory, dice, steps, false, &runtime).await,
            Kind::Holes => rotations(directory, dice, steps, true, &runtime).await,
            Kind::Days => days(directory, dice, steps, &runtime).await,
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(kind: Kind, seed: u64, steps: usize) {
        let directory = tempfile::TempDir::with_prefix("tailcast-").unwrap();
        if let Err(failure) = walk(kind, directory.path(), Dice::Seed(seed), steps) {
            panic!("{kind:?}, seed {seed:#x}:\n{failure}");
        }
    }

    #[test]
    fn ten_thousand_steps() {
        go(Kind::Rotations, 0x7a11_ca57, 10_000);
    }

    #[test]
    fn ten_thousand_steps_with_holes() {
        go(Kind::Holes, 0x401e5, 10_000);
    }

    #[test]
    fn two_thousand_steps_of_a_link() {
        go(Kind::Days, 0x11_4e5, 2_000);
    }

    /// The file that was looked at last is empty, and four rotations come after it. A look between them
    /// finds no file: who does not look again before the empty one is gone can't know that the four are
    /// all.
    #[test]
    fn rotations_around_a_look_that_finds_no_file() {
        let directory = tempfile::TempDir::with_prefix("tailcast-").unwrap();
        let (empty, rotate, append, look) = (14, 5, [1, 0], 7);
        let steps = [
            vec![empty, rotate],
            [&append[..], &[rotate], &append, &[rotate, look]].concat(),
            [&append[..], &[rotate], &append, &[rotate], &append].concat(),
        ];
        let steps = steps.concat();
        if let Err(failure) = walk(Kind::Rotations, directory.path(), Dice::Bytes(&steps), 100) {
            panic!("{failure}");
        }
    }
}
