//! A client of server-sent events, after the letter of the standard (WHATWG HTML section 9.2.6).

use crate::endless::Endless;
use crate::server::Server;
use serde_json::Value;
use std::time::Duration;

/// What the client dispatches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub data: String,
    /// The last event id as it is then.
    pub id: String,
}

impl Event {
    /// The data as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A connection, and what outlives it.
pub struct EventSource {
    body: Endless,
    target: String,
    /// Where it would go on.
    pub last_id: String,
    /// How long to wait before connecting again, where the server said so.
    pub retry: Option<Duration>,
    /// How many comments have come.
    pub comments: usize,
}

impl EventSource {
    /// Connects to a stream: `/stream/app.log?from=start`.
    pub fn connect(server: &Server, target: &str) -> EventSource {
        EventSource {
            body: ask(server, target, ""),
            target: target.to_owned(),
            last_id: String::new(),
            retry: None,
            comments: 0,
        }
    }

    /// Connects again as a browser does: the same URL, and the id in a header.
    pub fn reconnect(&mut self, server: &Server) {
        let field = match self.last_id.as_str() {
            "" => String::new(),
            id => format!("Last-Event-ID: {id}\r\n"),
        };
        self.body = ask(server, &self.target, &field);
    }

    /// Connects again as a program may: the id in the URL.
    pub fn reconnect_by_from(&mut self, server: &Server) {
        let path = self.target.split('?').next().unwrap();
        self.body = ask(server, &format!("{path}?from={}", self.last_id), "");
    }

    /// The body below.
    pub fn body(&mut self) -> &mut Endless {
        &mut self.body
    }

    /// The next event.
    pub fn next(&mut self) -> Event {
        let (mut name, mut data) = (String::new(), String::new());
        let mut id = self.last_id.clone();
        loop {
            let line = self.body.line();
            // A carriage return ends a line, too: the server must never send one.
            assert!(!line.contains('\r'), "{line:?}");
            if line.is_empty() {
                self.last_id.clone_from(&id);
                if data.is_empty() {
                    name.clear();
                    continue;
                }
                data.pop();
                if name.is_empty() {
                    name = "message".to_owned();
                }
                return Event { name, data, id };
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" => self.comments += 1,
                "event" => name = value.to_owned(),
                "data" => data += &format!("{value}\n"),
                "id" => id = value.to_owned(),
                "retry" => self.retry = Some(Duration::from_millis(value.parse().expect("retry"))),
                _ => panic!("not a field: {line:?}"),
            }
        }
    }

    /// The next event, which must be a line.
    pub fn line(&mut self) -> String {
        let event = self.next();
        assert_eq!(event.name, "message", "{event:?}");
        event.data
    }

    /// The next lines.
    pub fn lines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line()).collect()
    }

    /// The JSON of the next event, which must be of this name.
    pub fn event(&mut self, name: &str) -> Value {
        let event = self.next();
        assert_eq!(event.name, name, "{event:?}");
        let json = event.json();
        assert_eq!(json["event"], name, "{event:?}");
        json
    }
}

fn ask(server: &Server, target: &str, field: &str) -> Endless {
    let field = format!("Accept: text/event-stream\r\nCache-Control: no-cache\r\n{field}");
    let body = Endless::ask(server, target, &field);
    assert_eq!(body.head.header("Content-Type"), Some("text/event-stream"));
    body
}
