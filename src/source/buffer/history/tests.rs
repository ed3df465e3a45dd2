//! What a history keeps, what each reader gets of it, and what is said of the rest.

use std::task::{Context, Waker};

use super::*;
use crate::bytes::cursor::From;
use crate::source::cache::ReadCache;
use crate::source::marker::{Lost, Marker, Next};

/// Where a reader begins.
#[derive(Clone, Copy, Debug)]
enum At {
    Start,
    End,
    Lines(u64),
    /// A cursor of this history, as a client has it that has seen all bytes up to there.
    Seen(u64),
    /// One without a check.
    Bare(u64),
    /// One whose check does not fit.
    Other(u64),
    /// One of another run.
    Before(u64),
}

impl At {
    /// In a history that was given `all`.
    fn from(self, history: &History, all: &[u8]) -> From {
        let seen = |offset: u64| {
            let end = usize::try_from(offset).unwrap().min(all.len());
            let span = usize::try_from(CHECK_SPAN).unwrap();
            Cursor::new(history.id(), offset, &all[end.saturating_sub(span)..end])
        };
        match self {
            Self::Start => From::Start,
            Self::End => From::End,
            Self::Lines(count) => From::Lines(count),
            Self::Seen(offset) => From::Cursor(seen(offset)),
            Self::Bare(offset) => From::Cursor(Cursor {
                check: None,
                ..seen(offset)
            }),
            Self::Other(offset) => From::Cursor(Cursor {
                check: seen(offset).check.map(|check| !check),
                ..seen(offset)
            }),
            Self::Before(offset) => From::Cursor(Cursor {
                inode: !history.id(),
                ..seen(offset)
            }),
        }
    }
}

/// All that `playback` has next: the bytes as they are, the rest in brackets.
fn rest(playback: &mut Playback, cache: &mut ReadCache) -> String {
    let mut rest = String::new();
    loop {
        match playback.next(cache) {
            Next::Bytes => rest += str::from_utf8(cache.bytes()).unwrap(),
            Next::Marker(marker) => {
                if let Some(cursor) = marker.cursor() {
                    assert_eq!(cursor, playback.cursor_behind(0), "{marker:?}");
                }
                rest += &match marker {
                    Marker::Lost(_, Some(bytes)) => format!("<lost {bytes}>"),
                    Marker::Missing(cause, count) => format!("<{} {count}>", cause.name()),
                    _ => format!("<{}>", marker.name()),
                };
            }
            Next::Cold => panic!("memory is never cold"),
            Next::End => return rest,
        }
    }
}

fn open(history: &Rc<History>, from: From) -> Playback {
    Playback::open(history, history.listen(), from)
}

#[test]
fn what_is_kept_and_what_is_lost() {
    let nothing = &[""][..];
    let fits = &["abc\n", "def\n"][..];
    let over = &["abc\n", "def\n", "ghi\n"][..];
    let long = &["a", "0123456789"][..];
    for (pushed, at, want, lost) in [
        (nothing, At::Start, "", Lost::Nothing),
        (nothing, At::End, "", Lost::Nothing),
        (nothing, At::Lines(3), "", Lost::Nothing),
        (nothing, At::Seen(0), "", Lost::Nothing),
        (nothing, At::Before(0), "<lost>", Lost::Unknown),
        (nothing, At::Seen(1), "<lost>", Lost::Unknown),
        (fits, At::Start, "abc\ndef\n", Lost::Nothing),
        (fits, At::End, "", Lost::Nothing),
        (fits, At::Lines(1), "def\n", Lost::Nothing),
        (fits, At::Lines(0), "", Lost::Nothing),
        (fits, At::Lines(9), "abc\ndef\n", Lost::Nothing),
        (fits, At::Seen(0), "abc\ndef\n", Lost::Nothing),
        (fits, At::Seen(5), "ef\n", Lost::Nothing),
        (fits, At::Bare(5), "ef\n", Lost::Nothing),
        (fits, At::Seen(8), "", Lost::Nothing),
        (fits, At::Seen(9), "<lost>abc\ndef\n", Lost::Unknown),
        (fits, At::Bare(u64::MAX), "<lost>abc\ndef\n", Lost::Unknown),
        (fits, At::Other(5), "<lost>abc\ndef\n", Lost::Unknown),
        (fits, At::Before(5), "<lost>abc\ndef\n", Lost::Unknown),
        (over, At::Start, "def\nghi\n", Lost::Nothing),
        (over, At::Lines(2), "ghi\n", Lost::Nothing),
        (over, At::Seen(12), "", Lost::Nothing),
        // What the check covers is gone: the offset alone has to do.
        (over, At::Seen(6), "f\nghi\n", Lost::Nothing),
        (over, At::Other(6), "f\nghi\n", Lost::Nothing),
        (over, At::Seen(4), "def\nghi\n", Lost::Nothing),
        (over, At::Seen(3), "<lost 1>def\nghi\n", Lost::Bytes(1)),
        (over, At::Other(1), "<lost 3>def\nghi\n", Lost::Bytes(3)),
        (over, At::Bare(0), "<lost 4>def\nghi\n", Lost::Bytes(4)),
        (over, At::Before(0), "<lost>def\nghi\n", Lost::Unknown),
        (long, At::Start, "23456789", Lost::Nothing),
        (long, At::Seen(1), "<lost 2>23456789", Lost::Bytes(2)),
        (long, At::Seen(11), "", Lost::Nothing),
    ] {
        let history = History::new(1, 8);
        for piece in pushed.iter().filter(|piece| !piece.is_empty()) {
            history.push(piece.as_bytes());
        }
        let all = pushed.concat();
        let what = format!("{at:?} of {all:?}");
        assert_eq!(history.end(), all.len() as u64, "{what}");
        assert_eq!(history.held(), all.len().min(8) as u64, "{what}");
        let from = at.from(&history, all.as_bytes());
        let mut cache = ReadCache::default();
        assert_eq!(rest(&mut open(&history, from), &mut cache), want, "{what}");
        // A poll is told the same in one answer.
        let mut poll = open(&history, from);
        let bytes = want.rsplit('>').next().unwrap();
        assert_eq!(poll.available(), (bytes.len() as u64, lost), "{what}");
        assert_eq!(rest(&mut poll, &mut cache), bytes, "{what}");
    }
}

#[test]
fn a_cursor_has_its_check_as_long_as_what_it_covers_is_held() {
    let history = History::new(1, 100);
    let all: Vec<u8> = (0..=255).collect();
    for (pushed, offset, checked) in [
        (0, 0, true),
        (3, 0, true),
        (3, 3, true),
        (100, 64, true),
        (100, 100, true),
        (120, 84, true),
        (120, 83, false),
        (120, 20, false),
        (120, 19, false),
        (256, 256, true),
    ] {
        let have = usize::try_from(history.end()).unwrap();
        history.push(&all[have..pushed]);
        let end = usize::try_from(offset).unwrap();
        let check = fnv1a(&all[end.saturating_sub(64)..end]);
        assert_eq!(
            history.cursor(offset),
            Cursor {
                inode: history.id(),
                offset,
                check: checked.then_some(check)
            },
            "{offset} of {pushed}"
        );
    }
}

/// What happens to a history while somebody reads it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Push(&'static str),
    Missing(Option<Missing>),
    Fail(Option<Missing>),
    Nothing,
}

#[test]
fn what_a_reader_is_told_as_it_happens() {
    use Missing::{Absent, Unreadable};
    use Step::{Fail, Nothing, Push};
    for steps in [
        &[
            (Push("abcdefgh"), "abcdefgh"),
            (Push("i"), "i"),
            (Push("0123456789"), "<lost 2>23456789"),
        ][..],
        // It goes on where it was, however often it goes.
        &[
            (Push("a"), "a"),
            (Step::Missing(Some(Absent)), "<absent 0>"),
            (Step::Missing(Some(Absent)), ""),
            (Step::Missing(Some(Unreadable)), "<unreadable 0>"),
            (Step::Missing(None), "<found><rotated>"),
            (Step::Missing(Some(Absent)), "<absent 0>"),
            (Push("b"), "<found><rotated>b"),
        ],
        // A failing sensor is told of once a minute, and each time that it is there again after
        // that.
        &[
            (Fail(Some(Unreadable)), "<unreadable 1>"),
            (Fail(None), ""),
            (Fail(Some(Unreadable)), ""),
            (Push("a"), "<found><rotated>a"),
            (Fail(Some(Absent)), ""),
            (Push("b"), "b"),
        ],
        // It failed for want of memory or descriptors: that says nothing of the sensor.
        &[(Fail(None), ""), (Push("a"), "a"), (Fail(None), "")],
        &[(Nothing, ""), (Push(""), "")],
    ] {
        let history = History::new(1, 8);
        let mut cache = ReadCache::default();
        let mut playback = open(&history, From::End);
        let mut changed = playback.changed();
        let mut cx = Context::from_waker(Waker::noop());
        for (step, want) in steps {
            match *step {
                Push(text) => history.push(text.as_bytes()),
                Step::Missing(cause) => history.set_missing(cause),
                Fail(cause) => history.fail(cause),
                Nothing => {}
            }
            let rung = changed.poll_rung(&mut cx).is_ready();
            assert!(rung || want.is_empty(), "{step:?} wakes nobody");
            assert_eq!(&rest(&mut playback, &mut cache), want, "{step:?}");
        }
    }
}

#[test]
fn what_was_before_a_reader_is_not_its_own() {
    let mut cache = ReadCache::default();
    let history = History::new(1, 8);
    history.push(b"abc");
    for _ in 0..3 {
        history.fail(Some(Missing::Unreadable));
    }
    let mut late = open(&history, From::Start);
    assert_eq!(late.missing(), Some(Missing::Unreadable));
    assert_eq!(rest(&mut late, &mut cache), "abc<unreadable 0>");
    history.fail(Some(Missing::Unreadable));
    assert_eq!(rest(&mut late, &mut cache), "", "it knows");
}

/// A poll that is overrun after it began counts both losses.
#[test]
fn losses_add_up() {
    for (first, then, lost) in [
        (At::Seen(0), "", Lost::Bytes(4)),
        (At::Seen(0), "XYZ", Lost::Bytes(7)),
        (At::Start, "XYZ", Lost::Bytes(3)),
        (At::Before(0), "XYZ", Lost::Unknown),
    ] {
        let history = History::new(1, 8);
        let all = b"abcdefghijkl";
        history.push(all);
        let mut poll = open(&history, first.from(&history, all));
        history.push(then.as_bytes());
        assert_eq!(poll.available(), (8, lost), "{first:?}, then {then:?}");
    }
}

/// What is read from the source is found in the cache by all who are at the end, and copied for
/// those who are not.
#[test]
fn what_is_taken_stands_in_the_cache() {
    let mut cache = ReadCache::default();
    let history = History::new(7, 8);
    history.push(b"abc");
    history.set_missing(Some(Missing::Absent));
    let failed: Result<usize, &str> = history.take(&mut cache, |_| Err("broken"));
    assert_eq!(failed, Err("broken"));
    assert_eq!(history.take(&mut cache, |_| Ok::<_, ()>(0)), Ok(0));
    assert_eq!(history.end(), 3);
    assert_eq!(history.missing(), Some(Missing::Absent), "nothing came");
    let (mut behind, mut here) = (open(&history, From::Start), open(&history, From::End));
    let taken = history.take(&mut cache, |space| {
        space[..2].copy_from_slice(b"de");
        Ok::<_, ()>(2)
    });
    assert_eq!(taken, Ok(2));
    assert_eq!(history.missing(), None);
    assert!(history.written().is_some());
    let filling = cache.filling();
    assert_eq!(rest(&mut here, &mut cache), "de");
    assert_eq!(cache.filling(), filling + 1, "the look behind its end");
    assert_eq!(rest(&mut behind, &mut cache), "abcde");
}

#[test]
fn who_listens_is_counted_and_heard_of() {
    let history = History::new(1, 8);
    let joined = history.joined();
    assert_eq!(history.listeners(), 0);
    let (one, other) = (open(&history, From::End), history.listen());
    let heard = smol::block_on(futures_lite::future::poll_once(joined));
    assert_eq!(heard, Some(()));
    assert_eq!(history.listeners(), 2);
    drop(one);
    assert_eq!(history.listeners(), 1);
    drop(other);
    assert_eq!(history.listeners(), 0);
    assert_ne!(history.id(), 0, "that means: no file");
    assert_ne!(history.id(), History::new(1, 8).id(), "another run");
}
