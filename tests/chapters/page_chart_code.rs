//! The code that draws charts: as small as it is said to be, fetched for numbers alone, and of one
//! mind with uPlot.

use super::page_chart::scene;
use crate::folder::Folder;
use crate::http::Connection;
use crate::program::Program;
use crate::require::{require, tool};
use crate::viewer::Viewer;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// uPlot's lines and ours have the same extremes in the same columns of pixels.
#[test]
pub fn columns_are_those_of_uplot() {
    let modules = Command::new("npm").args(["root", "--global"]).output();
    let modules = modules.map(|output| String::from_utf8(output.stdout).unwrap());
    let script =
        Path::new(modules.unwrap_or_default().trim_end()).join("uplot/dist/uPlot.iife.min.js");
    if tool("chromium").is_none() || !require("uplot", script.is_file()) {
        return;
    }
    let Some((_folder, _server, mut viewer)) = scene("1\n") else {
        return;
    };
    viewer.browser.evaluate(&format!(
        "{}; globalThis.uPlot = uPlot",
        fs::read_to_string(script).unwrap()
    ));
    let compare =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/uplot.js"))
            .unwrap();
    let same = viewer.browser.evaluate(&compare);
    assert_eq!(same, json!({ "columns": 999, "different": [] }));
}

/// Only what draws is counted: what opens below, and what reads lines, come when they are needed.
#[test]
pub fn what_draws_is_small() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app/page");
    let mut gzip = Program::start(
        Command::new("sh")
            .args([
                "-c",
                "cat scale.js series.js draw.js gesture.js | gzip -9 | wc -c",
            ])
            .current_dir(folder),
    );
    let size: usize = gzip.line().trim().parse().unwrap();
    assert!(size <= 9 * 1024, "{size} bytes");
    assert!(gzip.end().success());
}

/// Nothing of charts is fetched for a log that is text; a chart fetches this much, gzipped.
#[test]
fn what_a_chart_fetches() {
    let folder = Folder::new();
    folder.append("the door was opened\n".repeat(20));
    let Some((server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("the door was opened");
    let fetched = "performance.getEntriesByType('resource')
        .filter(({ name }) => /(js|css)$/.test(name)).map(({ name }) => name.split('/').at(-1))";
    let list = |viewer: &mut Viewer| -> BTreeSet<String> {
        serde_json::from_value(viewer.browser.evaluate(fetched)).unwrap()
    };
    let before = list(&mut viewer);
    viewer
        .browser
        .evaluate("document.getElementById('chart').click()");
    viewer.until(
        "a chart",
        "document.querySelector('.chart-said p')?.textContent === 'No numbers in these lines yet.'",
    );
    let size = |names: &[&str]| -> usize {
        let sizes = names.iter().map(|name| {
            let gzip = "Accept-Encoding: gzip\r\n";
            let answer = Connection::open(&server).request("GET", &format!("/{name}"), gzip);
            assert_eq!(answer.header("Content-Encoding"), Some("gzip"), "{name}");
            println!("{name} {}", answer.body.len());
            answer.body.len()
        });
        sizes.sum()
    };
    let drawing = ["scale.js", "draw.js", "gesture.js"];
    let page = ["chart.js", "series.js", "said.js", "chart.css"];
    let worker = [
        "backfill-worker.js",
        "fields.js",
        "delimited.js",
        "units.js",
    ];
    for name in [&drawing[..], &page, &worker].concat() {
        assert!(!before.contains(name), "{name} is fetched for text");
    }
    let after = list(&mut viewer);
    for name in [&drawing[..], &page].concat() {
        assert!(after.contains(name), "{name} is not fetched");
    }
    // Beside these, what the log uses for its alerts and for its way to a moment.
    let (drawing, page, worker) = (size(&drawing), size(&page), size(&worker));
    println!("drawing {drawing}, the page's part {page}, the worker's {worker} bytes");
    assert!(drawing < 6 << 10, "{drawing}");
    assert!(drawing + page <= 15 << 10, "{page}");
    assert!(worker <= 9 << 10, "{worker}");
    viewer.assert_no_complaints();
}
