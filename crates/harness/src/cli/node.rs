//! The flags of `node`.

use crate::settings::node::NodeSettings;
use clap::Args;
use ssmr_core::{GroupId, ReplicaId};
#[cfg(feature = "metrics")]
use ssmr_net::Endpoint;
use ssmr_net::WhichReplica;
use std::path::PathBuf;

/// What it takes and gives, and how to begin.
pub(super) const EXAMPLES: &str = "\
It runs until SIGTERM or SIGINT comes; then it closes its log. One that holds nothing votes for
nobody: it waits until its group takes it in, or, in a new cluster, until PROGRAM cluster found has
been run once. The same command line is right each time.

Without --replica its number among the replicas (those of p0 first, those of the oracle last), or
with --group among those of the group, is the value of JOB_COMPLETION_INDEX (Kubernetes) or
SLURM_PROCID (Slurm), or else the number at the end of the host's name (things-2).

With --orders it ends when its standard input closes, too, takes orders there and reports on its
standard output, one JSON value a line:
  {\"status\":1}                  say how you are        \"listening\"
  {\"cut\":[\"peers\",true]}      leave the others       {\"leads\":true}

Examples, with a cluster file that `PROGRAM run --deploy processes` has left in its folder:
  PROGRAM node --cluster results/latest/cluster-broker.toml --replica p0r1
  PROGRAM node --cluster /etc/things/cluster.toml --group p0";

/// Which replica to be.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeArgs {
    /// The cluster's file
    #[arg(long, value_name = "FILE.toml")]
    cluster: PathBuf,

    /// The replica to be: p0r1 is replica 1 of partition 0, oracler0 one of the oracle
    #[arg(long, value_name = "NAME")]
    replica: Option<ReplicaId>,

    /// The group to be a replica of: p0, oracle
    #[arg(long, value_name = "GROUP", conflicts_with = "replica")]
    group: Option<GroupId>,

    /// Listen beyond this host although the cluster has no TLS: whoever reaches it may speak
    #[arg(long)]
    insecure: bool,

    /// Be driven over standard input and output
    #[arg(long)]
    orders: bool,

    /// Serve what it counts at this address over HTTP: /metrics for Prometheus, /healthz, /readyz.
    /// Whoever reaches the address may read it
    #[cfg(feature = "metrics")]
    #[arg(long, value_name = "HOST:PORT")]
    metrics: Option<Endpoint>,
}

impl NodeArgs {
    /// The settings.
    pub(super) fn settings(self) -> NodeSettings {
        NodeSettings {
            cluster: self.cluster,
            replica: match (self.replica, self.group) {
                (Some(replica), _) => WhichReplica::Named(replica),
                (None, Some(group)) => WhichReplica::OfGroup(group),
                (None, None) => WhichReplica::ByOrdinal,
            },
            insecure: self.insecure,
            takes_orders: self.orders,
            is_of_job: false,
            #[cfg(feature = "metrics")]
            metrics: self.metrics,
        }
    }
}
