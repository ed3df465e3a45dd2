//! The steps of a walk, one after another as the dice decide.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use crate::source::Runtime;
use crate::source::cache::ReadCache;
use crate::source::file::follower::Follower;
use crate::source::file::path::FilePath;
use crate::source::file::walk::Failure;
use crate::source::file::walk::model::Reading;
use crate::source::file::walk::world::{KEPT, World};

/// What decides the steps.
pub enum Dice<'a> {
    /// Numbers that look random, the same ones each time (xorshift).
    Seed(u64),
    /// An input, a byte for each decision, as a fuzzer gives it.
    Bytes(&'a [u8]),
}

impl Dice<'_> {
    fn below(&mut self, sides: u64) -> u64 {
        match self {
            Self::Seed(state) => {
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                *state % sides
            }
            Self::Bytes(bytes) => {
                let (&first, rest) = bytes.split_first().unwrap_or((&0, &[]));
                *bytes = rest;
                u64::from(first) % sides
            }
        }
    }

    fn is_spent(&self) -> bool {
        matches!(self, Self::Bytes([]))
    }
}

/// A log, who follows it, and who reads.
struct Bench<'a> {
    world: World<'a>,
    follower: Rc<Follower>,
    cache: Rc<RefCell<ReadCache>>,
    readers: Vec<Reading>,
}

impl<'a> Bench<'a> {
    async fn new(mut world: World<'a>, readers: usize, counts: bool, runtime: &Runtime) -> Self {
        let follower = Follower::new(FilePath::named(world.current()), runtime);
        let mut open = Vec::new();
        for _ in 0..readers {
            open.push(Reading::new(&follower, counts).await);
        }
        world.note("opened");
        Self {
            world,
            follower,
            cache: runtime.cache.clone(),
            readers: open,
        }
    }

    async fn look(&mut self) {
        self.follower.fresh().await;
        self.world.note("looked");
    }

    async fn read(&mut self, reader: usize) -> Result<(), Failure> {
        let came = self.readers[reader].read(&self.cache).await;
        came.map(|came| self.world.note(&format!("reader {reader}: {came}")))
            .map_err(|wrong| self.failure(format!("reader {reader}: {wrong}")))
    }

    /// One more file that a reader has to go on to.
    fn stall(&mut self) {
        for reader in &mut self.readers {
            reader.stalled += 1;
        }
    }

    /// Whether all have read all.
    async fn end(&mut self) -> Result<(), Failure> {
        self.world.append(1);
        self.look().await;
        for reader in 0..self.readers.len() {
            self.read(reader).await?;
            let expected = self.readers[reader].expected;
            if expected != self.world.next {
                return Err(self.failure(format!("reader {reader}: {expected} has not come")));
            }
        }
        Ok(())
    }

    fn failure(&mut self, wrong: String) -> Failure {
        Failure {
            steps: std::mem::take(&mut self.world.steps),
            wrong: format!("at step {}: {wrong}", self.world.step),
        }
    }
}

/// Goes so many `steps` in an empty `directory`, and tells how many NULs a reader passed over.
/// `holes`: files have some. What is lost then is more than records, and isn't counted.
pub(super) async fn rotations(
    directory: &Path,
    dice: &mut Dice<'_>,
    steps: usize,
    holes: bool,
    runtime: &Runtime,
) -> Result<u64, Failure> {
    let mut world = World::new(directory);
    world.append(1);
    let mut bench = Bench::new(world, 3, !holes, runtime).await;
    let (mut rotations, mut deleted) = (0, false);
    for step in 0..steps {
        if dice.is_spent() {
            break;
        }
        bench.world.step = step;
        let what = dice.below(20);
        // What is nowhere in the directory any more must have been seen: nobody could tell of it.
        // The same where a deleted file's successor is rotated: others may have been deleted
        // between them.
        let is_rotation = (5..=6).contains(&what);
        if (13..=18).contains(&what) || rotations >= KEPT - 1 || (is_rotation && deleted) {
            bench.look().await;
            // A look that finds no file opens nothing of what was rotated before it.
            if bench.world.current().exists() {
                (rotations, deleted) = (0, false);
            }
        }
        let world = &mut bench.world;
        match what {
            0 if holes => world.leave_hole(8192 * (1 + dice.below(3)), 1 + dice.below(9)),
            0..=4 => world.append(1 + dice.below(40)),
            5 | 6 => {
                world.rotate();
                rotations += 1;
                if what == 6 {
                    world.append(1 + dice.below(9));
                }
            }
            7..=9 => bench.look().await,
            // One reads along, one now and then, one hardly ever.
            10..=12 => bench.read(0).await?,
            13 => world.copy_and_truncate(),
            14 => world.cut(0),
            15 => world.cut(1 + dice.below(40)),
            16 => world.replace(true, dice.below(3)),
            17 => world.replace(false, dice.below(9)),
            18 => {
                world.delete();
                deleted = true;
            }
            _ if dice.below(10) == 0 => bench.read(1).await?,
            _ if step % 1000 == 0 => bench.read(2).await?,
            _ => {}
        }
        if (5..=6).contains(&what) || what >= 13 {
            bench.stall();
        }
        if (13..=18).contains(&what) {
            bench.look().await;
        }
    }
    bench.end().await?;
    let skipped = bench.readers[0].skipped;
    if skipped > 0 && !holes {
        return Err(bench.failure(format!("{skipped} NULs that nobody wrote")));
    }
    Ok(skipped)
}

/// The same where the name is a link to the file of a day, and is pointed to later days, several of
/// them between two looks.
pub(super) async fn days(
    directory: &Path,
    dice: &mut Dice<'_>,
    steps: usize,
    runtime: &Runtime,
) -> Result<u64, Failure> {
    let mut world = World::new(directory);
    let mut day = 0;
    world.point(day, 3);
    let mut bench = Bench::new(world, 2, true, runtime).await;
    for step in 0..steps {
        if dice.is_spent() {
            break;
        }
        bench.world.step = step;
        match dice.below(12) {
            0..=3 => bench.world.append(1 + dice.below(40)),
            4 | 5 => {
                day += 1 + dice.below(2);
                bench.world.point(day, dice.below(3));
                bench.stall();
            }
            6..=8 => bench.look().await,
            9 | 10 => bench.read(0).await?,
            _ => bench.read(1).await?,
        }
    }
    bench.end().await?;
    Ok(bench.readers[0].skipped)
}
