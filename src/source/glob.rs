//! A quoted glob such as `'/var/log/*.log'`: which files it stands for now.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use glob::Pattern;

use crate::source::error::SpecError;
use crate::source::file::path::Place;
use crate::source::name::{JOINT, is_wild};
use crate::source::os::fs::FileSystem;

/// The most files that one glob offers. A directory with more of them is no set of logs but a store, and a list of them
/// helps nobody.
pub const FILES_MAX: usize = 1000;

/// What compressed files end in: their bytes are not for reading.
const COMPRESSED: [&str; 10] = [
    "gz", "xz", "bz2", "zst", "lz4", "lzma", "lzo", "br", "Z", "zip",
];

/// A pattern for paths.
#[derive(Clone, Debug)]
pub struct Glob {
    path: PathBuf,
    /// What is written out before its first wildcard.
    directory: PathBuf,
    /// The parts from there on.
    parts: Vec<Part>,
    /// The name that was given on the command line.
    given: Option<String>,
    /// What tells its files from those of another glob.
    apart: Option<String>,
}

/// One part of a path.
#[derive(Clone, Debug)]
enum Part {
    Fixed(OsString),
    Wild(Pattern),
}

/// What a glob stands for at one moment.
pub struct Matches {
    /// The paths of its files below its directory in the order of the alphabet, at most [`FILES_MAX`].
    pub names: Vec<OsString>,
    /// There are more.
    pub more: bool,
    /// The files hold readings.
    pub readings: bool,
}

impl Glob {
    /// The glob that `path` is, if it is one: a part of it holds `*`, `?` or `[`. Its streams have the name that was `given`
    /// before theirs, or what sets them `apart`.
    ///
    /// # Errors
    /// Where the pattern is broken, or leads up again behind a wildcard.
    pub fn new(
        path: &Path,
        given: Option<String>,
        apart: Option<String>,
    ) -> Result<Option<Self>, SpecError> {
        let broken = |cause: &str| SpecError::BrokenGlob(path.to_owned(), cause.to_owned());
        let (mut directory, mut parts) = (PathBuf::new(), Vec::new());
        for part in path.components() {
            let part = part.as_os_str();
            let text = part.to_string_lossy();
            if is_wild(&text) {
                let pattern = Pattern::new(&text).map_err(|error| broken(error.msg))?;
                parts.push(Part::Wild(pattern));
            } else if parts.is_empty() {
                directory.push(part);
            } else if part == ".." {
                return Err(broken("`..` can't stand behind a wildcard"));
            } else {
                parts.push(Part::Fixed(part.to_owned()));
            }
        }
        if directory.as_os_str().is_empty() {
            directory.push(".");
        }
        Ok((!parts.is_empty()).then(|| Self {
            path: path.to_owned(),
            directory,
            parts,
            given,
            apart,
        }))
    }

    /// The files that match now: regular ones that are in the directory that is written out or below it, also by a symbolic
    /// link that does not lead out of it, that may be read and are not compressed. Blocks.
    pub fn matches(&self) -> Matches {
        let mut more = false;
        let mut names = vec![PathBuf::new()];
        for (at, part) in self.parts.iter().enumerate() {
            let is_last = at + 1 == self.parts.len();
            let mut next: Vec<PathBuf> = Vec::new();
            for name in names {
                match part {
                    Part::Fixed(part) => next.push(name.join(part)),
                    Part::Wild(pattern) => {
                        let entries = self.directory.join(&name).read_dir();
                        let entries = entries.into_iter().flatten().flatten();
                        let parts = entries.map(|entry| entry.file_name());
                        let parts = parts.filter(|part| is_match(pattern, part, is_last));
                        next.extend(parts.map(|part| name.join(part)));
                    }
                }
                if next.len() > FILES_MAX && !is_last {
                    break;
                }
            }
            if !is_last {
                // Each of these is a directory to be read.
                next.sort_unstable();
                more |= next.len() > FILES_MAX;
                next.truncate(FILES_MAX);
            }
            names = next;
        }
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
            readings: FileSystem::of_path(&self.directory).holds_readings(),
        }
    }

    /// When a name in its directory came or went last. Blocks.
    pub(crate) fn changed(&self) -> Option<SystemTime> {
        // What comes and goes further below does not show there.
        (self.parts.len() == 1)
            .then(|| self.directory.metadata().ok()?.modified().ok())
            .flatten()
    }

    /// The directory that all of its files are in or below.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the file `name` stands.
    pub fn place(&self, name: &OsStr) -> Place {
        Place {
            path: self.directory.join(name),
            within: Some(self.directory.clone()),
        }
    }

    /// What the stream of the file `name` is called: by its last part, and before it by what the wildcards of directories
    /// have matched.
    pub fn title(&self, name: &OsStr) -> String {
        let last = self.parts.len() - 1;
        let parts = self.parts.iter().zip(Path::new(name)).enumerate();
        let telling = parts.filter(|(at, (part, _))| *at == last || matches!(part, Part::Wild(_)));
        let telling: Vec<_> = telling
            .map(|(_, (_, part))| part.to_string_lossy())
            .collect();
        let name = telling.join(JOINT);
        match (&self.given, &self.apart) {
            (Some(given), _) => format!("{given}/{name}"),
            (None, Some(apart)) => format!("{apart}{JOINT}{name}"),
            (None, None) => name,
        }
    }
}

/// Whether `name` in a directory is one that `pattern` means; `is_file`: it has to be a file's, not a directory's.
fn is_match(pattern: &Pattern, name: &OsStr, is_file: bool) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default();
    let is_compressed = is_file && COMPRESSED.iter().any(|compressed| extension == *compressed);
    let name = name.to_string_lossy();
    // As in a shell: a hidden file only where the pattern has the dot.
    let is_shown = !name.starts_with('.') || pattern.as_str().starts_with('.');
    is_shown && !is_compressed && pattern.matches(&name)
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_match() {
        for (pattern, name, want) in [
            ("*.log", "app.log", true),
            ("*.log", "grüße 1%.log", true),
            ("*.log", ".log", false),
            ("*.log", ".hidden.log", false),
            (".*", ".hidden.log", true),
            ("*", ".hidden", false),
            ("*", "app.log.1", true),
            ("*", "app.log.2.gz", false),
            ("*.gz", "app.log.2.gz", false),
            ("*.log", "app.log~", false),
            ("app?.log", "app1.log", true),
            ("app?.log", "app12.log", false),
            ("app[0-3].log", "app2.log", true),
            ("app[!0-3].log", "app2.log", false),
            ("temp*_input", "temp1_input", true),
        ] {
            let compiled = Pattern::new(pattern).unwrap();
            let got = is_match(&compiled, OsStr::new(name), true);
            assert_eq!(got, want, "{name} of {pattern}");
        }
    }

    #[test]
    fn what_is_a_glob() {
        let is_glob =
            |path: &str| Glob::new(Path::new(path), None, None).map(|glob| glob.is_some());
        assert_eq!(is_glob("/var/log/*.log"), Ok(true));
        assert_eq!(is_glob("*.log"), Ok(true));
        assert_eq!(is_glob("/var/log/app.log"), Ok(false));
        assert_eq!(is_glob("/var/*/app.log"), Ok(true));
        assert_eq!(is_glob("/var/../log/*/app.log"), Ok(true));
        assert!(is_glob("/var/*/../app.log").is_err());
        assert!(is_glob("/var/log/[.log").is_err());
    }

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
