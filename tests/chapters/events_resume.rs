//! Server-sent events over lost connections, restarts and rotations: no hole, nothing twice.

use crate::dice::Dice;
use crate::event_source::EventSource;
use crate::folder::Folder;
use crate::server::Server;
use crate::writer::{Writer, line};

/// The client stands before this line, and has heard so many rotations.
struct Walk {
    next: u64,
    rotations: usize,
}

impl Walk {
    /// Takes events up to and with the line of that number.
    fn until(&mut self, events: &mut EventSource, last: u64) {
        while self.next <= last {
            let event = events.next();
            match event.name.as_str() {
                "message" => {
                    assert_eq!(event.data, line(self.next).trim_end(), "at {}", event.id);
                    self.next += 1;
                }
                "rotated" => self.rotations += 1,
                "missing" | "found" => {}
                _ => panic!("{event:?} before line {}", self.next),
            }
        }
    }
}

#[test]
fn fifty_lost_connections() {
    let folder = Folder::new();
    let mut dice = Dice(0x5e5e_7a11);
    let mut writer = Writer::start(&folder.log);
    let mut server = Server::start(&[folder.arg()]);
    let mut events = EventSource::connect(&server, "/stream/app.log?from=start");
    let mut walk = Walk {
        next: 1,
        rotations: 0,
    };
    let mut rotations = 0;
    for round in 0..50 {
        writer.begin(1 + dice.below(500));
        let some = dice.below(300);
        walk.until(&mut events, writer.written.min(walk.next + some));
        // Dropped here, wherever on the wire: what it has not dispatched it has not seen.
        for _ in 0..dice.below(3) {
            writer.wait();
            folder.rotate();
            rotations += 1;
            writer.reopen();
            writer.begin(1 + dice.below(100));
        }
        match dice.below(8) {
            0 => server.restart(),
            1 => server.crash(),
            _ => {}
        }
        if round % 2 == 0 {
            events.reconnect(&server);
        } else {
            events.reconnect_by_from(&server);
        }
        writer.wait();
    }
    walk.until(&mut events, writer.written);
    assert_eq!(walk.rotations, rotations);
}
