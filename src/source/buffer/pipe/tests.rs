//! What is kept of a pipe, whatever becomes of its name and its writers.

use std::fs;
use std::io::Write;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

/// How long something may take to be noticed before the test has failed.
const DEADLINE: Duration = Duration::from_secs(30);

/// What happens to the name and its writer.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A FIFO is made under the name.
    Make,
    /// One is made elsewhere and takes the name over.
    MakeOver,
    /// The name is gone.
    Remove,
    /// A link to itself, which nobody can open.
    Loop,
    /// A file of this content, which is no pipe, takes the name over.
    File(&'static str),
    /// A writer comes.
    Come,
    /// It writes.
    Write(&'static str),
    /// It goes.
    Go,
}

/// A pipe that is read, and the writer that it has.
struct Scene {
    folder: tempfile::TempDir,
    runtime: Runtime,
    writer: RefCell<Option<File>>,
}

impl Scene {
    fn new() -> Self {
        let runtime = Runtime::bare(|said| panic!("{said}"));
        let notices = runtime.notices.clone();
        let task = runtime
            .executor
            .spawn(async move { notices.run().await }.boxed_local());
        task.detach();
        Self {
            folder: tempfile::tempdir().unwrap(),
            runtime,
            writer: RefCell::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("pipe")
    }

    fn pipe(&self) -> Pipe {
        let source = PipeSource::Path {
            path: self.path(),
            serial: Serial::default(),
        };
        Pipe::new(source, &self.runtime)
    }

    /// A writer comes, if there is somebody who reads; the one before it goes.
    fn come(&self) -> bool {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let mut options = File::options();
        let opened = options.write(true).custom_flags(flags).open(self.path());
        opened.is_ok_and(|writer| {
            self.writer.replace(Some(writer));
            true
        })
    }

    fn act(&self, step: Step) {
        let make = |path: &Path| mknodat(CWD, path, FileType::Fifo, Mode::from(0o644), 0).unwrap();
        let path = self.path();
        match step {
            Step::Make => make(&path),
            Step::MakeOver => {
                let other = self.folder.path().join("other");
                make(&other);
                fs::rename(other, path).unwrap();
            }
            Step::Remove => fs::remove_file(path).unwrap(),
            Step::Loop => std::os::unix::fs::symlink("pipe", path).unwrap(),
            Step::File(content) => {
                let other = self.folder.path().join("other");
                fs::write(&other, content).unwrap();
                fs::rename(other, path).unwrap();
            }
            Step::Come => {}
            Step::Write(text) => {
                let mut writer = self.writer.borrow_mut();
                writer.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
            }
            Step::Go => drop(self.writer.take()),
        }
    }
}

/// All that is kept.
fn kept(history: &History) -> String {
    let mut kept = vec![0; usize::try_from(history.held()).unwrap()];
    history.read(history.oldest(), &mut kept);
    String::from_utf8(kept).unwrap()
}

async fn until(what: impl FnOnce() -> String, is_true: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_true() {
        assert!(begun.elapsed() < DEADLINE, "{}", what());
        Timer::after(Duration::from_millis(1)).await;
    }
}

#[test]
fn what_is_kept_and_why_nothing_comes() {
    use Missing::{Absent, Unreadable};
    use Step::{Come, Go, Loop, Make, MakeOver, Remove, Write};
    let there = None;
    for steps in [
        &[
            (Make, "", there),
            (Come, "", there),
            (Write("abc"), "abc", there),
            (Write("def"), "abcdef", there),
            (Go, "abcdef", there),
            (Come, "abcdef", there),
            (Write("ghi"), "abcdefghi", there),
        ][..],
        // The writer still has the old one, and is heard until there is another.
        &[
            (Make, "", there),
            (Come, "", there),
            (Write("a"), "a", there),
            (Remove, "a", Some(Absent)),
            (Write("b"), "ab", there),
            (Make, "ab", there),
            (Come, "ab", there),
            (Write("c"), "abc", there),
        ],
        &[
            (Make, "", there),
            (Come, "", there),
            (Write("a"), "a", there),
            (MakeOver, "a", there),
            (Come, "a", there),
            (Write("b"), "ab", there),
            (Go, "ab", there),
            (Remove, "ab", Some(Absent)),
        ],
        // What is no pipe is none, and what can't be opened may be one.
        &[
            (Loop, "", Some(Unreadable)),
            (Step::File("no pipe"), "", Some(Absent)),
            (MakeOver, "", there),
            (Come, "", there),
            (Write("a"), "a", there),
        ],
    ] {
        let scene = Scene::new();
        let pipe = scene.pipe();
        let history = pipe.history().clone();
        let executor = scene.runtime.executor.clone();
        smol::block_on(executor.run(async {
            until(|| "at first".into(), || history.missing() == Some(Absent)).await;
            for (at, &(step, want, missing)) in steps.iter().enumerate() {
                if matches!(step, Come) {
                    until(|| format!("step {at}: nobody reads"), || scene.come()).await;
                }
                scene.act(step);
                let seen = || (kept(&history), history.missing());
                until(
                    || format!("step {at}, {step:?}: {:?}", seen()),
                    || seen() == (want.to_owned(), missing),
                )
                .await;
            }
        }));
    }
}

/// Between two writers it does not close: who comes then finds a reader, and what it leaves is
/// read.
#[test]
fn writers_that_come_and_go_quickly() {
    let scene = Scene::new();
    scene.act(Step::Make);
    let pipe = scene.pipe();
    let history = pipe.history().clone();
    let executor = scene.runtime.executor.clone();
    smol::block_on(executor.run(async {
        until(|| "nobody reads".into(), || scene.come()).await;
        let mut all = String::new();
        for number in 0..500 {
            assert!(scene.come(), "{number}: nobody reads");
            scene.act(Step::Write("line\n"));
            scene.act(Step::Go);
            all += "line\n";
            // It is met at every point of its way from one writer to the next.
            for _ in 0..number % 7 {
                future::yield_now().await;
            }
            if number % 11 == 0 {
                until(|| format!("{number} is not read"), || kept(&history) == all).await;
            }
        }
        until(|| kept(&history), || kept(&history) == all).await;
    }));
}

/// What stood in a FIFO when another one took its name is read before that one.
#[test]
fn the_rest_of_one_that_was_replaced() {
    let mut scene = Scene::new();
    scene.runtime.history = ROOM;
    scene.act(Step::Make);
    let pipe = scene.pipe();
    let history = pipe.history().clone();
    let executor = scene.runtime.executor.clone();
    smol::block_on(executor.run(async {
        let line = "what it still had\n".repeat(3000);
        let mut all = String::new();
        for number in 0..15 {
            until(|| format!("{number}: nobody reads"), || scene.come()).await;
            scene
                .writer
                .borrow_mut()
                .as_mut()
                .unwrap()
                .write_all(line.as_bytes())
                .unwrap();
            scene.act(Step::MakeOver);
            all += &line;
        }
        until(
            || format!("{} of {}", history.end(), all.len()),
            || kept(&history) == all,
        )
        .await;
    }));
}

/// More than is kept, from a writer that never waits for us: the last bytes are there, and all are
/// counted.
#[test]
fn of_more_than_is_kept_the_last_bytes() {
    let scene = Scene::new();
    scene.act(Step::Make);
    let pipe = scene.pipe();
    let history = pipe.history().clone();
    let all: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    let executor = scene.runtime.executor.clone();
    smol::block_on(executor.run(async {
        let (path, sent) = (scene.path(), all.clone());
        let writes = smol::unblock(move || fs::write(path, sent));
        writes.await.unwrap();
        let end = all.len() as u64;
        until(
            || format!("{} of {end}", history.end()),
            || history.end() == end,
        )
        .await;
        let kept = kept(&history);
        assert_eq!(kept.len(), scene.runtime.history);
        assert!(all.ends_with(&kept));
        assert_eq!(history.missing(), None);
    }));
}
