//! A hub: subjects of NATS, read like files by the same program, at any number of places.

use crate::chapters::engine::{SUBJECT, board};
use crate::chapters::find::find;
use crate::client::Client;
use crate::cursor::Place;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::nats::{Nats, credentials};
use crate::server::Server;
use crate::writer::{assert_lines, lines};
use serde_json::json;
use std::net::SocketAddr;

/// A Tailcast that shows what stands under `pattern` at `nats`, as a user who may do no more than
/// read.
pub fn hub(folder: &Folder, nats: SocketAddr, pattern: &str) -> Server {
    let credentials = credentials(folder, "hub:look");
    let url = format!("nats://{nats}/{pattern}");
    let args = ["--public", "--max-clients=5000", &credentials, &url];
    let hub = Server::start(&args);
    until_true("the hub to be reached", || {
        let list = get(&hub, "/sources").json();
        list[0]["engine"]["state"] == "receiving" && !list[0]["size"].is_null()
    });
    hub
}

/// A board with these lines, and a hub that has them.
pub fn both(nats: &Nats, text: &[u8]) -> (Folder, Server, Server) {
    let folder = Folder::new();
    folder.append(text);
    let board = board(&folder, &nats.url());
    nats.bytes(SUBJECT, text.len());
    let hub = hub(&folder, nats.addr, SUBJECT);
    (folder, board, hub)
}

#[test]
fn a_subject_is_a_file() {
    let Some(nats) = Nats::start() else { return };
    let text = lines(1..=5000);
    let (folder, _board, hub) = both(&nats, &text);
    let listed = source(&hub, "app.log");
    assert_eq!(
        (listed["size"].as_u64(), &listed["kind"]),
        (Some(text.len() as u64), &json!("file"))
    );
    let whole = get(&hub, "/stream/app.log");
    assert_lines(&whole.body, 1..=5000);
    let mut connection = Connection::open(&hub);
    let part = connection.request("GET", "/stream/app.log", "Range: bytes=100000-100099\r\n");
    assert_eq!(
        (part.status, part.body.as_slice()),
        (206, &text[100_000..100_100])
    );
    // A poll gives what came after; then nothing; then what has come meanwhile.
    let cursor = whole.header("Tailcast-Cursor").unwrap().to_owned();
    let poll = get(&hub, &format!("/stream?from={cursor}"));
    assert_eq!(poll.status, 204);
    let mut held = Connection::open(&hub);
    held.send(format!(
        "GET /stream?from={cursor}&wait=50 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ));
    until_true("the poll to be held", || {
        source(&hub, "app.log")["clients"] == 1
    });
    folder.append(lines([5001]));
    assert_eq!(held.answer().body, lines([5001]));
    assert_eq!(get(&hub, "/stream?from=-2").body, lines(5000..=5001));
    assert_eq!(get(&hub, "/stream?from=-3000").body, lines(2002..=5001));
    // From any place that a viewer may have seen, byte for byte.
    let mut polled = Vec::new();
    let mut cursor = "start".to_owned();
    loop {
        let poll = get(&hub, &format!("/stream?from={cursor}"));
        if poll.status == 204 {
            break;
        }
        polled.extend_from_slice(&poll.body);
        cursor = poll.header("Tailcast-Cursor").unwrap().to_owned();
    }
    assert_lines(&polled, 1..=5001);
    let generations = get(&hub, "/stream?generations").json();
    let inode = generations[0]["inode"].as_str().unwrap();
    let part = get(&hub, &format!("/stream?from={inode}-{:x}&max=50", 1000));
    assert_eq!(part.body, &text[1000..1050]);
    // Found from the newest on, by its place.
    let told = find(&hub, "match=one%20thing%20at%20a%20time:%202500");
    let hits: Vec<&str> = told.iter().filter_map(|it| it["at"].as_str()).collect();
    let at = format!("{inode}-{:x}", lines(1..=2499).len());
    assert!(
        hits.len() == 1 && hits[0].starts_with(&at),
        "{at}: {told:?}"
    );
}

#[test]
fn a_subject_goes_on_over_what_happens_to_the_file() {
    let Some(nats) = Nats::start() else { return };
    let (folder, _board, hub) = both(&nats, &lines(1..=100));
    let mut client = Client::connect(&hub, "/stream/app.log?from=start");
    assert_lines(&client.bytes_until(lines([100])), 1..=100);
    folder.rotate();
    folder.append(lines([101]));
    assert_eq!(client.bytes_until(lines([101])), lines([101]));
    folder.truncate();
    folder.append(lines([102]));
    assert_eq!(client.bytes_until(lines([102])), lines([102]));
    // Each is told where it happened, and the subject goes on at the next byte, cut or not.
    let place = |last| format!("-{:x}", lines(1..=last).len());
    let told = |client: &Client| {
        let events = client.events.iter();
        let told = events.map(|(count, event)| {
            let cursor = event["cursor"].as_str().unwrap().split('-').nth(1).unwrap();
            (*count, event["event"].clone(), format!("-{cursor}"))
        });
        told.collect::<Vec<_>>()
    };
    let want = [100, 101].map(|last| (lines(1..=last).len() as u64, json!("rotated"), place(last)));
    assert_eq!(told(&client), want);
    let mut late = Client::connect(&hub, "/stream/app.log?from=start");
    assert_lines(&late.bytes_until(lines([102])), 1..=102);
    assert_eq!(told(&late), want);
    assert_lines(&get(&hub, "/stream").body, 1..=102);
    // A poll ends before it; the next one goes on.
    let poll = get(&hub, "/stream?from=start");
    assert_lines(&poll.body, 1..=100);
    let cursor = poll.header("Tailcast-Cursor").unwrap().to_owned();
    let poll = get(&hub, &format!("/stream?from={cursor}"));
    assert_eq!(poll.body, lines([101]));
    assert_eq!(poll.header("Tailcast-Lost"), None);
}

#[test]
fn a_cursor_holds_at_every_hub_and_over_restarts() {
    let Some(nats) = Nats::start() else { return };
    let (folder, _board, mut one) = both(&nats, &lines(1..=1000));
    let other = hub(&folder, nats.addr, "tailcast.*.app%2Elog");
    let mut client = Client::connect(&one, "/stream/app.log?from=start");
    client.bytes_until(lines([1000]));
    let half = lines(1..=500);
    let place = Place::behind(client.place().inode, &half);
    // The other one has another name for it, by its wildcard, and the same places.
    let mut moved = Client::connect(&other, &format!("/stream/kitchen:app.log?from={place}"));
    assert_lines(&[half, moved.bytes_until(lines([1000]))].concat(), 1..=1000);
    one.crash();
    folder.append(lines([1001]));
    client.resume(&one);
    assert_eq!(client.bytes_until(lines([1001])), lines([1001]));
    assert_eq!(moved.bytes_until(lines([1001])), lines([1001]));
    assert!(client.events.is_empty() && moved.events.is_empty());
}

#[test]
fn later_boards_appear_by_themselves() {
    let Some(nats) = Nats::start() else { return };
    let (folder, _board, _) = both(&nats, b"hello\n");
    let hub = hub(&folder, nats.addr, "tailcast.>");
    let other = Folder::new();
    other.append("hall\n");
    let to = format!("--to={}", nats.url());
    let admin = credentials(&other, "admin:secret");
    let mut hall = Server::start(&["--public", &to, "--as=ha.ll", &admin, other.arg()]);
    until_true("the hall", || {
        let list = get(&hub, "/sources").json();
        let names = list.as_array().unwrap().iter().map(|it| it["name"].clone());
        names.collect::<Vec<_>>() == ["ha.ll:app.log", "kitchen:app.log"]
    });
    assert_eq!(get(&hub, "/stream/ha.ll:app.log").text(), "hall\n");
    assert!(hall.stop().status.success());
}
