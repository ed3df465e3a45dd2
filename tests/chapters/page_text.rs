//! The page's modules that need no browser: what a line means, tried by node over tables of lines.

use crate::program::Program;
use crate::require::{require, tool};
use std::path::Path;
use std::process::Command;

#[test]
pub fn tables_of_lines() {
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

/// Random escape sequences look as in xterm.js, npm's `@xterm/headless`.
#[test]
pub fn colours_are_those_of_xterm() {
    let Some(node) = tool("node") else {
        return;
    };
    let modules = Command::new("npm").args(["root", "--global"]).output();
    let modules = modules.map(|output| String::from_utf8(output.stdout).unwrap());
    let modules = modules.unwrap_or_default();
    let package = Path::new(modules.trim_end()).join("@xterm/headless");
    if !require("xterm", package.is_dir()) {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/xterm.mjs");
    let mut program = Program::start(
        Command::new(node)
            .env("NODE_PATH", modules.trim_end())
            .arg(script),
    );
    assert_eq!(program.line(), "2000 lines look as in xterm.js");
    assert!(program.end().success());
}
