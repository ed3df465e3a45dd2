//! The tests of the built binary: `chapters/` is the contents page, `harness/` the equipment.

// A test that cannot go on says where and why by panicking and printing, and its numbers are small;
// nothing outside sees what is public here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    unreachable_pub
)]

mod chapters;
mod harness;

use harness::{
    board, broker, browser, chromium, client, cursor, cut, deadline, dice, endless, event_source,
    firefox, folder, handler, http, jetstream, nats, program, protocol, proxy, require, server,
    strace, viewer, weather, writer,
};
