//! The ring against the whole stream: what it holds is right, what it does not hold it does not
//! claim.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::bytes::lines::{LineEnd, Splitter};
use tailcast::bytes::ring::Ring;

fuzz_target!(|input: &[u8]| {
    let Some((&capacity, mut input)) = input.split_first() else {
        return;
    };
    let capacity = usize::from(capacity) + 1;
    let mut ring = Ring::new(capacity);
    let mut all: Vec<u8> = Vec::new();
    while let Some((&first, rest)) = input.split_first() {
        let (piece, rest) = rest.split_at(usize::from(first).min(rest.len()));
        ring.push(piece);
        all.extend_from_slice(piece);
        input = rest;

        let end = all.len() as u64;
        let oldest = all.len().saturating_sub(capacity);
        assert_eq!((ring.end(), ring.oldest()), (end, oldest as u64));
        let mut into = vec![0; usize::from(first)];
        for offset in [
            0,
            oldest as u64,
            oldest as u64 + 1,
            end.saturating_sub(u64::from(first)),
            end,
            end + 1,
            u64::MAX,
        ] {
            let held = (oldest as u64..=end).contains(&offset);
            let read = ring.read(offset, &mut into);
            assert_eq!(read.is_some(), held, "at {offset}");
            if let Some(length) = read {
                let from = offset as usize;
                assert_eq!(length, into.len().min(all.len() - from));
                assert_eq!(into[..length], all[from..from + length], "at {offset}");
            }
            let before = ring.before(offset);
            let until = offset.min(end) as usize;
            assert!(
                before.len() <= 64 && before.len() <= until.saturating_sub(oldest),
                "at {offset}"
            );
            assert!(
                all[..until].ends_with(&before) || before.is_empty(),
                "before {offset}"
            );
        }
        for count in [0, 1, 2, 10, u64::MAX] {
            let start = ring.last_lines(count) as usize;
            assert!((oldest..=all.len()).contains(&start));
            let at_line = start == 0
                || start == oldest
                || start == all.len()
                || matches!(all[start - 1], b'\n' | b'\r');
            assert!(at_line, "{count} lines begin within one");
            let mut lines = 0;
            let mut splitter = Splitter::behind(&all[..start], LineEnd::Return);
            splitter.push(&all[start..], |_, _| lines += 1);
            splitter.finish(|_, _| lines += 1);
            assert!(
                lines <= count || start == oldest,
                "{lines} of {count} lines"
            );
        }
    }
});
