//! What the operating system gives: notices, reads, file systems, and another thread for what may
//! block.

pub(crate) mod bulkhead;
pub(crate) mod fs;
pub(crate) mod inotify;
pub(crate) mod mounts;
pub(crate) mod unblock;
pub(crate) mod way;
