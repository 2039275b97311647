//! A cluster that a file describes, whose replicas are processes of their own, on whatever hosts:
//! running one of its nodes, and connecting to it.

use crate::client::{Client, ClientBuilder};
use crate::strategy;
use ssmr_core::{Application, GroupId, Oracle, ReplicaId};
use ssmr_net::{
    ClusterFile, ConfigError, ConnectError, FileProblems, KnownNames, NetError, Operator, Signals,
    WhichReplica,
};
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A cluster of a service `A` that runs elsewhere, as its [file](ClusterFile) describes it.
pub struct Cluster<A> {
    file: Arc<ClusterFile>,
    oracle: Arc<dyn Oracle>,
    service: PhantomData<fn() -> A>,
}

impl<A> Clone for Cluster<A> {
    fn clone(&self) -> Self {
        Self {
            file: self.file.clone(),
            oracle: self.oracle.clone(),
            service: PhantomData,
        }
    }
}

impl<A> fmt::Debug for Cluster<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({:?})", self.file)
    }
}

impl<A: Application> Cluster<A> {
    /// The cluster that a file describes, by a strategy that comes with this crate.
    ///
    /// # Errors
    /// All that is wrong with the file, with lines and keys.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, FileProblems> {
        let known = KnownNames {
            strategies: &strategy::NAMES,
            services: &[A::NAME],
        };
        let file = ClusterFile::read(&path, known)?;
        let oracle = strategy::by_name(&file.strategy);
        let oracle = oracle.unwrap_or_else(|unknown| unreachable!("{unknown}"));
        let checked = file.check(&*oracle);
        checked.map_err(|problem| FileProblems::of(path.as_ref(), problem))?;
        Ok(Self::of(file, oracle))
    }

    /// A cluster of whatever strategy.
    ///
    /// # Errors
    /// If the file names another strategy, or the strategy cannot work with the cluster.
    pub fn new(file: ClusterFile, oracle: impl Oracle) -> Result<Self, ConfigError> {
        let oracle = oracle.into_shared();
        file.check(&*oracle)?;
        Ok(Self::of(file, oracle))
    }

    fn of(file: ClusterFile, oracle: Arc<dyn Oracle>) -> Self {
        Self {
            file: Arc::new(file),
            oracle,
            service: PhantomData,
        }
    }

    /// What the file says.
    #[must_use]
    pub fn file(&self) -> &ClusterFile {
        &self.file
    }

    /// Connects a client.
    ///
    /// # Errors
    /// What differs, or which group is not reached within ten seconds.
    pub async fn client(&self) -> Result<Client<A>, ConnectError> {
        self.client_builder().connect().await
    }

    /// A client to be connected, with settings.
    ///
    /// Where the file names a secret that this process cannot read, the client believes nothing
    /// that owners have published in the caches: [reads that may be stale](Client::read_stale) go
    /// to the owners.
    pub fn client_builder(&self) -> ClientBuilder<A> {
        let config = self.file.config_for_stale_reads();
        let config = config.unwrap_or_else(|_| self.file.config.clone());
        Client::builder(&config, self.oracle.clone())
    }

    /// Somebody who looks after the cluster: founds it, asks its replicas how they are.
    ///
    /// # Errors
    /// If the strategy cannot work with the cluster.
    pub fn operator(&self) -> Result<Operator, ConfigError> {
        Operator::new::<A>(&self.file.config, self.oracle.clone())
    }
}

/// A process that is one replica of a cluster, the first time and ever after alike.
///
/// ```no_run
/// # use ssmr::{Access, Application, Objects};
/// # struct Things;
/// # impl Application for Things {
/// #     const NAME: &'static str = "things";
/// #     type Object = u64;
/// #     type Op = u8;
/// #     type Reply = ();
/// #     fn access(_: &u8) -> Access { Access::default() }
/// #     fn execute(_: &u8, _: &mut Objects<u64>) {}
/// # }
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     ssmr::Node::<Things>::from_file("/etc/things/cluster.toml")?.run().await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it runs when it is told to"]
pub struct Node<A> {
    cluster: Cluster<A>,
    which: WhichReplica,
}

impl<A: Application> Node<A> {
    /// A node of the cluster that a file describes, by a strategy that comes with this crate. Which
    /// replica it is follows from what starts it: see [`WhichReplica`].
    ///
    /// # Errors
    /// All that is wrong with the file, with lines and keys.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, FileProblems> {
        Cluster::from_file(path).map(Self::of)
    }

    /// A node of a cluster of whatever strategy.
    pub fn of(cluster: Cluster<A>) -> Self {
        let which = WhichReplica::ByOrdinal;
        Self { cluster, which }
    }

    /// This one of the replicas.
    pub fn replica(self, id: ReplicaId) -> Self {
        let which = WhichReplica::Named(id);
        Self { which, ..self }
    }

    /// A replica of this group.
    pub fn group(self, group: GroupId) -> Self {
        let which = WhichReplica::OfGroup(group);
        Self { which, ..self }
    }

    /// Runs until the process is asked to end, by SIGTERM or Ctrl-C; then closes the log.
    ///
    /// # Errors
    /// If it is not known which replica it is, nobody can listen at its address, its log cannot be
    /// read, or it finds its disk or its state broken.
    pub async fn run(self) -> Result<(), NetError> {
        let runtime = Handle::try_current().map_err(|_| NetError::NoRuntime)?;
        let failed = |source| NetError::Start {
            what: "a node".to_owned(),
            source,
        };
        let signals = Signals::listen().map_err(failed)?;
        let Self { cluster, which } = self;
        // Its log is read from disk, and names are looked up.
        let started = runtime.spawn_blocking(move || {
            let Cluster { file, oracle, .. } = cluster;
            let id = which.of(&file.config.topology)?;
            ssmr_net::Node::start::<A>(&file, id, oracle)
        });
        let node = started.await.map_err(|error| failed(error.into()))??;
        node.run(signals).await
    }
}
