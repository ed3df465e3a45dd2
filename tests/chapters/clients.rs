//! Clients of every kind, and what each of them costs the others: nothing.

use crate::client::{Client, EXACT, Heard};
use crate::deadline::{DEADLINE, until, until_true};
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::{Server, is_emulated};
use crate::writer::{Writer, hex, sha256};
use rustix::net::sockopt::set_socket_linger;
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

/// One MiB that is like no other.
fn block(number: usize) -> Vec<u8> {
    let words = format!("block {number} ");
    let mut block = words.repeat(MIB / words.len() + 1).into_bytes();
    block[MIB - 1] = b'\n';
    block.truncate(MIB);
    block
}

#[test]
fn one_that_never_reads() {
    let folder = Folder::new();
    folder.append(block(0));
    // An emulator does not manage more in the minute that a client is given to take a message.
    let last = if is_emulated() { 64 } else { 256 };
    // Silence is another test's matter.
    let server = Server::start(&[folder.arg(), "--heartbeat=60s"]);
    let narrow = Connection::narrow(&server);
    let mut stuck = Client::over(narrow, "/stream/app.log?from=start");
    let mut other = Client::connect(&server, "/stream/app.log?from=start");
    let mut written = Sha256::new_with_prefix(block(0));
    for number in 1..=16 {
        folder.append(block(number));
        written.update(block(number));
        other.bytes_until(&block(number)[MIB - 32..]);
    }
    // By now both have all the buffers that they will ever have.
    let before = server.own_memory();
    let mut most = before;
    for number in 17..=last {
        let block = block(number);
        folder.append(&block);
        written.update(&block);
        assert!(other.bytes_until(&block[MIB - 32..]) == block);
        most = most.max(server.own_memory());
    }
    if is_emulated() {
        crate::require::skip("what grows here is the emulator");
    } else {
        let grown = (most - before) >> 10;
        assert!(
            grown < 2048,
            "its memory grew by {grown} KiB from {} KiB",
            before >> 10
        );
    }

    let mut arrived = Sha256::new();
    while stuck.count < (last as u64 + 1) * MIB as u64 {
        match stuck.next() {
            Heard::Bytes(bytes) => arrived.update(bytes),
            other => panic!("{other:?} after {} bytes", stuck.count),
        }
    }
    assert_eq!(hex(&arrived.finalize()), hex(&written.finalize()));
    assert!(stuck.events.is_empty() && other.events.is_empty());
}

#[test]
fn two_hundred() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    writer.write(10);
    let server = Server::start(&[folder.arg()]);
    let mut clients: Vec<Client> = (0..200)
        .map(|_| Client::connect(&server, "/stream/app.log?from=start"))
        .collect();
    assert_eq!(source(&server, "app.log")["clients"], 200);
    writer.write(500);
    folder.rotate();
    writer.reopen();
    writer.write(500);
    let written = sha256(writer.everything());
    for client in &mut clients {
        assert_eq!(sha256(client.bytes_until(writer.last())), written);
    }
}

/// What one buffer read for a client of one file must not reach the client of another.
#[test]
fn of_several_files() {
    let folder = Folder::new();
    let paths: Vec<String> = (0..5)
        .map(|number| {
            folder
                .path(&format!("{number}.log"))
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let server = Server::start(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let mut clients: Vec<Client> = (0..5)
        .map(|number| Client::connect(&server, &format!("/stream/{number}.log?from=start")))
        .collect();
    // The same lengths at the same places, all at the same time.
    let content = |number: usize, round: usize| format!("{number}, {round}\n").repeat(100);
    for round in 10..30 {
        for (number, path) in paths.iter().enumerate() {
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .unwrap();
            file.write_all(content(number, round).as_bytes()).unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let expected = content(number, round);
            let mut bytes = String::new();
            while bytes.len() < expected.len() {
                bytes += &String::from_utf8(client.bytes_until("\n")).unwrap();
            }
            assert_eq!(bytes, expected);
        }
    }
    for (number, path) in paths.iter().enumerate() {
        let body = get(&server, &format!("/stream/{number}.log")).body;
        assert_eq!(sha256(body), sha256(std::fs::read(path).unwrap()));
    }
}

/// A peer whose power is cut says nothing at all, not even that it leaves.
#[test]
fn one_that_vanished() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg(), "--heartbeat=200ms"]);
    let mut present = Client::connect(&server, "/stream/app.log");
    let before = server.descriptors();
    let mut vanished = Client::connect(&server, "/stream/app.log");
    assert_eq!(source(&server, "app.log")["clients"], 2);

    until_true("the server to drop the silent client", || {
        // Reading is what answers a ping.
        assert!(present.next_within(Duration::from_millis(50)).is_none());
        source(&server, "app.log")["clients"] == 1
    });
    until_true("its descriptor to be closed", || {
        assert!(present.next_within(Duration::from_millis(50)).is_none());
        server.descriptors() <= before
    });
    assert_eq!(last_close(vanished.socket().get_mut()), Some(1008));
    writer.write(1);
    assert_eq!(present.bytes_until(writer.last()), writer.everything());
}

/// What a dropped connection still holds, read without answering the pings in it: there is nobody
/// to answer to.
fn last_close(socket: &mut TcpStream) -> Option<u16> {
    let mut frames = Vec::new();
    socket.read_to_end(&mut frames).unwrap();
    let mut rest = &frames[..];
    while let [first, length @ 0..126, more @ ..] = rest {
        let (payload, next) = more.split_at(usize::from(*length));
        if *first == 0x88 {
            return Some(u16::from_be_bytes([payload[0], payload[1]]));
        }
        rest = next;
    }
    None
}

#[test]
fn one_too_many() {
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start(&[folder.arg(), "--max-clients", "3"]);
    let mut clients: Vec<Client> = (0..3)
        .map(|_| Client::connect(&server, "/stream/app.log"))
        .collect();
    let answer = get(&server, "/health");
    assert_eq!(answer.status, 503, "{answer:?}");
    let seconds = answer.header("Retry-After").expect("Retry-After");
    assert!(seconds.parse::<u32>().is_ok(), "{seconds}");
    answer.sentence();
    assert_eq!(
        Connection::open(&server)
            .ask_for_upgrade("/stream/app.log", "")
            .status,
        503
    );

    drop(clients.pop());
    until_true("the place to be free", || {
        get(&server, "/health").status == 200
    });
    for client in &mut clients {
        assert_eq!(client.bytes_until("\n"), b"hello\n");
    }
}

/// Sixty clients, forty descriptors: those who do not fit wait in the kernel until others have
/// gone.
#[test]
fn more_than_descriptors() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    let limit = ["sh", "-c", "ulimit -n 40; exec \"$@\"", "sh"];
    let server = Server::start_under(&limit, &[folder.arg()]);
    let mut first = Client::connect(&server, "/stream/app.log?from=start");
    let crowd: Vec<Connection> = (0..60).map(|_| Connection::open(&server)).collect();
    until_true("the server to run out of descriptors", || {
        server.descriptors() >= 38
    });

    // It stands still rather than asking again and again.
    let (start, cpu) = (Instant::now(), server.cpu());
    std::thread::sleep(Duration::from_secs(1));
    let share = (server.cpu() - cpu) / start.elapsed().as_secs_f64();
    assert!(share < 0.5, "{share} of a CPU spent on waiting");

    // Those who are in do not notice, and a file that could not be opened meanwhile is opened
    // later.
    writer.write(100);
    first.bytes_until(writer.last());
    folder.rotate();
    writer.reopen();
    writer.write(100);

    for mut connection in crowd {
        let answer = connection.ask_for_upgrade("/stream/app.log", "");
        assert_eq!(answer.status, 101, "{answer:?}");
    }
    first.bytes_until(writer.last());
    assert_eq!(first.count, writer.everything().len() as u64);
}

/// Whatever they do, the next one is served.
#[test]
fn ill_behaved_ones() {
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start(&[folder.arg()]);
    let tls_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    let rubbish: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for bytes in [
        b"".to_vec(),
        b"\r\n".to_vec(),
        b"GET / HT".to_vec(),
        tls_hello,
        rubbish,
    ] {
        for reset in [false, true] {
            let mut stream = TcpStream::connect(server.addr()).unwrap();
            // The server may have had enough before we have sent it all.
            let _ = stream.write_all(&bytes);
            if reset {
                set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
            }
            drop(stream);
            assert_eq!(get(&server, "/health").status, 200);
        }
    }
    // In the middle of a stream, too.
    for _ in 0..20 {
        let client = Connection::open(&server).upgrade("/stream/app.log", Some(EXACT));
        set_socket_linger(client.get_ref(), Some(Duration::ZERO)).unwrap();
    }
    until_true("the broken connections to be gone", || {
        source(&server, "app.log")["clients"] == 0
    });
    let mut client = Client::connect(&server, "/stream/app.log");
    assert_eq!(client.bytes_until("\n"), b"hello\n");
}

/// A head that does not end is given 5 s from its first byte, however it trickles; a connection
/// that has not begun may wait.
#[test]
fn one_that_never_finishes_its_request() {
    let folder = Folder::new();
    let server = Server::start(&[folder.arg()]);
    let mut idle = Connection::open(&server);
    assert_eq!(idle.get("/health").status, 200);
    let silent = Connection::open(&server);
    let mut slow = Connection::open(&server);
    slow.send("GET /health HTTP/1.1\r\nHost: tailcast\r\n");
    let mut socket = slow.socket();
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let start = Instant::now();
    let answer = until("the server's patience to end", || {
        // Once it is over, nobody takes this any more.
        let _ = socket.write_all(b"X");
        let mut answer = [0; 1024];
        match socket.read(&mut answer) {
            Ok(length) => Some(answer[..length].to_vec()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                None
            }
            Err(error) => panic!("{error}"),
        }
    });
    assert!(
        start.elapsed() > Duration::from_secs(4),
        "after {:?}",
        start.elapsed()
    );
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 408 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    // Who has never said a word has had as long; who has, and is kept, may be silent for longer.
    let mut silence = silent.socket();
    silence.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(silence.read(&mut [0; 16]).expect("an end"), 0);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(idle.get("/health").status, 200);
}

/// A client that shuts its side down has left.
#[test]
fn one_that_half_closes() {
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log");
    client.bytes_until("\n");
    client.socket().get_ref().shutdown(Shutdown::Write).unwrap();
    while !matches!(client.next_within(DEADLINE), Some(Heard::Closed(_))) {}
    until_true("it to be counted no more", || {
        source(&server, "app.log")["clients"] == 0
    });
}
