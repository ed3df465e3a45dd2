//! What happens to logs, in an order that the fuzzer chooses: readers read each record once, in
//! order, or a mark says that some are gone. On real files, in memory: no other target sees as much
//! of the source.
#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tailcast::source::file::walk::{Dice, Kind, walk};

/// The most steps of one walk: more take a second, and find nothing that fewer would not.
const STEPS_MAX: usize = 400;

fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else {
        return;
    };
    let kind = [Kind::Rotations, Kind::Holes, Kind::Days][usize::from(first % 3)];
    let directory = format!("/dev/shm/tailcast-walk-{}", std::process::id());
    let directory = Path::new(&directory);
    fs::create_dir(directory).unwrap();
    let walked = walk(kind, directory, Dice::Bytes(rest), STEPS_MAX);
    fs::remove_dir_all(directory).unwrap();
    if let Err(failure) = walked {
        panic!("{kind:?}:\n{failure}");
    }
});
