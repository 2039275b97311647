//! What a client or a replica must know of a cluster to take part in it.

use crate::endpoint::Endpoint;
use crate::error::ConfigError;
use crate::network::Network;
use serde::{Deserialize, Serialize};
use ssmr_core::{GroupId, Oracle, ReaderKey, ReplicaId, Topology};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A cluster as its members and clients see it. Fixed for the cluster's life.
///
/// It can be serialised. The file that people write of a cluster is a
/// [`ClusterFile`](crate::ClusterFile).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// Tells this cluster from others that used the same ports or the same cache before.
    #[serde(with = "hexadecimal")]
    pub incarnation: u64,
    /// Shared caches, as `host:port`. With none, every call to the cache is answered with "down".
    pub cache_servers: Vec<String>,
    /// The network that everybody emulates, if any. Every process must be told the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// By what clients recognize values that owners have published in the caches, for reads that
    /// may be stale. Without it these believe nothing that is there, and go to the owners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_key: Option<ReaderKey>,
    /// The groups.
    pub topology: Topology,
    /// Where each replica is reached.
    pub addresses: BTreeMap<ReplicaId, Endpoint>,
    /// The folder with the certificates of whoever takes part; with none all is said in the clear,
    /// to whoever is there. See [`Holder`](crate::Holder).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<PathBuf>,
}

impl ClusterConfig {
    /// A cluster without a shared cache. Whether it can be one is [checked](Self::check) by whoever
    /// takes part.
    #[must_use]
    pub fn new<At: Into<Endpoint>>(
        topology: Topology,
        incarnation: u64,
        addresses: impl IntoIterator<Item = (ReplicaId, At)>,
    ) -> Self {
        let addresses = addresses.into_iter();
        Self {
            incarnation,
            cache_servers: Vec::new(),
            network: None,
            reader_key: None,
            topology,
            addresses: addresses.map(|(id, at)| (id, at.into())).collect(),
            tls: None,
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

    /// This configuration with an emulated [`network`](Self::network), or with none.
    #[must_use]
    pub fn with_network(self, network: Option<Network>) -> Self {
        Self { network, ..self }
    }

    /// The longest round trip that timers must allow for: that of the emulated network.
    pub(crate) fn longest_round_trip(&self) -> Duration {
        let network = self.network.as_ref();
        network.map_or(Duration::ZERO, Network::longest_round_trip)
    }

    /// This configuration with TLS, and certificates in this [folder](Self::tls).
    #[must_use]
    pub fn with_tls(self, folder: impl Into<PathBuf>) -> Self {
        let tls = Some(folder.into());
        Self { tls, ..self }
    }

    /// This configuration with a [`reader_key`](Self::reader_key).
    #[must_use]
    pub fn with_reader_key(self, reader_key: ReaderKey) -> Self {
        Self {
            reader_key: Some(reader_key),
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
}

/// What tells a cluster from others, as people write it.
pub(crate) struct Incarnation(pub(crate) u64);

impl FromStr for Incarnation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        let bad = || format!("{text:?} is no number of up to 16 hexadecimal digits");
        number.map(Self).ok_or_else(bad)
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
        let parsed = text.parse::<super::Incarnation>();
        parsed.map(|parsed| parsed.0).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_strategy_broker::Broker;
    use ssmr_strategy_global::Global;
    use std::net::SocketAddr;

    fn config() -> ClusterConfig {
        let topology = Topology::new(1, 1).unwrap().with_oracle(1).unwrap();
        let addresses = topology.replicas().zip(4000u16..);
        let addresses = addresses.map(|(id, port)| (id, SocketAddr::from(([127, 0, 0, 1], port))));
        ClusterConfig::new(topology, u64::MAX, addresses)
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
