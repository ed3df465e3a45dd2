//! A headless browser with one tab, driven as a person does: Chromium, or Firefox where
//! [`in_firefox`] runs the test.

use crate::chromium::Chromium;
use crate::deadline::until_true;
use crate::firefox::Firefox;
use crate::protocol::Protocol;
use serde_json::{Value, json};
use std::cell::Cell;
use std::sync::{Mutex, MutexGuard};
use std::thread;

/// Browsers that no test uses now, Chromium and Firefox: to start one costs seconds of processor
/// time.
static IDLE: [Mutex<Vec<Box<dyn Protocol>>>; 2] = [const { Mutex::new(Vec::new()) }; 2];

thread_local! {
    static WANTS_FIREFOX: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test that was written for Chromium in Firefox.
pub fn in_firefox(test: fn()) {
    WANTS_FIREFOX.set(true);
    test();
}

/// Those of the kind that this test wants.
fn idle() -> MutexGuard<'static, Vec<Box<dyn Protocol>>> {
    IDLE[usize::from(WANTS_FIREFOX.get())].lock().unwrap()
}

/// A browser with one tab; the tab is gone when it is dropped.
pub struct Browser(Option<Box<dyn Protocol>>);

impl Browser {
    /// One that is idle, or a new one; `None` (the test should return) where it is not installed.
    pub fn start() -> Option<Browser> {
        let idle = idle().pop();
        let mut browser: Box<dyn Protocol> = match idle {
            Some(idle) => idle,
            None if WANTS_FIREFOX.get() => Box::new(Firefox::start()?),
            None => Box::new(Chromium::start()?),
        };
        browser.open_tab();
        Some(Browser(Some(browser)))
    }

    fn protocol(&mut self) -> &mut dyn Protocol {
        &mut **self.0.as_mut().expect("not dropped")
    }

    /// As [`Protocol::call`].
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.protocol().call(method, params)
    }

    /// As [`Protocol::told`].
    pub fn told(&mut self, method: &str) -> Vec<Value> {
        self.protocol().told(method)
    }

    /// Goes to another page and waits until it is loaded.
    pub fn go(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.until("the page to load", "document.readyState === 'complete'");
    }

    /// Loads the page again.
    pub fn reload(&mut self) {
        // The mark is gone once the new document is there.
        self.evaluate("document.before = true");
        self.call("Page.reload", json!({}));
        let loaded = "!document.before && document.readyState === 'complete'";
        self.until("the page to load again", loaded);
    }

    /// Puts another tab before this one.
    pub fn hide(&mut self) {
        self.call("Target.createTarget", json!({ "url": "about:blank" }));
    }

    /// Puts this tab before the others.
    pub fn show(&mut self) {
        self.call("Page.bringToFront", json!({}));
    }

    /// The value of a JavaScript expression; of a promise, what it is fulfilled with.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true }),
        );
        let exception = &answer["exceptionDetails"];
        assert!(exception.is_null(), "{expression}: {exception}");
        answer["result"]["value"].clone()
    }

    /// Waits until a JavaScript expression is true.
    pub fn until(&mut self, what: &str, expression: &str) {
        until_true(what, || self.evaluate(expression) == true);
    }

    /// Runs a script before those of each page that is loaded from now on.
    pub fn run_in_every_page(&mut self, script: &str) {
        let script = json!({ "source": script });
        self.call("Page.addScriptToEvaluateOnNewDocument", script);
    }

    /// Bytes in use by the page's JavaScript. Chromium alone tells.
    pub fn heap(&mut self) -> u64 {
        self.call("HeapProfiler.collectGarbage", json!({}));
        let usage = self.call("Runtime.getHeapUsage", json!({}));
        usage["usedSize"].as_u64().expect("usedSize")
    }

    /// Everything that a developer would see in red or yellow: exceptions, refused resources,
    /// errors and warnings.
    pub fn complaints(&mut self) -> Vec<Value> {
        let mut complaints = self.told("Runtime.exceptionThrown");
        complaints.extend(self.told("Runtime.consoleAPICalled"));
        complaints.extend(
            self.told("Log.entryAdded").into_iter().filter(|told| {
                matches!(told["entry"]["level"].as_str(), Some("error" | "warning"))
            }),
        );
        complaints
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // One that a test failed with may be what is wrong.
        if let Some(mut browser) = self.0.take()
            && !thread::panicking()
        {
            browser.close_tab();
            idle().push(browser);
        }
    }
}
