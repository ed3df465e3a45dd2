//! A follower in which a look fails.

use super::*;
use crate::bytes::cursor::From;
use crate::source::file::reader::FileReader;

#[test]
fn a_bug_ends_the_viewers_and_the_next_one_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    // What is said is said in the midst of a look.
    let runtime = Runtime::bare(|_| panic!("a bug"));
    let follower = Follower::new(FilePath::named(path.clone()), &runtime);
    smol::block_on(runtime.executor.run(async {
        std::fs::write(&path, "hello").unwrap();
        let mut viewer = FileReader::open(&follower, From::Start).await.unwrap();
        assert_eq!(viewer.available().await.unwrap().0, 5);
        // A link to itself may not be read.
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("app.log", &path).unwrap();
        let begun = Instant::now();
        while viewer.available().await.is_ok() {
            assert!(begun.elapsed().as_secs() < 30, "it is not told");
            Timer::after(runtime.poll).await;
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "again").unwrap();
        let mut next = FileReader::open(&follower, From::Start).await.unwrap();
        assert_eq!(next.available().await.unwrap().0, 5);
    }));
}
