//! From the link to the first line.

use serde_json::json;

use super::{Page, ROUNDS, row};
use crate::protocol::Protocol;
use crate::table::{Row, Target};

/// A slow line: bytes a second of 10 Mbit/s, and its round trip in ms.
const SLOW_LINE: f64 = 10_000_000.0 / 8.0;
const ROUND_TRIP: u32 = 20;

/// KiB of all that was fetched of the page, as it came.
const FETCHED: &str = "performance.getEntries()
    .filter(({ entryType, name }) =>
        ['navigation', 'resource'].includes(entryType) && !/sources$|stream\\//.test(name))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1024";

/// The browser has the page already, and asks whether it is still the same.
pub(super) fn warm(page: &mut Page, what: &str) -> Row {
    page.open();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        page.open();
        rounds.push(page.number("first"));
    }
    let name = format!("link to the first line of {what}, warm");
    row(name, "ms", Target::Below(150.0), &rounds)
}

/// The browser has nothing, and the line is slow. What the socket carries Chromium does not slow
/// down.
pub(super) fn cold(page: &mut Page, what: &str) -> Vec<Row> {
    let (mut first, mut fetched) = (Vec::new(), Vec::new());
    let line = json!({ "offline": false, "latency": ROUND_TRIP,
        "downloadThroughput": SLOW_LINE, "uploadThroughput": SLOW_LINE });
    for _ in 0..ROUNDS {
        let chromium = &mut page.browser.chromium;
        chromium.call("Network.enable", json!({}));
        chromium.call("Network.clearBrowserCache", json!({}));
        chromium.call("Network.emulateNetworkConditions", line.clone());
        page.open();
        first.push(page.number("first"));
        fetched.push(page.number(FETCHED));
    }
    page.browser.chromium.call("Network.disable", json!({}));
    let name = format!("link to the first line of {what}, cold, 10 Mbit/s, 20 ms");
    vec![
        row(name, "ms", Target::Below(400.0), &first),
        row(
            "fetched for it, gzipped",
            "KiB",
            Target::Below(40.0),
            &fetched,
        ),
    ]
}
