//! A whole cluster in this process: every replica of every group as a thread, an embedded cache if
//! wanted.
//!
//! They talk over TCP as separate processes would. A stopped replica may be started again.

use crate::addresses::listen;
use crate::cache::CacheServer;
use crate::clock::Clock;
use crate::cluster_options::{CacheChoice, ClusterOptions};
use crate::config::ClusterConfig;
use crate::error::NetError;
use crate::faults::Faults;
use crate::leaders::Leaders;
use crate::operator::Operator;
use crate::replica::{ReplicaOptions, ReplicaThread};
use crate::status::ReplicaStatus;
use crate::traffic::TrafficCount;
use ssmr_core::{Application, GroupId, Identity, ReplicaId, Secret};
use ssmr_storage::Durability;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

fn draw_secret() -> Result<Secret, NetError> {
    let mut bytes = [0; Secret::LENGTH];
    let drawn = getrandom::fill(&mut bytes);
    drawn.map_err(|error| NetError::NoRandomness(error.to_string()))?;
    Ok(Secret::new(bytes))
}

/// A running cluster. Dropping it stops it, as [`shutdown`](Self::shutdown) does, and holds up the
/// thread meanwhile.
#[derive(Debug)]
pub struct Cluster {
    config: ClusterConfig,
    identity: Identity,
    start: Start,
    clock: Clock,
    replicas: BTreeMap<ReplicaId, (ReplicaOptions, ReplicaThread)>,
    published: Arc<watch::Sender<Leaders>>,
    leaders: watch::Receiver<Leaders>,
    /// What replicas had sent and received that were started again since.
    former: TrafficCount,
    cache: Option<CacheServer>,
}

/// Starts a replica of the cluster's service.
type Start =
    fn(ReplicaOptions, TcpListener, Arc<watch::Sender<Leaders>>) -> Result<ReplicaThread, NetError>;

impl Cluster {
    /// Starts every replica of service `A`. All listeners are bound before the first replica runs.
    /// A cluster that is new waits to be founded: see [`ready`](Self::ready).
    ///
    /// # Errors
    /// If an address cannot be listened on, a thread cannot be started, or the system has no
    /// random numbers for the secret.
    pub fn start<A: Application>(options: ClusterOptions) -> Result<Self, NetError> {
        let identity = Identity::of::<A>(&*options.oracle, options.topology, options.incarnation);
        Self::start_each(options, identity, ReplicaThread::start_among::<A>)
    }

    /// The part that is the same for every service.
    fn start_each(
        options: ClusterOptions,
        identity: Identity,
        start: Start,
    ) -> Result<Self, NetError> {
        let ClusterOptions {
            topology,
            oracle,
            seed,
            durability,
            log_bytes,
            limits,
            service_time,
            stages,
            insecure,
            ..
        } = options;
        let (cache, cache_servers) = match options.cache {
            CacheChoice::None => (None, Vec::new()),
            CacheChoice::Servers(servers) => (None, servers),
            CacheChoice::Embedded { bytes } => {
                let cache = CacheServer::start(SocketAddr::new(options.bind, 0), bytes)?;
                let address = cache.address().to_string();
                (Some(cache), vec![address])
            }
        };
        let listeners = listen(&topology, options.bind, options.base_port)?;
        let addresses = listeners.iter().map(|(id, (at, _))| (*id, *at));
        let config = ClusterConfig::new(topology, options.incarnation, addresses)
            .with_cache_servers(cache_servers)
            .with_network(options.network);
        let secret = options.secret.map_or_else(draw_secret, Ok)?;
        let config = config.with_reader_key(secret.reader_key());
        let clock = Clock::start();
        let (published, leaders) = watch::channel(Leaders::default());
        let published = Arc::new(published);
        let mut replicas = BTreeMap::new();
        for (id, (_, listener)) in listeners {
            let options = ReplicaOptions::new(id, config.clone(), oracle.clone())
                .with_secret(secret)
                .with_seed(seed)
                .with_clock(clock)
                .with_durability(durability.clone())
                .with_log_bytes(log_bytes)
                .with_limits(limits)
                .with_service_time(service_time)
                .with_stages(stages)
                .with_insecure(insecure);
            let replica = start(options.clone(), listener, published.clone())?;
            replicas.insert(id, (options, replica));
        }
        Ok(Self {
            config,
            identity,
            start,
            clock,
            replicas,
            published,
            leaders,
            former: TrafficCount::default(),
            cache,
        })
    }

    /// What clients need to take part.
    #[must_use]
    pub fn config(&self) -> &ClusterConfig {
        &self.config
    }

    /// The clock of this cluster's replicas.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Founds the cluster if nothing is stored of it.
    ///
    /// # Errors
    /// If a replica does not answer within `patience`; or if one group holds nothing, and another
    /// one something.
    pub async fn found(&self, patience: Duration) -> Result<(), NetError> {
        let operator = Operator::of(self.identity.clone(), &self.config)?;
        operator.with_patience(patience).found_if_new().await?;
        Ok(())
    }

    /// [Founds](Self::found) the cluster if need be, and waits until every group has a leader.
    ///
    /// # Errors
    /// If one has none after `patience`, or the cluster cannot be founded.
    pub async fn ready(&self, patience: Duration) -> Result<(), NetError> {
        self.found(patience).await?;
        Leaders::complete(
            self.leaders.clone(),
            self.config.topology.groups(),
            patience,
        )
        .await
    }

    /// Who leads which group, as it changes.
    #[must_use]
    pub fn leaders(&self) -> watch::Receiver<Leaders> {
        self.leaders.clone()
    }

    /// The replica that leads a group, as far as the replicas know.
    #[must_use]
    pub fn leader_of(&self, group: GroupId) -> Option<ReplicaId> {
        self.leaders.borrow().of(group)
    }

    /// The replicas that run.
    pub fn running(&self) -> impl Iterator<Item = ReplicaId> {
        let replicas = self.replicas.iter();
        replicas
            .filter(|(_, (_, replica))| replica.is_running())
            .map(|(id, _)| *id)
    }

    /// Stops a replica where it stands: its sockets are closed and its thread is gone when this
    /// returns. Returns whether it ran.
    pub fn stop_replica(&mut self, id: ReplicaId) -> bool {
        let Some((_, replica)) = self.replicas.get_mut(&id) else {
            return false;
        };
        let ran = replica.is_running();
        replica.stop();
        ran
    }

    /// Shuts a replica down in order: if it leads it hands over first. Returns whether it ran. It
    /// may be [started again](Self::restart_replica).
    pub async fn shut_down_replica(&mut self, id: ReplicaId) -> bool {
        let Some((_, replica)) = self.replicas.get_mut(&id) else {
            return false;
        };
        let ran = replica.is_running();
        replica.leave().await;
        ran
    }

    /// Starts a replica that was stopped again, at its old address: with what it had stored; or, if
    /// it kept its state in memory, in a new generation, to be filled by its group. Returns whether
    /// it did: not if it runs or is unknown, nor in memory if it was alone in its group, for then
    /// nobody knows any more what it knew.
    ///
    /// While one replica of a group is being filled ([`ReplicaStatus::is_voter`]) another one of
    /// the group must not be stopped in memory: with a majority gone so is the group.
    ///
    /// # Errors
    /// If its address has been taken by somebody else meanwhile, or its log cannot be read.
    pub fn restart_replica(&mut self, id: ReplicaId) -> Result<bool, NetError> {
        let Some((options, replica)) = self.replicas.get_mut(&id) else {
            return Ok(false);
        };
        let alone = self.config.topology.replica_count(id.group) == 1;
        if replica.is_running() || (alone && options.durability == Durability::Memory) {
            return Ok(false);
        }
        replica.stop();
        let address = &self.config.addresses[&id];
        let listener = address.listen().map_err(|source| NetError::Bind {
            address: format!("{address} (replica {id})"),
            source,
        })?;
        let started = (self.start)(options.clone(), listener, self.published.clone())?;
        self.former += replica.traffic();
        *replica = started;
        Ok(true)
    }

    /// What can be done to it that its owner would not want.
    pub fn faults(&mut self) -> Faults<'_> {
        let replicas = self.replicas.iter();
        Faults {
            replicas: replicas.map(|(id, (_, replica))| (*id, replica)).collect(),
            cache: self.cache.as_mut(),
        }
    }

    /// Asks a replica how it is; `None` if it has stopped.
    pub async fn status(&self, id: ReplicaId) -> Option<ReplicaStatus> {
        self.replicas.get(&id)?.1.status().await
    }

    /// The same with the digest of its state, which holds the replica up for as long as that takes.
    pub async fn inspect(&self, id: ReplicaId) -> Option<ReplicaStatus> {
        self.replicas.get(&id)?.1.inspect().await
    }

    /// What all replicas together have sent and received so far, those included that have stopped.
    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        let replicas = self.replicas.values();
        replicas
            .map(|(_, replica)| replica.traffic())
            .chain([self.former])
            .sum()
    }

    /// Stops everything and waits until it has ended. Clients that are connected are told: their
    /// calls end at once.
    pub async fn shutdown(mut self) {
        self.begin_to_stop();
        for (_, replica) in self.replicas.values_mut() {
            replica.ended().await;
        }
    }
}

impl Cluster {
    /// Has all replicas stop, and tell their clients that it is for good.
    fn begin_to_stop(&mut self) {
        for (_, replica) in self.replicas.values_mut() {
            replica.is_last_stop();
            replica.begin_to_stop();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // All at once; each is waited for as it is dropped.
        self.begin_to_stop();
    }
}
