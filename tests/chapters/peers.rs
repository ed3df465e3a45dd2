//! Clients that others wrote: `wscat`, `websocat`, npm `eventsource`, the browser's own
//! `EventSource` and `fetch`.

use crate::browser::Browser;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::source;
use crate::program::Program;
use crate::require::{require, tool};
use crate::server::Server;
use crate::writer::{Writer, line, lines};
use serde_json::Value;
use std::process::Command;

fn scene() -> (Folder, Server, Writer) {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    let server = Server::start(&[folder.arg()]);
    writer.write(20);
    (folder, server, writer)
}

/// What the writer wrote as these lines, as a program shows them.
fn shown(numbers: std::ops::RangeInclusive<u64>) -> Vec<String> {
    numbers
        .map(|number| line(number).trim_end().to_owned())
        .collect()
}

/// Ten lines of history, and each one that comes.
fn sees_lines(program: &mut Command) {
    let (_folder, server, mut writer) = scene();
    let url = format!("ws://{}/stream/app.log", server.addr());
    let mut program = Program::start(program.arg(url));
    let last = writer.last();
    assert_eq!(program.until(last.trim_end()), shown(11..=20));
    writer.write(1_000);
    let last = writer.last();
    assert_eq!(program.until(last.trim_end()), shown(21..=1_020));
    drop(program);
    until_true("it to be gone", || {
        source(&server, "app.log")["clients"] == 0
    });
}

#[test]
fn wscat() {
    if let Some(wscat) = tool("wscat") {
        sees_lines(Command::new(wscat).arg("--connect"));
    }
}

#[test]
fn websocat() {
    if let Some(websocat) = tool("websocat") {
        sees_lines(&mut Command::new(websocat));
    }
}

/// npm's `EventSource` for Node.js prints what comes.
const EVENT_SOURCE: &str = r"
const { EventSource } = require('eventsource')
const source = new EventSource(process.argv[1])
source.onmessage = (event) => console.log(event.data)
source.addEventListener('rotated', () => console.log('rotated'))
";

/// It goes on by itself, over restarts and rotations: everything once.
#[test]
fn npm_eventsource() {
    let Some(node) = tool("node") else {
        return;
    };
    let modules = Command::new("npm").args(["root", "--global"]).output();
    let modules = modules.map(|output| String::from_utf8(output.stdout).unwrap());
    let modules = modules.unwrap_or_default();
    let package = std::path::Path::new(modules.trim_end()).join("eventsource");
    if !require("eventsource", package.is_dir()) {
        return;
    }
    let (folder, mut server, mut writer) = scene();
    let mut program = Program::start(
        Command::new(node)
            .env("NODE_PATH", modules.trim_end())
            .args(["--eval", EVENT_SOURCE])
            .arg(server.url("/stream/app.log?from=start")),
    );
    let mut said = program.until(writer.last().trim_end());
    for crash in [false, true] {
        // Written while there is no server.
        let pid = server.pid();
        if crash {
            server.crash();
        } else {
            server.stop();
            writer.write(10);
            folder.rotate();
            writer.reopen();
            writer.write(10);
            server.start_again();
        }
        assert_ne!(server.pid(), pid);
        writer.write(10);
        said.extend(program.until(writer.last().trim_end()));
    }
    let mut expected = shown(1..=writer.written);
    expected.insert(30, "rotated".to_owned());
    assert_eq!(said, expected);
}

/// A tab on one of the server's own pages, so that the stream is of the same origin.
fn tab(server: &Server) -> Option<Browser> {
    let mut browser = Browser::start()?;
    browser.go(&server.url("/health"));
    Some(browser)
}

#[test]
fn the_browsers_own_event_source() {
    let (folder, mut server, mut writer) = scene();
    let Some(mut browser) = tab(&server) else {
        return;
    };
    browser.evaluate(
        "got = []; source = new EventSource('stream/app.log?from=start');
         source.onmessage = event => got.push(event.data);
         source.addEventListener('rotated', event => got.push(JSON.parse(event.data).event)); 0",
    );
    let mut until_last = |writer: &Writer| {
        let last = Value::from(writer.last().trim_end());
        browser.until("the last line", &format!("got.at(-1) === {last}"));
    };
    until_last(&writer);
    server.stop();
    writer.write(10);
    folder.rotate();
    writer.reopen();
    writer.write(10);
    server.start_again();
    until_last(&writer);
    server.crash();
    writer.write(10);
    until_last(&writer);
    let mut expected = shown(1..=50);
    expected.insert(30, "rotated".to_owned());
    assert_eq!(browser.evaluate("got"), Value::from(expected));
}

/// The article's Ajax poller: ask for what came after, put it there, ask again.
const POLLER: &str = "got = ''; polls = 0; void (async () => {
    for (let at = 'start'; ; polls++) {
        const answer = await fetch(`stream/app.log?from=${at}&wait=1`);
        at = answer.headers.get('Tailcast-Cursor');
        got += await answer.text();
    }
})()";

#[test]
fn the_browsers_fetch_as_a_poller() {
    let (folder, server, mut writer) = scene();
    let Some(mut browser) = tab(&server) else {
        return;
    };
    browser.evaluate(POLLER);
    for _ in 0..20 {
        writer.write(5);
        let last = Value::from(writer.last());
        browser.until("the last line", &format!("got.endsWith({last})"));
    }
    folder.rotate();
    writer.reopen();
    writer.write(5);
    let last = Value::from(writer.last());
    browser.until("the last line", &format!("got.endsWith({last})"));
    // Until a poll has come back with nothing, too.
    browser.until("polls in vain", "polls > 22");
    let all = String::from_utf8(lines(1..=writer.written)).unwrap();
    assert_eq!(browser.evaluate("got"), Value::from(all));
    let answers = browser.told("Network.responseReceived");
    let mut connections: Vec<&Value> = answers
        .iter()
        .map(|told| &told["response"])
        .filter(|answer| answer["url"].as_str().unwrap().contains("/stream/"))
        .map(|answer| &answer["connectionId"])
        .collect();
    assert!(connections.len() > 20, "{} answers", connections.len());
    connections.dedup();
    // Of a connection that takes long to come, on a machine at work, Chromium opens a second one.
    assert!(connections.len() <= 2, "connections: {connections:?}");
    assert_eq!(browser.told("Runtime.exceptionThrown"), [Value::Null; 0]);
}
