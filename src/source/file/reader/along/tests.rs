//! Where each step leads, and what is told on the way, as tables.

use std::fmt::Write;
use std::io;
use std::rc::Rc;

use crate::source::file::generation::{Generation, Link};
use crate::source::file::reader::along::{Position, Warmed};
use crate::source::file::reader::step::{Standing, Step};
use crate::source::marker::{Marker, Missing};

/// A generation of so many bytes, with no file behind it; of inode 0 it is void.
fn alone(inode: u64, end: u64) -> Generation {
    let mut generation = Generation::void(inode);
    generation.id.inode = inode;
    generation.end.set(end);
    generation
}

fn generation(inode: u64, end: u64) -> Rc<Generation> {
    Rc::new(alone(inode, end))
}

fn rotated(gap: bool, start: u64) -> Link {
    Link::Rotated { gap, start }
}

fn link(from: &Generation, link: Link, next: &Rc<Generation>) {
    *from.next.borrow_mut() = Some((link, next.clone()));
}

/// Where a reader is: `INODE-OFFSET`, what it carries with it, and what it has to tell.
fn shown(at: &Position) -> String {
    let mut shown = format!("{:x}-{:x}", at.generation.id.inode, at.offset);
    if at.skipped > 0 {
        write!(shown, " skipped:{}", at.skipped).unwrap();
    }
    if at.warmed.is_some() {
        shown += " warmed";
    }
    for marker in &at.told {
        write!(shown, " {}", marker.name()).unwrap();
        if let Some(cursor) = marker.cursor() {
            write!(shown, "={cursor}").unwrap();
        }
        match marker {
            Marker::Truncated(_, bytes) | Marker::Skipped(_, bytes) => {
                write!(shown, ":{bytes}").unwrap();
            }
            Marker::Missing(cause, times) => write!(shown, ":{}:{times}", cause.name()).unwrap(),
            Marker::Rotated(_) | Marker::Lost(..) | Marker::Found => {}
        }
    }
    shown
}

/// In the midst of a file of 25 bytes, after which file 8 comes, with NULs passed over and bytes
/// read beforehand.
fn midst() -> Position {
    let here = generation(7, 25);
    link(&here, rotated(false, 0), &generation(8, 3));
    let mut at = Position::new(here, 10);
    at.skipped = 5;
    at.warmed = Some(Warmed {
        at: 10,
        bytes: vec![b'x'],
        led: false,
    });
    at
}

#[test]
fn each_step_leads_somewhere_and_tells_what_it_should() {
    use Missing::{Absent, Unreadable};
    let here = "7-a skipped:5 warmed";
    let rotate = |gap, start, is_file| Step::Rotate {
        gap,
        start,
        is_file,
    };
    let table = [
        (Step::Find, false, here.to_owned()),
        (Step::Wait, false, here.to_owned()),
        (Step::Again, true, here.to_owned()),
        (
            Step::TellMissing(Absent),
            true,
            format!("{here} missing:absent:1"),
        ),
        (
            Step::TellMissing(Unreadable),
            true,
            format!("{here} missing:unreadable:1"),
        ),
        (
            Step::TellFound { same: false },
            true,
            format!("{here} found"),
        ),
        (
            Step::TellFound { same: true },
            true,
            format!("{here} found rotated=7-a"),
        ),
        (Step::GiveUp, true, "9-0 lost=9-0-811c9dc5".to_owned()),
        (
            Step::Restart,
            true,
            "8-0 truncated=8-0-811c9dc5:15".to_owned(),
        ),
        (
            rotate(false, 0, true),
            true,
            "8-0 rotated=8-0-811c9dc5".to_owned(),
        ),
        (
            rotate(true, 2, true),
            true,
            "8-2 lost=8-2 rotated=8-2".to_owned(),
        ),
        (rotate(false, 0, false), true, "8-0".to_owned()),
        (rotate(true, 0, false), true, "8-0".to_owned()),
    ];
    for (step, more, want) in table {
        let mut at = midst();
        let took = at.take(step, Some(generation(9, 1))).unwrap();
        assert_eq!((took, shown(&at)), (more, want), "{step:?}");
    }
}

#[test]
fn where_no_generation_is_kept_there_is_nowhere_to_go() {
    let mut at = midst();
    let failed = at.take(Step::GiveUp, None).map_err(|error| error.kind());
    assert_eq!(failed, Err(io::ErrorKind::NotFound));
    assert_eq!(shown(&at), "7-a skipped:5 warmed");
}

/// Padding was read as content, and cut off.
#[test]
fn a_reader_behind_the_content_has_lost_none_of_it() {
    let mut at = midst();
    at.offset = 30;
    at.take(Step::Restart, None).unwrap();
    assert_eq!(shown(&at), "8-0 truncated=8-0-811c9dc5:0");
}

#[test]
fn where_a_reader_stands() {
    let missing = Some(Missing::Absent);
    let end = Standing {
        is_newest: false,
        is_void: false,
        next: None,
        led: false,
        leads: false,
        missing: None,
        told_missing: None,
    };
    let next = Some((rotated(true, 4), false));
    let table: [(&str, Position, Standing); 6] = [
        ("at the end", Position::new(generation(7, 9), 9), end),
        (
            "before any file",
            Position::new(generation(0, 0), 0),
            Standing {
                is_void: true,
                ..end
            },
        ),
        (
            "another file, empty",
            ahead(&[(7, 9), (8, 0)]),
            Standing { next, ..end },
        ),
        (
            "another one, with something in it",
            ahead(&[(7, 9), (8, 1)]),
            Standing {
                next,
                leads: true,
                ..end
            },
        ),
        (
            "something in a third one",
            ahead(&[(7, 9), (8, 0), (9, 1)]),
            Standing {
                next,
                leads: true,
                ..end
            },
        ),
        (
            "no file any more",
            ahead(&[(7, 9), (0, 0)]),
            Standing {
                next: Some((rotated(true, 4), true)),
                ..end
            },
        ),
    ];
    for (case, at, want) in table {
        assert_eq!(at.standing(false, false, None), want, "{case}");
    }
    let mut at = Position::new(generation(7, 9), 9);
    let handed_in = Standing {
        is_newest: true,
        led: true,
        missing,
        ..end
    };
    assert_eq!(at.standing(true, true, missing), handed_in);
    at.take(Step::TellMissing(Missing::Absent), None).unwrap();
    assert_eq!(at.standing(false, false, None).told_missing, missing);
    at.take(Step::TellFound { same: false }, None).unwrap();
    assert_eq!(at.standing(false, false, None).told_missing, None);
}

/// At the start of the first of these, each of them `(inode, end)` and linked to the one before.
fn ahead(chain: &[(u64, u64)]) -> Position {
    let generations = chain.iter().map(|&(inode, end)| generation(inode, end));
    let generations: Vec<_> = generations.collect();
    for pair in generations.windows(2) {
        link(&pair[0], rotated(true, 4), &pair[1]);
    }
    Position::new(generations[0].clone(), 0)
}

#[test]
fn a_generation_that_has_ended_is_left() {
    let table = [
        ((false, false, true), None),
        ((false, true, true), Some(Step::Restart)),
        ((false, true, false), Some(Step::GiveUp)),
        ((true, false, true), Some(Step::GiveUp)),
    ];
    for ((is_expired, is_over, is_linked), want) in table {
        let here = generation(7, 9);
        if is_linked {
            link(&here, Link::Truncated, &generation(7, 0));
        }
        here.expired.set(is_expired);
        here.over.set(is_over);
        let case = (is_expired, is_over, is_linked);
        assert_eq!(Position::new(here, 3).ended(), want, "{case:?}");
    }
}

#[test]
fn a_rotated_file_is_linked_to_what_was_found() {
    let table = [
        (Ok((alone(8, 1), false)), Some(9), Some((8, false))),
        (Ok((alone(8, 1), true)), Some(9), Some((8, true))),
        (Err(false), Some(9), Some((9, false))),
        (Err(true), Some(9), Some((9, true))),
        (Err(true), None, None),
    ];
    for (row, (found, last, want)) in table.into_iter().enumerate() {
        let at = Position::new(generation(7, 25), 25);
        at.link(found, last.map(|inode| generation(inode, 1)));
        let next = at.generation.next();
        let next = next.map(|(link, next)| (link, next.id.inode));
        let want = want.map(|(inode, gap)| (rotated(gap, 0), inode));
        assert_eq!(next, want, "row {row}");
    }
}

#[test]
fn nuls_that_were_passed_over_are_told_once() {
    let mut at = midst();
    assert!(at.tell_skipped());
    assert_eq!(shown(&at), "7-a warmed skipped=7-a:5");
    assert!(!at.tell_skipped());
    assert_eq!(shown(&at), "7-a warmed skipped=7-a:5");
}

#[test]
fn a_place_is_checked_at_a_start_alone() {
    for (inode, offset, want) in [
        (0, 0, "0-0"),
        (0, 3, "0-0"),
        (7, 0, "7-0-811c9dc5"),
        (7, 3, "7-3"),
    ] {
        let at = Position::new(generation(inode, 9), offset);
        assert_eq!(at.cursor_unchecked().to_string(), want);
    }
}
