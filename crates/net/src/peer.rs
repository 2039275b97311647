//! Where a replica is looked for.

use ssmr_core::ReplicaId;
use std::fmt;
use std::net::SocketAddr;

/// A replica and where it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The replica.
    pub replica: ReplicaId,
    /// Its address.
    pub address: SocketAddr,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.replica, self.address)
    }
}
