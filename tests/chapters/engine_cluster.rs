//! A cluster of three NATS servers, each in a network of its own: one is killed, one cut off, then
//! both at once.

use crate::chapters::engine::{SUBJECT, board, state};
use crate::chapters::hub::hub;
use crate::client::{Client, Heard};
use crate::deadline::DEADLINE;
use crate::folder::Folder;
use crate::nats::{Nats, Stored, Talk, chained, is_serial_in_clusters};
use crate::require::{require, tool};
use crate::server::Server;
use crate::writer::{assert_lines, lines};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Electing a leader takes a server some ten seconds, and a board that waits for an answer twenty.
const ELECTED: Duration = Duration::from_secs(4 * DEADLINE.as_secs());

/// A bridge with three networks on it; gone when dropped.
struct Networks {
    id: u32,
}

impl Networks {
    /// `None`: this machine does not let us.
    fn make() -> Option<Networks> {
        tool("ip")?;
        let networks = Networks { id: process::id() };
        let made = networks.set_up();
        require("netns", made).then_some(networks)
    }

    fn set_up(&self) -> bool {
        let bridge = self.bridge();
        ip(&format!("link add {bridge} type bridge"))
            && ip(&format!(
                "address add {}/24 dev {bridge}",
                self.address(254)
            ))
            && ip(&format!("link set {bridge} up"))
            && (1..=3).all(|number| {
                let (space, outer) = (self.space(number), self.outer(number));
                let inner = format!("tci{}", self.id);
                let address = self.address(number);
                ip(&format!("netns add {space}"))
                    && ip(&format!(
                        "link add {outer} type veth peer name {inner} netns {space}"
                    ))
                    && ip(&format!("link set {outer} master {bridge} up"))
                    && ip(&format!("-n {space} address add {address}/24 dev {inner}"))
                    && ip(&format!("-n {space} link set {inner} up"))
                    && ip(&format!("-n {space} link set lo up"))
            })
    }

    fn bridge(&self) -> String {
        format!("tcb{}", self.id)
    }

    fn space(&self, number: u8) -> String {
        format!("tailcast-{}-{number}", self.id)
    }

    /// The end of a network's cable that is plugged into the bridge.
    fn outer(&self, number: u8) -> String {
        format!("tco{}.{number}", self.id)
    }

    /// In a range that is reserved for measuring networks (RFC 2544), so that it is nobody's.
    fn address(&self, number: u8) -> Ipv4Addr {
        let [high, low] = u16::try_from(self.id % 0xffff).unwrap().to_be_bytes();
        Ipv4Addr::new(198, 18 | (high & 1), low, number)
    }

    /// Pulls the cable of a network, or plugs it in.
    fn plug(&self, number: u8, state: &str) {
        let outer = self.outer(number);
        assert!(ip(&format!("link set {outer} {state}")));
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for number in 1..=3 {
            ip(&format!("link delete {}", self.outer(number)));
            ip(&format!("netns delete {}", self.space(number)));
        }
        ip(&format!("link delete {}", self.bridge()));
    }
}

fn ip(words: &str) -> bool {
    let mut command = Command::new("ip");
    command.args(words.split(' ')).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn cluster(networks: &Networks) -> Option<[Nats; 3]> {
    let route = |number| format!("\"nats://{}:6222\"", networks.address(number));
    let routes = [1, 2, 3].map(route).join(", ");
    let one = |number: u8| {
        let space = networks.space(number);
        let address = networks.address(number);
        let config = format!(
            "{}\nserver_name: s{number}\ncluster {{ name: fleet, listen: \"{address}:6222\", routes: [{routes}] }}\n",
            include_str!("../nats/hub.conf")
        );
        let before = ["ip", "netns", "exec", &space];
        Nats::on(SocketAddr::from((address, 4222)), &before, &config)
    };
    let mut all = [one(1)?, one(2)?, one(3)?];
    all.iter_mut().for_each(Nats::start_again);
    // There is no leader yet.
    let end = Instant::now() + ELECTED;
    while !all[0].try_create(json!({ "num_replicas": 3 })) {
        assert!(Instant::now() < end, "no leader");
        thread::sleep(Duration::from_millis(100));
    }
    Some(all)
}

/// Waits until `nats` has these bytes.
fn until_there(nats: &Nats, length: usize) {
    let end = Instant::now() + ELECTED;
    let last = || Talk::open(nats).last_if_any(SUBJECT);
    let has = || last().map_or(0, |last| last.bytes);
    while has() < length as u64 {
        assert!(Instant::now() < end, "{} of {length} bytes", has());
        thread::sleep(Duration::from_millis(50));
    }
}

/// All messages, of so many bytes. Any of the three may answer for one that is asked by its number,
/// and who has come back a moment ago says that there is none.
fn all_messages(nats: &Nats, length: usize) -> Vec<Stored> {
    let end = Instant::now() + ELECTED;
    loop {
        let messages = nats.messages(SUBJECT);
        let there = messages.last().map_or(0, |last| last.bytes);
        if there >= length as u64 {
            return messages;
        }
        assert!(Instant::now() < end, "{there} of {length} bytes");
        thread::sleep(Duration::from_millis(50));
    }
}

/// What a viewer gets, up to this line.
fn until_seen(hub: &Server, viewer: &mut Client, bytes: &mut Vec<u8>, last: u64) {
    let end = Instant::now() + ELECTED;
    while !bytes.ends_with(&lines([last])) {
        assert!(Instant::now() < end, "{} bytes", bytes.len());
        match viewer.next() {
            Heard::Bytes(more) => bytes.extend(more),
            // Who has not read for so long is let go.
            Heard::Closed(_) => viewer.resume(hub),
            Heard::Event(event) => panic!("{event}"),
        }
    }
}

#[test]
fn one_is_killed_and_one_cut_off() {
    if !is_serial_in_clusters() {
        return;
    }
    let Some(networks) = Networks::make() else {
        return;
    };
    let Some([first, mut second, third]) = cluster(&networks) else {
        return;
    };
    let folder = Folder::new();
    let board = board(&folder, &first.url());
    let mut written = 0;
    let mut write = |count: u64| {
        folder.append(lines(written + 1..=written + count));
        written += count;
        (written, lines(1..=written).len())
    };
    let (last, length) = write(1000);
    until_there(&first, length);
    let hub = hub(&folder, third.addr, SUBJECT);
    let mut viewer = Client::connect(&hub, "/stream?from=start");
    let mut seen = Vec::new();
    until_seen(&hub, &mut viewer, &mut seen, last);

    second.kill();
    let (last, length) = write(1000);
    until_there(&first, length);
    until_seen(&hub, &mut viewer, &mut seen, last);
    second.start_again();

    networks.plug(3, "down");
    let (_, length) = write(1000);
    until_there(&first, length);
    // Both: nobody may decide anything, and what is written waits in its file.
    second.kill();
    write(1000);
    let end = Instant::now() + ELECTED;
    while state(&board)["behind"] == 0 && state(&board)["state"] == "publishing" {
        assert!(Instant::now() < end, "{}", state(&board));
        thread::sleep(Duration::from_millis(50));
    }
    networks.plug(3, "up");
    second.start_again();
    let (last, length) = write(1000);
    until_there(&first, length);
    until_seen(&hub, &mut viewer, &mut seen, last);
    assert_lines(&seen, 1..=last);
    for nats in [&first, &second, &third] {
        assert_lines(&chained(&all_messages(nats, length)), 1..=last);
    }
    assert!(viewer.events.is_empty(), "{:?}", viewer.events);
}
