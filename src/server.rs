//! One executor on one thread: accepting, the cap on clients, a task per client, and the end.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use event_listener::Event;
use futures_lite::{FutureExt, Stream, future};
use rustix::io::Errno;
use smol::{Async, LocalExecutor, Timer};

use crate::connection;
use crate::gate::Rules;
use crate::gate::wrong::WrongKeys;
use crate::live::wire::part;
use crate::places::Places;
use crate::route::{Answer, sentence};
use crate::source::notices::Notices;
use crate::source::reader::Scratch;
use crate::source::{Ground, Sources};

/// How long accepting pauses when the machine is out of descriptors and no client leaves: another program may free some.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How many clients at once are told that there is no place, in connections. Beyond that the telling would be the load.
const REFUSALS_MAX: usize = 32;

/// How long clients have to take their leave at a shutdown; the contract gives two seconds in all.
const SHUTDOWN_TIME: Duration = Duration::from_millis(1500);

/// What the kernel may hold of what was sent to one client, in bytes (it doubles the number for its own use). By default it
/// takes up to 4 MiB for each, which a Pi Zero does not have for many.
const SEND_BUFFER: usize = 128 * 1024;

/// What a server is run with. All of it has been checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Names and paths of what is followed; the names differ.
    pub sources: Vec<(String, PathBuf)>,
    /// Lines of history that a stream starts with.
    pub lines: u64,
    /// How often to look at a file that the kernel sends no notice for.
    pub poll: Duration,
    /// The period of pings.
    pub heartbeat: Duration,
    /// Connections held at once.
    pub max_clients: usize,
    /// Who may come in.
    pub rules: Rules,
    /// Takes what should be said on standard error.
    pub say: fn(&str),
}

/// What all clients share.
pub struct Site {
    /// The streams, in the order of the command line.
    pub sources: Sources,
    /// Lines of history that a stream starts with.
    pub lines: u64,
    /// The period of pings.
    pub heartbeat: Duration,
    /// Where files are read into.
    pub scratch: RefCell<Scratch>,
    /// Where lines become messages.
    pub frames: RefCell<Vec<u8>>,
    /// Who may come in.
    pub rules: Rules,
    /// Who guesses at the key.
    pub wrong_keys: RefCell<WrongKeys>,
    /// Takes what should be said on standard error.
    pub say: fn(&str),
    /// The end.
    pub shutdown: Shutdown,
    started: Instant,
    places: Rc<Places>,
}

impl Site {
    /// Ticks each heartbeat, for all clients at the same moments: a board with many viewers wakes once, not once for each.
    pub fn beats(&self) -> impl Stream + use<> {
        let period = self.heartbeat;
        let past = self.started.elapsed().as_nanos() % period.as_nanos().max(1);
        let past = Duration::from_nanos(u64::try_from(past).unwrap_or(0));
        Timer::interval_at(Instant::now() + (period - past), period)
    }
}

/// A moment that comes once and stays.
#[derive(Default)]
pub struct Shutdown {
    begun: Cell<bool>,
    event: Event,
}

impl Shutdown {
    /// Resolves when the server shuts down.
    pub async fn wait(&self) {
        let begun = self.event.listen();
        if !self.begun.get() {
            begun.await;
        }
    }

    fn begin(&self) {
        self.begun.set(true);
        self.event.notify(usize::MAX);
    }
}

/// Serves `config` on a bound `listener` until `shutdown` resolves; clients then get their close, and it returns within two seconds.
///
/// # Errors
/// When the listener can't be used. What a client does is never an error here.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let listener = Async::new(listener)?;
    let executor = Rc::new(LocalExecutor::new());
    let notices = Notices::new();
    let ground = Ground {
        executor: executor.clone(),
        notices: notices.clone(),
        serials: Rc::new(Cell::new(1)),
        poll: config.poll,
        anyway: config.heartbeat,
    };
    let site = Rc::new(Site {
        sources: Sources::new(config.sources, &ground),
        lines: config.lines,
        heartbeat: config.heartbeat,
        scratch: RefCell::default(),
        frames: RefCell::default(),
        rules: config.rules,
        wrong_keys: RefCell::default(),
        say: config.say,
        shutdown: Shutdown::default(),
        started: Instant::now(),
        places: Places::new(config.max_clients),
    });
    let notices = executor.spawn({
        let notices = notices.clone();
        async move { notices.run().await }
    });
    executor
        .run(async {
            let accepting = accept(&listener, &site, &executor);
            future::or(accepting, shutdown).await;
            site.shutdown.begin();
            future::or(site.places.all_left(), async {
                _ = Timer::after(SHUTDOWN_TIME).await
            })
            .await;
        })
        .await;
    drop(notices);
    Ok(())
}

/// Takes connections for ever. Nothing that a client does ends it.
async fn accept(
    listener: &Async<TcpListener>,
    site: &Rc<Site>,
    executor: &Rc<LocalExecutor<'static>>,
) {
    let refusals = Rc::new(Cell::new(0));
    let mut paused = false;
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                // IPv4 comes mapped into IPv6 where one socket takes both.
                let address = peer.ip().to_canonical();
                let task = AssertUnwindSafe(admit(site, socket, address, &refusals)).catch_unwind();
                // What a client does wrong, and a bug that it meets, ends its own task.
                executor.spawn(async move { _ = task.await }).detach();
                paused = false;
            }
            Err(error) if is_out_of_resources(&error) => {
                if !std::mem::replace(&mut paused, true) {
                    (site.say)(&format!("no new client for now: {error}"));
                }
                future::or(site.places.next_leaving(), async {
                    _ = Timer::after(ACCEPT_PAUSE).await
                })
                .await;
            }
            // The client has left before it was taken.
            Err(_) => {}
        }
        // A flood of connections must not keep the clients that are here from their turn.
        future::yield_now().await;
    }
}

fn is_out_of_resources(error: &io::Error) -> bool {
    let out = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| out.contains(&error))
}

/// Gives a connection its place, or says that there is none.
fn admit(
    site: &Rc<Site>,
    socket: Async<TcpStream>,
    address: IpAddr,
    refusals: &Rc<Cell<usize>>,
) -> impl Future<Output = ()> + use<> {
    let site = site.clone();
    let place = site.places.take(address);
    let refused = place.is_none().then(|| Refusal::take(refusals));
    async move {
        // Small messages go out at once; a socket that can't be set so still works.
        let _ = socket.get_ref().set_nodelay(true);
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(socket.get_ref(), SEND_BUFFER);
        match refused {
            None => _ = connection::serve(&site, socket, address).await,
            Some(refusal) => {
                let Answer::Whole(status, mut fields, body) =
                    sentence(503, "all places are taken; try again soon")
                else {
                    return;
                };
                fields.push(("Retry-After", "5".into()));
                let answer = Answer::Whole(status, fields, body);
                if connection::send(&socket, &answer, true, false)
                    .await
                    .is_ok()
                    && refusal.is_some()
                {
                    part(&socket).await;
                }
            }
        }
        drop(place);
    }
}

/// One of the few who are seen off politely.
struct Refusal(Rc<Cell<usize>>);

impl Refusal {
    fn take(refusals: &Rc<Cell<usize>>) -> Option<Self> {
        if refusals.get() >= REFUSALS_MAX {
            return None;
        }
        refusals.set(refusals.get() + 1);
        Some(Self(refusals.clone()))
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
