//! The naive model of a reader: each record is read once, in order, or a mark says that some are
//! gone.

use std::cell::RefCell;
use std::rc::Rc;

use crate::bytes::cursor::From;
use crate::source::cache::ReadCache;
use crate::source::file::follower::Follower;
use crate::source::file::reader::FileReader;
use crate::source::file::walk::world::RECORD;
use crate::source::marker::{Marker, Next};

/// A reader, and what it has to have read by the model.
pub(super) struct Reading {
    walk: FileReader,
    /// The number of the record that comes next, where nothing is gone.
    pub(super) expected: u64,
    /// It was told since the last record that some are gone.
    told: bool,
    /// All that can be lost are records.
    counts: bool,
    /// How many bytes of them were counted.
    counted: u64,
    /// How many NULs were passed over.
    pub(super) skipped: u64,
    /// How many new files there have been since it read last: of too many the oldest are given up.
    pub(super) stalled: usize,
}

impl Reading {
    pub(super) async fn new(follower: &Rc<Follower>, counts: bool) -> Self {
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
    pub(super) async fn read(&mut self, cache: &RefCell<ReadCache>) -> Result<String, String> {
        let mut came = format!("read from {}", self.expected);
        loop {
            let at_end = self.walk.is_at_end();
            let next = self.walk.next(&mut cache.borrow_mut()).unwrap();
            if at_end && !matches!(next, Next::End) {
                return Err(format!("{came}: at the end, and there was more"));
            }
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
