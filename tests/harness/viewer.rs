//! Somebody who looks at the page: what they see, and what their browser did for it.

use crate::browser::Browser;
use crate::folder::Folder;
use crate::server::Server;
use serde_json::{Value, json};

/// The windows of a desk and of a phone, in CSS px.
pub const SIZES: [(u32, u32); 2] = [(1440, 900), (360, 640)];

/// What the log shows, top to bottom: the text of lines, and of marks their kind.
const SHOWN: &str = "[...document.querySelectorAll('.row, #rows .mark')].map(row =>
    row.matches('.mark') ? `<${row.className}>` : row.textContent)";

/// Scrolls from the first row to the last and gathers what stands there, each row once.
const EVERYTHING: &str = "(async () => {
    const view = document.getElementById('view');
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 15)));
    const rows = () => [...document.querySelectorAll('.row, #rows .mark')];
    const above = () => document.getElementById('rows').getBoundingClientRect().top
        - view.getBoundingClientRect().top;
    // What stands further up may be on its way from the board, which has other things to do.
    for (let first = null, rest = 0; rest < 10; await frame()) {
        const top = view.scrollTop === 0 && first === rows()[0] && Math.abs(above()) <= 1;
        rest = top ? rest + 1 : 0;
        first = rows()[0];
        view.scrollTop = 0;
        await frame(), await frame(), await frame();
    }
    const found = new Map();
    for (let rest = 0; rest < 5; ) {
        const before = [found.size, view.scrollTop].join();
        for (const row of rows()) {
            found.set(row.id, row.matches('.mark') ? `<${row.className}>` : row.textContent);
        }
        view.scrollTop += view.clientHeight;
        await frame();
        const same = before === [found.size, view.scrollTop].join();
        const end = view.scrollTop + view.clientHeight >= view.scrollHeight - 1;
        rest = same && end ? rest + 1 : 0;
    }
    return [...found.values()];
})()";

/// A browser with the page in its tab.
pub struct Viewer {
    pub browser: Browser,
}

impl Viewer {
    /// Starts the browser; `None` (the test should return) where there is none.
    pub fn start() -> Option<Viewer> {
        let browser = Browser::start()?;
        Some(Viewer { browser })
    }

    /// Looks at the log of `folder`, which is there or not yet, on a server of its own.
    pub fn of(folder: &Folder) -> Option<(Server, Viewer)> {
        let mut viewer = Viewer::start()?;
        let server = Server::start(&[folder.arg()]);
        viewer.look_at(&server);
        if folder.log.exists() {
            viewer.until_state("live");
        } else {
            viewer.until_state("waiting for the file");
        }
        Some((server, viewer))
    }

    /// Opens the page.
    pub fn look_at(&mut self, server: &Server) {
        self.browser.go(&server.url("/"));
    }

    /// All that stands in the log, also far from what is in sight.
    pub fn everything(&mut self) -> Vec<String> {
        serde_json::from_value(self.browser.evaluate(EVERYTHING)).expect("strings")
    }

    /// What is drawn of the log.
    pub fn shown(&mut self) -> Vec<String> {
        serde_json::from_value(self.browser.evaluate(SHOWN)).expect("strings")
    }

    /// Waits until just this is drawn.
    pub fn until_shown(&mut self, rows: &[String]) {
        let same = format!(
            "JSON.stringify({SHOWN}) === JSON.stringify({})",
            json!(rows)
        );
        self.until(&format!("{rows:?}"), &same);
    }

    /// Waits until this is the last that stands in the log.
    pub fn until_last(&mut self, text: &str) {
        let last = format!("({SHOWN}).at(-1) === {}", json!(text.trim_end()));
        self.until(&format!("the last row to be {text:?}"), &last);
    }

    /// Waits for the state of the connection, given as a regular expression.
    pub fn until_state(&mut self, words: &str) {
        let state = "document.getElementById('state')?.textContent";
        self.until(words, &format!("/^({words})$/.test({state})"));
    }

    /// Presses a key, as a person does.
    pub fn press(&mut self, key: &str) {
        // What a key writes; of these the browser itself does something.
        let (text, code) = match key {
            "Enter" => ("\r", 13),
            "Escape" => ("", 27),
            _ if key.chars().count() == 1 => (key, 0),
            _ => ("", 0),
        };
        for kind in ["keyDown", "keyUp"] {
            let event =
                json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code });
            self.browser.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Types into what has the focus.
    pub fn write(&mut self, text: &str) {
        self.browser
            .call("Input.insertText", json!({ "text": text }));
    }

    /// A window of this size, in CSS px.
    pub fn size(&mut self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.browser
            .call("Emulation.setDeviceMetricsOverride", size);
    }

    /// A browser that prefers this theme, `light` or `dark`.
    pub fn theme(&mut self, theme: &str) {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.browser.call("Emulation.setEmulatedMedia", media);
    }

    /// Waits until a JavaScript expression is true.
    pub fn until(&mut self, what: &str, expression: &str) {
        self.browser.until(what, expression);
    }

    /// The text of the element of this `id`.
    pub fn text(&mut self, id: &str) -> String {
        let text = format!("document.getElementById('{id}').textContent");
        let text = self.browser.evaluate(&text);
        text.as_str().expect("text").to_owned()
    }

    /// The `from` of each connection that the page made, oldest first.
    pub fn asked(&mut self) -> Vec<String> {
        let made = self.browser.told("Network.webSocketCreated");
        let urls = made.iter().map(|told| told["url"].as_str().expect("url"));
        urls.map(|url| url.split_once("from=").expect("from").1.to_owned())
            .collect()
    }

    /// The text messages that the page sent over all of its connections.
    pub fn sent(&mut self) -> Vec<String> {
        self.frames("Network.webSocketFrameSent", 1)
    }

    /// The text messages that the page was sent over all of its connections.
    pub fn events(&mut self) -> Vec<String> {
        self.frames("Network.webSocketFrameReceived", 1)
    }

    /// How many bytes of files the page was sent over all of its connections.
    pub fn received(&mut self) -> usize {
        let messages = self.frames("Network.webSocketFrameReceived", 2);
        // Told in base64: four characters for three bytes, less the padding.
        let length = |text: &String| text.len() / 4 * 3 - text.matches('=').count();
        messages.iter().map(length).sum()
    }

    fn frames(&mut self, method: &str, opcode: u8) -> Vec<String> {
        let told = self.browser.told(method);
        let frames = told.iter().map(|told| &told["response"]);
        frames
            .filter(|frame| frame["opcode"] == opcode)
            .map(|frame| frame["payloadData"].as_str().expect("payload").to_owned())
            .collect()
    }

    /// Nothing stands in the browser's console.
    pub fn assert_no_complaints(&mut self) {
        assert_eq!(self.browser.complaints(), [Value::Null; 0]);
    }

    /// The same where the server was away: each connection that fails the browser itself reports,
    /// and no page can keep it from that.
    pub fn assert_no_complaints_but_of_the_network(&mut self) {
        let mut complaints = self.browser.complaints();
        complaints.retain(|complaint| {
            let text = [&complaint["text"], &complaint["entry"]["text"]].map(Value::as_str);
            let of = |what| text.iter().flatten().any(|text| text.contains(what));
            // Firefox has its words for it, and an icon that did not come is told by another part
            // of Chromium.
            complaint["entry"]["source"] != "network" && !of("ws://") && !of("from the Manifest")
        });
        assert_eq!(complaints, [Value::Null; 0]);
    }
}

/// The lines of a text as they should be shown.
pub fn rows(text: impl AsRef<[u8]>) -> Vec<String> {
    let text = std::str::from_utf8(text.as_ref()).expect("UTF-8");
    text.lines().map(str::to_owned).collect()
}
