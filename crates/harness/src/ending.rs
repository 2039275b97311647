//! How a command ended, and the exit status that says so.

use crate::error::UsageError;
use std::process::ExitCode;

/// How a command ended that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing wrong was found.
    Good,
    /// A check found a violation.
    Violated,
}

/// The exit status: 0, 1 (the command failed or a check found a violation), 2 (bad usage). Errors
/// are told.
pub(crate) fn exit_code(ending: &anyhow::Result<Ending>) -> ExitCode {
    match ending {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Violated) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}
