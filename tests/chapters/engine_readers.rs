//! Readers that others wrote: NATS's own library over WebSocket, which takes the messages and knows
//! nothing of Tailcast but its headers. The same bytes arrive, however often the connections break.

use crate::broker::{faults, node_module};
use crate::browser::Browser;
use crate::chapters::engine::{SUBJECT, board};
use crate::deadline::{DEADLINE, until_true};
use crate::dice::Dice;
use crate::folder::Folder;
use crate::nats::Nats;
use crate::program::Program;
use crate::require::tool;
use crate::server::{Server, reserve};
use crate::weather::{Fault, Weather};
use crate::writer::{lines, sha256};
use std::env;
use std::fs;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// NATS's own library, as npm has it.
const LIBRARY: &str = "@nats-io/nats-core";

/// How many readers: `TAILCAST_VIEWERS=100` with `TAILCAST_FAULTS=1000` for once by hand.
fn readers() -> u64 {
    let readers = env::var("TAILCAST_VIEWERS").ok();
    readers.map_or(10, |readers| readers.parse().expect("a number"))
}

/// A board and its engine, which speaks WebSocket through bad weather.
struct Scene {
    nats: Nats,
    folder: Folder,
    weather: Weather,
    _board: Server,
    _port: OwnedFd,
}

const SEED: u64 = 31;

impl Scene {
    fn set(faults: u64) -> Option<Scene> {
        let (port, web) = reserve(Ipv4Addr::LOCALHOST);
        let config = format!(
            "{}\nwebsocket {{ listen: \"{web}\", no_tls: true }}\n",
            include_str!("../nats/hub.conf")
        );
        let nats = Nats::bare(&config)?;
        nats.create(serde_json::json!({}));
        let folder = Folder::new();
        let board = board(&folder, &nats.url());
        let weather = Weather::start(web, SEED, faults, |dice| {
            Fault::CutBack(5_000 + dice.below(60_000))
        });
        Some(Scene {
            nats,
            folder,
            weather,
            _board: board,
            _port: port,
        })
    }

    fn url(&self) -> String {
        format!("ws://{}", self.weather.addr)
    }

    /// Writes until the weather is over, and a last line; all that was written.
    fn write(&self) -> Vec<u8> {
        let mut dice = Dice(SEED);
        let mut written = 0;
        let end = Instant::now() + 20 * DEADLINE;
        while self.weather.left() > 0 {
            assert!(Instant::now() < end, "{} faults left", self.weather.left());
            let count = 1 + dice.below(50);
            self.folder.append(lines(written + 1..=written + count));
            written += count;
            thread::sleep(Duration::from_millis(dice.below(20)));
        }
        self.folder.append("the end\n");
        let want = fs::read(&self.folder.log).unwrap();
        until_true("all of it to arrive", || {
            self.nats.last_bytes(SUBJECT) == want.len() as u64
        });
        println!("{written} lines");
        want
    }
}

#[test]
fn in_node_over_websocket() {
    let (Some(node), Some(library)) = (tool("node"), node_module(LIBRARY)) else {
        return;
    };
    let Some(scene) = Scene::set(faults(40)) else {
        return;
    };
    let mut command = Command::new(node);
    command.args(["--no-warnings", "--experimental-websocket"]);
    command.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/nats/reader.cjs"
    ));
    command.arg(library).arg(scene.url());
    command.args([SUBJECT, &readers().to_string()]);
    let mut node = Program::start(&mut command);
    let want = scene.write();
    let mut cuts = 0;
    for reader in 0..readers() {
        let line = node.line();
        let (hash, again) = line.split_once(' ').unwrap();
        assert_eq!(hash, sha256(&want), "reader {reader}");
        cuts += again.parse::<u64>().unwrap();
    }
    println!("{} readers, connected anew {cuts} times", readers());
    assert!(cuts > 0);
}

#[test]
fn in_a_browser() {
    let (Some(mut browser), Some(library)) = (Browser::start(), node_module(LIBRARY)) else {
        return;
    };
    let Some(scene) = Scene::set(5) else { return };
    browser.evaluate(&script(&library));
    browser.evaluate(&format!(
        "let text = '', again; const decoder = new TextDecoder(); \
         read(load('core/mod').wsconnect, '{}', '{SUBJECT}', \
              (data) => (text += decoder.decode(data, {{ stream: true }}))) \
         .then((count) => (again = count)); 0",
        scene.url()
    ));
    let want = scene.write();
    browser.until("the last line", "again !== undefined");
    let text = browser.evaluate("text");
    assert_eq!(sha256(text.as_str().unwrap()), sha256(&want));
    assert!(browser.evaluate("again").as_u64().unwrap() > 0);
}

/// The library and the reader as one script: a browser knows no `require`.
fn script(library: &Path) -> String {
    let mut files = String::new();
    for (name, directory) in [
        ("core", "lib"),
        ("@nats-io/nkeys", "node_modules/@nats-io/nkeys/lib"),
        ("@nats-io/nuid", "node_modules/@nats-io/nuid/lib"),
        ("tweetnacl", "node_modules/tweetnacl"),
    ] {
        for entry in fs::read_dir(library.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let is_wanted = name != "tweetnacl" || stem == "nacl-fast";
            if is_wanted && path.extension().is_some_and(|extension| extension == "js") {
                let text = fs::read_to_string(&path).unwrap();
                files += &format!("'{name}/{stem}': (module, exports, require) => {{{text}\n}},\n");
            }
        }
    }
    let reader = include_str!("../nats/reader.cjs");
    format!(
        "const files = {{{files}}}, made = {{}};
        const main = {{ '@nats-io/nkeys': 'mod', '@nats-io/nuid': 'mod', tweetnacl: 'nacl-fast' }};
        const load = (name) => {{
            if (made[name]) return made[name].exports;
            const module = (made[name] = {{ exports: {{}} }});
            const directory = name.slice(0, name.lastIndexOf('/'));
            const beside = (asked) => directory + asked.slice(1).replace(/\\.js$/, '');
            const require = (asked) => load(asked[0] === '.' ? beside(asked) : `${{asked}}/${{main[asked]}}`);
            files[name](module, module.exports, require);
            return module.exports;
        }};
        {reader}
        0"
    )
}
