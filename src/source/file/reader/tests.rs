//! A reader and real files.

use crate::bytes::cursor::From;
use crate::source::Runtime;
use crate::source::cache::{CHUNK, ReadCache};
use crate::source::file::follower::Follower;
use crate::source::file::path::FilePath;
use crate::source::file::reader::FileReader;
use crate::source::marker::{Marker, Next};

/// A writer that goes on in a renamed file, and then in the new one, while the end of the first is
/// read on another thread.
#[test]
fn the_last_line_of_a_file_comes_before_the_first_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("app.log"), "one\n").unwrap();
    let runtime = Runtime::bare(|_| {});
    let follower = Follower::new(FilePath::named(at("app.log")), &runtime);
    smol::block_on(runtime.executor.run(async {
        let mut viewer = FileReader::open(&follower, From::Start).await.unwrap();
        let mut cache = ReadCache::default();
        assert!(matches!(viewer.next(&mut cache).unwrap(), Next::Bytes));
        std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
        std::fs::write(at("app.log"), "").unwrap();
        follower.fresh().await;
        // Nothing there now.
        viewer.warm().await.unwrap();
        let append = |name: &str, line: &str| {
            use std::io::Write;
            let file = std::fs::File::options().append(true).open(at(name));
            file.unwrap().write_all(line.as_bytes()).unwrap();
        };
        append("app.log.1", "two\n");
        append("app.log", "three\n");
        follower.fresh().await;
        let mut lines = Vec::new();
        while !lines.ends_with(b"three\n") {
            match viewer.next(&mut cache).unwrap() {
                Next::Bytes => lines.extend_from_slice(cache.bytes()),
                Next::Cold => viewer.warm().await.unwrap(),
                Next::Marker(Marker::Rotated(_)) => lines.extend_from_slice(b"rotated "),
                Next::Marker(marker) => panic!("{marker:?}"),
                Next::End => panic!("{lines:?}"),
            }
        }
        assert_eq!(lines, b"two\nrotated three\n");
    }));
}

#[test]
fn what_was_read_on_another_thread_counts_for_its_place_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let bytes = [[b'a'; CHUNK], [b'b'; CHUNK], [b'c'; CHUNK]].concat();
    std::fs::write(&path, &bytes).unwrap();
    let runtime = Runtime::bare(|_| {});
    let follower = Follower::new(FilePath::named(path), &runtime);
    smol::block_on(runtime.executor.run(async {
        let mut viewer = FileReader::open(&follower, From::Start).await.unwrap();
        let mut other = FileReader::open(&follower, From::Start).await.unwrap();
        let mut cache = ReadCache::default();
        viewer.warm().await.unwrap();
        // By now the other one has read the same bytes, and they need not be taken from what was
        // read.
        assert!(matches!(other.next(&mut cache).unwrap(), Next::Bytes));
        for part in bytes.chunks(CHUNK) {
            assert!(matches!(viewer.next(&mut cache).unwrap(), Next::Bytes));
            assert!(cache.bytes() == part, "bytes of another place");
        }
    }));
}
