//! A line of a trace: the command that begins in it, or what is wrong with it.

use super::command::TraceCommand;
use std::io;

/// A command, and the line that it begins in.
#[derive(Debug)]
pub(crate) struct Located {
    /// From 1.
    pub(crate) line: u64,
    pub(crate) command: TraceCommand,
}

/// Why a trace cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TraceError {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Read(#[from] io::Error),
    /// A line is wrong.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
}

impl TraceError {
    /// This line is wrong.
    pub(crate) fn at(line: u64, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self::Malformed { line, problem }
    }
}
