//! Answers without an end, over plain HTTP: the file's bytes for `curl -N`, and server-sent events
//! for `EventSource`.

use std::fmt::Write;
use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::task::{Context, Poll};

use smol::Async;

use crate::bytes::cursor::{CHECK_SPAN, Cursor, fnv1a};
use crate::bytes::lines::{LineEnd, Splitter};
use crate::bytes::utf16::Utf16;
use crate::deliver::Context as Shared;
use crate::deliver::event;
use crate::deliver::matching::{Matching, Pattern, Sifted};
use crate::deliver::pump::Transport;
use crate::http::close::part;
use crate::http::response::Fields;
use crate::metrics::End;
use crate::source::marker::Marker;
use crate::source::reader::Reader;
use crate::websocket::socket::Wire;

/// How long a browser should wait before it connects again, in milliseconds. Its own default is
/// some seconds.
const RETRY: u32 = 1000;

/// How much of the window's space an idle client keeps, in bytes.
const CHUNK_KEPT: usize = 1024;

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

/// How lines become events: the id of each is the cursor behind it.
pub(crate) struct Events {
    splitter: Splitter,
    ends: LineEnd,
    inode: u64,
    /// Where in the file the splitter began to count.
    origin: u64,
    /// What is held of a line, and before it what a cursor's check covers.
    window: Vec<u8>,
    /// Where in the file the window begins.
    window_at: u64,
    /// The last id that was sent, in bytes from the origin.
    told: u64,
}

impl Events {
    /// Events of a stream that begins at `cursor`, behind the bytes `before`.
    pub(crate) fn new(cursor: Cursor, before: Vec<u8>, ends: LineEnd) -> Self {
        Self {
            splitter: Splitter::behind(&before, ends),
            ends,
            inode: cursor.inode,
            origin: cursor.offset,
            window_at: cursor.offset.saturating_sub(before.len() as u64),
            window: before,
            told: 0,
        }
    }

    /// The same of a file in this UTF-16, if it is that.
    pub(crate) fn coded(mut self, coding: Option<Utf16>) -> Self {
        let splitter = std::mem::take(&mut self.splitter);
        self.splitter = splitter.coded(coding, &self.window, self.origin);
        self
    }

    /// Appends to `text` an event for each line that `split` makes.
    fn lines(
        &mut self,
        bytes: &[u8],
        text: &mut String,
        split: impl FnOnce(&mut Splitter, &mut dyn FnMut(&str, u64)),
    ) -> u64 {
        self.window.extend_from_slice(bytes);
        let (mut count, mut passed) = (0, None);
        let mut splitter = std::mem::take(&mut self.splitter);
        split(&mut splitter, &mut |line, end| {
            (count, passed) = (count + 1, Some(end));
            let _ = writeln!(text, "id: {}", self.cursor(end));
            // A carriage return within a line would end it for `EventSource`.
            for part in line.split('\r') {
                let _ = writeln!(text, "data: {part}");
            }
            text.push('\n');
        });
        self.splitter = splitter;
        if let Some(passed) = passed {
            self.told = passed;
            self.trim(passed);
        }
        count
    }

    /// Passes over whole lines that are not wanted.
    fn skip(&mut self, bytes: &[u8]) {
        self.window.extend_from_slice(bytes);
        self.splitter.skip(bytes.len() as u64);
        self.trim(self.splitter.passed());
    }

    /// Keeps of the window what the cursor `passed` bytes behind the origin needs, and what comes
    /// after it.
    fn trim(&mut self, passed: u64) {
        let needed = self.origin + passed - CHECK_SPAN.min(self.origin + passed);
        let surplus = needed.saturating_sub(self.window_at);
        self.window.drain(..usize::try_from(surplus).unwrap_or(0));
        self.window.shrink_to(CHUNK_KEPT);
        self.window_at += surplus;
    }

    /// The id of the place behind lines that were passed over, unless it was told.
    fn moved(&mut self) -> Option<Cursor> {
        let passed = self.splitter.passed();
        let is_new = std::mem::replace(&mut self.told, passed) != passed;
        is_new.then(|| self.cursor(passed))
    }

    /// The cursor `passed` bytes behind the origin; without a check where too little before it is
    /// known.
    fn cursor(&self, passed: u64) -> Cursor {
        let offset = self.origin + passed;
        let span = CHECK_SPAN.min(offset);
        let check = (offset - span)
            .checked_sub(self.window_at)
            .and_then(|start| {
                let start = usize::try_from(start).ok()?;
                let span = usize::try_from(span).ok()?;
                Some(fnv1a(self.window.get(start..start + span)?))
            });
        match self.inode {
            0 => Cursor::NOWHERE,
            inode => Cursor {
                inode,
                offset,
                check,
            },
        }
    }

    /// Appends to `text` the event of a marker, and goes on where it says.
    fn marker(&mut self, marker: &Marker, text: &mut String) -> u64 {
        let mut count = 0;
        if let Some(cursor) = marker.cursor() {
            // Another file begins: what is held of a line has no end to wait for.
            count = self.lines(&[], text, |splitter, line| splitter.finish(line));
            let coding = self.splitter.coding().filter(|_| cursor.offset > 0);
            *self = Self::new(cursor, Vec::new(), self.ends).coded(coding);
            let _ = writeln!(text, "id: {cursor}");
        }
        let _ = write!(
            text,
            "event: {}\ndata: {}\n\n",
            marker.name(),
            event::marker(marker)
        );
        count
    }
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
    mut reader: Reader,
    form: Form,
    chunked: bool,
    pattern: Option<Rc<Pattern>>,
) -> impl Future<Output = End> {
    let mut client = Endless {
        shared: shared.clone(),
        wire: Wire::new(socket),
        form,
        chunked,
    };
    // As in `websocket::serve`: all is made before the block.
    async move {
        let hello = match &client.form {
            Form::Bytes => Ok(()),
            Form::Events(events) => {
                // An event without data is not seen, but its id is kept: who is cut off before the
                // first line resumes here, too.
                let hello = format!("retry: {RETRY}\nid: {}\n\n", events.cursor(0));
                client.chunk(hello.as_bytes())
            }
        };
        let end = match hello {
            Ok(()) => Matching::pump(&shared, &mut client, pattern, &mut reader).await,
            Err(_) => End::Reset,
        };
        if matches!(end, End::Shutdown | End::Unreadable) && client.wire.is_drained() {
            if client.chunked {
                let _ = client.wire.offer([b"0\r\n\r\n"]);
            }
            Box::pin(part(client.wire.socket())).await;
        }
        end
    }
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
            Form::Events(events) => events.splitter.held().map(|at| events.origin + at),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(from: u64, before: &[u8], pieces: &[&[u8]]) -> String {
        let cursor = Cursor::new(7, from, before);
        let mut events = Events::new(cursor, before.to_vec(), LineEnd::Newline);
        let mut text = String::new();
        for piece in pieces {
            events.lines(piece, &mut text, |splitter, line| {
                splitter.push(piece, line)
            });
        }
        text
    }

    #[test]
    fn the_id_is_the_cursor_behind_the_line_however_it_is_cut() {
        let file: Vec<u8> = (0..40)
            .flat_map(|n| format!("line {n}\n").into_bytes())
            .collect();
        let whole = events(0, b"", &[&file]);
        for piece in [1, 7, 64, 100] {
            assert_eq!(
                events(0, b"", &file.chunks(piece).collect::<Vec<_>>()),
                whole,
                "in pieces of {piece}"
            );
        }
        let last = Cursor::new(7, file.len() as u64, &file[file.len() - 64..]);
        assert!(
            whole.ends_with(&format!("id: {last}\ndata: line 39\n\n")),
            "{whole}"
        );
        let (head, rest) = file.split_at(200);
        let resumed = events(200, &head[136..], &[rest]);
        assert!(
            resumed.ends_with(&format!("id: {last}\ndata: line 39\n\n")),
            "{resumed}"
        );
    }

    #[test]
    fn a_carriage_return_and_an_unknown_past() {
        assert_eq!(
            events(100, b"", &[b"a\rb\r\n"]),
            "id: 7-69\ndata: a\ndata: b\n\n",
            "fewer than 64 bytes are known: no check"
        );
    }

    #[test]
    fn a_marker_ends_the_line_and_moves_the_id() {
        let mut events = Events::new(Cursor::new(7, 0, b""), Vec::new(), LineEnd::Newline);
        let mut text = String::new();
        events.lines(b"half", &mut text, |splitter, line| {
            splitter.push(b"half", line)
        });
        events.marker(&Marker::Rotated(Cursor::new(8, 0, b"")), &mut text);
        events.lines(b"x\n", &mut text, |splitter, line| {
            splitter.push(b"x\n", line)
        });
        let (half, x) = (Cursor::new(7, 4, b"half"), Cursor::new(8, 2, b"x\n"));
        let rotated = "id: 8-0-811c9dc5\nevent: rotated\ndata: {\"event\":\"rotated\",\"cursor\":\"8-0-811c9dc5\"}\n\n";
        assert_eq!(
            text,
            format!("id: {half}\ndata: half\n\n{rotated}id: {x}\ndata: x\n\n")
        );
    }
}
