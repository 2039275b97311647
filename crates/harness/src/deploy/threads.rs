//! Replicas as threads of this process.
//!
//! It is [`Cluster`] as the library has it. What is kept here is what a replica had counted before
//! it was stopped.

use super::caches::Caches;
use super::deployment::{Deployment, ProcessIds, Status, Tally};
use crate::time;
use anyhow::Result;
use ssmr_core::{Application, ReplicaId};
use ssmr_net::{CacheChoice, Cluster, ClusterConfig, ClusterOptions, Cut, Leaders, NetError};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;

/// How long a replica may take to answer when the cluster is founded.
const FOUNDING: Duration = Duration::from_secs(30);

/// A cluster of threads.
pub(crate) struct Threads {
    cluster: Cluster,
    caches: Caches,
    processes: watch::Receiver<ProcessIds>,
    /// What replicas had counted that were stopped; their traffic the cluster remembers.
    former: Tally,
}

impl Threads {
    /// Starts every replica. The cluster is founded when this returns.
    pub(crate) async fn start<A: Application>(
        options: ClusterOptions,
        caches: Caches,
    ) -> Result<Self, NetError> {
        let options = match &caches.addresses()[..] {
            [] => options,
            servers => options.with_cache(CacheChoice::Servers(servers.to_vec())),
        };
        let cluster = Cluster::start::<A>(options)?;
        cluster.found(FOUNDING).await?;
        Ok(Self {
            cluster,
            caches,
            processes: watch::channel(ProcessIds::new()).1,
            former: Tally::default(),
        })
    }
}

/// What a replica's own counters add to a tally.
fn counted(status: &Status) -> Tally {
    Tally {
        value_hits: status.value_hits,
        value_misses: status.value_misses,
        ..Tally::default()
    }
}

impl Deployment for Threads {
    fn config(&self) -> &ClusterConfig {
        self.cluster.config()
    }

    fn leaders(&self) -> watch::Receiver<Leaders> {
        self.cluster.leaders()
    }

    fn running(&mut self) -> BTreeSet<ReplicaId> {
        self.cluster.running().collect()
    }

    async fn status(&mut self, id: ReplicaId) -> Option<Status> {
        self.cluster.status(id).await.map(Status::from)
    }

    async fn inspect(&mut self, id: ReplicaId) -> Option<Status> {
        self.cluster.inspect(id).await.map(Status::from)
    }

    async fn tally(&mut self) -> Tally {
        let mut tally = self.former;
        tally.processor_us = time::processor_us();
        tally.traffic = self.cluster.traffic();
        let topology = self.config().topology;
        for id in topology.replicas() {
            if let Some(status) = self.status(id).await {
                tally += counted(&status);
            }
        }
        tally
    }

    async fn kill(&mut self, id: ReplicaId) {
        if let Some(status) = self.status(id).await {
            self.former += counted(&status);
        }
        self.cluster.stop_replica(id);
    }

    fn restart(&mut self, id: ReplicaId) -> Result<()> {
        self.cluster.restart_replica(id)?;
        Ok(())
    }

    fn pause(&mut self, _id: ReplicaId, _still: bool) {}

    fn cut(&mut self, id: ReplicaId, cut: Cut, off: bool) {
        self.cluster.faults().cut_replica(id, cut, off);
    }

    fn caches(&mut self) -> &mut Caches {
        &mut self.caches
    }

    fn process_ids(&self) -> watch::Receiver<ProcessIds> {
        self.processes.clone()
    }
}
