//! What a client's frames become, and what frames go out to it, over a connection of this machine.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;

use super::*;
use crate::websocket::frame::frame_text;

/// The longest message that is wanted of the client, in bytes.
const MAX: usize = 16;

/// A session and its client.
fn pair() -> (Session, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_nodelay(true).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let (socket, _) = listener.accept().unwrap();
    let socket = Async::new(socket).unwrap();
    let session = smol::block_on(Session::new(socket, Vec::new(), MAX));
    (session, client)
}

/// A client's frame, masked with zeros (RFC 6455 section 5.2).
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

fn text(text: &str) -> Vec<u8> {
    frame(0x81, text.as_bytes())
}

/// All that still comes to `client`, to the clean end of the connection.
fn rest(client: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    rest
}

#[test]
fn what_a_client_says_and_is_answered() {
    let many = |count: usize| (0..count).map(|number| number.to_string());
    for (frames, heard, answer) in [
        (vec![], vec![], &b""[..]),
        (text("hi"), vec!["hi".into()], b""),
        (text(""), vec!["".into()], b""),
        (
            text(&"x".repeat(MAX)),
            vec![(&*"x".repeat(MAX)).into()],
            b"",
        ),
        (frame(0x82, b"\xff"), vec![b"\xff"[..].into()], b""),
        // A message in three parts, and a ping between them.
        (
            [
                frame(0x01, b"H\xc3"),
                frame(0x89, b"x"),
                frame(0x00, b"\xa9"),
                frame(0x80, b"!"),
            ]
            .concat(),
            vec!["Hé!".into()],
            b"\x8a\x01x",
        ),
        (
            [frame(0x89, b"a"), text("hi"), frame(0x89, b"b")].concat(),
            vec!["hi".into()],
            b"\x8a\x01a\x8a\x01b",
        ),
        (frame(0x8a, b"unasked"), vec![], b""),
        // More than the inbox takes.
        (
            many(40).flat_map(|number| text(&number)).collect(),
            many(40).map(|number| (&*number).into()).collect(),
            b"",
        ),
        // A close is answered with its code, and what stands behind it is not heard.
        (frame(0x88, b"\x03\xe8"), vec![], b"\x88\x02\x03\xe8"),
        (frame(0x88, b""), vec![], b"\x88\x00"),
        (
            [text("a"), frame(0x88, b"\x0f\xa0"), text("b")].concat(),
            vec!["a".into()],
            b"\x88\x02\x0f\xa0",
        ),
        // A broken rule is answered with its code, and what stands before it is heard.
        (
            [text("a"), b"\x81\x01b".to_vec()].concat(),
            vec!["a".into()],
            b"\x88\x02\x03\xea",
        ),
        (
            [text("a"), frame(0x81, b"\xff")].concat(),
            vec!["a".into()],
            b"\x88\x02\x03\xef",
        ),
        (
            [text("a"), text(&"x".repeat(MAX + 1))].concat(),
            vec!["a".into()],
            b"\x88\x02\x03\xf1",
        ),
        // The end of the connection within a frame is an end like any other.
        (
            [text("a"), b"\x81\x85\0\0".to_vec()].concat(),
            vec!["a".into()],
            b"",
        ),
    ] {
        for piece in [1, 3, 7, 1024] {
            let (mut session, mut client) = pair();
            let mut pieces = frames.chunks(piece);
            if let Some(first) = pieces.next() {
                client.write_all(first).unwrap();
            }
            for next in pieces {
                // It has looked at what came before, and taken what was whole.
                session.count_messages();
                client.write_all(next).unwrap();
            }
            client.shutdown(Shutdown::Write).unwrap();
            assert!(session.count_messages() <= INBOX_MAX);
            let broken = [1002_u16, 1007, 1009]
                .into_iter()
                .find(|code| answer.ends_with(&code.to_be_bytes()))
                .map(|code| Received::Broken(code.into()));
            let said = smol::block_on(async {
                let mut said = Vec::new();
                while let Some(message) = session.wait().await {
                    said.push(message);
                }
                let ended = session.ended.as_ref();
                assert_eq!(ended, Some(&broken.unwrap_or(Received::Gone)));
                assert_eq!(session.wait().await, None, "it stays at its end");
                session.finish().await;
                said
            });
            assert_eq!(said, heard, "{frames:x?} by {piece}");
            assert_eq!(rest(&mut client), answer, "{frames:x?} by {piece}");
        }
    }
}

/// Who waits is woken by each thing that comes, in as many pieces as it likes.
#[test]
fn what_comes_later_wakes_who_waits() {
    let (mut session, mut client) = pair();
    for piece in [1, 2, 100] {
        let message = "so late";
        let frames = text(message);
        for (at, bytes) in frames.chunks(piece).enumerate() {
            let waits = smol::block_on(future::poll_once(session.wait()));
            assert_eq!(waits, None, "piece {at}");
            client.write_all(bytes).unwrap();
        }
        let late = async {
            Timer::after(Duration::from_secs(30)).await;
            panic!("it is not woken");
        };
        let said = smol::block_on(future::or(session.wait(), late));
        assert_eq!(said, Some(message.into()));
    }
    // And while it waits.
    let says = thread::spawn(move || {
        for number in 0..100 {
            client.write_all(&text(&number.to_string())).unwrap();
            thread::yield_now();
        }
    });
    for number in 0..100 {
        let said = smol::block_on(session.wait());
        assert_eq!(said, Some((&*number.to_string()).into()));
    }
    says.join().unwrap();
    assert_eq!(smol::block_on(session.wait()), None);
}

#[test]
fn what_is_sent_has_the_shortest_head() {
    for (length, head) in [
        (0, &b"\x00"[..]),
        (1, b"\x01"),
        (125, b"\x7d"),
        (126, b"\x7e\x00\x7e"),
        (65_535, b"\x7e\xff\xff"),
        (65_536, b"\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ] {
        let payload = "x".repeat(length);
        let framed = |first: u8| [&[first], head, payload.as_bytes()].concat();
        let mut frames = b"before".to_vec();
        frame_text(&mut frames, &payload);
        assert_eq!(frames, [&b"before"[..], &framed(0x81)].concat());

        let (mut session, mut client) = pair();
        let reads = thread::spawn(move || rest(&mut client));
        smol::block_on(async {
            session.send(&*payload).await.unwrap();
            session.send(payload.as_bytes()).await.unwrap();
            session.offer_framed(&framed(0x81)).unwrap();
            session.offer_framed(b"").unwrap();
            session.offer_ping().unwrap();
            session.wire().drained(SEND_TIME).await.unwrap();
        });
        drop(session);
        let want = [framed(0x81), framed(0x82), framed(0x81), b"\x89\0".to_vec()].concat();
        assert!(reads.join().unwrap() == want, "{length} bytes");
    }
}

/// A close of ours is the last thing that is sent, and arrives, whatever the client still says.
#[test]
fn a_close_arrives_whatever_the_client_still_says() {
    let closes = frame(0x88, b"\x03\xe9");
    for says in [
        vec![],
        closes.clone(),
        [text("still here"), closes.clone()].concat(),
        [frame(0x89, b"ping"), closes.clone()].concat(),
        // It breaks a rule on the way.
        b"\x81\x01b".to_vec(),
        [closes, b"behind it".to_vec()].concat(),
    ] {
        let (session, mut client) = pair();
        let saying = says.clone();
        let reads = thread::spawn(move || {
            let mut close = [0; 10];
            client.read_exact(&mut close).unwrap();
            client.write_all(&saying).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            (close, rest(&mut client))
        });
        smol::block_on(session.close(CloseCode::Away, "not me"));
        let (close, rest) = reads.join().unwrap();
        assert_eq!(&close, b"\x88\x08\x03\xe9not me", "{says:x?}");
        assert_eq!(rest, b"", "{says:x?}");
    }
}
