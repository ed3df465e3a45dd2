//! How a browser is driven.

use serde_json::Value;

/// A page's script: each line in sight with its place, in CSS px from the top of the window.
pub const IN_SIGHT: &str = "(() => {
    const { top, bottom } = document.getElementById('view').getBoundingClientRect();
    return [...document.querySelectorAll('.row')]
        .map((row) => [row.textContent, row.getBoundingClientRect()])
        .filter(([, row]) => row.bottom > top + 1 && row.top < bottom - 1)
        .map(([text, row]) => [text, row.top]);
})()";

/// What both browsers understand. Its words are those of Chromium's DevTools protocol.
pub trait Protocol: Send {
    /// Sends one command and waits for its result.
    fn call(&mut self, method: &str, params: Value) -> Value;

    /// What the tab told so far under this name, oldest first.
    fn told(&mut self, method: &str) -> Vec<Value>;

    /// Opens the tab, in a profile of its own.
    fn open_tab(&mut self);

    /// The tab and its profile are gone: it is as if it had just been started.
    fn close_tab(&mut self);
}
