//! Where a replica is looked for.

use crate::endpoint::Endpoint;
use ssmr_core::ReplicaId;
use std::fmt;

/// A replica and where it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The replica.
    pub replica: ReplicaId,
    /// Where it is reached.
    pub address: Endpoint,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.replica, self.address)
    }
}
