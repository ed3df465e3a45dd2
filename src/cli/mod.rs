//! The command: arguments, key, engine, user, sandbox, links, banner, exit status.

pub(crate) mod args;
pub(crate) mod banner;
pub(crate) mod descriptors;
pub(crate) mod engine;
pub(crate) mod error;
pub(crate) mod key;
pub(crate) mod links;
pub(crate) mod listen;
pub(crate) mod qr;
pub(crate) mod sandbox;
pub(crate) mod user;
