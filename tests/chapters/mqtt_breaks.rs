//! Connections to an MQTT broker that are cut, and brokers that die: nothing is missing, and what
//! comes again has its old number.

use crate::broker::{Aedes, Message, Mosquitto, Reader, faults, node_module};
use crate::chapters::mqtt::{DEFAULT, Numbered, assert_whole, publisher};
use crate::cut::{Cut, Fault};
use crate::deadline::until_true;
use crate::dice::Dice;
use crate::folder::Folder;
use crate::program::Program;
use crate::require::tool;
use std::process::Command;

/// A broker that remembers what it has taken, but for the last second.
const PERSISTENT: &str = "persistence true\nautosave_on_changes true\nautosave_interval 1";

/// Takes what a reader that knows its rule keeps: what is numbered no higher than the last it has
/// had, it has had.
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

/// Cuts in both directions, and dead clients whose last words come late: nothing is missing and
/// nothing comes twice, for the broker itself forgets nothing.
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
    let mut log = Numbered::new(&folder);
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
    let mut log = Numbered::new(&folder);
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

/// A broker of 3.1.1 has no words beside a message: as long as Tailcast runs nothing is missing,
/// and after a cut the last few lines come again.
#[test]
fn an_older_broker_gets_every_line() {
    let Some(broker) = Aedes::start() else {
        return;
    };
    let folder = Folder::new();
    let proxy = Cut::before(broker.addr);
    let mut reader = Reader::speaking("311", broker.addr, "tailcast/pi1/app.log");
    let mut log = Numbered::new(&folder);
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
    let mut log = Numbered::new(&folder);
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
