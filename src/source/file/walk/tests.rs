//! Walks by seeds, and one by hand.

use crate::source::file::walk::{Dice, Kind, walk};

/// Goes a walk, and tells how many NULs were passed over on it.
fn go(kind: Kind, seed: u64, steps: usize) -> u64 {
    let directory = tempfile::TempDir::with_prefix("tailcast-").unwrap();
    match walk(kind, directory.path(), Dice::Seed(seed), steps) {
        Ok(skipped) => skipped,
        Err(failure) => panic!("{kind:?}, seed {seed:#x}:\n{failure}"),
    }
}

#[test]
fn ten_thousand_steps() {
    go(Kind::Rotations, 0x7a11_ca57, 10_000);
}

#[test]
fn ten_thousand_steps_with_holes() {
    assert!(go(Kind::Holes, 0x401e5, 10_000) > 0, "holes are told");
}

#[test]
fn two_thousand_steps_of_a_link() {
    go(Kind::Days, 0x11_4e5, 2_000);
}

/// The file that was looked at last is empty, and four rotations come after it. A look between them
/// finds no file: who does not look again before the empty one is gone can't know that the four are
/// all.
#[test]
fn rotations_around_a_look_that_finds_no_file() {
    let directory = tempfile::TempDir::with_prefix("tailcast-").unwrap();
    let (empty, rotate, append, look) = (14, 5, [1, 0], 7);
    let steps = [
        vec![empty, rotate],
        [&append[..], &[rotate], &append, &[rotate, look]].concat(),
        [&append[..], &[rotate], &append, &[rotate], &append].concat(),
    ];
    let steps = steps.concat();
    if let Err(failure) = walk(Kind::Rotations, directory.path(), Dice::Bytes(&steps), 100) {
        panic!("{failure}");
    }
}
