//! The newest file that a pattern stands for, and the older ones: a file a day, with no link to
//! today's.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::source::file::change::Seen;
use crate::source::file::path::FilePath;
use crate::source::file::pattern::PathPattern;
use crate::source::file::rotated_name::{RotatedName, shape};

/// A file that a pattern stands for.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    /// Below the pattern's directory; what is no UTF-8 has no say in the order.
    name: String,
    pub(crate) place: FilePath,
    pub(crate) seen: Seen,
}

impl Match {
    fn new(pattern: &PathPattern, name: &Path) -> Option<Self> {
        let place = FilePath::within(pattern.directory().join(name), pattern.directory());
        let is_link = place.path.symlink_metadata().ok()?.is_symlink();
        let seen = place.seen().ok().filter(|_| !is_link)?;
        let name = name.to_string_lossy().into_owned();
        Some(Self { name, place, seen })
    }

    /// How it stands in the family of `newest`: by its numbers where they differ in these alone,
    /// else by time.
    pub(crate) fn rotated_name(&self, newest: &Self) -> RotatedName {
        if shape(&self.name) == shape(&newest.name) {
            RotatedName::target(&self.name)
        } else {
            RotatedName::silent()
        }
    }
}

/// The newest one: of names that differ in their numbers alone that with the largest, between
/// others by time. A name counts only where there is a regular file, not a link to one. Blocks.
pub(crate) fn newest(pattern: &PathPattern) -> Option<Match> {
    let mut alike: HashMap<String, Vec<(RotatedName, PathBuf)>> = HashMap::new();
    for name in pattern.names().0 {
        let text = name.to_string_lossy();
        let names = alike.entry(shape(&text)).or_default();
        names.push((RotatedName::target(&text), name));
    }
    let newest_of = |mut names: Vec<(RotatedName, PathBuf)>| {
        names.sort_by(|one, other| other.0.age(&one.0).then_with(|| other.1.cmp(&one.1)));
        names.iter().find_map(|(_, name)| Match::new(pattern, name))
    };
    let matches = alike.into_values().filter_map(newest_of);
    matches.max_by(|one, other| {
        let by_time = one.seen.modified.cmp(&other.seen.modified);
        by_time.then_with(|| one.name.cmp(&other.name))
    })
}

/// All of them but the newest, in no order. Blocks.
pub(crate) fn older(pattern: &PathPattern, newest: &Match) -> Vec<Match> {
    let names = pattern.names().0;
    let matches = names.iter().filter_map(|name| Match::new(pattern, name));
    matches
        .filter(|one| one.seen.id != newest.seen.id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    /// Which of files that were written one after another is the newest.
    fn newest_of(written: &[&str], pattern: &str) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        for (age, name) in (1..).zip(written) {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = std::fs::File::create(&path).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(age))
                .unwrap();
        }
        std::fs::create_dir(directory.path().join("9999-01-01.csv")).unwrap();
        let pattern = PathPattern::new(&directory.path().join(pattern)).unwrap();
        newest(&pattern.unwrap()).map(|found| found.name)
    }

    #[test]
    fn by_number_then_by_time() {
        for (written, pattern, want) in [
            (
                &["2026-11-24.csv", "2026-11-25.csv"][..],
                "*.csv",
                Some("2026-11-25.csv"),
            ),
            // Written to late, or with a clock that was wrong.
            (
                &["2026-11-25.csv", "2026-11-24.csv"],
                "*.csv",
                Some("2026-11-25.csv"),
            ),
            (&["log10.csv", "log9.csv"], "*.csv", Some("log10.csv")),
            (
                &["2026/12/1.csv", "2026/11/30.csv"],
                "*/*/*.csv",
                Some("2026/12/1.csv"),
            ),
            (&["tue.csv", "mon.csv"], "*.csv", Some("mon.csv")),
            (
                &["notes.csv", "2026-11-25.csv", "2026-11-24.csv"],
                "*.csv",
                Some("2026-11-25.csv"),
            ),
            (&["a1.csv", "notes.csv"], "*.csv", Some("notes.csv")),
            (&["1.csv", "2.csv.gz"], "*", Some("1.csv")),
            (&["1.txt"], "*.csv", None),
        ] {
            let got = newest_of(written, pattern);
            assert_eq!(got.as_deref(), want, "of {written:?}");
        }
    }
}
