//! What a client or a replica must know of a cluster to take part in it, and the file that tells
//! it.

use crate::error::ConfigError;
use serde::{Deserialize, Serialize};
use ssmr_core::{GroupId, Oracle, ReplicaId, Topology};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// A cluster as its members and clients see it. Fixed for the cluster's life.
///
/// It can be serialised; as TOML it looks like this:
/// ```toml
/// incarnation = "9f3c51a0774be812"
/// cache_servers = []
///
/// [topology]
/// partition_count = 1
/// replica_count = 1
/// oracle_replica_count = 0
///
/// [addresses]
/// p0r0 = "127.0.0.1:4000"
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// Tells this cluster from others that used the same ports or the same cache before.
    #[serde(with = "hexadecimal")]
    pub incarnation: u64,
    /// Shared caches, as `host:port`. With none, every call to the cache is answered with "down".
    pub cache_servers: Vec<String>,
    /// The groups.
    pub topology: Topology,
    /// Where each replica listens.
    pub addresses: BTreeMap<ReplicaId, SocketAddr>,
}

impl ClusterConfig {
    /// A cluster without a shared cache. Whether it can be one is [checked](Self::check) by whoever
    /// takes part.
    #[must_use]
    pub fn new(
        topology: Topology,
        incarnation: u64,
        addresses: BTreeMap<ReplicaId, SocketAddr>,
    ) -> Self {
        Self {
            incarnation,
            cache_servers: Vec::new(),
            topology,
            addresses,
        }
    }

    /// This configuration with other [`cache_servers`](Self::cache_servers).
    #[must_use]
    pub fn with_cache_servers(self, cache_servers: Vec<String>) -> Self {
        Self {
            cache_servers,
            ..self
        }
    }

    /// Checks that exactly the replicas of the topology have addresses, and that the strategy can
    /// work with it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, oracle: &dyn Oracle) -> Result<(), ConfigError> {
        let mut replicas = self.topology.replicas();
        if let Some(id) = replicas.find(|id| !self.addresses.contains_key(id)) {
            return Err(ConfigError::NoAddress(id));
        }
        let is_known = |id: &ReplicaId| id.index < self.topology.replica_count(id.group);
        let in_topology = |id: &ReplicaId| self.topology.groups().contains(id.group);
        let mut named = self.addresses.keys();
        if let Some(id) = named.find(|id| !(in_topology(id) && is_known(id))) {
            return Err(ConfigError::UnknownReplica(*id));
        }
        let has_oracle = self.topology.groups().contains(GroupId::ORACLE);
        if oracle.needs().oracle_group && !has_oracle {
            let strategy = oracle.name().to_owned();
            return Err(ConfigError::NoOracleGroup { strategy });
        }
        Ok(())
    }

    /// Reads a configuration from a file in TOML.
    ///
    /// # Errors
    /// If the file cannot be read, or holds something else.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| file(path, error))?;
        toml::from_str(&text).map_err(|error| ConfigError::Form {
            path: path.into(),
            problem: error.to_string(),
        })
    }

    /// Writes the configuration into a file, as TOML.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ConfigError> {
        let path = path.as_ref();
        let text = toml::to_string(self).map_err(|error| ConfigError::Form {
            path: path.into(),
            problem: error.to_string(),
        })?;
        std::fs::write(path, text).map_err(|error| file(path, error))
    }
}

fn file(path: &Path, error: io::Error) -> ConfigError {
    ConfigError::File {
        path: path.into(),
        source: Arc::new(error),
    }
}

/// An unsigned number as text: integers of TOML have a sign, and those of JSON lose digits in some
/// readers.
mod hexadecimal {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(&text, 16).ok().filter(|_| digits);
        number.ok_or_else(|| {
            D::Error::custom(format!(
                "{text:?} is no number of up to 16 hexadecimal digits"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_strategy_broker::Broker;
    use ssmr_strategy_global::Global;

    fn config() -> ClusterConfig {
        let topology = Topology::new(1, 1).unwrap().with_oracle(1).unwrap();
        let addresses = topology.replicas().zip(4000u16..);
        ClusterConfig {
            incarnation: u64::MAX,
            cache_servers: vec!["localhost:11211".into()],
            topology,
            addresses: addresses
                .map(|(id, port)| (id, ([127, 0, 0, 1], port).into()))
                .collect(),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.toml");
        config().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for part in [
            "incarnation = \"ffffffffffffffff\"",
            "oracler0 = \"127.0.0.1:4001\"",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(ClusterConfig::read(&path).unwrap(), config());
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.toml");
        let missing = ClusterConfig::read(&path).unwrap_err();
        assert!(matches!(missing, ConfigError::File { .. }), "{missing}");
        for (from, to) in [
            ("p0r0", "p0r999"),
            ("partition_count = 1", "partition_count = 0"),
            ("ffffffffffffffff", "+1"),
            ("cache_servers", "cash_servers"),
        ] {
            config().write(&path).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(from));
            std::fs::write(&path, text.replace(from, to)).unwrap();
            let error = ClusterConfig::read(&path).unwrap_err();
            assert!(matches!(error, ConfigError::Form { .. }), "{error}");
            assert!(error.to_string().contains("cluster.toml"), "{error}");
        }
    }

    #[test]
    fn it_must_fit_the_topology_and_the_strategy() {
        config().check(&Broker).unwrap();
        let mut config = config();
        config.topology = Topology::new(1, 1).unwrap();
        let error = config.check(&Global).unwrap_err();
        assert!(matches!(error, ConfigError::UnknownReplica(_)), "{error}");
        config.addresses.retain(|id, _| id.group != GroupId::ORACLE);
        config.check(&Global).unwrap();
        let error = config.check(&Broker).unwrap_err();
        assert!(
            matches!(error, ConfigError::NoOracleGroup { .. }),
            "{error}"
        );
        config.addresses.clear();
        let error = config.check(&Global).unwrap_err();
        assert!(matches!(error, ConfigError::NoAddress(_)), "{error}");
    }
}
