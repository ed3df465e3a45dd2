//! NULs that nobody wrote: holes, as `copytruncate` leaves them under a writer without `O_APPEND`,
//! and space that was made beforehand and is written into later. They are passed over, not sent as
//! text.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::{SeekFrom, seek};

use crate::source::cache::CHUNK;

/// How many NULs in a row are passed over, in bytes: a page, the least that a hole has. Fewer may
/// be a part of what a program writes.
pub(crate) const RUN_MIN: usize = 4096;

/// How many parts of a file's data are looked at for the one before a hole.
const PARTS_MAX: usize = 10_000;

/// What to do with bytes that were read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// So many of them are content.
    Content(usize),
    /// So many NULs are to be passed over.
    Skip(usize),
}

/// Looks at `bytes`, read from the place where a reader stands. `passing`: NULs before them were
/// passed over. `more`: the file goes on behind them.
pub(crate) fn piece(bytes: &[u8], passing: bool, more: bool) -> Piece {
    let leading = leading(bytes);
    if leading > 0 && (passing || leading >= RUN_MIN) {
        return Piece::Skip(leading);
    }
    // A run that is long enough covers one of these places.
    let places = (RUN_MIN - 1..bytes.len()).step_by(RUN_MIN);
    let runs = places.filter(|&at| bytes[at] == 0).map(|at| {
        let start = at - trailing(&bytes[..at]);
        (start, start + self::leading(&bytes[start..]))
    });
    if let Some((start, _)) = runs.into_iter().find(|(start, end)| end - start >= RUN_MIN) {
        return Piece::Content(start);
    }
    let trailing = if more { trailing(bytes) } else { 0 };
    match bytes.len() - trailing {
        // Too few to tell: they are sent as they are.
        0 => Piece::Content(bytes.len()),
        content => Piece::Content(content),
    }
}

fn leading(bytes: &[u8]) -> usize {
    let content = bytes.iter().position(|&byte| byte != 0);
    content.unwrap_or(bytes.len())
}

fn trailing(bytes: &[u8]) -> usize {
    let content = bytes.iter().rposition(|&byte| byte != 0);
    bytes.len() - content.map_or(0, |last| last + 1)
}

/// Where data begins at `offset` or behind it, as far as the file system knows; `size` where only a
/// hole is left.
pub(crate) fn next_data(file: &File, offset: u64, size: u64) -> u64 {
    match seek(file, SeekFrom::Data(offset)) {
        Ok(data) => data.clamp(offset, size),
        Err(rustix::io::Errno::NXIO) => size,
        // It does not know of holes.
        Err(_) => offset,
    }
}

/// Where the last data before `offset` ends: `offset` itself where no hole stands before it.
/// Blocks.
pub(crate) fn data_before(file: &File, offset: u64) -> u64 {
    let (mut at, mut last) = (0, 0);
    for _ in 0..PARTS_MAX {
        let data = next_data(file, at, offset);
        if data >= offset {
            return last;
        }
        match seek(file, SeekFrom::Hole(data)) {
            Ok(hole) if hole < offset && hole > data => (at, last) = (hole, hole),
            _ => break,
        }
    }
    offset
}

/// Where the content of a file of `size` bytes ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) offset: u64,
    /// NULs stand behind it, and are written over.
    pub(crate) padded: bool,
}

/// Where content ends that ended `from` so far, now that the file has `size` bytes. May block.
pub(crate) fn content_end(file: &File, from: u64, size: u64, padded: bool) -> End {
    let is_padded =
        padded || size.saturating_sub(from) >= RUN_MIN as u64 && ends_in_nuls(file, size);
    if !is_padded {
        return End {
            offset: size,
            padded: false,
        };
    }
    let offset = match end_from(file, from, size) {
        // What is written somewhere behind a gap is found from the other side.
        Ok(end) if end == from => content_before(file, from, size),
        end => end,
    };
    End {
        offset: offset.unwrap_or(size),
        padded: true,
    }
}

fn ends_in_nuls(file: &File, size: u64) -> bool {
    let mut last = [0; RUN_MIN];
    let start = size.saturating_sub(RUN_MIN as u64);
    file.read_exact_at(&mut last, start).is_ok() && leading(&last) == RUN_MIN
}

/// Where the content that goes on at `from` ends.
fn end_from(file: &File, from: u64, size: u64) -> io::Result<u64> {
    let mut bytes = vec![0; CHUNK];
    let mut at = from;
    while at < size {
        let length = usize::try_from(size - at).unwrap_or(CHUNK).min(CHUNK);
        let read = file.read_at(&mut bytes[..length], at)?;
        match piece(&bytes[..read], false, true) {
            Piece::Content(content) if leading(&bytes[..content]) < content => {
                at += content as u64;
            }
            _ => break,
        }
    }
    Ok(at)
}

/// Where the last content before `size` ends; `from` where none is behind that.
fn content_before(file: &File, from: u64, size: u64) -> io::Result<u64> {
    let mut bytes = vec![0; CHUNK];
    let mut end = data_before(file, size).max(from);
    while end > from {
        let start = end.saturating_sub(CHUNK as u64).max(from);
        let length = usize::try_from(end - start).unwrap_or(CHUNK);
        file.read_exact_at(&mut bytes[..length], start)?;
        let content = length - trailing(&bytes[..length]);
        if content > 0 {
            return Ok(start + content as u64);
        }
        end = start;
    }
    Ok(from)
}

/// Where the content of a file that was not known ends. Blocks for as long as it takes to read the
/// NULs at its end, where they are no hole.
pub(crate) fn end_of_new(file: &File, size: u64) -> End {
    if size >= RUN_MIN as u64 && ends_in_nuls(file, size) {
        End {
            offset: content_before(file, 0, size).unwrap_or(size),
            padded: true,
        }
    } else {
        End {
            offset: size,
            padded: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nuls(count: usize) -> Vec<u8> {
        vec![0; count]
    }

    #[test]
    fn pieces() {
        use Piece::*;
        let text = |length: usize| vec![b'x'; length];
        for (case, parts, passing, more, want) in [
            ("text", vec![text(9)], false, false, Content(9)),
            (
                "a NUL or two are a program's own",
                vec![text(9), nuls(2), text(9)],
                false,
                false,
                Content(20),
            ),
            (
                "a run begins",
                vec![nuls(4096), text(9)],
                false,
                false,
                Skip(4096),
            ),
            (
                "too short",
                vec![nuls(4095), text(9)],
                false,
                false,
                Content(4104),
            ),
            ("its rest", vec![nuls(7), text(9)], true, false, Skip(7)),
            ("no rest", vec![text(9), nuls(7)], true, false, Content(16)),
            (
                "nothing but NULs",
                vec![nuls(65536)],
                false,
                true,
                Skip(65536),
            ),
            (
                "a run in the middle",
                vec![text(5000), nuls(4096), text(9)],
                false,
                false,
                Content(5000),
            ),
            (
                "at every place",
                vec![text(4095), nuls(4096), text(9)],
                false,
                false,
                Content(4095),
            ),
            (
                "of two the long one",
                vec![text(10), nuls(4095), text(9), nuls(4096)],
                false,
                false,
                Content(4114),
            ),
            (
                "what may become a run waits",
                vec![text(9), nuls(7)],
                false,
                true,
                Content(9),
            ),
            (
                "unless nothing else is there",
                vec![nuls(7)],
                false,
                true,
                Content(7),
            ),
            (
                "and is sent at the end",
                vec![text(9), nuls(7)],
                false,
                false,
                Content(16),
            ),
            ("nothing", vec![], false, false, Content(0)),
        ] {
            assert_eq!(piece(&parts.concat(), passing, more), want, "{case}");
        }
    }

    #[test]
    fn ends_of_files() {
        for directory in ["/tmp", "/dev/shm"] {
            let Ok(file) = tempfile::tempfile_in(directory) else {
                continue;
            };
            let put = |at: u64, text: &str| file.write_at(text.as_bytes(), at).unwrap();
            put(0, "one\n");
            let size = 1 << 20;
            assert_eq!(put(size - 1, "\0"), 1);
            let end = |offset| End {
                offset,
                padded: true,
            };
            assert_eq!(end_of_new(&file, size), end(4), "a hole behind it");
            assert_eq!(content_end(&file, 4, size, true), end(4), "nothing new");
            file.write_at(b"two\n", 4).unwrap();
            assert_eq!(content_end(&file, 4, size, true), end(8), "written into");
            file.write_at(b"far\n", 300_000).unwrap();
            assert_eq!(
                content_end(&file, 8, size, true),
                end(300_004),
                "behind a gap"
            );
            assert_eq!(end_of_new(&file, size), end(300_004));
            assert_eq!(data_before(&file, 250_000), 4096);
            assert_eq!(next_data(&file, 100_000, size), 299_008);
            file.write_at(b"\n", size - 1).unwrap();
            let whole = End {
                offset: size,
                padded: false,
            };
            assert_eq!(
                end_of_new(&file, size),
                whole,
                "a hole before the end is none behind it"
            );
        }
    }
}
