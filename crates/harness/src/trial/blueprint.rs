//! The cluster of a trial before it is started.

use crate::deploy::caches::Caches;
use crate::deploy::disks::Disks;
use crate::deploy::file::ClusterFile;
use crate::error::UsageError;
use crate::results::measures::Applies;
use crate::settings::names::DurabilityName;
use crate::settings::run::RunSettings;
use anyhow::Result;
use ssmr_core::{Oracle, ReplicaId, Topology};
use ssmr_net::ClusterOptions;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What a cluster is made from, be it of threads or of processes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blueprint<'a> {
    pub(super) settings: &'a RunSettings,
    /// The strategy's name.
    pub(super) strategy: &'static str,
    /// The workload's name.
    pub(super) workload: &'static str,
    /// What the strategy does.
    pub(super) applies: Applies,
    /// Where the replicas' logs are, if they keep any.
    pub(super) logs: &'a Path,
    pub(super) incarnation: u64,
}

impl Blueprint<'_> {
    /// Starts the shared caches, for a strategy that uses them.
    pub(super) async fn caches(&self) -> Result<Caches> {
        match self.applies.cache {
            true => Caches::start(&self.settings.memcached).await,
            false => Ok(Caches::None),
        }
    }

    /// Mounts the disks that are to be full at times.
    pub(super) fn disks(&self, topology: &Topology) -> Result<Disks, UsageError> {
        let schedule = &self.settings.fault;
        let is_filled = |id: &ReplicaId| schedule.iter().any(|fault| fault.fills_disk_of(*id));
        let full = topology.replicas().filter(is_filled);
        Disks::mount(full, self.logs, self.settings.log_bytes)
    }

    /// A cluster of threads.
    pub(super) fn options(&self, oracle: Arc<dyn Oracle>, topology: Topology) -> ClusterOptions {
        ClusterOptions::new(topology, oracle)
            .with_durability(self.file().durability())
            .with_seed(self.settings.seed)
            .with_incarnation(self.incarnation)
            .with_base_port(self.settings.base_port)
            .with_log_bytes(self.settings.log_bytes)
            .with_service_time(self.settings.service_time)
            .with_stages(self.settings.breakdown)
    }

    /// The same cluster for processes, but for the addresses of replicas and caches.
    pub(super) fn file(&self) -> ClusterFile {
        let settings = self.settings;
        ClusterFile {
            workload: self.workload.into(),
            strategy: self.strategy.into(),
            partitions: settings.partitions,
            replicas: settings.replicas,
            oracle_replicas: settings.oracle_replicas,
            directory: settings.directory,
            incarnation: self.incarnation as i64,
            seed: settings.seed as i64,
            durability: settings.durability,
            log_bytes: settings.log_bytes,
            service_time_us: settings.service_time.map(|time| time.as_micros() as u64),
            stages: settings.breakdown,
            logs: (settings.durability != DurabilityName::Memory).then(|| self.logs.into()),
            cache_servers: Vec::new(),
            addresses: BTreeMap::new(),
        }
    }
}
