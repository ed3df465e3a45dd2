//! What a board is called at a broker, and its topics there.
//! Pure: no runtime, no file, no socket.

use crate::engine::mqtt::packet::{Message, Retained};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What has a meaning in a topic (MQTT 5.0 section 4.7), or in what is written here for it.
const RESERVED: &AsciiSet = &CONTROLS.add(b'+').add(b'#').add(b'/').add(b'%');

/// What the status says.
pub(crate) const ONLINE: &str = "online";
const OFFLINE: &str = "offline";

/// Beside the status: which process says it.
const PROCESS: &str = "Tailcast-Process";

/// A board by its name.
pub(crate) struct Board {
    /// As its owner calls it.
    pub(crate) name: String,
    /// A number of this process alone: two of one name are told apart by it.
    pub(crate) process: u64,
}

impl Board {
    /// The last will.
    pub(crate) fn will<'a>(&self, status: &'a str) -> Message<'a> {
        Message {
            topic: status,
            id: 0,
            payload: OFFLINE,
            properties: self.words(),
        }
    }

    /// The words beside the status.
    pub(crate) fn words(&self) -> Vec<(String, String)> {
        vec![(PROCESS.to_owned(), format!("{:x}", self.process))]
    }

    /// Whether the status that the broker keeps is that of another process, which is there now.
    pub(crate) fn is_taken(&self, kept: &Retained) -> bool {
        let is_known = kept.properties.iter().any(|(name, _)| name == PROCESS);
        kept.payload == ONLINE.as_bytes() && is_known && kept.properties != self.words()
    }

    /// The name of a connection that only looks, beside whoever publishes under
    /// [`client`](Self::client).
    pub(crate) fn observer(&self) -> String {
        format!("tailcast-{}-{:x}", self.name, self.process)
    }

    /// Two clients of one name can't be connected at once: the second ends the first, and no old
    /// packet comes after a new one.
    pub(crate) fn client(&self) -> String {
        format!("tailcast-{}", self.name)
    }

    /// Where it is told whether the board is there.
    pub(crate) fn status(&self) -> String {
        format!("tailcast/{}/status", segment(&self.name))
    }

    /// Where the lines of the stream `name` go.
    pub(crate) fn topic(&self, name: &str) -> String {
        let name = match name {
            // This one is taken.
            "status" => "%73tatus".to_owned(),
            name => segment(name),
        };
        format!("tailcast/{}/{name}", segment(&self.name))
    }
}

fn segment(name: &str) -> String {
    utf8_percent_encode(name, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_hold_no_wildcard() {
        let board = Board {
            name: "pi/1".to_owned(),
            process: 7,
        };
        assert_eq!(board.status(), "tailcast/pi%2F1/status");
        for (name, topic) in [
            ("app.log", "tailcast/pi%2F1/app.log"),
            ("28-0316a:w1_slave", "tailcast/pi%2F1/28-0316a:w1_slave"),
            ("a+b#c%", "tailcast/pi%2F1/a%2Bb%23c%25"),
            ("status", "tailcast/pi%2F1/%73tatus"),
            ("temp \u{b0}C", "tailcast/pi%2F1/temp %C2%B0C"),
        ] {
            assert_eq!(board.topic(name), topic);
        }
    }

    #[test]
    fn another_process_is_known_by_its_number() {
        let process = |process| Board {
            name: "pi1".to_owned(),
            process,
        };
        let kept = |payload: &str, properties| Retained {
            payload: payload.into(),
            properties,
        };
        let (this, other) = (process(7), process(8));
        assert!(this.is_taken(&kept(ONLINE, other.words())));
        assert!(!this.is_taken(&kept(OFFLINE, other.words())), "it has gone");
        assert!(!this.is_taken(&kept(ONLINE, this.words())), "it is we");
        assert!(!this.is_taken(&kept(ONLINE, Vec::new())), "nobody knows");
        assert!(!this.is_taken(&Retained::default()));
    }
}
