//! A hub: subjects of NATS, read like files by the same program, at any number of places.

use crate::chapters::engine::{SUBJECT, board};
use crate::chapters::find::find;
use crate::client::{Client, Heard};
use crate::cursor::Place;
use crate::deadline::{DEADLINE, until_true};
use crate::dice::Dice;
use crate::folder::Folder;
use crate::http::{Connection, get, source};
use crate::nats::{Nats, Talk, credentials};
use crate::program::Program;
use crate::require::tool;
use crate::server::{Server, reserve};
use crate::weather::{Fault, Weather};
use crate::writer::{assert_lines, lines};
use serde_json::json;
use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// A Tailcast that shows what stands under `pattern` at `nats`, as a user who may do no more than read.
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
fn both(nats: &Nats, text: &[u8]) -> (Folder, Server, Server) {
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

#[test]
fn a_viewer_misses_nothing_in_bad_weather() {
    let Some(nats) = Nats::start() else { return };
    let folder = Folder::new();
    folder.append(lines([1]));
    let _board = board(&folder, &nats.url());
    nats.bytes(SUBJECT, 1);
    // Towards a hub come the messages themselves.
    let weather = Weather::start(nats.addr, 21, 6, |dice| {
        Fault::CutBack(20_000 + dice.below(60_000))
    });
    let hub = hub(&folder, weather.addr, SUBJECT);
    let mut client = Client::connect(&hub, "/stream/app.log?from=start");
    let mut dice = Dice(21);
    let mut written = 1;
    let mut bytes = client.bytes_until(lines([1]));
    while weather.left() > 0 {
        let count = 1 + dice.below(50);
        folder.append(lines(written + 1..=written + count));
        written += count;
        bytes.extend(client.bytes_until(lines([written])));
    }
    assert_lines(&bytes, 1..=written);
    assert!(client.events.is_empty(), "{:?}", client.events);
}

#[test]
fn a_lost_beginning_is_told() {
    let Some(nats) = Nats::start() else { return };
    let text = lines(1..=3000);
    let (folder, _board, hub) = both(&nats, &text);
    let cursor = get(&hub, "/stream?from=start")
        .header("Tailcast-Cursor")
        .unwrap()
        .to_owned();
    assert!(!cursor.is_empty());
    folder.append(lines([3001]));
    nats.bytes(SUBJECT, text.len() + lines([3001]).len());
    nats.api("STREAM.PURGE.TAILCAST", &json!({ "keep": 1 }).to_string());
    until_true("the beginning to be gone", || {
        get(&hub, "/stream?generations").json()[0]["start"] == text.len()
    });
    let inode = get(&hub, "/stream?generations").json()[0]["inode"]
        .as_str()
        .unwrap()
        .to_owned();
    let poll = get(&hub, &format!("/stream?from={inode}-64"));
    assert_eq!(
        poll.header("Tailcast-Lost"),
        Some(&*(text.len() - 100).to_string())
    );
    assert_eq!(poll.body, lines([3001]));
    assert_eq!(get(&hub, "/stream?from=start").body, lines([3001]));
    assert_eq!(
        source(&hub, "app.log")["size"],
        text.len() + lines([3001]).len()
    );
    let gone = get(&hub, &format!("/stream?from={inode}-64&max=10"));
    assert_eq!(
        (gone.status, gone.header("Tailcast-Lost")),
        (404, Some("unknown"))
    );
    // A viewer that stands there all the while hears of nothing.
    let mut client = Client::connect(&hub, "/stream?from=end");
    folder.append(lines([3002]));
    assert_eq!(client.bytes_until(lines([3002])), lines([3002]));
    assert!(client.events.is_empty());
}

#[test]
fn an_older_copy_and_an_emptied_subject() {
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let (folder, _board, hub) = both(&nats, &lines(1..=500));
    let copy = folder.path("copy");
    nats.kill();
    let copied = Command::new("cp")
        .arg("-a")
        .args([&nats.store(), &copy])
        .status();
    assert!(copied.unwrap().success());
    nats.start_again();
    let mut client = Client::connect(&hub, "/stream?from=start");
    folder.append(lines(501..=600));
    let mut bytes = client.bytes_until(lines([600]));
    nats.kill();
    fs::remove_dir_all(nats.store()).unwrap();
    fs::rename(&copy, nats.store()).unwrap();
    nats.start_again();
    folder.append(lines(601..=700));
    // The board fills the gap; the viewer has seen that, and sees it once.
    bytes.extend(client.bytes_until(lines([700])));
    assert_lines(&bytes, 1..=700);
    assert!(client.events.is_empty(), "{:?}", client.events);
    // Emptied, it is published anew from the file's start: for who stood at its end nothing happened.
    nats.api("STREAM.PURGE.TAILCAST", "");
    folder.append(lines([701]));
    assert_eq!(client.bytes_until(lines([701])), lines([701]));
    assert!(client.events.is_empty(), "{:?}", client.events);
    // With another file it is another subject, and that is told.
    folder.rotate();
    nats.api("STREAM.PURGE.TAILCAST", "");
    folder.append(lines([702]));
    let mut anew = Vec::new();
    let end = Instant::now() + DEADLINE;
    while !anew.ends_with(&lines([702])) {
        assert!(Instant::now() < end, "{:?}", client.events);
        match client.next() {
            Heard::Bytes(more) => anew.extend(more),
            Heard::Event(event) => assert_eq!(event["event"], "lost"),
            Heard::Closed(code) => panic!("closed with {code:?}"),
        }
    }
    assert_eq!((client.event_names(), anew), (vec!["lost"], lines([702])));
}

#[test]
fn what_others_publish_there_is_not_shown() {
    let Some(nats) = Nats::start() else { return };
    let (folder, _board, hub) = both(&nats, &lines([1]));
    let mut client = Client::connect(&hub, "/stream?from=start");
    client.bytes_until(lines([1]));
    let mut talk = Talk::open(&nats);
    // Without headers; with those of a message that the stream does not take, as an old one of a broken connection.
    let last = nats.last(SUBJECT).unwrap();
    let forged = format!(
        "NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: {}\r\nTailcast-From: {}\r\nTailcast-Cursor: 1-5\r\nTailcast-Bytes: {}\r\n\r\n",
        last.sequence + 7,
        last.cursor,
        last.bytes + 5,
    );
    talk.publish_with(SUBJECT, &forged, b"forge");
    folder.append(lines([2]));
    assert_eq!(client.bytes_until(lines([2])), lines([2]));
    assert!(client.events.is_empty());
}

/// How many viewers stand behind nginx: `TAILCAST_VIEWERS=1000` for once by hand.
fn viewers() -> usize {
    let viewers = env::var("TAILCAST_VIEWERS").ok();
    viewers.map_or(60, |viewers| viewers.parse().expect("a number"))
}

const NGINX: &str = r#"
daemon off;
master_process off;
pid DIR/pid;
error_log DIR/error.log;
events { worker_connections 8000; }
http {
    access_log off;
    client_body_temp_path DIR/body;
    proxy_temp_path DIR/temp;
    fastcgi_temp_path DIR/fastcgi;
    uwsgi_temp_path DIR/uwsgi;
    scgi_temp_path DIR/scgi;
    upstream hubs { server ONE; server OTHER; }
    server {
        listen LISTEN backlog=4096;
        location / {
            proxy_pass http://hubs;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_read_timeout 1h;
        }
    }
}
"#;

#[test]
fn one_of_two_hubs_behind_nginx_dies() {
    let Some(nats) = Nats::start() else { return };
    let Some(nginx) = tool("nginx") else { return };
    let (folder, _board, mut one) = both(&nats, &lines(1..=200));
    let other = hub(&folder, nats.addr, SUBJECT);
    let (_port, front) = reserve(Ipv4Addr::LOCALHOST);
    let directory = folder.path("nginx");
    fs::create_dir(&directory).unwrap();
    let config = NGINX
        .replace("DIR", directory.to_str().unwrap())
        .replace("LISTEN", &front.to_string())
        .replace("ONE", &one.addr().to_string())
        .replace("OTHER", &other.addr().to_string());
    fs::write(directory.join("conf"), config).unwrap();
    let mut command = Command::new(nginx);
    command
        .arg("-p")
        .arg(&directory)
        .arg("-c")
        .arg(directory.join("conf"));
    command.arg("-e").arg(directory.join("error.log"));
    let _nginx = Program::start(&mut command);
    until_true("nginx to listen", || TcpStream::connect(front).is_ok());
    let last = 1000;
    let watch = move || {
        let mut bytes = Vec::new();
        let mut target = "/stream/app.log?from=start".to_owned();
        let mut moves = 0;
        loop {
            let mut client = Client::over(Connection::to(front), &target);
            loop {
                match client.next() {
                    Heard::Bytes(more) => bytes.extend(more),
                    Heard::Event(event) => panic!("{event}"),
                    Heard::Closed(_) => break,
                }
                if bytes.ends_with(&lines([last])) {
                    assert_lines(&bytes, 1..=last);
                    return moves;
                }
            }
            moves += 1;
            target = format!("/stream/app.log?from={}", client.place());
        }
    };
    let threads: Vec<_> = (0..viewers())
        .map(|_| {
            thread::Builder::new()
                .stack_size(256 << 10)
                .spawn(watch)
                .unwrap()
        })
        .collect();
    let clients = |hub: &Server| source(hub, "app.log")["clients"].as_u64().unwrap();
    until_true("everybody to look, at both", || {
        clients(&one) + clients(&other) == viewers() as u64 && clients(&one) > 0
    });
    for number in 201..last {
        folder.append(lines([number]));
        if number == 600 {
            one.end(rustix::process::Signal::KILL);
        }
        thread::sleep(Duration::from_millis(1));
    }
    folder.append(lines([last]));
    let moved = threads.into_iter().map(|thread| thread.join().unwrap());
    let moved = moved.filter(|&moves| moves > 0).count();
    println!("{moved} of {} went over to the other hub", viewers());
    assert!(moved > 0);
}
