//! Files that people write: TOML, read key by key, so that all that is wrong is told at once.
//!
//! Invariant: no key that a file has is ignored.

mod problems;
mod section;

pub use problems::{FileProblem, FileProblems};
pub(crate) use problems::{Given, Problems};
pub(crate) use section::Section;
