//! A page of Tailcast in headless Chromium, at a desk's size: what `chart` and `page` measure in.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::protocol::Protocol;
use crate::sides::Server;

pub struct Browser {
    pub chromium: Chromium,
    pub server: Server,
}

impl Browser {
    /// Not yet at the page of `file`, with the script `watch` in each one; `None` without Chromium.
    pub fn new(file: &Path, watch: &str) -> Option<Browser> {
        let mut chromium = Chromium::start()?;
        chromium.open_tab();
        let size = json!({ "width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        chromium.call("Emulation.setDeviceMetricsOverride", size);
        let script = json!({ "source": watch });
        chromium.call("Page.addScriptToEvaluateOnNewDocument", script);
        let file = file.to_str().expect("UTF-8");
        let server = Server::tailcast(&["--public", file], Stdio::null());
        Some(Browser { chromium, server })
    }

    pub fn evaluate(&mut self, expression: &str) -> Value {
        let ask = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.chromium.call("Runtime.evaluate", ask);
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Leaves the page that is open, and goes to what stands behind the server's address.
    pub fn go(&mut self, to: &str) {
        let blank = json!({ "url": "about:blank" });
        self.chromium.call("Page.navigate", blank);
        let url = format!("http://{}{to}", self.server.address);
        self.chromium.call("Page.navigate", json!({ "url": url }));
    }

    /// Bytes that the page's thread holds once its garbage is collected, as `Runtime.getHeapUsage` says.
    pub fn heap_usage(&mut self) -> Value {
        self.chromium.call("HeapProfiler.collectGarbage", json!({}));
        self.chromium.call("Runtime.getHeapUsage", json!({}))
    }
}
