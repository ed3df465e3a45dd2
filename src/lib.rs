//! Tailcast follows a file on a small board and streams it, live, to browsers on the network.

// A unit test that can't unwrap has failed, and says where.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod app;
pub mod auth;
pub mod bytes;
pub mod cli;
pub mod deliver;
pub mod engine;
pub mod http;
pub mod metrics;
pub mod server;
pub mod source;
pub mod websocket;
