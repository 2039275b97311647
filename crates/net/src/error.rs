//! What can go wrong while a shell is set up. Messages name the address or the replica.
//!
//! Once it runs nothing here is raised any more: a connection that breaks is dialled again, a
//! request always completes.

use crate::peer::Peer;
use ssmr_core::topology::TopologyError;
use ssmr_core::{GroupId, ReplicaId, ServiceVersion, Topology};
use ssmr_log::{FoundingRefused, HandOverRefused, Holding};
use std::io;
use std::net::SocketAddr;
#[cfg(feature = "tls")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Why a replica, a cluster or a cache server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The ports from the base port on do not suffice.
    #[error("ports from {base} on do not suffice for {count} replicas")]
    Ports {
        /// The base port.
        base: u16,
        /// How many replicas the cluster has.
        count: usize,
    },
    /// A thread or its event loop cannot be started.
    #[error("cannot start {what}: {source}")]
    Start {
        /// What was to run there.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// There is no tokio runtime here.
    #[error("it must be started within a tokio runtime")]
    NoRuntime,
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    NoRandomness(String),
    /// There can be no such cluster.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// The configuration does not describe a cluster of this strategy.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A replica's log cannot be opened.
    #[error(transparent)]
    Storage(#[from] ssmr_storage::StorageError),
    /// The groups cannot be founded.
    #[error(transparent)]
    Found(#[from] FoundError),
    /// It cannot be found out which replica a process is to be.
    #[error("which replica is it? {0}")]
    WhichReplica(String),
    /// A replica has ended by itself: it has found its disk or its state broken.
    #[error("replica {0} has failed")]
    Failed(ReplicaId),
    /// A group has not elected a leader in time.
    #[error("group {group} has no leader after {waited:?}")]
    NoLeader {
        /// The one that was waited for.
        group: GroupId,
        /// How long it was waited for.
        waited: Duration,
    },
}

/// What is wrong with a [`ClusterConfig`](crate::ClusterConfig).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It names no address for a replica of the topology.
    #[error("the cluster's configuration has no address for replica {0}")]
    NoAddress(ReplicaId),
    /// It names an address for a replica that the topology does not have.
    #[error("the cluster's configuration has an address for {0}, which is no replica of it")]
    UnknownReplica(ReplicaId),
    /// The strategy needs an oracle group, and the topology has none.
    #[error("strategy {strategy} needs an oracle group, and the cluster has none")]
    NoOracleGroup {
        /// The strategy.
        strategy: String,
    },
    /// The file with the cluster's secret is of no use.
    #[error("secret {path}: {problem}")]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The cluster's file wants metrics to be served.
    #[error("metrics: this program was built without them (cargo feature `metrics`)")]
    NoMetrics,
    /// A file with certificates or keys is of no use.
    #[error("tls: {path}: {problem}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The cluster's configuration wants TLS.
    #[error("tls: this program was built without it (cargo feature `tls`)")]
    NoTls,
    /// A replica would let everybody in who reaches it.
    #[error(
        "{at} is beyond this host, and whoever reaches it could speak: `tls` is missing in the \
         configuration; `insecure` allows it nevertheless"
    )]
    Insecure {
        /// Where it listens.
        at: SocketAddr,
    },
    /// The cluster's file names another service.
    #[error("the cluster's service is {named}, not {service}")]
    OtherService {
        /// The one in the file.
        named: String,
        /// The one that was to run.
        service: &'static str,
    },
    /// The cluster's file names another strategy.
    #[error("the cluster works by strategy {named}, not by {strategy}")]
    OtherStrategy {
        /// The one in the file.
        named: String,
        /// The one that was given.
        strategy: String,
    },
}

/// Why a client cannot work with a cluster, or how one of its connections failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody answers there, or somebody who does not speak this protocol.
    #[error("cannot reach {peer}: {source}")]
    Unreachable {
        /// Who was looked for.
        peer: Peer,
        /// What went wrong.
        source: Arc<io::Error>,
    },
    /// The replica speaks another version of the protocol.
    #[error("{peer} speaks version {theirs} of the protocol, this is version {ours}")]
    WrongVersion {
        /// Who answered.
        peer: Peer,
        /// The version here.
        ours: u16,
        /// The version there.
        theirs: u16,
    },
    /// The replica belongs to another cluster, or to another incarnation of it.
    #[error("{peer} belongs to cluster {theirs:016x}, not to cluster {ours:016x}")]
    WrongCluster {
        /// Who answered.
        peer: Peer,
        /// The incarnation that was looked for.
        ours: u64,
        /// The one that was found.
        theirs: u64,
    },
    /// The replica runs another service, or another version of it.
    #[error("{peer} runs service {theirs}, this is a client of {ours}")]
    WrongService {
        /// Who answered.
        peer: Peer,
        /// The service here.
        ours: ServiceVersion,
        /// The service there.
        theirs: ServiceVersion,
    },
    /// The replica works by another strategy.
    #[error("{peer} works by strategy {theirs}, this is a client for {ours}")]
    WrongStrategy {
        /// Who answered.
        peer: Peer,
        /// The strategy here.
        ours: String,
        /// The strategy there.
        theirs: String,
    },
    /// The cluster has other groups than the configuration says.
    #[error("{peer} belongs to a cluster of {theirs}, the configuration says {ours}")]
    WrongTopology {
        /// Who answered.
        peer: Peer,
        /// The topology in the configuration.
        ours: Topology,
        /// The cluster's topology.
        theirs: Topology,
    },
    /// Another replica of the cluster answers at the address.
    #[error("looked for {peer}, but {found} is there")]
    WrongReplica {
        /// Who was looked for.
        peer: Peer,
        /// Who is there.
        found: ReplicaId,
    },
    /// One end does not trust the other one's certificate.
    #[error("no TLS with {peer}: {why}")]
    Untrusted {
        /// Who was dialled.
        peer: Peer,
        /// Who does not trust whom, and why.
        why: String,
    },
    /// The replica does not want this client.
    #[error("{peer} refuses: {why}")]
    Refused {
        /// Who answered.
        peer: Peer,
        /// Its reason.
        why: String,
    },
    /// The replica has as many clients as it may have. Trying again later may help.
    #[error("{peer} is full: it has {limit} clients, and takes no more")]
    Full {
        /// Who answered.
        peer: Peer,
        /// How many clients it takes.
        limit: usize,
    },
    /// The cluster was shut down.
    #[error("{peer} says that the cluster was shut down")]
    ShutDown {
        /// Who says so.
        peer: Peer,
    },
    /// The configuration does not describe a cluster of this strategy.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no tokio runtime here.
    #[error("a client must be connected within a tokio runtime")]
    NoRuntime,
    /// The operating system gives no random numbers to name the client by.
    #[error("no random numbers: {0}")]
    NoRandomness(String),
}

/// Why a cluster was not founded.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoundError {
    /// A replica cannot be reached, or another one is in its place.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A replica of a group that was to be founded holds something.
    #[error(
        "group {} cannot be founded: its replica {replica} holds {holding}, so there is such a \
         group, or there was one", .replica.group
    )]
    Holds {
        /// The first that was found to hold something.
        replica: ReplicaId,
        /// What it holds.
        holding: Holding,
    },
    /// One group holds nothing, and another one something.
    #[error(
        "group {empty} holds nothing, while replica {replica} of group {} holds {holding}: a group \
         that was lost cannot begin anew beside others that remember it", .replica.group
    )]
    Lost {
        /// The group that holds nothing.
        empty: GroupId,
        /// A replica of another group.
        replica: ReplicaId,
        /// What it holds.
        holding: Holding,
    },
    /// A replica that held nothing when it was asked first does not take the founding any more.
    #[error("group {} is not founded: {replica} refuses, for {why}", .replica.group)]
    Refused {
        /// The one that refuses.
        replica: ReplicaId,
        /// What speaks against it, as the replica says.
        why: FoundingRefused,
    },
}

/// Why a group's leadership was not handed over.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandOverError {
    /// Somebody else is where a replica should be.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No replica that can be reached leads the group.
    #[error("no replica of group {group} that can be reached led it within {waited:?}")]
    NoLeader {
        /// The group whose leader was to hand over.
        group: GroupId,
        /// How long one was waited for.
        waited: Duration,
    },
    /// The leader does not hand over.
    #[error("{leader} does not hand over: {why}")]
    Refused {
        /// The leader.
        leader: ReplicaId,
        /// What speaks against it, as the leader says.
        why: HandOverRefused,
    },
    /// Nobody has taken over.
    #[error("{leader} was to hand over to {to}, and has not within {waited:?}")]
    NotTaken {
        /// The leader.
        leader: ReplicaId,
        /// The one that was to take over last.
        to: ReplicaId,
        /// How long that was waited for.
        waited: Duration,
    },
}

impl ConfigError {
    /// A file with certificates or keys is of no use.
    #[cfg(feature = "tls")]
    pub(crate) fn tls(path: &Path, problem: &(impl ToString + ?Sized)) -> Self {
        Self::Tls {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

impl ConnectError {
    /// Nobody could be reached, for this reason.
    pub(crate) fn unreachable(peer: &Peer, error: io::Error) -> Self {
        Self::Unreachable {
            peer: peer.clone(),
            source: Arc::new(error),
        }
    }

    /// Whether somebody answered who is not what was expected: trying again will hardly help.
    pub(crate) fn is_mismatch(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. } | Self::Full { .. } | Self::ShutDown { .. }
        )
    }
}
