//! Every sentence that the program says at its start: errors and the banner.

use std::fmt::{self, Write};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::links::Links;

/// Why the program ends, in one line, and with which exit status.
#[derive(Debug, PartialEq, Eq)]
pub struct Error {
    sentence: String,
    /// 2 for a mistake on the command line, 1 for what the machine refuses.
    pub status: u8,
}

impl Error {
    /// A mistake on the command line.
    pub fn usage(sentence: String) -> Self {
        Self {
            sentence: format!("{sentence}; `tailcast --help` lists the options"),
            status: 2,
        }
    }

    /// The machine refuses.
    pub fn refused(sentence: String) -> Self {
        Self {
            sentence,
            status: 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tailcast: {}", self.sentence)
    }
}

/// Refuses what can't be followed. A missing file is waited for.
///
/// # Errors
/// Names the path, the cause and what to do.
pub async fn check(path: &Path) -> Result<(), Error> {
    let shown = path.display();
    match async_fs::metadata(path).await {
        Ok(metadata) if metadata.is_dir() => Err(Error::refused(format!(
            "`{shown}` is a directory; name a file in it"
        ))),
        Ok(metadata) if !metadata.is_file() => Err(Error::refused(format!(
            "`{shown}` is no regular file; this version follows nothing else"
        ))),
        Ok(_) => match async_fs::File::open(path).await {
            Ok(_) => Ok(()),
            Err(error) => Err(unreadable(path, &error)),
        },
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    Error::refused(format!(
        "`{shown}` can't be read: {}; let this user read it, or run as one who may",
        cause(error)
    ))
}

/// The listener can't be had.
pub fn cannot_listen(address: SocketAddr, error: &io::Error) -> Error {
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

/// No file was named.
pub fn no_source() -> Error {
    Error::usage("no file to follow; name one, as in `tailcast /var/log/syslog`".to_owned())
}

/// An I/O error's cause, lower case, without the number that the standard library puts behind it.
pub fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_lowercase()
}

/// What is printed at start: a line for each source, then one for each link.
pub fn banner(sources: &[(String, PathBuf)], links: &Links) -> String {
    let mut text = String::new();
    for (name, path) in sources {
        let waited = if path.exists() {
            ""
        } else {
            " (not there yet, waiting for it)"
        };
        let _ = writeln!(text, "following `{}` as `{name}`{waited}", path.display());
    }
    for link in links.all() {
        let _ = writeln!(text, "open {link}");
    }
    text
}
