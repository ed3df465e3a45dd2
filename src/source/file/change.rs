//! What happened to a file between two looks at its name. Pure.

/// Which file, whatever its name: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// The file system's device number.
    pub device: u64,
    /// The inode number.
    pub inode: u64,
}

/// One look at a name that there is a regular file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The file that the name means.
    pub id: FileId,
    /// Its size in bytes.
    pub size: u64,
    /// When its content changed, in nanoseconds since 1970 (mtime).
    pub modified: i128,
    /// When anything of it changed, in nanoseconds since 1970 (ctime): a writer can set mtime back,
    /// not this one.
    pub changed: i128,
    /// Not everybody on this machine may read it.
    pub private: bool,
}

/// Whether the bytes before the end seen last still stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailCheck {
    /// They do.
    Fits,
    /// Other bytes do, or none.
    Differs,
}

/// What to do about a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing new.
    Same,
    /// The same file has more bytes.
    Grew,
    /// The same file is shorter: truncated, and read from its start again.
    Shrank,
    /// The same file has other bytes where known ones stood: truncated and grown again, or written
    /// over in place.
    Rewritten,
    /// The name means another file: rotated, renamed over, link re-pointed.
    Replaced,
    /// The name means no file any more.
    Gone,
    /// The name means a file again.
    Back,
}

/// Compares what was `seen` at the last look with what there is `now`; `None` stands for no file.
/// `tail` matters only where both are the same file.
pub fn decide(seen: Option<&Seen>, now: Option<&Seen>, tail: TailCheck) -> Change {
    match (seen, now) {
        (None, None) => Change::Same,
        (Some(_), None) => Change::Gone,
        (None, Some(_)) => Change::Back,
        (Some(seen), Some(now)) if seen.id != now.id => Change::Replaced,
        (Some(seen), Some(now)) if now.size < seen.size => Change::Shrank,
        (Some(seen), Some(now)) if seen != now && tail == TailCheck::Differs => Change::Rewritten,
        (Some(seen), Some(now)) if now.size > seen.size => Change::Grew,
        (Some(_), Some(_)) => Change::Same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(inode: u64, size: u64, time: i128) -> Option<Seen> {
        let id = FileId { device: 1, inode };
        Some(Seen {
            id,
            size,
            modified: time,
            changed: time,
            private: false,
        })
    }

    #[test]
    fn cases() {
        use Change::*;
        use TailCheck::*;
        let table = [
            ("no file, still none", None, None, Fits, Same),
            ("appears", None, seen(7, 0, 1), Fits, Back),
            ("vanishes", seen(7, 9, 1), None, Fits, Gone),
            ("untouched", seen(7, 9, 1), seen(7, 9, 1), Fits, Same),
            ("touched", seen(7, 9, 1), seen(7, 9, 2), Fits, Same),
            ("appended", seen(7, 9, 1), seen(7, 12, 2), Fits, Grew),
            (
                "appended within one tick of the clock",
                seen(7, 9, 1),
                seen(7, 12, 1),
                Fits,
                Grew,
            ),
            ("emptied", seen(7, 9, 1), seen(7, 0, 2), Differs, Shrank),
            ("cut", seen(7, 9, 1), seen(7, 5, 2), Differs, Shrank),
            (
                "cut within one tick",
                seen(7, 9, 1),
                seen(7, 5, 1),
                Differs,
                Shrank,
            ),
            (
                "truncated and grown past the end",
                seen(7, 9, 1),
                seen(7, 90, 2),
                Differs,
                Rewritten,
            ),
            (
                "truncated and grown to the same size",
                seen(7, 9, 1),
                seen(7, 9, 2),
                Differs,
                Rewritten,
            ),
            (
                "first bytes of an empty file",
                seen(7, 0, 1),
                seen(7, 3, 2),
                Fits,
                Grew,
            ),
            (
                "renamed over, larger",
                seen(7, 9, 1),
                seen(8, 12, 2),
                Differs,
                Replaced,
            ),
            (
                "renamed over, same size and time",
                seen(7, 9, 1),
                seen(8, 9, 1),
                Fits,
                Replaced,
            ),
            (
                "rotated, new one empty",
                seen(7, 9, 1),
                seen(8, 0, 2),
                Differs,
                Replaced,
            ),
        ];
        for (case, before, after, tail, want) in table {
            assert_eq!(
                decide(before.as_ref(), after.as_ref(), tail),
                want,
                "{case}"
            );
        }
    }

    #[test]
    fn same_inode_on_another_device_is_another_file() {
        let here = seen(7, 9, 1).unwrap();
        let there = Seen {
            id: FileId {
                device: 2,
                inode: 7,
            },
            ..here
        };
        assert_eq!(
            decide(Some(&here), Some(&there), TailCheck::Fits),
            Change::Replaced
        );
    }
}
