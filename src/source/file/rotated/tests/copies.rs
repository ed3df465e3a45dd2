//! Copies: as a rotation makes them, and as they come to another disk.

use super::*;

/// logrotate's `renamecopy`: the file that was followed is gone, and has been copied before.
#[test]
fn what_comes_after_a_file_that_was_copied() {
    for (old, copies, want) in [
        ("all of it", &["all of it"][..], "."),
        ("all of it", &["all", "later"], "?app.log.1 ."),
        ("all of it", &["all of it", "later"], "app.log.1 ."),
        ("all of it", &["older", "all of it"], "."),
        ("all of it", &["all"], "?"),
        (
            "all of it",
            &["", "all of it", "later", "newest"],
            "app.log.2 app.log.1 .",
        ),
        ("all of it", &["all of it and more"], "?app.log.1 ."),
        ("all of it", &["another one"], "?app.log.1 ."),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        std::fs::write(&path, old).unwrap();
        let file = File::open(&path).unwrap();
        let known = seen(directory.path(), "app.log");
        std::fs::remove_file(&path).unwrap();
        for (at, copy) in copies.iter().enumerate() {
            let name = format!("app.log.{}", copies.len() - at);
            std::fs::write(directory.path().join(&name), copy).unwrap();
            let file = File::options()
                .append(true)
                .open(directory.path().join(name));
            let later = Duration::from_secs(1 + at as u64);
            file.unwrap()
                .set_modified(std::time::SystemTime::now() + later)
                .unwrap();
        }
        std::fs::write(&path, "new").unwrap();
        let old = Old {
            id: known.id,
            seen: Some(&known),
            file: Some(&file),
        };
        let found = way(&FilePath::named(path), directory.path(), old);
        assert_eq!(found, want, "{copies:?}");
    }
}

/// `copytruncate`, between its copy and its cut.
#[test]
fn a_copy_that_is_being_made_is_no_file_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("app.log.2"), "before").unwrap();
    std::fs::write(at("app.log"), "all of it").unwrap();
    let place = FilePath::named(at("app.log"));
    let old = seen(directory.path(), "app.log.2");
    let now = Some(seen(directory.path(), "app.log").id);
    let next = || {
        let found = next(&place, closed(old.id, Some(&old)), now).ok();
        found.map(|found| found.seen.id)
    };
    let begun = || File::options().append(true).open(at("app.log")).unwrap();
    until_the_clock_ticks(directory.path());
    std::fs::write(at("app.log.1"), "all").unwrap();
    let copy = seen(directory.path(), "app.log.1").id;
    // Where the file system does not know when a file was made, nothing tells.
    let knows = is_made_later(
        &File::open(at("app.log.1")).unwrap(),
        &File::open(at("app.log")).unwrap(),
    );
    assert_eq!(next(), (!knows).then_some(copy), "half a copy");
    std::fs::write(at("app.log.1"), "all of it").unwrap();
    assert_eq!(next(), (!knows).then_some(copy), "all of it");
    begun().set_len(0).unwrap();
    assert_eq!(next(), Some(copy), "cut");
    std::fs::write(at("app.log"), "all of it, but later").unwrap();
    // What was rotated before the current one began may begin alike.
    std::fs::remove_file(at("app.log.1")).unwrap();
    std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
    std::fs::write(at("app.log"), "all of it, but later, and more").unwrap();
    let rotated = seen(directory.path(), "app.log.1").id;
    let now = Some(seen(directory.path(), "app.log").id);
    let found = super::next(&place, closed(old.id, Some(&old)), now).ok();
    assert_eq!(found.map(|found| found.seen.id), Some(rotated));
}

#[test]
fn a_copy_is_found_by_its_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let bytes: Vec<u8> = (0..200).collect();
    std::fs::write(at("app.log"), &bytes).unwrap();
    std::fs::write(at("app.log.1"), [0; 200]).unwrap();
    let place = FilePath::named(at("app.log"));
    let found = |offset: usize| {
        let before = &bytes[offset.saturating_sub(64)..offset];
        fitting(&place, offset as u64, fnv1a(before)).map(|(_, seen)| seen.id)
    };
    let here = place.seen().unwrap().id;
    assert_eq!(
        (found(200), found(100), found(10)),
        (Some(here), Some(here), Some(here))
    );
    assert_eq!(found(0), None, "nothing stands before the start");
    assert!(fitting(&place, 201, 0).is_none(), "it is not that long");
    std::fs::copy(at("app.log"), at("app.log.2")).unwrap();
    assert_eq!(found(100), None, "two files have these bytes");
}
