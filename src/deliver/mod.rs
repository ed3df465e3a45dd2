//! One stream to one client: plain, poll, follow, server-sent events, WebSocket, and the pump under
//! them.

pub(crate) mod endless;
pub(crate) mod event;
pub(crate) mod feed;
pub(crate) mod find;
pub(crate) mod frames;
pub(crate) mod matching;
pub(crate) mod part;
pub(crate) mod plain;
pub(crate) mod poll;
pub(crate) mod pump;
pub(crate) mod request;
pub(crate) mod transport;
pub(crate) mod websocket;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::future;
use smol::lock::Semaphore;
use smol::{Async, LocalExecutor, Timer};

use crate::bell::{Bell, Listener};
use crate::deliver::find::SEARCHES_MAX;
use crate::deliver::frames::Frames;
use crate::deliver::matching::Patterns;
use crate::http::close::SEND_TIME;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::source::cache::ReadCache;
use crate::source::os::bulkhead::OPEN_TIME;
use crate::websocket::socket::Wire;

/// How long a client may seem to have left while it waits for a file system. Some say that they
/// have nothing more to ask (`nc -N`), and take the answer all the same.
const LEFT_TIME: Duration = Duration::from_secs(1);

/// What `asked` of a file system gives, as long as the client at `socket` is there to hear it.
///
/// # Errors
/// As `asked`; `ConnectionAborted` where the client has left.
pub(crate) async fn while_there<T>(
    socket: &Async<TcpStream>,
    asked: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let left = async {
        Timer::after(LEFT_TIME).await;
        poll_fn(|cx| Wire::poll_left(socket, cx)).await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    future::or(asked, left).await
}

/// The same, within [`OPEN_TIME`].
///
/// # Errors
/// `TimedOut`, too.
pub(crate) async fn in_time<T>(
    socket: &Async<TcpStream>,
    asked: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let late = async {
        Timer::after(OPEN_TIME).await;
        Err(io::ErrorKind::TimedOut.into())
    };
    while_there(socket, future::or(asked, late)).await
}

/// What all streams to clients share.
pub(crate) struct Context {
    /// Where files are read into.
    pub(crate) cache: Rc<RefCell<ReadCache>>,
    /// Where lines become messages.
    pub(crate) frames: RefCell<Frames>,
    /// What lines somebody asks for.
    pub(crate) patterns: Patterns,
    /// Turns to search.
    pub(crate) searches: Semaphore,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// The end.
    pub(crate) shutdown: Rc<Shutdown>,
    /// Where those are called who wait for the same source.
    executor: Rc<LocalExecutor<'static>>,
    heartbeat: Duration,
    /// How long a client may take over what was sent to it at once.
    send_time: Duration,
    /// Rings each heartbeat while there are clients: one timer for all of them.
    beat: Rc<Bell>,
    /// Clients that wait for the beat.
    clients: Cell<usize>,
    /// Rings when the first of them comes.
    joined: Rc<Bell>,
}

impl Context {
    /// For streams with this period of pings, until `shutdown`.
    pub(crate) fn new(
        heartbeat: Duration,
        shutdown: Rc<Shutdown>,
        executor: Rc<LocalExecutor<'static>>,
    ) -> Self {
        Self {
            cache: Rc::default(),
            frames: RefCell::default(),
            patterns: Patterns::default(),
            searches: Semaphore::new(SEARCHES_MAX),
            metrics: Metrics::default(),
            shutdown,
            executor,
            heartbeat,
            send_time: SEND_TIME,
            beat: Rc::default(),
            clients: Cell::new(0),
            joined: Rc::default(),
        }
    }

    /// Beats for as long as the server runs; asleep while there is no client.
    pub(crate) async fn run_beats(&self) {
        let mut joined = self.joined.listen();
        loop {
            if self.clients.get() == 0 {
                joined.rung().await;
                continue;
            }
            Timer::at(Instant::now() + self.heartbeat).await;
            self.beat.ring();
        }
    }

    /// The heartbeat of one client, for as long as it is kept. A board with many viewers wakes once
    /// for all of them. The first beat may come early; beats that were not waited for are one.
    pub(crate) fn beats(self: &Rc<Self>) -> Beats {
        self.clients.set(self.clients.get() + 1);
        if self.clients.get() == 1 {
            self.joined.ring();
        }
        Beats {
            bell: self.beat.listen(),
            context: self.clone(),
        }
    }
}

/// One client's heartbeat.
pub(crate) struct Beats {
    pub(crate) bell: Listener,
    context: Rc<Context>,
}

impl Drop for Beats {
    fn drop(&mut self) {
        self.context.clients.set(self.context.clients.get() - 1);
    }
}
