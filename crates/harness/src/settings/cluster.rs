//! The settings of `cluster`.

use ssmr_net::{Endpoint, Holder};
use std::path::PathBuf;
use std::time::Duration;

/// What to do with a cluster.
#[derive(Clone, Debug)]
pub(crate) enum ClusterSettings {
    /// Write a file that describes one.
    Init(InitSettings),
    /// Issue certificates of its members.
    Certify(CertifySettings),
    /// Look whether the file describes one.
    Check(PathBuf),
    /// Start its replicas as processes of this machine.
    Start(StartSettings),
    /// Make its replicas, which hold nothing, its first members.
    Found(StartSettings),
    /// Found it, if it is new, and wait until each replica takes part.
    Begin(StartSettings),
    /// Ask its replicas how they are.
    Status(StatusSettings),
    /// Restart its replicas, one after the other.
    Roll(RollSettings),
    /// End the processes that were started.
    Stop(PathBuf),
}

/// Which cluster to describe.
#[derive(Clone, Debug)]
pub(crate) struct InitSettings {
    /// The file to write.
    pub(crate) file: PathBuf,
    /// Whether it may be there already.
    pub(crate) force: bool,
    /// The strategy's name, as cluster files have it, if not that of the first.
    pub(crate) strategy: Option<String>,
    /// The service's name, if not that of the first.
    pub(crate) service: Option<String>,
    /// Partitions.
    pub(crate) partitions: u8,
    /// Replicas of each, and of the oracle group.
    pub(crate) replicas: u8,
    /// The hosts that the replicas of each group are spread over.
    pub(crate) hosts: Vec<String>,
    /// The first port on each host.
    pub(crate) base_port: u16,
    /// Where logs are kept; without it, nowhere.
    pub(crate) data: Option<PathBuf>,
    /// Shared caches.
    pub(crate) memcached: Vec<Endpoint>,
    /// Who may speak, if any replica is reached from beyond its host.
    pub(crate) doors: Option<Doors>,
}

/// Who may speak to replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doors {
    /// Whoever has a certificate.
    Tls,
    /// Whoever reaches them.
    Insecure,
}

/// Which certificates to issue.
#[derive(Clone, Debug)]
pub(crate) struct CertifySettings {
    /// The cluster's file.
    pub(crate) file: PathBuf,
    /// Whom they are of; if it is nobody in particular, of all replicas, the operator, and any
    /// client.
    pub(crate) holder: Option<Holder>,
    /// How long they are valid.
    pub(crate) valid: Duration,
    /// The folder to write to, if not the cluster's.
    pub(crate) out: Option<PathBuf>,
}

/// Which cluster to start, found, or begin with.
#[derive(Clone, Debug)]
pub(crate) struct StartSettings {
    /// The cluster's file.
    pub(crate) file: PathBuf,
    /// How long to wait for the replicas.
    pub(crate) timeout: Duration,
}

/// Which cluster to ask.
#[derive(Clone, Debug)]
pub(crate) struct StatusSettings {
    /// The cluster's file.
    pub(crate) file: PathBuf,
    /// How long to wait for each replica.
    pub(crate) timeout: Duration,
    /// Whether to write lines of JSON in place of a table.
    pub(crate) json: bool,
}

/// Which cluster to restart, and how.
#[derive(Clone, Debug)]
pub(crate) struct RollSettings {
    /// The cluster's file.
    pub(crate) file: PathBuf,
    /// The shell's command that restarts a replica, with `{}` for its name; without it, as
    /// processes of this machine.
    pub(crate) with: Option<String>,
    /// How long a group may take to recover each time.
    pub(crate) timeout: Duration,
}
