//! A small client of HTTP/1.1 that shows everything: one connection, requests as they are typed,
//! answers as they came.

use crate::deadline::DEADLINE;
use crate::server::Server;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocket};

/// The key of the example in RFC 6455 section 1.3: nothing here needs another.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of the header of that name, whatever its case; panics where there are two of them.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let first = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "two headers {name}: {self:?}");
        first
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of a refusal: one line that a person can read.
    pub fn sentence(&self) -> String {
        let text = self.text();
        let line = text.strip_suffix('\n').unwrap_or(&text);
        assert!(
            line.contains(' ') && !line.contains(['\n', '\r', '<']),
            "not one line of plain words: {self:?}"
        );
        line.to_owned()
    }
}

/// One connection to a server.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(server: &Server) -> Connection {
        Connection::to(server.addr())
    }

    /// The same to whoever listens there.
    pub fn to(addr: SocketAddr) -> Connection {
        let stream = TcpStream::connect(addr).expect("connect");
        stream.set_read_timeout(Some(DEADLINE)).expect("timeout");
        stream.set_write_timeout(Some(DEADLINE)).expect("timeout");
        stream.set_nodelay(true).expect("no delay");
        Connection {
            stream: BufReader::new(stream),
        }
    }

    /// The same with room for little that has not been read, so that a client that stops reading is
    /// soon noticed.
    pub fn narrow(server: &Server) -> Connection {
        let connection = Connection::open(server);
        set_socket_recv_buffer_size(connection.socket(), 64 << 10).expect("SO_RCVBUF");
        connection
    }

    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// What comes, byte by byte.
    pub fn stream(&mut self) -> &mut BufReader<TcpStream> {
        &mut self.stream
    }

    /// Sends these bytes and nothing else.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .get_mut()
            .write_all(bytes.as_ref())
            .expect("send");
    }

    /// Sends a request without a body: `get("/health", "")`, more header lines each with its CRLF.
    pub fn request(&mut self, method: &str, target: &str, more: &str) -> Answer {
        let host = self.socket().peer_addr().expect("peer");
        self.send(format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"
        ));
        let mut answer = self.head();
        if method != "HEAD" {
            self.read_body(&mut answer);
        }
        answer
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.request("GET", target, "")
    }

    /// Reads one answer with its body.
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        self.read_body(&mut answer);
        answer
    }

    /// Reads the head of an answer whose body is read in another way.
    pub fn head(&mut self) -> Answer {
        let status_line = self.line();
        let mut words = status_line.splitn(3, ' ');
        assert_eq!(words.next(), Some("HTTP/1.1"), "{status_line}");
        let status = words
            .next()
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("no status: {status_line}"));
        let mut answer = Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("not a header: {line}"));
            answer
                .headers
                .push((name.to_owned(), value.trim().to_owned()));
        }
        answer
    }

    fn read_body(&mut self, answer: &mut Answer) {
        if matches!(answer.status, 101 | 204 | 304) {
            return;
        }
        assert_eq!(answer.header("Transfer-Encoding"), None, "{answer:?}");
        if let Some(length) = answer.header("Content-Length") {
            answer.body = vec![0; length.parse().expect("Content-Length")];
            self.stream.read_exact(&mut answer.body).expect("body");
        } else {
            self.stream.read_to_end(&mut answer.body).expect("body");
        }
    }

    /// Waits for the end of what the server sends and tells what was left of it; a reset is a
    /// failure.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("a clean end");
        rest
    }

    /// Asks for a WebSocket; the answer is the server's whether it agreed or not.
    pub fn ask_for_upgrade(&mut self, target: &str, more: &str) -> Answer {
        let upgrade = format!(
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {KEY}\r\n{more}"
        );
        self.request("GET", target, &upgrade)
    }

    /// Makes a WebSocket of this connection; `protocol` is the subprotocol to ask for and to be
    /// given.
    pub fn upgrade(mut self, target: &str, protocol: Option<&str>) -> WebSocket<TcpStream> {
        let more = protocol.map_or(String::new(), |name| {
            format!("Sec-WebSocket-Protocol: {name}\r\n")
        });
        let answer = self.ask_for_upgrade(target, &more);
        assert_eq!(answer.status, 101, "{target}: {answer:?}");
        assert_eq!(
            answer.header("Sec-WebSocket-Accept"),
            Some(derive_accept_key(KEY.as_bytes()).as_str())
        );
        assert_eq!(answer.header("Sec-WebSocket-Protocol"), protocol);
        let early = self.stream.buffer().to_vec();
        WebSocket::from_partially_read(self.stream.into_inner(), early, Role::Client, None)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream
            .read_line(&mut line)
            .expect("a line of the head");
        line.strip_suffix("\r\n")
            .unwrap_or_else(|| panic!("no CRLF: {line:?}"))
            .to_owned()
    }
}

/// One GET on a connection of its own.
pub fn get(server: &Server, target: &str) -> Answer {
    Connection::open(server).get(target)
}

/// What `/sources` says about the source of that name.
pub fn source(server: &Server, name: &str) -> Value {
    let sources = get(server, "/sources").json();
    sources
        .as_array()
        .into_iter()
        .flatten()
        .find(|source| source["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {sources}"))
        .clone()
}
