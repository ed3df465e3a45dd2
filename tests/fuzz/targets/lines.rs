//! Lines: the same whatever the pieces they come in, and the same as a simple splitter makes them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::bytes::lines::{LINE_MAX, LastLines, LineEnd, Splitter};

fuzz_target!(|input: &[u8]| {
    let Some((&first, bytes)) = input.split_first() else {
        return;
    };
    // A few inputs are blown up, so that lines reach the limit.
    let bytes = if first < 0xf0 {
        bytes.to_vec()
    } else {
        bytes.repeat(LINE_MAX * 2 / (bytes.len() + 1))
    };
    let piece = usize::from(first & 0x7f) + 1;
    let split = |piece: usize| {
        let mut lines: Vec<(String, u64)> = Vec::new();
        let mut splitter = Splitter::default();
        for part in bytes.chunks(piece) {
            splitter.push(part, |line, end| lines.push((line.to_owned(), end)));
        }
        splitter.finish(|line, end| lines.push((line.to_owned(), end)));
        assert_eq!(splitter.held(), None);
        lines
    };
    let whole = split(bytes.len().max(1));
    if bytes.len() < 20_000 {
        assert_eq!(split(piece), whole, "in pieces of {piece}");
    }
    assert!(
        whole
            .iter()
            .all(|(line, _)| line.len() <= LINE_MAX * 3 && !line.contains('\n'))
    );
    assert!(whole.windows(2).all(|pair| pair[0].1 <= pair[1].1));
    assert!(
        whole
            .last()
            .is_none_or(|(_, end)| *end == bytes.len() as u64)
    );

    let simple: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    if simple.iter().all(|line| line.len() <= LINE_MAX) {
        let plain = |line: &&[u8]| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
        };
        let got: Vec<String> = whole.into_iter().map(|(line, _)| line).collect();
        assert_eq!(got, simple.iter().map(plain).collect::<Vec<_>>());
    }

    // The last lines, read backwards in pieces.
    if bytes.len() >= 20_000 {
        return;
    }
    let count = u64::from(first % 7);
    let mut last = LastLines::new(count, LineEnd::Newline);
    let mut start = 0;
    let mut end = bytes.len();
    for part in bytes.rchunks(piece) {
        end -= part.len();
        if let Some(at) = last.feed(part) {
            start = end + at;
            break;
        }
    }
    let skipped = simple.len().saturating_sub(count as usize);
    let want: usize = simple[..skipped].iter().map(|line| line.len()).sum();
    assert_eq!(start, want, "the last {count} lines");
});
