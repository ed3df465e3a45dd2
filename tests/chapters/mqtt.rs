//! Streams at an MQTT broker that others wrote: each line is a message, and the newest one says where to go on.

use crate::broker::{Aedes, Message, Mosquitto, Reader, faults, node_module};
use crate::cut::{Cut, Fault};
use crate::deadline::{until, until_true};
use crate::dice::Dice;
use crate::folder::Folder;
use crate::http::source;
use crate::program::Program;
use crate::require::tool;
use crate::server::Server;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;

/// A broker that remembers what it has taken, but for the last second.
const PERSISTENT: &str = "persistence true\nautosave_on_changes true\nautosave_interval 1";

/// As Debian starts it: it remembers each half an hour.
const DEFAULT: &str = "persistence true";

/// Tailcast, publishing to the broker at `addr` as `pi1`.
pub fn publisher(addr: SocketAddr, args: &[&str]) -> Server {
    let url = format!("mqtt://{addr}");
    let mut all = vec!["--to", &url, "--as", "pi1"];
    all.extend(args);
    Server::start(&all)
}

/// Numbered lines as they come, from 1 on.
struct Numbered<'a> {
    folder: &'a Folder,
    written: u64,
}

impl Numbered<'_> {
    fn text(number: u64) -> String {
        format!("line {number} of a log that goes on whatever becomes of the broker")
    }

    fn write(&mut self, count: u64) {
        let numbers = self.written + 1..=self.written + count;
        self.written += count;
        let lines: Vec<String> = numbers.map(Self::text).collect();
        self.folder.append(lines.join("\n") + "\n");
    }

    fn last(&self) -> String {
        Self::text(self.written)
    }
}

/// Takes what a reader that knows its rule keeps: what is numbered no higher than the last it has had, it has had.
fn kept(messages: &[Message]) -> Vec<&Message> {
    let mut last = 0;
    let mut kept = Vec::new();
    for message in messages {
        if message.bytes > last {
            last = message.bytes;
            kept.push(message);
        }
    }
    kept
}

/// Nothing is missing of the lines up to `written`: each begins where the one before it ended.
fn assert_whole(messages: &[&Message], written: u64) {
    let mut bytes = 0;
    for (number, pair) in (1..).zip(messages.windows(2)) {
        let [before, after] = pair else {
            unreachable!()
        };
        assert_eq!(after.from, before.cursor, "before line {}", number + 1);
    }
    for (number, message) in (1..).zip(messages) {
        assert_eq!(message.text, Numbered::text(number), "{message:?}");
        bytes += message.text.len() as u64 + 1;
        assert_eq!(message.bytes, bytes, "{message:?}");
        assert_eq!(message.lost, None, "{message:?}");
    }
    assert_eq!(messages.len() as u64, written);
}

#[test]
fn a_line_is_a_message_and_the_newest_one_is_the_position() {
    let Some(broker) = Mosquitto::start(DEFAULT) else {
        return;
    };
    let folder = Folder::new();
    let mut reader = broker.reader("tailcast/pi1/app.log");
    let mut log = Numbered {
        folder: &folder,
        written: 0,
    };
    log.write(100);
    let mut server = publisher(broker.addr, &[folder.arg()]);
    let mut messages = reader.until(&log.last());
    assert_eq!(messages[0].mark.as_deref(), Some("begun"));
    log.write(100);
    messages.extend(reader.until(&log.last()));
    for crash in [false, true] {
        if crash {
            server.end(Signal::KILL);
        } else {
            server.stop();
        }
        // Read of the rotated file when it is back.
        log.write(100);
        folder.rotate();
        log.write(100);
        server.start_again();
        messages.extend(reader.until(&log.last()));
    }
    assert_whole(&messages.iter().collect::<Vec<_>>(), log.written);
    let rotated = messages
        .iter()
        .filter(|message| message.mark.as_deref() == Some("rotated"));
    assert_eq!(rotated.count(), 2);
    // Who comes later has the newest one, with its place.
    let newest = broker.reader("tailcast/pi1/app.log").next();
    let last = Message {
        retained: true,
        ..messages.last().unwrap().clone()
    };
    assert_eq!(newest, last);
}

#[test]
fn lines_of_every_kind_arrive() {
    let Some(broker) = Mosquitto::start(DEFAULT) else {
        return;
    };
    let folder = Folder::new();
    let mut reader = broker.reader("tailcast/pi1/app.log");
    let long = "x".repeat(100_000);
    folder.append(format!("windows\r\n\n{long}\n\u{b0}C\n"));
    folder.append(b"\xff\xfe\nlast\n");
    let _server = publisher(broker.addr, &[folder.arg()]);
    let messages = reader.until("last");
    let texts: Vec<&str> = messages.iter().map(|message| &*message.text).collect();
    // An empty message would make the broker forget the position: an empty line is sent as its newline.
    let (first, second) = long.split_at(65_536);
    assert_eq!(
        texts,
        [
            "windows",
            "\n",
            first,
            second,
            "\u{b0}C",
            "\u{fffd}\u{fffd}",
            "last"
        ]
    );
    assert!(
        messages
            .windows(2)
            .all(|pair| pair[1].from == pair[0].cursor)
    );
    let size = std::fs::metadata(&folder.log).unwrap().len();
    assert_eq!(messages.last().unwrap().bytes, size);
}

#[test]
fn the_board_is_told_to_be_there_or_not() {
    let Some(broker) = Mosquitto::start(DEFAULT) else {
        return;
    };
    let folder = Folder::new();
    let mut reader = broker.reader("tailcast/pi1/status");
    let mut server = publisher(broker.addr, &[folder.arg()]);
    for crash in [true, false] {
        assert_eq!(reader.next().text, "online");
        if crash {
            server.end(Signal::KILL);
        } else {
            server.stop();
        }
        let told = reader.next();
        assert_eq!((&*told.text, told.retained), ("offline", false));
        assert_eq!(
            broker.reader("tailcast/pi1/status").next().text,
            "offline",
            "it is kept"
        );
        if crash {
            server.start_again();
        }
    }
}

#[test]
fn a_broker_that_comes_later_gets_everything_that_the_files_hold() {
    let Some(mut broker) = Mosquitto::start(DEFAULT) else {
        return;
    };
    let folder = Folder::new();
    broker.kill();
    let mut log = Numbered {
        folder: &folder,
        written: 0,
    };
    let proxy = Cut::before(broker.addr);
    let mut server = publisher(proxy.addr, &[folder.arg()]);
    log.write(1000);
    proxy.close();
    broker.start_again();
    let mut reader = broker.reader("tailcast/pi1/app.log");
    proxy.open();
    let messages = reader.until(&log.last());
    assert_whole(&messages.iter().collect::<Vec<_>>(), log.written);
    let said = server.stop().stderr;
    let told: Vec<&str> = said.lines().collect();
    assert_eq!(
        told.len(),
        2,
        "one line when it goes, one when it comes: {said}"
    );
    assert!(
        told[0].contains("away") && told[1].contains("is there"),
        "{said}"
    );
}

/// Cuts in both directions, and dead clients whose last words come late: nothing is missing and nothing comes twice, for the
/// broker itself forgets nothing.
#[test]
fn cuts_lose_nothing_and_repeat_nothing() {
    let Some(broker) = Mosquitto::start(DEFAULT) else {
        return;
    };
    let (folder, faults, seed) = (Folder::new(), faults(10), 0x5eed);
    println!("{faults} faults, seed {seed:#x}");
    let mut dice = Dice(seed);
    let proxy = Cut::before(broker.addr);
    let mut reader = broker.reader("tailcast/pi1/app.log");
    let mut log = Numbered {
        folder: &folder,
        written: 0,
    };
    log.write(10);
    let _server = publisher(proxy.addr, &[folder.arg()]);
    for number in 0..faults {
        let after = dice.below(6000);
        proxy.fault(match dice.below(3) {
            0 => Fault::Up(after),
            1 => Fault::Down(after / 20),
            _ => Fault::Zombie(after),
        });
        until_true("a cut", || {
            log.write(10);
            proxy.cuts() > number
        });
        if number % 4 == 3 {
            folder.rotate();
        }
    }
    log.write(1);
    let messages = reader.until(&log.last());
    assert_whole(&messages.iter().collect::<Vec<_>>(), log.written);
}

/// The broker dies without a warning: what it had forgotten comes again, under its old number.
fn survives_power_cuts(settings: &str) {
    let Some(mut broker) = Mosquitto::start(settings) else {
        return;
    };
    let (folder, kills, seed) = (Folder::new(), faults(5).div_ceil(10).max(3), 0x7a11);
    println!("{kills} kills, seed {seed:#x}");
    let mut dice = Dice(seed);
    let proxy = Cut::before(broker.addr);
    let mut reader = broker.reader("tailcast/pi1/app.log");
    let mut log = Numbered {
        folder: &folder,
        written: 0,
    };
    log.write(10);
    let _server = publisher(proxy.addr, &[folder.arg()]);
    let mut messages = reader.until(&log.last());
    for _ in 0..kills {
        log.write(1 + dice.below(500));
        messages.extend(reader.until(&log.last()));
        log.write(200);
        proxy.close();
        broker.kill();
        log.write(50);
        broker.start_again();
        // A reader that is away loses what comes meanwhile: this one is back first.
        messages.extend(reader.rest());
        reader = broker.reader("tailcast/pi1/app.log");
        proxy.open();
        log.write(50);
    }
    messages.extend(reader.until(&log.last()));
    assert_whole(&kept(&messages), log.written);
    let again = messages.len() as u64 - log.written;
    println!("{again} of {} came again", log.written);
}

#[test]
fn a_broker_that_forgets_gets_it_again() {
    survives_power_cuts(DEFAULT);
}

#[test]
fn a_broker_that_remembers_survives_power_cuts() {
    survives_power_cuts(PERSISTENT);
}

#[test]
fn two_boards_of_one_name_say_so() {
    let Some(broker) = Mosquitto::start(DEFAULT) else {
        return;
    };
    let folder = Folder::new();
    folder.append("line\n");
    let mut status = broker.reader("tailcast/pi1/status");
    let mut first = publisher(broker.addr, &[folder.arg()]);
    assert_eq!(status.next().text, "online");
    let mut second = publisher(broker.addr, &[folder.arg()]);
    // The will of the first, then the second.
    assert_eq!(
        [status.next().text, status.next().text],
        ["offline", "online"]
    );
    // It looks before it comes back, and says so on its own page, too.
    until_true("it to see the other one", || {
        let shown = source(&first, "app.log").to_string();
        shown.contains("another client is `tailcast-pi1` now")
    });
    let said = first.stop().stderr;
    assert!(
        said.contains("another client is `tailcast-pi1` now"),
        "{said}"
    );
    let said = second.stop().stderr;
    assert!(!said.contains("away"), "{said}");
}

/// What Home Assistant is told: retained, so that it is there whenever it looks.
#[test]
fn home_assistant_is_told_of_numbers_by_themselves() {
    let Some(broker) = Mosquitto::start(DEFAULT) else {
        return;
    };
    let folder = Folder::new();
    let table = folder.path("env.csv");
    std::fs::write(
        &table,
        "time,temp_c,hum_percent\n12:00,21.5,48\n12:01,21.6,47\n",
    )
    .unwrap();
    folder.append("Started\nStopped\n");
    let mut reader = broker.reader("homeassistant/#");
    let zone = folder.path("temp");
    std::fs::write(&zone, "48312\n").unwrap();
    let sample = format!("sample:{}", zone.display());
    let server = publisher(
        broker.addr,
        &[folder.arg(), table.to_str().unwrap(), &sample],
    );
    let mut told: Vec<Message> = (0..4).map(|_| reader.next()).collect();
    told.sort_by(|one, other| one.topic.cmp(&other.topic));
    let config = |message: &Message| serde_json::from_str::<Value>(&message.text).unwrap();
    let seen: Vec<(&str, Value, Value, Value)> = told
        .iter()
        .map(|message| {
            let mut config = config(message);
            let (class, unit) = (
                config["device_class"].take(),
                config["unit_of_measurement"].take(),
            );
            (
                &*message.topic,
                class,
                unit,
                config["enabled_by_default"].take(),
            )
        })
        .collect();
    let null = Value::Null;
    assert_eq!(
        seen,
        [
            (
                "homeassistant/sensor/pi1_app_log/config",
                null.clone(),
                null.clone(),
                json!(false)
            ),
            (
                "homeassistant/sensor/pi1_env_csv_hum_percent/config",
                json!("humidity"),
                json!("%"),
                null.clone()
            ),
            (
                "homeassistant/sensor/pi1_env_csv_temp_c/config",
                json!("temperature"),
                json!("\u{b0}C"),
                null.clone()
            ),
            (
                "homeassistant/sensor/pi1_temp/config",
                json!("temperature"),
                json!("\u{b0}C"),
                null
            ),
        ]
    );
    for message in &told {
        let config = config(message);
        let topic = config["state_topic"].as_str().unwrap();
        assert_eq!(config["availability_topic"], "tailcast/pi1/status");
        // The first reader may come before the first line: then it sees that one live.
        until("the newest line to be there at once", || {
            broker.reader(topic).next().retained.then_some(())
        });
        assert_eq!(
            broker.reader(&message.topic).next().text,
            message.text,
            "it is kept"
        );
    }
    drop(server);
}

/// A broker of 3.1.1 has no words beside a message: as long as Tailcast runs nothing is missing, and after a cut the last few
/// lines come again.
#[test]
fn an_older_broker_gets_every_line() {
    let Some(broker) = Aedes::start() else {
        return;
    };
    let folder = Folder::new();
    let proxy = Cut::before(broker.addr);
    let mut reader = Reader::speaking("311", broker.addr, "tailcast/pi1/app.log");
    let mut log = Numbered {
        folder: &folder,
        written: 0,
    };
    log.write(100);
    let _server = publisher(proxy.addr, &[folder.arg()]);
    let mut messages = reader.until(&log.last());
    let (mut dice, cuts) = (Dice(0x0311), 3);
    for number in 0..cuts {
        proxy.fault(Fault::Up(dice.below(3000)));
        until_true("a cut", || {
            log.write(5);
            proxy.cuts() > number
        });
    }
    log.write(1);
    messages.extend(reader.until(&log.last()));
    let mut next = 1;
    for message in &messages {
        if message.text == Numbered::text(next) {
            next += 1;
        }
    }
    assert_eq!(next, log.written + 1, "the first that is missing");
    let again = messages.len() as u64 - log.written;
    assert!(again <= cuts * 21, "{again} lines came again");
}

/// Node's client keeps what is new by the rule, over the broker's death and its own.
const READER: &str = r"
const client = require('mqtt').connect(process.argv[1], { protocolVersion: 5, reconnectPeriod: 50 })
let last = 0
client.on('connect', () => client.subscribe('tailcast/pi1/app.log', { qos: 1 }, () => console.log('subscribed')))
client.on('message', (topic, payload, packet) => {
  const bytes = Number(packet.properties.userProperties['Tailcast-Bytes'])
  if (bytes <= last) return
  last = bytes
  console.log(payload.toString())
})
";

#[test]
fn npm_mqtt() {
    let (Some(node), Some(mut broker)) = (tool("node"), Mosquitto::start(DEFAULT)) else {
        return;
    };
    let Some(package) = node_module("mqtt") else {
        return;
    };
    let folder = Folder::new();
    let proxy = Cut::before(broker.addr);
    let mut log = Numbered {
        folder: &folder,
        written: 0,
    };
    let mut reader = Program::start(
        Command::new(node)
            .env("NODE_PATH", package.parent().unwrap())
            .args(["--eval", READER])
            .arg(format!("mqtt://{}", broker.addr)),
    );
    reader.until("subscribed");
    log.write(100);
    let _server = publisher(proxy.addr, &[folder.arg()]);
    let mut lines = reader.until(&log.last());
    for _ in 0..2 {
        proxy.close();
        broker.kill();
        log.write(100);
        broker.start_again();
        reader.until("subscribed");
        proxy.open();
        lines.extend(reader.until(&log.last()));
    }
    let wanted: Vec<String> = (1..=log.written).map(Numbered::text).collect();
    assert_eq!(lines, wanted);
}

#[test]
fn a_broker_that_wants_a_password() {
    let (Some(passwords), true) = (tool("mosquitto_passwd"), tool("mosquitto").is_some()) else {
        return;
    };
    let folder = Folder::new();
    let file = folder.path("passwords");
    let mut make = Command::new(passwords);
    make.arg("-b").arg("-c").arg(&file).args(["pi1", "s3cret"]);
    assert!(make.output().unwrap().status.success());
    let settings = format!("allow_anonymous false\npassword_file {}", file.display());
    let broker = Mosquitto::start(&settings).unwrap();
    folder.append("line\n");
    let mut server = publisher(broker.addr, &[folder.arg()]);
    until_true("it to be refused", || {
        source(&server, "app.log")
            .to_string()
            .contains("not authorized")
    });
    let said = server.stop().stderr;
    assert_eq!(said.lines().count(), 1, "{said}");
    let credentials = folder.path("credentials");
    std::fs::write(&credentials, "pi1:s3cret\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&credentials, mode).unwrap();
    let credentials = format!("--credentials={}", credentials.display());
    let server = publisher(broker.addr, &[&credentials, folder.arg()]);
    until_true("it to be let in", || {
        source(&server, "app.log")
            .to_string()
            .contains("publishing")
    });
}
