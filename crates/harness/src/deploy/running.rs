//! A cluster of whichever kind, so that what measures it is compiled once and not for each.

use super::caches::Caches;
use super::deployment::{Deployment, ProcessIds, Status, Tally};
use super::processes::Processes;
use super::remote::Remote;
use super::threads::Threads;
use anyhow::Result;
use ssmr_core::ReplicaId;
use ssmr_net::{ClusterConfig, Cut, Leaders, Operator};
use std::collections::BTreeSet;
use tokio::sync::watch;

/// A running cluster.
pub(crate) enum Running {
    /// In threads of this process.
    Threads(Threads),
    /// In processes of its own on this machine.
    Processes(Processes),
    /// Somewhere, run by somebody else.
    Remote(Remote),
}

/// Does the same with a cluster of each kind.
macro_rules! each {
    ($running:expr, $cluster:ident => $done:expr) => {
        match $running {
            Running::Threads($cluster) => $done,
            Running::Processes($cluster) => $done,
            Running::Remote($cluster) => $done,
        }
    };
}

impl Deployment for Running {
    fn config(&self) -> &ClusterConfig {
        each!(self, cluster => cluster.config())
    }

    fn leaders(&self) -> watch::Receiver<Leaders> {
        each!(self, cluster => cluster.leaders())
    }

    fn running(&mut self) -> BTreeSet<ReplicaId> {
        each!(self, cluster => cluster.running())
    }

    async fn status(&mut self, id: ReplicaId) -> Option<Status> {
        each!(self, cluster => cluster.status(id).await)
    }

    async fn inspect(&mut self, id: ReplicaId) -> Option<Status> {
        each!(self, cluster => cluster.inspect(id).await)
    }

    async fn tally(&mut self) -> Tally {
        each!(self, cluster => cluster.tally().await)
    }

    fn shared(&self) -> Option<&Operator> {
        each!(self, cluster => cluster.shared())
    }

    async fn kill(&mut self, id: ReplicaId) {
        each!(self, cluster => cluster.kill(id).await);
    }

    fn restart(&mut self, id: ReplicaId) -> Result<()> {
        each!(self, cluster => cluster.restart(id))
    }

    fn pause(&mut self, id: ReplicaId, still: bool) {
        each!(self, cluster => cluster.pause(id, still));
    }

    fn cut(&mut self, id: ReplicaId, cut: Cut, off: bool) {
        each!(self, cluster => cluster.cut(id, cut, off));
    }

    fn caches(&mut self) -> &mut Caches {
        each!(self, cluster => cluster.caches())
    }

    fn process_ids(&self) -> watch::Receiver<ProcessIds> {
        each!(self, cluster => cluster.process_ids())
    }
}
