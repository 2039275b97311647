//! What a log wants done.

use crate::message::LogMessage;
use crate::record::Record;

/// First `records` are made durable, then `messages` are sent; the other way round is safe too, and
/// faster, unless [`store_first`](Self::store_first) is set.
#[derive(Debug, Default)]
pub struct LogOutbox {
    /// To be stored before the next input is taken.
    pub records: Vec<Record>,
    /// Messages to other replicas of the group, by index.
    pub messages: Vec<(u8, LogMessage)>,
    /// Whether messages depend on the records: no message may leave before these are durable. It is
    /// not set if the records are only what this replica proposes as the leader of several voters.
    /// Its own copy then counts with the others' answers, which are later inputs (section 10.2.1 of
    /// Ongaro's thesis).
    pub store_first: bool,
}

impl LogOutbox {
    /// Has something stored before any message leaves.
    pub fn store(&mut self, record: Record) {
        self.records.push(record);
        self.store_first = true;
    }

    /// Has something stored on which no message depends.
    pub(crate) fn store_meanwhile(&mut self, record: Record) {
        self.records.push(record);
    }
}
