//! Imports run one way, and the library shows what it means to show.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The architecture in one place: what each room may import, beside itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("bytes", &[]),
    ("bell", &[]),
    ("shutdown", &["bell"]),
    ("metrics", &[]),
    ("http", &["shutdown"]),
    ("auth", &["http"]),
    ("websocket", &["http"]),
    ("server", &["http", "metrics", "shutdown"]),
    ("source", &["bytes", "metrics", "bell"]),
    ("engine", &["source", "bytes", "metrics", "bell"]),
    (
        "deliver",
        &[
            "source",
            "websocket",
            "http",
            "bytes",
            "metrics",
            "shutdown",
            "bell",
        ],
    ),
    (
        "app",
        &[
            "deliver",
            "engine",
            "auth",
            "server",
            "source",
            "websocket",
            "http",
            "bytes",
            "metrics",
            "shutdown",
        ],
    ),
];

/// Rooms that know bytes and values alone: no runtime, no file, no socket.
const PURE: &[&str] = &[
    "bytes",
    "auth",
    "http/head.rs",
    "http/range.rs",
    "http/response.rs",
    "engine/hub/cache.rs",
    "engine/hub/message.rs",
    "engine/hub/pattern.rs",
    "engine/mqtt/board.rs",
    "engine/mqtt/cells.rs",
    "engine/mqtt/discovery.rs",
    "engine/mqtt/numbers.rs",
    "engine/mqtt/packet.rs",
    "engine/mqtt/position.rs",
    "engine/mqtt/template.rs",
    "engine/mqtt/units.rs",
    "engine/nats/protocol.rs",
    "engine/nats/say.rs",
    "engine/nats/subject.rs",
    "engine/target.rs",
    "source/file/chain/known.rs",
    "source/file/change.rs",
];

/// What a pure room must not name.
const IMPURE: &[&str] = &[
    "smol",
    "async_",
    "std::fs",
    "std::net",
    "rustix",
    "futures_lite",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The Rust files beneath `path`, or `path` itself.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found: Vec<PathBuf> = entries
        .flat_map(|entry| files(&entry.unwrap().path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    found.sort();
    found
}

/// The lines of code of a file, without its comments and its tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms that a piece of code names by `crate::`.
fn named(code: &str) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.split("crate::")
        .skip(1)
        .filter_map(|rest| rest.split(|c| !is_word(c)).next())
        .filter(|room| !room.is_empty())
        .collect()
}

#[test]
fn no_import_runs_back_up() {
    let mut seen = BTreeSet::new();
    for file in files(&source()) {
        let inside = file.strip_prefix(source()).unwrap().to_owned();
        let first = inside.iter().next().unwrap().to_string_lossy().into_owned();
        let room = first.trim_end_matches(".rs").to_owned();
        let code = code(&file);
        if matches!(room.as_str(), "lib" | "main" | "cli") {
            // The command sees the library by its own name only; the library never sees the
            // command.
            continue;
        }
        let allowed = ALLOWED.iter().find(|row| row.0 == room);
        let allowed = allowed
            .unwrap_or_else(|| panic!("`{room}` has no row in the table"))
            .1;
        for other in named(&code) {
            assert!(
                other == room || allowed.contains(&other),
                "{} imports `{other}`, which is not below `{room}`",
                inside.display()
            );
        }
        assert!(!code.contains("super::super"), "{}", inside.display());
        seen.insert(room);
    }
    assert!(seen.contains("app") && seen.contains("bytes"), "{seen:?}");
}

#[test]
fn the_table_itself_has_no_circle() {
    // Each row names rows above it alone: then the order of the table is an order of the rooms.
    for (at, (room, below)) in ALLOWED.iter().enumerate() {
        for other in *below {
            assert!(
                ALLOWED[..at].iter().any(|row| row.0 == *other),
                "`{room}` names `{other}`, which does not stand before it"
            );
        }
    }
}

#[test]
fn pure_rooms_import_no_runtime_no_file_and_no_socket() {
    for room in PURE {
        for file in files(&source().join(room)) {
            let code = code(&file);
            for other in IMPURE {
                assert!(!code.contains(other), "{} names `{other}`", file.display());
            }
        }
    }
}

#[test]
fn the_front_door_is_as_small_as_it_was_meant() {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let shown = lib.lines().filter_map(|line| line.strip_prefix("pub use "));
    let shown: Vec<&str> = shown.map(|line| line.trim_end_matches(';')).collect();
    assert_eq!(
        shown,
        [
            "app::{Config, run}",
            "http::connection::{Connection, Exchange}",
            "http::response::Response",
            "server::serve",
            "websocket::handshake::Accepted",
            "websocket::session::{CloseCode, Message, Session}",
        ]
    );
    // What else is public is there for the command, the fuzzers and the benches, and says so.
    let mut before = "";
    for line in lib.lines() {
        if line.starts_with("pub mod ") {
            assert_eq!(before, "#[doc(hidden)]", "{line}");
        }
        before = line;
    }
}
