//! The README's table of ways to read a stream: each line is run as it stands there.

use crate::browser::Browser;
use crate::client::Client;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::source;
use crate::program::Program;
use crate::require::tool;
use crate::server::Server;
use crate::writer::Writer;
use serde_json::Value;
use std::process::Command;

/// The code of the table's rows and of the block under it.
fn ways() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let ways = readme.split_once("<!-- ways -->");
    let ways = ways.and_then(|(_, rest)| rest.split_once("<!-- /ways -->"));
    let (ways, _) =
        ways.expect("README.md has its ways between `<!-- ways -->` and `<!-- /ways -->`");
    let (table, blocks) = ways.split_once("```js\n").expect("a block");
    // A row's second cell, where it is code and nothing else.
    let cells = table.lines().filter_map(|line| line.split('|').nth(2));
    let codes = cells.filter_map(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`'));
    let mut ways: Vec<String> = codes
        .filter(|code| !code.contains('`'))
        .map(str::to_owned)
        .collect();
    ways.push(blocks.split("```").next().unwrap().to_owned());
    ways
}

fn is_javascript(way: &str) -> bool {
    way.contains("console.log")
}

/// The README's names, and ours.
fn here(way: &str, server: &Server) -> String {
    let address = server.addr().to_string();
    assert!(way.contains("pi.local:8080") || is_javascript(way), "{way}");
    way.replace("pi.local:8080", &address)
}

fn scene() -> (Folder, Server, Writer) {
    let folder = Folder::new();
    let writer = Writer::start(&folder.log);
    let server = Server::start(&[&format!("syslog={}", folder.arg())]);
    (folder, server, writer)
}

/// In a shell: a line that is written while it runs is printed; what polls is run until it has
/// been.
#[test]
fn in_a_shell() {
    let mut count = 0;
    for way in ways().iter().filter(|way| !is_javascript(way)) {
        count += 1;
        let name = way.split(' ').next().unwrap();
        if tool(name).is_none() {
            continue;
        }
        let (folder, server, mut writer) = scene();
        writer.write(3);
        if way.contains("match=") {
            matching(way, &folder, &server);
            continue;
        }
        // Somebody listens already, so that a poll's place is taken when it is counted.
        let _awake = Client::connect(&server, "/stream/syslog");
        let mut shell = Command::new("sh");
        let mut program =
            Program::start(shell.args(["-c", &format!("exec {}", here(way, &server))]));
        if way.contains("wait=") {
            until_true("the poll to be held", || {
                source(&server, "syslog")["clients"] == 2
            });
        } else {
            program.until(writer.last().trim_end());
        }
        if !way.contains("-r -") {
            writer.write(1);
            program.until(writer.last().trim_end());
        }
    }
    assert!(count >= 5, "{count} lines for a shell");
}

/// Lines that hold the word are printed, or where they stand; the others are not.
fn matching(way: &str, folder: &Folder, server: &Server) {
    let error = "an Error, and the first one";
    let (inode, at) = (
        folder.inode(),
        std::fs::metadata(&folder.log).unwrap().len(),
    );
    folder.append(format!("{error}\nall is well\n"));
    let mut shell = Command::new("sh");
    let mut program = Program::start(shell.args(["-c", &format!("exec {}", here(way, server))]));
    let first = match way.contains("?find") {
        true => format!("{{\"at\":\"{inode:x}-{at:x}\",\"length\":{}}}", error.len()),
        false => error.to_owned(),
    };
    assert_eq!(program.until(&first), [first], "{way}");
    if way.contains("?follow") {
        folder.append("all is well\nanother error\n");
        assert_eq!(program.until("another error"), ["another error"], "{way}");
    }
}

/// In a browser's console, on the page.
#[test]
fn in_a_browser() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let mut count = 0;
    for way in ways().iter().filter(|way| is_javascript(way)) {
        count += 1;
        let (_folder, server, mut writer) = scene();
        writer.write(3);
        browser.go(&server.url("/"));
        browser.evaluate("logged = []; console.log = text => logged.push(text); 0");
        browser.evaluate(&format!("{}; 0", here(way, &server).trim_end()));
        for _ in 0..2 {
            let last = Value::from(writer.last().trim_end());
            let shown = format!("logged.some(text => text.trimEnd().endsWith({last}))");
            browser.until(way, &shown);
            writer.write(1);
        }
    }
    assert!(count >= 2, "{count} lines for a browser");
}
