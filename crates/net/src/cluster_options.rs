//! What a whole cluster in this process is made of.

use crate::limits::ConnectionLimits;
use crate::network::Network;
use ssmr_core::{Oracle, Secret, Topology};
use ssmr_storage::Durability;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// What a cluster is made of. The strategy and the groups must be said; all else has a default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClusterOptions {
    /// The groups.
    pub topology: Topology,
    /// The strategy.
    pub oracle: Arc<dyn Oracle>,
    /// For election timers.
    pub seed: u64,
    /// Tells this cluster from others that used the same ports or the same cache before.
    pub incarnation: u64,
    /// What its replicas know and others do not; `None` draws one. See
    /// [`ReplicaOptions::with_secret`](crate::ReplicaOptions::with_secret).
    pub secret: Option<Secret>,
    /// The address to listen on.
    pub bind: IpAddr,
    /// Whether that may be one beyond this host: whoever reaches it may speak.
    pub insecure: bool,
    /// The first replica's port, the others' following in the order of the topology; `None` takes
    /// whatever is free.
    pub base_port: Option<u16>,
    /// The shared cache.
    pub cache: CacheChoice,
    /// Where the replicas keep their logs.
    pub durability: Durability,
    /// After how many bytes of log a replica makes a snapshot.
    pub log_bytes: usize,
    /// What strangers may take of each replica.
    pub limits: ConnectionLimits,
    /// How long each leader takes for each thing that a client asks: see
    /// [`ReplicaOptions::with_service_time`](crate::ReplicaOptions::with_service_time).
    pub service_time: Option<Duration>,
    /// Whether replicas measure where the time of commands goes:
    /// [`ReplicaOptions::stages`](crate::ReplicaOptions::stages).
    pub stages: bool,
    /// The network that replicas and clients emulate, if any.
    pub network: Option<Network>,
}

impl ClusterOptions {
    /// A cluster on the loopback interface, on free ports, without a cache.
    pub fn new(topology: Topology, oracle: impl Oracle) -> Self {
        Self {
            topology,
            oracle: oracle.into_shared(),
            seed: 1,
            incarnation: 1,
            secret: None,
            bind: Ipv4Addr::LOCALHOST.into(),
            insecure: false,
            base_port: None,
            cache: CacheChoice::None,
            durability: Durability::Memory,
            log_bytes: ssmr_multicast::LOG_BYTES,
            limits: ConnectionLimits::default(),
            service_time: None,
            stages: false,
            network: None,
        }
    }

    /// These options with another [`seed`](Self::seed).
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// These options with another [`incarnation`](Self::incarnation).
    #[must_use]
    pub fn with_incarnation(self, incarnation: u64) -> Self {
        Self {
            incarnation,
            ..self
        }
    }

    /// These options with a [`secret`](Self::secret) that is given.
    #[must_use]
    pub fn with_secret(self, secret: Secret) -> Self {
        let secret = Some(secret);
        Self { secret, ..self }
    }

    /// These options with another address to [listen](Self::bind) on.
    #[must_use]
    pub fn with_bind(self, bind: IpAddr) -> Self {
        Self { bind, ..self }
    }

    /// These options for replicas that may listen [beyond this host](Self::insecure), or not.
    #[must_use]
    pub fn with_insecure(self, insecure: bool) -> Self {
        Self { insecure, ..self }
    }

    /// These options with another [`base_port`](Self::base_port).
    #[must_use]
    pub fn with_base_port(self, base_port: Option<u16>) -> Self {
        Self { base_port, ..self }
    }

    /// These options with another [`cache`](Self::cache).
    #[must_use]
    pub fn with_cache(self, cache: CacheChoice) -> Self {
        Self { cache, ..self }
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

    /// These options with another [`service_time`](Self::service_time).
    #[must_use]
    pub fn with_service_time(self, service_time: Option<Duration>) -> Self {
        Self {
            service_time,
            ..self
        }
    }

    /// These options with an emulated [`network`](Self::network), or with none.
    #[must_use]
    pub fn with_network(self, network: Option<Network>) -> Self {
        Self { network, ..self }
    }

    /// These options, with or without measured [`stages`](Self::stages).
    #[must_use]
    pub fn with_stages(self, stages: bool) -> Self {
        Self { stages, ..self }
    }

    /// These options with other [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(self, limits: ConnectionLimits) -> Self {
        Self { limits, ..self }
    }
}

/// Which shared cache a cluster uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheChoice {
    /// None: every call to it is answered with "down".
    None,
    /// One within this process, for so many bytes.
    Embedded {
        /// The bound of its items.
        bytes: u64,
    },
    /// Servers that run already, as `host:port`.
    Servers(Vec<String>),
}
