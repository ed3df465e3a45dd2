//! Tailcast follows a file on a small board and streams it, live, to browsers on the network.

// A unit test that can't unwrap has failed, and says where.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod account;
pub mod config;
pub mod confine;
pub mod connection;
pub mod cursor;
pub mod door;
pub mod gate;
pub mod http;
pub mod lines;
pub mod links;
pub mod listen;
pub mod live;
pub mod metrics;
pub mod page;
pub mod qr;
pub mod range;
pub mod report;
pub mod ring;
pub mod route;
pub mod seats;
pub mod secret;
pub mod server;
pub mod source;
