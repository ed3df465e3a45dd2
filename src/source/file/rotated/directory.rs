//! The rotated files of a name, as they stand in its directory between two renames, and their
//! order.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::OFlags;

use crate::source::file::change::{FileId, Seen};
use crate::source::file::newest;
use crate::source::file::path::{FilePath, directory};
use crate::source::file::rotated_name::RotatedName;
use crate::source::os::fs;

/// How often a directory is read again because names changed meanwhile, each time after twice the
/// wait, from a millisecond on: a quarter of a second in all. A rotation that renames a hundred
/// files is done in a few.
const READINGS_MAX: u32 = 8;

/// One file of a family, not opened yet.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) path: PathBuf,
    /// The directory that it must not lead out of, on any way.
    within: Option<PathBuf>,
    /// What `lstat` said of it.
    pub(super) seen: Seen,
    pub(super) rotated_name: RotatedName,
}

impl Member {
    /// Opens it, if the name still means the file that was found. Blocks.
    ///
    /// # Errors
    /// As `open(2)`; `NotFound` where it has been rotated on.
    pub(super) fn open(&self) -> io::Result<(File, Seen)> {
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

/// Reads the family and opens what `pick` wants of it, again and again until no name has changed
/// from before the reading to after the opening: a directory that is being renamed in can show a
/// file twice or not at all. Blocks.
///
/// `None`: it never stood still, or it can't be read, so nothing is known of it.
pub(super) fn steady<T>(place: &FilePath, pick: impl Fn(&[Member]) -> io::Result<T>) -> Option<T> {
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

/// The rotated files of `place`, in no order. Blocks.
///
/// # Errors
/// When the directory can't be read; one that is not there has no files.
pub(super) fn members(place: &FilePath) -> io::Result<Vec<Member>> {
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

/// Members of one series, oldest first, and whether their numbers count down: the newest has the
/// smallest.
pub(super) fn ordered(mut series: Vec<Member>) -> (Vec<Member>, bool) {
    let by_name = |one: &Member, other: &Member| one.rotated_name.age(&other.rotated_name);
    series.sort_by(|one, other| {
        by_name(one, other).then(one.seen.modified.cmp(&other.seen.modified))
    });
    // Numbers before an extension may count either way; the times tell, where all of them tell the
    // same.
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
pub(super) fn sorted(members: Vec<Member>) -> Vec<Member> {
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
