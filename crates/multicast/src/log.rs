//! The replicated log of one group, as the multicast sees it: a small trait, so that the consensus library can be
//! replaced without touching anything else.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::Micros;
use ssmr_core::multicast::{LogEntry, Record};
use std::fmt::Debug;

/// A log that a group's replicas agree on.
///
/// What [`GroupLog::poll_committed`] returns is the same at every replica, in the same order, and is never taken back.
pub trait GroupLog {
    /// What the replicas of the group say to each other.
    type Msg: Clone + Debug + Serialize + serde::de::DeserializeOwned + Send + 'static;

    /// Whether this replica leads, as far as it knows.
    fn is_leader(&self) -> bool;

    /// Who leads, as far as is known.
    fn leader(&self) -> Option<u8>;

    /// The consensus term: it changes with every leader.
    fn term(&self) -> u64;

    /// Proposes a batch. Does nothing unless this replica leads; what is proposed may be lost with the leader.
    fn propose(&mut self, now: Micros, batch: Bytes, out: &mut LogOutbox<Self::Msg>);

    /// Takes a message of another replica of the group.
    fn on_message(&mut self, now: Micros, from: u8, msg: Self::Msg, out: &mut LogOutbox<Self::Msg>);

    /// Lets time pass.
    fn on_timer(&mut self, now: Micros, out: &mut LogOutbox<Self::Msg>);

    /// The next committed entry with its index.
    fn poll_committed(&mut self) -> Option<(u64, LogEntry)>;

    /// How many entries are proposed and not committed.
    fn in_flight(&self) -> u64;
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

/// What a replica of a group has stored: its vote and its log. It is what the [`Record`]s of its outboxes add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The consensus term.
    pub term: u64,
    /// Who was voted for in it.
    pub voted_for: Option<u8>,
    /// The entries from index 1 on.
    pub entries: Vec<LogEntry>,
}

impl Stored {
    /// Adds a record, in the order in which they were made durable.
    pub fn add(&mut self, record: Record) {
        match record {
            Record::Vote { term, voted_for } => {
                self.term = term;
                self.voted_for = voted_for;
            }
            Record::Append { after, entries } => {
                self.entries.truncate(after.0 as usize);
                self.entries.extend(entries);
            }
        }
    }
}
