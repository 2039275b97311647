//! Why a folder cannot be drawn: always with the file, and the line where there is one.

use std::path::{Path, PathBuf};

/// Why a folder, or a file in it, cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ReadError {
    path: PathBuf,
    problem: String,
}

impl ReadError {
    pub(crate) fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// For what the system or a parser says of a file.
    pub(crate) fn from_cause(path: &Path) -> impl Fn(&dyn std::error::Error) -> Self + '_ {
        move |cause| Self::new(path, cause.to_string())
    }
}
