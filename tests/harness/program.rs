//! A program that others wrote, and what it prints.

use crate::deadline::DEADLINE;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

/// A running program; killed when dropped.
pub struct Program {
    child: Child,
    /// Held open: some take its end for their own.
    _stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let (sender, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Program {
            _stdin: child.stdin.take(),
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// The next line that it prints; `None` once it has ended.
    pub fn next(&mut self) -> Option<String> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => {
                self.said.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing after {:?}", self.said),
        }
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        self.next()
            .unwrap_or_else(|| panic!("it ended after {:?}", self.said))
    }

    /// Lines up to and with this one.
    pub fn until(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != last) {
            lines.push(self.line());
        }
        lines
    }

    /// Ends it; what it has printed can still be had.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
    }

    /// How it ends by itself.
    pub fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        while self.next().is_some() {
            assert!(Instant::now() < end, "it does not end: {:?}", self.said);
        }
        self.child.wait().expect("wait")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
