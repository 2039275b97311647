//! The flags of `cluster`.

use super::values::positive_time;
use crate::program;
use crate::settings::cluster::{ClusterSettings, FoundSettings};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// What founding is, and how to do it.
const FOUND_EXAMPLES: &str = "\
Run it once, when the replicas have been started for the first time; it waits for them. It makes
them the first members of their groups, each in its present generation: one that forgets is another
one afterwards, and its group takes it in. It refuses a cluster of which a replica holds anything,
and founds nothing then; the exit status is 1. Interrupted or repeated at once it does no harm.

Example, with each replica running as a process (PROGRAM node):
  PROGRAM cluster found cluster.toml";

/// What to do with a cluster.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    command: ClusterCommand,
}

/// What can be done with a cluster.
#[derive(Clone, Debug, Subcommand)]
enum ClusterCommand {
    /// Make the replicas of a new cluster, which hold nothing, its first members
    Found(FoundArgs),
}

/// Which cluster to found.
#[derive(Clone, Debug, Args)]
struct FoundArgs {
    /// The cluster: the file that its replicas were started with
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// How long to wait for each replica, e.g. 30s
    #[arg(
        long,
        default_value = "30s",
        value_name = "TIME",
        allow_hyphen_values = true,
        value_parser = positive_time
    )]
    timeout: Duration,
}

impl ClusterArgs {
    /// The settings.
    pub(super) fn settings(self) -> ClusterSettings {
        let ClusterCommand::Found(FoundArgs { file, timeout }) = self.command;
        ClusterSettings::Found(FoundSettings { file, timeout })
    }
}

/// Adds what to say at the end of each help.
pub(super) fn with_examples(command: clap::Command) -> clap::Command {
    command.mut_subcommand("found", |found| {
        found.after_help(program::named(FOUND_EXAMPLES))
    })
}
