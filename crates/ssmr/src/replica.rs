//! One replica of a cluster in this process, the others being elsewhere.

use crate::draw;
use ssmr_core::{Application, Oracle, ReplicaId, Secret};
use ssmr_net::{
    ClusterConfig, ConfigError, Durability, LOG_BYTES, NetError, ReplicaOptions, ReplicaReport,
    ReplicaStatus, ReplicaThread, TrafficCount,
};
use std::fmt;
use std::marker::PhantomData;
#[cfg(feature = "metrics")]
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A running replica of a service `A`. Dropping it stops it and holds up the thread
/// meanwhile.
pub struct ReplicaServer<A> {
    id: ReplicaId,
    thread: ReplicaThread,
    service: PhantomData<fn() -> A>,
}

impl<A> fmt::Debug for ReplicaServer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplicaServer({})", self.id)
    }
}

impl<A: Application> ReplicaServer<A> {
    /// A replica to be started, in memory unless it is said otherwise. It listens at the address
    /// that the configuration has for it.
    ///
    /// One that holds nothing, be it new or started again in memory or with an empty folder, votes
    /// for nobody: it waits until its group takes it in, or until the cluster is
    /// [founded](crate::Operator::found), which somebody has to do once.
    pub fn builder(
        config: &ClusterConfig,
        id: ReplicaId,
        oracle: impl Oracle,
    ) -> ReplicaBuilder<A> {
        ReplicaBuilder {
            parts: Parts {
                config: config.clone(),
                id,
                oracle: oracle.into_shared(),
                secret: None,
                insecure: false,
                durability: Durability::Memory,
                log_bytes: LOG_BYTES,
                #[cfg(feature = "metrics")]
                metrics: None,
            },
            service: PhantomData,
        }
    }

    /// Which replica it is.
    #[must_use]
    pub fn id(&self) -> ReplicaId {
        self.id
    }

    /// Whether it still runs. One that ended by itself has found its disk or its state broken.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.is_running()
    }

    /// Whether it leads its group, as far as it knows.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.thread.leaders().borrow().of(self.id.group) == Some(self.id)
    }

    /// Asks it how it is; `None` if it has stopped.
    pub async fn status(&self) -> Option<ReplicaStatus> {
        self.thread.status().await
    }

    /// Asks it for all that it can tell of itself; `None` if it has stopped.
    pub async fn report(&self) -> Option<ReplicaReport> {
        self.thread.report().await
    }

    /// Where it serves its metrics, if it does.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.thread.metrics_address()
    }

    /// What it has sent and received so far.
    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.thread.traffic()
    }

    /// Stops it, and waits until it has ended. Clients and the other replicas go on with the rest
    /// of its group; what it has stored is synced.
    pub async fn shutdown(self) {
        self.thread.shutdown().await;
    }
}

/// A replica to be started.
#[must_use = "it starts when it is told to"]
pub struct ReplicaBuilder<A> {
    parts: Parts,
    service: PhantomData<fn() -> A>,
}

/// What was said so far.
#[derive(Clone, Debug)]
struct Parts {
    config: ClusterConfig,
    id: ReplicaId,
    oracle: Arc<dyn Oracle>,
    secret: Option<Secret>,
    insecure: bool,
    durability: Durability,
    log_bytes: usize,
    #[cfg(feature = "metrics")]
    metrics: Option<SocketAddr>,
}

impl<A> Clone for ReplicaBuilder<A> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            service: PhantomData,
        }
    }
}

impl<A> fmt::Debug for ReplicaBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

impl<A: Application> ReplicaBuilder<A> {
    /// What all replicas of the cluster know and others do not, so that whoever runs or reaches a
    /// shared cache cannot make up a value that is believed: the same for all of them.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.parts.secret = Some(secret);
        self
    }

    /// Lets it listen beyond this host although the configuration has no
    /// [TLS](ClusterConfig::tls): whoever reaches it may speak.
    pub fn insecure(mut self) -> Self {
        self.parts.insecure = true;
        self
    }

    /// Where it keeps its log: in a folder of its own within the one named here.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.parts.durability = durability;
        self
    }

    /// After how many bytes of log it makes a snapshot.
    pub fn log_bytes(mut self, bytes: usize) -> Self {
        self.parts.log_bytes = bytes;
        self
    }

    /// Has it serve, over HTTP at this address, `/metrics` in Prometheus's text format, `/healthz`
    /// (it runs) and `/readyz` (it is a voter of its group and knows who leads it). At port 0 the
    /// system chooses a port: [`ReplicaServer::metrics_address`]. Whoever reaches it may read it.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, listen: SocketAddr) -> Self {
        self.parts.metrics = Some(listen);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// If the configuration does not fit it or its strategy, its address cannot be listened on, or
    /// its log cannot be read.
    pub async fn start(self) -> Result<ReplicaServer<A>, NetError> {
        let id = self.parts.id;
        let runtime = Handle::try_current().map_err(|_| NetError::NoRuntime)?;
        // Its log is read from disk meanwhile.
        let started = runtime.spawn_blocking(move || self.start_thread());
        let thread = started.await.map_err(|error| NetError::Start {
            what: format!("replica {id}"),
            source: error.into(),
        })??;
        Ok(ReplicaServer {
            id,
            thread,
            service: PhantomData,
        })
    }

    fn start_thread(self) -> Result<ReplicaThread, NetError> {
        let Parts {
            config,
            id,
            oracle,
            secret,
            insecure,
            durability,
            log_bytes,
            #[cfg(feature = "metrics")]
            metrics,
        } = self.parts;
        let address = config.addresses.get(&id);
        let address = address.ok_or(ConfigError::NoAddress(id))?;
        let listener = address.listen().map_err(|source| NetError::Bind {
            address: format!("{address} (replica {id})"),
            source,
        })?;
        let seed = draw::number().map_err(NetError::NoRandomness)?;
        let options = ReplicaOptions::new(id, config, oracle)
            .with_seed(seed)
            .with_durability(durability)
            .with_log_bytes(log_bytes)
            .with_insecure(insecure);
        let options = match secret {
            Some(secret) => options.with_secret(secret),
            None => options,
        };
        #[cfg(feature = "metrics")]
        let options = match metrics {
            Some(listen) => options.with_metrics(listen),
            None => options,
        };
        ReplicaThread::start::<A>(options, listener)
    }
}
