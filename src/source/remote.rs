//! A stream whose bytes lie elsewhere: what one has to do to be read like a file. Those who fetch
//! it are in `engine`.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::SystemTime;

use crate::bell::Listener;
use crate::bytes::cursor::{Cursor, From};
use crate::source::Extent;
use crate::source::cache::ReadCache;
use crate::source::marker::{Lost, Next};

/// What has to come from elsewhere.
pub type Fetched<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The streams that one SOURCE names elsewhere, now and later.
pub trait Catalog {
    /// Their names and themselves, as far as they are known by now.
    fn streams(&self) -> Vec<(String, Rc<dyn Stream>)>;

    /// Looks what there is now.
    fn refresh(&self) -> Fetched<'_, ()>;

    /// Whether it is not for everybody on this machine.
    fn is_private(&self) -> bool;
}

/// One stream: a file that only grows, whose beginning may be gone.
pub trait Stream {
    /// A reader at the place that `from` means.
    fn open(self: Rc<Self>, from: From) -> Fetched<'static, io::Result<Box<dyn RemoteReader>>>;

    /// What is known of it.
    fn extent(&self) -> Extent;

    /// The number that stands in its cursors.
    fn id(&self) -> u64;

    /// How it goes with where it lies.
    fn standing(&self) -> Standing;

    /// How many listen.
    fn clients(&self) -> usize;

    /// The offsets of the oldest byte and behind the last one.
    fn bounds(self: Rc<Self>) -> Fetched<'static, io::Result<(u64, u64)>>;

    /// Up to `length` bytes at `offset`, fewer only where there are no more.
    fn read(self: Rc<Self>, offset: u64, length: usize) -> Fetched<'static, io::Result<Vec<u8>>>;

    /// The place at `offset`, with its check.
    fn cursor(self: Rc<Self>, offset: u64) -> Fetched<'static, io::Result<Cursor>>;
}

/// How it goes with the place where a stream lies.
pub struct Standing {
    /// Its URL.
    pub url: String,
    /// It is there; `None`: it was not reached yet.
    pub is_here: Option<bool>,
    /// Since when.
    pub since: SystemTime,
    /// Why it is not, or why this stream is not to be had.
    pub cause: Option<String>,
}

/// As [`Reader`](crate::source::reader::Reader), method by method.
#[allow(missing_docs)]
pub trait RemoteReader {
    fn next(&mut self, cache: &mut ReadCache) -> Next;
    fn warm(&mut self) -> Fetched<'_, io::Result<()>>;
    #[allow(private_interfaces)]
    fn changed(&self) -> Listener;
    fn size(&self) -> u64;
    fn seek(&mut self, offset: u64);
    fn start(&self) -> u64;
    fn offset(&self) -> u64;
    fn cursor_behind(&self, length: u64) -> Fetched<'_, io::Result<Cursor>>;
    fn before(&self) -> Fetched<'_, io::Result<Vec<u8>>>;
    fn available(&mut self) -> Fetched<'_, io::Result<(u64, Lost)>>;
    /// What happened on the way is not told any more: the bytes alone are wanted.
    fn only_bytes(&mut self);
}
