//! How a replica is.

use ssmr_core::replica::Counters;
use tokio::sync::oneshot;

/// What a replica says of itself.
#[derive(Clone, Copy, Debug)]
pub struct ReplicaStatus {
    /// Whether it believes that it leads its group.
    pub is_leader: bool,
    /// Whether it takes full part: not while it is filled after it lost its memory.
    pub is_voter: bool,
    /// The index of the last entry of its group's log that it has applied.
    pub applied: u64,
    /// The digest of its whole ordered state, if that was asked for: objects, sessions, and what is
    /// logged and not delivered. Equal at replicas of a group that applied the same entries.
    pub digest: Option<u64>,
    /// Counters since the start.
    pub counters: Counters,
}

/// Somebody wants to know how a replica is.
#[derive(Debug)]
pub(super) struct Question {
    /// With the digest of its state, which takes time in proportion to it.
    pub(super) digest: bool,
    pub(super) answer: oneshot::Sender<ReplicaStatus>,
}
