//! The replicated log of one group, as the multicast sees it: a small trait, so that the consensus library can be
//! replaced without touching anything else.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::LocalTime;
use ssmr_core::log::{LogEntry, MemberId, Members, Position, Record};
use ssmr_core::multicast::Tenure;
use ssmr_core::snapshot::Snapshot;
use std::fmt::Debug;

/// A log that a group's replicas agree on.
///
/// What [`GroupLog::poll_committed`] returns is the same at every replica, in the same order, and is never taken back.
pub trait GroupLog {
    /// What the replicas of the group say to each other.
    type Msg: Clone + Debug + Serialize + serde::de::DeserializeOwned + Send + 'static;

    /// Whether this replica leads, as far as it knows.
    fn is_leader(&self) -> bool;

    /// Whether this replica's vote counts and will go on counting, as far as is committed.
    fn is_voter(&self) -> bool;

    /// Who leads, as far as is known.
    fn leader(&self) -> Option<u8>;

    /// The consensus term: it changes with every leader.
    fn term(&self) -> u64;

    /// Proposes a batch. Does nothing unless this replica leads; what is proposed may be lost with the leader.
    fn propose(&mut self, now: LocalTime, batch: Bytes, out: &mut LogOutbox<Self::Msg>);

    /// Takes a message of another replica of the group.
    fn on_message(
        &mut self,
        now: LocalTime,
        from: u8,
        msg: Self::Msg,
        out: &mut LogOutbox<Self::Msg>,
    );

    /// Lets time pass.
    fn on_timer(&mut self, now: LocalTime, out: &mut LogOutbox<Self::Msg>);

    /// What comes next of what is committed.
    fn poll_committed(&mut self) -> Option<Committed>;

    /// Where the log stands at entry `index`, which was polled and is not compacted: for a capture of the state then.
    fn cut(&self, index: u64) -> Cut;

    /// Whether another replica is so far behind that only a snapshot can help it.
    fn wants_snapshot(&self) -> bool;

    /// Here is a snapshot for those that need one.
    fn offer(&mut self, now: LocalTime, snapshot: Snapshot, out: &mut LogOutbox<Self::Msg>);

    /// The entries up to `last` are not needed at a restart any more: all but so many bytes of them may be forgotten.
    fn compact(&mut self, last: Position, keep: usize);

    /// How surely this replica leads: `None` unless it leads and has polled all that its predecessors committed, which must be
    /// applied too before anybody relies on it.
    fn tenure(&self, now: LocalTime) -> Option<Tenure>;

    /// Asks the others to confirm that this replica leads, unless such a question is on its way.
    fn confirm(&mut self, now: LocalTime, out: &mut LogOutbox<Self::Msg>);

    /// How many entries are proposed and not committed.
    fn in_flight(&self) -> u64;
}

/// What a log has agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// An entry with its index.
    Entry(u64, LogEntry),
    /// The entries up to the snapshot's last one, not one by one but as what they led to.
    Snapshot(Snapshot),
}

/// A log at one of its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The entry.
    pub last: Position,
    /// Who takes part in consensus there.
    pub members: Members,
    /// The entries behind it.
    pub tail: Vec<LogEntry>,
}

/// What the log wants done: first the records made durable, then the messages sent.
#[derive(Debug)]
pub struct LogOutbox<M> {
    /// To be stored before any message is sent.
    pub records: Vec<Record>,
    /// Messages to other replicas of the group, by index.
    pub messages: Vec<(u8, M)>,
}

impl<M> Default for LogOutbox<M> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            messages: Vec::new(),
        }
    }
}

/// What a replica of a group has stored: what the [`Record`]s of its outboxes and its snapshots add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The generation in which it was stored.
    pub generation: u64,
    /// The consensus term.
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
    pub fn base(&self) -> Position {
        self.snapshot
            .as_ref()
            .map_or((0, 0), |snapshot| snapshot.last)
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
                let kept = after.0.saturating_sub(self.base().0);
                let known = self.base().0.saturating_sub(after.0);
                self.entries.truncate(kept as usize);
                self.entries
                    .extend(entries.into_iter().skip(known as usize));
            }
            Record::Install { snapshot, entries } => {
                self.snapshot = Some(snapshot);
                self.entries = entries;
            }
        }
    }

    /// A snapshot of this log takes the place of the entries that it includes.
    pub fn compact(&mut self, snapshot: Snapshot) {
        let count = snapshot.last.0.saturating_sub(self.base().0) as usize;
        self.entries.drain(..count.min(self.entries.len()));
        self.snapshot = Some(snapshot);
    }
}
