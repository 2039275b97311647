//! The flags of `log`.

use crate::settings::log::LogSettings;
use clap::Args;
use std::path::PathBuf;

/// How to read what it says.
pub(super) const EXAMPLES: &str = "\
It changes nothing, and needs the replica to be stopped. The exit status is 0 if the replica can go
on with all that it acknowledged (a torn write at the very end is cut off and was never
acknowledged), 1 if it cannot, 2 if there is no such folder.

Example:
  PROGRAM log /var/lib/things/p0r1";

/// Which data folder to look into.
#[derive(Clone, Debug, Args)]
pub(crate) struct LogArgs {
    /// The data folder of one replica
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl LogArgs {
    /// The settings.
    pub(super) fn settings(self) -> LogSettings {
        LogSettings {
            folder: self.folder,
        }
    }
}
