//! A reader's bytes and markers into WebSocket messages (section 4 of the design), and the heartbeat.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_lite::{Stream, future};
use smol::Timer;

use super::event;
use super::session::{CloseCode, Heard, Session, frame_text};
use crate::lines::Splitter;
use crate::server::Site;
use crate::source::reader::{Marker, Next, Reader};

/// The subprotocol for exact clients: the file's bytes, and events.
pub const PROTOCOL: &str = "tailcast.v1";

/// How long the start of a line waits for its end in the text form.
const HALF_LINE_TIME: Duration = Duration::from_secs(1);

/// How many pings a client may leave unanswered.
const SILENT_BEATS: u32 = 3;

/// The two ways to say what a file holds.
enum Form {
    /// `tailcast.v1`: binary messages and events.
    Exact,
    /// One line, one text message.
    Text(Splitter),
}

/// Why a session ended, as far as the client can still be told.
enum End {
    Close(CloseCode, &'static str),
    Gone,
}

/// What a turn at the reader gave.
enum Carried {
    Something,
    Nothing,
    Cold,
}

/// What ended a wait.
enum Woken {
    Heard(Heard),
    Changed,
    Beat,
    HalfLine,
    Shutdown,
}

/// Streams to one client until either side ends it. `opening` is the `open` event for an exact client.
pub async fn serve(site: &Site, mut session: Session, reader: Reader, opening: Option<String>) {
    let end = stream(site, &mut session, reader, opening).await;
    match end {
        Ok(End::Close(code, reason)) => session.close(code, reason).await,
        Ok(End::Gone) => session.end().await,
        // 60 s without taking a message: the close has to wait behind that message, so only the end of the connection tells.
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
        Err(_) if session.is_drained() => {
            session
                .close(CloseCode::Error, "the file can't be read")
                .await
        }
        Err(_) => {}
    }
}

async fn stream(
    site: &Site,
    session: &mut Session,
    mut reader: Reader,
    opening: Option<String>,
) -> io::Result<End> {
    let mut form = match &opening {
        Some(_) => Form::Exact,
        None => Form::Text(Splitter::default()),
    };
    if let Some(open) = opening {
        session.send_text(&open)?;
    }
    let mut beats = pin!(site.beats());
    // Pings since the client was last heard, or last took something that it had been slow to take.
    let mut unanswered = 0;
    let mut half_line: Option<Timer> = None;
    let mut shutdown = pin!(site.shutdown.wait());
    loop {
        let changed = match form.carry(site, session, &mut reader, &mut half_line)? {
            Carried::Nothing => Some(reader.changed()),
            Carried::Something => None,
            Carried::Cold => {
                reader.warm().await?;
                None
            }
        };
        if !session.is_drained() {
            // Backpressure: nothing more is read, of the file or of the client, until this is taken.
            let drained = async { session.drained().await.map(|()| true) };
            let stopped = async {
                shutdown.as_mut().await;
                Ok(false)
            };
            if !future::or(drained, stopped).await? {
                return Ok(End::Close(CloseCode::Away, "shutting down"));
            }
            unanswered = 0;
        }
        let woken = match changed {
            None => {
                // One that catches up lets the others go first after each piece.
                future::yield_now().await;
                match poll_fn(|cx| Poll::Ready(session.poll_heard(cx))).await {
                    Poll::Ready(heard) => Woken::Heard(heard),
                    Poll::Pending => continue,
                }
            }
            Some(mut changed) => {
                poll_fn(|cx| {
                    if std::pin::Pin::new(&mut changed).poll(cx).is_ready() {
                        return Poll::Ready(Woken::Changed);
                    }
                    if let Poll::Ready(heard) = session.poll_heard(cx) {
                        return Poll::Ready(Woken::Heard(heard));
                    }
                    if beats.as_mut().poll_next(cx).is_ready() {
                        return Poll::Ready(Woken::Beat);
                    }
                    if half_line
                        .as_mut()
                        .is_some_and(|timer| std::pin::Pin::new(timer).poll(cx).is_ready())
                    {
                        return Poll::Ready(Woken::HalfLine);
                    }
                    shutdown.as_mut().poll(cx).map(|()| Woken::Shutdown)
                })
                .await
            }
        };
        match woken {
            Woken::Changed => {}
            Woken::Heard(Heard::Text(text)) => {
                unanswered = 0;
                form.answer(session, &text)?;
            }
            Woken::Heard(Heard::Else) => unanswered = 0,
            Woken::Heard(Heard::Broken(code)) => return Ok(End::Close(code, "")),
            Woken::Heard(Heard::Gone) => return Ok(End::Gone),
            Woken::Beat if unanswered >= SILENT_BEATS => {
                return Ok(End::Close(CloseCode::Policy, "silent"));
            }
            Woken::Beat => {
                unanswered += 1;
                session.send_ping()?;
            }
            Woken::HalfLine => {
                half_line = None;
                form.flush(site, session)?;
            }
            Woken::Shutdown => return Ok(End::Close(CloseCode::Away, "shutting down")),
        }
    }
}

impl Form {
    /// Takes what the reader has next and sends it as far as the socket takes it. Nothing awaits in here: all clients
    /// share the scratch buffer.
    fn carry(
        &mut self,
        site: &Site,
        session: &mut Session,
        reader: &mut Reader,
        half_line: &mut Option<Timer>,
    ) -> io::Result<Carried> {
        let mut scratch = site.scratch.borrow_mut();
        match reader.next(&mut scratch)? {
            Next::Bytes => match self {
                Self::Exact => session.send_binary(scratch.bytes())?,
                Self::Text(splitter) => {
                    let frames = &mut *site.frames.borrow_mut();
                    frames.clear();
                    splitter.push(scratch.bytes(), |line| frame_text(frames, line));
                    if !frames.is_empty() {
                        *half_line = None;
                    }
                    session.send_framed(frames)?;
                }
            },
            Next::Marker(marker) => match self {
                Self::Exact => session.send_text(&event::marker(&marker))?,
                Self::Text(splitter) => {
                    if !matches!(marker, Marker::Missing | Marker::Found) {
                        // Another file begins: what is held of a line has no end to wait for.
                        let frames = &mut *site.frames.borrow_mut();
                        frames.clear();
                        splitter.finish(|line| frame_text(frames, line));
                        session.send_framed(frames)?;
                    }
                }
            },
            Next::Cold => return Ok(Carried::Cold),
            Next::End => {
                if let Self::Text(splitter) = self
                    && splitter.holds()
                    && half_line.is_none()
                {
                    *half_line = Some(Timer::after(HALF_LINE_TIME));
                }
                return Ok(Carried::Nothing);
            }
        }
        Ok(Carried::Something)
    }

    /// Passes on the start of a line that has waited long enough.
    fn flush(&mut self, site: &Site, session: &mut Session) -> io::Result<()> {
        let Self::Text(splitter) = self else {
            return Ok(());
        };
        let frames = &mut *site.frames.borrow_mut();
        frames.clear();
        splitter.flush(|line| frame_text(frames, line));
        session.send_framed(frames)
    }

    fn answer(&self, session: &mut Session, text: &str) -> io::Result<()> {
        match self {
            Self::Exact if event::is_ping(text) => session.send_text(&event::pong()),
            Self::Text(_) if text == "ping" => session.send_text("pong"),
            _ => Ok(()),
        }
    }
}
