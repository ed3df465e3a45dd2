//! Streams handed on to an engine.

pub mod mqtt;
