//! A quoted glob such as `'/var/log/*.log'`: which files it stands for now.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use glob::Pattern;

use crate::source::error::SpecError;
use crate::source::file::path::{self, Place};
use crate::source::os::fs::FileSystem;

/// The most files that one glob offers. A directory with more of them is no set of logs but a store, and a list of them
/// helps nobody.
pub const FILES_MAX: usize = 1000;

/// What compressed files end in: their bytes are not for reading.
const COMPRESSED: [&str; 10] = [
    "gz", "xz", "bz2", "zst", "lz4", "lzma", "lzo", "br", "Z", "zip",
];

/// A pattern for the names in one directory.
#[derive(Clone, Debug)]
pub struct Glob {
    directory: PathBuf,
    pattern: Pattern,
    /// The name that was given on the command line.
    prefix: Option<String>,
}

/// What a glob stands for at one moment.
pub struct Matches {
    /// The names of its files in the order of the alphabet, at most [`FILES_MAX`].
    pub names: Vec<OsString>,
    /// There are more.
    pub more: bool,
    /// The files hold readings.
    pub readings: bool,
}

impl Glob {
    /// The glob that `path` is, if it is one: its last part holds `*`, `?` or `[`.
    ///
    /// # Errors
    /// Where an earlier part holds one of these, or the pattern is broken.
    pub fn new(path: &Path, prefix: Option<String>) -> Result<Option<Self>, SpecError> {
        let is_wild = |part: &OsStr| part.to_string_lossy().contains(['*', '?', '[']);
        let (Some(directory), Some(last)) = (path::directory(path), path.file_name()) else {
            return Ok(None);
        };
        if is_wild(directory.as_os_str()) {
            return Err(SpecError::WildDirectory(path.to_owned()));
        }
        if !is_wild(last) {
            return Ok(None);
        }
        let pattern = Pattern::new(&last.to_string_lossy())
            .map_err(|error| SpecError::BrokenGlob(path.to_owned(), error.msg.to_owned()))?;
        Ok(Some(Self {
            directory,
            pattern,
            prefix,
        }))
    }

    /// The files that match now: regular ones that are in the directory, also by a symbolic link that does not lead out
    /// of it, that may be read and are not compressed. Blocks.
    pub fn matches(&self) -> Matches {
        let entries = self.directory.read_dir().into_iter().flatten();
        let mut names: Vec<OsString> = entries
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .filter(|name| self.is_match(name))
            .collect();
        names.sort_unstable();
        // Tried, not asked: `access` knows nothing of a right to read that `--user` has left us.
        let readable = |name: &OsString| self.place(name).open().is_ok();
        let mut names: Vec<OsString> = names
            .into_iter()
            .filter(readable)
            .take(FILES_MAX + 1)
            .collect();
        let more = names.len() > FILES_MAX;
        names.truncate(FILES_MAX);
        Matches {
            names,
            more,
            readings: FileSystem::of_path(&self.directory).holds_readings(),
        }
    }

    fn is_match(&self, name: &OsStr) -> bool {
        let extension = Path::new(name).extension().unwrap_or_default();
        let name = name.to_string_lossy();
        // As in a shell: a hidden file only where the pattern has the dot.
        (!name.starts_with('.') || self.pattern.as_str().starts_with('.'))
            && !COMPRESSED.iter().any(|compressed| extension == *compressed)
            && self.pattern.matches(&name)
    }

    /// When a name in its directory came or went last. Blocks.
    pub(crate) fn changed(&self) -> Option<SystemTime> {
        self.directory.metadata().ok()?.modified().ok()
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the file `name` stands.
    pub fn place(&self, name: &OsStr) -> Place {
        Place {
            path: self.directory.join(name),
            confined: true,
        }
    }

    /// What the stream of the file `name` is called.
    pub fn title(&self, name: &OsStr) -> String {
        let name = name.to_string_lossy();
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{name}"),
            None => name.into_owned(),
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}",
            self.directory.join(self.pattern.as_str()).display()
        )
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
            let glob = Glob::new(&Path::new("/x").join(pattern), None)
                .unwrap()
                .unwrap();
            assert_eq!(glob.is_match(OsStr::new(name)), want, "{name} of {pattern}");
        }
    }

    #[test]
    fn what_is_a_glob() {
        let is_glob = |path: &str| Glob::new(Path::new(path), None).map(|glob| glob.is_some());
        assert_eq!(is_glob("/var/log/*.log"), Ok(true));
        assert_eq!(is_glob("*.log"), Ok(true));
        assert_eq!(is_glob("/var/log/app.log"), Ok(false));
        assert!(is_glob("/var/*/app.log").is_err());
        assert!(is_glob("/var/log/[.log").is_err());
        let named = Glob::new(Path::new("/var/log/*"), Some("web".into()))
            .unwrap()
            .unwrap();
        assert_eq!(named.title(OsStr::new("a b")), "web/a b");
        assert_eq!(named.to_string(), "/var/log/*");
    }
}
