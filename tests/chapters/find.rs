//! `?find`: where the lines stand that hold something, newest first; compared with GNU `grep`.

use crate::deadline::{DEADLINE, until_true};
use crate::dice::Dice;
use crate::endless::Endless;
use crate::folder::Folder;
use crate::http::{Connection, get};
use crate::require::tool;
use crate::server::Server;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

fn scene(content: impl AsRef<[u8]>) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append(content);
    let server = Server::start(&[folder.arg()]);
    (folder, server)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The lines of an answer: JSON, each.
fn told(answer: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(answer).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

pub fn find(server: &Server, query: &str) -> Vec<Value> {
    let mut answer = Endless::ask(server, &format!("/stream/app.log?find&{query}"), "");
    let media = answer.head.header("Content-Type");
    assert_eq!(media, Some("application/x-ndjson"));
    assert_eq!(answer.head.header("Incremental"), Some("?1"));
    told(&answer.rest())
}

/// Inode, offset, length of each hit.
fn hits(told: &[Value]) -> Vec<(u64, u64, u64)> {
    let hit = |value: &Value| {
        let (inode, offset) = value.get("at")?.as_str()?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).expect("hexadecimal");
        Some((number(inode), number(offset), value["length"].as_u64()?))
    };
    told.iter().filter_map(hit).collect()
}

#[test]
fn newest_first_over_the_family() {
    let (folder, server) = scene("one error\nfine\r\ntwo errors\r\n");
    let old = folder.inode();
    folder.rotate();
    folder.append("fine\nERROR three\nhalf an error");
    let new = folder.inode();
    let all = [(new, 17, 13), (new, 5, 11), (old, 16, 10), (old, 0, 9)];
    let told = find(&server, "match=error");
    assert_eq!(hits(&told), all);
    assert_eq!(told.last().unwrap()["end"], "start");
    assert_eq!(
        hits(&find(&server, "match=error&not=three")),
        [all[0], all[2], all[3]]
    );
    assert_eq!(hits(&find(&server, "match=/^ERR/")), [all[1]]);
    assert_eq!(hits(&find(&server, "match=absent")), []);
    // By pages: the last hit, or what was scanned, is where the next one begins.
    let mut before = String::new();
    for (at, want) in all.iter().enumerate() {
        let told = find(&server, &format!("match=error&limit=1{before}"));
        assert_eq!(hits(&told), [*want], "page {at}");
        assert_eq!(told.last().unwrap()["end"], "limit");
        let hit = told.iter().find_map(|value| value["at"].as_str());
        before = format!("&before={}", hit.unwrap());
    }
    let told = find(&server, &format!("match=error{before}"));
    assert_eq!(
        (hits(&told), &told.last().unwrap()["end"]),
        (vec![], &Value::from("start"))
    );
    // With a cursor's check, too, and never in a file of another kind.
    let answer = get(&server, "/stream/app.log?find&match=error&before=1-5");
    assert_eq!(
        (answer.status, answer.header("Tailcast-Lost")),
        (404, Some("unknown"))
    );
    let empty = Folder::new();
    let server = Server::start(&[empty.arg()]);
    let told = find(&server, "match=x");
    assert_eq!(told, [serde_json::json!({"end": "start"})]);
}

/// What a search looks at has an end, and the next one goes on there.
#[test]
fn a_budget_is_kept() {
    let mut content = "needle\n".to_owned();
    content += &"0123456789 abcdef\n".repeat(1 << 20);
    let (folder, server) = scene(&content);
    let mut query = "match=needle&budget=4000000".to_owned();
    for round in 0.. {
        let told = find(&server, &query);
        if told.last().unwrap()["end"] == "start" {
            assert_eq!(hits(&told), [(folder.inode(), 0, 6)]);
            assert_eq!(round, 4, "18 MB are five times 4 MB");
            break;
        }
        assert_eq!(told.last().unwrap()["end"], "budget");
        assert_eq!(hits(&told), []);
        let scanned = told
            .iter()
            .rev()
            .find_map(|value| value["scanned"].as_str());
        query = format!("match=needle&budget=4000000&before={}", scanned.unwrap());
    }
    assert_eq!(
        hits(&find(&server, "match=needle")).len(),
        1,
        "64 MiB without a word"
    );
}

/// Two at once; the next one waits its turn and is told so. Who leaves gives his back.
#[test]
fn two_at_once() {
    let folder = Folder::new();
    // A hole is read fast and takes nothing; of a pattern it takes a while.
    File::create(&folder.log).unwrap().set_len(4 << 30).unwrap();
    let server = Server::start(&[folder.arg()]);
    let slow = "/stream/app.log?find&match=/(x|y).*z/&budget=4294967296";
    let ask = || Endless::ask(&server, slow, "");
    let (mut first, mut second) = (ask(), ask());
    for searching in [&mut first, &mut second] {
        let line = searching.line();
        assert!(line.contains("scanned"), "{line}");
    }
    let mut third = ask();
    assert_eq!(third.line(), r#"{"waiting":true}"#);
    // Others are served meanwhile.
    let start = Instant::now();
    assert_eq!(get(&server, "/health").text(), "ok\n");
    assert!(start.elapsed() < DEADLINE / 3);
    drop(first);
    let line = third.line();
    assert!(line.contains("scanned"), "{line}");
    // One who waits may leave, too.
    let fourth = ask();
    drop((second, third, fourth));
    until_true("a turn to be free", || {
        let mut fifth = ask();
        fifth.line().contains("scanned")
    });
    // The end of the server is the end of a search.
    let mut server = server;
    assert!(server.stop().status.success());
}

#[test]
fn head_and_http_1_0() {
    let (_folder, server) = scene("an error\n");
    let mut connection = Connection::open(&server);
    let head = connection.request("HEAD", "/stream/app.log?find&match=error", "");
    assert_eq!(head.status, 200);
    assert_eq!(connection.get("/health").status, 200);
    let mut connection = Connection::open(&server);
    connection.send("GET /stream/app.log?find&match=error HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let answer = connection.answer();
    assert_eq!(answer.header("Transfer-Encoding"), None);
    assert_eq!(told(&answer.body).len(), 3, "{}", answer.text());
}

/// Bytes that look like a log: words in any case, CRLF, bytes that are no UTF-8, empty lines, a
/// megabyte without a newline, a last line without one.
fn log(dice: &mut Dice) -> Vec<u8> {
    let words: [&[u8]; 12] = [
        b"error",
        b"Error",
        b"ERROR",
        b"warn",
        b"\xff",
        b"a\xffb",
        b"eth0:",
        b"[42]",
        b"404",
        b"aab",
        b"x",
        b"/dev/tty",
    ];
    let mut bytes = Vec::new();
    let lines = 200 + dice.below(1000);
    let long = dice.below(lines);
    for line in 0..lines {
        let length = dice.below(12);
        for _ in 0..length {
            bytes.extend_from_slice(words[dice.below(12) as usize]);
            bytes.extend_from_slice(if dice.below(4) == 0 { b"" } else { b" " });
        }
        if line == long {
            // With its newline, if it has one, a megabyte and no more.
            bytes.extend(std::iter::repeat_n(b'.', (1 << 20) - 200));
            bytes.extend_from_slice(words[dice.below(12) as usize]);
        }
        bytes.extend_from_slice(if dice.below(3) == 0 { b"\r\n" } else { b"\n" });
    }
    bytes.extend_from_slice([&b""[..], b"half an error", b"half"][dice.below(3) as usize]);
    bytes
}

/// The offsets of the lines that `grep` finds, and the lines, each with a newline.
fn grep(file: &Path, options: &[&str], pattern: &str) -> (Vec<u64>, Vec<u8>) {
    let run = |more: &[&str]| {
        let mut command = Command::new("grep");
        command
            .env("LC_ALL", "C")
            .arg("-a")
            .args(options)
            .args(more);
        let output = command
            .args(["-e", pattern])
            .arg(file)
            .output()
            .expect("grep");
        assert!(output.stderr.is_empty(), "{output:?}");
        output.stdout
    };
    let offsets = run(&["-b"]);
    let offsets = offsets
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    let offset = |line: &[u8]| {
        let digits = line.split(|&byte| byte == b':').next().unwrap();
        std::str::from_utf8(digits).unwrap().parse().unwrap()
    };
    (offsets.map(offset).collect(), run(&[]))
}

#[test]
fn the_same_lines_as_grep() {
    if tool("grep").is_none() {
        return;
    }
    let mut dice = Dice(20_261_126);
    for round in 0..2 {
        let content = log(&mut dice);
        let (folder, server) = scene(&content);
        for (pattern, options) in [
            ("error", &["-F", "-i"][..]),
            ("Error", &["-F"]),
            ("404", &["-F"]),
            ("r e", &["-F", "-i"]),
            ("] ", &["-F"]),
            ("tty", &["-F", "-i"]),
            ("/error/", &["-E"]),
            ("/^err(or|no)/", &["-E"]),
            ("/[Ee]rror.*[0-9]{2,3}/", &["-E"]),
            ("/a+b|x x/", &["-E"]),
            ("/a.b/", &["-E"]),
            (r"/\[4[0-9]\]$/", &["-E"]),
            ("/(?i)ERROR WARN/", &["-E", "-i"]),
            ("/(warn ?){3}/", &["-E"]),
        ] {
            // The end of a line is before its CR with us.
            let bare = pattern
                .strip_prefix('/')
                .and_then(|it| it.strip_suffix('/'));
            let bare = bare.unwrap_or(pattern);
            let bare = bare
                .strip_prefix("(?i)")
                .unwrap_or(bare)
                .replace('$', "\r?$");
            for (name, invert) in [("match", &[][..]), ("not", &["-v"])] {
                let options = [options, invert].concat();
                let (offsets, lines) = grep(&folder.log, &options, &bare);
                let query = format!("{name}={}", encoded(pattern));
                let told = find(&server, &format!("{query}&limit=1000000"));
                let found: Vec<u64> = hits(&told).iter().rev().map(|hit| hit.1).collect();
                assert_eq!(found, offsets, "{query} in round {round}");
                for (_, offset, length) in hits(&told) {
                    let (start, end) = (offset as usize, (offset + length) as usize);
                    let rest = &content[end..];
                    let ends =
                        rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
                    assert!(
                        ends && !content[start..end].contains(&b'\n'),
                        "{offset} {length}"
                    );
                }
                // A poll leaves half a line to the next one.
                let half =
                    content.len() - content.rsplit(|&byte| byte == b'\n').next().unwrap().len();
                let whole = match offsets.last() {
                    Some(&last) if last as usize == half => {
                        &lines[..lines.len() - (content.len() - half) - 1]
                    }
                    _ => &lines[..],
                };
                let target = format!("/stream/app.log?from=start&{query}");
                let mut connection = Connection::open(&server);
                let host = server.addr();
                connection.send(format!("GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n"));
                let answer = connection.answer();
                assert!(
                    answer.body == whole,
                    "{query} in round {round}: {} of {} bytes",
                    answer.body.len(),
                    whole.len()
                );
            }
        }
    }
}
