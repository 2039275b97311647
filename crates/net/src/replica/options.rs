//! What one replica is made of.

use crate::clock::Clock;
use crate::config::ClusterConfig;
use crate::storage::Durability;
use ssmr_core::{Oracle, ReplicaId};
use std::sync::Arc;

/// What one replica is made of.
#[derive(Clone, Debug)]
pub struct ReplicaOptions {
    /// Which replica it is.
    pub id: ReplicaId,
    /// The cluster that it belongs to.
    pub config: ClusterConfig,
    /// The strategy.
    pub oracle: Arc<dyn Oracle>,
    /// For the multicast's election timers.
    pub seed: u64,
    /// Its clock.
    pub clock: Clock,
    /// Where it keeps its log: in a folder of its own within the one named here.
    pub durability: Durability,
    /// It took part before. If nothing is stored it has lost its memory, and must not vote as if it
    /// had never voted.
    pub rejoins: bool,
    /// After how many bytes of log it makes a snapshot.
    pub log_bytes: usize,
}
