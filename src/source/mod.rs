//! Where streams come from.
//!
//! A follower looks at a name and links generations, open files, into a list; a reader walks along it.

pub mod disk;
pub mod family;
pub mod follower;
pub mod generation;
pub mod notices;
pub mod reader;
pub mod step;
