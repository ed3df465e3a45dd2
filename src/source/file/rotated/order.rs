//! What a name has meant after a file that is to be left: in which order, and whether one may be
//! missing.

use std::cmp::Ordering;
use std::fs::File;

use crate::source::file::change::FileId;
use crate::source::file::path::FilePath;
use crate::source::file::rotated::content::begins;
use crate::source::file::rotated::directory::{Member, ordered, sorted};
use crate::source::file::rotated::{FITTING_MAX, Old};
use crate::source::file::rotated_name::RotatedName;

/// The files that the name meant after the `old` file and before file `now`, oldest first, each
/// with whether another may be missing before it; and whether one may be missing behind them.
pub(super) fn after(
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

/// The same where the `old` file itself is not there any more: those that came after its copy;
/// where there is none, those that were written later, if they belong beyond doubt. One may be
/// missing before the first of these.
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
    // Renamed when the old one had gone already: there was a rotation after it, whatever the clock
    // said when they were written.
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

/// Which of the `members`, the newest of them, is a copy of the `old` file, and whether of all of
/// it: of its beginning alone it may be something else. logrotate's `renamecopy` makes one and
/// deletes what it copied, as other tools do where a log is moved to another disk. Blocks.
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

/// Whether the times of two files say another order than their numbers: the clock was set back, an
/// old file was written late, or one of them is from another time. Which it was can't be known.
fn contradicts(older: &Member, newer: &Member) -> bool {
    older.rotated_name.is_numbered() && newer.seen.modified < older.seen.modified
}
