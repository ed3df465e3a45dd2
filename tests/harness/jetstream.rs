//! What stands in a server's stream: asked over a plain socket, by other code than Tailcast's.

use crate::deadline::DEADLINE;
use crate::nats::Nats;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A message in the stream.
#[derive(Debug)]
pub struct Stored {
    pub sequence: u64,
    pub from: String,
    pub cursor: String,
    pub bytes: u64,
    pub lost: Option<String>,
    pub mark: Option<String>,
    pub payload: Vec<u8>,
}

/// A connection of the hub's owner.
pub struct Talk {
    stream: BufReader<TcpStream>,
}

impl Talk {
    pub fn open(nats: &Nats) -> Talk {
        let mut socket = TcpStream::connect(nats.addr).expect("connect");
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let connect = json!({
            "headers": true, "no_responders": true, "verbose": false,
            "user": "admin", "pass": "secret",
        });
        write!(socket, "CONNECT {connect}\r\nSUB admin.box 1\r\n").unwrap();
        Talk {
            stream: BufReader::new(socket),
        }
    }

    /// The answer to `payload`: its headers and its payload.
    pub fn ask(&mut self, subject: &str, payload: &[u8]) -> (String, Vec<u8>) {
        let answer = self.ask_within(DEADLINE, subject, payload);
        answer.unwrap_or_else(|| panic!("no answer of `{subject}`"))
    }

    /// The same, if one comes in this time: a cluster without a leader says nothing. Without one
    /// the connection is over.
    pub fn ask_within(
        &mut self,
        time: Duration,
        subject: &str,
        payload: &[u8],
    ) -> Option<(String, Vec<u8>)> {
        let socket = self.stream.get_ref();
        socket.set_read_timeout(Some(time)).unwrap();
        self.publish(subject, Some("admin.box"), payload);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).ok()?;
            let words: Vec<&str> = line.split_whitespace().collect();
            let total = |at: usize| words[words.len() - at].parse::<usize>().unwrap();
            let (head, all) = match words.first() {
                Some(&"MSG") => (0, total(1)),
                Some(&"HMSG") => (total(2), total(1)),
                Some(&"PING") => {
                    self.stream.get_mut().write_all(b"PONG\r\n").unwrap();
                    continue;
                }
                Some(&"INFO") => continue,
                _ => panic!("{subject}: {line:?}"),
            };
            let mut body = vec![0; all + 2];
            self.stream.read_exact(&mut body).unwrap();
            body.truncate(all);
            let payload = body.split_off(head);
            return Some((String::from_utf8(body).unwrap(), payload));
        }
    }

    /// Publishes without a header.
    pub fn publish(&mut self, subject: &str, reply: Option<&str>, payload: &[u8]) {
        let reply = reply.unwrap_or_default();
        let mut frame = format!("PUB {subject} {reply} {}\r\n", payload.len()).into_bytes();
        frame.extend_from_slice(payload);
        frame.extend_from_slice(b"\r\n");
        self.stream.get_mut().write_all(&frame).unwrap();
    }

    /// Publishes with these headers.
    pub fn publish_with(&mut self, subject: &str, headers: &str, payload: &[u8]) {
        let (head, all) = (headers.len(), headers.len() + payload.len());
        let mut frame = format!("HPUB {subject} {head} {all}\r\n{headers}").into_bytes();
        frame.extend_from_slice(payload);
        frame.extend_from_slice(b"\r\n");
        self.stream.get_mut().write_all(&frame).unwrap();
    }

    /// The first message of `subject` from `sequence` on.
    pub fn next(&mut self, subject: &str, sequence: u64) -> Option<Stored> {
        let asked = json!({ "seq": sequence, "next_by_subj": subject }).to_string();
        self.get("$JS.API.DIRECT.GET.TAILCAST", asked.as_bytes())
    }

    /// The last message of `subject`.
    pub fn last(&mut self, subject: &str) -> Option<Stored> {
        self.get(&format!("$JS.API.DIRECT.GET.TAILCAST.{subject}"), b"")
    }

    /// The same of one in a cluster, which may say nothing for a while.
    pub fn last_if_any(&mut self, subject: &str) -> Option<Stored> {
        let asked = format!("$JS.API.DIRECT.GET.TAILCAST.{subject}");
        self.ask_within(DEADLINE / 10, &asked, b"").and_then(stored)
    }

    fn get(&mut self, asked: &str, payload: &[u8]) -> Option<Stored> {
        stored(self.ask(asked, payload))
    }
}

/// A message out of the answer to who asked for one.
fn stored((headers, payload): (String, Vec<u8>)) -> Option<Stored> {
    let header = |name: &str| {
        let line = headers
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))?;
        Some(line.to_owned())
    };
    let is_none = |it| headers.starts_with(it);
    if is_none("NATS/1.0 404") || is_none("NATS/1.0 503") {
        return None;
    }
    Some(Stored {
        sequence: header("Nats-Sequence").expect(&headers).parse().unwrap(),
        from: header("Tailcast-From").unwrap_or_default(),
        cursor: header("Tailcast-Cursor").unwrap_or_default(),
        bytes: header("Tailcast-Bytes").map_or(0, |bytes| bytes.parse().unwrap()),
        lost: header("Tailcast-Lost"),
        mark: header("Tailcast-Mark"),
        payload,
    })
}

/// The payloads in order, where each message's `Tailcast-From` is the `Tailcast-Cursor` before it.
pub fn chained(messages: &[Stored]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut cursor: Option<&str> = None;
    for message in messages {
        let shown = format!("{} of {:?}", message.sequence, message.cursor);
        assert!(
            cursor.is_none_or(|cursor| cursor == message.from),
            "{shown} begins at {}, not at {cursor:?}",
            message.from
        );
        bytes.extend_from_slice(&message.payload);
        assert_eq!(message.bytes, bytes.len() as u64, "{shown}");
        cursor = Some(&message.cursor);
    }
    bytes
}
