//! What is counted, and its text for Prometheus (exposition format 0.0.4).

use std::cell::Cell;
use std::fmt::Write;

/// A number that only grows.
#[derive(Default)]
pub struct Counter(Cell<u64>);

impl Counter {
    /// Adds `more`.
    pub fn add(&self, more: u64) {
        self.0.set(self.0.get().wrapping_add(more));
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.get()
    }
}

/// How a stream was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The file as it is now.
    Plain,
    /// What came after a cursor, at once or after a wait.
    Poll,
    /// A part of one generation.
    Part,
    /// The list of them.
    Generations,
    /// Lines that hold something, newest first.
    Find,
    /// An endless body.
    Follow,
    /// Server-sent events.
    Events,
    /// WebSocket.
    WebSocket,
}

const KINDS: [(Kind, &str); 8] = [
    (Kind::Plain, "plain"),
    (Kind::Poll, "poll"),
    (Kind::Part, "part"),
    (Kind::Generations, "generations"),
    (Kind::Find, "find"),
    (Kind::Follow, "follow"),
    (Kind::Events, "events"),
    (Kind::WebSocket, "websocket"),
];

const CAUSES: [&str; 7] = [
    "left",
    "broken",
    "silent",
    "slow",
    "reset",
    "unreadable",
    "shutdown",
];

fn cause(end: End) -> &'static str {
    match end {
        End::Left => "left",
        End::Broken(_) => "broken",
        End::Silent => "silent",
        End::Slow => "slow",
        End::Reset => "reset",
        End::Unreadable => "unreadable",
        End::Shutdown => "shutdown",
    }
}

/// Why a stream to a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client has left.
    Left,
    /// The client broke a rule of WebSocket; its close code.
    Broken(u16),
    /// The client has not answered for three heartbeats.
    Silent,
    /// The client took longer over one message than anyone should.
    Slow,
    /// The connection broke.
    Reset,
    /// The file can't be read.
    Unreadable,
    /// The server shuts down.
    Shutdown,
}

/// Everything that is counted.
#[derive(Default)]
pub(crate) struct Metrics {
    /// Bytes of files handed to clients.
    pub bytes: Counter,
    /// Lines sent as messages or events.
    pub lines: Counter,
    /// Streams that began with a client's cursor.
    pub resumed: Counter,
    asked: [Counter; KINDS.len()],
    ended: [Counter; CAUSES.len()],
}

impl Metrics {
    /// A stream was asked for.
    pub(crate) fn asked(&self, kind: Kind) {
        if let Some(at) = KINDS.iter().position(|known| known.0 == kind) {
            self.asked[at].add(1);
        }
    }

    /// A live stream ended.
    pub(crate) fn ended(&self, end: End) {
        if let Some(at) = CAUSES.iter().position(|known| *known == cause(end)) {
            self.ended[at].add(1);
        }
    }

    /// All of it as text, with what others count: clients now, clients refused, looks of all
    /// followers.
    pub(crate) fn text(&self, clients: usize, refused: u64, looks: u64) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
            let _ = writeln!(
                text,
                "# HELP tailcast_{name} {help}\n# TYPE tailcast_{name} {kind}"
            );
            for (labels, value) in samples {
                let _ = writeln!(text, "tailcast_{name}{labels} {value}");
            }
        };
        let one = |value| [(String::new(), value)];
        let labelled = |label: &str, names: &[&str], counters: &[Counter]| -> Vec<(String, u64)> {
            names
                .iter()
                .zip(counters)
                .map(|(name, counter)| (format!("{{{label}=\"{name}\"}}"), counter.get()))
                .collect()
        };
        let kinds = KINDS.map(|known| known.1);
        family(
            "connections",
            "gauge",
            "Connections held now.",
            &one(clients as u64),
        );
        family(
            "refused_total",
            "counter",
            "Connections refused for lack of a place.",
            &one(refused),
        );
        family(
            "streams_total",
            "counter",
            "Streams asked for, by kind.",
            &labelled("kind", &kinds, &self.asked),
        );
        family(
            "resumed_total",
            "counter",
            "Streams that began with a cursor.",
            &one(self.resumed.get()),
        );
        family(
            "ended_total",
            "counter",
            "Live streams ended, by cause.",
            &labelled("cause", &CAUSES, &self.ended),
        );
        family(
            "sent_bytes_total",
            "counter",
            "Bytes of files sent.",
            &one(self.bytes.get()),
        );
        family(
            "sent_lines_total",
            "counter",
            "Lines sent as messages or events.",
            &one(self.lines.get()),
        );
        family(
            "looks_total",
            "counter",
            "Looks of the followers at their files.",
            &one(looks),
        );
        if let Some(resident) = resident() {
            family("resident_bytes", "gauge", "Memory in use.", &one(resident));
        }
        text
    }
}

/// Of an engine, by its own counters: connections, messages, refused ones, bytes, lost bytes, and
/// whether it is there.
pub(crate) fn engine_text(is_here: bool, counters: [&Counter; 5]) -> String {
    let mut text = format!(
        "# HELP tailcast_engine_up Whether the engine is there.\n# TYPE tailcast_engine_up gauge\ntailcast_engine_up {}\n",
        u8::from(is_here)
    );
    let families = [
        ("connections", "Connections to the engine."),
        (
            "published_messages",
            "Messages that the engine has confirmed.",
        ),
        (
            "publish_conflicts",
            "Messages refused because another came first.",
        ),
        ("published_bytes", "Bytes that the engine has confirmed."),
        ("published_lost_bytes", "Bytes told to the engine as lost."),
    ];
    for ((name, help), counter) in families.into_iter().zip(counters) {
        let _ = write!(
            text,
            "# HELP tailcast_engine_{name}_total {help}\n# TYPE tailcast_engine_{name}_total counter\ntailcast_engine_{name}_total {}\n",
            counter.get()
        );
    }
    text
}

/// The process's resident memory in bytes: counted, where the kernel can. `status` tells what it
/// has in mind, which on several cores may be anything (4 kB of 1,044 on a Raspberry Pi 3 with
/// Linux 6.1).
fn resident() -> Option<u64> {
    let read = |file, label| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(label))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes * 1024)
    };
    read("/proc/self/smaps_rollup", "Rss:").or_else(|| read("/proc/self/status", "VmRSS:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_prometheus() {
        let metrics = Metrics::default();
        metrics.asked(Kind::Events);
        metrics.ended(End::Broken(1002));
        metrics.bytes.add(5);
        let text = metrics.text(3, 1, 9);
        for line in [
            "# TYPE tailcast_streams_total counter",
            "tailcast_streams_total{kind=\"events\"} 1",
            "tailcast_streams_total{kind=\"plain\"} 0",
            "tailcast_ended_total{cause=\"broken\"} 1",
            "tailcast_connections 3",
            "tailcast_refused_total 1",
            "tailcast_looks_total 9",
            "tailcast_sent_bytes_total 5",
        ] {
            assert!(
                text.lines().any(|written| written == line),
                "{line} in\n{text}"
            );
        }
        assert!(text.contains("\ntailcast_resident_bytes "));
    }
}
