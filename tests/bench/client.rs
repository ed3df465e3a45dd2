//! Many clients on one thread, as light as can be and the same for every side: epoll, one read per
//! event, frame headers read, payload counted and thrown away.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::bare::GREETING;
use crate::sides::{From, Server, Side};

/// How long nothing at all may arrive.
const SILENCE: Duration = Duration::from_secs(20);

/// Clients that wait for their first message at once while a swarm connects: well below the backlog
/// of 128 with which Rust's listeners listen, for a connection lost there comes back only after a
/// second.
const IN_FLIGHT: usize = 32;

/// Opcodes of RFC 6455 section 5.2.
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// The clients of one server.
pub struct Swarm {
    epoll: OwnedFd,
    clients: Vec<Client>,
    greeted: usize,
    buffer: Vec<u8>,
    events: Vec<epoll::Event>,
}

struct Client {
    socket: TcpStream,
    wire: Wire,
    /// The kind of message that the file's bytes come in.
    data: u8,
    greeted: bool,
    received: u64,
}

/// Where in the server's bytes a client stands.
enum Wire {
    /// In the bare server's greeting, or behind it.
    Bare { greeting_left: usize },
    /// In the answer to the upgrade; the last four bytes seen.
    Head([u8; 4]),
    /// In a frame's header.
    Header { bytes: [u8; 10], have: usize },
    /// In a frame's payload.
    Payload { opcode: u8, left: u64 },
}

impl Swarm {
    /// Connects so many clients; returns when each has had its first message.
    pub fn connect(server: &Server, count: usize) -> Self {
        let mut swarm = Self::empty();
        while swarm.greeted < count {
            if swarm.clients.len() < count && swarm.clients.len() - swarm.greeted < IN_FLIGHT {
                swarm.open(server, target(server));
            } else {
                swarm.turn(|_, _| ());
            }
        }
        swarm
    }

    /// Nobody yet.
    pub fn empty() -> Self {
        Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll"),
            clients: Vec::new(),
            greeted: 0,
            buffer: vec![0; 64 * 1024],
            events: Vec::with_capacity(256),
        }
    }

    /// Connects one more client, to this stream of a Tailcast; returns when it has had its first
    /// message.
    pub fn join(&mut self, server: &Server, target: &str) {
        self.open(server, target);
        while self.greeted < self.clients.len() {
            self.turn(|_, _| ());
        }
    }

    /// How many bytes of the file all clients together have received.
    pub fn received(&self) -> u64 {
        self.clients.iter().map(|client| client.received).sum()
    }

    /// Returns when all clients together have received so many bytes of the file since they
    /// connected.
    pub fn wait_for(&mut self, bytes: u64) {
        let mut received = self.received();
        while received < bytes {
            self.turn(|before, after| received += after - before);
        }
        assert_eq!(received, bytes, "bytes of the file");
    }

    /// Waits until something arrives, reads it, and tells of each client that got bytes of the file
    /// how many it had before and has now.
    pub fn turn(&mut self, mut arrived: impl FnMut(u64, u64)) {
        self.events.clear();
        let silence = Timespec::try_from(SILENCE).expect("a few seconds");
        epoll::wait(
            &self.epoll,
            spare_capacity(&mut self.events),
            Some(&silence),
        )
        .expect("epoll");
        assert!(
            !self.events.is_empty(),
            "nothing arrived within {SILENCE:?}"
        );
        for event in &self.events {
            let client = &mut self.clients[usize::try_from(event.data.u64()).expect("an index")];
            let read = match client.socket.read(&mut self.buffer) {
                Ok(0) => panic!("the server closed a connection"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => panic!("a connection broke: {error}"),
            };
            let (before, was_greeted) = (client.received, client.greeted);
            client.take(&self.buffer[..read]);
            self.greeted += usize::from(client.greeted && !was_greeted);
            if client.received > before {
                arrived(before, client.received);
            }
        }
    }

    fn open(&mut self, server: &Server, target: &str) {
        let mut socket = TcpStream::connect(server.address).expect("a connection");
        let wire = if server.side == Side::Bare {
            Wire::Bare {
                greeting_left: GREETING.len(),
            }
        } else {
            socket
                .write_all(upgrade(server, target).as_bytes())
                .expect("room for a request");
            Wire::Head([0; 4])
        };
        socket.set_nonblocking(true).expect("a socket");
        let key = epoll::EventData::new_u64(self.clients.len() as u64);
        epoll::add(&self.epoll, &socket, key, epoll::EventFlags::IN).expect("epoll");
        let data = if server.side == Side::Websocketd {
            TEXT
        } else {
            BINARY
        };
        self.clients.push(Client {
            socket,
            wire,
            data,
            greeted: false,
            received: 0,
        });
    }
}

/// Where the stream of its one file is, from the place where its clients begin.
fn target(server: &Server) -> &'static str {
    match (server.side, server.from) {
        (Side::Websocketd, _) => "/",
        (_, From::Start) => "/stream?from=start",
        (_, From::End) => "/stream?from=end",
    }
}

/// RFC 6455 section 4.1, with the nonce of its example.
fn upgrade(server: &Server, target: &str) -> String {
    let address = server.address;
    let protocol = if server.side == Side::Tailcast {
        "Sec-WebSocket-Protocol: tailcast.v1\r\n"
    } else {
        ""
    };
    format!(
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocol}\r\n"
    )
}

impl Client {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = self.step(bytes);
            bytes = &bytes[used..];
        }
    }

    /// Takes bytes up to the next turning point; how many.
    fn step(&mut self, bytes: &[u8]) -> usize {
        match &mut self.wire {
            Wire::Bare { greeting_left: 0 } => {
                self.received += bytes.len() as u64;
                bytes.len()
            }
            Wire::Bare { greeting_left } => {
                let used = bytes.len().min(*greeting_left);
                *greeting_left -= used;
                self.greeted = *greeting_left == 0;
                used
            }
            Wire::Head(last) => {
                *last = [last[1], last[2], last[3], bytes[0]];
                if last == b"\r\n\r\n" {
                    self.wire = Wire::Header {
                        bytes: [0; 10],
                        have: 0,
                    };
                }
                1
            }
            Wire::Header {
                bytes: header,
                have,
            } => {
                header[*have] = bytes[0];
                *have += 1;
                let whole = match header[1] {
                    126 => 4,
                    127 => 10,
                    _ => 2,
                };
                if *have >= 2 && *have == whole {
                    let opcode = header[0] & 0x0f;
                    assert!(
                        opcode != CLOSE && opcode != CONTINUATION,
                        "unexpected frame, opcode {opcode}"
                    );
                    let length = if whole == 2 {
                        &header[1..2]
                    } else {
                        &header[2..whole]
                    };
                    let left = length
                        .iter()
                        .fold(0, |length, byte| length << 8 | u64::from(*byte));
                    self.enter(opcode, left);
                }
                1
            }
            Wire::Payload { opcode, left } => {
                let used = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                if self.greeted && *opcode == self.data {
                    self.received += used as u64;
                }
                let (opcode, left) = (*opcode, *left - used as u64);
                self.enter(opcode, left);
                used
            }
        }
    }

    /// Into the payload, or on to the next frame where nothing of it is left.
    fn enter(&mut self, opcode: u8, left: u64) {
        self.wire = if left > 0 {
            Wire::Payload { opcode, left }
        } else {
            self.greeted = true;
            Wire::Header {
                bytes: [0; 10],
                have: 0,
            }
        };
    }
}
