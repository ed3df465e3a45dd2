//! A file that always holds the newest reading, read again and again: a sensor in sysfs, a counter
//! in procfs.
//!
//! Each reading becomes a line of the history: RFC 3339 time, a blank, the value. It works only
//! while somebody listens, or all the time where the readings are to be recorded.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use event_listener::Event;
use futures_lite::{FutureExt, future};
use smol::{Task, Timer};

use crate::source::Runtime;
use crate::source::buffer::history::History;
use crate::source::buffer::vitals;
use crate::source::file::path::FilePath;
use crate::source::marker::Missing;
use crate::source::os::unblock::unblock;

/// The longest value, in bytes; what is longer is cut and ends in dots. Sysfs gives a page of 4 KiB
/// at most; the status files that programs write, such as an `aircraft.json`, have some sixty.
const VALUE_MAX: u64 = 256 * 1024;

/// What stands around a value in its line, at most, in bytes: the time, a blank, the dots, a
/// newline.
const AROUND_MAX: usize = 64;

/// How long a new viewer waits for the first reading before it is shown what is there. A 1-wire
/// thermometer takes 750 ms.
const FIRST_TIME: Duration = Duration::from_secs(2);

/// What is read.
#[derive(Clone, Debug)]
pub enum Instrument {
    /// A file that holds one value.
    File(FilePath),
    /// This machine's own state.
    Vitals,
}

impl Instrument {
    /// The value now. Blocks, for some sensors most of a second.
    ///
    /// # Errors
    /// As `open(2)` and `read(2)`: unplugged sensors say `EIO`, `ENODEV` or `EAGAIN`.
    fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::File(place) => {
                // Opened anew each time: a sensor that was plugged in again, or a file renamed
                // over, is another file.
                let (file, _) = place.open()?;
                read_value(&file)
            }
            Self::Vitals => vitals::read(),
        }
    }
}

fn read_value(file: &File) -> io::Result<Vec<u8>> {
    let mut value = Vec::new();
    file.take(VALUE_MAX + 1).read_to_end(&mut value)?;
    if value.len() as u64 > VALUE_MAX {
        value.pop();
        value.extend_from_slice(b" ...");
    }
    Ok(value)
}

/// The line of one reading: `2026-11-23T20:15:00.250Z 48312`. `None` of an empty value, which is no
/// reading: a file that is being written over is empty for a moment.
fn line(at: SystemTime, value: &[u8]) -> Option<Vec<u8>> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return None;
    }
    let mut line = Vec::with_capacity(value.len() + 32);
    write!(line, "{} ", humantime::format_rfc3339_millis(at)).ok()?;
    let blank = |&byte: &u8| {
        if matches!(byte, b'\n' | b'\r') {
            b' '
        } else {
            byte
        }
    };
    line.extend(value.iter().map(blank));
    line.push(b'\n');
    Some(line)
}

/// One instrument, read in a steady rhythm.
pub struct Sample {
    taking: Rc<Taking>,
    _task: Task<()>,
}

impl Sample {
    /// Reads `instrument` each `runtime.sample`.
    pub fn new(instrument: Instrument, runtime: &Runtime) -> Self {
        // The longest reading has a place in it, whatever was asked for.
        let longest = usize::try_from(VALUE_MAX).unwrap_or(usize::MAX) + AROUND_MAX;
        let capacity = runtime.history.max(longest);
        let taking = Rc::new(Taking {
            instrument,
            history: History::new(runtime.serial(), capacity),
            started: runtime.started,
            period: runtime.sample,
            record: runtime.record,
            begun: Cell::new(None),
            busy: Cell::new(false),
            taken: Event::new(),
        });
        let task = runtime.executor.spawn(taking.clone().run().boxed_local());
        Self {
            taking,
            _task: task,
        }
    }

    /// What was read.
    pub fn history(&self) -> &Rc<History> {
        &self.taking.history
    }

    /// Returns when the newest reading is no older than one period, or after a moment. Somebody
    /// must listen.
    pub async fn fresh(&self) {
        let taken = self.taking.taken.listen();
        let recent = |begun: Instant| begun.elapsed() < self.taking.period;
        if self.taking.busy.get() || !self.taking.begun.get().is_some_and(recent) {
            future::or(taken, async { _ = Timer::after(FIRST_TIME).await }).await;
        }
    }
}

struct Taking {
    instrument: Instrument,
    history: Rc<History>,
    started: Instant,
    period: Duration,
    /// Readings are taken though nobody listens.
    record: bool,
    /// When the last reading began.
    begun: Cell<Option<Instant>>,
    busy: Cell<bool>,
    taken: Event,
}

impl Taking {
    async fn run(self: Rc<Self>) {
        loop {
            let joined = self.history.joined();
            if !self.is_wanted() {
                joined.await;
                continue;
            }
            if let Some(begun) = self.begun.get() {
                Timer::at(self.tick(begun + self.period / 2)).await;
            }
            if self.is_wanted() {
                self.take().await;
            }
        }
    }

    fn is_wanted(&self) -> bool {
        self.record || self.history.listeners() > 0
    }

    /// The first moment after `time` at which a reading is due: the same moments for all samples,
    /// so that a board that has ten of them wakes once for all.
    fn tick(&self, time: Instant) -> Instant {
        let period = self.period.as_nanos().max(1);
        let past = time.duration_since(self.started).as_nanos() % period;
        time + Duration::from_nanos(u64::try_from(period - past).unwrap_or(u64::MAX))
    }

    async fn take(&self) {
        self.begun.set(Some(Instant::now()));
        self.busy.set(true);
        let instrument = self.instrument.clone();
        // One reading at a time and each on another thread: a sensor that hangs holds up nothing
        // but itself.
        let value = unblock(move || instrument.read()).await;
        match value.map(|value| line(SystemTime::now(), &value)) {
            Ok(Some(line)) => self.history.push(&line),
            Ok(None) => {}
            Err(error) => {
                self.history.fail(Missing::of(&error));
            }
        }
        self.busy.set(false);
        self.taken.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_one_line() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_464_900_250);
        for (value, want) in [
            ("48312\n", Some("48312")),
            ("48312", Some("48312")),
            (" 21.5 \r\n", Some("21.5")),
            (
                "a0 01 : crc=7f YES\na0 01 t=26000\n",
                Some("a0 01 : crc=7f YES a0 01 t=26000"),
            ),
            ("a\r\nb\n\nc", Some("a  b  c")),
            ("", None),
            ("\n", None),
        ] {
            let want = want.map(|want| format!("2026-11-23T20:15:00.250Z {want}\n"));
            let got = line(at, value.as_bytes()).map(|line| String::from_utf8(line).unwrap());
            assert_eq!(got, want, "{value:?}");
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_cut_and_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("value");
        for (length, dots) in [
            (VALUE_MAX, false),
            (VALUE_MAX + 1, true),
            (VALUE_MAX * 2, true),
        ] {
            std::fs::write(&path, vec![b'x'; usize::try_from(length).unwrap()]).unwrap();
            let value = read_value(&File::open(&path).unwrap()).unwrap();
            let text = String::from_utf8(value).unwrap();
            assert_eq!(text.ends_with("x ..."), dots, "{length}");
            assert_eq!(text.matches('x').count() as u64, VALUE_MAX, "{length}");
        }
    }
}
