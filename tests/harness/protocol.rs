//! How a browser is driven.

use serde_json::Value;

/// What both browsers understand. Its words are those of Chromium's DevTools protocol.
pub trait Protocol {
    /// Sends one command and waits for its result.
    fn call(&mut self, method: &str, params: Value) -> Value;

    /// What the tab told so far under this name, oldest first.
    fn told(&mut self, method: &str) -> Vec<Value>;

    /// The test is through with it: the next one finds it as if it had just been started.
    fn rest(self: Box<Self>);
}
