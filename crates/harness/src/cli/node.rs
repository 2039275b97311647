//! The flags of `node`.

use crate::settings::node::NodeSettings;
use clap::Args;
use std::path::PathBuf;

/// What it takes and gives, and how to begin.
pub(super) const EXAMPLES: &str = "\
It runs until its standard input closes, or SIGTERM or SIGINT comes; then it closes its log. It
takes orders on its standard input and reports on its standard output, one JSON value a line:
  {\"status\":1}   say how you are        \"listening\"
  {\"cut\":true}   leave the others       {\"leads\":true}

One that holds nothing votes for nobody: it waits until its group takes it in, or, in a new cluster,
until PROGRAM cluster found has been run once. The same command line is right each time.

Example, with a cluster file that `PROGRAM run --deploy processes` has left in its folder:
  PROGRAM node --cluster results/latest/cluster-broker.toml --replica p0r1";

/// Which replica to be.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeArgs {
    /// The cluster: a file as a run with --deploy processes writes it
    #[arg(long, value_name = "FILE.toml")]
    cluster: PathBuf,

    /// The replica to be: p0r1 is replica 1 of partition 0, oracler0 one of the oracle
    #[arg(long, value_name = "NAME")]
    replica: String,
}

impl NodeArgs {
    /// The settings.
    pub(super) fn settings(self) -> NodeSettings {
        NodeSettings {
            cluster: self.cluster,
            replica: self.replica,
        }
    }
}
