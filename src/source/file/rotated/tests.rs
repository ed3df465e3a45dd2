//! Directories of rotated files, and the way through them.

mod copies;

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::source::file::rotated::directory::members;
use crate::source::os::fs;

/// A directory with files that were written one after another, a second apart.
fn scene(names: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (age, name) in names.iter().enumerate() {
        let path = directory.path().join(name);
        std::fs::write(&path, "x").unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        let time = std::time::UNIX_EPOCH + Duration::from_secs(1000 + age as u64);
        file.set_modified(time).unwrap();
    }
    directory
}

fn seen(directory: &Path, name: &str) -> Seen {
    fs::seen(&directory.join(name).metadata().unwrap())
}

fn closed(id: FileId, seen: Option<&Seen>) -> Old<'_> {
    Old {
        id,
        seen,
        file: None,
    }
}

/// What comes after the `old` file of `place`: names, with a `?` before those that another may be
/// missing before.
fn way(place: &FilePath, directory: &Path, old: Old<'_>) -> String {
    let now = place.seen().ok().map(|seen| seen.id);
    let (steps, gap) = after(place, &members(place).unwrap(), old, now);
    let mut names: Vec<String> = steps
        .iter()
        .map(|(member, gap)| {
            let name = member
                .path
                .strip_prefix(directory)
                .unwrap()
                .display()
                .to_string();
            format!("{}{name}", if *gap { "?" } else { "" })
        })
        .collect();
    names.push(if gap { "?" } else { "." }.to_owned());
    names.join(" ")
}

#[test]
fn what_comes_after_a_file() {
    for (written, at, want) in [
        (
            &["app.log.3", "app.log.2", "app.log.1", "app.log"][..],
            "app.log.3",
            "app.log.2 app.log.1 .",
        ),
        (
            &["app.log.3", "app.log.2", "app.log.1", "app.log"],
            "app.log.1",
            ".",
        ),
        // The clock was set back, or one was written late: the numbers count, and that something is
        // odd is told.
        (
            &["app.log.1", "app.log.2", "app.log"],
            "app.log.2",
            "app.log.1 .",
        ),
        (
            &["app.log.1", "app.log.3", "app.log"],
            "app.log.3",
            "?app.log.1 .",
        ),
        (
            &["app.log.3", "app.log.1", "app.log"],
            "app.log.3",
            "app.log.1 .",
        ),
        (
            &["app.log.3", "app.log.2", "app.log"],
            "app.log.3",
            "app.log.2 .",
        ),
        (
            &["app.log-20261126", "app.log-20261125", "app.log"],
            "app.log-20261125",
            "app.log-20261126 .",
        ),
        (
            &["app.2026-11-25.0.log", "app.2026-11-25.1.log", "app.log"],
            "app.2026-11-25.0.log",
            "app.2026-11-25.1.log .",
        ),
        // Before the extension numbers go either way; here the times say that the largest is the
        // newest.
        (
            &["app-1.log", "app-2.log", "app-3.log", "app.log"],
            "app-2.log",
            "app-3.log .",
        ),
        (
            &["app-3.log", "app-2.log", "app-1.log", "app.log"],
            "app-2.log",
            "app-1.log .",
        ),
        (
            &["app-2.log", "app-3.log", "app-1.log", "app.log"],
            "app-3.log",
            "app-2.log app-1.log .",
        ),
        // Another series is no neighbour.
        (
            &["app.log.2", "app-7.log", "app.log.1", "app.log"],
            "app.log.2",
            "app.log.1 .",
        ),
        (
            &[
                "@4000000065f0c3a20bd2f3c4.s",
                "@4000000065f0c3b20bd2f3c4.u",
                "current",
            ],
            "@4000000065f0c3a20bd2f3c4.s",
            "@4000000065f0c3b20bd2f3c4.u .",
        ),
    ] {
        let directory = scene(written);
        let place = FilePath::named(directory.path().join(written.last().unwrap()));
        let id = seen(directory.path(), at).id;
        assert_eq!(
            way(&place, directory.path(), closed(id, None)),
            want,
            "{written:?} after {at}"
        );
    }
}

#[test]
fn what_comes_after_a_target_of_a_link() {
    let days = [
        "app-2026-11-23.log",
        "app-2026-11-24.log",
        "app-2026-11-25.log",
        "app-2026-11-26.log",
    ];
    let directory = scene(&days);
    let link = directory.path().join("app.log");
    std::os::unix::fs::symlink("app-2026-11-25.log", &link).unwrap();
    std::fs::write(directory.path().join("secret-2026-11-25.log"), "x").unwrap();
    let place = FilePath::named(link);
    let id = seen(directory.path(), days[0]).id;
    // Tomorrow's is there already, and the link does not lead to it.
    assert_eq!(
        way(&place, directory.path(), closed(id, None)),
        "app-2026-11-24.log ."
    );
}

#[test]
fn members_are_regular_files_of_that_name() {
    let directory = scene(&["app.log.3", "app.log.2", "app.log.1", "app.log"]);
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("secret.txt"), "x").unwrap();
    std::os::unix::fs::symlink(at("secret.txt"), at("app.log.4")).unwrap();
    std::fs::create_dir(at("app.log.5")).unwrap();
    std::fs::write(at("app.log.6.gz"), "x").unwrap();
    let place = FilePath::named(at("app.log"));
    let secret = seen(directory.path(), "secret.txt").id;
    assert_eq!(members(&place).unwrap().len(), 3);
    assert_eq!(
        way(&place, directory.path(), closed(secret, None)),
        ".",
        "a stranger's file is no member"
    );

    // The one that was followed has been deleted, newer ones are there: something may have been
    // between.
    let gone = Seen {
        id: secret,
        ..seen(directory.path(), "app.log.3")
    };
    let found = way(&place, directory.path(), closed(secret, Some(&gone)));
    assert_eq!(found, "?app.log.2 app.log.1 .");

    let member = members(&place).unwrap();
    let first = member
        .iter()
        .find(|member| member.path == at("app.log.1"))
        .unwrap();
    std::fs::rename(at("app.log.1"), at("app.log.8")).unwrap();
    assert!(
        first.open().is_err(),
        "the name means another file, or none"
    );

    std::os::unix::fs::symlink("app.log", at("link")).unwrap();
    let link = FilePath::named(at("link"));
    assert_eq!(
        members(&link).unwrap().len(),
        3,
        "a link's family is its target's"
    );
}

/// Until the time that the file system writes down is another one.
fn until_the_clock_ticks(directory: &Path) {
    let now = || {
        std::fs::write(directory.join("clock"), "x").unwrap();
        seen(directory, "clock").changed
    };
    let begun = now();
    while now() == begun {}
}

/// A rotation that compressed the file which was followed, on a board whose clock went back
/// meanwhile.
#[test]
fn what_was_rotated_after_a_file_that_is_gone_may_be_missing() {
    let directory = scene(&["app.log"]);
    let at = |name: &str| directory.path().join(name);
    let place = FilePath::named(at("app.log"));
    std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
    let old = File::open(at("app.log.1")).unwrap();
    let write = |name: &str, second: u64| {
        std::fs::write(at(name), "y").unwrap();
        let file = File::options().append(true).open(at(name)).unwrap();
        let time = std::time::UNIX_EPOCH + Duration::from_secs(second);
        file.set_modified(time).unwrap();
    };
    let way = |old: &File| {
        let seen = fs::seen(&old.metadata().unwrap());
        way(&place, directory.path(), closed(seen.id, Some(&seen)))
    };
    // Deleted, and what has its name now was made beside what was rotated before that.
    write("app.log.2", 10);
    until_the_clock_ticks(directory.path());
    std::fs::remove_file(at("app.log.1")).unwrap();
    assert_eq!(way(&old), ".");
    // One that says it is older has had the name meanwhile.
    write("app.log", 20);
    std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
    write("app.log", 30);
    assert_eq!(way(&old), "?");
}
