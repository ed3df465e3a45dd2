//! The cases of the Autobahn test suite, whose fuzzing client others wrote, against the cargo
//! example `echo`.

use crate::require::tool;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The running example; killed when dropped.
pub struct Echo {
    child: Child,
    pub addr: String,
}

impl Echo {
    pub fn start() -> Echo {
        let mut child = Command::new(program())
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("echo");
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let addr = line.trim_end().strip_prefix("echo on ws://");
        let addr = addr.and_then(|addr| addr.strip_suffix('/'));
        Echo {
            addr: addr.unwrap_or_else(|| panic!("{line:?}")).to_owned(),
            child,
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Cargo builds examples for `cargo test`, beside the directory that this test stands in.
fn program() -> PathBuf {
    let tests = std::env::current_exe().expect("ourselves");
    let echo = tests.with_file_name("../examples/echo");
    assert!(
        echo.is_file(),
        "no {}: `cargo test` builds it, `cargo test --test NAME` needs `cargo build --examples` before",
        echo.display()
    );
    echo
}

#[test]
fn every_case() {
    let Some(kosoku) = tool("kosoku") else {
        return;
    };
    let echo = Echo::start();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let status = Command::new(kosoku)
        .args(["--mode", "fuzzingclient", "--parallelism", "2", "--outdir"])
        .arg(directory.path())
        .arg(&echo.addr)
        .stdout(File::create(&log).unwrap())
        .stderr(File::options().append(true).open(&log).unwrap())
        .status()
        .expect("kosoku");
    // It also counts what is not offered as failed, and says so by its status.
    println!("kosoku: {status}, {}", fs::read_to_string(&log).unwrap());
    let index = fs::read(directory.path().join("index.json")).expect("a report");
    let index: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_slice(&index).unwrap();
    assert_eq!(index.len(), 1, "one server was tested");
    let cases = index.into_values().next().unwrap();
    let mut groups: BTreeMap<u32, usize> = BTreeMap::new();
    for (case, report) in &cases {
        let group = case.split('.').next().unwrap().parse().unwrap();
        *groups.entry(group).or_default() += 1;
        // 12 and 13 are compression (RFC 7692), which is not offered.
        let good: &[&str] = match group {
            12 | 13 => &["UNIMPLEMENTED"],
            _ => &["OK", "NON-STRICT", "INFORMATIONAL"],
        };
        for judged in ["behavior", "behaviorClose"] {
            let word = report[judged].as_str().unwrap();
            let fine = good.contains(&word) || (judged == "behaviorClose" && word == "OK");
            assert!(fine, "case {case}: {judged} is {word}: {report}");
        }
    }
    // All of the suite as its authors count it: a run that was cut short is none.
    let counts: Vec<(u32, usize)> = groups.into_iter().collect();
    let expected = [
        (1, 16),
        (2, 11),
        (3, 7),
        (4, 10),
        (5, 20),
        (6, 145),
        (7, 37),
        (9, 54),
        (10, 1),
        (12, 90),
        (13, 126),
    ];
    assert_eq!(counts, expected);
}
