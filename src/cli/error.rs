//! Every sentence that the program says at its start: errors and the banner.

use std::fmt::{self, Write};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::links::Links;
use crate::cli::sandbox::Confinement;
use crate::source::buffer::pipe::Outlet;
use crate::source::buffer::sample::Instrument;
use crate::source::detect::Origin;
use crate::source::glob::Glob;

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

/// A directory was named.
pub fn is_directory(path: &Path) -> Error {
    let shown = path.display();
    Error::refused(format!(
        "`{shown}` is a directory; name a file in it, or all of them with a quoted glob such as `'{}'`",
        path.join("*.log").display()
    ))
}

/// A file may not be read.
pub fn unreadable(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    Error::refused(format!(
        "`{shown}` can't be read: {}; let this user read it, or run as one who may",
        cause(error)
    ))
}

/// Neither a file nor something that gives bytes.
pub fn no_stream(path: &Path) -> Error {
    let shown = path.display();
    Error::refused(format!(
        "`{shown}` can't be streamed; a regular file, a FIFO or a character device can"
    ))
}

/// What is to be sampled is no file.
pub fn not_a_reading(path: &Path) -> Error {
    let shown = path.display();
    Error::refused(format!(
        "`{shown}` is no regular file, so it can't be read again and again; leave out `sample:`"
    ))
}

/// What has a speed is no serial line.
pub fn not_serial(path: &Path) -> Error {
    let shown = path.display();
    Error::refused(format!("`{shown}` is no device; leave out `,baud=`"))
}

/// A glob over several directories.
pub fn wild_directory(path: &Path) -> Error {
    Error::usage(format!(
        "`{}`: only the last part of a quoted glob may hold `*`, `?` or `[`; name several, one for each directory",
        path.display()
    ))
}

/// A glob that is none.
pub fn broken_glob(path: &Path, cause: &str) -> Error {
    Error::usage(format!("`{}` is no glob: {cause}", path.display()))
}

/// A glob matches more files than are offered.
pub fn too_many(glob: &Glob, most: usize) -> String {
    format!("`{glob}` matches more than {most} files; the first {most} by name are offered")
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

/// What is left to the process.
pub fn rights(confinement: &Confinement) -> String {
    if !confinement.holds() {
        return "this kernel has no Landlock; what this user may read can be read".to_owned();
    }
    let shown = |path: &PathBuf| format!("`{}`", path.display());
    let readable: Vec<String> = confinement.readable.iter().map(shown).collect();
    format!(
        "all rights but to read are given up, beneath {}",
        readable.join(", ")
    )
}

/// The kernel does not say where we listen.
pub fn no_name(error: &io::Error) -> Error {
    Error::refused(format!("cannot name the listener: {}", cause(error)))
}

/// An I/O error's cause, lower case, without the number that the standard library puts behind it.
pub fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// What is printed at start: a line for each source, then one for each link.
pub fn banner(sources: &[(String, Origin)], sample: Duration, links: &Links) -> String {
    let mut text = String::new();
    for (name, origin) in sources {
        let (what, path) = match origin {
            Origin::File(place) => (
                format!("following `{}`", place.path.display()),
                Some(&place.path),
            ),
            Origin::Sample(Instrument::File(place)) => {
                let every = humantime::format_duration(sample);
                let shown = place.path.display();
                (
                    format!("reading `{shown}` every {every}"),
                    Some(&place.path),
                )
            }
            Origin::Sample(Instrument::Vitals) => {
                ("reading this machine's vitals".to_owned(), None)
            }
            Origin::Pipe(Outlet::Path { path, .. }) => {
                (format!("reading `{}`", path.display()), Some(path))
            }
            Origin::Pipe(Outlet::Input) => ("reading standard input".to_owned(), None),
            Origin::Glob(glob) => {
                let _ = writeln!(text, "following every file that matches `{glob}`");
                continue;
            }
        };
        let waited = match path {
            Some(path) if !path.exists() => " (not there yet, waiting for it)",
            _ => "",
        };
        let _ = writeln!(text, "{what} as `{name}`{waited}");
    }
    for link in links.all() {
        let _ = writeln!(text, "open {link}");
    }
    text
}
