//! One inotify instance for the whole server. A notice is a hint that shortens a wait, never the
//! truth: what it causes is a look.
//!
//! One instance, because the kernel grants a user 128 of them by default and peers with one each
//! stop there.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_lite::FutureExt;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use smol::{Async, Timer};

use crate::source::os::mounts::Mounts;

/// What to call when something may have happened.
pub(crate) type Tell = Rc<dyn Fn()>;

/// Space for notices read at once, in bytes: some sixty of them, more wait in the kernel's queue.
const BATCH: usize = 4096;

struct Interest {
    key: u64,
    subject: Subject,
    tell: Tell,
}

/// What of the watched thing somebody is interested in.
enum Subject {
    /// An open file, wherever it is moved.
    Content,
    /// A directory or a link where it stands.
    Itself,
    /// One name in a directory.
    Name(OsString),
}

impl Subject {
    /// Whether a notice concerns it. Only notices of what happens in a directory have a name.
    fn is_told_of(&self, name: Option<&[u8]>) -> bool {
        match (self, name) {
            (_, None) => true,
            (Self::Name(wanted), Some(name)) => wanted.as_bytes() == name,
            (Self::Content | Self::Itself, Some(_)) => false,
        }
    }
}

/// How long the mounts are left alone after a change: who mounts mounts more, and each causes
/// looks.
const MOUNTS_PAUSE: Duration = Duration::from_millis(50);

/// The inotify instance and who waits for which of its watches.
pub struct Notices {
    inotify: Option<Async<OwnedFd>>,
    watches: RefCell<HashMap<i32, Vec<Interest>>>,
    next_key: Cell<u64>,
    /// How often something was mounted or unmounted.
    mounts: Cell<u64>,
    /// It can't be read any more.
    broken: Cell<bool>,
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
            mounts: Cell::new(0),
            broken: Cell::new(false),
        })
    }

    /// Whether there is an instance that works.
    pub fn are_available(&self) -> bool {
        self.inotify.is_some() && !self.broken.get()
    }

    /// How often something was mounted or unmounted: a way that was found before may lead
    /// elsewhere.
    pub fn mounts(&self) -> u64 {
        self.mounts.get()
    }

    /// Watches an open file, whatever its name is by then. `None`: it has to be polled.
    pub fn watch_file(self: &Rc<Self>, file: &File, tell: Tell) -> Option<Watch> {
        // By descriptor, not by path: between opening and watching the path may have come to mean
        // another file.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF;
        self.watch(Path::new(&path), flags, Subject::Content, tell)
    }

    /// Watches a directory or a link where it stands. `None`: it has to be polled.
    pub(crate) fn watch_itself(self: &Rc<Self>, path: &Path, tell: Tell) -> Option<Watch> {
        let flags = WatchFlags::ATTRIB
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF
            | WatchFlags::DONT_FOLLOW;
        self.watch(path, flags, Subject::Itself, tell)
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
        self.watch(directory, flags, Subject::Name(name), tell)
    }

    fn watch(
        self: &Rc<Self>,
        path: &Path,
        flags: WatchFlags,
        subject: Subject,
        tell: Tell,
    ) -> Option<Watch> {
        let inotify = self.inotify.as_ref().filter(|_| !self.broken.get())?;
        // Added to what is told of it already: the kernel has one watch for each inode.
        let flags = flags | WatchFlags::MASK_ADD;
        let descriptor = inotify::add_watch(inotify, path, flags).ok()?;
        let key = self.next_key.replace(self.next_key.get() + 1);
        let interest = Interest { key, subject, tell };
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
    pub async fn run(&self) {
        // A bug that one look meets must not leave all others waiting for notices, either.
        let ended = AssertUnwindSafe(self.changes()).catch_unwind().await;
        if !matches!(ended, Ok(Ok(()))) {
            // From now on everything is polled, as where there was no instance from the start.
            self.broken.set(true);
            let everybody = everybody(&self.watches.take());
            everybody.iter().for_each(|tell| tell());
        }
    }

    /// Tells of mounts for as long as the server runs; a task of its own.
    pub async fn run_mounts(&self) {
        // Where the kernel can't tell of them, mounts are seen at the next look.
        let Ok(mut mounts) = Mounts::new() else {
            return;
        };
        while mounts.changed().await.is_ok() {
            self.mounts.set(self.mounts.get() + 1);
            let everybody = everybody(&self.watches.borrow());
            everybody.iter().for_each(|tell| tell());
            Timer::after(MOUNTS_PAUSE).await;
        }
    }

    /// Tells of what inotify says.
    ///
    /// # Errors
    /// When the instance can't be read any more.
    async fn changes(&self) -> io::Result<()> {
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
        let events = notice.events();
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            *told = everybody(&watches);
            return;
        }
        let Some(interests) = watches.get(&notice.wd()) else {
            return;
        };
        let name = notice.file_name().map(std::ffi::CStr::to_bytes);
        for interest in interests {
            if interest.subject.is_told_of(name) {
                add(told, &interest.tell);
            }
        }
        // A directory or a link that was moved is no longer the one that the path names; a file
        // that was moved is still written to.
        let moved = events.contains(ReadFlags::MOVE_SELF)
            && !(interests.iter()).all(|interest| matches!(interest.subject, Subject::Content));
        if moved || events.intersects(ReadFlags::IGNORED | ReadFlags::UNMOUNT) {
            watches.remove(&notice.wd());
            self.give_back(notice.wd());
        }
    }

    /// Has the kernel forget a watch. It fails where the file is gone and the watch with it.
    fn give_back(&self, descriptor: i32) {
        if let Some(inotify) = &self.inotify {
            let _ = inotify::remove_watch(inotify, descriptor);
        }
    }
}

/// Who waits for any notice, each once.
fn everybody(watches: &HashMap<i32, Vec<Interest>>) -> Vec<Tell> {
    let mut told = Vec::new();
    let interests = watches.values().flatten();
    interests.for_each(|interest| add(&mut told, &interest.tell));
    told
}

/// Adds `tell` where it is not there yet.
fn add(told: &mut Vec<Tell>, tell: &Tell) {
    if !told.iter().any(|known| Rc::ptr_eq(known, tell)) {
        told.push(tell.clone());
    }
}

/// Waits until the instance may have something. `readable()` alone passes over an event that comes
/// in the round of the reactor in which the wait began, and is woken for it a second time; the read
/// that follows can tell as well.
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
            self.notices.give_back(self.descriptor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future;

    /// A bug in what one notice causes: from then on nobody waits for notices that do not come.
    #[test]
    fn where_notices_end_everybody_polls() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["buggy.log", "other.log"].map(|name| folder.path().join(name));
        let files = paths.each_ref().map(|path| File::create(path).unwrap());
        let notices = Notices::new();
        let met = Cell::new(false);
        let bug: Tell = Rc::new(move || assert!(met.replace(true), "a bug"));
        let told = Rc::new(Cell::new(0));
        let other: Tell = Rc::new({
            let told = told.clone();
            move || told.set(told.get() + 1)
        });
        let watches = [bug, other.clone()];
        let watches = [0, 1].map(|at| notices.watch_file(&files[at], watches[at].clone()).unwrap());
        assert!(notices.are_available() && watches.iter().all(Watch::is_alive));
        let polled = async {
            std::fs::write(&paths[0], "x").unwrap();
            while notices.are_available() {
                Timer::after(Duration::from_millis(1)).await;
            }
        };
        let late = async {
            Timer::after(Duration::from_secs(30)).await;
            panic!("notices are waited for in vain");
        };
        smol::block_on(future::or(notices.run(), future::or(polled, late)));
        assert_eq!(told.get(), 1, "the other one is to look now");
        assert!(!watches.iter().any(Watch::is_alive));
        assert!(notices.watch_file(&files[1], other).is_none());
    }
}
