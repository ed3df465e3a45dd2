//! Notices of mounts: inotify tells nothing of a stick, a share or log2ram's memory that comes to
//! lie over a directory, `/proc/self/mountinfo` does (proc_pid_mountinfo(5)).

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::task::Poll;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use smol::Async;

use crate::bytes::cursor::fnv1a;

/// The file that the kernel marks when something was mounted or unmounted.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Waits for changes of what is mounted.
pub(crate) struct Mounts {
    /// An epoll instance of its own. The file can always be read, and says by its priority bit
    /// alone that it has changed; the executor's reactor would take the first for the second.
    epoll: Async<OwnedFd>,
    _file: File,
    /// A hash of the mounts at the last look.
    known: u32,
}

impl Mounts {
    /// # Errors
    /// Where there is no such file, or no epoll instance.
    pub(crate) fn new() -> io::Result<Self> {
        let file = File::open(MOUNTS)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(
            &epoll,
            &file,
            epoll::EventData::new_u64(0),
            epoll::EventFlags::PRI,
        )?;
        Ok(Self {
            epoll: Async::new_nonblocking(epoll)?,
            _file: file,
            known: now()?,
        })
    }

    /// Returns after a change. Whatever wakes the task that waits has the mounts read: it should
    /// wait for nothing else.
    ///
    /// # Errors
    /// When the mounts can't be read any more.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        let mut readable = pin!(self.epoll.readable());
        // The wait begins, then the mounts are compared: the file forgets a change once it was
        // asked, and to begin is to ask. So each time that this is woken: the reactor passes over
        // an event of the round in which the wait began.
        poll_fn(|cx| match readable.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => match now() {
                Ok(mounts) if mounts == self.known => Poll::Pending,
                changed => Poll::Ready(changed.map(drop)),
            },
        })
        .await?;
        let mut told = Vec::with_capacity(1);
        epoll::wait(
            &self.epoll,
            spare_capacity(&mut told),
            Some(&Timespec::default()),
        )?;
        self.known = now()?;
        Ok(())
    }
}

fn now() -> io::Result<u32> {
    std::fs::read(MOUNTS).map(|mounts| fnv1a(&mounts))
}
