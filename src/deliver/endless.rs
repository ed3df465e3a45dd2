//! Answers without an end, over plain HTTP: the file's bytes for `curl -N`, and server-sent events
//! for `EventSource`.

mod events;

pub(crate) use events::Events;

use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_lite::FutureExt;
use futures_lite::future::BoxedLocal;
use smol::Async;

use crate::deliver::Context as Shared;
use crate::deliver::matching::{Pattern, Sifted, matching};
use crate::deliver::pump::pump;
use crate::deliver::transport::Transport;
use crate::http::close::part;
use crate::http::response::Fields;
use crate::metrics::End;
use crate::source::marker::Marker;
use crate::source::reader::Reader;
use crate::websocket::socket::Wire;

/// How long a browser should wait before it connects again, in milliseconds. Its own default is
/// some seconds.
const RETRY: u32 = 1000;

/// The most lines that are made into events at once. Each has some fifty bytes beside its own, and
/// all of it is held for a client that takes nothing: so it is about as much as of any other form,
/// 64 KiB.
const LINES_MAX: usize = 1024;

/// The fields of an answer that goes on: nobody on the way is to collect it.
pub(crate) fn endless_fields(chunked: bool) -> Fields {
    let mut fields = vec![
        // nginx would, whatever comes.
        ("X-Accel-Buffering", "no".into()),
        // draft-ietf-httpbis-incremental: others may.
        ("Incremental", "?1".into()),
    ];
    if chunked {
        fields.push(("Transfer-Encoding", "chunked".into()));
    }
    fields
}

/// What the body is made of.
pub(crate) enum Form {
    /// The file's own bytes.
    Bytes,
    /// Server-sent events (WHATWG HTML, section 9.2).
    Events(Events),
}

struct Endless {
    shared: Rc<Shared>,
    wire: Wire,
    form: Form,
    chunked: bool,
}

/// Streams to one client until either side ends it. `chunked`: as HTTP/1.1 does (RFC 9112 section
/// 7.1); an HTTP/1.0 client reads to the end of the connection.
pub(crate) fn serve(
    shared: Rc<Shared>,
    socket: Async<TcpStream>,
    reader: Reader,
    form: Form,
    chunked: bool,
    pattern: Option<Rc<Pattern>>,
) -> impl Future<Output = End> {
    let client = Box::new(Endless {
        shared: shared.clone(),
        wire: Wire::new(socket),
        form,
        chunked,
    });
    let client = matching(client, pattern, reader.line_end());
    pump(shared, client, reader)
}

impl Endless {
    fn chunk(&mut self, body: &[u8]) -> io::Result<()> {
        match (body.is_empty(), self.chunked) {
            // An empty chunk would end the body.
            (true, _) => Ok(()),
            (_, true) => {
                self.wire
                    .offer([format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n"])
            }
            (_, false) => self.wire.offer([body]),
        }
    }
}

impl Transport for Endless {
    fn open(&mut self) -> io::Result<()> {
        let Form::Events(events) = &self.form else {
            return Ok(());
        };
        // An event without data is not seen, but its id is kept: who is cut off before the first
        // line resumes here, too.
        let hello = format!("retry: {RETRY}\nid: {}\n\n", events.cursor(0));
        self.chunk(hello.as_bytes())
    }

    fn most(&self, bytes: &[u8]) -> usize {
        let Form::Events(_) = self.form else {
            return bytes.len();
        };
        bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| matches!(byte, b'\n' | b'\r'))
            .nth(LINES_MAX - 1)
            .map_or(bytes.len(), |(at, _)| at + 1)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Form::Events(events) = &mut self.form else {
            return self.chunk(bytes);
        };
        let mut text = String::new();
        let count = events.lines(bytes, &mut text, |splitter, line| {
            splitter.push(bytes, line)
        });
        self.shared.metrics.lines.add(count);
        self.chunk(text.as_bytes())
    }

    fn sifted(&mut self, sifted: &Sifted) -> io::Result<()> {
        let Form::Events(events) = &mut self.form else {
            return match sifted.wanted() {
                wanted if wanted.is_empty() => Ok(()),
                wanted => self.chunk(&wanted),
            };
        };
        let mut text = String::new();
        let mut count = 0;
        for (wanted, run) in sifted.runs() {
            if wanted {
                count += events.lines(run, &mut text, |splitter, line| splitter.push(run, line));
            } else {
                events.skip(run);
            }
        }
        self.shared.metrics.lines.add(count);
        self.chunk(text.as_bytes())
    }

    fn marker(&mut self, marker: &Marker) -> io::Result<()> {
        let Form::Events(events) = &mut self.form else {
            return Ok(());
        };
        let mut text = String::new();
        let count = events.marker(marker, &mut text);
        self.shared.metrics.lines.add(count);
        self.chunk(text.as_bytes())
    }

    fn beat(&mut self) -> io::Result<Option<End>> {
        match self.form {
            // There is nothing to send that would not be taken for the file.
            Form::Bytes => Ok(None),
            Form::Events(ref mut events) => {
                // Who resumes need not have looked at again what was passed over. Without data it
                // is no event.
                let id = events.moved().map(|place| format!("id: {place}\n\n"));
                let beat = id.unwrap_or_else(|| ":\n\n".into());
                self.chunk(beat.as_bytes()).map(|()| None)
            }
        }
    }

    fn held(&self) -> Option<u64> {
        match &self.form {
            Form::Events(events) => events.held(),
            Form::Bytes => None,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Form::Events(events) = &mut self.form else {
            return Ok(());
        };
        let mut text = String::new();
        let count = events.lines(&[], &mut text, |splitter, line| splitter.flush(line));
        self.shared.metrics.lines.add(count);
        self.chunk(text.as_bytes())
    }

    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<End>>> {
        Wire::poll_read_over(self.wire.socket(), cx).map(|left| Ok(left.then_some(End::Left)))
    }

    fn is_drained(&self) -> bool {
        self.wire.is_drained()
    }

    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.poll_drained(cx)
    }

    fn leave(mut self: Box<Self>, end: End) -> BoxedLocal<()> {
        async move {
            if matches!(end, End::Shutdown | End::Unreadable) && self.is_drained() {
                if self.chunked {
                    let _ = self.wire.offer([b"0\r\n\r\n"]);
                }
                part(self.wire.socket()).await;
            }
        }
        .boxed_local()
    }
}
