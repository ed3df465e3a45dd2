//! A pump whose source, client, clock and turns are a test's.
//!
//! It is polled by hand, and only when it has asked to be: a wake-up that is lost is output that is
//! missing. Before that goes the one who calls those that wait.

mod client;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake as Wakes, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use smol::LocalExecutor;

pub(super) use client::{Form, Say};

use self::client::{Client, Peer};
use super::*;
use crate::bell::{Bell, Listener};
use crate::bytes::cursor::{Cursor, From};
use crate::bytes::lines::{LineEnd, Splitter};
use crate::source::buffer::history::{History, Playback};
use crate::source::cache::ReadCache;
use crate::source::marker::{Lost, Missing, Next};
use crate::source::remote::{Fetched, RemoteReader};

/// A client that takes whatever comes.
pub(super) const ALL: usize = usize::MAX;

/// What happens outside of the pump.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Nothing: the pump begins.
    Begin,
    /// The source gives this.
    Gives(&'static str),
    /// The source is gone, or there again.
    Missing(Option<Missing>),
    /// The disk has found what was cold, or can't read it.
    Warm(Result<(), io::ErrorKind>),
    /// The client's socket takes this many bytes, and then is not ready.
    Takes(usize),
    /// The client's socket fails whoever writes to it.
    Fails(io::ErrorKind),
    /// The client says something.
    Says(Say),
    /// A heartbeat.
    Beat,
    /// The server shuts down.
    Shutdown,
    /// Nothing, until a time limit of the pump is over.
    Waits,
    /// Several things before the pump has a turn.
    Together(&'static [Step]),
}

/// A source whose bytes are cold until the script warms them, and then are these.
struct Disk {
    warmed: Rc<Warmed>,
    bytes: &'static str,
    offset: u64,
}

#[derive(Default)]
struct Warmed {
    done: Cell<Option<Result<(), io::ErrorKind>>>,
    bell: Rc<Bell>,
}

impl RemoteReader for Disk {
    fn next(&mut self, cache: &mut ReadCache) -> Next {
        let rest = &self.bytes.as_bytes()[usize::try_from(self.offset).unwrap()..];
        if self.warmed.done.get().is_none() {
            return Next::Cold;
        }
        cache.put(1, self.offset, rest);
        self.offset += rest.len() as u64;
        if rest.is_empty() {
            Next::End
        } else {
            Next::Bytes
        }
    }

    fn warm(&mut self) -> Fetched<'_, io::Result<()>> {
        let mut bell = self.warmed.bell.listen();
        let warmed = self.warmed.clone();
        Box::pin(async move {
            loop {
                if let Some(done) = warmed.done.get() {
                    return done.map_err(Into::into);
                }
                bell.rung().await;
            }
        })
    }

    fn changed(&self) -> Listener {
        self.warmed.bell.listen()
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn seek(&mut self, offset: u64) {
        self.offset = offset;
    }

    fn start(&self) -> u64 {
        0
    }

    fn offset(&self) -> u64 {
        self.offset
    }

    fn cursor_behind(&self, _: u64) -> Fetched<'_, io::Result<Cursor>> {
        Box::pin(async { Ok(Cursor::NOWHERE) })
    }

    fn before(&self) -> Fetched<'_, io::Result<Vec<u8>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn available(&mut self) -> Fetched<'_, io::Result<(u64, Lost)>> {
        Box::pin(async { Ok((0, Lost::Nothing)) })
    }

    fn only_bytes(&mut self) {}
}

/// Whether the pump has asked for a turn.
struct Turns {
    wanted: AtomicBool,
    test: Thread,
}

impl Wakes for Turns {
    fn wake(self: Arc<Self>) {
        self.wanted.store(true, Ordering::SeqCst);
        self.test.unpark();
    }
}

/// A pump between a source and a client.
pub(super) struct Scene {
    pub(super) shared: Rc<deliver::Context>,
    pub(super) history: Rc<History>,
    warmed: Rc<Warmed>,
    peer: Rc<RefCell<Peer>>,
    turns: Arc<Turns>,
    executor: Rc<LocalExecutor<'static>>,
    pump: Pin<Box<dyn Future<Output = End>>>,
    pub(super) end: Option<End>,
}

impl Scene {
    /// What is to be read lies on a `disk`, or is kept in a history of `kept` bytes.
    pub(super) fn new(
        form: Form,
        send_time: Duration,
        kept: usize,
        disk: Option<&'static str>,
    ) -> Self {
        let executor = Rc::new(LocalExecutor::new());
        let heartbeat = Duration::from_secs(20);
        let mut shared = deliver::Context::new(heartbeat, Rc::default(), executor.clone());
        shared.send_time = send_time;
        let shared = Rc::new(shared);
        let history = History::new(1, kept);
        let warmed = Rc::<Warmed>::default();
        let peer = Rc::new(RefCell::new(Peer {
            room: ALL,
            taken: Vec::new(),
            waiting: Vec::new(),
            broken: None,
            says: VecDeque::new(),
            waker: None,
        }));
        let reader = match disk {
            Some(bytes) => Reader::Remote(Box::new(Disk {
                warmed: warmed.clone(),
                bytes,
                offset: 0,
            })),
            None => Reader::Playback(Playback::open(&history, history.listen(), From::Start)),
        };
        let client = Box::new(Client {
            peer: peer.clone(),
            form,
            splitter: Splitter::behind(b"", LineEnd::Newline),
            later: Vec::new(),
            unanswered: 0,
        });
        Self {
            pump: Box::pin(pump(shared.clone(), client, reader)),
            shared,
            history,
            warmed,
            peer,
            turns: Arc::new(Turns {
                wanted: AtomicBool::new(true),
                test: thread::current(),
            }),
            executor,
            end: None,
        }
    }

    pub(super) fn act(&mut self, step: Step) {
        match step {
            Step::Begin => {}
            Step::Gives(text) => self.history.push(text.as_bytes()),
            Step::Missing(cause) => self.history.set_missing(cause),
            Step::Warm(done) => {
                self.warmed.done.set(Some(done));
                self.warmed.bell.ring();
            }
            Step::Takes(room) => {
                self.peer.borrow_mut().room = room;
                self.peer.borrow_mut().wake();
            }
            Step::Fails(kind) => {
                self.peer.borrow_mut().broken = Some(kind);
                self.peer.borrow_mut().wake();
            }
            Step::Says(say) => {
                self.peer.borrow_mut().says.push_back(say);
                self.peer.borrow_mut().wake();
            }
            Step::Beat => self.shared.beat.ring(),
            Step::Shutdown => self.shared.shutdown.begin(),
            Step::Waits => {
                let begun = Instant::now();
                while !self.turns.wanted.load(Ordering::SeqCst) {
                    assert!(begun.elapsed().as_secs() < 30, "no limit is over");
                    thread::park_timeout(Duration::from_secs(1));
                }
            }
            Step::Together(steps) => steps.iter().for_each(|&step| self.act(step)),
        }
    }

    /// Gives it one turn, if it wants one: what the client has taken in it.
    pub(super) fn turn(&mut self) -> Option<Vec<u8>> {
        while self.executor.try_tick() {}
        let is_called = !self.peer.borrow().taken.is_empty();
        let is_woken = self.turns.wanted.swap(false, Ordering::SeqCst);
        if self.end.is_some() || !(is_called || is_woken) {
            return None;
        }
        let waker = Waker::from(self.turns.clone());
        if is_woken
            && let Poll::Ready(end) = self.pump.as_mut().poll(&mut Context::from_waker(&waker))
        {
            self.end = Some(end);
        }
        Some(std::mem::take(&mut self.peer.borrow_mut().taken))
    }

    /// Gives it all the turns that it wants.
    pub(super) fn settle(&mut self) -> String {
        let mut all = Vec::new();
        while let Some(taken) = self.turn() {
            all.extend(taken);
        }
        String::from_utf8(all).unwrap()
    }
}
