//! What is known of an engine and of each stream's place in it: for standard error, `/sources` and
//! `/metrics`.

use std::cell::RefCell;
use std::time::SystemTime;

use crate::bytes::cursor::Cursor;
use crate::engine::target::Target;
use crate::metrics::Counter;

/// How an engine stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody has tried yet, or is still trying for the first time.
    New,
    /// It is there.
    Here,
    /// It is not, and why.
    Away(String),
}

/// How a stream stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The place up to which the engine has it.
    pub at: Option<Cursor>,
    /// How many bytes it has not yet, as far as that is known.
    pub behind: Option<u64>,
    /// Why it does not go on though the engine is there.
    pub trouble: Option<String>,
}

/// An engine, and the streams that are published there.
pub(crate) struct Status {
    /// Its URL.
    pub name: String,
    say: fn(&str),
    state: RefCell<(State, SystemTime)>,
    /// Sorted by name.
    streams: RefCell<Vec<(String, Progress)>>,
    /// Bytes that it has confirmed.
    pub bytes: Counter,
    /// Messages that it has confirmed.
    pub messages: Counter,
    /// Messages that it did not take because the stream stood elsewhere.
    pub refused: Counter,
    /// Connections made.
    pub connections: Counter,
    /// Bytes told as lost.
    pub lost: Counter,
}

impl Status {
    /// Of the engine `name`; what should be said on standard error goes to `say`.
    pub(crate) fn new(name: String, say: fn(&str)) -> Self {
        Self {
            name,
            say,
            state: RefCell::new((State::New, SystemTime::now())),
            streams: RefCell::default(),
            bytes: Counter::default(),
            messages: Counter::default(),
            refused: Counter::default(),
            connections: Counter::default(),
            lost: Counter::default(),
        }
    }

    /// It is there, at `server`, which may be another one of its cluster. Said once each time it
    /// comes.
    pub(crate) fn here(&self, server: &Target) {
        self.connections.add(1);
        if self.turn(State::Here) {
            let (name, server) = (&self.name, server.to_string());
            (self.say)(&match *name == server {
                true => format!("`{name}` is there"),
                false => format!("`{name}` is there: its cluster's `{server}`"),
            });
        }
    }

    /// It is not. Said once each time it goes, and once more where the cause is another.
    pub(crate) fn away(&self, cause: &str) {
        if self.turn(State::Away(cause.to_owned())) {
            (self.say)(&format!(
                "`{}` is away: {cause}; nothing is lost that the files still hold, and it is tried again",
                self.name
            ));
        }
    }

    /// Whether that is news.
    fn turn(&self, state: State) -> bool {
        let mut now = self.state.borrow_mut();
        if now.0 == state {
            return false;
        }
        // Away for another cause is away since the same moment.
        let since = match (&now.0, &state) {
            (State::Away(_), State::Away(_)) => now.1,
            _ => SystemTime::now(),
        };
        *now = (state, since);
        true
    }

    /// How it stands, and since when.
    pub(crate) fn state(&self) -> (State, SystemTime) {
        self.state.borrow().clone()
    }

    /// What is counted: connections, messages, refused ones, bytes, lost bytes.
    pub(crate) fn counters(&self) -> [&Counter; 5] {
        [
            &self.connections,
            &self.messages,
            &self.refused,
            &self.bytes,
            &self.lost,
        ]
    }

    /// How the stream `name` stands there.
    pub(crate) fn progress(&self, name: &str) -> Option<Progress> {
        let streams = self.streams.borrow();
        let at = place(&streams, name).ok()?;
        Some(streams[at].1.clone())
    }

    /// Changes how the stream `name` stands.
    pub(crate) fn update(&self, name: &str, change: impl FnOnce(&mut Progress)) {
        change(entry(&mut self.streams.borrow_mut(), name));
    }

    /// The stream `name` does not go on, or does again. Said once each time, and once for all
    /// streams of one trouble.
    pub(crate) fn trouble(&self, name: &str, trouble: Option<String>) {
        let (was, is_news) = {
            let mut streams = self.streams.borrow_mut();
            let is_news = !streams.iter().any(|(_, other)| other.trouble == trouble);
            let progress = entry(&mut streams, name);
            (
                std::mem::replace(&mut progress.trouble, trouble.clone()),
                is_news,
            )
        };
        match trouble {
            Some(trouble) if is_news => {
                (self.say)(&format!("`{name}` does not go on: {trouble}"));
            }
            None if was.is_some() => (self.say)(&format!("`{name}` goes on again")),
            _ => {}
        }
    }

    /// There is no stream `name` any more.
    pub(crate) fn forget(&self, name: &str) {
        self.streams.borrow_mut().retain(|(other, _)| other != name);
    }
}

/// Where the stream `name` stands in the list, or would stand.
fn place(streams: &[(String, Progress)], name: &str) -> Result<usize, usize> {
    streams.binary_search_by(|(other, _)| other.as_str().cmp(name))
}

/// How the stream `name` stands; nothing is known of a new one.
fn entry<'a>(streams: &'a mut Vec<(String, Progress)>, name: &str) -> &'a mut Progress {
    let at = place(streams, name).unwrap_or_else(|at| {
        streams.insert(at, (name.to_owned(), Progress::default()));
        at
    });
    &mut streams[at].1
}
