//! One connection to a server: requests and their answers, subscriptions, and its end.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncWriteExt, future};
use smol::channel::{Sender, bounded};
use smol::lock::Mutex;
use smol::{Async, Timer};

use crate::bell::Bell;
use crate::engine::nats::dial::{CHUNK, INBOX, dial, read};
use crate::engine::nats::failure::{Failure, refusal, too_large};
use crate::engine::nats::members::Members;
use crate::engine::nats::protocol::{Headers, Info, Message, Op, parse};
use crate::engine::nats::say;
use crate::engine::target::{Login, Target};

/// How long an answer is waited for: a batch may have to go over a slow uplink first.
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// How long a server may take over what is sent to it.
const SEND_TIME: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    headers: Vec<u8>,
    /// Its payload.
    pub payload: Vec<u8>,
}

impl Reply {
    /// What stands before the payload.
    pub(crate) fn headers(&self) -> Headers<'_> {
        Headers(&self.headers)
    }
}

/// Who waits for an answer.
struct Question {
    /// What was asked.
    subject: String,
    answer: Sender<Result<Reply, Failure>>,
}

/// Takes the messages of one subscription; nothing waits in between.
type Handler = Rc<dyn Fn(&Message<'_>)>;

/// A connection. [`run`](Self::run) must be polled for anything to come.
pub(crate) struct Client {
    /// Where it goes.
    pub server: Target,
    members: Rc<Members>,
    socket: Async<TcpStream>,
    /// What the server is.
    pub info: Info,
    /// One frame at a time.
    writing: Mutex<()>,
    inbox: String,
    next: Cell<u64>,
    questions: RefCell<HashMap<u64, Question>>,
    handlers: RefCell<HashMap<u64, Handler>>,
    over: RefCell<Option<Failure>>,
    ended: Rc<Bell>,
    /// What was read and not yet looked at.
    unread: RefCell<Vec<u8>>,
}

impl Client {
    /// Connects to the first of `members` that is there; `name` is what the server's monitoring
    /// shows, and a part of the inbox's subject.
    pub(crate) async fn connect(
        members: &Rc<Members>,
        login: Option<&Login>,
        name: &str,
    ) -> Result<Rc<Self>, Failure> {
        let mut untried = members.count();
        let (server, greeted) = loop {
            let server = members.next();
            untried -= 1;
            match dial(&server, login, name).await {
                Ok(greeted) => break (server, greeted),
                Err(Failure::Away(_)) if untried > 0 => {}
                Err(failure) => return Err(failure),
            }
        };
        members.learn(&greeted.info);
        Ok(Rc::new(Self {
            server,
            members: members.clone(),
            socket: greeted.socket,
            info: greeted.info,
            writing: Mutex::new(()),
            inbox: greeted.inbox,
            next: Cell::new(INBOX + 1),
            questions: RefCell::default(),
            handlers: RefCell::default(),
            over: RefCell::default(),
            ended: Rc::default(),
            unread: RefCell::new(greeted.unread),
        }))
    }

    /// Takes what the server says, until the connection is over; tells why.
    pub(crate) async fn run(&self) -> Failure {
        let reading = async {
            match self.read().await {
                Ok(never) => never,
                Err(failure) => failure,
            }
        };
        let failure = future::or(self.over(), reading).await;
        self.end(failure.clone());
        for (_, question) in self.questions.borrow_mut().drain() {
            let _ = question.answer.try_send(Err(failure.clone()));
        }
        failure
    }

    async fn read(&self) -> Result<Failure, Failure> {
        let mut unread = std::mem::take(&mut *self.unread.borrow_mut());
        let mut skip = 0;
        loop {
            let mut at = 0;
            let mut pings = 0;
            loop {
                let left = unread.len() - at;
                let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(left);
                (at, skip) = (at + passed, skip - passed as u64);
                let Some((op, length)) = parse(&unread[at..])?.filter(|_| skip == 0) else {
                    break;
                };
                match op {
                    Op::Message(message) => self.take(&message),
                    Op::TooLarge(subject, sid, follow) => {
                        skip = follow;
                        self.answer(subject, sid, || Err(too_large()));
                    }
                    Op::Ping => pings += 1,
                    Op::Error(text) => self.hear(text)?,
                    Op::Info(text) => self.members.learn(&Info::parse(text)?),
                    Op::Pong | Op::Ok => {}
                }
                at += length;
            }
            unread.drain(..at);
            if pings > 0 {
                self.send(&[b"PONG\r\n"]).await?;
            }
            // One large message leaves its room behind.
            unread.shrink_to(CHUNK);
            read(&mut &self.socket, &mut unread).await?;
        }
    }

    fn take(&self, message: &Message<'_>) {
        if message.sid == INBOX {
            self.answer(message.subject, INBOX, || {
                Ok(Reply {
                    headers: message.headers.0.to_vec(),
                    payload: message.payload.to_vec(),
                })
            });
            return;
        }
        let handler = self.handlers.borrow().get(&message.sid).cloned();
        if let Some(handler) = handler {
            handler(message);
        }
    }

    /// Gives the answer to the question whose inbox `subject` is.
    fn answer(&self, subject: &str, sid: u64, reply: impl FnOnce() -> Result<Reply, Failure>) {
        let number = subject
            .strip_prefix(&self.inbox)
            .and_then(|text| text.parse().ok());
        let question = number
            .filter(|_| sid == INBOX)
            .and_then(|number| self.questions.borrow_mut().remove(&number));
        if let Some(question) = question {
            let _ = question.answer.try_send(reply());
        }
    }

    /// What the server has against us. Of what we may not publish, only the question fails.
    fn hear(&self, text: &str) -> Result<(), Failure> {
        let subject = text
            .strip_prefix("Permissions Violation for Publish to \"")
            .and_then(|rest| rest.split('"').next());
        let Some(subject) = subject else {
            return Err(refusal(text));
        };
        self.questions.borrow_mut().retain(|_, question| {
            let is_it = undomained(&question.subject) == undomained(subject);
            if is_it {
                let _ = question.answer.try_send(Err(Failure::Refused(format!(
                    "this user may not publish to `{subject}` there; its permissions must allow it"
                ))));
            }
            !is_it
        });
        Ok(())
    }

    /// Asks `subject`, and waits for the answer.
    pub(crate) async fn request(
        &self,
        subject: &str,
        headers: &[(&str, String)],
        payload: &[u8],
    ) -> Result<Reply, Failure> {
        if let Some(over) = &*self.over.borrow() {
            return Err(over.clone());
        }
        let number = self.next.replace(self.next.get() + 1);
        let (answer, answered) = bounded(1);
        let question = Question {
            subject: subject.to_owned(),
            answer,
        };
        self.questions.borrow_mut().insert(number, question);
        let _forgotten = Forget(self, number);
        let head = say::publish(
            subject,
            &format!("{}{number}", self.inbox),
            headers,
            payload.len(),
        );
        self.send(&[head.as_bytes(), payload, b"\r\n"]).await?;
        let answered = async {
            let gone = || Failure::Away("the connection is over".to_owned());
            answered.recv().await.map_err(|_| gone())?
        };
        let late = async {
            Timer::after(ANSWER_TIME).await;
            let failure = Failure::Away(format!("no answer in {} s", ANSWER_TIME.as_secs()));
            // What was asked may be done yet: nothing more is to come over this connection.
            self.end(failure.clone());
            Err(failure)
        };
        future::or(answered, late).await
    }

    /// From now on, what is published to `subject` goes to `handler`. Returns the subscription's
    /// number.
    pub(crate) async fn subscribe(
        &self,
        subject: &str,
        handler: impl Fn(&Message<'_>) + 'static,
    ) -> Result<u64, Failure> {
        let sid = self.next.replace(self.next.get() + 1);
        self.handlers.borrow_mut().insert(sid, Rc::new(handler));
        self.send(&[say::subscribe(subject, sid).as_bytes()])
            .await?;
        Ok(sid)
    }

    /// Ends a subscription.
    pub(crate) async fn unsubscribe(&self, sid: u64) -> Result<(), Failure> {
        self.handlers.borrow_mut().remove(&sid);
        self.send(&[say::unsubscribe(sid).as_bytes()]).await
    }

    /// Sends a frame. One that is not sent whole ends the connection, so that nothing can come
    /// behind half of it.
    async fn send(&self, parts: &[&[u8]]) -> Result<(), Failure> {
        let _turn = self.writing.lock().await;
        if let Some(over) = &*self.over.borrow() {
            return Err(over.clone());
        }
        let whole = Whole(self);
        let sending = async {
            let mut socket = &self.socket;
            for part in parts {
                socket.write_all(part).await?;
            }
            Ok(())
        };
        let late = async {
            Timer::after(SEND_TIME).await;
            Err(io::ErrorKind::TimedOut.into())
        };
        let sent: io::Result<()> = future::or(sending, late).await;
        if sent.is_ok() {
            std::mem::forget(whole);
        }
        sent.map_err(|error| Failure::io(&error))
    }

    /// Ends the connection, for this cause unless there is one.
    pub(crate) fn end(&self, failure: Failure) {
        let mut over = self.over.borrow_mut();
        if over.is_none() {
            *over = Some(failure);
            let _ = self.socket.get_ref().shutdown(std::net::Shutdown::Both);
            self.ended.ring();
        }
    }

    /// Resolves when the connection is over, with the cause.
    pub(crate) async fn over(&self) -> Failure {
        let mut ended = self.ended.listen();
        loop {
            if let Some(failure) = &*self.over.borrow() {
                return failure.clone();
            }
            ended.rung().await;
        }
    }
}

/// What is asked of JetStream, whatever it is called: behind a leaf node a server names the one
/// that it asks by its domain.
fn undomained(subject: &str) -> &str {
    let asked = subject.strip_prefix("$JS.");
    let asked = asked.and_then(|rest| rest.split_once("API."));
    asked.map_or(subject, |(_, asked)| asked)
}

/// Nobody waits any more.
struct Forget<'a>(&'a Client, u64);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.questions.borrow_mut().remove(&self.1);
    }
}

/// A frame that is being sent; dropped with half of it sent, the connection is over.
struct Whole<'a>(&'a Client);

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        self.0
            .end(Failure::Away("it takes nothing more".to_owned()));
    }
}
