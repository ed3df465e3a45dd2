//! The family of a file: what rotation makes of its name, and nothing else.
//!
//! A cursor is a stranger's input. Which files it may reach is decided by name here, then by kind and inode when the file is open.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

use crate::source::file::change::{FileId, Seen};
use crate::source::file::path::{directory, open_regular};

use crate::source::marker::Missing;
use crate::source::os::fs;

/// How a name was made of the original one. Files of one scheme are each other's neighbours in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// `app.log.1`
    Dot,
    /// `app.log-20261123`
    Dash,
    /// `app-20261123.log`: also what a neighbour's own log may look like, so it counts only where it is proved.
    Stem,
}

/// How rotation made `candidate` of `name`, or `None` where it did not.
pub fn scheme(name: &str, candidate: &str) -> Option<Scheme> {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, Some(extension)),
        _ => (name, None),
    };
    let made = |base: &str, joint: char| {
        let rest = candidate.strip_prefix(base)?.strip_prefix(joint)?;
        let bare = extension.and_then(|extension| rest.strip_suffix(extension)?.strip_suffix('.'));
        [Some(rest), bare]
            .into_iter()
            .flatten()
            .find(|suffix| is_turn(suffix))
    };
    let made_by = [
        (name, '.', Scheme::Dot),
        (name, '-', Scheme::Dash),
        (stem, '-', Scheme::Stem),
    ];
    made_by
        .into_iter()
        .find(|(base, joint, _)| made(base, *joint).is_some())
        .map(|found| found.2)
}

/// Digits, a date or `old`.
fn is_turn(suffix: &str) -> bool {
    let dated = |byte| matches!(byte, b'0'..=b'9' | b'-' | b'_' | b'.' | b'T');
    suffix == "old"
        || (suffix.starts_with(|first: char| first.is_ascii_digit()) && suffix.bytes().all(dated))
}

/// One file of a family, not opened yet.
#[derive(Debug)]
struct Member {
    path: PathBuf,
    /// What `lstat` said of it.
    seen: Seen,
    scheme: Scheme,
    /// Of two files written in the same tick of the clock, `app.log.2` is older than `app.log.1`.
    turn: u64,
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

    fn age(&self) -> (i128, std::cmp::Reverse<u64>) {
        (self.seen.modified, std::cmp::Reverse(self.turn))
    }
}

/// How often a directory is read again because names changed meanwhile, each time after twice the wait, from a millisecond
/// on: a quarter of a second in all. A rotation that renames a hundred files is done in a few.
const READINGS_MAX: u32 = 8;

/// Reads the family and opens what `pick` wants of it, again and again until no name has changed from before the reading to
/// after the opening: a directory that is being renamed in can show a file twice or not at all. Blocks.
///
/// `None`: it never stood still.
fn steady<T>(path: &Path, pick: impl Fn(Vec<Member>) -> io::Result<T>) -> Option<T> {
    let names = |members: &[Member]| -> Vec<(PathBuf, FileId)> {
        members
            .iter()
            .map(|member| (member.path.clone(), member.seen.id))
            .collect()
    };
    for reading in 0..READINGS_MAX {
        // A directory that may not be read has no family to offer; one that can't be read now may have.
        let Some(before) = known_members(path) else {
            std::thread::sleep(Duration::from_millis(1 << reading));
            continue;
        };
        let mut was = names(&before);
        if let Ok(picked) = pick(before) {
            let mut is = names(&known_members(path).unwrap_or_default());
            // By name: age may change while a writer goes on in a renamed file.
            was.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            is.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            if was == is {
                return Some(picked);
            }
        }
        std::thread::sleep(Duration::from_millis(1 << reading));
    }
    None
}

/// The family, as far as it may be read; `None` where nothing can be said of it now: no descriptor is free.
fn known_members(path: &Path) -> Option<Vec<Member>> {
    match members(path) {
        Ok(members) => Some(members),
        Err(error) => Missing::of(&error).map(|_| Vec::new()),
    }
}

/// The file of `path`'s family with this inode, open, and whether there is a family at all. Blocks.
pub fn find(path: &Path, inode: u64) -> (bool, Option<(File, Seen)>) {
    let found = steady(path, |members| {
        let member = members.iter().find(|member| member.seen.id.inode == inode);
        Ok((!members.is_empty(), member.map(Member::open).transpose()?))
    });
    found.unwrap_or((true, None))
}

/// What `now` sees of the current file, and the rest of the family, oldest first: of one moment between two renames. Blocks.
pub(crate) fn list(path: &Path, now: impl Fn() -> Option<Seen>) -> (Option<Seen>, Vec<Seen>) {
    let found = steady(path, |members| {
        let family = members.iter().map(|member| member.seen).collect();
        Ok((now(), family))
    });
    found.unwrap_or_else(|| (now(), Vec::new()))
}

/// What a name has meant between two files.
pub struct Between {
    /// The files, open, oldest first.
    pub files: Vec<(File, Seen)>,
    /// Some may be missing, before the first of them.
    pub gap: bool,
}

/// The files that `path` meant after file `id` and before file `now`; `known` is what was last seen of `id`. Of more than `most`
/// only the newest are opened. Blocks.
pub fn between(
    path: &Path,
    id: FileId,
    known: Option<&Seen>,
    now: Option<FileId>,
    most: usize,
) -> Between {
    let found = steady(path, |members| {
        let (mut newer, unsure) = after(members, id, known, now);
        let surplus = newer.len().saturating_sub(most);
        newer.drain(..surplus);
        let files: Vec<_> = newer.iter().map(Member::open).collect::<io::Result<_>>()?;
        Ok(Between {
            files,
            gap: unsure || surplus > 0,
        })
    });
    found.unwrap_or(Between {
        files: Vec::new(),
        gap: true,
    })
}

/// The one file that `path` meant next after file `id`, if there was one before file `now`, open; and whether one may be
/// missing before it. Blocks.
pub fn next(
    path: &Path,
    id: FileId,
    known: Option<&Seen>,
    now: Option<FileId>,
) -> (Option<(File, Seen)>, bool) {
    let found = steady(path, |members| {
        let (newer, gap) = after(members, id, known, now);
        Ok((newer.first().map(Member::open).transpose()?, gap))
    });
    found.unwrap_or((None, true))
}

/// The rotated files of `path`, which is no symbolic link or is taken for none, oldest first. Blocks.
///
/// # Errors
/// When the directory can't be read.
fn members(path: &Path) -> io::Result<Vec<Member>> {
    let (Some(directory), Some(name)) =
        (directory(path), path.file_name().and_then(|n| n.to_str()))
    else {
        return Ok(Vec::new());
    };
    let mut members = Vec::new();
    for entry in directory.read_dir()? {
        let candidate = entry?.file_name();
        let Some((candidate, scheme)) = candidate
            .to_str()
            .and_then(|candidate| Some((candidate, scheme(name, candidate)?)))
        else {
            continue;
        };
        let path = directory.join(candidate);
        if let Ok(metadata) = path.symlink_metadata()
            && metadata.is_file()
        {
            let turn = candidate
                .rsplit(|c: char| !c.is_ascii_digit())
                .find_map(|turn| turn.parse().ok());
            members.push(Member {
                path,
                seen: fs::seen(&metadata),
                scheme,
                turn: turn.unwrap_or(0),
            });
        }
    }
    members.sort_unstable_by_key(Member::age);
    Ok(members)
}

/// The files that the name meant after file `id` and before file `now`, oldest first; `known` is what was last seen of `id`.
///
/// The second value tells whether one may be missing among them: newer ones are there, `id` itself is not.
fn after(
    mut members: Vec<Member>,
    id: FileId,
    known: Option<&Seen>,
    now: Option<FileId>,
) -> (Vec<Member>, bool) {
    // What is newer than `now` has come since that was opened, and comes after it.
    if let Some(at) = members
        .iter()
        .position(|member| Some(member.seen.id) == now)
    {
        members.truncate(at);
    }
    members.retain(|member| member.seen.id == id || member.seen.size > 0);
    if let Some(at) = members.iter().position(|member| member.seen.id == id) {
        let scheme = members[at].scheme;
        let newer = members.split_off(at + 1);
        return (
            newer
                .into_iter()
                .filter(|member| member.scheme == scheme)
                .collect(),
            false,
        );
    }
    let Some(known) = known else {
        return (Vec::new(), false);
    };
    members.retain(|member| member.seen.modified > known.modified && member.scheme != Scheme::Stem);
    let gap = !members.is_empty();
    (members, gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rotation_makes() {
        for (name, candidate, want) in [
            ("app.log", "app.log.1", Some(Scheme::Dot)),
            ("app.log", "app.log.12", Some(Scheme::Dot)),
            ("app.log", "app.log.old", Some(Scheme::Dot)),
            ("app.log", "app.log.1.log", Some(Scheme::Dot)),
            ("app.log", "app.log.2026-11-23T20_15", Some(Scheme::Dot)),
            ("app.log", "app.log-20261123", Some(Scheme::Dash)),
            ("app.log", "app-20261123.log", Some(Scheme::Stem)),
            ("app.log", "app-20261123", Some(Scheme::Stem)),
            ("app.log", "app-old.log", Some(Scheme::Stem)),
            ("syslog", "syslog.1", Some(Scheme::Dot)),
            ("syslog", "syslog-1", Some(Scheme::Dash)),
            ("app.log", "app.log", None),
            ("app.log", "app.log.", None),
            ("app.log", "app.log.1.gz", None),
            ("app.log", "app.log.2.xz", None),
            ("app.log", "app.log.secret", None),
            ("app.log", "app.log.1~", None),
            ("app.log", "app.log.1.bak", None),
            ("app.log", "app.log.T", None),
            ("app.log", "app.log1", None),
            ("app.log", "app-other.log", None),
            ("app.log", "app.1", None),
            ("app.log", "my-app.log.1", None),
            ("app.log", "secret.txt", None),
            (".log", "-1.log", None),
        ] {
            assert_eq!(scheme(name, candidate), want, "{candidate} of {name}");
        }
    }

    #[test]
    fn members_are_regular_files_in_order_of_time() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for (age, name) in [
            "app.log.3",
            "app.log.2",
            "app.log.1",
            "app-7.log",
            "app.log",
        ]
        .iter()
        .enumerate()
        {
            std::fs::write(at(name), "x").unwrap();
            let file = File::options().append(true).open(at(name)).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1000 + age as u64);
            file.set_modified(time).unwrap();
        }
        std::fs::write(at("secret.txt"), "x").unwrap();
        std::os::unix::fs::symlink(at("secret.txt"), at("app.log.4")).unwrap();
        std::fs::create_dir(at("app.log.5")).unwrap();
        std::fs::write(at("app.log.6.gz"), "x").unwrap();

        let id = |name: &str| fs::seen(&at(name).metadata().unwrap());
        let all = || members(&at("app.log")).unwrap();
        let inodes =
            |members: &[Member]| members.iter().map(|m| m.seen.id.inode).collect::<Vec<_>>();
        let want = |names: &[&str]| {
            names
                .iter()
                .map(|name| id(name).id.inode)
                .collect::<Vec<_>>()
        };

        assert_eq!(
            inodes(&all()),
            want(&["app.log.3", "app.log.2", "app.log.1", "app-7.log"])
        );
        let now = Some(id("app.log").id);
        let (found, gap) = after(all(), id("app.log.3").id, None, now);
        assert_eq!(
            (inodes(&found), gap),
            (want(&["app.log.2", "app.log.1"]), false)
        );
        assert!(found.iter().all(|member| member.open().is_ok()));

        let secret = id("secret.txt").id;
        assert!(
            after(all(), secret, None, now).0.is_empty(),
            "a stranger's file is no member"
        );

        // The one that was followed has been deleted, newer ones are there: something may have been between.
        let gone = Seen {
            id: secret,
            ..id("app.log.3")
        };
        let (found, gap) = after(all(), secret, Some(&gone), now);
        assert_eq!(
            (inodes(&found), gap),
            (want(&["app.log.2", "app.log.1"]), true)
        );

        std::fs::rename(at("app.log.1"), at("app.log.8")).unwrap();
        assert!(
            found[1].open().is_err(),
            "the name means another file, or none"
        );

        std::os::unix::fs::symlink("app.log", at("link")).unwrap();
        assert_eq!(
            members(&crate::source::file::path::target(&at("link")))
                .unwrap()
                .len(),
            4,
            "a link's family is its target's"
        );
    }
}
