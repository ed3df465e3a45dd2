//! The family of a file: what rotation makes of its name, and nothing else.
//!
//! A cursor is a stranger's input. Which files it may reach is decided by name here, then by kind and
//! inode when the file is open.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::OFlags;

use crate::bytes::cursor::{CHECK_SPAN, Cursor, fnv1a};
use crate::source::file::change::{FileId, Seen};
use crate::source::file::names::{Base, Rotated, Turn};
use crate::source::file::path::{Place, directory, open_regular};
use crate::source::os::fs;

/// The most files that are compared with a cursor's check, each by one read of 64 bytes: a stranger asks
/// for it.
const COPIES_MAX: usize = 1000;

/// One file of a family, not opened yet.
#[derive(Clone, Debug)]
struct Member {
    path: PathBuf,
    /// What `lstat` said of it.
    seen: Seen,
    rotated: Rotated,
}

impl Member {
    /// Opens it, if the name still means the file that was found. Blocks.
    ///
    /// # Errors
    /// As `open(2)`; `NotFound` where it has been rotated on.
    fn open(&self) -> io::Result<(File, Seen)> {
        let (file, seen) = open_regular(&self.path, OFlags::NOFOLLOW)?;
        if seen.id == self.seen.id {
            Ok((file, seen))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    /// Which is older (`Less`) of two: by name where both were made in one way, by time where the names
    /// do not tell.
    fn age(&self, other: &Self) -> Ordering {
        let by_name = if self.rotated.is_like(&other.rotated) {
            self.rotated.age(&other.rotated)
        } else {
            Ordering::Equal
        };
        by_name.then(self.seen.modified.cmp(&other.seen.modified))
    }
}

/// How often a directory is read again because names changed meanwhile, each time after twice the wait, from a millisecond
/// on: a quarter of a second in all. A rotation that renames a hundred files is done in a few.
const READINGS_MAX: u32 = 8;

/// Where the family of a place is looked for.
pub(crate) struct Family {
    /// The name that rotation renames.
    path: PathBuf,
    /// A link leads to it, and has led to others.
    is_linked: bool,
}

/// What a name has meant between two files.
pub(crate) struct Between {
    /// The files, open, oldest first.
    pub(crate) files: Vec<(File, Seen)>,
    /// Some may be missing, before the first of them.
    pub(crate) gap: bool,
    /// The first file is still there under another name: it was rotated.
    pub(crate) is_kept: bool,
}

impl Family {
    /// The family of what `place` leads to now. Blocks.
    pub(crate) fn of(place: &Place) -> Self {
        let path = place.target();
        Self {
            is_linked: path != place.path,
            path,
        }
    }

    /// The file of the family with this inode, open, and whether there is a family at all. Blocks.
    pub(crate) fn find(&self, inode: u64) -> (bool, Option<(File, Seen)>) {
        let found = self.steady(|members| {
            let member = members.iter().find(|member| member.seen.id.inode == inode);
            Ok((!members.is_empty(), member.map(Member::open).transpose()?))
        });
        found.unwrap_or((true, None))
    }

    /// The one file that has what `cursor` checks at its offset: `now`, which is open, or one of the
    /// family. `None` where there is none, or more than one. Blocks.
    pub(crate) fn find_copy(&self, cursor: Cursor, now: Option<&File>) -> Option<(File, Seen)> {
        // No bytes are in every file.
        let check = cursor.check.filter(|_| cursor.offset > 0)?;
        let start = cursor.offset.saturating_sub(CHECK_SPAN);
        let fits = |file: &File| {
            let mut before = vec![0; usize::try_from(cursor.offset - start).unwrap_or(0)];
            file.read_exact_at(&mut before, start).is_ok() && fnv1a(&before) == check
        };
        self.steady(|members| {
            let long = |member: &&Member| member.seen.size >= cursor.offset;
            let members: Vec<&Member> = members.iter().filter(long).collect();
            if members.len() > COPIES_MAX {
                return Ok(None);
            }
            let mut copies = Vec::new();
            if let Some(now) = now.filter(|now| fits(now)) {
                copies.push((now.try_clone()?, fs::seen(&now.metadata()?)));
            }
            for member in members {
                let (file, seen) = member.open()?;
                if copies.iter().all(|(_, known)| known.id != seen.id) && fits(&file) {
                    copies.push((file, seen));
                }
                if copies.len() > 1 {
                    return Ok(None);
                }
            }
            Ok(copies.pop())
        })?
    }

    /// What `now` sees of the current file, and the rest of the family, oldest first: of one moment
    /// between two renames. Blocks.
    pub(crate) fn list(&self, now: impl Fn() -> Option<Seen>) -> (Option<Seen>, Vec<Seen>) {
        let found = self.steady(|members| {
            let family = members.iter().map(|member| member.seen).collect();
            Ok((now(), family))
        });
        found.unwrap_or_else(|| (now(), Vec::new()))
    }

    /// The files that the name meant after file `id` and before file `now`; `known` is what was last seen of `id`. Of more
    /// than `most` only the newest are opened. Blocks.
    pub(crate) fn between(&self, known: &Seen, now: Option<FileId>, most: usize) -> Between {
        let found = self.steady(|members| {
            let is_kept = members.iter().any(|member| member.seen.id == known.id);
            let (mut newer, unsure) = after(members, known, now);
            let surplus = newer.len().saturating_sub(most);
            newer.drain(..surplus);
            let files: Vec<_> = newer.iter().map(Member::open).collect::<io::Result<_>>()?;
            Ok(Between {
                files,
                gap: unsure || surplus > 0,
                is_kept,
            })
        });
        found.unwrap_or(Between {
            files: Vec::new(),
            gap: true,
            is_kept: true,
        })
    }

    /// The one file that the name meant next after file `known`, if there was one before file `now`, open;
    /// and whether one may be missing before it. Blocks.
    pub(crate) fn next(&self, known: &Seen, now: Option<FileId>) -> (Option<(File, Seen)>, bool) {
        let found = self.steady(|members| {
            let (newer, gap) = after(members, known, now);
            Ok((newer.first().map(Member::open).transpose()?, gap))
        });
        found.unwrap_or((None, true))
    }

    /// Reads the family and opens what `pick` wants of it, again and again until no name has changed
    /// from before the reading to after the opening: a directory that is being renamed in can show a
    /// file twice or not at all. Blocks.
    ///
    /// `None`: it never stood still, or can't be read. Nobody knows then what is in it.
    fn steady<T>(&self, pick: impl Fn(Vec<Member>) -> io::Result<T>) -> Option<T> {
        let names = |members: &[Member]| -> Vec<(PathBuf, FileId)> {
            let name = |member: &Member| (member.path.clone(), member.seen.id);
            let mut names: Vec<_> = members.iter().map(name).collect();
            // By name: age may change while a writer goes on in a renamed file.
            names.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            names
        };
        for reading in 0..READINGS_MAX {
            match self.members() {
                Ok(before) => {
                    let was = names(&before);
                    if let Ok(picked) = pick(before)
                        && let Ok(after) = self.members()
                        && was == names(&after)
                    {
                        return Some(picked);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return None,
                Err(_) => {}
            }
            std::thread::sleep(Duration::from_millis(1 << reading));
        }
        None
    }

    /// The rotated files, oldest first as far as their names and times tell. Blocks.
    ///
    /// # Errors
    /// When the directory can't be read.
    fn members(&self) -> io::Result<Vec<Member>> {
        let (Some(directory), Some(name)) = (
            directory(&self.path),
            self.path.file_name().and_then(|name| name.to_str()),
        ) else {
            return Ok(Vec::new());
        };
        let made = |candidate: &str| {
            let sibling = self.is_linked.then(|| Rotated::sibling(name, candidate));
            sibling.flatten().or_else(|| Rotated::of(name, candidate))
        };
        let mut members = Vec::new();
        for entry in directory.read_dir()? {
            let candidate = entry?.file_name();
            let Some((candidate, rotated)) = candidate
                .to_str()
                .and_then(|candidate| Some((candidate, made(candidate)?)))
            else {
                continue;
            };
            let path = directory.join(candidate);
            if let Ok(metadata) = path.symlink_metadata()
                && metadata.is_file()
            {
                members.push(Member {
                    path,
                    seen: fs::seen(&metadata),
                    rotated,
                });
            }
        }
        members.sort_by_key(|member| member.seen.modified);
        Ok(in_order(members))
    }
}

/// Puts those that were made in one way into the order of their names; groups by their newest time.
fn in_order(members: Vec<Member>) -> Vec<Member> {
    let mut groups: Vec<Vec<Member>> = Vec::new();
    for member in members {
        match (groups.iter_mut()).find(|group| group[0].rotated.is_like(&member.rotated)) {
            Some(group) => group.push(member),
            None => groups.push(vec![member]),
        }
    }
    let newest = |group: &Vec<Member>| group.iter().map(|member| member.seen.modified).max();
    groups.sort_by_key(newest);
    for group in &mut groups {
        group.sort_by(Member::age);
    }
    groups.concat()
}

/// The files that the name meant after the one that was last seen as `known`, and before file `now`,
/// oldest first.
///
/// The second value tells whether one may be missing among them.
fn after(members: Vec<Member>, known: &Seen, now: Option<FileId>) -> (Vec<Member>, bool) {
    let is_now = |member: &Member| Some(member.seen.id) == now;
    let Some(own) = members
        .iter()
        .find(|member| member.seen.id == known.id)
        .cloned()
    else {
        return after_deleted(members, known, now);
    };
    let modified = own.seen.modified.max(known.modified);
    // What another way of rotation has made since, nobody knows when.
    let elsewhere = members.iter().any(|member| {
        let is_proved = member.rotated.base != Base::Stem && !member.rotated.is_like(&own.rotated);
        is_proved && !is_now(member) && member.seen.size > 0 && member.seen.modified > modified
    });
    let mut group: Vec<Member> = (members.into_iter())
        .filter(|member| member.rotated.is_like(&own.rotated))
        .collect();
    group.sort_by(Member::age);
    let at = group.iter().position(|member| member.seen.id == known.id);
    let mut newer = group.split_off(at.map_or(group.len(), |at| at + 1));
    // Those that are older by their number and were written later: either a late line, or numbers here
    // count the other way round.
    let contradicted = matches!(own.rotated.turn, Turn::Number(_))
        && (group.iter()).any(|older| {
            !is_now(older) && older.seen.id != known.id && older.seen.modified > modified
        });
    // What is newer than `now` has come since that was opened, and comes after it.
    if let Some(at) = newer.iter().position(is_now) {
        newer.truncate(at);
    }
    let numbers = |member: &Member| match member.rotated.turn {
        Turn::Number(number) => Some(number),
        _ => None,
    };
    let chain: Vec<u64> = [&own]
        .into_iter()
        .chain(&newer)
        .filter_map(numbers)
        .collect();
    let hole = chain.windows(2).any(|pair| pair[0] - pair[1] > 1);
    newer.retain(|member| member.seen.size > 0);
    (newer, elsewhere || contradicted || hole)
}

/// As [`after`], where the file itself is in the family no more: by time alone something newer may have
/// been deleted with it.
fn after_deleted(members: Vec<Member>, known: &Seen, now: Option<FileId>) -> (Vec<Member>, bool) {
    let is_newer = |member: &Member| {
        let is_proved = member.rotated.base != Base::Stem;
        is_proved && member.seen.size > 0 && member.seen.modified > known.modified
    };
    let is_now = |member: &Member| Some(member.seen.id) == now;
    let latest = (members
        .iter()
        .filter(|member| is_newer(member) && !is_now(member)))
    .max_by_key(|member| member.seen.modified);
    let Some(way) = latest.map(|latest| latest.rotated.clone()) else {
        return (Vec::new(), false);
    };
    let mut group: Vec<Member> = (members.into_iter())
        .filter(|member| member.rotated.is_like(&way))
        .collect();
    group.sort_by(Member::age);
    if let Some(at) = group.iter().position(is_now) {
        group.truncate(at);
    }
    // Whatever the clock did: what comes behind one that is not newer, up to the end.
    let from = group.iter().rposition(|member| !is_newer(member));
    (group.split_off(from.map_or(0, |at| at + 1)), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of a family: its name, when it was written last, how large it is.
    type File<'a> = (&'a str, i128, u64);

    const DEVICE: u64 = 1;

    fn seen(inode: u64, modified: i128, size: u64) -> Seen {
        let id = FileId {
            device: DEVICE,
            inode,
        };
        Seen {
            id,
            size,
            modified,
            changed: modified,
        }
    }

    /// What comes after file number `at` of `files`, and before file number `now`; the rest of the files
    /// were last seen with nothing changed. Inodes are places in `files`, from 1 on.
    fn way(name: &str, linked: bool, files: &[File], at: usize, now: Option<usize>) -> String {
        let member = |(place, (file, modified, size)): (usize, &File)| {
            let sibling = linked.then(|| Rotated::sibling(name, file)).flatten();
            let rotated = sibling.or_else(|| Rotated::of(name, file))?;
            Some(Member {
                path: PathBuf::from(file),
                seen: seen(place as u64 + 1, *modified, *size),
                rotated,
            })
        };
        let members: Vec<Member> = files.iter().enumerate().filter_map(member).collect();
        let known = seen(at as u64 + 1, files[at].1, files[at].2);
        let now = now.map(|now| FileId {
            device: DEVICE,
            inode: now as u64 + 1,
        });
        let (newer, gap) = after(in_order(members), &known, now);
        let names = newer.iter().map(|member| member.path.to_str().unwrap());
        let lost = gap.then_some("lost");
        lost.into_iter().chain(names).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_way_on_from_a_file_that_is_there() {
        type Case<'a> = (&'a str, &'a [File<'a>], usize, &'a str);
        let table: &[Case] = &[
            (
                "numbers",
                &[
                    ("app.log.3", 1, 9),
                    ("app.log.2", 2, 9),
                    ("app.log.1", 3, 9),
                ],
                0,
                "app.log.2 app.log.1",
            ),
            (
                "the clock set back",
                &[("app.log.2", 60, 9), ("app.log.1", 10, 9)],
                0,
                "app.log.1",
            ),
            (
                "the clock set back twice",
                &[
                    ("app.log.3", 90, 9),
                    ("app.log.2", 60, 9),
                    ("app.log.1", 10, 9),
                ],
                0,
                "app.log.2 app.log.1",
            ),
            (
                "a late line in the older one",
                &[("app.log.2", 5, 9), ("app.log.1", 4, 9)],
                0,
                "app.log.1",
            ),
            (
                "the newest",
                &[("app.log.2", 1, 9), ("app.log.1", 4, 9)],
                1,
                "",
            ),
            (
                "one of ten",
                &[("app.log.10", 1, 9), ("app.log.9", 2, 9)],
                0,
                "app.log.9",
            ),
            (
                "an older one written later",
                &[
                    ("app.log.3", 9, 9),
                    ("app.log.2", 4, 9),
                    ("app.log.1", 6, 9),
                ],
                1,
                "lost app.log.1",
            ),
            (
                "numbers that count up",
                &[
                    ("app-1.log", 1, 9),
                    ("app-2.log", 2, 9),
                    ("app-3.log", 3, 9),
                ],
                0,
                "lost",
            ),
            (
                "one was deleted in between",
                &[("app.log.3", 1, 9), ("app.log.1", 3, 9)],
                0,
                "lost app.log.1",
            ),
            (
                "dates, times the other way round",
                &[
                    ("app.log-20261123", 9, 9),
                    ("app.log-20261124", 8, 9),
                    ("app.log-20261125", 7, 9),
                ],
                0,
                "app.log-20261124 app.log-20261125",
            ),
            (
                "a sequence within a date",
                &[
                    ("app.2026-11-25.9.log", 1, 9),
                    ("app.2026-11-25.10.log", 2, 9),
                ],
                0,
                "app.2026-11-25.10.log",
            ),
            (
                "empty ones are passed over",
                &[
                    ("app.log.3", 1, 9),
                    ("app.log.2", 2, 0),
                    ("app.log.1", 3, 9),
                ],
                0,
                "app.log.1",
            ),
            (
                "a neighbour's own log",
                &[
                    ("app.log.2", 1, 9),
                    ("app-7.log", 2, 9),
                    ("app.log.1", 3, 9),
                ],
                0,
                "app.log.1",
            ),
            (
                "another way of rotation since",
                &[("app.log.1", 1, 9), ("app.log-20261125", 2, 9)],
                0,
                "lost",
            ),
            (
                "another way of rotation before",
                &[("app.log.1", 3, 9), ("app.log-20261125", 2, 9)],
                0,
                "",
            ),
            ("words say nothing", &[("app.log.old", 3, 9)], 0, ""),
        ];
        for (case, files, at, want) in table {
            assert_eq!(way("app.log", false, files, *at, None), *want, "{case}");
        }
        let labels: &[File] = &[
            ("@400000006745c3e52f3a1b2c.s", 3, 9),
            ("@400000006745c3e62f3a1b2c.u", 2, 9),
            ("@400000006745c3e72f3a1b2c.s", 1, 9),
        ];
        let want = "@400000006745c3e62f3a1b2c.u @400000006745c3e72f3a1b2c.s";
        assert_eq!(way("current", false, labels, 0, None), want);
    }

    #[test]
    fn the_way_on_stops_at_the_newest_one_that_is_known() {
        let files: &[File] = &[
            ("app.log.3", 1, 9),
            ("app.log.2", 2, 9),
            ("app.log.1", 3, 9),
        ];
        assert_eq!(way("app.log", false, files, 0, Some(1)), "");
        assert_eq!(way("app.log", false, files, 0, Some(2)), "app.log.2");
    }

    #[test]
    fn the_way_on_from_a_file_that_was_deleted() {
        let files: &[File] = &[
            ("gone", 2, 9),
            ("app.log.3", 1, 9),
            ("app.log.2", 3, 9),
            ("app.log.1", 4, 9),
            ("app-9.log", 5, 9),
        ];
        assert_eq!(
            way("app.log", false, files, 0, None),
            "lost app.log.2 app.log.1"
        );
        assert_eq!(
            way("app.log", false, &files[..2], 0, None),
            "",
            "nothing newer is there"
        );
    }

    #[test]
    fn the_way_on_along_what_a_link_meant() {
        let files: &[File] = &[
            ("app-2026-11-22.log", 9, 9),
            ("app-2026-11-23.log", 3, 9),
            ("app-2026-11-24.log", 2, 9),
            ("app-2026-11-25.log", 1, 9),
            ("app-2026-11-26.log", 1, 9),
            ("web-2026-11-24.log", 2, 9),
        ];
        let target = "app-2026-11-25.log";
        let want = "app-2026-11-23.log app-2026-11-24.log";
        assert_eq!(way(target, true, files, 0, Some(3)), want);
        assert_eq!(
            way(target, false, files, 0, Some(3)),
            "",
            "no link leads here"
        );
    }

    #[test]
    fn members_are_regular_files_that_still_have_their_name() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in [
            "app.log.2",
            "app.log.1",
            "app.log",
            "secret.txt",
            "app.log.6.gz",
        ] {
            std::fs::write(at(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(at("secret.txt"), at("app.log.4")).unwrap();
        std::fs::create_dir(at("app.log.5")).unwrap();
        std::os::unix::fs::symlink("app.log", at("link")).unwrap();
        let names = |place: PathBuf| {
            let members = Family::of(&Place::named(place)).members().unwrap();
            let name = |member: &Member| member.path.file_name().unwrap().to_owned();
            members.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(names(at("app.log")), ["app.log.2", "app.log.1"]);
        assert_eq!(
            names(at("link")),
            ["app.log.2", "app.log.1"],
            "its target's"
        );

        let members = Family::of(&Place::named(at("app.log"))).members().unwrap();
        assert!(members[1].open().is_ok());
        std::fs::rename(at("app.log.2"), at("app.log.1")).unwrap();
        assert!(members[1].open().is_err(), "the name means another file");
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_unsure() {
        let directory = tempfile::tempdir().unwrap();
        let family = Family::of(&Place::named(directory.path().join("none/app.log")));
        let between = family.between(&seen(1, 1, 9), None, 64);
        assert!(between.gap && between.files.is_empty());
        assert!(family.next(&seen(1, 1, 9), None).1);
        let (any, found) = family.find(1);
        assert!(any && found.is_none());
    }

    #[test]
    fn a_copy_is_found_by_what_its_check_covers() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let line = "a line that is longer than the sixty-four bytes which a check covers\n";
        std::fs::write(at("app.log"), "another\n".repeat(20)).unwrap();
        std::fs::write(at("app.log.1"), line.repeat(2)).unwrap();
        std::fs::write(at("secret.txt"), line.repeat(2)).unwrap();
        let family = Family::of(&Place::named(at("app.log")));
        let cursor = Cursor::new(7, line.len() as u64, &line.as_bytes()[line.len() - 64..]);
        let now = std::fs::File::open(at("app.log")).unwrap();
        let found = |cursor| {
            family
                .find_copy(cursor, Some(&now))
                .map(|(_, seen)| seen.size)
        };
        assert_eq!(found(cursor), Some(2 * line.len() as u64));
        let unchecked = Cursor {
            check: None,
            ..cursor
        };
        assert_eq!(found(unchecked), None, "nothing is compared");
        assert_eq!(
            found(Cursor::new(7, 0, b"")),
            None,
            "no bytes are in every file"
        );
        assert_eq!(
            found(Cursor {
                offset: 9_999,
                ..cursor
            }),
            None,
            "too short"
        );
        std::fs::write(at("app.log.2"), line).unwrap();
        assert_eq!(found(cursor), None, "nobody can tell in which of them");
    }
}
