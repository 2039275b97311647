//! The cluster file: all that a process must know to be one of a cluster's replicas, or to use or
//! look after the cluster. TOML, for people to read and write.
//!
//! ```toml
//! incarnation = "9f3c51a0774be812"   # tells this cluster from others; hexadecimal
//! strategy = "broker"
//! service = "kv"                     # a program of one service may do without
//! durability = "sync"                # memory, async or sync
//! data = "/var/lib/things"           # each replica keeps its log in a folder of its name in it
//! listen = "0.0.0.0:4000"            # where replicas listen, if not where they are reached
//! metrics = "0.0.0.0:9400"           # where each replica serves its metrics, if it does
//! memcached = ["cache-0:11211"]
//! secret = "cluster.secret"          # a file that replicas have and the caches do not
//! network = "wan"                    # emulated: lan, wan, or a table as in docs/network.md
//! tls = "tls"                        # the folder with certificates: see `Holder`
//!
//! [replicas]                         # where they are reached; these are the groups, too
//! p0r0 = "host-a:4000"
//! p0r1 = "host-b:4000"
//! p0r2 = { at = "host-c:4000", listen = "10.0.0.3:4000", data = "/mnt/things" }
//! oracler0 = { at = "host-a:4001", listen = "0.0.0.0:4001", metrics = "0.0.0.0:9401" }
//! ```
//!
//! A path that is not absolute is one from the file's folder. Names of hosts are looked up anew at
//! each connection.
//!
//! Invariant: a file that was read describes a cluster that can be.

mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::config::ClusterConfig;
use crate::endpoint::Endpoint;
use crate::error::{ConfigError, NetError};
use crate::file::FileProblems;
use crate::limits::ConnectionLimits;
use crate::replica::ReplicaOptions;
use ssmr_core::{Oracle, ReplicaId, Secret};
use ssmr_storage::Durability;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A cluster, as its file describes it. Its text is what the file would hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterFile {
    /// What replicas and clients must know of the cluster.
    pub config: ClusterConfig,
    /// The strategy's [name](Oracle::name).
    pub strategy: String,
    /// The service's [name](ssmr_core::Application::NAME), if the file says it.
    pub service: Option<String>,
    /// Where replicas keep their logs, if they have no [place](Place::data) of their own for it; an
    /// empty path if all of them have.
    pub durability: Durability,
    /// After how many bytes of log a replica makes a snapshot.
    pub log_bytes: usize,
    /// Where replicas listen, if not where they are reached.
    pub listen: Option<Endpoint>,
    /// Where replicas serve their metrics, if they do.
    pub metrics: Option<Endpoint>,
    /// The file with the cluster's [secret](ssmr_core::Secret): at least 32 bytes.
    pub secret: Option<PathBuf>,
    /// Whether replicas may listen beyond their host [without TLS](ReplicaOptions::insecure).
    pub insecure: bool,
    /// What single replicas have of their own.
    pub places: BTreeMap<ReplicaId, Place>,
    /// What strangers may take of each replica.
    pub limits: ConnectionLimits,
    /// What experiments need.
    pub experiment: Experiment,
}

/// What a replica has of its own, besides where it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Where it listens.
    pub listen: Option<Endpoint>,
    /// Where it serves its metrics.
    pub metrics: Option<Endpoint>,
    /// Where it keeps its log: in a folder of its name within this one.
    pub data: Option<PathBuf>,
}

/// What experiments need of replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Experiment {
    /// For election timers; drawn at each start if it is not given.
    pub seed: Option<u64>,
    /// See [`ReplicaOptions::with_service_time`].
    pub service_time: Option<Duration>,
    /// See [`ReplicaOptions::stages`].
    pub stages: bool,
}

/// The names that a cluster file may use. With an empty list any name will do.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownNames<'a> {
    /// Of strategies.
    pub strategies: &'a [&'a str],
    /// Of services.
    pub services: &'a [&'a str],
}

/// A number at random. Where the system has none, replicas of a group still have different timers.
fn drawn() -> u64 {
    let mut bytes = [0; 8];
    let drawn = getrandom::fill(&mut bytes);
    drawn.map_or(1, |()| u64::from_le_bytes(bytes))
}

impl ClusterFile {
    /// A cluster of such a strategy, whose replicas keep everything in memory and listen where they
    /// are reached.
    #[must_use]
    pub fn new(config: ClusterConfig, strategy: impl Into<String>) -> Self {
        Self {
            config,
            strategy: strategy.into(),
            service: None,
            durability: Durability::Memory,
            log_bytes: ssmr_multicast::LOG_BYTES,
            listen: None,
            metrics: None,
            secret: None,
            insecure: false,
            places: BTreeMap::new(),
            limits: ConnectionLimits::default(),
            experiment: Experiment::default(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// All that is wrong with it, with lines and keys.
    pub fn read(path: impl AsRef<Path>, known: KnownNames<'_>) -> Result<Self, FileProblems> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| FileProblems::io(path, &error))?;
        read::parse(&text, path, known)
    }

    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// All that is wrong with it, with lines and keys.
    pub fn parse(
        text: &str,
        path: impl AsRef<Path>,
        known: KnownNames<'_>,
    ) -> Result<Self, FileProblems> {
        read::parse(text, path.as_ref(), known)
    }

    /// Writes the file: first what `about` says, as comments, then the cluster.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>, about: &str) -> Result<(), FileProblems> {
        let path = path.as_ref();
        let mut text: String = about.lines().map(|line| format!("# {line}\n")).collect();
        text.push_str(&self.to_string());
        std::fs::write(path, text).map_err(|error| FileProblems::io(path, &error))
    }

    /// What a replica is made of, but for its [metrics](Self::serves_metrics_at).
    ///
    /// # Errors
    /// If there is no such replica, the strategy is another one or cannot work with the cluster, or
    /// the secret cannot be read.
    pub fn replica_options(
        &self,
        id: ReplicaId,
        oracle: impl Oracle,
    ) -> Result<ReplicaOptions, ConfigError> {
        let oracle = oracle.into_shared();
        self.check(&*oracle)?;
        if !self.config.addresses.contains_key(&id) {
            return Err(ConfigError::NoAddress(id));
        }
        let own = self.places.get(&id).and_then(|place| place.data.clone());
        let durability = match (&self.durability, own) {
            (Durability::Async(_), Some(own)) => Durability::Async(own),
            (Durability::Sync(_), Some(own)) => Durability::Sync(own),
            (durability, _) => durability.clone(),
        };
        let options = ReplicaOptions::new(id, self.config.clone(), oracle)
            .with_durability(durability)
            .with_log_bytes(self.log_bytes)
            .with_limits(self.limits)
            .with_service_time(self.experiment.service_time)
            .with_stages(self.experiment.stages);
        let options = options.with_insecure(self.insecure);
        let options = options.with_secret(self.read_secret()?);
        Ok(match self.experiment.seed {
            Some(seed) => options.with_seed(seed),
            None => options.with_seed(drawn()),
        })
    }

    /// What clients are told of the cluster whose reads may be stale.
    ///
    /// # Errors
    /// If the secret cannot be read.
    pub fn config_for_stale_reads(&self) -> Result<ClusterConfig, ConfigError> {
        let key = self.read_secret()?.reader_key();
        Ok(self.config.clone().with_reader_key(key))
    }

    /// The secret: of its file, or what takes its place where there is none.
    fn read_secret(&self) -> Result<Secret, ConfigError> {
        let Some(path) = &self.secret else {
            return Ok(Secret::of_incarnation(self.config.incarnation));
        };
        let bad = |problem: String| ConfigError::Secret {
            path: path.clone(),
            problem,
        };
        let content = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
        let secret = Secret::of_file(&content);
        let short = || bad(format!("it has less than {} bytes", Secret::LENGTH));
        secret.ok_or_else(short)
    }

    /// Where a replica serves its metrics, if it does.
    #[must_use]
    pub fn serves_metrics_at(&self, id: ReplicaId) -> Option<&Endpoint> {
        let own = self.places.get(&id).and_then(|it| it.metrics.as_ref());
        own.or(self.metrics.as_ref())
    }

    /// Checks that it describes a cluster of this strategy.
    ///
    /// # Errors
    /// If the strategy is another one or cannot work with the cluster.
    pub fn check(&self, oracle: &dyn Oracle) -> Result<(), ConfigError> {
        if self.strategy != oracle.name() {
            return Err(ConfigError::OtherStrategy {
                named: self.strategy.clone(),
                strategy: oracle.name().to_owned(),
            });
        }
        self.config.check(oracle)
    }

    /// Where a replica listens; `None` if there is no such replica.
    #[must_use]
    pub fn listens_at(&self, id: ReplicaId) -> Option<&Endpoint> {
        let reached = self.config.addresses.get(&id)?;
        let own = self.places.get(&id).and_then(|place| place.listen.as_ref());
        Some(own.or(self.listen.as_ref()).unwrap_or(reached))
    }

    /// Listens where a replica does. A name is looked up, which may take a while.
    ///
    /// # Errors
    /// If there is no such replica, or nobody can listen there.
    pub fn listen(&self, id: ReplicaId) -> Result<TcpListener, NetError> {
        let at = self.listens_at(id).ok_or(ConfigError::NoAddress(id))?;
        at.listen().map_err(|source| NetError::Bind {
            address: format!("{at} (replica {id})"),
            source,
        })
    }
}
