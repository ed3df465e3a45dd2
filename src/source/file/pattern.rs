//! A path with wildcards: which paths it stands for now.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use glob::Pattern;

use crate::source::error::SpecError;
use crate::source::name::is_wild;

/// The most directories that are looked into at one level of a pattern. More would keep who asks
/// waiting.
const DIRECTORIES_MAX: usize = 1000;

/// What compressed files end in: their bytes are not for reading.
const COMPRESSED: [&str; 10] = [
    "gz", "xz", "bz2", "zst", "lz4", "lzma", "lzo", "br", "Z", "zip",
];

/// A pattern for paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    path: PathBuf,
    /// What is written out before its first wildcard.
    directory: PathBuf,
    /// The parts from there on.
    parts: Vec<Part>,
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Fixed(OsString),
    Wild(Pattern),
}

impl PathPattern {
    /// The pattern that `path` is, if it is one: a part of it holds `*`, `?` or `[`.
    ///
    /// # Errors
    /// Where the pattern is broken, or leads up again behind a wildcard.
    pub fn new(path: &Path) -> Result<Option<Self>, SpecError> {
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
        }))
    }

    /// The directory that all it stands for is in or below.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The paths below the directory that match now, in no order, of whatever kind; and whether
    /// there are more, as some directories were not looked into. Compressed files are left out.
    /// Blocks.
    pub fn names(&self) -> (Vec<PathBuf>, bool) {
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
                if next.len() > DIRECTORIES_MAX && !is_last {
                    break;
                }
            }
            if !is_last {
                // Each of these is a directory to be read.
                next.sort_unstable();
                more |= next.len() > DIRECTORIES_MAX;
                next.truncate(DIRECTORIES_MAX);
            }
            names = next;
        }
        (names, more)
    }

    /// The parts of `name` that tell it from others: the last one, and what wildcards of
    /// directories have matched.
    pub fn telling(&self, name: &Path) -> Vec<String> {
        let last = self.parts.len() - 1;
        let parts = self.parts.iter().zip(name).enumerate();
        let telling = parts.filter(|(at, (part, _))| *at == last || matches!(part, Part::Wild(_)));
        let part = |(_, (_, part)): (_, (_, &OsStr))| part.to_string_lossy().into_owned();
        telling.map(part).collect()
    }

    /// Whether all it stands for is in one directory.
    pub fn is_flat(&self) -> bool {
        self.parts.len() == 1
    }
}

/// Whether `name` in a directory is one that `pattern` means; `is_file`: it has to be a file's, not
/// a directory's.
fn is_match(pattern: &Pattern, name: &OsStr, is_file: bool) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default();
    let is_compressed = is_file && COMPRESSED.iter().any(|compressed| extension == *compressed);
    let name = name.to_string_lossy();
    // As in a shell: a hidden file only where the pattern has the dot.
    let is_shown = !name.starts_with('.') || pattern.as_str().starts_with('.');
    is_shown && !is_compressed && pattern.matches(&name)
}

impl fmt::Display for PathPattern {
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
        let is_pattern =
            |path: &str| PathPattern::new(Path::new(path)).map(|found| found.is_some());
        assert_eq!(is_pattern("/var/log/*.log"), Ok(true));
        assert_eq!(is_pattern("*.log"), Ok(true));
        assert_eq!(is_pattern("/var/log/app.log"), Ok(false));
        assert_eq!(is_pattern("/var/*/app.log"), Ok(true));
        assert_eq!(is_pattern("/var/../log/*/app.log"), Ok(true));
        assert!(is_pattern("/var/*/../app.log").is_err());
        assert!(is_pattern("/var/log/[.log").is_err());
    }
}
