//! One executor on one thread: accepting, the cap on clients, a task per client, and the end.

pub(crate) mod limits;

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{FutureExt, future};
use rustix::io::Errno;
use rustix::net::sockopt;
use smol::{Async, LocalExecutor, Timer};

use crate::http::connection;
use crate::http::connection::{Answered, Connection, Exchange, Handler};
use crate::http::response::Response;
use crate::metrics::Counter;
use crate::server::limits::Slots;
use crate::shutdown::Shutdown;

/// How long accepting pauses when the machine is out of descriptors and no client leaves: another
/// program may free some.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How often accepting may fail one time after another: clients that have left, not a cause that
/// stays.
const FAILED_MAX: u32 = 16;

/// How many clients at once are told that there is no place, in connections. Beyond that the
/// telling would be the load.
const REFUSALS_MAX: usize = 32;

/// How long clients have to take their leave at a shutdown; the contract gives two seconds in all.
const SHUTDOWN_TIME: Duration = Duration::from_millis(1500);

/// What the kernel may hold of what was sent to one client, in bytes (it doubles the number for its
/// own use). By default it takes up to 4 MiB for each, which a Pi Zero does not have for many.
const SEND_BUFFER: usize = 128 * 1024;

/// After this long without a word the kernel asks whether a client is still there, and asks again:
/// an endless body has no answer that would tell.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// A client whose kernel has confirmed nothing for this long has vanished, in milliseconds: a
/// little more than one that is only slow is given. The kernel's own patience is a quarter of an
/// hour.
const VANISHED: u32 = 75_000;

/// Serves with a handler of your own, which gets each request and gives the connection back if it
/// may be kept.
///
/// ```no_run
/// # use std::{future, net::TcpListener};
/// use tailcast::serve;
/// let listener = TcpListener::bind("127.0.0.1:8080")?;
/// smol::block_on(serve(listener, 256, future::pending(), |exchange| async {
///     let mut session = match exchange.require_websocket(4096).await? {
///         Ok(session) => session,
///         Err(answered) => return Ok(answered),
///     };
///     while let Some(message) = session.wait().await {
///         session.send(message).await?;
///     }
///     session.finish().await;
///     Ok(None)
/// }))
/// # ; std::io::Result::Ok(())
/// ```
///
/// # Errors
/// When the listener can't be used.
pub async fn serve<H, F>(
    listener: TcpListener,
    max_clients: usize,
    shutdown: impl Future<Output = ()> + 'static,
    handle: H,
) -> io::Result<()>
where
    H: Fn(Exchange) -> F + 'static,
    F: Future<Output = io::Result<Option<Connection>>> + 'static,
{
    let handle = move |exchange| {
        let handled = handle(exchange);
        async move { handled.await.map(Answered::Done) }.boxed_local()
    };
    let server = Server::new(max_clients, |_| ());
    server.run(Some(listener), shutdown, Rc::new(handle)).await
}

/// Connections and their tasks, whatever is served on them.
pub(crate) struct Server {
    /// Its tasks are boxed, as a `Runtime`'s are.
    pub executor: Rc<LocalExecutor<'static>>,
    /// The end.
    pub shutdown: Rc<Shutdown>,
    /// Who is here.
    pub slots: Rc<Slots>,
    /// Connections refused for lack of a place.
    pub refused: Counter,
    /// Those who are being told that there is no place.
    refusals: Cell<usize>,
    say: fn(&str),
}

impl Server {
    /// A server of at most `max_clients` connections; what should be said on standard error goes to
    /// `say`.
    pub(crate) fn new(max_clients: usize, say: fn(&str)) -> Rc<Self> {
        Rc::new(Self {
            executor: Rc::new(LocalExecutor::new()),
            shutdown: Rc::default(),
            slots: Slots::new(max_clients),
            refused: Counter::default(),
            refusals: Cell::new(0),
            say,
        })
    }

    /// Serves `listener`, if there is one, with `handle` until `shutdown` resolves.
    ///
    /// # Errors
    /// When the listener can't be used.
    pub(crate) async fn run(
        self: &Rc<Self>,
        listener: Option<TcpListener>,
        shutdown: impl Future<Output = ()> + 'static,
        handle: Rc<Handler>,
    ) -> io::Result<()> {
        let listener = listener.map(Async::new).transpose()?;
        // Tasks of their own: what the executor itself waits for is polled at every wake-up,
        // whatever it was for.
        let server = self.clone();
        let accepting = async move {
            if let Some(listener) = listener {
                server.accept(&listener, handle).await;
            }
        };
        let accepting = self.executor.spawn(accepting.boxed_local());
        let shutdown = self.executor.spawn(shutdown.boxed_local());
        let run = async {
            shutdown.await;
            drop(accepting);
            self.shutdown.begin();
            future::or(self.slots.all_left(), async {
                _ = Timer::after(SHUTDOWN_TIME).await
            })
            .await;
        };
        self.executor.run(run).await;
        Ok(())
    }

    /// Takes connections for ever. Nothing that a client does ends it.
    async fn accept(self: &Rc<Self>, listener: &Async<TcpListener>, handle: Rc<Handler>) {
        let mut paused = false;
        let mut failed_in_a_row = 0;
        loop {
            match listener.accept().await {
                Ok((socket, peer)) => {
                    paused = false;
                    failed_in_a_row = 0;
                    // IPv4 comes mapped into IPv6 where one socket takes both.
                    let address = peer.ip().to_canonical();
                    let admitted = self.admit(socket, address, handle.clone());
                    self.executor.spawn(admitted.boxed_local()).detach();
                }
                Err(error) if is_out_of_resources(&error) || failed_in_a_row >= FAILED_MAX => {
                    if !std::mem::replace(&mut paused, true) {
                        (self.say)(&format!("no new client for now: {error}"));
                    }
                    future::or(self.slots.next_leaving(), async {
                        _ = Timer::after(ACCEPT_PAUSE).await
                    })
                    .await;
                }
                // The client has left before it was taken, or the network between us is down.
                Err(_) => failed_in_a_row += 1,
            }
            // A flood of connections must not keep the clients that are here from their turn.
            future::yield_now().await;
        }
    }

    /// Gives a connection its place, or says that there is none.
    fn admit(
        self: &Rc<Self>,
        socket: Async<TcpStream>,
        address: IpAddr,
        handle: Rc<Handler>,
    ) -> impl Future<Output = ()> + use<> {
        set_options(socket.get_ref());
        let connection = Connection::new(socket, address);
        let slot = self.slots.take(address);
        let refusal = slot.is_none().then(|| Refusal::take(self));
        let shutdown = self.shutdown.clone();
        async move {
            // What a client does wrong, and a bug that it meets, ends its own task. In one
            // expression: a future that is bound to a name first has its place in the task twice.
            _ = AssertUnwindSafe(async {
                match refusal {
                    None => _ = connection::serve(connection, &shutdown, &*handle).await,
                    Some(Some(_refusal)) => {
                        let answer = Response::sentence(
                            503,
                            "all places are taken, or all for your address; try again soon",
                        )
                        .with("Retry-After", "5");
                        _ = connection.refuse(answer).await;
                    }
                    Some(None) => {}
                }
            })
            .catch_unwind()
            .await;
            drop(slot);
        }
    }
}

/// A socket that can't be set so still works.
fn set_options(socket: &TcpStream) {
    // Small messages go out at once.
    let _ = socket.set_nodelay(true);
    let _ = sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER);
    let _ = sockopt::set_socket_keepalive(socket, true);
    let _ = sockopt::set_tcp_keepidle(socket, KEEPALIVE);
    let _ = sockopt::set_tcp_keepintvl(socket, KEEPALIVE);
    let _ = sockopt::set_tcp_user_timeout(socket, VANISHED);
}

fn is_out_of_resources(error: &io::Error) -> bool {
    let out = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| out.contains(&error))
}

/// One of the few who are seen off politely at a time.
struct Refusal(Rc<Server>);

impl Refusal {
    fn take(server: &Rc<Server>) -> Option<Self> {
        server.refused.add(1);
        if server.refusals.get() >= REFUSALS_MAX {
            return None;
        }
        server.refusals.set(server.refusals.get() + 1);
        Some(Self(server.clone()))
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        self.0.refusals.set(self.0.refusals.get() - 1);
    }
}
