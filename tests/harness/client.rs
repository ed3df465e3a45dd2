//! The two kinds of WebSocket client: an exact one of `tailcast.v1`, and a plain one with five
//! lines of JavaScript.

use crate::cursor::Place;
use crate::deadline::DEADLINE;
use crate::http::Connection;
use crate::server::Server;
use serde_json::Value;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::error::ProtocolError;
use tungstenite::protocol::WebSocket;
use tungstenite::{Error, Message};

pub const EXACT: &str = "tailcast.v1";

/// The next message, if there is one in this time; an end without a close frame is a `Close(None)`.
pub fn message(socket: &mut WebSocket<TcpStream>, within: Duration) -> Option<Message> {
    let end = Instant::now() + within;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        socket
            .get_ref()
            .set_read_timeout(Some(left))
            .expect("timeout");
        match socket.read() {
            Ok(message) => return Some(message),
            Err(Error::Io(error))
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(
                error @ (Error::Io(_)
                | Error::ConnectionClosed
                | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)),
            ) => {
                println!("no close frame: {error}");
                return Some(Message::Close(None));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Reads on, whatever comes, until the server closes; tells its close code.
pub fn close_code(socket: &mut WebSocket<TcpStream>) -> Option<u16> {
    loop {
        if let Message::Close(frame) = message(socket, DEADLINE).expect("a close frame") {
            return frame.map(|frame| frame.code.into());
        }
    }
}

/// What an exact client hears.
#[derive(Debug)]
pub enum Heard {
    Bytes(Vec<u8>),
    Event(Value),
    Closed(Option<u16>),
}

/// An exact client: counts bytes, keeps its own cursor, resumes.
pub struct Client {
    socket: WebSocket<TcpStream>,
    path: String,
    place: Place,
    /// The bytes that came, over all connections.
    pub count: u64,
    /// The events that came after `open`, each with `count` as it was then.
    pub events: Vec<(u64, Value)>,
    /// The latest `open`.
    pub open: Value,
}

impl Client {
    /// Connects to a stream: `/stream/app.log?from=start`. Returns once `open` has come.
    pub fn connect(server: &Server, target: &str) -> Client {
        Client::over(Connection::open(server), target)
    }

    /// The same over a connection that is there.
    pub fn over(connection: Connection, target: &str) -> Client {
        let (socket, open) = upgrade(connection, target);
        Client {
            socket,
            path: target.split('?').next().unwrap().to_owned(),
            place: Place::parse(open["cursor"].as_str().expect("cursor")),
            count: 0,
            events: Vec::new(),
            open,
        }
    }

    /// The connection breaks, as connections do: no goodbye.
    pub fn disconnect(&mut self) {
        let _ = self.socket.get_ref().shutdown(std::net::Shutdown::Both);
    }

    /// Connects again where it stood.
    pub fn resume(&mut self, server: &Server) {
        self.resume_over(Connection::open(server));
    }

    /// The same over a connection that is there.
    pub fn resume_over(&mut self, connection: Connection) {
        let target = format!("{}?from={}", self.path, self.place);
        (self.socket, self.open) = upgrade(connection, &target);
        let place = Place::parse(self.open["cursor"].as_str().expect("cursor"));
        // A copy with the same bytes is the same place in another file.
        let is_copy = place.offset == self.place.offset
            && self.place.check().is_some()
            && place.check() == self.place.check();
        if is_copy {
            self.place.inode = place.inode;
        }
        // Where the server could not go on there, it says so next, and that moves us.
        if !place.agrees(&self.place) {
            self.place = place;
            let heard = self.next();
            assert!(
                matches!(&heard, Heard::Event(event) if event["event"] == "lost"),
                "asked for {target}, got {}, not followed by `lost` but {heard:?}",
                self.open
            );
        }
    }

    /// The cursor of the next byte, by this client's own count.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The TCP socket below.
    pub fn socket(&mut self) -> &mut WebSocket<TcpStream> {
        &mut self.socket
    }

    pub fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("send");
    }

    /// What comes next, if anything in this time.
    pub fn next_within(&mut self, within: Duration) -> Option<Heard> {
        let end = Instant::now() + within;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match message(&mut self.socket, left)? {
                Message::Binary(bytes) => {
                    assert!(!bytes.is_empty(), "an empty binary message");
                    self.count += bytes.len() as u64;
                    self.place.advance(&bytes);
                    return Some(Heard::Bytes(bytes.to_vec()));
                }
                Message::Text(text) => {
                    let event = serde_json::from_str(&text)
                        .unwrap_or_else(|error| panic!("not an event: {error}: {text}"));
                    self.note(&event);
                    return Some(Heard::Event(event));
                }
                Message::Close(frame) => {
                    return Some(Heard::Closed(frame.map(|frame| frame.code.into())));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// What comes next.
    pub fn next(&mut self) -> Heard {
        self.next_within(DEADLINE).unwrap_or_else(|| {
            panic!(
                "nothing came; at {} after {} bytes and {:?}",
                self.place, self.count, self.events
            )
        })
    }

    /// The next message, which must be the event of this name.
    pub fn event(&mut self, name: &str) -> Value {
        match self.next() {
            Heard::Event(event) if event["event"] == name => event,
            heard => panic!(
                "waited for `{name}`, heard {heard:?} after {:?}",
                self.events
            ),
        }
    }

    /// Everything up to the bytes `last`; events are kept in `events`.
    pub fn bytes_until(&mut self, last: impl AsRef<[u8]>) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(last.as_ref()) {
            match self.next() {
                Heard::Bytes(more) => bytes.extend(more),
                Heard::Event(_) => {}
                Heard::Closed(code) => panic!("closed with {code:?} after {:?}", self.events),
            }
        }
        bytes
    }

    /// The names of the events since `open`.
    pub fn event_names(&self) -> Vec<&str> {
        self.events
            .iter()
            .map(|(_, event)| event["event"].as_str().expect("event"))
            .collect()
    }

    fn note(&mut self, event: &Value) {
        self.events.push((self.count, event.clone()));
        match event["event"].as_str() {
            Some("rotated" | "truncated" | "lost") => {
                let place = Place::parse(event["cursor"].as_str().expect("cursor"));
                let before = std::mem::replace(&mut self.place, place);
                if self.open["kind"] != "file" {
                    // What no file keeps has no start: it goes on where it was, or at the oldest
                    // byte.
                    let goes_on = event["event"] == "rotated" && self.place.agrees(&before);
                    assert!(goes_on || event["event"] == "lost", "{event} at {before}");
                    return;
                }
                if event["event"] == "rotated" && self.place.offset > 0 {
                    // Edited in place: it goes on behind what it has of the file before.
                    assert_eq!(self.place.offset, before.offset, "{event} at {before}");
                    return;
                }
                assert_eq!(self.place.offset, 0, "a new start is a start: {event}");
                let start = Place::behind(self.place.inode, b"");
                assert!(self.place.agrees(&start), "a check of nothing: {event}");
            }
            Some("skipped") => {
                let bytes = event["bytes"].as_u64().expect("bytes");
                let place = Place::parse(event["cursor"].as_str().expect("cursor"));
                let before = std::mem::replace(&mut self.place, place);
                assert_eq!(self.place.inode, before.inode, "{event} at {before}");
                assert_eq!(
                    self.place.offset,
                    before.offset + bytes,
                    "{event} at {before}"
                );
            }
            Some("missing") => {
                let cause = event["cause"].as_str();
                assert!(matches!(cause, Some("absent" | "unreadable")), "{event}");
                assert!(event.get("cursor").is_none(), "{event}");
            }
            Some("found" | "pong") => {
                assert!(event.get("cursor").is_none(), "{event}");
            }
            _ => panic!("not an event of the contract, or not here: {event}"),
        }
    }
}

/// Becomes an exact client and hears `open`, which is always first.
fn upgrade(connection: Connection, target: &str) -> (WebSocket<TcpStream>, Value) {
    let mut socket = connection.upgrade(target, Some(EXACT));
    let first = message(&mut socket, DEADLINE).expect("a first message");
    let Message::Text(text) = &first else {
        panic!("the first message is not `open` but {first:?}");
    };
    let open: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(open["event"], "open", "{open}");
    (socket, open)
}

/// A plain client: a text message per line.
pub struct Plain {
    pub socket: WebSocket<TcpStream>,
}

impl Plain {
    /// Connects to a stream: `/stream/app.log?from=start`.
    pub fn connect(server: &Server, target: &str) -> Plain {
        Plain {
            socket: Connection::open(server).upgrade(target, None),
        }
    }

    /// The next line, if one comes in this time.
    pub fn line_within(&mut self, within: Duration) -> Option<String> {
        let end = Instant::now() + within;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match message(&mut self.socket, left)? {
                Message::Text(text) => return Some(text.as_str().to_owned()),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a line: {other:?}"),
            }
        }
    }

    /// The next line.
    pub fn line(&mut self) -> String {
        self.line_within(DEADLINE).expect("a line")
    }

    /// The next lines.
    pub fn lines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line()).collect()
    }

    pub fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("send");
    }
}
