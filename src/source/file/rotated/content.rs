//! Copies told by their bytes and by the time when they were made.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::fs::{AtFlags, StatxFlags, statx};

/// How much of a file's start and of its end is compared with its copy, in bytes.
const COMPARED: u64 = 4096;

/// The bytes from `start` to `end`, which is not far from it; `None` where they can't all be read.
/// Blocks.
pub(super) fn read(file: &File, start: u64, end: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end - start).ok()?];
    file.read_exact_at(&mut bytes, start).ok()?;
    Some(bytes)
}

/// Whether the `size` bytes of `whole` begin with the `length` bytes of `file`, by the first and
/// the last of these. Blocks.
pub(super) fn begins(whole: &File, size: u64, file: &File, length: u64) -> bool {
    let alike = |start: u64| {
        let end = length.min(start + COMPARED);
        let bytes = read(file, start, end);
        bytes.is_some() && bytes == read(whole, start, end)
    };
    (1..=size).contains(&length) && alike(0) && alike(length.saturating_sub(COMPARED))
}

/// Whether `copy` was made after `file` was, where the file system knows. Of two files that begin
/// alike it tells a copy from one that was rotated before the other began. Blocks.
pub(super) fn is_made_later(copy: &File, file: &File) -> bool {
    let made = |file: &File| {
        let found = statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME).ok()?;
        let is_known = found.stx_mask & StatxFlags::BTIME.bits() != 0;
        is_known.then_some((found.stx_btime.tv_sec, found.stx_btime.tv_nsec))
    };
    match (made(copy), made(file)) {
        (Some(copy), Some(file)) => copy > file,
        _ => false,
    }
}
