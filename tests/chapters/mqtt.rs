//! Streams at an MQTT broker that others wrote: each line is a message, and the newest one says
//! where to go on.

use crate::broker::{Message, Mosquitto};
use crate::cut::Cut;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::source;
use crate::require::tool;
use crate::server::Server;
use rustix::process::Signal;
use std::net::SocketAddr;
use std::process::Command;

/// As Debian starts it: it remembers each half an hour.
pub const DEFAULT: &str = "persistence true";

/// Tailcast, publishing to the broker at `addr` as `pi1`.
pub fn publisher(addr: SocketAddr, args: &[&str]) -> Server {
    let url = format!("mqtt://{addr}");
    let mut all = vec!["--to", &url, "--as", "pi1"];
    all.extend(args);
    Server::start(&all)
}

/// Numbered lines as they come, from 1 on.
pub struct Numbered<'a> {
    folder: &'a Folder,
    pub written: u64,
}

impl Numbered<'_> {
    pub fn new(folder: &Folder) -> Numbered<'_> {
        Numbered { folder, written: 0 }
    }

    pub fn text(number: u64) -> String {
        format!("line {number} of a log that goes on whatever becomes of the broker")
    }

    pub fn write(&mut self, count: u64) {
        let numbers = self.written + 1..=self.written + count;
        self.written += count;
        let lines: Vec<String> = numbers.map(Self::text).collect();
        self.folder.append(lines.join("\n") + "\n");
    }

    pub fn last(&self) -> String {
        Self::text(self.written)
    }
}

/// Nothing is missing of the lines up to `written`: each begins where the one before it ended.
pub fn assert_whole(messages: &[&Message], written: u64) {
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
    let mut log = Numbered::new(&folder);
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
    // An empty message would make the broker forget the position: an empty line is sent as its
    // newline.
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
    let mut log = Numbered::new(&folder);
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
