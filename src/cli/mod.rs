//! The command: arguments, key, user, sandbox, links, banner, exit status.

pub mod args;
pub mod error;
pub mod key;
pub mod links;
pub mod listen;
pub mod qr;
pub mod sandbox;
pub mod user;
