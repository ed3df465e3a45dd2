//! What a board is called at a broker, and its topics there.
//! Pure: no runtime, no file, no socket.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What has a meaning in a topic (MQTT 5.0 section 4.7), or in what is written here for it.
const RESERVED: &AsciiSet = &CONTROLS.add(b'+').add(b'#').add(b'/').add(b'%');

/// A board by its name.
pub(crate) struct Board {
    /// As its owner calls it.
    pub(crate) name: String,
}

impl Board {
    /// Two clients of one name can't be connected at once: the second ends the first, and no old packet comes after a new one.
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
}
