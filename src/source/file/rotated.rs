//! The family of a file: what rotation makes of its name, and nothing else, as it stands on the
//! disk.
//!
//! A cursor is a stranger's input. Which files it may reach is decided by name in
//! `rotated_name.rs`, then by kind and inode when the file is open.

mod content;
mod directory;
mod order;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;

use crate::bytes::cursor::{CHECK_SPAN, fnv1a};
use crate::source::file::change::{FileId, Seen};
use crate::source::file::path::FilePath;
use crate::source::file::rotated::content::{begins, is_made_later, read};
use crate::source::file::rotated::directory::{Member, sorted, steady};
use crate::source::file::rotated::order::after;

/// The most files that are opened to find the one place that a cursor's check fits. A family with
/// more is no set of logs, and each costs a read from the card.
const FITTING_MAX: usize = 256;

/// The file of the family of `place` with this inode, open, and whether there is a family at all.
/// Blocks.
pub(crate) fn find(place: &FilePath, inode: u64) -> (bool, Option<(File, Seen)>) {
    let found = steady(place, |members| {
        let member = members.iter().find(|member| member.seen.id.inode == inode);
        Ok((!members.is_empty(), member.map(Member::open).transpose()?))
    });
    found.unwrap_or((true, None))
}

/// The one file, of the current one and its family, that has the bytes before `offset` that a
/// cursor's `check` covers: a copy with other inodes, as log2ram and a restored backup make.
/// `None`: none has, or several. Blocks.
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

/// What `now` sees of the current file, and the rest of the family, oldest first: of one moment
/// between two renames. Blocks.
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

/// The files that `place` meant after the `old` file and before file `now`. Of more than `most`
/// only the newest are opened. Blocks.
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

/// The one file that `place` meant next after the `old` file, if there was one before file `now`;
/// else whether one may be missing before that. Blocks.
pub(crate) fn next(place: &FilePath, old: Old<'_>, now: Option<FileId>) -> Result<Found, bool> {
    let found = steady(place, |members| {
        let (steps, gap) = after(place, members, old, now);
        let Some((member, gap)) = steps.first() else {
            return Ok(Err(gap));
        };
        let (file, seen) = member.open()?;
        // Between the copy and the cut of `copytruncate` the copy is no file of its own: its bytes
        // are those of the current one.
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
