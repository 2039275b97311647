//! How a replica is.

use crate::traffic::TrafficCount;
use serde::{Deserialize, Serialize};
use ssmr_core::replica::Counters;
use ssmr_core::{Micros, ReplicaId};
use ssmr_log::{Holding, MemberId};

impl ReplicaStatus {
    /// Whether it takes full part in its group: it votes, and hears whoever leads.
    #[must_use]
    pub fn takes_part(&self) -> bool {
        self.is_voter && self.hears_leader
    }
}

/// What a replica says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// Which replica it is.
    pub id: ReplicaId,
    /// Which member of its group's log: the replica in its present generation, another one each
    /// time that it began with nothing stored.
    pub member: MemberId,
    /// What its group's log amounts to there.
    pub holding: Holding,
    /// Whether it is a member of its group, as far as it knows. If not it waits for the group to be
    /// founded, or to take it in.
    pub is_member: bool,
    /// Whether it takes full part: not while it is filled after it lost its memory.
    pub is_voter: bool,
    /// Whether it believes that it leads its group.
    pub is_leader: bool,
    /// The replica that it believes to lead the group.
    pub leader: Option<ReplicaId>,
    /// Whether it has heard lately of the leader, or, if it leads, of a majority: not while it is
    /// cut off, or nobody leads.
    pub hears_leader: bool,
    /// The consensus term: it changes with every leader.
    pub term: u64,
    /// The index of the last entry of its group's log that it knows to be committed.
    pub committed: u64,
    /// The index of the last entry that it has applied.
    pub applied: u64,
    /// The digest of its whole ordered state, if that was asked for: objects, sessions, and what is
    /// logged and not delivered. Equal at replicas of a group that applied the same entries.
    pub digest: Option<u64>,
    /// Counters since the start.
    pub counters: Counters,
    /// How many commands were delivered to it that wait for others, or for what other groups have
    /// to say.
    pub unfinished: u64,
    /// How many objects its group owns.
    pub objects: u64,
    /// The bytes of their encoded values.
    pub object_bytes: u64,
    /// For how long it has run, in microseconds: less than before means that it was started again,
    /// and that its counters have begun anew.
    pub uptime_us: Micros,
    /// Processor time of its thread, in microseconds.
    pub processor_us: Micros,
    /// What it has sent and received since the start.
    pub traffic: TrafficCount,
}
