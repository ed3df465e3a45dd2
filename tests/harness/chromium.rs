//! Chromium, driven over its DevTools protocol.
//!
//! The protocol runs through a pair of pipes and not through a port: nobody else can connect, and
//! the browser ends by itself when this process does, however that ends.

use crate::deadline::DEADLINE;
use crate::protocol::Protocol;
use crate::require::tool;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The browser reads commands from descriptor 3 and answers on 4; what it wrote goes when it does.
const PIPES: &str = r#""$@" 3<&0 4>&1 </dev/null >&2; rm -rf "$HOME""#;

/// Enough to run as root and without a display, and nothing that calls home.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
];

/// A running browser; gone when dropped.
pub struct Chromium {
    child: Child,
    commands: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// The profile of this test, as the protocol names it, and the tab.
    context: Value,
    session: Option<String>,
    sent: u64,
    /// What the tab told unasked.
    events: Vec<Value>,
    home: TempDir,
}

impl Chromium {
    /// Starts it; `None` (the test should return) where Chromium is not installed.
    pub fn start() -> Option<Chromium> {
        let program = tool("chromium")?;
        let home = TempDir::with_prefix("tailcast-chromium-").expect("temporary directory");
        let mut child = Command::new("sh")
            .args(["-c", PIPES, "sh"])
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", home.path().display()))
            .env("HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(home.path().join("stderr")).expect("stderr"))
            .spawn()
            .expect("sh");
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("JSON");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Some(Chromium {
            child,
            commands,
            messages,
            context: Value::Null,
            session: None,
            sent: 0,
            events: Vec::new(),
            home,
        })
    }
}

impl Protocol for Chromium {
    fn call(&mut self, method: &str, mut params: Value) -> Value {
        if method == "Target.createTarget" {
            params["browserContextId"] = self.context.clone();
        }
        self.sent += 1;
        let id = self.sent;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let commands = self.commands.as_mut().expect("running");
        write!(commands, "{command}\0").expect("command");
        loop {
            let message = self.messages.recv_timeout(DEADLINE).unwrap_or_else(|_| {
                let said = fs::read_to_string(self.home.path().join("stderr"));
                panic!("no answer to {command}; Chromium said: {said:?}")
            });
            if message["id"] == id {
                // Asked while the page went to another one: there is no value, and who waits asks
                // again.
                if message["error"]["message"] == "Inspected target navigated or closed" {
                    return Value::Null;
                }
                assert!(message["error"].is_null(), "{command}: {message}");
                return message["result"].clone();
            }
            // What the tab of an earlier test tells late is of no interest.
            if message["sessionId"].as_str() == self.session.as_deref() {
                self.events.push(message);
            }
        }
    }

    fn told(&mut self, method: &str) -> Vec<Value> {
        // All that was told before this answer comes before it.
        self.call("Runtime.evaluate", json!({ "expression": "0" }));
        let of_name = self.events.iter().filter(|event| event["method"] == method);
        of_name.map(|event| event["params"].clone()).collect()
    }

    fn open_tab(&mut self) {
        let context = self.call("Target.createBrowserContext", json!({}));
        self.context = context["browserContextId"].clone();
        let tab = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": tab["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", attach);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    fn close_tab(&mut self) {
        self.session = None;
        let context = json!({ "browserContextId": self.context });
        self.call("Target.disposeBrowserContext", context);
        self.events.clear();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The end of its pipe ends the browser and all of its processes; a kill would leave some of
        // them.
        drop(self.commands.take());
        let end = Instant::now() + DEADLINE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > end {
                let _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
