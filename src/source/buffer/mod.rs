//! Readings and pipes: what they give goes into a bounded history, which a reader plays back.

pub mod history;
pub mod pipe;
pub mod sample;
pub mod serial;
pub(crate) mod vitals;
