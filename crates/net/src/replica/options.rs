//! What one replica is made of.

use crate::clock::Clock;
use crate::config::ClusterConfig;
use crate::limits::ConnectionLimits;
use ssmr_core::{Oracle, ReplicaId, Secret};
use ssmr_storage::Durability;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

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
    /// What all replicas of the cluster know and others do not; [that of the
    /// incarnation](Secret::of_incarnation) unless it is given. See
    /// [`with_secret`](Self::with_secret).
    pub secret: Secret,
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
    /// How long it takes for each thing that a client asks, to emulate a slower machine; `None` for
    /// what it really takes. See [`with_service_time`](Self::with_service_time).
    pub service_time: Option<Duration>,
    /// Whether it measures where the time of each command goes, and tells the client with the
    /// answer: [`Cost::stages`](ssmr_core::Cost::stages).
    pub stages: bool,
    /// Whether it may listen beyond this host without [TLS](ClusterConfig::tls), so that whoever
    /// reaches it may speak.
    pub insecure: bool,
    /// Where it serves its metrics over HTTP, if it does.
    pub metrics: Option<SocketAddr>,
}

impl ReplicaOptions {
    /// A replica that keeps its log in memory, with a clock that starts now.
    pub fn new(id: ReplicaId, config: ClusterConfig, oracle: impl Oracle) -> Self {
        Self {
            id,
            secret: Secret::of_incarnation(config.incarnation),
            config,
            oracle: oracle.into_shared(),
            seed: 1,
            clock: Clock::start(),
            durability: Durability::Memory,
            log_bytes: ssmr_multicast::LOG_BYTES,
            limits: ConnectionLimits::default(),
            service_time: None,
            stages: false,
            insecure: false,
            metrics: None,
        }
    }

    /// These options with a secret, so that whoever runs or reaches a shared cache cannot make up a
    /// value that is believed. All replicas of a cluster must have the same; those that do not send
    /// each other every value in full. Nothing of it is state: a cluster may have another one when
    /// it is started again.
    #[must_use]
    pub fn with_secret(self, secret: Secret) -> Self {
        Self { secret, ..self }
    }

    /// These options for a replica that may listen beyond this host [without
    /// TLS](Self::insecure), or not.
    #[must_use]
    pub fn with_insecure(self, insecure: bool) -> Self {
        Self { insecure, ..self }
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

    /// These options with a service time, so that several partitions can do more than one although
    /// one machine carries all of them. While this replica leads it takes at most one item in each
    /// such time: an attempt at a command (sent again it does not count again), a read that is not
    /// ordered, or an object whose place is asked for. What has come early waits, in the order in
    /// which it came. Time in which nothing came is saved for 2 ms at most. Followers are not
    /// slowed, nor is anything but taking in: what replicas say to each other, and the shared
    /// cache, are as fast as ever. Nothing of it is state.
    #[must_use]
    pub fn with_service_time(self, service_time: Option<Duration>) -> Self {
        Self {
            service_time,
            ..self
        }
    }

    /// These options, with or without measured [`stages`](Self::stages).
    #[must_use]
    pub fn with_stages(self, stages: bool) -> Self {
        Self { stages, ..self }
    }

    /// These options with metrics: over HTTP at this address the replica serves `/metrics`, in
    /// Prometheus's text format, `/healthz` (it runs) and `/readyz` (it is a voter of its group and
    /// knows who leads it). At port 0 the system chooses a port; see
    /// [`ReplicaThread::metrics_address`](super::ReplicaThread::metrics_address). Whoever reaches
    /// the address may read all of it. It also has the replica measure how long answers take, which
    /// costs a look into a table for each command.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn with_metrics(self, listen: SocketAddr) -> Self {
        let metrics = Some(listen);
        Self { metrics, ..self }
    }

    /// These options with other [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(self, limits: ConnectionLimits) -> Self {
        Self { limits, ..self }
    }
}
