//! A whole cluster in this process, for tests, experiments, and services that fit one machine.
//!
//! Each replica is a thread of its own and talks to the others over TCP, as it would on machines of
//! its own.

use crate::client::{Client, ClientBuilder};
use crate::draw;
use ssmr_core::{Application, GroupId, Oracle, ReplicaId, Topology};
use ssmr_net::{
    CacheChoice, Cluster, ClusterConfig, ClusterFile, ClusterOptions, ConnectError, Durability,
    LOG_BYTES, NetError, ReplicaStatus, TrafficCount,
};
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// How much the embedded cache keeps, where the strategy needs one.
const CACHE: u64 = 256 << 20;

/// A running cluster of a service `A`.
///
/// [`shutdown`](Self::shutdown) ends it and tells its clients; dropping it does the same and holds
/// up the thread meanwhile.
pub struct LocalCluster<A> {
    cluster: Cluster,
    oracle: Arc<dyn Oracle>,
    service: PhantomData<fn() -> A>,
}

impl<A> fmt::Debug for LocalCluster<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalCluster({:?})", self.oracle)
    }
}

impl<A: Application> LocalCluster<A> {
    /// A cluster to be started: 2 partitions of 3 replicas, in memory, on free ports of the
    /// loopback interface, unless it is said otherwise. It gets an oracle group and an embedded
    /// cache if the strategy needs them.
    pub fn builder(oracle: impl Oracle) -> ClusterBuilder<A> {
        ClusterBuilder {
            parts: Parts {
                oracle: oracle.into_shared(),
                partitions: 2,
                replicas: 3,
                oracle_replicas: None,
                bind: Ipv4Addr::LOCALHOST.into(),
                insecure: false,
                base_port: None,
                cache: None,
                durability: Durability::Memory,
                log_bytes: LOG_BYTES,
                incarnation: None,
                patience: Duration::from_secs(30),
            },
            service: PhantomData,
        }
    }

    /// Connects a client.
    ///
    /// # Errors
    /// If some group is not reached within ten seconds.
    pub async fn client(&self) -> Result<Client<A>, ConnectError> {
        self.client_builder().connect().await
    }

    /// A client to be connected, with settings.
    pub fn client_builder(&self) -> ClientBuilder<A> {
        Client::builder(self.config(), self.oracle.clone())
    }

    /// What clients need to connect.
    #[must_use]
    pub fn config(&self) -> &ClusterConfig {
        self.cluster.config()
    }

    /// The same as a file, for programs that read one: see [`Cluster`](crate::Cluster).
    #[must_use]
    pub fn file(&self) -> ClusterFile {
        let mut file = ClusterFile::new(self.config().clone(), self.oracle.name());
        file.service = Some(A::NAME.to_owned());
        file
    }

    /// The groups.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.config().topology
    }

    /// The replica that leads a group, as far as the replicas know.
    #[must_use]
    pub fn leader_of(&self, group: GroupId) -> Option<ReplicaId> {
        self.cluster.leader_of(group)
    }

    /// Asks a replica how it is; `None` if it has stopped.
    pub async fn status(&self, id: ReplicaId) -> Option<ReplicaStatus> {
        self.cluster.status(id).await
    }

    /// What all replicas together have sent and received so far.
    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.cluster.traffic()
    }

    /// Stops a replica: its thread is gone when this returns, and the others go on. Returns whether
    /// it ran.
    pub fn stop_replica(&mut self, id: ReplicaId) -> bool {
        self.cluster.stop_replica(id)
    }

    /// Starts a replica that was stopped again, with what it had stored, or to be filled by its
    /// group. Returns whether it did: not if it runs or is unknown, nor if it was alone in its
    /// group and kept its state in memory.
    ///
    /// While a replica is being filled another one of its group must not be stopped in memory: with
    /// a majority gone so is the group.
    ///
    /// # Errors
    /// If its address has been taken by somebody else meanwhile, or its log cannot be read.
    pub fn restart_replica(&mut self, id: ReplicaId) -> Result<bool, NetError> {
        self.cluster.restart_replica(id)
    }

    /// Stops all replicas, and waits until they have ended. Clients are told: calls that they make
    /// from then on end as [`Error::Closed`](crate::Error::Closed), those that are under way as
    /// [`Error::Unknown`](crate::Error::Unknown). What replicas have stored is synced.
    pub async fn shutdown(self) {
        self.cluster.shutdown().await;
    }
}

/// A cluster to be started.
#[must_use = "it starts when it is told to"]
pub struct ClusterBuilder<A> {
    parts: Parts,
    service: PhantomData<fn() -> A>,
}

/// What was said so far.
#[derive(Clone, Debug)]
struct Parts {
    oracle: Arc<dyn Oracle>,
    partitions: u8,
    replicas: u8,
    oracle_replicas: Option<u8>,
    bind: IpAddr,
    insecure: bool,
    base_port: Option<u16>,
    cache: Option<CacheChoice>,
    durability: Durability,
    log_bytes: usize,
    incarnation: Option<u64>,
    patience: Duration,
}

impl<A> Clone for ClusterBuilder<A> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            service: PhantomData,
        }
    }
}

impl<A> fmt::Debug for ClusterBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

impl<A: Application> ClusterBuilder<A> {
    /// How many partitions there are: 1 to 255.
    pub fn partitions(mut self, count: u8) -> Self {
        self.parts.partitions = count;
        self
    }

    /// How many replicas each partition has: an odd number. Of 3 one may fail, of 5 two.
    pub fn replicas(mut self, count: u8) -> Self {
        self.parts.replicas = count;
        self
    }

    /// How many replicas the oracle group has, where the strategy needs one: as many as a
    /// partition, unless it is said otherwise.
    pub fn oracle_replicas(mut self, count: u8) -> Self {
        self.parts.oracle_replicas = Some(count);
        self
    }

    /// The address to listen on: one of this host's loopback interface, or [any](Self::insecure).
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.parts.bind = address;
        self
    }

    /// Lets replicas listen beyond this host: whoever reaches one may speak, and nothing is
    /// encrypted. Replicas of their own have [TLS](ClusterConfig::tls) for that.
    pub fn insecure(mut self) -> Self {
        self.parts.insecure = true;
        self
    }

    /// The first replica's port, the others' following; without it, whatever ports are free.
    pub fn base_port(mut self, port: u16) -> Self {
        self.parts.base_port = Some(port);
        self
    }

    /// The shared cache; without this, an embedded one if the strategy needs any.
    pub fn cache(mut self, cache: CacheChoice) -> Self {
        self.parts.cache = Some(cache);
        self
    }

    /// Where replicas keep their logs: nowhere, unless it is said otherwise.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.parts.durability = durability;
        self
    }

    /// After how many bytes of log a replica makes a snapshot.
    pub fn log_bytes(mut self, bytes: usize) -> Self {
        self.parts.log_bytes = bytes;
        self
    }

    /// What tells this cluster from others, drawn at random unless it is given: for a cluster that
    /// comes back with what it had stored. Its data folders are refused under another one, and its
    /// former clients know it again.
    pub fn incarnation(mut self, incarnation: u64) -> Self {
        self.parts.incarnation = Some(incarnation);
        self
    }

    /// How long [`start`](Self::start) waits until every group has a leader: 30 seconds unless it
    /// is said otherwise.
    pub fn start_timeout(mut self, patience: Duration) -> Self {
        self.parts.patience = patience;
        self
    }

    /// Starts all replicas, founds the cluster if nothing is stored of it, and waits until every
    /// group has a leader.
    ///
    /// # Errors
    /// If there can be no such cluster, an address cannot be listened on, a log cannot be read, one
    /// group has lost all that another one remembers, or some group has no leader in time. Nothing
    /// runs then.
    pub async fn start(self) -> Result<LocalCluster<A>, NetError> {
        let oracle = self.parts.oracle.clone();
        let patience = self.parts.patience;
        let options = self.options()?;
        let runtime = Handle::try_current().map_err(|_| NetError::NoRuntime)?;
        // Logs are read from disk meanwhile.
        let started = runtime.spawn_blocking(move || Cluster::start::<A>(options));
        let cluster = started.await.map_err(|error| NetError::Start {
            what: "the cluster".to_owned(),
            source: error.into(),
        })??;
        cluster.ready(patience).await?;
        Ok(LocalCluster {
            cluster,
            oracle,
            service: PhantomData,
        })
    }

    fn options(self) -> Result<ClusterOptions, NetError> {
        let needs = self.parts.oracle.needs();
        let mut topology = Topology::new(self.parts.partitions, self.parts.replicas)?;
        if needs.oracle_group {
            topology =
                topology.with_oracle(self.parts.oracle_replicas.unwrap_or(self.parts.replicas))?;
        }
        let embedded = match needs.shared_cache {
            true => CacheChoice::Embedded { bytes: CACHE },
            false => CacheChoice::None,
        };
        let incarnation = match self.parts.incarnation {
            Some(incarnation) => incarnation,
            None => draw::number().map_err(NetError::NoRandomness)?,
        };
        Ok(ClusterOptions::new(topology, self.parts.oracle)
            .with_seed(draw::number().map_err(NetError::NoRandomness)?)
            .with_incarnation(incarnation)
            .with_bind(self.parts.bind)
            .with_insecure(self.parts.insecure)
            .with_base_port(self.parts.base_port)
            .with_cache(self.parts.cache.unwrap_or(embedded))
            .with_durability(self.parts.durability)
            .with_log_bytes(self.parts.log_bytes))
    }
}
