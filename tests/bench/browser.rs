//! A page of Tailcast in headless Chromium: what `chart` and `page` measure in.

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

/// What a page is looked at with.
pub struct Device {
    /// The window, in CSS px.
    width: u32,
    height: u32,
    is_mobile: bool,
    /// The page's thread has one of so many parts of a processor. Workers are not slowed by it.
    slower: u32,
}

impl Device {
    pub const DESK: Device = Device {
        width: 1440,
        height: 900,
        is_mobile: false,
        slower: 1,
    };

    pub const PHONE: Device = Device {
        width: 360,
        height: 640,
        is_mobile: true,
        slower: 4,
    };
}

impl Browser {
    /// At a desk, not yet at the page of `file`, with the script `watch` in each one; `None`
    /// without Chromium.
    pub fn new(file: &Path, watch: &str) -> Option<Browser> {
        let mut chromium = Chromium::start()?;
        chromium.open_tab();
        let script = json!({ "source": watch });
        chromium.call("Page.addScriptToEvaluateOnNewDocument", script);
        let file = file.to_str().expect("UTF-8");
        let server = Server::tailcast(&["--public", file], Stdio::null());
        let mut browser = Browser { chromium, server };
        browser.become_device(&Device::DESK);
        Some(browser)
    }

    pub fn become_device(&mut self, device: &Device) {
        let size = json!({ "width": device.width, "height": device.height,
            "deviceScaleFactor": 1, "mobile": device.is_mobile });
        self.chromium
            .call("Emulation.setDeviceMetricsOverride", size);
        let rate = json!({ "rate": device.slower });
        self.chromium.call("Emulation.setCPUThrottlingRate", rate);
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

    /// Bytes that the page's thread holds once its garbage is collected, as `Runtime.getHeapUsage`
    /// says.
    pub fn heap_usage(&mut self) -> Value {
        self.chromium.call("HeapProfiler.collectGarbage", json!({}));
        self.chromium.call("Runtime.getHeapUsage", json!({}))
    }
}
