//! To and from a hub: streams handed on to an engine that serves more than one board can.
//!
//! The file is the queue, the engine knows the position, the board keeps nothing. While an engine
//! is away nothing is read for it and nothing is remembered: when it is back it says where it was.

pub(crate) mod backoff;
pub(crate) mod batch;
pub mod hub;
pub(crate) mod mqtt;
pub mod nats;
pub(crate) mod socket;
pub(crate) mod status;
pub mod target;

use std::rc::Rc;

use crate::engine::status::Status;
use crate::engine::target::{Login, Protocol, Target};
use crate::source::{Runtime, Sources};

/// An engine that the streams go to.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Where it is.
    pub target: Target,
    /// What this board is called there.
    pub board: String,
    /// Who we are there.
    pub login: Option<Login>,
}

/// Publishes all streams of `sources` for ever; how it goes is told to `status`.
pub(crate) async fn run(
    engine: Engine,
    sources: Rc<Sources>,
    runtime: Runtime,
    status: Rc<Status>,
) {
    match engine.target.protocol {
        Protocol::Mqtt => mqtt::run(engine, sources, runtime, status).await,
        Protocol::Nats => nats::run(engine, sources, runtime, status).await,
    }
}
