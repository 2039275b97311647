//! How a command ended, and the exit status that says so.

use crate::error::UsageError;
use crate::interrupt;
use std::process::ExitCode;

/// How a command ended that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Nothing wrong was found.
    Good,
    /// Nothing wrong was found, but replicas are missing.
    Degraded,
    /// A check found a violation, or could not be made.
    Wrong,
    /// The user ended it.
    Interrupted,
}

/// The exit status: 0, 1 (the command failed, or a check found a violation or could not be made), 2
/// (bad usage), 3 (all was checked and is right, but replicas are missing) or 130 (the user ended
/// it). Errors are told.
pub(crate) fn exit_code(ending: &anyhow::Result<Ending>) -> ExitCode {
    match ending {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Degraded) => ExitCode::from(3),
        Ok(Ending::Wrong) => ExitCode::from(1),
        Ok(Ending::Interrupted) => interrupt::end(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}
