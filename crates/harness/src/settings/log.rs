//! The settings of `log`.

use std::path::PathBuf;

/// Which data folder to look into.
#[derive(Clone, Debug)]
pub(crate) struct LogSettings {
    /// The folder of one replica.
    pub(crate) folder: PathBuf,
}
