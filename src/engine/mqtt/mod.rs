//! Streams to the MQTT broker of a home, a line a message, and what Home Assistant has to know of their numbers.
//!
//! The broker keeps the newest message of each topic, and beside it stands its place in the file: so it is asked where to
//! go on, and the board remembers nothing. While it is away nothing is kept for it but the files themselves.

mod announce;
mod board;
mod client;
mod discovery;
mod lines;
mod numbers;
mod packet;
mod position;
mod publish;
mod template;
mod units;

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{FutureExt, future};
use smol::channel::{Sender, bounded};
use smol::{Async, Task, Timer};

use crate::engine::mqtt::board::{Board, ONLINE};
use crate::engine::mqtt::client::{Client, Gone, KEEP_ALIVE};
use crate::engine::mqtt::packet::{Hello, Message, Version};
use crate::engine::mqtt::publish::Stream;
use crate::source::{Ground, Sources};

/// How long a broker's address has to take a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How often it is looked what globs stand for.
const LOOK_TIME: Duration = Duration::from_secs(10);

/// The shortest and the longest wait for a broker, in seconds; chance makes up to twice as much of it.
const WAIT_MIN: u32 = 1;
const WAIT_MAX: u32 = 30;

/// Where to publish, and as whom.
pub(crate) struct Broker {
    /// `HOST:PORT`.
    pub(crate) address: String,
    /// The board's name.
    pub(crate) board: String,
    /// User and password.
    pub(crate) login: Option<(String, String)>,
}

/// Publishes all streams of `sources` for ever.
pub(crate) async fn run(broker: Broker, sources: Rc<Sources>, ground: Ground) {
    let publisher = Rc::new(Publisher {
        address: broker.address,
        board: Board {
            name: broker.board,
            process: RandomState::new().build_hasher().finish(),
        },
        login: broker.login,
        sources,
        ground,
        streams: RefCell::default(),
        is_there: Cell::new(None),
        version: Cell::new(Version::Five),
    });
    let mut wait = WAIT_MIN;
    loop {
        let gone = publisher.connection().await;
        let was_there = publisher.is_there.get() == Some(true);
        let cause = match gone {
            Gone::OtherVersion if publisher.version.get() == Version::Five => {
                publisher.version.set(Version::Three);
                continue;
            }
            Gone::OtherVersion => "it knows neither MQTT 5 nor 3.1.1".to_owned(),
            Gone::TakenOver => {
                wait = WAIT_MAX;
                format!("another client is `{}` now", publisher.board.client())
            }
            Gone::Refused(cause) => cause,
            Gone::Away(cause) => {
                wait = if was_there { WAIT_MIN } else { wait };
                cause
            }
        };
        if !was_there {
            // The next one may be another.
            publisher.version.set(Version::Five);
        }
        publisher.tell(false, &format!("is away: {cause}"));
        Timer::after(jittered(wait)).await;
        wait = (wait * 2).min(WAIT_MAX);
    }
}

/// What lasts from one connection to the next.
struct Publisher {
    address: String,
    board: Board,
    login: Option<(String, String)>,
    sources: Rc<Sources>,
    ground: Ground,
    streams: RefCell<Vec<Rc<Stream>>>,
    /// Whether the broker was there when it was told last.
    is_there: Cell<Option<bool>>,
    version: Cell<Version>,
}

impl Publisher {
    /// One connection, to its end.
    async fn connection(self: &Rc<Self>) -> Gone {
        match self.greeted().await {
            Ok(client) => self.publish(client).await,
            Err(gone) => gone,
        }
    }

    async fn greeted(&self) -> Result<Rc<Client>, Gone> {
        let status = self.board.status();
        // The first connection takes the name; who comes again looks first whether another has taken it meanwhile.
        if self.is_there.get().is_some() && self.version.get() == Version::Five {
            let observer = self.greet(&self.board.observer(), None).await?;
            let kept = async { observer.kept(&status).await };
            let kept = kept.or(async { Err(observer.run().await) }).await?;
            if kept.is_some_and(|kept| self.board.is_taken(&kept)) {
                return Err(Gone::TakenOver);
            }
        }
        self.greet(&self.board.client(), Some(self.board.will(&status)))
            .await
    }

    async fn greet(&self, client: &str, will: Option<Message<'_>>) -> Result<Rc<Client>, Gone> {
        let hello = Hello {
            client,
            login: self.login.as_ref(),
            will,
            keep_alive: KEEP_ALIVE,
        };
        let late = async {
            Timer::after(CONNECT_TIME).await;
            Err(io::ErrorKind::TimedOut.into())
        };
        let socket = connect(&self.address).or(late).await?;
        Client::greet(socket, self.version.get(), hello).await
    }

    /// Publishes all streams on one connection.
    async fn publish(self: &Rc<Self>, client: Rc<Client>) -> Gone {
        self.tell(true, "is there");
        let (over, ends) = bounded(1);
        let publishing = async {
            let status = self.board.status();
            if let Err(gone) = client.publish(&status, ONLINE, self.board.words()).await {
                return gone;
            }
            // Dropped with the connection.
            let mut tasks: Vec<(Rc<Stream>, Task<()>)> = Vec::new();
            loop {
                self.sources.refresh().await;
                self.update();
                let streams = self.streams.borrow().clone();
                tasks.retain(|(stream, _)| streams.iter().any(|other| Rc::ptr_eq(stream, other)));
                for stream in streams {
                    if !tasks.iter().any(|(other, _)| Rc::ptr_eq(&stream, other)) {
                        let task =
                            self.clone()
                                .stream(stream.clone(), client.clone(), over.clone());
                        tasks.push((stream, self.ground.executor.spawn(task.boxed_local())));
                    }
                }
                Timer::after(LOOK_TIME).await;
            }
        };
        let ended = async {
            match ends.recv().await {
                Ok(gone) => gone,
                Err(_) => future::pending().await,
            }
        };
        client.run().or(ended).or(publishing).await
    }

    /// One stream on one connection: its lines, and what Home Assistant has to know of it.
    async fn stream(self: Rc<Self>, stream: Rc<Stream>, client: Rc<Client>, over: Sender<Gone>) {
        let announcing = async {
            match stream.announce(&client, &self.board).await {
                Ok(()) => future::pending().await,
                Err(gone) => gone,
            }
        };
        let gone = stream.publish(&client).or(announcing).await;
        // The first one tells; the others end for the same cause.
        let _ = over.try_send(gone);
    }

    /// Streams come and go with what globs stand for.
    fn update(&self) {
        let mut streams = self.streams.borrow_mut();
        let sources = self.sources.list();
        streams.retain(|stream| {
            sources
                .iter()
                .any(|source| Rc::ptr_eq(&stream.source, source))
        });
        for source in sources {
            if !streams
                .iter()
                .any(|stream| Rc::ptr_eq(&stream.source, &source))
            {
                let topic = self.board.topic(&source.name);
                streams.push(Rc::new(Stream::new(source, topic, &self.ground)));
            }
        }
    }

    /// One line on standard error each time the broker goes or comes.
    fn tell(&self, is_there: bool, what: &str) {
        if self.is_there.replace(Some(is_there)) != Some(is_there) {
            (self.ground.say)(&format!("the broker `{}` {what}", self.address));
        }
    }
}

/// The first of the broker's addresses that takes a connection.
async fn connect(address: &str) -> io::Result<Async<TcpStream>> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in smol::net::resolve(address).await? {
        match Async::<TcpStream>::connect(address).await {
            Ok(socket) => {
                // Lines go out at once.
                let _ = socket.get_ref().set_nodelay(true);
                return Ok(socket);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Between one and two times `seconds`: boards that lost their broker together do not come back together.
fn jittered(seconds: u32) -> Duration {
    let chance = RandomState::new().build_hasher().finish() % 1000;
    Duration::from_secs(u64::from(seconds)).mul_f64(1.0 + chance as f64 / 1000.0)
}
