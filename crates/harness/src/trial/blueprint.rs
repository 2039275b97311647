//! The cluster of a trial before it is started.

use crate::deploy::caches::Caches;
use crate::deploy::disks::Disks;
use crate::error::UsageError;
use crate::fault::grammar::Fault;
use crate::results::measures::Applies;
use crate::settings::names::DurabilityName;
use crate::settings::run::RunSettings;
use anyhow::Result;
use ssmr_core::{Oracle, ReplicaId, Topology};
use ssmr_net::{ClusterConfig, ClusterFile, ClusterOptions, Durability, Reservations};
use std::path::Path;
use std::sync::Arc;

/// What a cluster is made from, be it of threads or of processes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blueprint<'a> {
    pub(super) settings: &'a RunSettings,
    /// The service's name.
    pub(super) service: &'static str,
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
            true => {
                let cuts = self.settings.fault.iter().any(Fault::cuts_caches);
                Caches::start(&self.settings.memcached, cuts).await
            }
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
            .with_durability(self.durability())
            .with_seed(self.settings.seed)
            .with_incarnation(self.incarnation)
            .with_base_port(self.settings.base_port)
            .with_log_bytes(self.settings.log_bytes)
            .with_service_time(self.settings.service_time)
            .with_stages(self.settings.breakdown)
            .with_network(self.settings.net.with_seed(self.settings.seed))
    }

    /// The same cluster for processes.
    pub(super) fn file(
        &self,
        oracle: &dyn Oracle,
        topology: Topology,
        reserved: &Reservations,
        caches: &Caches,
    ) -> ClusterFile {
        let settings = self.settings;
        let addresses = reserved.iter();
        let addresses = addresses.map(|(id, reservation)| (*id, reservation.address()));
        let config = ClusterConfig::new(topology, self.incarnation, addresses)
            .with_cache_servers(caches.addresses())
            .with_network(settings.net.with_seed(settings.seed));
        let mut file = ClusterFile::new(config, oracle.name());
        file.service = Some(self.service.to_owned());
        file.durability = self.durability();
        file.log_bytes = settings.log_bytes;
        file.experiment.seed = Some(settings.seed);
        file.experiment.service_time = settings.service_time;
        file.experiment.stages = settings.breakdown;
        file
    }

    /// Where replicas keep their logs.
    fn durability(&self) -> Durability {
        let logs = || std::path::absolute(self.logs).unwrap_or_else(|_| self.logs.into());
        match self.settings.durability {
            DurabilityName::Memory => Durability::Memory,
            DurabilityName::Async => Durability::Async(logs()),
            DurabilityName::Sync => Durability::Sync(logs()),
        }
    }
}
