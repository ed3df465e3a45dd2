//! Streams to the MQTT broker of a home, a line a message, and what Home Assistant has to know of
//! their numbers.
//!
//! The broker keeps the newest message of each topic, and beside it stands its place in the file:
//! so it is asked where to go on, and the board remembers nothing. While it is away nothing is kept
//! for it but the files themselves.

mod announce;
mod board;
mod cells;
mod client;
mod discovery;
mod numbers;
mod packet;
mod position;
mod publish;
mod template;
mod units;

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{FutureExt, future};
use smol::channel::{Sender, bounded};
use smol::{Task, Timer};

use crate::engine::Engine;
use crate::engine::backoff::Backoff;
use crate::engine::mqtt::board::{Board, ONLINE};
use crate::engine::mqtt::client::{Client, Gone, KEEP_ALIVE};
use crate::engine::mqtt::packet::{Hello, Message, Version};
use crate::engine::mqtt::publish::Stream;
use crate::engine::socket;
use crate::engine::status::Status;
use crate::engine::target::{Login, Target};
use crate::source::{Runtime, Sources};

/// How long a broker's address has to take a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How often it is looked what globs stand for.
const LOOK_TIME: Duration = Duration::from_secs(10);

/// Publishes all streams of `sources` for ever.
pub(crate) async fn run(
    engine: Engine,
    sources: Rc<Sources>,
    runtime: Runtime,
    status: Rc<Status>,
) {
    let login = engine.login.map(|login| match login {
        Login::User(user, password) => (user, password),
        // As brokers that know tokens take them.
        Login::Token(token) => (String::new(), token),
    });
    let publisher = Rc::new(Publisher {
        target: engine.target,
        board: Board {
            name: engine.board,
            process: RandomState::new().build_hasher().finish(),
        },
        login,
        sources,
        runtime,
        status,
        streams: RefCell::default(),
        was_there: Cell::new(false),
        version: Cell::new(Version::Five),
    });
    let mut backoff = Backoff::default();
    loop {
        let is_there = Cell::new(false);
        let cause = match publisher.connection(&is_there).await {
            Gone::OtherVersion if publisher.version.get() == Version::Five => {
                publisher.version.set(Version::Three);
                continue;
            }
            Gone::OtherVersion => "it knows neither MQTT 5 nor 3.1.1".to_owned(),
            Gone::TakenOver => format!("another client is `{}` now", publisher.board.client()),
            Gone::Refused(cause) => cause,
            Gone::Away(cause) => {
                if is_there.get() {
                    backoff.reset();
                }
                cause
            }
        };
        if !is_there.get() {
            // The next one may be another.
            publisher.version.set(Version::Five);
        }
        publisher.status.away(&cause);
        Timer::after(backoff.wait()).await;
    }
}

/// What lasts from one connection to the next.
struct Publisher {
    target: Target,
    board: Board,
    login: Option<(String, String)>,
    sources: Rc<Sources>,
    runtime: Runtime,
    status: Rc<Status>,
    streams: RefCell<Vec<Rc<Stream>>>,
    /// This process was greeted under the board's name.
    was_there: Cell<bool>,
    version: Cell<Version>,
}

impl Publisher {
    /// One connection, to its end.
    async fn connection(self: &Rc<Self>, is_there: &Cell<bool>) -> Gone {
        match self.greeted().await {
            Ok(client) => {
                is_there.set(true);
                self.was_there.set(true);
                self.status.here(&self.target);
                self.publish(client).await
            }
            Err(gone) => gone,
        }
    }

    async fn greeted(&self) -> Result<Rc<Client>, Gone> {
        let status = self.board.status();
        if self.version.get() == Version::Five {
            // Without a will, for a broker that knows no MQTT 5 may stumble over it before it says
            // so.
            let observer = self.greet(&self.board.observer(), None).await?;
            // The first connection takes the name; who comes again looks first whether another has
            // taken it meanwhile.
            if self.was_there.get() {
                let kept = async { observer.kept(&status).await };
                let kept = kept.or(async { Err(observer.run().await) }).await?;
                if kept.is_some_and(|kept| self.board.is_taken(&kept)) {
                    return Err(Gone::TakenOver);
                }
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
        let socket = socket::connect(&self.target).or(late).await?;
        Client::greet(socket, self.version.get(), hello, &self.status).await
    }

    /// Publishes all streams on one connection.
    async fn publish(self: &Rc<Self>, client: Rc<Client>) -> Gone {
        let (over, ends) = bounded(1);
        let publishing = async {
            let status = self.board.status();
            if let Err(gone) = client.publish(&status, ONLINE, self.board.words(), 0).await {
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
                        tasks.push((stream, self.runtime.executor.spawn(task.boxed_local())));
                    }
                }
                if self.sources.is_fixed() {
                    future::pending::<()>().await;
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
                streams.push(Rc::new(Stream::new(
                    source,
                    topic,
                    &self.runtime,
                    &self.status,
                )));
            }
        }
    }
}
