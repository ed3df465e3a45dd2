//! One stream to one client: plain, poll, follow, server-sent events, WebSocket, and the pump under them.

pub(crate) mod endless;
pub(crate) mod event;
pub(crate) mod plain;
pub(crate) mod pump;
pub(crate) mod websocket;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::Stream;
use smol::Timer;

use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::source::cache::Scratch;

/// What all streams to clients share.
pub(crate) struct Context {
    /// Where files are read into.
    pub scratch: Rc<RefCell<Scratch>>,
    /// Where lines become messages.
    pub frames: RefCell<Vec<u8>>,
    /// What is counted.
    pub metrics: Metrics,
    /// The end.
    pub shutdown: Rc<Shutdown>,
    heartbeat: Duration,
    started: Instant,
}

impl Context {
    /// For streams with this period of pings, until `shutdown`.
    pub(crate) fn new(heartbeat: Duration, shutdown: Rc<Shutdown>) -> Self {
        Self {
            scratch: Rc::default(),
            frames: RefCell::default(),
            metrics: Metrics::default(),
            shutdown,
            heartbeat,
            started: Instant::now(),
        }
    }

    /// Ticks each heartbeat, for all clients at the same moments: a board with many viewers wakes once, not once for each.
    pub(crate) fn beats(&self) -> impl Stream + use<> {
        let period = self.heartbeat;
        let past = self.started.elapsed().as_nanos() % period.as_nanos().max(1);
        let past = Duration::from_nanos(u64::try_from(past).unwrap_or(0));
        Timer::interval_at(Instant::now() + (period - past), period)
    }
}
