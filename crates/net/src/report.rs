//! All that a replica can tell of itself: how it is, and what it has counted.
//!
//! It is what `/metrics` shows and what `harness top` asks for. Everything in it is counted where
//! it happens, by a thread that does that anyway; a report costs a few copies.

use crate::histogram::Histogram;
use crate::status::ReplicaStatus;
use serde::{Deserialize, Serialize};
use ssmr_core::replica::{CommandKind, Tally};
use ssmr_core::{Defect, Micros, ReplicaId};
use ssmr_multicast::LinkState;

/// All that a replica can tell of itself. Counters are since it was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplicaReport {
    /// How it is.
    pub status: ReplicaStatus,
    /// The version of the library that it runs.
    pub version: String,
    /// What it has answered while it led.
    pub answers: Tally,
    /// How long answers took, from when the command came to this replica until its answer was
    /// handed to the connection: of each kind that was measured. Empty unless it was started with
    /// metrics.
    pub latencies: Vec<(CommandKind, Histogram)>,
    /// What it did not take.
    pub refusals: Refusals,
    /// What waits within it.
    pub queues: Queues,
    /// Its connections to the other replicas.
    pub peers: Vec<PeerReport>,
    /// The links between its group and the others.
    pub links: Vec<LinkState>,
    /// Its log.
    pub log: LogReport,
    /// The snapshots that it made and was filled with.
    pub snapshots: SnapshotReport,
    /// The connections that others have made to it.
    pub connections: ConnectionReport,
    /// When its certificate ends, in seconds since 1970; `None` without TLS.
    pub certified_until: Option<u64>,
}

/// What a replica did not take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusals {
    /// Requests that break a bound, by the bound.
    pub requests: Vec<(Defect, u64)>,
    /// Requests of clients that were told that another replica leads.
    pub not_leader: u64,
    /// Attempts whose session was too old, and that were not logged.
    pub expired: u64,
    /// Connections that ended at the greeting: the other end does not speak the protocol, or is of
    /// another cluster, service, strategy or version.
    pub greetings: u64,
    /// Clients that were turned away because there were as many as may be.
    pub full: u64,
    /// Connections that were closed for what was said on them: a message that is none, or too
    /// large.
    pub messages: u64,
    /// Connections that were closed because the other end took too long to greet, to send a request
    /// or to read.
    pub slow: u64,
    /// Connections that were closed because of too many of their kind, or too much unread.
    pub crowded: u64,
}

/// What waits within a replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Queues {
    /// Inputs that have come and were not taken by its event loop.
    pub inputs: u64,
    /// What clients ask that waits for its turn, where a service time is set.
    pub held_back: u64,
    /// Log entries that are proposed and not committed.
    pub uncommitted: u64,
    /// Commands that are logged and not delivered: timestamps of other groups are missing, or they
    /// are behind such commands.
    pub undelivered: u64,
    /// Reads that are not ordered and wait until this replica is sure that it leads.
    pub reads: u64,
    /// Bytes of answers that clients have not read.
    pub unread_bytes: u64,
}

/// A replica's connections to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PeerReport {
    /// The other one.
    pub replica: ReplicaId,
    /// Whether it can be reached, as far as that was tried.
    pub is_reachable: Option<bool>,
    /// Bytes of urgent messages that it has not taken.
    pub urgent_bytes: u64,
    /// Bytes of large messages that it has not taken.
    pub bulk_bytes: u64,
}

/// A replica's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogReport {
    /// Entries in memory.
    pub entries: u64,
    /// Bytes that were applied since the last snapshot was begun.
    pub bytes: u64,
    /// After how many bytes a snapshot is due.
    pub limit_bytes: u64,
    /// Bytes that were written into the log's files.
    pub written_bytes: u64,
    /// How long it took to store what each round led to, syncs included.
    pub stores: Histogram,
}

/// A replica's snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SnapshotReport {
    /// How many it made, those included that only allowed it to forget its log in memory.
    pub taken: u64,
    /// How many it was filled with by another replica.
    pub installed: u64,
    /// The last log entry that the newest one stands for; 0 if there is none.
    pub last_entry: u64,
    /// The bytes of the newest one that was encoded; 0 if none was.
    pub bytes: u64,
    /// How long that took, in microseconds, writing included.
    pub duration_us: Micros,
}

/// The connections that others have made to a replica, now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionReport {
    /// Of clients.
    pub clients: u64,
    /// Of replicas.
    pub replicas: u64,
    /// Of operators.
    pub operators: u64,
    /// Of whoever has not introduced himself.
    pub ungreeted: u64,
}
