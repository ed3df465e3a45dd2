//! The sources as they are written on the command line. Pure: no runtime, no file, no socket.

use std::path::PathBuf;

use crate::source::buffer::serial::{Frame, Serial};
use crate::source::error::SpecError;
use crate::source::name::{Wish, names};

/// Standard input.
pub const INPUT: &str = "-";

/// A SOURCE by its words; what stands at its path is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name in URLs.
    pub name: String,
    /// That name was given, not made of the path.
    pub given: bool,
    /// The part of the path that stands before its last one in a name made of it, where others end
    /// alike.
    pub apart: Option<String>,
    /// What it stands for.
    pub kind: SpecKind,
}

/// What a SOURCE stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecKind {
    /// `PATH`: whatever stands there, or a glob.
    Path(PathBuf),
    /// `newest:GLOB`: the newest of the files that match.
    Newest(PathBuf),
    /// `sample:PATH`: a file that holds one reading.
    Sample(PathBuf),
    /// `PATH,baud=N`, `PATH,7e1` or both: a serial line, and what is said of it.
    Serial(PathBuf, Serial),
    /// `nats://HUB/SUBJECT`: streams of other boards.
    Remote(String),
    /// `-`: standard input.
    Input,
    /// Nothing: this machine's vitals.
    Vitals,
}

/// What a URL of a hub begins with.
const REMOTE_PREFIX: &str = "nats://";

/// The prefix of a glob of which the newest file counts.
const NEWEST_PREFIX: &str = "newest:";

/// The prefix of a path that holds one reading.
const SAMPLE_PREFIX: &str = "sample:";

/// The sources, each with a name of its own. A name that was given stays as it is; paths that end
/// alike are told apart by what is different in them, and by a number where nothing is. None at all
/// are the vitals.
///
/// # Errors
/// Where a SOURCE has no path, or standard input is named twice.
pub fn sources(texts: &[String]) -> Result<Vec<Spec>, SpecError> {
    let mut words = Vec::new();
    for text in texts {
        let (given, rest) = match text.split_once('=') {
            Some((name, rest)) if is_name(name) => (Some(name), rest),
            _ => (None, text.as_str()),
        };
        let (kind, path) = kind(rest)?;
        if path.is_empty() {
            return Err(SpecError::NoPath(text.clone()));
        }
        let is_input = |word: &(_, SpecKind, _)| word.1 == SpecKind::Input;
        if kind == SpecKind::Input && words.iter().any(is_input) {
            return Err(SpecError::InputTwice);
        }
        let given = given.or((kind == SpecKind::Input).then_some("stdin"));
        words.push((given, kind, path));
    }
    let wishes: Vec<Wish> = words.iter().map(|word| Wish::new(word.0, word.2)).collect();
    let names = names(&wishes);
    let mut sources: Vec<Spec> = words
        .into_iter()
        .zip(names)
        .map(|((given, kind, _), (name, apart))| Spec {
            name,
            given: given.is_some() && kind != SpecKind::Input,
            apart,
            kind,
        })
        .collect();
    if sources.is_empty() {
        sources.push(Spec {
            name: "vitals".to_owned(),
            given: false,
            apart: None,
            kind: SpecKind::Vitals,
        });
    }
    Ok(sources)
}

/// Whether what stands before the first `=` is a name, not the beginning of a path.
fn is_name(text: &str) -> bool {
    let prefixes = [SAMPLE_PREFIX, NEWEST_PREFIX];
    let is_prefixed = prefixes.iter().any(|prefix| text.starts_with(prefix));
    let is_path = text.contains('/') || is_prefixed || text.ends_with(",baud");
    !text.is_empty() && !is_path
}

/// What a SOURCE without its name stands for, and its path.
fn kind(text: &str) -> Result<(SpecKind, &str), SpecError> {
    if text == INPUT {
        return Ok((SpecKind::Input, text));
    }
    if text.starts_with(REMOTE_PREFIX) {
        return Ok((SpecKind::Remote(text.to_owned()), text));
    }
    if let Some((scheme, _)) = text.split_once("://")
        && !scheme.contains('/')
    {
        return Err(SpecError::NoSource(format!("{scheme}://")));
    }
    if let Some(path) = text.strip_prefix(NEWEST_PREFIX) {
        return Ok((SpecKind::Newest(path.into()), path));
    }
    if let Some(path) = text.strip_prefix(SAMPLE_PREFIX) {
        return Ok((SpecKind::Sample(path.into()), path));
    }
    let (mut path, mut serial) = (text, Serial::default());
    while let Some((rest, said)) = path.rsplit_once(',') {
        if let Some(baud) = said.strip_prefix("baud=") {
            let speed = baud.parse().ok().filter(|&baud: &u32| baud > 0);
            serial.baud = Some(speed.ok_or_else(|| SpecError::NoSpeed(baud.to_owned()))?);
        } else if let Some(frame) = Frame::parse(said) {
            serial.frame = Some(frame);
        } else {
            break;
        }
        path = rest;
    }
    if serial == Serial::default() {
        Ok((SpecKind::Path(text.into()), text))
    } else {
        Ok((SpecKind::Serial(path.into(), serial), path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(texts: &[&str]) -> Result<Vec<Spec>, SpecError> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        sources(&texts)
    }

    fn baud(baud: u32) -> Serial {
        Serial {
            baud: Some(baud),
            frame: None,
        }
    }

    #[test]
    fn serial_lines() {
        let frame = Frame::parse("7e1");
        for (text, baud, frame) in [
            ("/dev/ttyUSB0,baud=9600,7e1", Some(9600), frame),
            ("/dev/ttyUSB0,7E1,baud=9600", Some(9600), frame),
            ("/dev/ttyUSB0,7e1", None, frame),
            ("meter=/dev/ttyUSB0,baud=300,7e1", Some(300), frame),
        ] {
            let kind = named(&[text]).unwrap().remove(0).kind;
            let serial = Serial { baud, frame };
            assert_eq!(
                kind,
                SpecKind::Serial("/dev/ttyUSB0".into(), serial),
                "{text}"
            );
        }
        // A comma is a letter of a name as well as any.
        let kind = named(&["a,b,9z1"]).unwrap().remove(0).kind;
        assert_eq!(kind, SpecKind::Path("a,b,9z1".into()));
    }

    #[test]
    fn names_of_sources() {
        let path = |path: &str| SpecKind::Path(path.into());
        let want = [
            ("/var/log/a.log", "log:a.log", path("/var/log/a.log")),
            ("b=/x/y=z", "b", path("/x/y=z")),
            ("./c=d", "c=d", path("./c=d")),
            ("/other/a.log", "other:a.log", path("/other/a.log")),
            ("a.log", "a.log", path("a.log")),
            ("=e", "=e", path("=e")),
            ("b=q", "b-2", path("q")),
            (
                "sample:/run/temp",
                "temp",
                SpecKind::Sample("/run/temp".into()),
            ),
            ("sample:x=y", "x=y", SpecKind::Sample("x=y".into())),
            (
                "hot=sample:/run/temp",
                "hot",
                SpecKind::Sample("/run/temp".into()),
            ),
            (
                "newest:/data/*.csv",
                "*.csv",
                SpecKind::Newest("/data/*.csv".into()),
            ),
            (
                "day=newest:/data/a=*.csv",
                "day",
                SpecKind::Newest("/data/a=*.csv".into()),
            ),
            ("./sample:x", "sample:x", path("./sample:x")),
            (
                "gps=/dev/ttyS0,baud=9600",
                "gps",
                SpecKind::Serial("/dev/ttyS0".into(), baud(9600)),
            ),
            (
                "/dev/ttyS1,baud=115200",
                "ttyS1",
                SpecKind::Serial("/dev/ttyS1".into(), baud(115_200)),
            ),
            (
                "ttyS2,baud=1",
                "ttyS2",
                SpecKind::Serial("ttyS2".into(), baud(1)),
            ),
            ("-", "stdin", SpecKind::Input),
            ("./x://y", "y", path("./x://y")),
        ];
        let texts: Vec<&str> = want.iter().map(|(text, ..)| *text).collect();
        let got = named(&texts).unwrap();
        for (got, (text, name, kind)) in got.into_iter().zip(want) {
            assert_eq!((got.name.as_str(), &got.kind), (name, &kind), "{text}");
        }
        assert_eq!(named(&["in=-"]).unwrap()[0].name, "in");
        assert_eq!(named(&[]).unwrap()[0].kind, SpecKind::Vitals);
        for texts in [
            &["name="][..],
            &[""],
            &["sample:"],
            &["newest:"],
            &["x=sample:"],
            &[",baud=9600"],
            &["/dev/ttyS0,baud=fast"],
            &["/dev/ttyS0,baud=0"],
            &["-", "again=-"],
            &["mqtt://broker:1883/tailcast/pi1/a.log"],
            &["log=https://pi1/stream/a.log"],
        ] {
            assert!(named(texts).is_err(), "{texts:?}");
        }
    }
}
