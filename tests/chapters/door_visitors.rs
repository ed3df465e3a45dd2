//! Visitors from the network, with the key, without it, and with wrong ones.

use crate::chapters::door::{ENCODED, KEY, ask, key, scene};
use crate::folder::Folder;
use crate::http::{Connection, get};
use crate::require;
use crate::server::Server;
use std::net::UdpSocket;
use std::net::{IpAddr, Ipv4Addr};

/// An address of this machine that is not loopback; `None` (the test should return) where it has
/// none.
fn own_address() -> Option<IpAddr> {
    // Nothing is sent: the kernel only says from which address it would be.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    let found = socket
        .connect("198.51.100.1:9")
        .and_then(|()| socket.local_addr());
    match found {
        Ok(address) if !address.ip().is_loopback() => Some(address.ip()),
        _ => {
            require::skip("this machine has no address but loopback");
            None
        }
    }
}

#[test]
fn a_visitor_from_the_network() {
    let Some(address) = own_address() else { return };
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start_on(
        Ipv4Addr::UNSPECIFIED,
        &[],
        &["--max-clients=40", folder.arg()],
    );
    let visit = || Connection::to((address, server.addr().port()).into());
    assert_eq!(visit().get("/stream").status, 401);
    let key = key(&server);
    assert_eq!(visit().get(&format!("/stream?key={key}")).text(), "hello\n");
    // A quarter of all places; the board itself still has the others.
    let mut taken: Vec<Connection> = Vec::new();
    for _ in 0..10 {
        let mut connection = visit();
        assert_eq!(connection.get("/health").status, 401);
        taken.push(connection);
    }
    let mut refused = visit();
    let answer = refused.answer();
    assert_eq!(answer.status, 503);
    assert!(answer.header("Retry-After").is_some());
    assert_eq!(get(&server, "/health").status, 200);
    drop(taken.pop());
    crate::deadline::until_true("the place to be free", || {
        let mut connection = visit();
        connection.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        connection.answer().status == 401
    });
}

#[test]
fn public() {
    let (_folder, mut server) = scene(&["--public"]);
    assert_eq!(get(&server, "/stream").text(), "hello\n");
    let mut connection = Connection::open(&server);
    assert_eq!(
        connection
            .request("GET", "/", "X-Forwarded-For: 192.0.2.7\r\n")
            .status,
        200
    );
    // Who comes from an old link need not keep the key in his address bar.
    let answer = get(&server, "/?key=old");
    assert_eq!((answer.status, answer.header("Set-Cookie")), (303, None));
    // The other rules hold.
    assert_eq!(ask(&server, "/", &["Host: evil.example"]).status, 421);
    assert!(
        server
            .stop()
            .stdout
            .iter()
            .all(|line| !line.contains("key"))
    );
}

#[test]
fn ten_wrong_keys() {
    let (_folder, mut server) = scene(&["--key", KEY]);
    let right = format!("/health?key={ENCODED}");
    let mut connection = Connection::open(&server);
    // None is not a wrong one, and an old page says the same wrong one for ever.
    for _ in 0..30 {
        assert_eq!(connection.get("/health").status, 401);
        let cookie = format!("Cookie: tailcast-{}=old\r\n", server.addr().port());
        assert_eq!(connection.request("GET", "/", &cookie).status, 401);
    }
    for guess in 0..9 {
        let answer = connection.get(&format!("/?key={guess}"));
        assert_eq!(answer.status, 401, "{guess}");
        assert!(answer.text().contains("not the key"));
    }
    for target in [right.as_str(), "/health", "/?key=one-more"] {
        let answer = connection.get(target);
        assert_eq!(answer.status, 429, "{target}");
        let seconds: u64 = answer.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        answer.sentence();
    }
    assert_eq!(connection.ask_for_upgrade(&right, "").status, 429);
    let ended = server.stop();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("wrong keys from `127.0.0.1`"),
        "{}",
        ended.stderr
    );
}
