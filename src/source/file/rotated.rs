//! The family of a file: what rotation makes of its name, and nothing else, as it stands on the disk.
//!
//! A cursor is a stranger's input. Which files it may reach is decided by name in `rotated_name.rs`, then
//! by kind and inode when the file is open.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{AtFlags, OFlags, StatxFlags, statx};

use crate::bytes::cursor::{CHECK_SPAN, fnv1a};
use crate::source::file::change::{FileId, Seen};
use crate::source::file::newest;
use crate::source::file::path::{FilePath, directory};
use crate::source::file::rotated_name::RotatedName;
use crate::source::os::fs;

/// The most files that are opened to find the one place that a cursor's check fits. A family with more is no
/// set of logs, and each costs a read from the card.
const FITTING_MAX: usize = 256;

/// How much of a file's start and of its end is compared with its copy, in bytes.
const COMPARED: u64 = 4096;

/// One file of a family, not opened yet.
#[derive(Clone, Debug)]
struct Member {
    path: PathBuf,
    /// The directory that it must not lead out of, on any way.
    within: Option<PathBuf>,
    /// What `lstat` said of it.
    seen: Seen,
    rotated_name: RotatedName,
}

impl Member {
    /// Opens it, if the name still means the file that was found. Blocks.
    ///
    /// # Errors
    /// As `open(2)`; `NotFound` where it has been rotated on.
    fn open(&self) -> io::Result<(File, Seen)> {
        let place = FilePath {
            within: self.within.clone(),
            ..FilePath::named(self.path.clone())
        };
        let (file, seen) = place.open_with(OFlags::NOFOLLOW)?;
        if seen.id == self.seen.id {
            Ok((file, seen))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// How often a directory is read again because names changed meanwhile, each time after twice the wait, from a millisecond
/// on: a quarter of a second in all. A rotation that renames a hundred files is done in a few.
const READINGS_MAX: u32 = 8;

/// Reads the family and opens what `pick` wants of it, again and again until no name has changed from before the reading to
/// after the opening: a directory that is being renamed in can show a file twice or not at all. Blocks.
///
/// `None`: it never stood still, or it can't be read, so nothing is known of it.
fn steady<T>(place: &FilePath, pick: impl Fn(&[Member]) -> io::Result<T>) -> Option<T> {
    let names = |members: &[Member]| -> Vec<(PathBuf, FileId)> {
        let mut names: Vec<_> = members
            .iter()
            .map(|member| (member.path.clone(), member.seen.id))
            .collect();
        // By name: age may change while a writer goes on in a renamed file.
        names.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        names
    };
    for reading in 0..READINGS_MAX {
        if let Ok(before) = members(place)
            && let Ok(picked) = pick(&before)
            && let Ok(after) = members(place)
            && names(&before) == names(&after)
        {
            return Some(picked);
        }
        std::thread::sleep(Duration::from_millis(1 << reading));
    }
    None
}

/// The file of the family of `place` with this inode, open, and whether there is a family at all. Blocks.
pub(crate) fn find(place: &FilePath, inode: u64) -> (bool, Option<(File, Seen)>) {
    let found = steady(place, |members| {
        let member = members.iter().find(|member| member.seen.id.inode == inode);
        Ok((!members.is_empty(), member.map(Member::open).transpose()?))
    });
    found.unwrap_or((true, None))
}

/// The one file, of the current one and its family, that has the bytes before `offset` that a cursor's `check` covers: a copy
/// with other inodes, as log2ram and a restored backup make. `None`: none has, or several. Blocks.
pub(crate) fn fitting(place: &FilePath, offset: u64, check: u32) -> Option<(File, Seen)> {
    // Nothing stands before the start of a file, which fits all of them.
    if offset == 0 {
        return None;
    }
    let fits = |file: &File, seen: &Seen| {
        let start = offset.saturating_sub(CHECK_SPAN);
        seen.size >= offset && read(file, start, offset).is_some_and(|bytes| fnv1a(&bytes) == check)
    };
    let found = steady(place, |members| {
        let members = if members.len() > FITTING_MAX {
            &[]
        } else {
            members
        };
        let current = place.open().ok();
        let current_id = current.as_ref().map(|(_, seen)| seen.id);
        let others = members
            .iter()
            .filter(|member| Some(member.seen.id) != current_id);
        let opened = others.filter_map(|member| member.open().ok());
        let mut found = current
            .into_iter()
            .chain(opened)
            .filter(|(file, seen)| fits(file, seen));
        let first = found.next();
        Ok(first.filter(|_| found.next().is_none()))
    });
    found.flatten()
}

/// The bytes from `start` to `end`, which is not far from it; `None` where they can't all be read. Blocks.
fn read(file: &File, start: u64, end: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end - start).ok()?];
    file.read_exact_at(&mut bytes, start).ok()?;
    Some(bytes)
}

/// What `now` sees of the current file, and the rest of the family, oldest first: of one moment between two renames. Blocks.
pub(crate) fn list(place: &FilePath, now: impl Fn() -> Option<Seen>) -> (Option<Seen>, Vec<Seen>) {
    let found = steady(place, |members| {
        let family = sorted(members.to_vec());
        Ok((now(), family.iter().map(|member| member.seen).collect()))
    });
    found.unwrap_or_else(|| (now(), Vec::new()))
}

/// A file that a name has meant, open.
pub(crate) struct Found {
    pub(crate) file: File,
    pub(crate) seen: Seen,
    /// Another may be missing before it.
    pub(crate) gap: bool,
}

/// What a name has meant between two files.
pub(crate) struct Between {
    /// The files, oldest first.
    pub(crate) files: Vec<Found>,
    /// Another may be missing behind the last of them.
    pub(crate) gap: bool,
}

/// A file that is to be left for what came after it.
#[derive(Clone, Copy)]
pub(crate) struct Old<'a> {
    pub(crate) id: FileId,
    /// What was last seen of it.
    pub(crate) seen: Option<&'a Seen>,
    /// It may be open though it has no name any more.
    pub(crate) file: Option<&'a File>,
}

/// The files that `place` meant after the `old` file and before file `now`. Of more than `most` only the newest are opened. Blocks.
pub(crate) fn between(place: &FilePath, old: Old<'_>, now: Option<FileId>, most: usize) -> Between {
    let found = steady(place, |members| {
        let (mut steps, gap) = after(place, members, old, now);
        let surplus = steps.len().saturating_sub(most);
        steps.drain(..surplus);
        if let Some(first) = steps.first_mut().filter(|_| surplus > 0) {
            first.1 = true;
        }
        let open = |(member, gap): &(Member, bool)| {
            let (file, seen) = member.open()?;
            io::Result::Ok(Found {
                file,
                seen,
                gap: *gap,
            })
        };
        let files = steps.iter().map(open).collect::<io::Result<_>>()?;
        Ok(Between { files, gap })
    });
    found.unwrap_or(Between {
        files: Vec::new(),
        gap: true,
    })
}

/// The one file that `place` meant next after the `old` file, if there was one before file `now`; else whether one may be missing
/// before that. Blocks.
pub(crate) fn next(place: &FilePath, old: Old<'_>, now: Option<FileId>) -> Result<Found, bool> {
    let found = steady(place, |members| {
        let (steps, gap) = after(place, members, old, now);
        let Some((member, gap)) = steps.first() else {
            return Ok(Err(gap));
        };
        let (file, seen) = member.open()?;
        // Between the copy and the cut of `copytruncate` the copy is no file of its own: its bytes are those of the current one.
        if let Ok((current, newest)) = place.open()
            && Some(newest.id) == now
            && is_made_later(&file, &current)
            && begins(&current, newest.size, &file, seen.size)
        {
            return Ok(Err(*gap));
        }
        Ok(Ok(Found {
            file,
            seen,
            gap: *gap,
        }))
    });
    found.unwrap_or(Err(true))
}

/// The rotated files of `place`, in no order. Blocks.
///
/// # Errors
/// When the directory can't be read; one that is not there has no files.
fn members(place: &FilePath) -> io::Result<Vec<Member>> {
    if let Some(pattern) = &place.newest {
        let Some(newest) = newest::newest(pattern) else {
            return Ok(Vec::new());
        };
        let member = |older: newest::Match| Member {
            rotated_name: older.rotated_name(&newest),
            path: older.place.path,
            within: older.place.within,
            seen: older.seen,
        };
        let older = newest::older(pattern, &newest);
        return Ok(older.into_iter().map(member).collect());
    }
    let target = place.target();
    let is_link = target != place.path;
    let (Some(directory), Some(name)) = (
        directory(&target),
        target.file_name().and_then(|n| n.to_str()),
    ) else {
        return Ok(Vec::new());
    };
    if place.is_led_out() {
        return Ok(Vec::new());
    }
    let entries = match directory.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut members = Vec::new();
    for entry in entries {
        let candidate = entry?.file_name();
        let Some(candidate) = candidate.to_str() else {
            continue;
        };
        let beside = || RotatedName::beside(name, candidate).filter(|_| is_link);
        let Some(rotated_name) = RotatedName::of(name, candidate).or_else(beside) else {
            continue;
        };
        let path = directory.join(candidate);
        if let Ok(metadata) = path.symlink_metadata()
            && metadata.is_file()
        {
            let seen = fs::seen(&metadata);
            members.push(Member {
                path,
                within: place.within.clone(),
                seen,
                rotated_name,
            });
        }
    }
    Ok(members)
}

/// Members of one series, oldest first, and whether their numbers count down: the newest has the smallest.
fn ordered(mut series: Vec<Member>) -> (Vec<Member>, bool) {
    let by_name = |one: &Member, other: &Member| one.rotated_name.age(&other.rotated_name);
    series.sort_by(|one, other| {
        by_name(one, other).then(one.seen.modified.cmp(&other.seen.modified))
    });
    // Numbers before an extension may count either way; the times tell, where all of them tell the same.
    let counts_up = series.len() > 1
        && series
            .iter()
            .all(|member| member.rotated_name.may_count_up())
        && series
            .windows(2)
            .all(|pair| pair[1].seen.modified < pair[0].seen.modified);
    if counts_up {
        series.reverse();
    }
    (series, !counts_up)
}

/// All members, oldest first: within a series by their names, between two of them by time.
fn sorted(members: Vec<Member>) -> Vec<Member> {
    let mut all: Vec<Vec<Member>> = Vec::new();
    for member in members {
        match all
            .iter_mut()
            .find(|series| series[0].rotated_name.series == member.rotated_name.series)
        {
            Some(series) => series.push(member),
            None => all.push(vec![member]),
        }
    }
    let mut all: Vec<_> = all
        .into_iter()
        .map(|series| ordered(series).0.into_iter().peekable())
        .collect();
    let mut sorted = Vec::new();
    loop {
        let heads = all.iter_mut().enumerate();
        let heads = heads.filter_map(|(at, series)| Some((series.peek()?.seen.modified, at)));
        let Some((_, oldest)) = heads.min() else {
            return sorted;
        };
        sorted.extend(all[oldest].next());
    }
}

/// The files that the name meant after the `old` file and before file `now`, oldest first, each with whether another may be
/// missing before it; and whether one may be missing behind them.
fn after(
    place: &FilePath,
    members: &[Member],
    old: Old<'_>,
    now: Option<FileId>,
) -> (Vec<(Member, bool)>, bool) {
    let id = old.id;
    let Some(at) = members.iter().find(|member| member.seen.id == id) else {
        return after_unknown(members, old, now);
    };
    let (series, counts_down, target) = if place.newest.is_some() {
        // All that the pattern stands for, up to the newest.
        (sorted(members.to_vec()), false, None)
    } else {
        let series = members
            .iter()
            .filter(|member| member.rotated_name.series == at.rotated_name.series);
        let (series, counts_down) = ordered(series.cloned().collect());
        let target = place.target();
        let target = target.file_name().and_then(|name| name.to_str());
        (series, counts_down, target.map(RotatedName::target))
    };
    let mut steps = Vec::new();
    let (mut before, mut gap) = (at.clone(), false);
    for member in series
        .into_iter()
        .skip_while(|member| member.seen.id != id)
        .skip(1)
    {
        gap |= counts_down
            && !before.rotated_name.is_next(&member.rotated_name)
            && contradicts(&before, &member);
        before = member.clone();
        if Some(member.seen.id) == now {
            // What is newer has come since that was opened, and comes after it.
            break;
        }
        let is_ahead = target.as_ref().is_some_and(|target| {
            target.series == member.rotated_name.series
                && member.rotated_name.age(target) != Ordering::Less
        });
        if is_ahead {
            // Made for tomorrow: the link does not lead there yet.
            break;
        }
        if member.seen.size > 0 {
            steps.push((member, std::mem::take(&mut gap)));
        }
    }
    (steps, gap)
}

/// The same where the `old` file itself is not there any more: those that came after its copy; where there is none, those that
/// were written later, if they belong beyond doubt. One may be missing before the first of these.
fn after_unknown(
    members: &[Member],
    old: Old<'_>,
    now: Option<FileId>,
) -> (Vec<(Member, bool)>, bool) {
    let Some(known) = old.seen else {
        return (Vec::new(), false);
    };
    let mut newer = sorted(members.to_vec());
    if let Some(at) = newer.iter().position(|member| Some(member.seen.id) == now) {
        newer.truncate(at);
    }
    let copy = old.file.and_then(|old| copy(&newer, old));
    // Renamed when the old one had gone already: there was a rotation after it, whatever the clock said when they were written.
    let rotated = newer.iter().any(|member| {
        member.rotated_name.is_numbered()
            && member.seen.size > 0
            && member.seen.changed >= known.changed
    });
    let unsure = match copy {
        Some((at, is_whole)) => {
            newer.drain(..=at);
            newer.retain(|member| member.seen.size > 0);
            !is_whole
        }
        None => {
            newer.retain(|member| {
                member.seen.modified > known.modified
                    && member.seen.size > 0
                    && !member.rotated_name.is_doubtful()
            });
            true
        }
    };
    let gap = unsure && newer.is_empty() && (copy.is_some() || rotated);
    let steps = newer.into_iter().enumerate();
    (
        steps
            .map(|(at, member)| (member, unsure && at == 0))
            .collect(),
        gap,
    )
}

/// Which of the `members`, the newest of them, is a copy of the `old` file, and whether of all of it: of its beginning alone it
/// may be something else. logrotate's `renamecopy` makes one and deletes what it copied, as other tools do where a log is moved
/// to another disk. Blocks.
fn copy(members: &[Member], old: &File) -> Option<(usize, bool)> {
    let size = old.metadata().ok()?.len();
    let is_copy = |member: &Member| {
        let length = member.seen.size;
        (1..=size).contains(&length)
            && (member.open()).is_ok_and(|(file, _)| begins(old, size, &file, length))
    };
    let compared = members.len().saturating_sub(FITTING_MAX);
    let at = compared + members[compared..].iter().rposition(is_copy)?;
    Some((at, members[at].seen.size == size))
}

/// Whether the `size` bytes of `whole` begin with the `length` bytes of `file`, by the first and the last of these. Blocks.
fn begins(whole: &File, size: u64, file: &File, length: u64) -> bool {
    let alike = |start: u64| {
        let end = length.min(start + COMPARED);
        let bytes = read(file, start, end);
        bytes.is_some() && bytes == read(whole, start, end)
    };
    (1..=size).contains(&length) && alike(0) && alike(length.saturating_sub(COMPARED))
}

/// Whether `copy` was made after `file` was, where the file system knows. Of two files that begin alike it tells a copy from one
/// that was rotated before the other began. Blocks.
fn is_made_later(copy: &File, file: &File) -> bool {
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

/// Whether the times of two files say another order than their numbers: the clock was set back, an old file was written late,
/// or one of them is from another time. Which it was can't be known.
fn contradicts(older: &Member, newer: &Member) -> bool {
    older.rotated_name.is_numbered() && newer.seen.modified < older.seen.modified
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A directory with files that were written one after another, a second apart.
    fn scene(names: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (age, name) in names.iter().enumerate() {
            let path = directory.path().join(name);
            std::fs::write(&path, "x").unwrap();
            let file = File::options().append(true).open(&path).unwrap();
            let time = std::time::UNIX_EPOCH + Duration::from_secs(1000 + age as u64);
            file.set_modified(time).unwrap();
        }
        directory
    }

    fn seen(directory: &Path, name: &str) -> Seen {
        fs::seen(&directory.join(name).metadata().unwrap())
    }

    fn closed(id: FileId, seen: Option<&Seen>) -> Old<'_> {
        Old {
            id,
            seen,
            file: None,
        }
    }

    /// What comes after the `old` file of `place`: names, with a `?` before those that another may be missing before.
    fn way(place: &FilePath, directory: &Path, old: Old<'_>) -> String {
        let now = place.seen().ok().map(|seen| seen.id);
        let (steps, gap) = after(place, &members(place).unwrap(), old, now);
        let mut names: Vec<String> = steps
            .iter()
            .map(|(member, gap)| {
                let name = member
                    .path
                    .strip_prefix(directory)
                    .unwrap()
                    .display()
                    .to_string();
                format!("{}{name}", if *gap { "?" } else { "" })
            })
            .collect();
        names.push(if gap { "?" } else { "." }.to_owned());
        names.join(" ")
    }

    /// logrotate's `renamecopy`: the file that was followed is gone, and has been copied before.
    #[test]
    fn what_comes_after_a_file_that_was_copied() {
        for (old, copies, want) in [
            ("all of it", &["all of it"][..], "."),
            ("all of it", &["all", "later"], "?app.log.1 ."),
            ("all of it", &["all of it", "later"], "app.log.1 ."),
            ("all of it", &["older", "all of it"], "."),
            ("all of it", &["all"], "?"),
            (
                "all of it",
                &["", "all of it", "later", "newest"],
                "app.log.2 app.log.1 .",
            ),
            ("all of it", &["all of it and more"], "?app.log.1 ."),
            ("all of it", &["another one"], "?app.log.1 ."),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("app.log");
            std::fs::write(&path, old).unwrap();
            let file = File::open(&path).unwrap();
            let known = seen(directory.path(), "app.log");
            std::fs::remove_file(&path).unwrap();
            for (at, copy) in copies.iter().enumerate() {
                let name = format!("app.log.{}", copies.len() - at);
                std::fs::write(directory.path().join(&name), copy).unwrap();
                let file = File::options()
                    .append(true)
                    .open(directory.path().join(name));
                let later = Duration::from_secs(1 + at as u64);
                file.unwrap()
                    .set_modified(std::time::SystemTime::now() + later)
                    .unwrap();
            }
            std::fs::write(&path, "new").unwrap();
            let old = Old {
                id: known.id,
                seen: Some(&known),
                file: Some(&file),
            };
            let found = way(&FilePath::named(path), directory.path(), old);
            assert_eq!(found, want, "{copies:?}");
        }
    }

    #[test]
    fn what_comes_after_a_file() {
        for (written, at, want) in [
            (
                &["app.log.3", "app.log.2", "app.log.1", "app.log"][..],
                "app.log.3",
                "app.log.2 app.log.1 .",
            ),
            (
                &["app.log.3", "app.log.2", "app.log.1", "app.log"],
                "app.log.1",
                ".",
            ),
            // The clock was set back, or one was written late: the numbers count, and that something is odd is told.
            (
                &["app.log.1", "app.log.2", "app.log"],
                "app.log.2",
                "app.log.1 .",
            ),
            (
                &["app.log.1", "app.log.3", "app.log"],
                "app.log.3",
                "?app.log.1 .",
            ),
            (
                &["app.log.3", "app.log.1", "app.log"],
                "app.log.3",
                "app.log.1 .",
            ),
            (
                &["app.log.3", "app.log.2", "app.log"],
                "app.log.3",
                "app.log.2 .",
            ),
            (
                &["app.log-20261126", "app.log-20261125", "app.log"],
                "app.log-20261125",
                "app.log-20261126 .",
            ),
            (
                &["app.2026-11-25.0.log", "app.2026-11-25.1.log", "app.log"],
                "app.2026-11-25.0.log",
                "app.2026-11-25.1.log .",
            ),
            // Before the extension numbers go either way; here the times say that the largest is the newest.
            (
                &["app-1.log", "app-2.log", "app-3.log", "app.log"],
                "app-2.log",
                "app-3.log .",
            ),
            (
                &["app-3.log", "app-2.log", "app-1.log", "app.log"],
                "app-2.log",
                "app-1.log .",
            ),
            (
                &["app-2.log", "app-3.log", "app-1.log", "app.log"],
                "app-3.log",
                "app-2.log app-1.log .",
            ),
            // Another series is no neighbour.
            (
                &["app.log.2", "app-7.log", "app.log.1", "app.log"],
                "app.log.2",
                "app.log.1 .",
            ),
            (
                &[
                    "@4000000065f0c3a20bd2f3c4.s",
                    "@4000000065f0c3b20bd2f3c4.u",
                    "current",
                ],
                "@4000000065f0c3a20bd2f3c4.s",
                "@4000000065f0c3b20bd2f3c4.u .",
            ),
        ] {
            let directory = scene(written);
            let place = FilePath::named(directory.path().join(written.last().unwrap()));
            let id = seen(directory.path(), at).id;
            assert_eq!(
                way(&place, directory.path(), closed(id, None)),
                want,
                "{written:?} after {at}"
            );
        }
    }

    #[test]
    fn what_comes_after_a_target_of_a_link() {
        let days = [
            "app-2026-11-23.log",
            "app-2026-11-24.log",
            "app-2026-11-25.log",
            "app-2026-11-26.log",
        ];
        let directory = scene(&days);
        let link = directory.path().join("app.log");
        std::os::unix::fs::symlink("app-2026-11-25.log", &link).unwrap();
        std::fs::write(directory.path().join("secret-2026-11-25.log"), "x").unwrap();
        let place = FilePath::named(link);
        let id = seen(directory.path(), days[0]).id;
        // Tomorrow's is there already, and the link does not lead to it.
        assert_eq!(
            way(&place, directory.path(), closed(id, None)),
            "app-2026-11-24.log ."
        );
    }

    #[test]
    fn members_are_regular_files_of_that_name() {
        let directory = scene(&["app.log.3", "app.log.2", "app.log.1", "app.log"]);
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("secret.txt"), "x").unwrap();
        std::os::unix::fs::symlink(at("secret.txt"), at("app.log.4")).unwrap();
        std::fs::create_dir(at("app.log.5")).unwrap();
        std::fs::write(at("app.log.6.gz"), "x").unwrap();
        let place = FilePath::named(at("app.log"));
        let secret = seen(directory.path(), "secret.txt").id;
        assert_eq!(members(&place).unwrap().len(), 3);
        assert_eq!(
            way(&place, directory.path(), closed(secret, None)),
            ".",
            "a stranger's file is no member"
        );

        // The one that was followed has been deleted, newer ones are there: something may have been between.
        let gone = Seen {
            id: secret,
            ..seen(directory.path(), "app.log.3")
        };
        let found = way(&place, directory.path(), closed(secret, Some(&gone)));
        assert_eq!(found, "?app.log.2 app.log.1 .");

        let member = members(&place).unwrap();
        let first = member
            .iter()
            .find(|member| member.path == at("app.log.1"))
            .unwrap();
        std::fs::rename(at("app.log.1"), at("app.log.8")).unwrap();
        assert!(
            first.open().is_err(),
            "the name means another file, or none"
        );

        std::os::unix::fs::symlink("app.log", at("link")).unwrap();
        let link = FilePath::named(at("link"));
        assert_eq!(
            members(&link).unwrap().len(),
            3,
            "a link's family is its target's"
        );
    }

    /// Until the time that the file system writes down is another one.
    fn until_the_clock_ticks(directory: &Path) {
        let now = || {
            std::fs::write(directory.join("clock"), "x").unwrap();
            seen(directory, "clock").changed
        };
        let begun = now();
        while now() == begun {}
    }

    /// A rotation that compressed the file which was followed, on a board whose clock went back meanwhile.
    #[test]
    fn what_was_rotated_after_a_file_that_is_gone_may_be_missing() {
        let directory = scene(&["app.log"]);
        let at = |name: &str| directory.path().join(name);
        let place = FilePath::named(at("app.log"));
        std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
        let old = File::open(at("app.log.1")).unwrap();
        let write = |name: &str, second: u64| {
            std::fs::write(at(name), "y").unwrap();
            let file = File::options().append(true).open(at(name)).unwrap();
            let time = std::time::UNIX_EPOCH + Duration::from_secs(second);
            file.set_modified(time).unwrap();
        };
        let way = |old: &File| {
            let seen = fs::seen(&old.metadata().unwrap());
            way(&place, directory.path(), closed(seen.id, Some(&seen)))
        };
        // Deleted, and what has its name now was made beside what was rotated before that.
        write("app.log.2", 10);
        until_the_clock_ticks(directory.path());
        std::fs::remove_file(at("app.log.1")).unwrap();
        assert_eq!(way(&old), ".");
        // One that says it is older has had the name meanwhile.
        write("app.log", 20);
        std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
        write("app.log", 30);
        assert_eq!(way(&old), "?");
    }

    /// `copytruncate`, between its copy and its cut.
    #[test]
    fn a_copy_that_is_being_made_is_no_file_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("app.log.2"), "before").unwrap();
        std::fs::write(at("app.log"), "all of it").unwrap();
        let place = FilePath::named(at("app.log"));
        let old = seen(directory.path(), "app.log.2");
        let now = Some(seen(directory.path(), "app.log").id);
        let next = || {
            let found = next(&place, closed(old.id, Some(&old)), now).ok();
            found.map(|found| found.seen.id)
        };
        let begun = || File::options().append(true).open(at("app.log")).unwrap();
        until_the_clock_ticks(directory.path());
        std::fs::write(at("app.log.1"), "all").unwrap();
        let copy = seen(directory.path(), "app.log.1").id;
        // Where the file system does not know when a file was made, nothing tells.
        let knows = is_made_later(
            &File::open(at("app.log.1")).unwrap(),
            &File::open(at("app.log")).unwrap(),
        );
        assert_eq!(next(), (!knows).then_some(copy), "half a copy");
        std::fs::write(at("app.log.1"), "all of it").unwrap();
        assert_eq!(next(), (!knows).then_some(copy), "all of it");
        begun().set_len(0).unwrap();
        assert_eq!(next(), Some(copy), "cut");
        std::fs::write(at("app.log"), "all of it, but later").unwrap();
        // What was rotated before the current one began may begin alike.
        std::fs::remove_file(at("app.log.1")).unwrap();
        std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
        std::fs::write(at("app.log"), "all of it, but later, and more").unwrap();
        let rotated = seen(directory.path(), "app.log.1").id;
        let now = Some(seen(directory.path(), "app.log").id);
        let found = super::next(&place, closed(old.id, Some(&old)), now).ok();
        assert_eq!(found.map(|found| found.seen.id), Some(rotated));
    }

    #[test]
    fn a_copy_is_found_by_its_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let bytes: Vec<u8> = (0..200).collect();
        std::fs::write(at("app.log"), &bytes).unwrap();
        std::fs::write(at("app.log.1"), [0; 200]).unwrap();
        let place = FilePath::named(at("app.log"));
        let found = |offset: usize| {
            let before = &bytes[offset.saturating_sub(64)..offset];
            fitting(&place, offset as u64, fnv1a(before)).map(|(_, seen)| seen.id)
        };
        let here = place.seen().unwrap().id;
        assert_eq!(
            (found(200), found(100), found(10)),
            (Some(here), Some(here), Some(here))
        );
        assert_eq!(found(0), None, "nothing stands before the start");
        assert!(fitting(&place, 201, 0).is_none(), "it is not that long");
        std::fs::copy(at("app.log"), at("app.log.2")).unwrap();
        assert_eq!(found(100), None, "two files have these bytes");
    }
}
