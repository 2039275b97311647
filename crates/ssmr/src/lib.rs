//! Replicate a service of your own, split over partitions, with objects that come, go and move
//! while it runs.
//!
//! A service is a type that implements [`Application`]: objects, operations on them, replies. A
//! [`LocalCluster`] runs it on threads of this process, [`ReplicaServer`]s in processes of their
//! own; a [`Client`] calls it. How objects are placed and found is a [`strategy`]: a value that is
//! handed to both.
//!
//! ```
//! use ssmr::{Access, Application, Broker, Client, LocalCluster, ObjectId, Objects, PartitionId};
//!
//! /// Counters that can be added to.
//! struct Counters;
//!
//! impl Application for Counters {
//!     const NAME: &'static str = "counters";
//!     type Object = u64;
//!     type Op = (ObjectId, u64);
//!     type Reply = u64;
//!
//!     fn access(&(counter, _): &Self::Op) -> Access {
//!         Access { reads: vec![counter], writes: vec![counter] }
//!     }
//!
//!     fn execute(&(counter, amount): &Self::Op, counters: &mut Objects<u64>) -> u64 {
//!         counters.update(counter, |value| *value = value.wrapping_add(amount));
//!         counters.get(counter).copied().unwrap_or_default()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = LocalCluster::<Counters>::builder(Broker).start().await?;
//! let counters: Client<Counters> = cluster.client().await?;
//!
//! let visits = ObjectId::from("visits");
//! counters.create(visits, &100).at(PartitionId(1)).await?;
//! assert_eq!(counters.call(&(visits, 1)).await?, 101);
//! counters.move_to(visits, PartitionId(0)).await?;
//! assert_eq!(counters.locate(visits).await?, PartitionId(0));
//! counters.delete(visits).await?;
//! assert_eq!(counters.call(&(visits, 1)).await, Err(ssmr::Error::NotFound));
//!
//! cluster.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! The [`guide`] has the rest: writing a service, exactly once, errors and time-outs, runtimes,
//! clusters of processes, and how a service's types evolve. This crate decides nothing of the
//! protocol; it is the door to the crates that do, and re-exports what a user needs of them.

mod client;
mod cluster;
mod command;
mod deployed;
mod draw;
mod error;
pub mod guide;
mod replica;
pub mod strategy;
mod transaction;

pub use client::{Client, ClientBuilder};
pub use cluster::{ClusterBuilder, LocalCluster};
pub use command::{Command, Creating, PerhapsStale, Plain, Question};
pub use deployed::{Cluster, Node};
pub use error::Error;
pub use replica::{ReplicaBuilder, ReplicaServer};
pub use strategy::{Broker, Cache, Global, Static};
pub use transaction::{Transaction, TransactionBuilder, TransactionCount};

pub use ssmr_core::client::{ClientSettings, Execution};
pub use ssmr_core::limits;
pub use ssmr_core::topology::TopologyError;
pub use ssmr_core::{
    Access, Application, ClientId, Completion, Defect, Expected, GroupId, Intent, ObjectId,
    Objects, Oracle, Outcome, ParseIdError, PartitionId, Reads, ReplicaId, Request, Revision,
    Secret, Topology, Touch,
};
#[cfg(feature = "tls")]
pub use ssmr_net::Authority;
pub use ssmr_net::{
    BadEndpoint, BreakerState, CacheChoice, CacheServer, CacheServerStatus, CallError,
    ClusterConfig, ClusterFile, CommandKind, ConfigError, ConnectError, Connection,
    ConnectionReport, ConnectionState, Durability, Endpoint, FileProblem, FileProblems, FoundError,
    Founded, FoundingRefused, HandOverError, HandOverRefused, Histogram, Holder, Holding,
    HotObject, HotObjects, KnownNames, LinkState, LogReport, MemberId, NetError, Operator, Ordinal,
    Peer, PeerReport, Queues, Refusals, ReplicaReport, ReplicaStatus, ServiceVersion,
    SnapshotReport, StorageError, Tally, TrafficCount, WhichReplica, cache_servers,
};

/// What replicas keep on disk: the picture of a data folder, and how to check one.
///
/// ```no_run
/// use ssmr::storage::{RealFiles, verify};
///
/// let report = verify(&RealFiles, "/var/lib/things/p0r1".as_ref())?;
/// for finding in &report.findings {
///     println!("{finding}");
/// }
/// # Ok::<(), ssmr::StorageError>(())
/// ```
pub use ssmr_storage as storage;

/// The README's code compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
