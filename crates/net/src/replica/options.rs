//! What one replica is made of.

use crate::clock::Clock;
use crate::config::ClusterConfig;
use crate::limits::ConnectionLimits;
use ssmr_core::{Oracle, ReplicaId};
use ssmr_storage::Durability;
use std::sync::Arc;

/// What one replica is made of. Who it is, its cluster and the strategy must be said; all else has
/// a default.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    /// After how many bytes of log it makes a snapshot.
    pub log_bytes: usize,
    /// What strangers may take of it.
    pub limits: ConnectionLimits,
}

impl ReplicaOptions {
    /// A replica that keeps its log in memory, with a clock that starts now.
    pub fn new(id: ReplicaId, config: ClusterConfig, oracle: impl Oracle) -> Self {
        Self {
            id,
            config,
            oracle: oracle.into_shared(),
            seed: 1,
            clock: Clock::start(),
            durability: Durability::Memory,
            log_bytes: ssmr_multicast::LOG_BYTES,
            limits: ConnectionLimits::default(),
        }
    }

    /// These options with another [`seed`](Self::seed).
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// These options with another [`clock`](Self::clock).
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// These options with another [`durability`](Self::durability).
    #[must_use]
    pub fn with_durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// These options with another [`log_bytes`](Self::log_bytes).
    #[must_use]
    pub fn with_log_bytes(self, log_bytes: usize) -> Self {
        Self { log_bytes, ..self }
    }

    /// These options with other [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(self, limits: ConnectionLimits) -> Self {
        Self { limits, ..self }
    }
}
