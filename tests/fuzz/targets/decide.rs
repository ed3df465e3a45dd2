//! What happened between two looks: a model of a file goes through random changes, and whatever
//! `decide` says of it, a reader who obeys has every byte of the file that the name means, or
//! begins it anew.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::source::file::change::{FileId, Seen, Change, TailCheck, decide};

/// How many bytes before the end are compared.
const SPAN: usize = 64;

#[derive(Clone)]
struct File {
    inode: u64,
    content: Vec<u8>,
    time: i128,
}

impl File {
    fn seen(&self) -> Seen {
        Seen {
            id: FileId {
                device: 1,
                inode: self.inode,
            },
            size: self.content.len() as u64,
            modified: self.time,
            changed: self.time,
            private: false,
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let (mut now, mut inode, mut time): (Option<File>, u64, i128) = (None, 0, 0);
    let mut seen: Option<File> = None;
    // What a reader has of the file that it knows.
    let mut has: Vec<u8> = Vec::new();
    for pair in input.chunks_exact(2) {
        let (what, amount) = (pair[0], usize::from(pair[1]));
        time += 1;
        // Every byte written is new, so that no two contents agree by chance in a whole span.
        let fresh = |count: usize| {
            (0..count)
                .map(|n| (time as usize * 31 + n * 7 + n / 3) as u8)
                .collect::<Vec<u8>>()
        };
        match (what % 8, now.as_mut()) {
            (0 | 1, Some(file)) => {
                file.content.extend(fresh(amount));
                file.time = time;
            }
            (2, Some(file)) => {
                file.content = fresh(amount);
                file.time = time;
            }
            (3, Some(file)) => {
                file.content.truncate(amount);
                file.time = time;
            }
            (4, _) => now = None,
            (5, _) => {
                inode += 1;
                now = Some(File {
                    inode,
                    content: fresh(amount),
                    time,
                });
            }
            (6, Some(file)) => file.time = time,
            _ => look(&mut seen, now.as_ref(), &mut has),
        }
    }
    look(&mut seen, now.as_ref(), &mut has);
    look(&mut seen, now.as_ref(), &mut has);
    if let Some(file) = &now {
        // The end is what is compared, so the end is what must be right.
        let end = file.content.len().saturating_sub(SPAN);
        assert_eq!(has.len(), file.content.len());
        assert_eq!(has[end..], file.content[end..]);
    }
});

fn look(seen: &mut Option<File>, now: Option<&File>, has: &mut Vec<u8>) {
    let tail = match (&*seen, now) {
        (Some(seen), Some(now)) => {
            let end = seen.content.len();
            let start = end.saturating_sub(SPAN);
            let fits = now.content.get(start..end) == Some(&seen.content[start..]);
            if fits { TailCheck::Fits } else { TailCheck::Differs }
        }
        _ => TailCheck::Fits,
    };
    let (before, after) = (seen.as_ref().map(File::seen), now.map(File::seen));
    let step = decide(before.as_ref(), after.as_ref(), tail);
    assert_eq!(step == Change::Gone, before.is_some() && after.is_none());
    assert_eq!(step == Change::Back, before.is_none() && after.is_some());
    match step {
        Change::Same => assert_eq!(
            before.map(|seen| (seen.id, seen.size)),
            after.map(|seen| (seen.id, seen.size))
        ),
        Change::Gone => has.clear(),
        Change::Grew => has.extend_from_slice(&now.expect("a file").content[has.len()..]),
        Change::Shrank | Change::Rewritten | Change::Replaced | Change::Back => {
            *has = now.expect("a file").content.clone();
        }
    }
    *seen = now.cloned();
}
