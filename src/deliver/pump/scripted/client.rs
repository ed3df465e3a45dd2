//! A client that takes what the script lets it take, and says what the script lets it say.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_lite::FutureExt;
use futures_lite::future::BoxedLocal;

use crate::bytes::lines::Splitter;
use crate::deliver::transport::Transport;
use crate::metrics::End;
use crate::source::cache::CHUNK;
use crate::source::marker::Marker;

/// How many pings the scripted client may leave unanswered.
const UNANSWERED_MAX: u32 = 2;

/// What a client says.
#[derive(Clone, Copy, Debug)]
pub(in crate::deliver::pump) enum Say {
    /// That it is there.
    Pong,
    /// That it wants to be answered.
    Ping,
    /// That it leaves.
    Bye,
    /// What breaks a rule.
    Wrong(u16),
}

/// How a client wants to be told.
#[derive(Clone, Copy, Debug)]
pub(in crate::deliver::pump) enum Form {
    /// The bytes as they come.
    Bytes,
    /// Lines, in brackets.
    Lines,
    /// Pieces of at most so many bytes, a bar behind each.
    Most(usize),
    /// All at once, and sent by and by in pieces of so many bytes, a bar behind each.
    Later(usize),
}

/// The client's end of the connection.
pub(super) struct Peer {
    pub(super) room: usize,
    pub(super) taken: Vec<u8>,
    pub(super) waiting: Vec<u8>,
    pub(super) broken: Option<io::ErrorKind>,
    pub(super) says: VecDeque<Say>,
    pub(super) waker: Option<Waker>,
}

impl Peer {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A chunk, and an answer or a ping before it.
        assert!(
            self.waiting.len() + bytes.len() <= CHUNK + 64,
            "too much waits"
        );
        self.waiting.extend_from_slice(bytes);
        self.take()
    }

    fn take(&mut self) -> io::Result<()> {
        if let Some(kind) = self.broken {
            return Err(kind.into());
        }
        let most = self.room.min(self.waiting.len());
        self.room -= most;
        self.taken.extend(self.waiting.drain(..most));
        Ok(())
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The transport to it.
pub(super) struct Client {
    pub(super) peer: Rc<RefCell<Peer>>,
    pub(super) form: Form,
    pub(super) splitter: Splitter,
    pub(super) later: Vec<u8>,
    pub(super) unanswered: u32,
}

impl Client {
    fn send(&self, text: &str) -> io::Result<()> {
        self.peer.borrow_mut().send(text.as_bytes())
    }

    fn piece(&self, bytes: &[u8]) -> io::Result<()> {
        self.peer.borrow_mut().send(&[bytes, b"|"].concat())
    }
}

impl Transport for Client {
    fn most(&self, bytes: &[u8]) -> usize {
        match self.form {
            Form::Most(most) => bytes.len().min(most),
            _ => bytes.len(),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.form {
            Form::Bytes => self.peer.borrow_mut().send(bytes),
            Form::Most(_) => self.piece(bytes),
            Form::Later(_) => {
                assert!(
                    self.later.is_empty(),
                    "the rest goes out before more is read"
                );
                self.later.extend_from_slice(bytes);
                Ok(())
            }
            Form::Lines => {
                let mut lines = String::new();
                self.splitter
                    .push(bytes, |line, _| lines += &format!("[{line}]"));
                self.send(&lines)
            }
        }
    }

    fn more(&mut self) -> io::Result<bool> {
        match self.form {
            Form::Later(most) if !self.later.is_empty() => {
                let most = most.min(self.later.len());
                let piece: Vec<u8> = self.later.drain(..most).collect();
                self.piece(&piece).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    fn marker(&mut self, marker: &Marker) -> io::Result<()> {
        match marker {
            Marker::Lost(_, Some(bytes)) => self.send(&format!("<lost {bytes}>")),
            _ => self.send(&format!("<{}>", marker.name())),
        }
    }

    fn beat(&mut self) -> io::Result<Option<End>> {
        if self.unanswered >= UNANSWERED_MAX {
            return Ok(Some(End::Silent));
        }
        self.unanswered += 1;
        self.send("<ping>").map(|()| None)
    }

    fn held(&self) -> Option<u64> {
        self.splitter.held()
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut lines = String::new();
        self.splitter.flush(|line, _| lines += &format!("[{line}]"));
        self.send(&lines)
    }

    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<End>>> {
        let mut peer = self.peer.borrow_mut();
        let Some(say) = peer.says.pop_front() else {
            peer.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        self.unanswered = 0;
        Poll::Ready(match say {
            Say::Pong => Ok(None),
            Say::Ping => peer.send(b"<pong>").map(|()| None),
            Say::Bye => Ok(Some(End::Left)),
            Say::Wrong(code) => Ok(Some(End::Broken(code))),
        })
    }

    fn caught_up(&mut self) {
        self.unanswered = 0;
    }

    fn is_drained(&self) -> bool {
        self.peer.borrow().waiting.is_empty()
    }

    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut peer = self.peer.borrow_mut();
        peer.take()?;
        if peer.waiting.is_empty() {
            return Poll::Ready(Ok(()));
        }
        peer.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn leave(self: Box<Self>, _: End) -> BoxedLocal<()> {
        async {}.boxed_local()
    }
}
