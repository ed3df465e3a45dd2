//! Firefox, driven over WebDriver BiDi (a W3C draft). The commands are those of Chromium's DevTools
//! protocol, as far as the tests use it, each put into BiDi's.

/// Keys, mouse and fingers.
mod hands;

use crate::deadline::DEADLINE;
use crate::http::Connection;
use crate::protocol::Protocol;
use crate::require::tool;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use tempfile::TempDir;
use tungstenite::Message;
use tungstenite::protocol::WebSocket;

/// Nothing that asks or calls home, and another theme than the machine's where a test wants one.
const PREFERENCES: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("general.smoothScroll", false);
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
"#;

/// Firefox tells nothing of a page's WebSockets, so the page's own tell: each as Chromium tells it.
const TELL_OF_WEB_SOCKETS: &str = "() => {
    const told = (globalThis.toldOfWebSockets ??= []);
    const frame = (method, data) => {
        const text = typeof data === 'string';
        const length = Math.ceil(data.byteLength / 3) * 4;
        const padding = (3 - (data.byteLength % 3)) % 3;
        const payloadData = text ? data : 'A'.repeat(length - padding) + '='.repeat(padding);
        told.push({ method, params: { response: { opcode: text ? 1 : 2, payloadData } } });
    };
    globalThis.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            told.push({ method: 'Network.webSocketCreated', params: { url: this.url } });
            this.addEventListener('message', ({ data }) => frame('Network.webSocketFrameReceived', data));
        }
        send(data) {
            frame('Network.webSocketFrameSent', data);
            super.send(data);
        }
    };
}";

/// It runs for as long as this process holds the other end of standard input; what it wrote goes
/// when it does.
const BOUND: &str = r#""$@" </dev/null & cat >/dev/null; kill -KILL $!; wait; rm -rf "$HOME""#;

/// A running Firefox; gone when dropped.
pub struct Firefox {
    child: Child,
    socket: WebSocket<TcpStream>,
    /// The profile of this test, and the tab.
    user: String,
    context: String,
    sent: u64,
    /// What the tab told unasked.
    events: Vec<Value>,
    /// The fingers on the screen.
    fingers: BTreeSet<u64>,
    _home: TempDir,
}

impl Firefox {
    /// Starts it; `None` (the test should return) where Firefox is not installed.
    pub fn start() -> Option<Firefox> {
        let program = tool("firefox-esr")?;
        let home = TempDir::with_prefix("tailcast-firefox-").expect("temporary directory");
        fs::write(home.path().join("user.js"), PREFERENCES).expect("user.js");
        let mut child = Command::new("sh")
            .args(["-c", BOUND, "sh"])
            .arg(program)
            .args(["--headless", "--no-remote", "--remote-debugging-port=0"])
            // For the theme, which no command of BiDi sets.
            .arg("--remote-allow-system-access")
            .arg("--profile")
            .arg(home.path())
            .env("HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sh");
        let said = BufReader::new(child.stderr.take().unwrap());
        let (sender, addresses) = channel();
        thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("WebDriver BiDi listening on ws://") {
                    let _ = sender.send(address.to_owned());
                }
            }
        });
        let address = addresses.recv_timeout(DEADLINE).expect("Firefox to listen");
        let connection = Connection::to(address.parse().expect("an address"));
        // A script may take the time of several waits.
        let patience = Some(4 * DEADLINE);
        let timed = connection.socket().set_read_timeout(patience);
        timed.expect("a time limit");
        let mut firefox = Firefox {
            child,
            socket: connection.upgrade("/session", None),
            user: String::new(),
            context: String::new(),
            sent: 0,
            events: Vec::new(),
            fingers: BTreeSet::new(),
            _home: home,
        };
        firefox.command(
            "session.new",
            json!({ "capabilities": { "alwaysMatch": {
            "acceptInsecureCerts": true } } }),
        );
        let events = ["log.entryAdded", "browsingContext.userPromptOpened"];
        firefox.command("session.subscribe", json!({ "events": events }));
        let script = json!({ "functionDeclaration": TELL_OF_WEB_SOCKETS });
        firefox.command("script.addPreloadScript", script);
        Some(firefox)
    }

    fn another_tab(&mut self) -> Value {
        let tab = json!({ "type": "tab", "userContext": self.user });
        self.command("browsingContext.create", tab)
    }

    /// Sends one command of BiDi and waits for its result.
    fn command(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let command = json!({ "id": self.sent, "method": method, "params": params }).to_string();
        self.socket.send(Message::text(command)).expect("command");
        loop {
            let message = self.socket.read();
            let message = message.unwrap_or_else(|error| panic!("no answer to {method}: {error}"));
            let Message::Text(message) = message else {
                continue;
            };
            let message: Value = serde_json::from_str(message.as_str()).expect("JSON");
            if message["id"] == self.sent {
                assert_eq!(message["type"], "success", "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn evaluate(&mut self, expression: &Value, context: &str) -> Value {
        let script = json!({
            "expression": expression,
            "target": { "context": context },
            "awaitPromise": true,
            "userActivation": true,
        });
        let answer = self.command("script.evaluate", script);
        match &answer["exceptionDetails"] {
            Value::Null => json!({ "result": { "value": plain(&answer["result"]) } }),
            exception => json!({ "exceptionDetails": exception["text"] }),
        }
    }

    /// The theme that pages are told of, the system's where it is none: a preference, which the
    /// browser's own window may set.
    fn prefer(&mut self, theme: &str) {
        let scope = json!({ "moz:scope": "chrome" });
        let windows = self.command("browsingContext.getTree", scope);
        let window = text(&windows["contexts"][0]["context"]);
        let number = match theme {
            "dark" => 0,
            "light" => 1,
            _ => 2,
        };
        let set = format!(
            "Services.prefs.setIntPref('layout.css.prefers-color-scheme.content-override', {number})"
        );
        self.evaluate(&json!(set), &window);
    }
}

impl Protocol for Firefox {
    fn call(&mut self, method: &str, params: Value) -> Value {
        let context = self.context.clone();
        match method {
            "Runtime.evaluate" => return self.evaluate(&params["expression"], &context),
            "Input.dispatchKeyEvent" => self.key(&params),
            "Input.dispatchMouseEvent" => self.mouse(&params),
            "Input.dispatchTouchEvent" => {
                self.touch(params["touchPoints"].as_array().expect("points"))
            }
            "Input.insertText" => {
                for letter in text(&params["text"]).chars() {
                    let letter = letter.to_string();
                    self.key(&json!({ "type": "keyDown", "key": letter }));
                    self.key(&json!({ "type": "keyUp", "key": letter }));
                }
            }
            "Emulation.setEmulatedMedia" => self.prefer(&text(&params["features"][0]["value"])),
            // Its screens feel fingers as they are, and its certificates are accepted from the
            // start.
            "Emulation.setTouchEmulationEnabled" | "Security.setIgnoreCertificateErrors" => {}
            "Network.getCookies" => {
                let partition = json!({ "type": "context", "context": context });
                let found = self.command("storage.getCookies", json!({ "partition": partition }));
                return json!({ "cookies": found["cookies"] });
            }
            _ => {
                let (method, mut params) = match method {
                    "Page.navigate" => (
                        "browsingContext.navigate",
                        json!({ "url": params["url"], "wait": "complete" }),
                    ),
                    "Page.reload" => ("browsingContext.reload", json!({ "wait": "complete" })),
                    "Page.bringToFront" => ("browsingContext.activate", json!({})),
                    "Target.createTarget" => {
                        return self.another_tab();
                    }
                    "Page.addScriptToEvaluateOnNewDocument" => {
                        let script = format!("() => {{ {} }}", text(&params["source"]));
                        let script =
                            json!({ "functionDeclaration": script, "contexts": [context] });
                        return self.command("script.addPreloadScript", script);
                    }
                    "Emulation.setDeviceMetricsOverride" => (
                        "browsingContext.setViewport",
                        json!({ "viewport": { "width": params["width"], "height": params["height"] },
                            "devicePixelRatio": params["deviceScaleFactor"] }),
                    ),
                    "Emulation.setTimezoneOverride" => {
                        let zone =
                            json!({ "timezone": params["timezoneId"], "contexts": [context] });
                        return self.command("emulation.setTimezoneOverride", zone);
                    }
                    _ => panic!("Firefox is not told to {method}"),
                };
                params["context"] = json!(context);
                return self.command(method, params);
            }
        }
        Value::Null
    }

    fn told(&mut self, method: &str) -> Vec<Value> {
        if method.starts_with("Network.webSocket") {
            let context = self.context.clone();
            let told = self.evaluate(&json!("globalThis.toldOfWebSockets ?? []"), &context);
            let told = told["result"]["value"].as_array().cloned();
            let told = told.into_iter().flatten();
            let told = told.filter(|told| told["method"] == method);
            return told.map(|told| told["params"].clone()).collect();
        }
        // All that was told before this answer comes before it.
        let context = self.context.clone();
        self.evaluate(&json!("0"), &context);
        let is_asked = |event: &&Value| {
            let params = &event["params"];
            match method {
                "Page.javascriptDialogOpening" => {
                    event["method"] == "browsingContext.userPromptOpened"
                }
                "Runtime.exceptionThrown" => {
                    params["type"] == "javascript" && params["level"] == "error"
                }
                "Runtime.consoleAPICalled" => params["type"] == "console",
                _ => false,
            }
        };
        let asked = self.events.iter().filter(is_asked);
        asked.map(|event| event["params"].clone()).collect()
    }

    fn open_tab(&mut self) {
        let user = self.command("browser.createUserContext", json!({}));
        self.user = text(&user["userContext"]);
        let tab = self.another_tab();
        self.context = text(&tab["context"]);
    }

    fn close_tab(&mut self) {
        self.prefer("");
        let user = json!({ "userContext": self.user });
        self.command("browser.removeUserContext", user);
        self.fingers.clear();
        self.events.clear();
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// What JSON would be of a value that BiDi describes.
fn plain(value: &Value) -> Value {
    let inner = &value["value"];
    let list = || inner.as_array().into_iter().flatten();
    match value["type"].as_str() {
        Some("string" | "boolean" | "number") => inner.clone(),
        Some("array") => list().map(plain).collect(),
        Some("object") => {
            let pair = |pair: &Value| (text(&pair[0]), plain(&pair[1]));
            Value::Object(list().map(pair).collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}
