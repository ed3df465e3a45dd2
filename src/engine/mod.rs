//! Streams handed on to an engine.

pub(crate) mod mqtt;
