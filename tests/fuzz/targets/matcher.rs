//! Patterns and lines: no pattern is taken that is slow or breaks anything, and the same lines are
//! wanted forwards, backwards and one by one, whatever the pieces they come in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::bytes::backward::Backward;
use tailcast::bytes::lines::LineEnd;
use tailcast::bytes::matcher::{Matcher, Sense};
use tailcast::bytes::sieve::{Piece, Sieve};

fuzz_target!(|input: &[u8]| {
    // Terms, each with a newline behind it, an empty one, then the lines.
    let Some((&first, input)) = input.split_first() else {
        return;
    };
    let mut rest = input;
    let mut terms = Vec::new();
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let text = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        if text.is_empty() {
            break;
        }
        terms.push(match text.strip_prefix('!') {
            Some(text) => (Sense::Unwanted, text.to_owned()),
            None => (Sense::Wanted, text),
        });
    }
    let matcher = match Matcher::new(&terms) {
        Ok(matcher) => matcher,
        Err(why) => {
            let why = why.to_string();
            assert!(why.contains('`') && !why.contains('\n'), "{why}");
            return;
        }
    };
    let piece = usize::from(first & 0x7f) + 1;

    let mut want = Vec::new();
    let mut at = 0;
    for line in rest.split_inclusive(|&byte| byte == b'\n') {
        if matcher.is_match(line.strip_suffix(b"\n").unwrap_or(line)) {
            want.push((at, line));
        }
        at += line.len();
    }

    let mut found = Vec::new();
    matcher.lines(rest, LineEnd::Newline, |line| found.push(line.start));
    assert_eq!(found, want.iter().map(|(at, _)| *at).collect::<Vec<_>>());

    let mut sieve = Sieve::new(LineEnd::Newline);
    let (mut wanted, mut unwanted) = (Vec::new(), 0);
    let mut out = |piece: Piece<'_>| match piece {
        Piece::Wanted(bytes) => wanted.extend_from_slice(bytes),
        Piece::Unwanted(bytes) => unwanted += bytes.len(),
    };
    for part in rest.chunks(piece) {
        sieve.push(part, |block, hit| matcher.lines(block, LineEnd::Newline, hit), &mut out);
    }
    sieve.finish(&matcher, &mut out);
    let lines: Vec<u8> = want.iter().flat_map(|(_, line)| *line).copied().collect();
    assert_eq!((wanted.len() + unwanted, wanted), (rest.len(), lines));

    let mut backward = Backward::new(rest.len() as u64, LineEnd::Newline);
    let mut hits = Vec::new();
    for part in rest.rchunks(piece) {
        let first = backward.at() == part.len() as u64;
        backward.feed(part, first, &matcher, |hit| hits.push(hit.at as usize));
    }
    hits.reverse();
    assert_eq!(hits, want.iter().map(|(at, _)| *at).collect::<Vec<_>>());
});
