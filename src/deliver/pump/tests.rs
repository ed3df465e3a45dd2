//! What a client is sent, in which order, and when it is let go: scripts and what the pump makes of
//! them.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};
use std::time::{Duration, Instant};

use super::scripted::Step::{Beat, Begin, Fails, Gives, Says, Takes, Together, Waits, Warm};
use super::scripted::{ALL, Form, Say, Scene, Step};
use super::*;
use crate::deliver::websocket::closing;
use crate::http::close::SEND_TIME;
use crate::source::cache::CHUNK;
use crate::source::marker::Missing;

/// A script: after each step, what the client has taken since the one before; at the last one the
/// end, and the code that a WebSocket is closed with.
struct Script {
    what: &'static str,
    form: Form,
    steps: &'static [(Step, &'static str)],
    end: (End, Option<u16>),
}

const LEFT: (End, Option<u16>) = (End::Left, None);
const BROKEN: (End, Option<u16>) = (End::Broken(1002), Some(1002));
const SILENT: (End, Option<u16>) = (End::Silent, Some(1008));
const RESET: (End, Option<u16>) = (End::Reset, None);
const SHUTDOWN: (End, Option<u16>) = (End::Shutdown, Some(1001));
const UNREADABLE: (End, Option<u16>) = (End::Unreadable, Some(1011));

impl Script {
    fn play(&self, mut scene: Scene) {
        for (at, (step, want)) in self.steps.iter().enumerate() {
            assert_eq!(scene.end, None, "{}: before step {at}", self.what);
            scene.act(*step);
            assert_eq!(&scene.settle(), want, "{}: step {at}, {step:?}", self.what);
        }
        let end = scene.end.expect(self.what);
        let code = closing(end).map(|(code, _)| code.into());
        assert_eq!((end, code), self.end, "{}", self.what);
    }
}

const BYE: (Step, &str) = (Says(Say::Bye), "");

/// Sixteen bytes are kept of the source.
const SCRIPTS: &[Script] = &[
    Script {
        what: "what comes goes out at once",
        form: Form::Bytes,
        steps: &[
            (Begin, ""),
            (Gives("one"), "one"),
            (Gives("two"), "two"),
            BYE,
        ],
        end: LEFT,
    },
    Script {
        what: "what is not taken waits, and what comes then stands behind it",
        form: Form::Bytes,
        steps: &[
            (Takes(4), ""),
            (Gives("abcdefgh"), "abcd"),
            (Gives("ij"), ""),
            (Takes(0), ""),
            (Takes(2), "ef"),
            (Takes(ALL), "ghij"),
            BYE,
        ],
        end: LEFT,
    },
    Script {
        what: "who has not taken what was sent is not heard",
        form: Form::Bytes,
        steps: &[
            (Takes(1), ""),
            (Gives("ab"), "a"),
            (Says(Say::Ping), ""),
            (Says(Say::Bye), ""),
            (Takes(ALL), "b<pong>"),
        ],
        end: LEFT,
    },
    Script {
        what: "what was lost meanwhile is told behind what was sent",
        form: Form::Bytes,
        steps: &[
            (Takes(2), ""),
            (Gives("abcdefgh"), "ab"),
            (Gives("0123456789"), ""),
            (Gives("ABCDEFGHIJ"), ""),
            (Takes(ALL), "cdefgh<lost 4>456789ABCDEFGHIJ"),
            BYE,
        ],
        end: LEFT,
    },
    Script {
        what: "gone and there again",
        form: Form::Bytes,
        steps: &[
            (Gives("a"), "a"),
            (Step::Missing(Some(Missing::Absent)), "<missing>"),
            (Beat, "<ping>"),
            (Step::Missing(None), "<found><rotated>"),
            (Gives("b"), "b"),
            BYE,
        ],
        end: LEFT,
    },
    Script {
        what: "all at once: what is new goes first, then who speaks is answered, and nobody is forgotten",
        form: Form::Bytes,
        steps: &[
            (Begin, ""),
            (
                Together(&[Beat, Gives("a"), Says(Say::Ping), Says(Say::Ping)]),
                "a<pong><pong><ping>",
            ),
            BYE,
        ],
        end: LEFT,
    },
    Script {
        what: "a socket that takes a part of an answer has it whole before more",
        form: Form::Bytes,
        steps: &[
            (Takes(3), ""),
            (Says(Say::Ping), "<po"),
            (Gives("a"), ""),
            (Takes(ALL), "ng>a"),
            BYE,
        ],
        end: LEFT,
    },
    Script {
        what: "pieces as large as the transport takes them",
        form: Form::Most(3),
        steps: &[(Gives("abcdefgh"), "abc|def|gh|"), (Gives("i"), "i|"), BYE],
        end: LEFT,
    },
    Script {
        what: "what the transport has taken goes out before more is read",
        form: Form::Later(2),
        steps: &[
            (Takes(1), ""),
            (Gives("abcde"), "a"),
            (Gives("fg"), ""),
            (Takes(ALL), "b|cd|e|fg|"),
            BYE,
        ],
        end: LEFT,
    },
    Script {
        what: "half a line waits for its end, and no longer than its second",
        form: Form::Lines,
        steps: &[
            (Gives("one\ntw"), "[one]"),
            (Gives("o\nthr"), "[two]"),
            (Waits, "[thr]"),
            (Gives("ee\n"), "[ee]"),
            BYE,
        ],
        end: LEFT,
    },
    Script {
        what: "what could not be passed on in time goes with the next byte",
        form: Form::Lines,
        steps: &[(Gives("\r"), ""), (Waits, ""), (Gives("x"), "[\rx]"), BYE],
        end: LEFT,
    },
    Script {
        what: "three beats without an answer",
        form: Form::Bytes,
        steps: &[(Begin, ""), (Beat, "<ping>"), (Beat, "<ping>"), (Beat, "")],
        end: SILENT,
    },
    Script {
        what: "who answers is not silent",
        form: Form::Bytes,
        steps: &[
            (Begin, ""),
            (Beat, "<ping>"),
            (Beat, "<ping>"),
            (Says(Say::Pong), ""),
            (Beat, "<ping>"),
            (Beat, "<ping>"),
            (Gives("a"), "a"),
            (Beat, ""),
        ],
        end: SILENT,
    },
    Script {
        what: "beats do not count while it can't be heard, and are one then",
        form: Form::Bytes,
        steps: &[
            (Begin, ""),
            (Beat, "<ping>"),
            (Beat, "<ping>"),
            (Takes(1), ""),
            (Gives("ab"), "a"),
            (Beat, ""),
            (Beat, ""),
            (Beat, ""),
            (Takes(ALL), "b<ping>"),
            (Beat, "<ping>"),
            (Beat, ""),
        ],
        end: SILENT,
    },
    Script {
        what: "a rule is broken",
        form: Form::Bytes,
        steps: &[(Gives("a"), "a"), (Says(Say::Wrong(1002)), "")],
        end: BROKEN,
    },
    Script {
        what: "the end of the server",
        form: Form::Bytes,
        steps: &[(Gives("a"), "a"), (Step::Shutdown, "")],
        end: SHUTDOWN,
    },
    Script {
        what: "the end of the server does not wait for who takes nothing",
        form: Form::Bytes,
        steps: &[(Takes(1), ""), (Gives("ab"), "a"), (Step::Shutdown, "")],
        end: SHUTDOWN,
    },
    Script {
        what: "it fails while it is waited for",
        form: Form::Bytes,
        steps: &[
            (Takes(1), ""),
            (Gives("ab"), "a"),
            (Fails(ConnectionReset), ""),
        ],
        end: RESET,
    },
    Script {
        what: "it fails at what the transport still had",
        form: Form::Later(2),
        steps: &[
            (Takes(1), ""),
            (Gives("abcde"), "a"),
            (Together(&[Takes(ALL), Fails(BrokenPipe)]), ""),
        ],
        end: RESET,
    },
];

#[test]
fn what_a_client_is_sent_and_when_it_is_let_go() {
    for script in SCRIPTS {
        script.play(Scene::new(script.form, SEND_TIME, 16, None));
    }
}

/// A disk that takes its time holds up nobody, and does not end the talk with the client.
#[test]
fn while_the_disk_is_waited_for() {
    for (steps, end) in [
        (
            &[
                (Begin, ""),
                (Says(Say::Ping), "<pong>"),
                (Beat, "<ping>"),
                (
                    Together(&[Says(Say::Ping), Says(Say::Ping)]),
                    "<pong><pong>",
                ),
                (Warm(Ok(())), "cold"),
                BYE,
            ][..],
            LEFT,
        ),
        (&[(Begin, ""), BYE], LEFT),
        (&[(Begin, ""), (Says(Say::Wrong(1002)), "")], BROKEN),
        (
            &[(Begin, ""), (Beat, "<ping>"), (Beat, "<ping>"), (Beat, "")],
            SILENT,
        ),
        (&[(Begin, ""), (Step::Shutdown, "")], SHUTDOWN),
        (&[(Begin, ""), (Fails(BrokenPipe), ""), (Beat, "")], RESET),
        (
            &[(Begin, ""), (Warm(Err(io::ErrorKind::Other)), "")],
            UNREADABLE,
        ),
    ] {
        let script = Script {
            what: "cold",
            form: Form::Bytes,
            steps,
            end,
        };
        script.play(Scene::new(Form::Bytes, SEND_TIME, 16, Some("cold")));
    }
}

/// A socket that fails is met by the next thing that is written to it, whatever that is.
#[test]
fn a_socket_that_fails() {
    for (kind, end) in [
        (BrokenPipe, End::Reset),
        (ConnectionReset, End::Reset),
        // The kernel has waited long enough for the other side.
        (TimedOut, End::Slow),
    ] {
        for step in [
            Gives("a"),
            Step::Missing(Some(Missing::Unreadable)),
            Beat,
            Says(Say::Ping),
        ] {
            let mut scene = Scene::new(Form::Bytes, SEND_TIME, 16, None);
            scene.act(Fails(kind));
            assert_eq!((scene.settle().as_str(), scene.end), ("", None));
            scene.act(step);
            scene.settle();
            assert_eq!(scene.end, Some(end), "{kind:?} at {step:?}");
        }
    }
}

#[test]
fn who_takes_nothing_is_let_go_when_the_time_is_over() {
    let limit = Duration::from_millis(50);
    for room in 0..3 {
        let begun = Instant::now();
        let mut scene = Scene::new(Form::Bytes, limit, 16, None);
        scene.act(Takes(room));
        scene.act(Gives("abc"));
        assert_eq!(scene.settle(), "abc"[..room]);
        assert_eq!(scene.end, None);
        scene.act(Waits);
        assert_eq!(scene.settle(), "");
        assert_eq!(scene.end, Some(End::Slow));
        assert_eq!(closing(End::Slow).map(|(code, _)| code.into()), Some(1008));
        assert!(begun.elapsed() >= limit);
    }
}

#[test]
fn a_byte_is_counted_once() {
    let mut scene = Scene::new(Form::Most(3), SEND_TIME, 16, None);
    scene.act(Gives("abcdefgh"));
    scene.settle();
    assert_eq!(scene.shared.metrics.bytes.get(), 8);
}

/// By turns: a full chunk each, whatever else there is to be done, and one thing that the client
/// says.
#[test]
fn one_client_leaves_the_others_their_turns() {
    let mut scene = Scene::new(Form::Bytes, SEND_TIME, 4 * CHUNK, None);
    scene.history.push(&vec![b'x'; 3 * CHUNK + 5]);
    let length = |taken: Option<Vec<u8>>| taken.map(|taken| taken.len());
    assert_eq!(length(scene.turn()), Some(CHUNK));
    scene.act(Beat);
    assert_eq!(length(scene.turn()), Some("<ping>".len() + CHUNK));
    scene.act(Says(Say::Ping));
    assert_eq!(length(scene.turn()), Some("<pong>".len()));
    assert_eq!(length(scene.turn()), Some(CHUNK));
    assert_eq!(length(scene.turn()), Some(5), "and it sleeps");
    assert_eq!(scene.turn(), None);
    assert_eq!(scene.shared.metrics.bytes.get(), 3 * CHUNK as u64 + 5);
    for _ in 0..3 {
        scene.act(Says(Say::Ping));
    }
    for _ in 0..3 {
        assert_eq!(scene.turn().unwrap(), b"<pong>");
    }
    scene.settle();
    scene.history.push(&vec![b'x'; 3 * CHUNK]);
    assert_eq!(length(scene.turn()), Some(CHUNK));
    scene.act(Step::Shutdown);
    assert_eq!(scene.turn(), Some(Vec::new()), "it does not catch up first");
    assert_eq!(scene.end, Some(End::Shutdown));
}
