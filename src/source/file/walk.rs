//! A random walk: what happens to logs, in any order, against a naive model. Each record that was
//! written is read once, in order, or a mark says that some are gone.

mod model;
mod steps;
#[cfg(test)]
mod tests;
mod world;

use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::time::Duration;

use crate::source::Runtime;
pub use crate::source::file::walk::steps::Dice;
use crate::source::file::walk::steps::{days, rotations};

/// What the last steps were, and what was found wrong after them.
pub struct Failure {
    steps: VecDeque<String>,
    wrong: String,
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        write!(f, "{}", self.wrong)
    }
}

/// What may happen on a walk.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Everything but holes.
    Rotations,
    /// That, and holes.
    Holes,
    /// A link to the file of a day.
    Days,
}

/// Goes so many `steps` in an empty `directory`, or fewer where the dice are spent before. Tells
/// how many NULs the most eager reader passed over.
///
/// # Errors
/// Where a reader reads anything else than the model.
pub fn walk(
    kind: Kind,
    directory: &Path,
    mut dice: Dice<'_>,
    steps: usize,
) -> Result<u64, Failure> {
    let hour = Duration::from_secs(3600);
    let runtime = Runtime {
        // It looks when the walk says so, and at no other time.
        poll: hour,
        anyway: hour,
        ..Runtime::bare(|_| {})
    };
    let dice = &mut dice;
    smol::block_on(runtime.executor.run(async {
        match kind {
            Kind::Rotations => rotations(directory, dice, steps, false, &runtime).await,
            Kind::Holes => rotations(directory, dice, steps, true, &runtime).await,
            Kind::Days => days(directory, dice, steps, &runtime).await,
        }
    }))
}
