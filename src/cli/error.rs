//! Why the program ends: one line on standard error, and an exit status.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tailcast::source::error::SpecError;
pub(crate) use tailcast::source::error::cause;

/// Why the program ends, in one line, and with which exit status.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Error {
    sentence: String,
    /// 2 for a mistake on the command line, 1 for what the machine refuses.
    pub status: u8,
}

impl Error {
    /// A mistake on the command line.
    pub(crate) fn usage(sentence: String) -> Self {
        Self {
            sentence: format!("{sentence}; `tailcast --help` lists the options"),
            status: 2,
        }
    }

    /// The machine refuses.
    pub(crate) fn refused(sentence: String) -> Self {
        Self {
            sentence,
            status: 1,
        }
    }
}

impl From<SpecError> for Error {
    fn from(error: SpecError) -> Self {
        let sentence = error.to_string();
        if error.is_usage() {
            Self::usage(sentence)
        } else {
            Self::refused(sentence)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tailcast: {}", self.sentence)
    }
}

/// The server ends, which it does where its listener can't be used.
pub(crate) fn cannot_run(address: Option<SocketAddr>, error: &io::Error) -> Error {
    match address {
        Some(address) => cannot_listen(address, error),
        None => Error::refused(format!("cannot go on: {}", cause(error))),
    }
}

/// The listener can't be had.
pub(crate) fn cannot_listen(address: SocketAddr, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; stop the other program or choose another port with `--listen`"
        }
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need privileges, choose a higher one with `--listen`"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        _ => "",
    };
    Error::refused(format!(
        "cannot listen on `{address}`: {}{hint}",
        cause(error)
    ))
}

/// The kernel does not say where we listen.
pub(crate) fn no_name(error: &io::Error) -> Error {
    Error::refused(format!("cannot name the listener: {}", cause(error)))
}
