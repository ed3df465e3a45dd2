//! One inotify instance for the whole server. A notice is a hint that shortens a wait, never the truth: what it
//! causes is a look.
//!
//! One instance, because the kernel grants a user 128 of them by default and peers with one each stop there.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use smol::Async;

/// What to call when something may have happened.
pub(crate) type Tell = Rc<dyn Fn()>;

/// Space for notices read at once, in bytes: some sixty of them, more wait in the kernel's queue.
const BATCH: usize = 4096;

struct Interest {
    key: u64,
    /// In a directory, the one name that counts: a busy `/var/log` must not wake us.
    name: Option<OsString>,
    tell: Tell,
}

/// The inotify instance and who waits for which of its watches.
pub struct Notices {
    inotify: Option<Async<OwnedFd>>,
    watches: RefCell<HashMap<i32, Vec<Interest>>>,
    next_key: Cell<u64>,
}

impl Notices {
    /// Where the kernel grants no instance, every watch is refused and files are polled.
    pub fn new() -> Rc<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)
            .ok()
            .and_then(|inotify| Async::new_nonblocking(inotify).ok());
        Rc::new(Self {
            inotify,
            watches: RefCell::default(),
            next_key: Cell::new(0),
        })
    }

    /// Whether there is an instance.
    pub fn are_available(&self) -> bool {
        self.inotify.is_some()
    }

    /// Watches an open file, whatever its name is by then. `None`: it has to be polled.
    pub fn watch_file(self: &Rc<Self>, file: &File, tell: Tell) -> Option<Watch> {
        // By descriptor, not by path: between opening and watching the path may have come to mean another file.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF;
        self.watch(Path::new(&path), flags, None, tell)
    }

    /// Watches for the comings and goings of `name` in `directory`. `None`: it has to be polled.
    pub fn watch_name(
        self: &Rc<Self>,
        directory: &Path,
        name: OsString,
        tell: Tell,
    ) -> Option<Watch> {
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF
            | WatchFlags::ONLYDIR;
        self.watch(directory, flags, Some(name), tell)
    }

    fn watch(
        self: &Rc<Self>,
        path: &Path,
        flags: WatchFlags,
        name: Option<OsString>,
        tell: Tell,
    ) -> Option<Watch> {
        let descriptor = inotify::add_watch(self.inotify.as_ref()?, path, flags).ok()?;
        let key = self.next_key.replace(self.next_key.get() + 1);
        let interest = Interest { key, name, tell };
        self.watches
            .borrow_mut()
            .entry(descriptor)
            .or_default()
            .push(interest);
        Some(Watch {
            notices: self.clone(),
            descriptor,
            key,
        })
    }

    /// Tells of notices for as long as the server runs. Asleep while nothing is watched.
    ///
    /// # Errors
    /// When the instance can't be read any more.
    pub async fn run(&self) -> io::Result<()> {
        let Some(inotify) = &self.inotify else {
            return Ok(());
        };
        let mut space = [MaybeUninit::uninit(); BATCH];
        loop {
            woken(inotify).await;
            let mut told: Vec<Tell> = Vec::new();
            let mut batch = inotify::Reader::new(inotify, &mut space);
            loop {
                match batch.next() {
                    Ok(notice) => self.sort(&notice, &mut told),
                    Err(Errno::AGAIN) => break,
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
                // A writer that never rests must not keep the news from its readers.
                if batch.is_buffer_empty() {
                    break;
                }
            }
            for tell in told {
                tell();
            }
        }
    }

    /// Adds to `told` whom this notice is for, each once: ten appends are one look.
    fn sort(&self, notice: &inotify::Event<'_>, told: &mut Vec<Tell>) {
        let mut watches = self.watches.borrow_mut();
        let over = ReadFlags::IGNORED | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
        let mut add = |tell: &Tell| {
            if !told.iter().any(|known| Rc::ptr_eq(known, tell)) {
                told.push(tell.clone());
            }
        };
        if notice.events().contains(ReadFlags::QUEUE_OVERFLOW) {
            watches
                .values()
                .flatten()
                .for_each(|interest| add(&interest.tell));
            return;
        }
        let name = notice.file_name().map(std::ffi::CStr::to_bytes);
        for interest in watches.get(&notice.wd()).into_iter().flatten() {
            let other = |wanted: &OsString| name.is_some_and(|name| name != wanted.as_bytes());
            if !interest.name.as_ref().is_some_and(other) {
                add(&interest.tell);
            }
        }
        // A directory that was moved is no longer the one that the path names.
        let directory =
            |interests: &Vec<Interest>| interests.iter().any(|interest| interest.name.is_some());
        let moved_file = notice.events().contains(ReadFlags::MOVE_SELF)
            && !watches.get(&notice.wd()).is_some_and(directory);
        if notice.events().intersects(over) && !moved_file {
            watches.remove(&notice.wd());
        }
    }
}

/// Waits until the instance may have something. `readable()` alone passes over an event that comes in the round of the reactor
/// in which the wait began, and is woken for it a second time; the read that follows can tell as well.
async fn woken(inotify: &Async<OwnedFd>) {
    let mut readable = pin!(inotify.readable());
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        readable.as_mut().poll(cx).map(|_| ())
    })
    .await;
}

/// A watch, given back when dropped.
pub struct Watch {
    notices: Rc<Notices>,
    descriptor: i32,
    key: u64,
}

impl Watch {
    /// Whether the kernel still reports to it.
    pub fn is_alive(&self) -> bool {
        self.notices.watches.borrow().contains_key(&self.descriptor)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watches = self.notices.watches.borrow_mut();
        let Some(interests) = watches.get_mut(&self.descriptor) else {
            return;
        };
        interests.retain(|interest| interest.key != self.key);
        if interests.is_empty() {
            watches.remove(&self.descriptor);
            if let Some(inotify) = &self.notices.inotify {
                // It fails where the file is gone and the watch with it: nothing is left to give back.
                let _ = inotify::remove_watch(inotify, self.descriptor);
            }
        }
    }
}
