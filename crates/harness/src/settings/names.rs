//! Choices that have names: those of flags, files and CSV columns.

use serde::{Deserialize, Serialize, Serializer};
use ssmr_core::Execution;

/// Where replicas keep their logs. Files are within the run's folder and go when the strategy is
/// done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DurabilityName {
    /// Nowhere.
    Memory,
    /// In files, left to the operating system.
    Async,
    /// In files, synced before anything that depends on them is sent.
    Sync,
}

impl DurabilityName {
    /// The value of the CSV column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Async => "async",
            Self::Sync => "sync",
        }
    }
}

/// The value of `--execution` and of the CSV column.
pub(crate) fn execution_name(execution: Execution) -> &'static str {
    match execution {
        Execution::Exchange => "exchange",
        Execution::Gather => "gather",
    }
}

/// Writes an execution by its name.
pub(super) fn execution_as_text<S: Serializer>(
    execution: &Execution,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.serialize_str(execution_name(*execution))
}
