//! The directory of a log, what is written in it, and what becomes of its files.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

/// The size of a record in bytes: its number, in so many digits, and a newline.
pub(super) const RECORD: usize = 8;

/// How many rotated files are kept.
pub(super) const KEPT: u32 = 4;

/// How many of the last steps a failure tells.
const STEPS_TOLD: usize = 60;

/// The directory, and what was written in it.
pub(super) struct World<'a> {
    directory: &'a Path,
    /// The number of the next record.
    pub(super) next: u64,
    /// The number of this step.
    pub(super) step: usize,
    pub(super) steps: VecDeque<String>,
}

impl<'a> World<'a> {
    pub(super) fn new(directory: &'a Path) -> Self {
        Self {
            directory,
            next: 0,
            step: 0,
            steps: VecDeque::new(),
        }
    }

    pub(super) fn note(&mut self, what: &str) {
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

    pub(super) fn current(&self) -> PathBuf {
        self.path("app.log")
    }

    fn records(&mut self, count: u64) -> Vec<u8> {
        let from = self.next;
        self.next += count;
        let records = (from..self.next).map(|number| format!("{number:07}\n"));
        records.collect::<String>().into_bytes()
    }

    pub(super) fn append(&mut self, count: u64) {
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
    pub(super) fn leave_hole(&mut self, length: u64, count: u64) {
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
    pub(super) fn point(&mut self, day: u64, count: u64) {
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

    pub(super) fn rotate(&mut self) {
        if self.current().exists() {
            self.shift();
            fs::rename(self.current(), self.path("app.log.1")).unwrap();
            self.note("rotated");
        }
    }

    pub(super) fn copy_and_truncate(&mut self) {
        if self.current().exists() {
            self.shift();
            fs::copy(self.current(), self.path("app.log.1")).unwrap();
            fs::write(self.current(), "").unwrap();
            self.note("copied and truncated");
        }
    }

    /// Writes so many records over what is there.
    pub(super) fn cut(&mut self, count: u64) {
        if self.current().exists() {
            let records = self.records(count);
            fs::write(self.current(), records).unwrap();
            self.note("written over");
        }
    }

    pub(super) fn delete(&mut self) {
        if fs::remove_file(self.current()).is_ok() {
            self.note("deleted");
        }
    }

    /// A new file under the name: what was there, if it is `edited`, and more.
    pub(super) fn replace(&mut self, edited: bool, count: u64) {
        let old = fs::read(self.current()).unwrap_or_default();
        let mut new = if edited { old } else { Vec::new() };
        new.extend(self.records(count));
        fs::write(self.path("new~"), new).unwrap();
        fs::rename(self.path("new~"), self.current()).unwrap();
        self.note(if edited { "edited" } else { "replaced" });
    }
}
