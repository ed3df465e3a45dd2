//! Two hubs behind one nginx, of which one dies: its viewers go on at their byte at the other.

use crate::chapters::engine::SUBJECT;
use crate::chapters::hub::{both, hub};
use crate::client::{Client, Heard};
use crate::deadline::until_true;
use crate::http::{Connection, source};
use crate::nats::Nats;
use crate::proxy::Front;
use crate::require::tool;
use crate::server::Server;
use crate::writer::{assert_lines, lines};
use std::env;
use std::thread;
use std::time::Duration;

/// How many viewers stand behind nginx: `TAILCAST_VIEWERS=1000` for once by hand.
fn viewers() -> usize {
    let viewers = env::var("TAILCAST_VIEWERS").ok();
    viewers.map_or(60, |viewers| viewers.parse().expect("a number"))
}

const HTTP: &str = r#"
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
"#;

#[test]
fn one_of_two_hubs_behind_nginx_dies() {
    let Some(nats) = Nats::start() else { return };
    let Some(nginx) = tool("nginx") else { return };
    let (folder, _board, mut one) = both(&nats, &lines(1..=200));
    let other = hub(&folder, nats.addr, SUBJECT);
    let http = HTTP
        .replace("ONE", &one.addr().to_string())
        .replace("OTHER", &other.addr().to_string());
    let front = Front::nginx(&nginx, &folder.path("nginx"), &http, |_| ());
    let addr = front.addr;
    let last = 1000;
    let watch = move || {
        let mut bytes = Vec::new();
        let mut target = "/stream/app.log?from=start".to_owned();
        let mut moves = 0;
        loop {
            let mut client = Client::over(Connection::to(addr), &target);
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
