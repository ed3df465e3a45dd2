//! What can be wrong with a SOURCE: the sentence of each mistake.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a SOURCE can't be streamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecError {
    /// Nothing stands where its path should.
    NoPath(String),
    /// A URL of which the scheme is none that a stream is read by.
    NoSource(String),
    /// Standard input, a second time.
    InputTwice,
    /// What stands behind `,baud=` is no speed.
    NoSpeed(String),
    /// A glob that is none, and why.
    BrokenGlob(PathBuf, String),
    /// A name of which there can be no newest.
    NoWildcard(PathBuf),
    /// A directory.
    Directory(PathBuf),
    /// It may not be read; the cause.
    Unreadable(PathBuf, String),
    /// Neither a file nor something that gives bytes.
    NoStream(PathBuf),
    /// What is to be sampled is no file.
    NotAReading(PathBuf),
    /// What has a speed is no serial line.
    NotSerial(PathBuf),
}

impl SpecError {
    /// `path` may not be read.
    pub fn unreadable(path: &std::path::Path, error: &io::Error) -> Self {
        Self::Unreadable(path.to_owned(), cause(error))
    }

    /// Whether the words are wrong, whatever stands at the path.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoPath(_)
                | Self::NoSource(_)
                | Self::InputTwice
                | Self::NoSpeed(_)
                | Self::BrokenGlob(..)
                | Self::NoWildcard(_)
        )
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPath(text) => {
                write!(f, "`{text}` has no path; expected PATH or NAME=PATH")
            }
            Self::NoSource(scheme) if scheme == "mqtt://" => write!(
                f,
                "`mqtt://` is where streams go to, with `--to`; no stream is read from there"
            ),
            Self::NoSource(scheme) => write!(
                f,
                "no stream is read from `{scheme}`; expected a path, or `nats://HUB/SUBJECT`"
            ),
            Self::InputTwice => write!(f, "standard input can be named once"),
            Self::NoSpeed(text) => {
                write!(f, "`{text}` is no speed; expected one such as 115200")
            }
            Self::BrokenGlob(path, cause) => {
                write!(f, "`{}` is no glob: {cause}", path.display())
            }
            Self::NoWildcard(path) => write!(
                f,
                "`{}` has no wildcard, so it is one file; leave out `newest:`, or name several as in `newest:/data/*.csv`",
                path.display()
            ),
            Self::Directory(path) => write!(
                f,
                "`{}` is a directory; name a file in it, or all of them with a quoted glob such as `'{}'`",
                path.display(),
                path.join("*.log").display()
            ),
            Self::Unreadable(path, cause) => write!(
                f,
                "`{}` can't be read: {cause}; let this user read it, or run as one who may",
                path.display()
            ),
            Self::NoStream(path) => write!(
                f,
                "`{}` can't be streamed; a regular file, a FIFO or a character device can",
                path.display()
            ),
            Self::NotAReading(path) => write!(
                f,
                "`{}` is no regular file, so it can't be read again and again; leave out `sample:`",
                path.display()
            ),
            Self::NotSerial(path) => {
                write!(
                    f,
                    "`{}` is no device; leave out what stands behind the comma",
                    path.display()
                )
            }
        }
    }
}

/// An I/O error's cause, lower case, without the number that the standard library puts behind it.
pub fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}
