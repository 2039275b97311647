//! What a replica stores: its vote, the entries of its group's log, and snapshots that stand for
//! the oldest of them.

use crate::member::{MemberId, Members};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The place of an entry in a log, ordered as Raft orders logs when it compares them: by term, then
/// by index.
///
/// Indices begin with 1; [`ZERO`](Self::ZERO) is before the first entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct LogPosition {
    /// The consensus term in which the entry was proposed.
    pub term: u64,
    /// How many entries there are up to it.
    pub index: u64,
}

impl LogPosition {
    /// Before the first entry.
    pub const ZERO: Self = Self { term: 0, index: 0 };
}

impl fmt::Debug for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@t{}", self.index, self.term)
    }
}

/// Something to be made durable, as its [`LogOutbox`](crate::LogOutbox) says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// The replica begins this generation: it remembers nothing of earlier ones.
    Generation(u64),
    /// The consensus term and vote.
    Vote {
        /// The greatest term that the replica has seen.
        term: u64,
        /// Who was voted for in it.
        voted_for: Option<MemberId>,
    },
    /// Log entries that replace whatever the log held after `after`.
    Append {
        /// The entry before the first one.
        after: LogPosition,
        /// What comes behind it, in order.
        entries: Vec<LogEntry>,
    },
    /// Another replica's snapshot, and the entries behind it that the log held before: they replace
    /// the whole log.
    Install {
        /// Stands for all entries up to its last one.
        snapshot: Snapshot,
        /// What the log goes on with.
        entries: Vec<LogEntry>,
    },
}

/// One entry of a group's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogEntry {
    /// A leader was elected in this term.
    Term(u64),
    /// What the leader proposed; the log does not look into it.
    Batch(Bytes),
    /// Who takes part from now on.
    Members(Members),
}

impl LogEntry {
    /// About how many bytes it takes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Term(_) => 16,
            Self::Batch(bytes) => 16 + bytes.len(),
            Self::Members(members) => 32 + 8 * members.all().count(),
        }
    }
}

/// A replica's state after a log entry, encoded. What is in `state` is the user's business.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last entry that it includes.
    pub last: LogPosition,
    /// Who took part in consensus then.
    pub members: Members,
    /// The state, as its owner encoded it.
    pub state: Bytes,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "snapshot at {:?} of {} bytes",
            self.last,
            self.state.len()
        )
    }
}

/// What a replica of a group has stored: what the [`Record`]s of its outboxes and its snapshots add
/// up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The generation in which it was stored.
    pub generation: u64,
    /// The greatest consensus term that the replica has seen.
    pub term: u64,
    /// Who was voted for in it.
    pub voted_for: Option<MemberId>,
    /// What stands for the log's oldest entries.
    pub snapshot: Option<Snapshot>,
    /// The entries behind the snapshot, or all of them.
    pub entries: Vec<LogEntry>,
}

impl Stored {
    /// The last entry that the snapshot stands for.
    #[must_use]
    pub fn base(&self) -> LogPosition {
        let snapshot = self.snapshot.as_ref();
        snapshot.map_or(LogPosition::ZERO, |snapshot| snapshot.last)
    }

    /// Adds a record, in the order in which they were made durable.
    pub fn add(&mut self, record: Record) {
        match record {
            Record::Generation(generation) => self.generation = generation,
            Record::Vote { term, voted_for } => {
                self.term = term;
                self.voted_for = voted_for;
            }
            Record::Append { after, entries } => {
                let base = self.base().index;
                let kept = after.index.saturating_sub(base);
                let known = base.saturating_sub(after.index);
                self.entries.truncate(kept as usize);
                let fresh = entries.into_iter().skip(known as usize);
                self.entries.extend(fresh);
            }
            Record::Install { snapshot, entries } => {
                self.snapshot = Some(snapshot);
                self.entries = entries;
            }
        }
    }

    /// A snapshot of this log takes the place of the entries that it includes, unless one that
    /// includes more has overtaken it.
    pub fn compact(&mut self, snapshot: Snapshot) {
        let base = self.base().index;
        if snapshot.last.index <= base {
            return;
        }
        let count = (snapshot.last.index - base) as usize;
        self.entries.drain(..count.min(self.entries.len()));
        self.snapshot = Some(snapshot);
    }
}

/// A log at one of its entries, for a capture of the state that the entries up to there led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The entry.
    pub last: LogPosition,
    /// Who takes part in consensus there.
    pub members: Members,
    /// The entries behind it.
    pub tail: Vec<LogEntry>,
}

/// What a log has agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// An entry with its index.
    Entry(u64, LogEntry),
    /// The entries up to the snapshot's last one, not one by one but as what they led to.
    Snapshot(Snapshot),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(index: u64) -> Snapshot {
        Snapshot {
            last: LogPosition { term: 1, index },
            members: Members::founders(3),
            state: Bytes::new(),
        }
    }

    /// Found by seed 300898 under profile crash: the older snapshot took the place of the one that
    /// the leader had sent meanwhile, and the entries behind that one moved to other places.
    #[test]
    fn a_snapshot_that_was_overtaken_changes_nothing() {
        let mut stored = Stored::default();
        let install = Record::Install {
            snapshot: snapshot(5),
            entries: vec![LogEntry::Term(2)],
        };
        stored.add(install);
        let before = stored.clone();
        stored.compact(snapshot(4));
        assert_eq!(stored, before);
        stored.compact(snapshot(6));
        assert_eq!((stored.base().index, stored.entries.len()), (6, 0));
    }
}
