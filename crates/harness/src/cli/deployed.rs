//! `run --deploy FILE.toml`: what the cluster's file says in place of flags.

use super::given::Given;
use crate::described;
use crate::error::UsageError;
use crate::registry::info::StrategyInfo;
use crate::registry::workloads::Workloads;
use crate::settings::deploy::Deploy;
use crate::settings::memcached::Memcached;
use crate::settings::names::DurabilityName;
use crate::settings::net::Net;
use crate::settings::run::RunSettings;
use ssmr_core::GroupId;
use ssmr_net::Durability;

/// Flags that say what the file says.
const SAID_THERE: [&str; 10] = [
    "strategy",
    "partitions",
    "replicas",
    "oracle-replicas",
    "durability",
    "log-bytes",
    "service-time",
    "directory",
    "memcached",
    "net",
];

/// Flags that want a cluster of the run's own, and why.
const OWN_ONLY: [(&str, &str); 3] = [
    ("base-port", "the replicas listen where the file says"),
    (
        "fault",
        "only a cluster of the run's own is broken from here",
    ),
    ("peak", "each step of the search needs a cluster of its own"),
];

/// Fills in what the file of a cluster says that somebody else runs.
///
/// # Errors
/// If the file is of no use, or flags were given that say what it says or want another cluster.
pub(super) fn fill_in<W: Workloads>(
    settings: &mut RunSettings,
    given: &[Given],
    registered: &[StrategyInfo],
) -> Result<(), UsageError> {
    let Deploy::Cluster(path) = &settings.deploy else {
        return Ok(());
    };
    let named = path.display();
    let is_given = |flag: &str| given.iter().any(|(name, _)| name == flag);
    let refused = |flag: &str, why: &str| {
        let problem = format!("--deploy {named}: {why}");
        UsageError::new(format!("--{flag}"), problem)
    };
    if let Some(flag) = SAID_THERE.iter().find(|flag| is_given(flag)) {
        return Err(refused(flag, "the cluster's file says it"));
    }
    if let Some((flag, why)) = OWN_ONLY.iter().find(|(flag, _)| is_given(flag)) {
        return Err(refused(flag, why));
    }
    let file = described::read::<W>("--deploy", path, registered)?;
    if settings.breakdown && !file.experiment.stages {
        let why = "its replicas do not measure: [experiment] stages = true is missing";
        return Err(refused("breakdown", why));
    }
    let named = registered.iter().find_map(|info| {
        let mut variants = info.variants();
        let variant = variants.find(|(name, _)| **name == *file.strategy);
        variant.map(|(_, directory)| (*info, directory))
    });
    let (info, directory) =
        named.unwrap_or_else(|| unreachable!("{} is registered", file.strategy));
    let topology = file.config.topology;
    let first = topology.groups().iter().next().unwrap_or(GroupId::ORACLE);
    settings.strategy = vec![info.name.to_owned()];
    settings.strategies = vec![info];
    settings.directory = directory;
    settings.partitions = topology.partition_count();
    settings.replicas = topology.replica_count(first);
    if topology.groups().contains(GroupId::ORACLE) {
        settings.oracle_replicas = topology.replica_count(GroupId::ORACLE);
    }
    settings.durability = match file.durability {
        Durability::Memory => DurabilityName::Memory,
        Durability::Async(_) => DurabilityName::Async,
        Durability::Sync(_) => DurabilityName::Sync,
    };
    settings.log_bytes = file.log_bytes;
    settings.service_time = file.experiment.service_time;
    settings.breakdown = file.experiment.stages;
    settings.memcached = Memcached::Servers(file.config.cache_servers.clone());
    settings.net = Net::of_cluster(file.config.network.clone(), path);
    settings.cluster = Some(file);
    Ok(())
}
