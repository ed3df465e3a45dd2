//! Where streams come from.
//!
//! Three kinds. A **file** grows: a follower looks at its name and links generations, open files,
//! into a list; a reader walks along it. A **sample** is read again and again, a **pipe** gives its
//! bytes once: both go into a history, which a reader plays back.

pub mod buffer;
pub mod cache;
pub mod detect;
pub mod error;
pub mod file;
pub mod glob;
pub mod list;
pub mod marker;
pub(crate) mod name;
pub mod os;
pub(crate) mod past;
pub mod reader;
pub mod remote;
pub mod spec;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use smol::LocalExecutor;

use crate::bytes::cursor::From;
use crate::metrics::Counter;
use crate::source::buffer::history::{History, Playback};
use crate::source::buffer::pipe::{Pipe, PipeSource};
use crate::source::buffer::sample::{Instrument, Sample};
use crate::source::cache::ReadCache;
use crate::source::file::follower::Follower;
use crate::source::file::generation::Generation;
use crate::source::file::path::FilePath;
use crate::source::file::reader::FileReader;
use crate::source::marker::Missing;
use crate::source::os::bulkhead::{ANSWER_TIME, Bulkhead};
use crate::source::os::fs::OpenFile;
use crate::source::os::inotify::Notices;
use crate::source::os::way::Way;
use crate::source::reader::Reader;
use crate::source::remote::{Standing, Stream};

pub use list::Sources;

/// What all sources share.
#[derive(Clone)]
pub struct Runtime {
    /// Runs what follows, one thread. Its tasks are boxed: one kind of task is in the binary then,
    /// not one for each.
    pub executor: Rc<LocalExecutor<'static>>,
    /// The one inotify instance.
    pub notices: Rc<Notices>,
    /// The next serial, from 1 on: generations and histories of all sources share one read cache.
    pub serials: Rc<Cell<u64>>,
    /// Where files are read into.
    pub cache: Rc<RefCell<ReadCache>>,
    /// Counts the looks of all followers.
    pub looks: Rc<Counter>,
    /// How often to look at a file that the kernel sends no notice for.
    pub poll: Duration,
    /// How often to look at one that it does send them for, in case one was lost; no more often
    /// than `poll`.
    pub anyway: Duration,
    /// How often to read a sample.
    pub sample: Duration,
    /// Samples are read though nobody listens.
    pub record: bool,
    /// How much is kept of each sample and pipe, in bytes.
    pub history: usize,
    /// Since when there is a server: the beat of samples counts from here.
    pub started: Instant,
    /// Takes what should be said on standard error.
    pub say: fn(&str),
}

impl Runtime {
    /// A number that no generation and no history has.
    pub fn serial(&self) -> u64 {
        self.serials.replace(self.serials.get() + 1)
    }

    /// A generation of its own for an open file.
    fn generation(&self, open: OpenFile) -> Generation {
        let serial = self.serial();
        Generation::new(serial, &open)
    }
}

#[cfg(any(test, fuzzing))]
impl Runtime {
    /// With nobody to run its tasks yet, looking often.
    fn bare(say: fn(&str)) -> Self {
        let often = Duration::from_millis(10);
        Self {
            executor: Rc::default(),
            notices: Notices::new(),
            serials: Rc::new(Cell::new(1)),
            cache: Rc::default(),
            looks: Rc::default(),
            poll: often,
            anyway: often,
            sample: often,
            record: false,
            history: 4096,
            started: Instant::now(),
            say,
        }
    }
}

/// One stream.
pub struct Source {
    /// Its name in URLs.
    pub name: String,
    /// The file that it is made of; vitals and standard input have none.
    pub place: Option<FilePath>,
    bulkhead: Bulkhead,
    flow: Flow,
}

/// What it is made of.
enum Flow {
    File(Rc<Follower>),
    Sample(Sample),
    Pipe(Pipe),
    Remote(Rc<dyn Stream>),
}

/// What `/sources` tells of a stream.
pub struct Extent {
    /// What a plain GET gives, in bytes; `None` where there is nothing to be had now.
    pub size: Option<u64>,
    /// Why nothing is to be had.
    pub missing: Option<Missing>,
    /// When it was written last.
    pub modified: Option<SystemTime>,
    /// How changes come to be known: `notices` of the kernel, `polling`, `sampling`, `reading`.
    pub watch: &'static str,
}

impl Source {
    /// The stream `name` of the file at `place`.
    pub fn file(name: String, place: FilePath, runtime: &Runtime) -> Self {
        Self {
            name,
            place: Some(place.clone()),
            bulkhead: Bulkhead::default(),
            flow: Flow::File(Follower::new(place, runtime)),
        }
    }

    /// The stream `name` of what `instrument` shows.
    pub fn sample(name: String, instrument: Instrument, runtime: &Runtime) -> Self {
        let place = match &instrument {
            Instrument::File(place) => Some(place.clone()),
            Instrument::Vitals => None,
        };
        Self {
            name,
            place,
            bulkhead: Bulkhead::default(),
            flow: Flow::Sample(Sample::new(instrument, runtime)),
        }
    }

    /// The stream `name` of what `outlet` gives.
    pub fn pipe(name: String, outlet: PipeSource, runtime: &Runtime) -> Self {
        let place = match &outlet {
            PipeSource::Path { path, .. } => Some(FilePath::named(path.clone())),
            PipeSource::Input => None,
        };
        Self {
            name,
            place,
            bulkhead: Bulkhead::default(),
            flow: Flow::Pipe(Pipe::new(outlet, runtime)),
        }
    }

    /// The stream `name` that lies elsewhere.
    pub(crate) fn remote(name: String, stream: Rc<dyn Stream>) -> Self {
        Self {
            name,
            place: None,
            bulkhead: Bulkhead::default(),
            flow: Flow::Remote(stream),
        }
    }

    /// How it goes with the place where it lies, if that is elsewhere.
    pub(crate) fn standing(&self) -> Option<Standing> {
        match &self.flow {
            Flow::Remote(stream) => Some(stream.standing()),
            _ => None,
        }
    }

    /// What kind of stream it is, as `/sources` and `open` say.
    pub fn kind(&self) -> &'static str {
        match self.flow {
            Flow::File(_) | Flow::Remote(_) => "file",
            Flow::Sample(_) => "sample",
            Flow::Pipe(_) => "pipe",
        }
    }

    /// How many listen.
    pub fn clients(&self) -> usize {
        match &self.flow {
            Flow::File(follower) => follower.readers(),
            Flow::Sample(sample) => sample.history().listeners(),
            Flow::Pipe(pipe) => pipe.history().listeners(),
            Flow::Remote(stream) => stream.clients(),
        }
    }

    /// Why there is nothing to show of it now, if there is not. Known while somebody listens.
    pub fn missing(&self) -> Option<Missing> {
        let gone = |history: &History| history.missing().filter(|_| history.held() == 0);
        match &self.flow {
            Flow::File(follower) => follower.missing(),
            Flow::Sample(sample) => gone(sample.history()),
            Flow::Pipe(pipe) => gone(pipe.history()),
            Flow::Remote(stream) => stream.extent().missing,
        }
    }

    /// Why the sensor that it is can't be read now: what was read last is not given as if it were
    /// new.
    pub fn failing(&self) -> Option<Missing> {
        match &self.flow {
            Flow::Sample(sample) => sample.history().missing(),
            Flow::File(_) | Flow::Pipe(_) | Flow::Remote(_) => None,
        }
    }

    /// A reader at the place that `from` means. Whatever is appended after this returns will be
    /// read.
    ///
    /// # Errors
    /// When the source can't be read.
    pub async fn open(&self, from: From) -> io::Result<Reader> {
        let history = match &self.flow {
            Flow::File(follower) => {
                return Ok(Reader::FileReader(FileReader::open(follower, from).await?));
            }
            Flow::Sample(sample) => sample.history(),
            Flow::Pipe(pipe) => pipe.history(),
            Flow::Remote(stream) => return Ok(Reader::Remote(stream.clone().open(from).await?)),
        };
        let listening = history.listen();
        if let Flow::Sample(sample) = &self.flow {
            sample.fresh().await;
        }
        Ok(Reader::Playback(Playback::open(history, listening, from)))
    }

    /// How large it is now, and how fresh.
    pub async fn extent(&self) -> Extent {
        let (history, watch) = match &self.flow {
            Flow::File(follower) => return self.file_extent(follower).await,
            Flow::Sample(sample) => (sample.history(), "sampling"),
            Flow::Pipe(pipe) => (pipe.history(), "reading"),
            Flow::Remote(stream) => return stream.extent(),
        };
        Extent {
            size: self.missing().is_none().then(|| history.held()),
            missing: history.missing(),
            modified: history.written(),
            watch,
        }
    }

    async fn file_extent(&self, follower: &Follower) -> Extent {
        let place = follower.place.clone();
        let look = move || {
            // Opened, not asked for its mode: what was given up at start counts, too.
            let opened = place.open().and_then(|(file, _)| file.metadata());
            (opened, Way::of(&place.path).sends_notices)
        };
        let (opened, sends_notices) = match self.bulkhead.ask(ANSWER_TIME, look).await {
            Some((opened, sends_notices)) => (Some(opened), sends_notices),
            None => (None, false),
        };
        let is_noticed = follower
            .is_noticed()
            .unwrap_or_else(|| follower.would_be_noticed(sends_notices));
        let metadata = opened.as_ref().and_then(|opened| opened.as_ref().ok());
        Extent {
            size: metadata.map(std::fs::Metadata::len),
            missing: match &opened {
                Some(Ok(_)) => None,
                Some(Err(error)) => Missing::of(error),
                // Its file system does not answer.
                None => Some(Missing::Unreadable),
            },
            modified: metadata.and_then(|metadata| metadata.modified().ok()),
            watch: if is_noticed { "notices" } else { "polling" },
        }
    }
}
