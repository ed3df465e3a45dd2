//! Serial lines as the kernel makes them: a terminal, with all its habits, until somebody makes it
//! raw.

use crate::client::{Client, Plain};
use crate::deadline::until_true;
use crate::server::Server;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{ControlModes, LocalModes, tcgetattr};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::thread;

/// A pseudo-terminal in its first state, and a server that was given its path and these words
/// behind it.
struct Line {
    device: File,
    /// Held open, so that its settings can be seen, and nobody hangs up by looking.
    port: File,
    server: Server,
}

fn scene(words: &str) -> Line {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .expect("a pseudo-terminal");
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let port = File::options().read(true).write(true).open(&path).unwrap();
    assert!(is_cooked(&port), "the kernel makes it a terminal");
    let server = Server::start(&["--public", &format!("line={path}{words}")]);
    until_true("the line to be raw", || !is_cooked(&port));
    Line {
        device: File::from(master),
        port,
        server,
    }
}

fn is_cooked(port: &File) -> bool {
    let modes = tcgetattr(port).unwrap().local_modes;
    modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
}

impl Line {
    fn assert_nothing_was_sent_to_it(&mut self) {
        rustix::io::ioctl_fionbio(&self.device, true).unwrap();
        let echo = self.device.read(&mut [0; 16]).unwrap_err();
        assert_eq!(echo.kind(), ErrorKind::WouldBlock);
    }
}

#[test]
fn every_byte_comes_as_it_was_sent_and_none_goes_back() {
    let mut line = scene("");
    let mut client = Client::connect(&line.server, "/stream/line?from=start");
    let bytes: Vec<u8> = (0..=255).chain(*b"end of all").collect();
    line.device.write_all(&bytes).unwrap();
    assert_eq!(client.bytes_until("end of all"), bytes);
    line.assert_nothing_was_sent_to_it();
}

#[test]
fn a_line_longer_than_any_terminal_takes() {
    // A terminal keeps 4,095 bytes of a line and throws the rest away.
    let mut line = scene("");
    let mut client = Client::connect(&line.server, "/stream/line?from=start");
    let bytes = [b"x".repeat(100_000), b"end".to_vec()].concat();
    let mut device = line.device.try_clone().unwrap();
    let sent = bytes.clone();
    let sending = thread::spawn(move || device.write_all(&sent).unwrap());
    assert_eq!(client.bytes_until("end"), bytes);
    sending.join().unwrap();
    line.assert_nothing_was_sent_to_it();
}

#[test]
fn seven_bits_and_their_parity() {
    for words in [",baud=9600,7e1", ",7E1,baud=9600", ",7e1"] {
        let mut line = scene(words);
        if words.contains("baud") {
            assert_eq!(
                tcgetattr(&line.port).unwrap().output_speed(),
                9600,
                "{words}"
            );
        }
        let mut client = Plain::connect(&line.server, "/stream/line?from=start");
        // What such a meter sends to a port of eight bits: the eighth makes the number of ones
        // even.
        let even = |byte: u8| byte | (u8::from(byte.count_ones() % 2 == 1) << 7);
        let sent: Vec<u8> = b"1-0:1.8.0(000123.456*kWh)\r\n"
            .iter()
            .map(|&b| even(b))
            .collect();
        line.device.write_all(&sent).unwrap();
        assert_eq!(client.line(), "1-0:1.8.0(000123.456*kWh)", "{words}");
    }
    let line = scene(",8n2");
    let modes = tcgetattr(&line.port).unwrap().control_modes;
    assert!(modes.contains(ControlModes::CSTOPB) && !modes.contains(ControlModes::PARENB));
}

#[test]
fn readings_that_end_in_a_carriage_return() {
    let mut line = scene("");
    let mut live = Plain::connect(&line.server, "/stream/line?from=start");
    for number in 0..6 {
        write!(line.device, "T={number}\r").unwrap();
        assert_eq!(live.line(), format!("T={number}"));
    }
    // One end of a line, cut between its two bytes, is still one.
    line.device.write_all(b"a\r").unwrap();
    assert_eq!(live.line(), "a");
    line.device.write_all(b"\nb\r\n").unwrap();
    assert_eq!(live.line(), "b");
    let mut late = Plain::connect(&line.server, "/stream/line?from=-3");
    assert_eq!(late.lines(3), ["T=5", "a", "b"]);
    let mut events =
        crate::event_source::EventSource::connect(&line.server, "/stream/line?from=-4");
    assert_eq!(events.lines(4), ["T=4", "T=5", "a", "b"]);
}
