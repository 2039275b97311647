//! What a replica stores: its vote, the entries of its group's log, and snapshots that stand for the oldest of them.

use crate::snapshot::Snapshot;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Index and consensus term of a log entry. Indices begin with 1; (0, 0) is before the first entry.
pub type Position = (u64, u64);

/// Something to be made durable before anything else of the same [`Outbox`](crate::Outbox) leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// The replica begins this generation: it remembers nothing of earlier ones.
    Generation(u64),
    /// The consensus term and vote.
    Vote {
        /// The term.
        term: u64,
        /// Who was voted for in it.
        voted_for: Option<MemberId>,
    },
    /// Log entries that replace whatever the log held after `after`.
    Append {
        /// The entry before the first one.
        after: Position,
        /// The entries.
        entries: Vec<LogEntry>,
    },
    /// Another replica's snapshot, and the entries behind it that the log held before: they replace the whole log.
    Install {
        /// The snapshot.
        snapshot: Snapshot,
        /// What the log goes on with.
        entries: Vec<LogEntry>,
    },
}

/// One entry of a group's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogEntry {
    /// A leader took office in this term.
    Term(u64),
    /// A batch of inputs.
    Batch(Bytes),
    /// Who takes part from now on.
    Members(Members),
}

impl LogEntry {
    /// About how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Term(_) => 16,
            Self::Batch(bytes) => 16 + bytes.len(),
            Self::Members(members) => 32 + 8 * members.all().count(),
        }
    }
}

/// A replica in one of its generations, as consensus knows it.
///
/// A replica that lost what it had stored has forgotten its votes: it begins a new generation and takes part under a new name,
/// as a member that never voted. Lives grow; those that founded the group have 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberId(u64);

impl MemberId {
    /// The greatest generation there can be.
    pub const LAST_GENERATION: u64 = u64::MAX >> 8;

    /// Replica `index` of the group in its generation `generation`, [`LAST_GENERATION`](Self::LAST_GENERATION) at most.
    #[must_use]
    pub fn new(index: u8, generation: u64) -> Self {
        Self(generation << 8 | u64::from(index))
    }

    /// The replica's index in its group.
    #[must_use]
    pub fn index(self) -> u8 {
        self.0 as u8
    }

    /// Its generation.
    #[must_use]
    pub fn generation(self) -> u64 {
        self.0 >> 8
    }

    /// As a number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl From<u64> for MemberId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation() {
            0 => write!(f, "r{}", self.index()),
            generation => write!(f, "r{}/{generation}", self.index()),
        }
    }
}

/// Who takes part in a group's consensus: Raft's configuration (Ongaro and Ousterhout, 2014, section 6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Those whose votes count.
    pub voters: BTreeSet<MemberId>,
    /// During a change, those whose votes will count: until it is over a majority of both is needed. Else empty.
    pub next_voters: BTreeSet<MemberId>,
    /// Those that are told everything and have no vote.
    pub learners: BTreeSet<MemberId>,
}

impl Members {
    /// All of them, some perhaps twice.
    pub fn all(&self) -> impl Iterator<Item = MemberId> {
        let voters = self.voters.iter().chain(&self.next_voters);
        voters.chain(&self.learners).copied()
    }
}
