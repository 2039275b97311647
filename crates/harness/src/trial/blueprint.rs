//! The cluster of a trial before it is started.

use crate::deploy::file::ClusterFile;
use crate::results::measures::Applies;
use crate::settings::names::DurabilityName;
use crate::settings::run::RunSettings;
use ssmr_core::{Oracle, Topology};
use ssmr_net::{CacheChoice, ClusterOptions};
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
    /// Whether a shared cache is to run in this process.
    pub(super) fn embeds_cache(&self) -> bool {
        self.applies.cache && self.settings.memcached.is_empty()
    }

    /// A cluster of threads.
    pub(super) fn options(&self, oracle: Arc<dyn Oracle>, topology: Topology) -> ClusterOptions {
        let cache = match self.memcached() {
            [] => CacheChoice::None,
            servers => CacheChoice::Servers(servers.to_vec()),
        };
        ClusterOptions::new(topology, oracle)
            .with_durability(self.file().durability())
            .with_seed(self.settings.seed)
            .with_incarnation(self.incarnation)
            .with_base_port(self.settings.base_port)
            .with_log_bytes(self.settings.log_bytes)
            .with_cache(cache)
    }

    /// The same cluster for processes, but for the addresses.
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
            logs: (settings.durability != DurabilityName::Memory).then(|| self.logs.into()),
            cache_servers: self.memcached().to_vec(),
            addresses: BTreeMap::new(),
        }
    }

    /// The shared caches that run already, for a strategy that uses them.
    fn memcached(&self) -> &[String] {
        let servers = &self.settings.memcached;
        if self.applies.cache { servers } else { &[] }
    }
}
