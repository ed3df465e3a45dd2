//! NULs that nobody wrote: holes, and space that was made beforehand. Passed over and told, never
//! sent as text.

use crate::client::{Client, Heard, Plain};
use crate::dice::Dice;
use crate::endless::Endless;
use crate::folder::Folder;
use crate::http::get;
use crate::server::Server;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;

/// The file as an exact client puts it together: bytes that came, and NULs where some were passed
/// over.
fn put_together(client: &mut Client, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        match client.next() {
            Heard::Bytes(more) => bytes.extend(more),
            Heard::Event(event) if event["event"] == "skipped" => {
                let nuls = event["bytes"].as_u64().unwrap();
                assert!(nuls >= 4096, "{event}");
                bytes.resize(bytes.len() + nuls as usize, 0);
            }
            heard => panic!("{heard:?}"),
        }
    }
    bytes
}

#[test]
fn a_hole_that_copytruncate_left() {
    for folder in Folder::each() {
        const HOLE: u64 = 8 << 20;
        let mut writer = File::create(&folder.log).unwrap();
        writer.write_all(&vec![b'x'; HOLE as usize - 1]).unwrap();
        writer.write_all(b"\n").unwrap();
        let server = Server::start(&[folder.arg()]);
        let mut exact = Client::connect(&server, "/stream/app.log?from=end");
        let mut text = Plain::connect(&server, "/stream/app.log?from=end");
        let mut follow = Endless::ask(&server, "/stream/app.log?follow&from=end", "");
        folder.truncate();
        exact.event("truncated");
        writer.write_all(b"after\n").unwrap();
        let skipped = exact.event("skipped");
        assert_eq!(skipped["bytes"], HOLE);
        assert_eq!(exact.bytes_until("\n"), b"after\n");
        assert_eq!(text.line(), "after");
        assert_eq!(follow.until("\n"), b"after\n");

        // Those who come later.
        assert_eq!(Plain::connect(&server, "/stream/app.log").line(), "after");
        let mut whole = Client::connect(&server, "/stream/app.log?from=start");
        assert_eq!(whole.event("skipped")["bytes"], HOLE);
        assert_eq!(whole.bytes_until("\n"), b"after\n");
        let poll = get(&server, "/stream/app.log?from=start");
        assert_eq!((poll.status, poll.text().as_str()), (200, "after\n"));
        // The file as it is has them all.
        let plain = get(&server, "/stream/app.log");
        assert_eq!(plain.body.len() as u64, HOLE + 6);
        assert!(plain.body[..HOLE as usize].iter().all(|&byte| byte == 0));
    }
}

#[test]
fn runs_of_any_length_at_any_place() {
    for folder in Folder::each() {
        let mut dice = Dice(0x0000_0a11);
        let mut content = Vec::new();
        for _ in 0..300 {
            let text = 1 + dice.below(30_000) as usize;
            content.extend((0..text).map(|at| b'a' + (at % 26) as u8));
            let nuls = match dice.below(4) {
                0 => dice.below(20),
                1 => 4090 + dice.below(12),
                2 => dice.below(9000),
                _ => dice.below(200_000),
            };
            content.resize(content.len() + nuls as usize, 0);
        }
        content.push(b'\n');
        fs::write(&folder.log, &content).unwrap();
        let server = Server::start(&[folder.arg()]);
        let mut client = Client::connect(&server, "/stream/app.log?from=start");
        let got = put_together(&mut client, content.len());
        assert!(got == content, "not the file: {} bytes", got.len());
        // Runs of 4 KiB and more, and no others, were passed over.
        let runs = content.split(|&byte| byte != 0).map(<[u8]>::len);
        let long: Vec<u64> = runs
            .filter(|&run| run >= 4096)
            .map(|run| run as u64)
            .collect();
        let told = client
            .events
            .iter()
            .map(|(_, event)| event["bytes"].as_u64().unwrap());
        assert_eq!(told.collect::<Vec<_>>(), long);
        assert!(get(&server, "/stream/app.log").body == content);
        // Polls go from one run to the next.
        let (mut cursor, mut polled) = ("start".to_owned(), Vec::new());
        loop {
            let poll = get(&server, &format!("/stream/app.log?from={cursor}"));
            if poll.status == 204 {
                break;
            }
            cursor = poll.header("Tailcast-Cursor").unwrap().to_owned();
            polled.extend(poll.body);
        }
        let mut want = Vec::new();
        let mut rest = &content[..];
        while !rest.is_empty() {
            let nuls = rest.iter().take_while(|&&byte| byte == 0).count();
            let text = rest[nuls..].iter().take_while(|&&byte| byte != 0).count();
            if nuls < 4096 {
                want.resize(want.len() + nuls, 0);
            }
            want.extend_from_slice(&rest[nuls..nuls + text]);
            rest = &rest[nuls + text..];
        }
        assert!(polled == want, "{} bytes, not {}", polled.len(), want.len());
    }
}

/// As loggers of FAT cards do: the file has its size from the start, and lines are written into it.
#[test]
fn a_file_made_large_beforehand() {
    for folder in Folder::each() {
        let size = 1 << 20;
        fs::write(&folder.log, vec![0; size]).unwrap();
        let file = OpenOptions::new().write(true).open(&folder.log).unwrap();
        let mut at = 0;
        let mut write = |text: &str| {
            file.write_all_at(text.as_bytes(), at).unwrap();
            at += text.len() as u64;
        };
        let server = Server::start(&["--heartbeat=10m", folder.arg()]);
        let mut exact = Client::connect(&server, "/stream/app.log");
        let mut text = Plain::connect(&server, "/stream/app.log");
        for line in 0..5 {
            write(&format!("line {line}\n"));
            assert_eq!(exact.bytes_until("\n"), format!("line {line}\n").as_bytes());
            assert_eq!(text.line(), format!("line {line}"));
        }
        let mut late = Plain::connect(&server, "/stream/app.log?from=-2");
        assert_eq!(late.lines(2), ["line 3", "line 4"]);
        let mut end = Client::connect(&server, "/stream/app.log?from=end");
        let poll = get(&server, "/stream/app.log?from=-1");
        assert_eq!(poll.text(), "line 4\n");
        let cursor = poll.header("Tailcast-Cursor").unwrap().to_owned();
        let next = || get(&server, &format!("/stream/app.log?from={cursor}"));
        assert_eq!(next().status, 204);
        write("line 5\n");
        assert_eq!(next().text(), "line 5\n");
        assert_eq!(end.bytes_until("\n"), b"line 5\n");
        assert_eq!(get(&server, "/stream/app.log").body.len(), size);

        // More space is made, then what is left is cut off, as at the end of such a program.
        file.set_len(2 << 20).unwrap();
        write("line 6\n");
        file.set_len(at).unwrap();
        folder.append("line 7\n");
        assert_eq!(end.bytes_until("line 7\n"), b"line 6\nline 7\n");
        assert!(end.events.is_empty(), "{:?}", end.events);
        assert_eq!(exact.bytes_until("line 7\n"), b"line 5\nline 6\nline 7\n");
        assert!(exact.events.is_empty(), "{:?}", exact.events);
    }
}
