//! The page's modules that need no browser: what a line means, tried by node over tables of lines.

use crate::program::Program;
use crate::require::tool;
use std::path::Path;
use std::process::Command;

#[test]
fn tables_of_lines() {
    let Some(node) = tool("node") else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".test.mjs"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut tests = Program::start(Command::new(node).arg("--test").args(files));
    let mut said = Vec::new();
    while let Some(line) = tests.next() {
        said.push(line);
    }
    assert!(tests.end().success(), "{}", said.join("\n"));
}
