//! What a reader does next where a generation has nothing more for it: tell something, go on to the
//! next, or wait. Pure: what it knows of where it stands is values.

use crate::source::file::generation::Link;
use crate::source::marker::Missing;

/// Where a reader stands when it has read all that there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// No other file comes after this one.
    pub(super) is_newest: bool,
    /// There is no file here.
    pub(super) is_void: bool,
    /// What comes next, and whether that is no file.
    pub(super) next: Option<(Link, bool)>,
    /// A later file had something to read already before it was found that nothing is left in this
    /// one. Only then may this one be left: its last line may be written after that, before the
    /// first one of the next.
    pub(super) led: bool,
    /// A later file has something to read by now.
    pub(super) leads: bool,
    /// Why there is no file now.
    pub(super) missing: Option<Missing>,
    /// Which of these was told, and that there is one again was not.
    pub(super) told_missing: Option<Missing>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Find the way on to the next newer file: nobody has yet.
    Find,
    /// Tell that there is no file.
    TellMissing(Missing),
    /// Tell that there is one again: the very `same`, or one that comes next.
    TellFound { same: bool },
    /// Go to the oldest generation that is kept, and tell that something is lost.
    GiveUp,
    /// Go to the start of the same file, which was cut or written over, and tell so.
    Restart,
    /// Go on in the next file, and tell so if it `is_file`.
    Rotate {
        gap: bool,
        start: u64,
        is_file: bool,
    },
    /// Read here once more, and then go on.
    Again,
    /// Wait for something new.
    Wait,
}

/// Whether a generation has to be left before anything is read of it: it was given up, or it is
/// `over`. It may be both.
pub(super) fn ended(is_expired: bool, is_over: bool, is_linked: bool) -> Option<Step> {
    match (is_expired, is_over) {
        (false, false) => None,
        (false, true) if is_linked => Some(Step::Restart),
        _ => Some(Step::GiveUp),
    }
}

/// Where nothing is left to read.
pub(super) fn step(at: Standing) -> Step {
    if !at.is_newest && at.next.is_none() {
        return Step::Find;
    }
    if let Some(cause) = at.missing
        && at.missing != at.told_missing
        && !at.leads
    {
        return Step::TellMissing(cause);
    }
    if at.told_missing.is_some() && at.missing.is_none() {
        let same = at.next.is_none();
        return Step::TellFound { same };
    }
    match at.next {
        Some((Link::Truncated, _)) => Step::Restart,
        Some((Link::Rotated { gap, start }, is_void)) if at.is_void || is_void || at.led => {
            let is_file = !is_void;
            Step::Rotate {
                gap,
                start,
                is_file,
            }
        }
        Some(_) if at.leads => Step::Again,
        Some(_) | None => Step::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the end of the file that the name means.
    const AT: Standing = Standing {
        is_newest: true,
        is_void: false,
        next: None,
        led: false,
        leads: false,
        missing: None,
        told_missing: None,
    };

    /// At the end of one after which another file came, with nothing in it yet.
    const OLDER: Standing = Standing {
        is_newest: false,
        next: Some((
            Link::Rotated {
                gap: false,
                start: 0,
            },
            false,
        )),
        ..AT
    };

    const VOID: Standing = Standing {
        is_void: true,
        ..AT
    };

    #[test]
    fn at_the_end() {
        use Missing::{Absent, Unreadable};
        use Step::*;
        let rotate = |gap, start, is_file| Rotate {
            gap,
            start,
            is_file,
        };
        let link = |gap, start| Some((Link::Rotated { gap, start }, false));
        let (absent, unreadable) = (Some(Absent), Some(Unreadable));
        let gone = Standing {
            missing: absent,
            ..AT
        };
        let told = Standing {
            told_missing: absent,
            ..AT
        };
        let to_void = Some((
            Link::Rotated {
                gap: false,
                start: 0,
            },
            true,
        ));
        let table = [
            ("nothing new", AT, Wait),
            ("nothing there yet", VOID, Wait),
            (
                "the way on is not known",
                Standing {
                    next: None,
                    ..OLDER
                },
                Find,
            ),
            (
                "nor is it while there is no file",
                Standing {
                    next: None,
                    missing: absent,
                    ..OLDER
                },
                Find,
            ),
            // The next file.
            (
                "the next has nothing, and a writer may still be here",
                OLDER,
                Wait,
            ),
            (
                "the next has got something since",
                Standing {
                    leads: true,
                    ..OLDER
                },
                Again,
            ),
            (
                "the next had something before",
                Standing {
                    led: true,
                    leads: true,
                    ..OLDER
                },
                rotate(false, 0, true),
            ),
            (
                "something is missing before it",
                Standing {
                    next: link(true, 0),
                    led: true,
                    leads: true,
                    ..OLDER
                },
                rotate(true, 0, true),
            ),
            (
                "it is this one, edited",
                Standing {
                    next: link(false, 9),
                    led: true,
                    leads: true,
                    ..OLDER
                },
                rotate(false, 9, true),
            ),
            (
                "the first file comes",
                Standing {
                    is_newest: false,
                    next: link(false, 0),
                    ..VOID
                },
                rotate(false, 0, true),
            ),
            (
                "this one was let go",
                Standing {
                    next: to_void,
                    ..OLDER
                },
                rotate(false, 0, false),
            ),
            (
                "this one was cut",
                Standing {
                    next: Some((Link::Truncated, false)),
                    ..OLDER
                },
                Restart,
            ),
            // No file.
            ("it is gone", gone, TellMissing(Absent)),
            (
                "it was never there",
                Standing {
                    missing: absent,
                    ..VOID
                },
                TellMissing(Absent),
            ),
            (
                "that was told",
                Standing {
                    told_missing: absent,
                    ..gone
                },
                Wait,
            ),
            (
                "there is one that may not be read",
                Standing {
                    missing: unreadable,
                    ..told
                },
                TellMissing(Unreadable),
            ),
            (
                "another one came and went",
                Standing {
                    missing: absent,
                    ..OLDER
                },
                TellMissing(Absent),
            ),
            (
                "first what is in that one",
                Standing {
                    missing: absent,
                    leads: true,
                    ..OLDER
                },
                Again,
            ),
            (
                "and go on to it",
                Standing {
                    missing: absent,
                    led: true,
                    leads: true,
                    ..OLDER
                },
                rotate(false, 0, true),
            ),
            (
                "it was let go, and that is told",
                Standing {
                    missing: absent,
                    told_missing: absent,
                    next: to_void,
                    ..OLDER
                },
                rotate(false, 0, false),
            ),
            // There is one again.
            ("the same is back", told, TellFound { same: true }),
            (
                "another is there",
                Standing {
                    told_missing: absent,
                    ..OLDER
                },
                TellFound { same: false },
            ),
            (
                "first of all it is told",
                Standing {
                    told_missing: absent,
                    led: true,
                    leads: true,
                    ..OLDER
                },
                TellFound { same: false },
            ),
        ];
        for (case, at, want) in table {
            assert_eq!(step(at), want, "{case}");
        }
    }

    #[test]
    fn before_anything_is_read() {
        let table = [
            ((false, false, false), None),
            ((false, false, true), None),
            ((false, true, true), Some(Step::Restart)),
            ((false, true, false), Some(Step::GiveUp)),
            ((true, false, true), Some(Step::GiveUp)),
            ((true, false, false), Some(Step::GiveUp)),
            ((true, true, true), Some(Step::GiveUp)),
            ((true, true, false), Some(Step::GiveUp)),
        ];
        for ((is_expired, is_over, is_linked), want) in table {
            let case = (is_expired, is_over, is_linked);
            assert_eq!(ended(is_expired, is_over, is_linked), want, "{case:?}");
        }
    }
}
