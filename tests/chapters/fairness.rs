//! Clients that never stop talking: everybody else has a turn all the same.

use crate::chapters::hostile::scene;
use crate::client::{Client, Heard, Plain};
use crate::deadline::DEADLINE;
use crate::http::{Connection, get};
use crate::server::Server;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many talk at once.
const TALKERS: usize = 8;

/// What others ask for meanwhile.
const REQUESTS: usize = 50;

/// Those who talk, until they are dropped.
struct Talkers {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Talkers {
    /// Each says `first`, waits for the end of the answer's head where `first` asks for a
    /// WebSocket, and then says `again` for ever; what the server says is read and forgotten.
    fn start(server: &Server, first: &str, again: &[u8]) -> Talkers {
        let over = Arc::<AtomicBool>::default();
        let talk = |_| {
            let (over, again) = (over.clone(), again.repeat(4096 / again.len() + 1));
            let mut socket = TcpStream::connect(server.addr()).unwrap();
            socket.write_all(first.as_bytes()).unwrap();
            if !first.is_empty() {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    socket.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                assert!(head.starts_with(b"HTTP/1.1 101"), "{head:?}");
            }
            let mut heard = socket.try_clone().unwrap();
            thread::spawn(move || {
                let listening = thread::spawn(move || {
                    let mut sink = [0; 65536];
                    while let Ok(1..) = heard.read(&mut sink) {}
                });
                while !over.load(Ordering::Relaxed) && socket.write_all(&again).is_ok() {}
                let _ = socket.shutdown(Shutdown::Both);
                listening.join().unwrap();
            })
        };
        let threads = (0..TALKERS).map(talk).collect();
        Talkers { over, threads }
    }

    /// Whether all of them still talk.
    fn all_talk(&self) -> bool {
        self.threads.iter().all(|thread| !thread.is_finished())
    }
}

impl Drop for Talkers {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

const UPGRADE: &str = "GET /stream?from=end HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Whatever the talkers say, another's requests are answered, another viewer has each line, and the
/// end comes in time.
fn others_have_their_turn(first: &str, again: &[u8], how: &str) {
    let (folder, mut server) = scene(&[]);
    let mut viewer = Plain::connect(&server, "/stream?from=end");
    let talkers = Talkers::start(&server, first, again);
    for number in 0..REQUESTS {
        assert_eq!(get(&server, "/health").status, 200, "beside {how}");
        folder.append(format!("line {number}\n"));
        assert_eq!(viewer.line(), format!("line {number}"), "beside {how}");
    }
    assert!(talkers.all_talk(), "{how} ended early");
    let begun = Instant::now();
    assert!(server.stop().status.success(), "beside {how}");
    assert!(begun.elapsed() < DEADLINE);
}

#[test]
fn beside_requests_of_a_stranger_that_do_not_end() {
    let request = b"HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    others_have_their_turn("", request, "pipelined requests");
}

#[test]
fn beside_messages_of_one_byte() {
    // A text message, masked with zeros (RFC 6455 section 5.3).
    others_have_their_turn(UPGRADE, b"\x81\x81\0\0\0\0x", "messages");
}

#[test]
fn beside_fragments_of_nothing() {
    // Continuations of a message that was begun and is never ended; the first frame of each round
    // would be an error after the first, so the message is begun by the handshake's tail.
    let (folder, server) = scene(&[]);
    let mut viewer = Plain::connect(&server, "/stream?from=end");
    let mut begun = TcpStream::connect(server.addr()).unwrap();
    begun.write_all(UPGRADE.as_bytes()).unwrap();
    begun.write_all(b"\x01\x80\0\0\0\0").unwrap();
    let over = Arc::<AtomicBool>::default();
    let talking = {
        let (over, again) = (over.clone(), b"\x00\x80\0\0\0\0".repeat(1000));
        thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                begun.write_all(&again).unwrap();
            }
        })
    };
    for number in 0..REQUESTS {
        assert_eq!(get(&server, "/health").status, 200);
        folder.append(format!("line {number}\n"));
        assert_eq!(viewer.line(), format!("line {number}"));
    }
    assert!(!talking.is_finished());
    over.store(true, Ordering::Relaxed);
    talking.join().unwrap();
}

#[test]
fn beside_pings() {
    others_have_their_turn(UPGRADE, b"\x89\x80\0\0\0\0", "pings");
}

#[test]
fn who_was_busy_catching_up_was_not_silent() {
    let (folder, server) = scene(&["--heartbeat=100ms"]);
    let chunk = format!("{}\n", "x".repeat(1023)).repeat(64);
    for _ in 0..64 {
        folder.append(&chunk);
    }
    let mut client = Client::connect(&server, "/stream?from=start");
    let mut left = 64 * chunk.len() + "hello\n".len();
    let begun = Instant::now();
    while left > 0 {
        // Slow on purpose: some 4 MB within many heartbeats, all of them answered.
        thread::sleep(Duration::from_millis(15));
        if let Heard::Bytes(bytes) = client.next() {
            left -= bytes.len();
        }
    }
    assert!(begun.elapsed() > Duration::from_millis(500));
    folder.append("after\n");
    assert_eq!(client.bytes_until("after\n"), b"after\n");
    let mut connection = Connection::open(&server);
    assert_eq!(connection.get("/health").status, 200);
}
