//! What all requests share.

use std::cell::RefCell;
use std::rc::Rc;

use crate::auth::Rules;
use crate::auth::guesses::WrongKeys;
use crate::deliver::Context;
use crate::engine::status::{State, Status};
use crate::metrics::{Counter, engine_text};
use crate::server::Server;
use crate::source::Sources;

/// What all requests share.
pub(crate) struct App {
    /// The streams, in the order of the command line.
    pub sources: Rc<Sources>,
    /// How it goes with the engine that they are handed to.
    pub engine: Option<Rc<Status>>,
    /// Lines of history that a stream starts with.
    pub lines: u64,
    /// A stream's URL answers plain HTTP with 426.
    pub websocket_only: bool,
    /// What all streams to clients share.
    pub context: Rc<Context>,
    /// Who may come in.
    pub rules: Rules,
    /// Who guesses at the key.
    pub wrong_keys: RefCell<WrongKeys>,
    /// Takes what should be said on standard error.
    pub say: fn(&str),
    /// Who holds the connections.
    pub server: Rc<Server>,
    /// Looks of all followers at their files.
    pub looks: Rc<Counter>,
}

impl App {
    /// What is counted, as text for Prometheus.
    pub(crate) fn metrics(&self) -> String {
        let mut text = self.context.metrics.text(
            self.server.slots.taken(),
            self.server.refused.get(),
            self.looks.get(),
        );
        if let Some(engine) = &self.engine {
            let is_here = engine.state().0 == State::Here;
            text += &engine_text(is_here, engine.counters());
        }
        text
    }
}
