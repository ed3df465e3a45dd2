//! A file that grows: a follower looks at its name and links generations, open files, into a chain;
//! a reader goes along it.

pub(crate) mod chain;
pub mod change;
pub mod follower;
pub mod generation;
pub(crate) mod newest;
pub(crate) mod nuls;
pub(crate) mod observe;
pub mod path;
pub mod pattern;
pub mod reader;
pub mod rotated;
pub(crate) mod rotated_name;
#[cfg(any(test, fuzzing))]
pub mod walk;
