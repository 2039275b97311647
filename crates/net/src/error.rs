//! What can go wrong while a shell is set up. Messages name the address or the replica.
//!
//! Once it runs nothing here is raised any more: a connection that breaks is dialled again, a request always completes.

use ssmr_core::{GroupId, ReplicaId};
use std::io;
use std::time::Duration;

/// Why a replica, a cluster, a client or a cache server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The ports from the base port on do not suffice.
    #[error("ports from {base} on do not suffice for {count} replicas")]
    Ports {
        /// The base port.
        base: u16,
        /// How many replicas the cluster has.
        count: usize,
    },
    /// A thread or its event loop cannot be started.
    #[error("cannot start {what}: {source}")]
    Start {
        /// What was to run there.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The configuration names no address for a replica of the topology.
    #[error("the cluster's configuration has no address for replica {0}")]
    NoAddress(ReplicaId),
    /// A replica's log cannot be opened.
    #[error(transparent)]
    Storage(#[from] crate::storage::StorageError),
    /// A group has not elected a leader in time.
    #[error("group {group} has no leader after {waited:?}")]
    NoLeader {
        /// The group.
        group: GroupId,
        /// How long it was waited for.
        waited: Duration,
    },
}
