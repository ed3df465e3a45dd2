//! One connection to a broker: the packets in order, and how many messages wait for its word.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use smol::lock::Mutex;
use smol::{Async, Timer};

use crate::bell::Bell;
use crate::engine::mqtt::packet::{self, Hello, Message, Reply, Retained, Version};
use crate::engine::status::Status;

/// How long the broker waits for a word of ours, in seconds, and half of it again; we ping twice as
/// often.
pub(crate) const KEEP_ALIVE: u16 = 30;

/// How long a broker has to answer: to a connection, to a greeting, to a ping.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Messages that the broker has not confirmed yet. More of them would not be faster in a home's
/// network, and each of them may come again after a cut.
pub(crate) const IN_FLIGHT: u16 = 20;

/// How much is read of the socket at once, in bytes: confirmations are four bytes each.
const CHUNK: usize = 2048;

/// Why a connection is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The broker can't be reached, or the connection broke.
    Away(String),
    /// It has something against us, which will not be over soon.
    Refused(String),
    /// It does not know this version of MQTT.
    OtherVersion,
    /// Another client has connected under our name.
    TakenOver,
}

impl From<io::Error> for Gone {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Away("it ended the connection".to_owned()),
            _ => Self::Away(error.to_string()),
        }
    }
}

fn not_mqtt(error: mqttbytes::Error) -> Gone {
    Gone::Away(format!("what it says is not MQTT: {error:?}"))
}

/// What is asked for a topic.
#[derive(Default)]
struct Question {
    kept: Option<Retained>,
    is_granted: Option<bool>,
    topic: String,
}

/// A greeted connection.
pub(crate) struct Client {
    /// Which MQTT is spoken on it.
    pub(crate) version: Version,
    socket: Async<TcpStream>,
    /// One packet after the other.
    sending: Mutex<()>,
    received: RefCell<BytesMut>,
    ids: Cell<u16>,
    /// How many more messages may go out before the first is confirmed.
    places: Cell<u16>,
    /// How many bytes of their files those stand for that are on their way; a broker confirms them
    /// in order.
    on_their_way: RefCell<VecDeque<u64>>,
    status: Rc<Status>,
    keep_alive: Duration,
    /// How many pings were sent, and answered.
    pings: Cell<u64>,
    pongs: Cell<u64>,
    asking: Mutex<()>,
    question: RefCell<Question>,
    /// Something was heard.
    heard: Rc<Bell>,
}

impl Client {
    /// Greets the broker at the other end of `socket`.
    ///
    /// # Errors
    /// When it does not take us.
    pub(crate) async fn greet(
        socket: Async<TcpStream>,
        version: Version,
        hello: Hello<'_>,
        status: &Rc<Status>,
    ) -> Result<Rc<Self>, Gone> {
        let mut client = Self {
            version,
            socket,
            sending: Mutex::default(),
            received: RefCell::default(),
            ids: Cell::new(0),
            places: Cell::new(IN_FLIGHT),
            on_their_way: RefCell::default(),
            status: status.clone(),
            keep_alive: Duration::from_secs(u64::from(KEEP_ALIVE)),
            pings: Cell::new(0),
            pongs: Cell::new(0),
            asking: Mutex::default(),
            question: RefCell::default(),
            heard: Rc::default(),
        };
        client
            .send(&packet::connect(version, hello).map_err(not_mqtt)?)
            .await?;
        let late = async {
            Timer::after(ANSWER_TIME).await;
            Err(Gone::Away(format!("no answer within {ANSWER_TIME:?}")))
        };
        let answer = client.receive().or(late).await;
        match answer {
            Ok(Reply::Welcome {
                in_flight,
                keep_alive,
            }) => {
                client.places.set(in_flight.clamp(1, IN_FLIGHT));
                if let Some(seconds) = keep_alive.filter(|&seconds| seconds > 0) {
                    client.keep_alive = Duration::from_secs(u64::from(seconds));
                }
                Ok(Rc::new(client))
            }
            Ok(Reply::Refused(reason)) => Err(Gone::Refused(reason)),
            Ok(Reply::OtherVersion) => Err(Gone::OtherVersion),
            Ok(_) => Err(Gone::Away(
                "it answers a greeting with something else".to_owned(),
            )),
            Err(gone) => Err(gone),
        }
    }

    /// Hears the broker and keeps the connection alive until it is over.
    pub(crate) async fn run(&self) -> Gone {
        let hearing = async {
            loop {
                match self.receive().await {
                    Ok(heard) => {
                        if let Some(gone) = self.hear(heard) {
                            return gone;
                        }
                    }
                    Err(gone) => return gone,
                }
            }
        };
        future::or(hearing, self.keep_alive()).await
    }

    /// Pings, and waits for each answer.
    async fn keep_alive(&self) -> Gone {
        loop {
            Timer::after(self.keep_alive / 2).await;
            let answered = async {
                let number = self.ping().await?;
                self.pong(number).await;
                Ok(())
            };
            let late = async {
                Timer::after(ANSWER_TIME).await;
                Err(Gone::Away(format!("no answer within {ANSWER_TIME:?}")))
            };
            if let Err(gone) = future::or(answered, late).await {
                return gone;
            }
        }
    }

    fn hear(&self, heard: Reply) -> Option<Gone> {
        match heard {
            Reply::Taken(_) => {
                self.places.set(self.places.get() + 1);
                let bytes = self.on_their_way.borrow_mut().pop_front();
                self.status.messages.add(1);
                self.status.bytes.add(bytes.unwrap_or_default());
            }
            Reply::Denied(_, reason) => {
                return Some(Gone::Refused(format!(
                    "it does not take a message: {reason}"
                )));
            }
            Reply::Subscribed => self.question.borrow_mut().is_granted = Some(true),
            Reply::NotSubscribed => self.question.borrow_mut().is_granted = Some(false),
            Reply::Retained(topic, kept) => {
                let mut question = self.question.borrow_mut();
                if question.topic == topic {
                    question.kept = Some(kept);
                }
            }
            Reply::Pong => self.pongs.set(self.pongs.get() + 1),
            Reply::TakenOver => return Some(Gone::TakenOver),
            Reply::Goodbye(code) => {
                return Some(Gone::Away(format!(
                    "it ended the connection, code {code:#x}"
                )));
            }
            Reply::Welcome { .. } | Reply::Refused(_) | Reply::OtherVersion | Reply::Other => {}
        }
        self.heard.ring();
        None
    }

    /// The message that the broker keeps of `topic`, if any.
    ///
    /// # Errors
    /// When the connection breaks, or the topic may not be read.
    pub(crate) async fn kept(&self, topic: &str) -> Result<Option<Retained>, Gone> {
        // One at a time: of several, the answer to a ping would not tell whose messages are all
        // there.
        let _asking = self.asking.lock().await;
        *self.question.borrow_mut() = Question {
            topic: topic.to_owned(),
            ..Question::default()
        };
        let id = self.id();
        self.send(&packet::subscribe(self.version, topic, id).map_err(not_mqtt)?)
            .await?;
        let is_granted = self.until(|| self.question.borrow().is_granted).await;
        if !is_granted {
            return Err(Gone::Refused(format!(
                "it does not let `{topic}` be read, which tells where to go on"
            )));
        }
        // What is kept comes before the answer to a ping that was sent after it was asked for.
        let number = self.ping().await?;
        self.pong(number).await;
        let id = self.id();
        self.send(&packet::unsubscribe(self.version, topic, id).map_err(not_mqtt)?)
            .await?;
        Ok(self.question.take().kept)
    }

    /// Publishes a message, which stands for so many bytes of a file, once there is a place for it;
    /// it is confirmed later.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn publish(
        &self,
        topic: &str,
        payload: &str,
        properties: Vec<(String, String)>,
        bytes: u64,
    ) -> Result<(), Gone> {
        self.until(|| {
            self.places
                .get()
                .checked_sub(1)
                .map(|left| self.places.set(left))
        })
        .await;
        let message = Message {
            topic,
            id: self.id(),
            payload,
            properties,
        };
        let packet = packet::publish(self.version, message).map_err(not_mqtt)?;
        let _sending = self.sending.lock().await;
        self.on_their_way.borrow_mut().push_back(bytes);
        self.write(&packet).await
    }

    async fn ping(&self) -> Result<u64, Gone> {
        let _sending = self.sending.lock().await;
        self.write(&packet::ping()).await?;
        self.pings.set(self.pings.get() + 1);
        Ok(self.pings.get())
    }

    async fn pong(&self, number: u64) {
        self.until(|| (self.pongs.get() >= number).then_some(()))
            .await;
    }

    /// Resolves once `look` finds something.
    async fn until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let mut heard = self.heard.listen();
        loop {
            if let Some(found) = look() {
                return found;
            }
            heard.rung().await;
        }
    }

    /// The next number. At most [`IN_FLIGHT`] are in use, so that none is used twice when they
    /// begin anew.
    fn id(&self) -> u16 {
        let id = self.ids.get().checked_add(1).unwrap_or(1);
        self.ids.set(id);
        id
    }

    async fn send(&self, packet: &[u8]) -> Result<(), Gone> {
        let _sending = self.sending.lock().await;
        self.write(packet).await
    }

    async fn write(&self, packet: &[u8]) -> Result<(), Gone> {
        Ok((&self.socket).write_all(packet).await?)
    }

    async fn receive(&self) -> Result<Reply, Gone> {
        loop {
            let heard = packet::read(self.version, &mut self.received.borrow_mut());
            if let Some(heard) = heard.map_err(not_mqtt)? {
                return Ok(heard);
            }
            let mut chunk = [0; CHUNK];
            match (&self.socket).read(&mut chunk).await? {
                0 => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                length => self
                    .received
                    .borrow_mut()
                    .extend_from_slice(&chunk[..length]),
            }
        }
    }
}
