//! A quoted glob such as `'/var/log/*.log'`: which files it stands for now.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::source::error::SpecError;
use crate::source::file::path::FilePath;
use crate::source::file::pattern::PathPattern;
use crate::source::name::JOINT;
use crate::source::os::fs::FileSystem;

/// The most files that one glob offers. A directory with more of them is no set of logs but a
/// store, and a list of them helps nobody.
pub const FILES_MAX: usize = 1000;

/// The files that match a pattern, each a stream.
#[derive(Clone, Debug)]
pub struct Glob {
    pattern: PathPattern,
    /// The name that was given on the command line.
    given: Option<String>,
    /// What tells its files from those of another glob.
    apart: Option<String>,
}

/// What a glob stands for at one moment.
pub struct Matches {
    /// The paths of its files below its directory in the order of the alphabet, at most
    /// [`FILES_MAX`].
    pub names: Vec<OsString>,
    /// There are more.
    pub more: bool,
    /// The files hold readings.
    pub readings: bool,
}

impl Glob {
    /// The glob that `path` is, if it is one: a part of it holds `*`, `?` or `[`. Its streams have
    /// the name that was `given` before theirs, or what sets them `apart`.
    ///
    /// # Errors
    /// Where the pattern is broken, or leads up again behind a wildcard.
    pub fn new(
        path: &Path,
        given: Option<String>,
        apart: Option<String>,
    ) -> Result<Option<Self>, SpecError> {
        let pattern = PathPattern::new(path)?;
        Ok(pattern.map(|pattern| Self {
            pattern,
            given,
            apart,
        }))
    }

    /// The files that match now: regular ones that are in the directory that is written out or
    /// below it, also by a symbolic link that does not lead out of it, that may be read and are not
    /// compressed. Blocks.
    pub fn matches(&self) -> Matches {
        let (names, mut more) = self.pattern.names();
        let mut names: Vec<OsString> = names.into_iter().map(PathBuf::into_os_string).collect();
        names.sort_unstable();
        // Tried, not asked: `access` knows nothing of a right to read that `--user` has left us.
        let readable = |name: &OsString| self.place(name).open().is_ok();
        let mut names: Vec<OsString> = names
            .into_iter()
            .filter(readable)
            .take(FILES_MAX + 1)
            .collect();
        more |= names.len() > FILES_MAX;
        names.truncate(FILES_MAX);
        Matches {
            names,
            more,
            readings: FileSystem::of_path(self.pattern.directory()).holds_readings(),
        }
    }

    /// When a name in its directory came or went last; `None` where it looks into several, as what
    /// comes and goes further below does not show there. Blocks.
    pub(crate) fn changed(&self) -> Option<SystemTime> {
        let directory = Some(self.directory()).filter(|_| self.pattern.is_flat());
        directory?.metadata().ok()?.modified().ok()
    }

    /// The directory that all of its files are in or below.
    pub fn directory(&self) -> &Path {
        self.pattern.directory()
    }

    /// Where the file `name` stands.
    pub fn place(&self, name: &OsStr) -> FilePath {
        FilePath::within(self.directory().join(name), self.directory())
    }

    /// What the stream of the file `name` is called: by its last part, and before it by what the
    /// wildcards of directories have matched.
    pub fn title(&self, name: &OsStr) -> String {
        let name = self.pattern.telling(Path::new(name)).join(JOINT);
        match (&self.given, &self.apart) {
            (Some(given), _) => format!("{given}/{name}"),
            (None, Some(apart)) => format!("{apart}{JOINT}{name}"),
            (None, None) => name,
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pattern.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        for (path, given, apart, name, want) in [
            ("/var/log/*", Some("web"), None, "a b", "web/a b"),
            ("/var/log/*", None, None, "a", "a"),
            ("/var/log/*", None, Some("log"), "a", "log:a"),
            (
                "/w1/28-*/w1_slave",
                None,
                None,
                "28-03/w1_slave",
                "28-03:w1_slave",
            ),
            (
                "/w1/28-*/w1_slave",
                Some("t"),
                Some("w1"),
                "28-03/w1_slave",
                "t/28-03:w1_slave",
            ),
            (
                "/h/hwmon*/temp*_input",
                None,
                None,
                "hwmon0/temp1_input",
                "hwmon0:temp1_input",
            ),
            ("/home/*/logs/*/a", None, None, "u/logs/x/a", "u:x:a"),
        ] {
            let of = |name: Option<&str>| name.map(str::to_owned);
            let glob = Glob::new(Path::new(path), of(given), of(apart))
                .unwrap()
                .unwrap();
            assert_eq!(glob.title(OsStr::new(name)), want);
            assert_eq!(glob.to_string(), path);
        }
    }
}
