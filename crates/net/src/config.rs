//! What a client or a replica must know of a cluster to take part in it.

use crate::error::NetError;
use serde::{Deserialize, Serialize};
use ssmr_core::{ReplicaId, Topology};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A cluster as its members and clients see it. Fixed for the cluster's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterConfig {
    /// The groups.
    pub topology: Topology,
    /// Where each replica listens.
    pub addresses: BTreeMap<ReplicaId, SocketAddr>,
    /// Tells this cluster from others that used the same ports or the same cache before.
    pub incarnation: u64,
    /// Shared caches, as `host:port`. With none, every call to the cache is answered with "down".
    pub cache_servers: Vec<String>,
}

impl ClusterConfig {
    /// Checks that every replica of the topology has an address.
    pub(crate) fn check(&self) -> Result<(), NetError> {
        let mut replicas = self.topology.replicas();
        let homeless = replicas.find(|id| !self.addresses.contains_key(id));
        homeless.map_or(Ok(()), |id| Err(NetError::NoAddress(id)))
    }
}
