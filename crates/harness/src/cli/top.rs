//! The flags of `top`.

use super::values::positive_time;
use crate::settings::top::TopSettings;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// How to read what it shows.
pub(super) const EXAMPLES: &str = "\
Rates are those since the last look. A replica's queue is all that waits within it: inputs, entries
that are not committed, commands that are not delivered or not finished, reads. Its log is what was
applied since its last snapshot. The hottest objects are those that commands named the most in the
last seconds, by the share of all that was named at the group's leader; leaders count only while
somebody asks. The exit status of --once is 0, or 3 if a replica does not answer.

Example:
  PROGRAM top cluster.toml";

/// Which cluster to watch, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct TopArgs {
    /// The cluster: the file that its replicas were started with
    #[arg(value_name = "CLUSTER")]
    file: PathBuf,

    /// How often to look, e.g. 500ms
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = positive_time)]
    every: Duration,

    /// How many hot objects to show; 0 for none
    #[arg(
        long,
        default_value_t = 10,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(0..=100)
    )]
    hottest: u16,

    /// Look once, print one table, and end
    #[arg(long)]
    once: bool,

    /// A line of JSON for each look, in place of tables
    #[arg(long)]
    json: bool,
}

impl TopArgs {
    /// The settings.
    pub(super) fn settings(self) -> TopSettings {
        TopSettings {
            file: self.file,
            every: self.every,
            hottest: self.hottest,
            once: self.once,
            json: self.json,
        }
    }
}
