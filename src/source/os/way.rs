//! The way to a file: every directory and every link that its path leads through now.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::source::os::fs::FileSystem;

/// How many links a path may lead through, as the kernel counts (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// What of the way has to be watched so that no change of it is missed. A mount is told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// A directory or a link: it may be moved, deleted or replaced. The directory that it is in
    /// need not be watched, which may be as busy as `/tmp`.
    Itself(PathBuf),
    /// A name in a directory: it may come or go.
    Name(PathBuf, OsString),
}

/// The way that a path takes at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) points: Vec<Point>,
    /// No part of it is on a file system that may keep one waiting.
    pub(crate) answers_at_once: bool,
    /// inotify tells of every change on it.
    pub(crate) sends_notices: bool,
}

impl Way {
    /// Goes along `path` as the kernel does. Blocks, for as long as the slowest file system on it.
    pub(crate) fn of(path: &Path) -> Self {
        let mut way = Self {
            points: Vec::new(),
            answers_at_once: true,
            sends_notices: true,
        };
        let Ok(path) = std::path::absolute(path) else {
            // There is no working directory any more.
            way.answers_at_once = false;
            way.sends_notices = false;
            return way;
        };
        let mut left: VecDeque<OsString> = parts(&path).collect();
        let mut at = PathBuf::from("/");
        let mut system = System::default();
        let mut links = 0;
        while let Some(part) = left.pop_front() {
            way.answers_at_once &= system.at(&at).answers_at_once();
            if part == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&part);
            let is_last = left.is_empty();
            let metadata = next.symlink_metadata();
            if let Ok(metadata) = &metadata
                && metadata.is_symlink()
                && links < LINKS_MAX
                && let Ok(target) = next.read_link()
            {
                links += 1;
                way.sends_notices &= system.tells_of_directories(&at);
                way.points.push(Point::Itself(next));
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                parts(&target).rev().for_each(|part| left.push_front(part));
                continue;
            }
            if !is_last && metadata.is_ok_and(|metadata| metadata.is_dir()) {
                way.sends_notices &= system.tells_of_directories(&at);
                way.points.push(Point::Itself(next.clone()));
                at = next;
                continue;
            }
            way.sends_notices &= system.at(&at).sends_notices();
            way.points.push(Point::Name(at, part));
            break;
        }
        way
    }
}

/// The names in a path; an absolute one begins at the root.
fn parts(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

/// The file system of the directory that was asked about last: most ways stay on one.
#[derive(Default)]
struct System {
    known: Option<(u64, FileSystem)>,
}

impl System {
    fn at(&mut self, directory: &Path) -> FileSystem {
        let Ok(metadata) = directory.metadata() else {
            return FileSystem::Distant;
        };
        match self.known {
            Some((device, system)) if device == metadata.dev() => system,
            _ => {
                let system = FileSystem::of_path(directory);
                self.known = Some((metadata.dev(), system));
                system
            }
        }
    }

    /// Whether inotify tells when a directory or a link in `directory` is moved or replaced. Of
    /// layers over each other nobody changes a lower one under its directories.
    fn tells_of_directories(&mut self, directory: &Path) -> bool {
        let system = self.at(directory);
        system.sends_notices() || system == FileSystem::Layers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn directories_links_and_the_last_name() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let at = |name: &str| top.join(name);
        fs::create_dir_all(at("site/logs")).unwrap();
        fs::create_dir(at("other")).unwrap();
        fs::write(at("site/logs/app.log"), "x").unwrap();
        fs::write(at("one.log"), "x").unwrap();
        symlink("site/logs", at("current")).unwrap();
        symlink(at("link"), at("chain")).unwrap();
        symlink("./one.log", at("link")).unwrap();
        symlink("../current", at("other/up")).unwrap();
        symlink("round", at("round")).unwrap();

        let itself = |name: &str| Point::Itself(at(name));
        let name = |directory: &str, name: &str| Point::Name(at(directory), name.into());
        let last = || name("site/logs", "app.log");
        for (path, want) in [
            (
                "site/logs/app.log",
                vec![itself("site"), itself("site/logs"), last()],
            ),
            (
                "current/app.log",
                vec![
                    itself("current"),
                    itself("site"),
                    itself("site/logs"),
                    last(),
                ],
            ),
            (
                "chain",
                vec![itself("chain"), itself("link"), name("", "one.log")],
            ),
            (
                "other/up/app.log",
                vec![
                    itself("other"),
                    itself("other/up"),
                    itself("current"),
                    itself("site"),
                    itself("site/logs"),
                    last(),
                ],
            ),
            (
                "site/not/yet/app.log",
                vec![itself("site"), name("site", "not")],
            ),
            ("one.log/app.log", vec![name("", "one.log")]),
            ("site/logs", vec![itself("site"), name("site", "logs")]),
        ] {
            let want: Vec<Point> = want
                .into_iter()
                .map(|point| match point {
                    // Joined with nothing, a path ends in a slash.
                    Point::Name(directory, name) => {
                        Point::Name(directory.components().collect(), name)
                    }
                    itself => itself,
                })
                .collect();
            let way = Way::of(&at(path));
            let is_ours = |point: &&Point| match point {
                Point::Itself(path) => path.starts_with(&top) && **path != top,
                Point::Name(directory, _) => directory.starts_with(&top),
            };
            let ours: Vec<Point> = way.points.iter().filter(is_ours).cloned().collect();
            // On an absolute link's way the directories above come once more.
            assert_eq!(ours, want, "{path}");
        }
        let round = Way::of(&at("round")).points;
        assert!(round.len() > LINKS_MAX, "it ends");
        assert!(!Way::of(Path::new("/proc/self/status")).answers_at_once);
    }
}
