//! What has no past of its own: a FIFO, a serial line or another character device, standard input.
//!
//! It is read from the server's start on, listeners or not, as fast as it gives: who writes to it
//! never waits for us. While it gives nothing, nothing runs.

use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use event_listener::Event;
use futures_lite::{FutureExt, future};
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;
use smol::{Async, Task, Timer};

use crate::source::Runtime;
use crate::source::buffer::history::History;
use crate::source::buffer::serial::{self, Serial};
use crate::source::cache::CHUNK;
use crate::source::file::change::FileId;
use crate::source::file::path;
use crate::source::marker::Missing;
use crate::source::os::fs;
use crate::source::os::inotify::{Tell, Watch};
use crate::source::os::unblock::unblock;

/// What a pipe is asked to hold, in bytes, so that its writer can go on while we serve a client;
/// the kernel's own limit for users without privileges.
const ROOM: usize = 1024 * 1024;

/// How long to wait before what could not be opened, or has just ended, is tried again though
/// nothing was noticed. A device that was plugged in is there a moment before we may read it.
const RETRY: Duration = Duration::from_secs(1);

/// What bytes come out of.
#[derive(Clone, Debug)]
pub enum PipeSource {
    /// A FIFO or a character device.
    Path {
        /// Its name.
        path: PathBuf,
        /// What was said of a serial line.
        serial: Serial,
    },
    /// Standard input.
    Input,
}

/// A stream of bytes that are kept in a history the moment they come.
pub struct Pipe {
    flow: Rc<Flow>,
    _task: Task<()>,
}

impl Pipe {
    /// Begins to read `pipe`.
    pub fn new(pipe: PipeSource, runtime: &Runtime) -> Self {
        let flow = Rc::new(Flow {
            history: History::new(runtime.serial(), runtime.history),
            runtime: runtime.clone(),
            noticed: Rc::default(),
            watch: RefCell::default(),
        });
        let task = runtime.executor.spawn(flow.clone().run(pipe).boxed_local());
        Self { flow, _task: task }
    }

    /// What came.
    pub fn history(&self) -> &Rc<History> {
        &self.flow.history
    }
}

struct Flow {
    history: Rc<History>,
    runtime: Runtime,
    /// The name has come or gone.
    noticed: Rc<Event>,
    watch: RefCell<Option<Watch>>,
}

impl Flow {
    async fn run(self: Rc<Self>, pipe: PipeSource) {
        match pipe {
            PipeSource::Path { path, serial } => self.follow(&path, serial).await,
            PipeSource::Input => {
                if let Ok(file) = unblock(open_input).await {
                    // Its end and its failure are the same to a viewer.
                    let _ = self.drain(&Tap::new(file), None).await;
                }
                self.history.set_missing(Some(Missing::Absent));
            }
        }
    }

    /// Reads what `path` means, opens it again when it has ended, waits for it while it is not
    /// there.
    async fn follow(&self, path: &Path, serial: Serial) {
        // Held until the next one is open: what a writer sends in between stays in the FIFO.
        let mut before: Option<Tap> = None;
        loop {
            let noticed = self.noticed.listen();
            let watched = self.watch_name(path);
            let opened = {
                let path = path.to_owned();
                unblock(move || open(&path, serial)).await
            };
            drop(before.take());
            let cause = match opened {
                Ok((file, metadata)) => {
                    self.history.set_missing(None);
                    let tap = Tap::new(file);
                    let name = (path, fs::seen(&metadata).id);
                    let ended = self.drain(&tap, Some(name)).await;
                    if ended.is_ok() && metadata.file_type().is_fifo() {
                        before = Some(tap);
                        continue;
                    }
                    Missing::Absent
                }
                // Busy, or no descriptor is free: it can't be read now.
                Err(error) => Missing::of(&error).unwrap_or(Missing::Unreadable),
            };
            self.history.set_missing(Some(cause));
            let retry = async {
                if cause == Missing::Absent && watched {
                    future::pending::<()>().await;
                }
                Timer::after(RETRY).await;
            };
            future::or(noticed, retry).await;
        }
    }

    /// Keeps what `tap` gives until its end, or until its `name` means something else.
    async fn drain(&self, tap: &Tap, name: Option<(&Path, FileId)>) -> io::Result<()> {
        let read = async {
            if let (Tap::Ready(pipe), Some(_)) = (tap, name) {
                // To a read, a FIFO that no writer has opened yet is at its end; to a wait it is
                // not.
                pipe.readable().await?;
            }
            while self.piece(tap).await? {
                // However fast it gives, clients have their turns.
                future::yield_now().await;
            }
            Ok(())
        };
        let replaced = async {
            match name {
                Some((path, id)) => self.replaced(path, id).await,
                None => future::pending().await,
            }
            if let Tap::Ready(pipe) = tap {
                while let Ok(1..) = self.take(pipe) {}
            }
            Ok(())
        };
        future::or(read, replaced).await
    }

    /// Keeps the next piece, once there is one. `false`: this is the end.
    async fn piece(&self, tap: &Tap) -> io::Result<bool> {
        loop {
            let read = match tap {
                Tap::Ready(pipe) => self.take(pipe),
                Tap::Slow(pipe) => {
                    let pipe = pipe.clone();
                    let piece = unblock(move || read_slowly(&pipe)).await;
                    piece.map(|piece| {
                        if !piece.is_empty() {
                            self.history.push(&piece);
                        }
                        piece.len()
                    })
                }
            };
            match (read, tap) {
                (Ok(length), _) => return Ok(length > 0),
                (Err(Errno::AGAIN), Tap::Ready(pipe)) => pipe.readable().await?,
                (Err(Errno::AGAIN), Tap::Slow(_)) => _ = Timer::after(RETRY).await,
                // EPIPE is how `/dev/kmsg` says that it went on without us.
                (Err(Errno::INTR | Errno::PIPE), _) => {}
                (Err(error), _) => return Err(error.into()),
            }
        }
    }

    /// Keeps what is there now: how much that was.
    fn take(&self, pipe: &Async<OwnedFd>) -> Result<usize, Errno> {
        let mut cache = self.runtime.cache.borrow_mut();
        self.history
            .take(&mut cache, |space| rustix::io::read(pipe, space))
    }

    /// Resolves when `path` means something else than `id`. While it means nothing, the old one may
    /// still give.
    async fn replaced(&self, path: &Path, id: FileId) {
        loop {
            let noticed = self.noticed.listen();
            let now = async_fs::metadata(path).await;
            match now.map(|metadata| fs::seen(&metadata).id) {
                Ok(now) if now != id => return,
                Ok(_) => self.history.set_missing(None),
                Err(error) => {
                    let cause = Missing::of(&error).or(self.history.missing());
                    self.history.set_missing(cause);
                }
            }
            noticed.await;
        }
    }

    /// `true`: the name's coming will be noticed.
    fn watch_name(&self, path: &Path) -> bool {
        let mut watch = self.watch.borrow_mut();
        if !watch.as_ref().is_some_and(Watch::is_alive) {
            let noticed = self.noticed.clone();
            let tell: Tell = Rc::new(move || _ = noticed.notify(usize::MAX));
            *watch = path::directory(path).and_then(|directory| {
                let name = path.file_name()?.to_owned();
                self.runtime.notices.watch_name(&directory, name, tell)
            });
        }
        watch.is_some()
    }
}

/// An open pipe.
enum Tap {
    /// The kernel tells when there is something to read.
    Ready(Async<OwnedFd>),
    /// It can't tell (a regular file as standard input, `/dev/null`), or a read could wait: another
    /// thread reads.
    Slow(Arc<File>),
}

impl Tap {
    fn new(file: File) -> Self {
        // A pipe with less room works as well; what is no pipe has none.
        let _ = fcntl_setpipe_size(&file, ROOM);
        let file = Arc::new(file);
        let own = file.as_fd().try_clone_to_owned();
        let is_prompt = fcntl_getfl(&file).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK));
        match own.ok().filter(|_| is_prompt).map(Async::new_nonblocking) {
            Some(Ok(ready)) => Self::Ready(ready),
            _ => Self::Slow(file),
        }
    }
}

/// Reads the next piece, on a thread that may wait for it.
fn read_slowly(mut pipe: &File) -> Result<Vec<u8>, Errno> {
    let mut piece = vec![0; CHUNK];
    let read = pipe.read(&mut piece);
    piece.truncate(read.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?);
    Ok(piece)
}

/// Whether [`PipeSource::Path`] can be made of it.
pub fn is_pipe(metadata: &Metadata) -> bool {
    metadata.file_type().is_fifo() || metadata.file_type().is_char_device()
}

/// Opens a FIFO, not waiting for a writer, or a device, which does not become our terminal. Blocks.
fn open(path: &Path, serial: Serial) -> io::Result<(File, Metadata)> {
    let (file, metadata) = open_outlet(path)?;
    serial::make_raw(&file, serial)?;
    Ok((file, metadata))
}

fn open_outlet(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !is_pipe(&metadata) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok((file, metadata))
}

/// Opens standard input once more, so that it can be made not to wait: the one that we were given
/// is shared, and who shares it may not expect that. Blocks.
fn open_input() -> io::Result<File> {
    let given = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    // A terminal stays as its person has it: he types, and ends us by a key.
    if is_pipe(&given.metadata()?)
        && let Ok((own, _)) = open_outlet(Path::new("/proc/self/fd/0"))
    {
        return Ok(own);
    }
    // A regular file is read from where it stands, a socket can't be opened by name.
    Ok(given)
}

#[cfg(test)]
mod tests;
