//! The settings of `top`.

use std::path::PathBuf;
use std::time::Duration;

/// Which cluster to watch, and how.
#[derive(Clone, Debug)]
pub(crate) struct TopSettings {
    /// The cluster's file.
    pub(crate) file: PathBuf,
    /// How often to look.
    pub(crate) every: Duration,
    /// How many hot objects to show; with 0 nobody counts.
    pub(crate) hottest: u16,
    /// One look, and the end.
    pub(crate) once: bool,
    /// For machines.
    pub(crate) json: bool,
}
