//! `/metrics`: what the server counts, in Prometheus's text format, against what a client counts.

use crate::client::{Client, Plain};
use crate::deadline::until_true;
use crate::endless::Endless;
use crate::event_source::EventSource;
use crate::folder::Folder;
use crate::http::{Connection, get};
use crate::server::{Server, is_emulated};
use std::collections::BTreeMap;
use std::time::Duration;

/// Every sample by its name and labels. What breaks the format is a failure.
fn samples(server: &Server) -> BTreeMap<String, f64> {
    let answer = get(server, "/metrics");
    assert_eq!(answer.status, 200);
    let media = answer.header("Content-Type").unwrap();
    assert!(media.starts_with("text/plain; version=0.0.4"), "{media}");
    let text = answer.text();
    assert!(text.ends_with('\n'), "{text}");
    let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    let mut helped = Vec::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("words of help");
            assert!(!words.is_empty() && !helped.contains(&name), "{line}");
            helped.push(name);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a type");
            assert!(matches!(kind, "counter" | "gauge"), "{line}");
            // By convention, and by rule in OpenMetrics.
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            assert_eq!(kinds.insert(name, kind), None, "{line}");
        } else {
            let (key, value) = line.rsplit_once(' ').expect("a sample");
            let name = key.split('{').next().unwrap();
            assert!(
                name.starts_with("tailcast_") && kinds.contains_key(name),
                "{line}"
            );
            let value = value.parse().expect("a number");
            assert_eq!(samples.insert(key.to_owned(), value), None, "{line}");
        }
    }
    samples
}

/// How much a sample has grown between two looks.
fn grown(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>, key: &str) -> f64 {
    let value = |samples: &BTreeMap<String, f64>| {
        *samples
            .get(key)
            .unwrap_or_else(|| panic!("no {key} in {samples:?}"))
    };
    value(after) - value(before)
}

#[test]
fn what_is_counted() {
    let folder = Folder::new();
    folder.append("one\ntwo\n");
    let server = Server::start(&[folder.arg()]);
    let start = samples(&server);

    // Each way of asking once, eight bytes for each.
    let whole = get(&server, "/stream/app.log");
    let cursor = whole.header("Tailcast-Cursor").unwrap().to_owned();
    get(&server, "/stream/app.log?from=start");
    let mut endless = Endless::ask(&server, "/stream/app.log?follow", "");
    endless.until("two\n");
    let mut events = EventSource::connect(&server, "/stream/app.log");
    events.lines(2);
    let mut plain = Plain::connect(&server, "/stream/app.log");
    plain.lines(2);
    let mut exact = Client::connect(&server, "/stream/app.log");
    exact.bytes_until("two\n");
    let after = samples(&server);
    for (key, more) in [
        ("tailcast_streams_total{kind=\"plain\"}", 1.0),
        ("tailcast_streams_total{kind=\"poll\"}", 1.0),
        ("tailcast_streams_total{kind=\"follow\"}", 1.0),
        ("tailcast_streams_total{kind=\"events\"}", 1.0),
        ("tailcast_streams_total{kind=\"websocket\"}", 2.0),
        ("tailcast_sent_bytes_total", 48.0),
        // As events and as messages: the other ways know no lines.
        ("tailcast_sent_lines_total", 4.0),
        ("tailcast_resumed_total", 0.0),
        ("tailcast_refused_total", 0.0),
        ("tailcast_ended_total{cause=\"left\"}", 0.0),
    ] {
        assert_eq!(grown(&start, &after, key), more, "{key}: {after:?}");
    }
    // Four streams and the one that asks.
    assert_eq!(after["tailcast_connections"], 5.0);
    assert!(grown(&start, &after, "tailcast_looks_total") > 0.0);

    events.reconnect(&server);
    exact.disconnect();
    exact.resume(&server);
    let resumed = samples(&server);
    assert_eq!(grown(&after, &resumed, "tailcast_resumed_total"), 2.0);
    drop((endless, events, plain, exact));
    until_true("all to be counted as gone", || {
        let now = samples(&server);
        let ended: f64 = now
            .iter()
            .filter(|(key, _)| key.starts_with("tailcast_ended_total{"))
            .map(|(_, value)| value)
            .sum();
        ended == 6.0 && now["tailcast_connections"] == 1.0
    });
    // Somebody who asks for a file and for nothing more has no stream that could end.
    get(&server, &format!("/stream/app.log?from={cursor}"));
    if !is_emulated() {
        let resident = samples(&server)["tailcast_resident_bytes"];
        let seen = server.rss() as f64;
        assert!(
            (0.5..2.0).contains(&(resident / seen)),
            "{resident} and {seen}"
        );
    }
}

#[test]
fn why_streams_end() {
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start(&[folder.arg(), "--heartbeat=100ms", "--max-clients=4"]);
    let ended =
        |cause: &str| samples(&server)[&format!("tailcast_ended_total{{cause=\"{cause}\"}}")];
    // One closes as one should.
    let mut client = Client::connect(&server, "/stream/app.log");
    client.socket().close(None).unwrap();
    while client
        .next_within(Duration::from_secs(10))
        .is_some_and(|heard| !matches!(heard, crate::client::Heard::Closed(_)))
    {}
    until_true("one that left", || ended("left") == 1.0);
    // One sends a frame that no client may send (RFC 6455 section 5.1: not masked).
    let mut client = Client::connect(&server, "/stream/app.log");
    std::io::Write::write_all(client.socket().get_mut(), b"\x81\x02hi").unwrap();
    until_true("one that broke a rule", || ended("broken") == 1.0);
    // One does not answer any more.
    let _silent = Client::connect(&server, "/stream/app.log");
    until_true("one that fell silent", || ended("silent") == 1.0);
    drop(client);

    let before = samples(&server)["tailcast_refused_total"];
    let mut places: Vec<Connection> = Vec::new();
    until_true("a full house", || {
        let mut connection = Connection::open(&server);
        let full = connection.get("/health").status == 503;
        places.push(connection);
        full
    });
    drop(places);
    until_true("a place", || get(&server, "/health").status == 200);
    assert!(samples(&server)["tailcast_refused_total"] > before);
}
