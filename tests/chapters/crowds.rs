//! Those who mean harm by coming in numbers, slowly or half: after each of them the next client is
//! served, and the memory that they took is back.

use crate::chapters::hostile::{scene, unharmed};
use crate::client::{Client, EXACT};
use crate::deadline::{until, until_true};
use crate::endless::Endless;
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::server::Server;
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Three forms of a slow loris, more of each than there are places: heads and bodies that trickle,
/// and answers that nobody takes.
#[test]
fn slow_ones() {
    let (folder, server) = scene(&["--max-clients=40"]);
    let before = server.own_memory();
    for (form, start) in [
        (
            "trickling heads",
            "GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
        ),
        (
            "trickling bodies",
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n",
        ),
    ] {
        let mut crowd: Vec<TcpStream> = (0..60)
            .map(|_| TcpStream::connect(server.addr()).unwrap())
            .collect();
        for stream in &mut crowd {
            let _ = stream.write_all(start.as_bytes());
        }
        let begun = Instant::now();
        until(&format!("a place beside {form}"), || {
            for stream in &mut crowd {
                let _ = stream.write_all(b"x");
            }
            let mut connection = Connection::open(&server);
            let _ = connection
                .stream()
                .get_mut()
                .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
            (connection.answer().status == 200).then_some(())
        });
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "{form}: {:?}",
            begun.elapsed()
        );
        drop(crowd);
        unharmed(&server, before, form);
    }
    // More than sockets hold: these would be given 60 s each. They are gone before, and everything
    // of them.
    folder.append(vec![b'x'; 16 << 20]);
    let readers: Vec<Connection> = (0..30)
        .map(|_| {
            let mut connection = Connection::narrow(&server);
            connection.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
            connection
        })
        .collect();
    for reader in &readers {
        reader.socket().peek(&mut [0]).unwrap();
    }
    assert_eq!(get(&server, "/health").status, 200);
    drop(readers);
    folder.replace("hello\n");
    unharmed(&server, before, "answers that nobody takes");
}

/// Connections of which the handshake has begun: the kernel goes on with it by itself.
fn crowd(server: &Server, count: usize) -> Vec<OwnedFd> {
    let begin = |_| {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket =
            socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).expect("socket");
        match connect(&socket, &server.addr()) {
            Ok(()) | Err(Errno::INPROGRESS) => socket,
            Err(error) => panic!("{error}"),
        }
    };
    (0..count).map(begin).collect()
}

/// Two thousand at once where there are descriptors for sixty: the others wait in the kernel.
#[test]
fn a_burst_of_connections() {
    let limits = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limits.maximum,
        maximum: limits.maximum,
    };
    setrlimit(Resource::Nofile, most).expect("the limit that is ours to raise");
    let folder = Folder::new();
    folder.append("hello\n");
    let limit = ["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"];
    let server = Server::start_under(&limit, &["--lines=1", folder.arg()]);
    let mut first = Client::connect(&server, "/stream");
    first.bytes_until("hello\n");
    assert_eq!(get(&server, "/stream").status, 200);
    let before = server.own_memory();
    for round in 0..2 {
        let crowd = crowd(&server, 2000);
        for connection in crowd.iter().step_by(2) {
            // Those that the kernel has not connected yet say nothing.
            let _ = rustix::io::write(
                connection,
                b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
            );
        }
        until_true("the server to run out of descriptors", || {
            server.descriptors() >= 60
        });
        // Who was there before notices nothing.
        let line = format!("round {round}\n");
        folder.append(&line);
        assert_eq!(first.bytes_until(&line), line.as_bytes());
        drop(crowd);
        folder.append("hello\n");
        assert_eq!(first.bytes_until("hello\n"), b"hello\n");
        unharmed(&server, before, "a burst");
    }
}

/// Peers that come and say nothing, leave without a word, or keep one half open.
#[test]
fn half_open_ones() {
    let (_folder, server) = scene(&["--heartbeat=200ms"]);
    let before = server.own_memory();
    for round in 0..50 {
        let idle = TcpStream::connect(server.addr()).unwrap();
        let reset = TcpStream::connect(server.addr()).unwrap();
        set_socket_linger(&reset, Some(Duration::ZERO)).unwrap();
        let half = TcpStream::connect(server.addr()).unwrap();
        half.shutdown(Shutdown::Write).unwrap();
        let websocket = Connection::open(&server).upgrade("/stream", Some(EXACT));
        let end = if round % 2 == 0 {
            Shutdown::Write
        } else {
            Shutdown::Both
        };
        websocket.get_ref().shutdown(end).unwrap();
        if round % 3 == 0 {
            std::mem::forget(websocket);
        }
        drop((idle, reset, half));
    }
    until_true("them to be gone", || {
        source(&server, "app.log")["clients"] == 0
    });
    unharmed(&server, before, "half-open peers");
}

/// More clients than the soft limit of descriptors lets in are served where the hard one does;
/// where that does not either, the others are told, and a rotation is followed all the same.
#[test]
fn as_many_as_there_are_descriptors() {
    let folder = Folder::new();
    folder.append("one\n");
    let start = |limits: &str| {
        let script = format!("ulimit {limits}; exec \"$@\"");
        let words = ["sh", "-c", &script, "sh"];
        Server::start_under(&words, &[folder.arg(), "--max-clients=200"])
    };
    let many = |server: &Server, count: usize| {
        let viewers: Vec<Connection> = (0..count).map(|_| Connection::open(server)).collect();
        let ask = |mut viewer: Connection| {
            viewer.send("GET /stream/app.log?follow HTTP/1.1\r\nHost: localhost\r\n\r\n");
            viewer
        };
        let viewers: Vec<Connection> = viewers.into_iter().map(ask).collect();
        let head = |mut viewer: Connection| (viewer.head().status, viewer);
        viewers.into_iter().map(head).collect::<Vec<_>>()
    };
    let soft = start("-Sn 64");
    assert!(many(&soft, 150).iter().all(|(status, _)| *status == 200));
    drop(soft);

    let mut hard = start("-n 128");
    let mut witness = Endless::ask(&hard, "/stream/app.log?follow&from=start", "");
    // Half of the descriptors are kept back.
    let viewers = many(&hard, 63);
    assert!(viewers.iter().all(|(status, _)| *status == 200));
    assert_eq!(many(&hard, 1)[0].0, 503);
    for turn in 0..5 {
        folder.rotate();
        folder.append(format!("{turn}\n"));
    }
    assert_eq!(witness.until("4\n"), b"one\n0\n1\n2\n3\n4\n");
    let said = hard.end(Signal::KILL).stderr;
    assert!(
        said.contains("--max-clients 200") && said.contains("64"),
        "{said}"
    );
}
