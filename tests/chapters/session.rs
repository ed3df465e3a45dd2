//! The server API of the article, in Rust: handlers of our own on the library, and clients that try
//! them.

use crate::client::{close_code, message};
use crate::deadline::{DEADLINE, until_true};
use crate::handler::Handler;
use futures_lite::StreamExt;
use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::thread;
use std::time::Duration;
use tailcast::{Accepted, Message, Response};
use tungstenite::WebSocket;
use tungstenite::protocol::CloseFrame;

/// The next message as text.
fn heard(socket: &mut WebSocket<TcpStream>) -> String {
    let message = message(socket, DEADLINE).expect("a message");
    message.into_text().expect("text").as_str().to_owned()
}

fn say(socket: &mut WebSocket<TcpStream>, text: &str) {
    socket.send(text.into()).expect("send");
}

/// `request.is_websocket()`, and `@accept_websocket`: both ways on one URL.
#[test]
fn accept_websocket() {
    let own = Handler::serve(|exchange| async move {
        let asked = exchange.request.is_websocket();
        match exchange.accept_websocket(4096).await? {
            Accepted::WebSocket(mut session) => {
                assert!(asked);
                session.send("welcome").await?;
                session.finish().await;
                Ok(None)
            }
            Accepted::Plain(exchange) => {
                assert!(!asked);
                exchange.answer(Response::sentence(200, "well done")).await
            }
            Accepted::Refused(connection) => Ok(connection),
        }
    });
    let mut connection = own.connection();
    for _ in 0..2 {
        assert_eq!(connection.get("/").text(), "well done\n");
    }
    // One that means a WebSocket and gets the handshake wrong has been answered already; the
    // connection is kept.
    let answer = connection.request("GET", "/", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    assert_eq!(answer.status, 426, "{answer:?}");
    let mut socket = connection.upgrade("/", None);
    assert_eq!(heard(&mut socket), "welcome");
}

/// `@require_websocket`.
#[test]
fn require_websocket() {
    let own = Handler::serve(|exchange| async move {
        let mut session = match exchange.require_websocket(4096).await? {
            Ok(session) => session,
            Err(answered) => return Ok(answered),
        };
        while let Some(message) = session.wait().await {
            session.send(message).await?;
        }
        session.finish().await;
        Ok(None)
    });
    let mut connection = own.connection();
    let answer = connection.get("/");
    assert_eq!(answer.status, 426, "{answer:?}");
    assert_eq!(answer.header("Upgrade"), Some("websocket"));
    let mut socket = connection.upgrade("/", None);
    for text in ["hello", "", "ünïcödé 🦀"] {
        say(&mut socket, text);
        assert_eq!(heard(&mut socket), text);
    }
    let bytes: Vec<u8> = (0..=255).collect();
    socket.send(bytes.clone().into()).unwrap();
    let back = message(&mut socket, DEADLINE).unwrap();
    assert!(back.is_binary() && back.into_data() == bytes);
    // A fragmented message is one message (RFC 6455 section 5.4), a ping between its parts or not.
    // Masked with zeros.
    let raw = b"\x01\x82\0\0\0\0He\x89\x80\0\0\0\0\x80\x83\0\0\0\0llo";
    socket.get_mut().write_all(raw).unwrap();
    loop {
        match message(&mut socket, DEADLINE).unwrap() {
            tungstenite::Message::Text(text) => break assert_eq!(text.as_str(), "Hello"),
            pong => assert!(pong.is_pong(), "{pong:?}"),
        }
    }
    // Both sides close, and the handler's loop ends.
    let frame = CloseFrame {
        code: 4321.into(),
        reason: "enough".into(),
    };
    socket.close(Some(frame)).unwrap();
    assert_eq!(close_code(&mut socket), Some(4321));
}

/// What a handler finds when it looks at the waiting messages without waiting.
type Looks = Vec<(bool, usize, Option<Message>)>;

/// `read`, `has_messages`, `count_messages`: whatever is there, at once.
#[test]
fn without_waiting() {
    let own = Handler::serve(|exchange| async move {
        let Ok(mut session) = exchange.require_websocket(4096).await? else {
            return Ok(None);
        };
        // A first message is waited for; behind it nothing is there yet.
        let first = session.wait().await;
        assert_eq!(first, Some("first".into()));
        let looks: Rc<RefCell<Looks>> = Rc::default();
        let look = |session: &mut tailcast::Session| {
            let seen = (session.has_messages(), session.count_messages());
            looks.borrow_mut().push((seen.0, seen.1, session.read()));
        };
        look(&mut session);
        session.send("now").await?;
        // The client says two things and then waits: they come, and are seen without being taken.
        while session.count_messages() < 2 {
            smol::Timer::after(Duration::from_millis(5)).await;
        }
        assert_eq!(session.count_messages(), 2);
        for _ in 0..3 {
            look(&mut session);
        }
        let text = format!("{:?}", looks.borrow());
        session.send(text.as_str()).await?;
        assert_eq!(session.wait().await, None, "the client has closed");
        // And it stays closed.
        assert_eq!(
            (
                session.read(),
                session.has_messages(),
                session.count_messages()
            ),
            (None, false, 0)
        );
        assert_eq!(session.wait().await, None);
        session.finish().await;
        Ok(None)
    });
    let mut socket = own.websocket();
    say(&mut socket, "first");
    assert_eq!(heard(&mut socket), "now");
    say(&mut socket, "two");
    socket.send(b"three".to_vec().into()).unwrap();
    let expected: Looks = vec![
        (false, 0, None),
        (true, 2, Some("two".into())),
        (true, 1, Some(b"three"[..].into())),
        (false, 0, None),
    ];
    assert_eq!(heard(&mut socket), format!("{expected:?}"));
    socket.close(None).unwrap();
    close_code(&mut socket);
}

/// `for message in websocket`: the end of the client is the end of the loop, however it comes.
#[test]
fn iterate() {
    let (sender, count) = std::sync::mpsc::channel();
    let own = Handler::serve(move |exchange| {
        let sender = sender.clone();
        async move {
            let Ok(session) = exchange.require_websocket(4096).await? else {
                return Ok(None);
            };
            let texts: Vec<Message> = session.collect().await;
            sender.send(texts.len()).unwrap();
            Ok(None)
        }
    });
    for end in ["close", "drop", "half-close", "rule broken"] {
        let mut socket = own.websocket();
        for number in 0..100 {
            say(&mut socket, &number.to_string());
        }
        match end {
            "close" => socket.close(None).unwrap(),
            "half-close" => socket
                .get_ref()
                .shutdown(std::net::Shutdown::Write)
                .unwrap(),
            // Not masked (RFC 6455 section 5.1).
            "rule broken" => socket.get_mut().write_all(b"\x81\x02hi").unwrap(),
            _ => drop(socket),
        }
        assert_eq!(count.recv_timeout(DEADLINE), Ok(100), "{end}");
    }
}

/// A message longer than the handler wants, or one that breaks a rule, is closed with its code (RFC
/// 6455 section 7.4.1).
#[test]
fn rules() {
    let own = Handler::serve(|exchange| async move {
        let Ok(mut session) = exchange.require_websocket(100).await? else {
            return Ok(None);
        };
        while session.wait().await.is_some() {}
        session.finish().await;
        Ok(None)
    });
    for (frames, code) in [
        // A text of 101 bytes.
        (
            [b"\x81\xe5\0\0\0\0".to_vec(), vec![b'x'; 101]].concat(),
            1009,
        ),
        (b"\x81\x82\0\0\0\0\xff\xfe".to_vec(), 1007),
        (b"\x81\x02hi".to_vec(), 1002),
        (b"\x83\x80\0\0\0\0".to_vec(), 1002),
        // Masked with zeros: a close of code 1000.
        (b"\x88\x82\0\0\0\0\x03\xe8".to_vec(), 1000),
    ] {
        let mut socket = own.websocket();
        socket.get_mut().write_all(&frames).unwrap();
        assert_eq!(close_code(&mut socket), Some(code), "{frames:x?}");
    }
    let mut socket = own.websocket();
    say(&mut socket, &"x".repeat(100));
    socket.close(None).unwrap();
    close_code(&mut socket);
}

/// A client that floods one who does not read is stopped by TCP: it can send what the kernel's
/// buffers hold and no more.
#[test]
fn a_flood_is_held_by_tcp() {
    let (sender, go) = smol::channel::bounded::<()>(1);
    let own = Handler::serve(move |exchange| {
        let go = go.clone();
        async move {
            let Ok(mut session) = exchange.require_websocket(4096).await? else {
                return Ok(None);
            };
            // Looks at what waits again and again, and takes nothing.
            while go.is_empty() {
                assert!(session.count_messages() <= 16);
                smol::Timer::after(Duration::from_millis(1)).await;
            }
            let mut bytes = 0_usize;
            while let Some(Message::Text(text)) = session.wait().await {
                if text == "how many?" {
                    session.send(bytes.to_string().as_str()).await?;
                    break;
                }
                bytes += text.len();
            }
            session.finish().await;
            Ok(None)
        }
    });
    let mut socket = own.websocket();
    let mut raw = socket.get_ref().try_clone().unwrap();
    raw.set_nonblocking(true).unwrap();
    // A text of 4,000 bytes, masked with zeros.
    let frame = [b"\x81\xfe\x0f\xa0\0\0\0\0".to_vec(), vec![b'x'; 4_000]].concat();
    let flood: Vec<u8> = frame.repeat(16_384);
    let mut sent = 0;
    // A second without a byte taken: it stands.
    until_true("the flood to stand", || {
        let before = sent;
        loop {
            match raw.write(&flood[sent..]) {
                Ok(0) => panic!("all {sent} bytes were taken"),
                Ok(taken) => sent += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        if sent > before {
            thread::sleep(Duration::from_secs(1));
        }
        sent == before
    });
    let held = sent >> 10;
    // `net.ipv4.tcp_rmem` and `tcp_wmem` give each side some MiB at most.
    assert!(held < 32 << 10, "{held} KiB were taken");

    // All of it is there once it is wanted.
    let whole = sent / frame.len() * 4_000;
    raw.set_nonblocking(false).unwrap();
    sender.send_blocking(()).unwrap();
    let rest = frame.len() - sent % frame.len();
    raw.write_all(&flood[sent..sent + rest]).unwrap();
    say(&mut socket, "how many?");
    assert_eq!(heard(&mut socket), (whole + 4_000).to_string());
    close_code(&mut socket);
}

/// What a handler panics over ends its own connection only.
#[test]
fn a_handler_that_panics() {
    let own = Handler::serve(|exchange| async move {
        if exchange.request.path == "/panic" {
            panic!("this is the test's own");
        }
        exchange.answer(Response::sentence(200, "well done")).await
    });
    let mut other = own.connection();
    assert_eq!(other.get("/").status, 200);
    let mut connection = own.connection();
    connection.send("GET /panic HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(connection.rest(), b"");
    assert_eq!(other.get("/").status, 200);
    for _ in 0..10 {
        let mut connection = own.connection();
        connection.send("GET /panic HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(connection.rest(), b"", "and its place is free again");
    }
    assert_eq!(own.connection().get("/").status, 200);
}
