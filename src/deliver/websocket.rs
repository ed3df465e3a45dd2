//! A stream over WebSocket, in its two forms (section 4 of the design), written on the [`Session`]
//! that others can use, too.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_lite::FutureExt;
use futures_lite::future::BoxedLocal;

use crate::bytes::lines::Splitter;
use crate::deliver::Context as Shared;
use crate::deliver::event;
use crate::deliver::frames::Frames;
use crate::deliver::matching::{Pattern, matching};
use crate::deliver::pump::pump;
use crate::deliver::transport::Transport;
use crate::metrics::End;
use crate::source::marker::Marker;
use crate::source::reader::Reader;
use crate::websocket::session::{CloseCode, Message, Received, Session};

/// The subprotocol for exact clients: the file's bytes, and events.
pub(crate) const PROTOCOL: &str = "tailcast.v1";

/// How many pings a client may leave unanswered.
const UNANSWERED_MAX: u32 = 3;

/// How a client wants to be told.
pub(crate) enum Form {
    /// `tailcast.v1`: binary messages and events; first of all this `open` event.
    Exact(String),
    /// One line, one text message.
    Text(Splitter),
}

struct WebSocket {
    shared: Rc<Shared>,
    session: Session,
    form: Form,
    /// Which filling of the cache the bytes are that come next.
    filling: Option<u64>,
    /// Pings since the client was last heard, or last took something that it had been slow to take.
    unanswered: u32,
}

/// Streams to one client until either side ends it.
pub(crate) fn serve(
    shared: Rc<Shared>,
    session: Session,
    reader: Reader,
    form: Form,
    pattern: Option<Rc<Pattern>>,
) -> impl Future<Output = End> {
    let client = Box::new(WebSocket {
        shared: shared.clone(),
        session,
        form,
        filling: None,
        unanswered: 0,
    });
    let client = matching(client, pattern, reader.line_end());
    pump(shared, client, reader)
}

async fn take_leave(session: Session, end: End) {
    match closing(end) {
        Some((code, reason)) => session.close(code, reason).await,
        None if end == End::Left => session.finish().await,
        None => {}
    }
}

/// How a client that has not closed is closed: the code, and the reason for people. `None`: not at
/// all.
pub(crate) fn closing(end: End) -> Option<(CloseCode, &'static str)> {
    match end {
        End::Broken(code) => Some((code.into(), "")),
        End::Silent => Some((CloseCode::Policy, "silent")),
        End::Shutdown => Some((CloseCode::Away, "shutting down")),
        End::Unreadable => Some((CloseCode::Error, "the file can't be read")),
        // It stands behind the message that was not taken, and arrives if the client takes that in
        // a moment.
        End::Slow => Some((CloseCode::Policy, "too slow")),
        End::Left | End::Reset => None,
    }
}

impl WebSocket {
    /// Sends the lines that `make` makes, as one write.
    fn lines(&mut self, make: impl FnOnce(&mut Frames, &mut Splitter)) -> io::Result<()> {
        let Form::Text(splitter) = &mut self.form else {
            return Ok(());
        };
        let mut frames = self.shared.frames.borrow_mut();
        make(&mut frames, splitter);
        self.shared.metrics.lines.add(frames.lines());
        self.session.offer_framed(frames.bytes())
    }
}

impl Transport for WebSocket {
    fn open(&mut self) -> io::Result<()> {
        match &self.form {
            Form::Exact(open) => self.session.offer_text(open),
            Form::Text(_) => Ok(()),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let filling = self.filling.take();
        match self.form {
            Form::Exact(_) => self.session.offer_binary(bytes),
            Form::Text(_) => self.lines(|frames, splitter| frames.push(splitter, bytes, filling)),
        }
    }

    fn place(&mut self, _: (u64, u64), filling: u64) {
        self.filling = Some(filling);
    }

    fn marker(&mut self, marker: &Marker) -> io::Result<()> {
        match self.form {
            Form::Exact(_) => self.session.offer_text(&event::marker(marker)),
            Form::Text(_) if matches!(marker, Marker::Missing(..) | Marker::Found) => Ok(()),
            // Another file begins: what is held of a line has no end to wait for.
            Form::Text(_) => self.lines(|frames, splitter| {
                frames.make(|line| splitter.finish(line));
                if let Some(cursor) = marker.cursor() {
                    splitter.begin(cursor.offset);
                }
            }),
        }
    }

    fn beat(&mut self) -> io::Result<Option<End>> {
        if self.unanswered >= UNANSWERED_MAX {
            return Ok(Some(End::Silent));
        }
        self.unanswered += 1;
        self.session.offer_ping().map(|()| None)
    }

    fn held(&self) -> Option<u64> {
        match &self.form {
            Form::Text(splitter) => splitter.held(),
            Form::Exact(_) => None,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines(|frames, splitter| frames.make(|line| splitter.flush(line)))
    }

    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<End>>> {
        self.session.poll_heard(cx).map(|heard| {
            self.unanswered = 0;
            match (heard, &self.form) {
                (Received::Message(Message::Text(text)), Form::Exact(_))
                    if event::is_ping(&text) =>
                {
                    self.session.offer_text(&event::pong())?;
                }
                (Received::Message(Message::Text(text)), Form::Text(_)) if text == "ping" => {
                    self.session.offer_text("pong")?;
                }
                (Received::Broken(code), _) => return Ok(Some(End::Broken(code.into()))),
                (Received::Gone, _) => return Ok(Some(End::Left)),
                _ => {}
            }
            Ok(None)
        })
    }

    fn caught_up(&mut self) {
        self.unanswered = 0;
    }

    fn is_drained(&self) -> bool {
        self.session.is_drained()
    }

    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.session.wire().poll_drained(cx)
    }

    fn leave(self: Box<Self>, end: End) -> BoxedLocal<()> {
        take_leave(self.session, end).boxed_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::session::MESSAGE_MAX;
    use std::io::Read;
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn each_end_as_the_client_sees_it() {
        for (end, want) in [
            (End::Left, &b""[..]),
            (End::Broken(1002), b"\x88\x02\x03\xea"),
            (End::Broken(1009), b"\x88\x02\x03\xf1"),
            (End::Silent, b"\x88\x08\x03\xf0silent"),
            (End::Shutdown, b"\x88\x0f\x03\xe9shutting down"),
            (End::Unreadable, b"\x88\x18\x03\xf3the file can't be read"),
            (End::Slow, b"\x88\x0a\x03\xf0too slow"),
            (End::Reset, b""),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let socket = smol::Async::new(listener.accept().unwrap().0).unwrap();
            let reads = thread::spawn(move || {
                let mut got = vec![0; want.len()];
                client.read_exact(&mut got).unwrap();
                client.shutdown(Shutdown::Write).unwrap();
                client.read_to_end(&mut got).unwrap();
                got
            });
            smol::block_on(async {
                let session = Session::new(socket, Vec::new(), MESSAGE_MAX).await;
                take_leave(session, end).await;
            });
            assert_eq!(reads.join().unwrap(), want, "{end:?}");
        }
    }
    /// One that is let go for being slow, and takes what waited in the moment that it still has,
    /// learns why.
    #[test]
    fn who_was_slow_learns_it_behind_what_waited() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = smol::Async::new(listener.accept().unwrap().0).unwrap();
        smol::block_on(async {
            let mut session = Session::new(socket, Vec::new(), MESSAGE_MAX).await;
            let mut sent = 0;
            while session.is_drained() {
                session.offer_binary(&[7; 64 * 1024]).unwrap();
                sent += 10 + 64 * 1024;
            }
            let reads = thread::spawn(move || {
                let mut got = Vec::new();
                client
                    .set_read_timeout(Some(Duration::from_secs(30)))
                    .unwrap();
                client.read_to_end(&mut got).unwrap();
                got
            });
            take_leave(session, End::Slow).await;
            let got = reads.join().unwrap();
            assert_eq!(&got[sent..], b"\x88\x0a\x03\xf0too slow");
        });
    }
}
