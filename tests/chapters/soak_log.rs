//! A log of the soak: its mode of logrotate, who writes it, and which of its lines are gone.

use crate::deadline::until_true;
use crate::dice::Dice;
use crate::folder::Folder;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// What logrotate is told: each log has a mode of its own. `FLAG` is a file that asks its writer to
/// open the log anew, as a signal does; a log that is copied has to be left before that.
pub const MODES: [(&str, &str); 6] = [
    ("create", "create"),
    ("nocreate", "nocreate"),
    ("dates", "create\n dateext\n dateformat -%Y%m%d-%s"),
    ("compress", "create\n compress\n delaycompress"),
    (
        "renamecopy",
        "create\n renamecopy\n postrotate\n touch FLAG\n while [ -e FLAG ]; do sleep 0.01; done\n endscript",
    ),
    ("copytruncate", "copytruncate"),
];

/// A megabyte a second in all: so many lines of [`LINE`] bytes for each log each [`TICK`].
const LINES: u64 = 35;
pub const LINE: usize = 100;
const TICK: Duration = Duration::from_millis(20);

/// The most that a clock is wrong by.
const WRONG: u64 = 86_400;

/// One log and what is known of it.
pub struct Log {
    pub mode: &'static str,
    pub folder: Folder,
    /// The number of the last line that is written.
    pub written: AtomicU64,
    /// The lines that are in no file any more, and perhaps in nobody's hands: copytruncate loses
    /// what comes between its copy and its cut. First and last.
    gone: Mutex<Vec<(u64, u64)>>,
    pub over: Arc<AtomicBool>,
}

/// A line with its number all over it: a cursor's check covers its last 64 bytes.
pub fn line(number: u64) -> String {
    let numbers = format!("{number:012} ").repeat(LINE / 13 + 1);
    format!("{}\n", &numbers[..LINE - 1])
}

pub fn number(line: &[u8]) -> u64 {
    let number = std::str::from_utf8(&line[..12]).ok();
    number
        .and_then(|number| number.parse().ok())
        .expect("a line's number")
}

impl Log {
    pub fn new(mode: &'static str, over: &Arc<AtomicBool>) -> Arc<Log> {
        let folder = Folder::new();
        folder.append(line(1));
        Arc::new(Log {
            mode,
            folder,
            written: AtomicU64::new(1),
            gone: Mutex::default(),
            over: over.clone(),
        })
    }

    /// The file that asks the writer to open the log anew.
    pub fn flag(&self) -> PathBuf {
        self.folder.path("reopen")
    }

    /// Writes until it is over.
    pub fn write(&self) {
        let open = || {
            let mut options = OpenOptions::new();
            options
                .create(true)
                .append(true)
                .open(&self.folder.log)
                .unwrap()
        };
        let (mut file, start, mut ticks) = (open(), Instant::now(), 0);
        while !self.over.load(SeqCst) {
            if self.flag().exists() {
                file = open();
                fs::remove_file(self.flag()).unwrap();
            }
            let last = self.written.load(SeqCst);
            let lines: String = (last + 1..=last + LINES).map(line).collect();
            file.write_all(lines.as_bytes()).unwrap();
            self.written.store(last + LINES, SeqCst);
            ticks += 1;
            thread::sleep((TICK * ticks).saturating_sub(start.elapsed()));
        }
    }

    /// Sets the times of its files as a clock does that is wrong: what is written next has the
    /// right one again.
    pub fn set_times(&self, dice: &mut Dice) {
        for entry in fs::read_dir(self.folder.path("")).unwrap() {
            let path = entry.unwrap().path();
            let is_log = path.to_str().unwrap().contains("app.log");
            let Some(file) = File::options()
                .append(true)
                .open(path)
                .ok()
                .filter(|_| is_log)
            else {
                continue;
            };
            let by = Duration::from_secs(dice.below(WRONG));
            let now = SystemTime::now();
            let time = if dice.below(2) == 0 {
                now - by
            } else {
                now + by
            };
            file.set_modified(time).unwrap();
        }
    }

    /// After a copy and a cut: which lines are in neither.
    pub fn find_gone(&self) {
        let copy = self.last_of(&self.folder.path("app.log.1"));
        let first = self.first_of(&self.folder.log);
        if first > copy + 1 {
            self.gone.lock().unwrap().push((copy + 1, first - 1));
        }
    }

    pub fn is_gone(&self, gap: (u64, u64)) -> bool {
        let gone = self.gone.lock().unwrap();
        gone.iter()
            .any(|&(first, last)| first <= gap.0 && gap.1 <= last)
    }

    fn last_of(&self, path: &Path) -> u64 {
        let bytes = fs::read(path).unwrap();
        number(&bytes[(bytes.len() / LINE - 1) * LINE..])
    }

    /// The first line of the log, which is written soon.
    fn first_of(&self, path: &Path) -> u64 {
        let mut first = 0;
        until_true("the first line behind the cut", || {
            let bytes = fs::read(path).unwrap();
            first = if bytes.len() < LINE {
                0
            } else {
                number(&bytes)
            };
            first > 0
        });
        first
    }
}
