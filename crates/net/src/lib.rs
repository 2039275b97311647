//! The wire: the machines of `ssmr-core` and `ssmr-multicast` over tokio TCP.
//!
//! - [`Cluster`] runs every replica of a cluster as a thread of this process; [`ReplicaThread`]
//!   runs one.
//! - [`ClientHandle`] is a cloneable handle to a client in a task of its own; [`Pipeline`] is the
//!   same client without the task. Neither knows the service's types; the typed client is in crate
//!   `ssmr`.
//! - [`Operator`] founds a cluster's groups, once, asks its replicas how they are, and has leaders
//!   hand over.
//! - [`CacheServer`] is an embedded shared cache that speaks memcached's protocols; a real
//!   memcached does as well.
//!
//! These are shells: they move bytes, tell the time and store records. No decision of the protocol
//! is made here, and nothing that goes wrong on a connection costs more than that connection.

mod addresses;
mod cache;
mod client;
mod clock;
mod cluster;
mod cluster_file;
mod cluster_options;
mod config;
mod connection;
mod cut;
mod delay_line;
mod endpoint;
mod error;
mod faults;
mod file;
mod files;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod greeting;
mod histogram;
mod hottest;
mod leaders;
mod limits;
mod link;
mod location;
mod mailbox;
mod network;
mod node;
mod operator;
mod ordinal;
mod participant;
mod peer;
mod replica;
mod report;
#[cfg(any(all(test, feature = "metrics"), feature = "fuzzing"))]
mod samples;
mod signals;
mod status;
mod timer;
mod tls;
mod traffic;
mod transport;
mod wire;

pub use addresses::{Listeners, Reservation, Reservations, listen, reserve};
pub use cache::{BreakerState, CacheServer, CacheServerStatus, cache_servers};
pub use client::{CallError, ClientHandle, Ended, Pipeline};
pub use clock::Clock;
pub use cluster::Cluster;
pub use cluster_file::{ClusterFile, Experiment, KnownNames, Place};
pub use cluster_options::{CacheChoice, ClusterOptions};
pub use config::ClusterConfig;
pub use connection::{Connection, ConnectionState};
pub use cut::Cut;
pub use endpoint::{BadEndpoint, Endpoint};
pub use error::{ConfigError, ConnectError, FoundError, HandOverError, NetError};
pub use faults::Faults;
pub use file::{FileProblem, FileProblems};
pub use histogram::{BOUNDS_US, Histogram};
pub use hottest::{HotObject, HotObjects};
pub use leaders::Leaders;
pub use limits::ConnectionLimits;
pub use network::{Network, Party, Route};
pub use node::{Node, WhichReplica};
pub use operator::{Founded, Operator};
pub use ordinal::Ordinal;
pub use peer::Peer;
pub use replica::{ReplicaOptions, ReplicaThread};
pub use report::{
    ConnectionReport, LogReport, PeerReport, Queues, Refusals, ReplicaReport, SnapshotReport,
};
pub use signals::Signals;
pub use ssmr_core::ServiceVersion;
pub use ssmr_core::replica::Milestone;
pub use ssmr_core::replica::{CommandKind, Tally};
pub use ssmr_log::{FoundingRefused, HandOverRefused, Holding, MemberId};
pub use ssmr_multicast::{LOG_BYTES, LinkState};
pub use ssmr_storage::{Durability, StorageError};
pub use status::ReplicaStatus;
#[cfg(feature = "tls")]
pub use tls::Authority;
pub use tls::Holder;
pub use traffic::TrafficCount;
