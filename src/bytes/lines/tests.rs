//! Lines in pieces of any size.

use super::*;

/// What the splitter makes of `bytes` handed over in pieces of `piece` bytes.
fn split(bytes: &[u8], piece: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut splitter = Splitter::default();
    for part in bytes.chunks(piece) {
        splitter.push(part, |line, _| lines.push(line.to_owned()));
    }
    splitter.finish(|line, _| lines.push(line.to_owned()));
    lines
}

#[test]
fn lines_in_pieces_of_any_size() {
    let table: [(&[u8], &[&str]); 9] = [
        (b"", &[]),
        (b"\n", &[""]),
        (b"a\nb\n", &["a", "b"]),
        (b"a\r\nb\r\n\r\n", &["a", "b", ""]),
        (b"a\rb\r\n", &["a\rb"]),
        (b"no end", &["no end"]),
        (b"\xff\xfe\n", &["\u{fffd}\u{fffd}"]),
        ("grüße 🌡\n".as_bytes(), &["grüße 🌡"]),
        (b"\xf0\x9f\x8c", &["\u{fffd}"]),
    ];
    for (bytes, want) in table {
        for piece in 1..=bytes.len().max(1) {
            assert_eq!(split(bytes, piece), want, "{bytes:?} in pieces of {piece}");
        }
    }
}

#[test]
fn a_long_line_is_split_between_characters() {
    let text = "é".repeat(LINE_MAX);
    for piece in [1000, LINE_MAX - 1, LINE_MAX, 2 * LINE_MAX + 2] {
        let parts = split(format!("x{text}\nnext\n").as_bytes(), piece);
        assert_eq!(parts.len(), 4, "in pieces of {piece}");
        assert!(parts[..3].iter().all(|part| part.len() <= LINE_MAX));
        assert_eq!(parts[..3].concat(), format!("x{text}"));
        assert_eq!(parts[3], "next");
    }
    let exact = "y".repeat(LINE_MAX) + "\n";
    assert_eq!(
        split(exact.as_bytes(), 777).len(),
        1,
        "just the limit is not split"
    );
}

#[test]
fn a_flush_passes_on_whole_characters_and_the_newline_alone_makes_no_line() {
    let mut lines = Vec::new();
    let mut splitter = Splitter::default();
    splitter.push(
        "half \u{1f321}".as_bytes()[..7].as_ref(),
        |_, _| unreachable!(),
    );
    splitter.flush(|line, _| lines.push(line.to_owned()));
    splitter.flush(|_, _| unreachable!("a character cut in half waits"));
    splitter.push(&"\u{1f321}".as_bytes()[2..], |_, _| unreachable!());
    splitter.push(b"\r", |_, _| unreachable!());
    splitter.flush(|line, _| lines.push(line.to_owned()));
    splitter.push(b"\n", |_, _| unreachable!("the line has been passed on"));
    splitter.push(b"next\n\n", |line, _| lines.push(line.to_owned()));
    assert_eq!(lines, ["half ", "\u{1f321}", "next", ""]);
    assert_eq!(splitter.held(), None);
}

#[test]
fn every_line_says_how_far_it_reaches() {
    let bytes = b"one\r\n\xff\n\nlast";
    for piece in 1..=bytes.len() {
        let mut ends = Vec::new();
        let mut splitter = Splitter::default();
        for part in bytes.chunks(piece) {
            splitter.push(part, |_, end| ends.push(end));
        }
        splitter.flush(|_, end| ends.push(end));
        splitter.push(b"\nx\n", |_, end| ends.push(end));
        assert_eq!(ends, [5, 7, 8, 12, 15], "in pieces of {piece}");
    }
}

#[test]
fn a_stream_that_begins_within_a_line() {
    for (before, want) in [
        ("half", &["next"][..]),
        ("half\n", &["", "next"]),
        ("", &["", "next"]),
    ] {
        let mut lines = Vec::new();
        Splitter::behind(before.as_bytes(), LineEnd::Newline)
            .push(b"\nnext\n", |line, _| lines.push(line.to_owned()));
        assert_eq!(lines, want, "behind {before:?}");
    }
}

#[test]
fn a_carriage_return_ends_a_line_where_it_may() {
    let table: [(&str, &[&str]); 6] = [
        ("a\rb\r", &["a", "b"]),
        ("a\r\nb\r\n", &["a", "b"]),
        ("a\nb\n", &["a", "b"]),
        ("a\r\rb", &["a", "", "b"]),
        ("a\r\n\r\nb", &["a", "", "b"]),
        ("\r", &[""]),
    ];
    for (text, want) in table {
        for piece in 1..=text.len() {
            let mut lines = Vec::new();
            let mut splitter = Splitter::behind(b"", LineEnd::Return);
            for part in text.as_bytes().chunks(piece) {
                splitter.push(part, |line, _| lines.push(line.to_owned()));
            }
            splitter.finish(|line, _| lines.push(line.to_owned()));
            assert_eq!(lines, want, "{text:?} in pieces of {piece}");
            for count in 1..=want.len() {
                let mut last = LastLines::new(count as u64, LineEnd::Return);
                let mut end = text.len();
                let start = loop {
                    let start = end.saturating_sub(piece);
                    match last.feed(&text.as_bytes()[start..end]) {
                        Some(at) => break start + at,
                        None if start == 0 => break 0,
                        None => end = start,
                    }
                };
                let (before, rest) = text.split_at(start);
                let mut again = Vec::new();
                let mut splitter = Splitter::behind(before.as_bytes(), LineEnd::Return);
                splitter.push(rest.as_bytes(), |line, _| again.push(line.to_owned()));
                splitter.finish(|line, _| again.push(line.to_owned()));
                assert_eq!(
                    again,
                    want[want.len() - count..],
                    "last {count} of {text:?} in {piece}"
                );
            }
        }
    }
    let mut ends = Vec::new();
    let mut splitter = Splitter::behind(b"x\r", LineEnd::Return);
    splitter.push(b"\na\rb\r\n", |line, end| ends.push((line.to_owned(), end)));
    assert_eq!(ends, [("a".to_owned(), 3), ("b".to_owned(), 5)]);
}

#[test]
fn last_lines_as_tail_counts_them() {
    let table: [(&str, u64, &str); 9] = [
        ("", 3, ""),
        ("a\nb\nc\n", 0, ""),
        ("a\nb\nc\n", 1, "c\n"),
        ("a\nb\nc\n", 2, "b\nc\n"),
        ("a\nb\nc\n", 3, "a\nb\nc\n"),
        ("a\nb\nc\n", u64::MAX, "a\nb\nc\n"),
        ("a\nb\nhalf", 1, "half"),
        ("a\n\n\n", 2, "\n\n"),
        ("\n", 1, "\n"),
    ];
    for (text, count, want) in table {
        for piece in 1..=text.len().max(1) {
            let mut last = LastLines::new(count, LineEnd::Newline);
            let mut end = text.len();
            let start = loop {
                let start = end.saturating_sub(piece);
                match last.feed(&text.as_bytes()[start..end]) {
                    Some(at) => break start + at,
                    None if start == 0 => break 0,
                    None => end = start,
                }
            };
            assert_eq!(
                &text[start..],
                want,
                "last {count} of {text:?} in pieces of {piece}"
            );
        }
    }
}

/// What the splitter makes of a file in UTF-16 from `offset` on, each line with its place behind
/// it.
fn split_utf16(file: &[u8], offset: usize, piece: usize) -> Vec<(String, u64)> {
    let mut lines = Vec::new();
    let (before, rest) = file.split_at(offset);
    let coding = Utf16::of_mark(before);
    let splitter = Splitter::behind(before, LineEnd::Newline);
    let mut splitter = splitter.coded(coding, before, offset as u64);
    for part in rest.chunks(piece) {
        splitter.push(part, |line, end| lines.push((line.to_owned(), end)));
    }
    splitter.finish(|line, end| lines.push((line.to_owned(), end)));
    lines
}

#[test]
fn utf16_however_it_is_cut() {
    // A unit with the byte of a newline in it, a pair of surrogates, an empty line, one half of a
    // character.
    let text = "\u{feff}Größe \u{a0a}\u{10a} 🌡\r\n\n\u{fe0a}x\ny";
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let file: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        let lines = ["Größe \u{a0a}\u{10a} 🌡", "", "\u{fe0a}x", "y"];
        let ends = [28, 30, 36, 38];
        let want: Vec<(String, u64)> = lines.map(str::to_owned).into_iter().zip(ends).collect();
        for piece in 1..=file.len() {
            assert_eq!(split_utf16(&file, 0, piece), want, "in pieces of {piece}");
            let from_second = split_utf16(&file, 28, piece);
            let texts: Vec<&str> = from_second.iter().map(|(line, _)| &**line).collect();
            assert_eq!(texts, &lines[1..], "from the second line on");
            // A byte too early or too late costs no more than that.
            let odd = split_utf16(&file, 31, piece);
            assert_eq!(odd.last(), Some(&("y".to_owned(), 7)));
        }
    }
    let mut splitter = Splitter::default().coded(None, b"", 0);
    let mut lines = Vec::new();
    for piece in [&b"\xff"[..], b"\xfe", b"a\0\r\0", b"\n\0b", b"\0=\xd8"] {
        splitter.push(piece, |line, _| lines.push(line.to_owned()));
        splitter.flush(|line, _| lines.push(line.to_owned()));
    }
    splitter.push(b"\0\xde\n\0", |line, _| lines.push(line.to_owned()));
    assert_eq!(lines, ["a", "b", "\u{1f600}"], "what is cut in half waits");
    // Another file, which is none.
    splitter.begin(0);
    splitter.push(b"plain\n", |line, _| lines.push(line.to_owned()));
    assert_eq!(lines.last().unwrap(), "plain");
    splitter.begin(0);
    splitter.push(b"\xffx\n", |line, _| lines.push(line.to_owned()));
    assert_eq!(lines.last().unwrap(), "\u{fffd}x");
}

#[test]
fn long_lines_of_utf16() {
    let text = format!("\u{feff}{}\n\n", "🌡".repeat(LINE_MAX));
    let file: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let lines = split_utf16(&file, 0, 5000);
    assert!(lines.iter().all(|(line, _)| line.len() <= LINE_MAX));
    let all: String = lines.iter().map(|(line, _)| &**line).collect();
    assert_eq!(all, "🌡".repeat(LINE_MAX));
    assert_eq!(lines.last(), Some(&(String::new(), file.len() as u64)));
}
