//! When a replica captures its state, and what a snapshot of it is made of.
//!
//! ```text
//!   replica                       driver
//!     |--- capture: a cheap copy --->|  encode it where that holds nobody up
//!     |    goes on                   |  store it, durably if the log is
//!     |<-- captured -----------------|
//!     |  forget the log up to there  |  and so does the store
//! ```
//!
//! The multicast's part of a snapshot is the [`Order`](crate::order::Order), links included. A
//! leader's volatile state is not in it: whatever is lost with a leader is sent again by somebody.

use crate::batch::BATCH_BYTES;
use bytes::{BufMut, Bytes, BytesMut};
use ssmr_core::Micros;
use ssmr_core::limits::SESSION_TTL;
use ssmr_core::snapshot::StatePart;
use ssmr_log::{CHUNK_BYTES, Cut, LogEntry, LogPosition, Members, Snapshot};
use std::fmt;
use std::time::Duration;

/// After how many bytes of log a snapshot is due, unless somebody wants it otherwise.
pub const LOG_BYTES: usize = 32 << 20;

/// What one replica's part in a group is made with.
#[derive(Clone, Copy, Debug)]
pub struct MulticastSettings {
    /// Varies the election timeouts: replicas of one group need different ones, or they split every
    /// vote.
    pub seed: u64,
    /// After how many bytes of log a snapshot is due. Twice as many are in memory at most, but for
    /// what is not applied yet, and what a leader keeps for a follower that it fills: at most as
    /// much again and the size of the snapshot.
    pub log_bytes: usize,
    /// How long, in log time, the group remembers a session after it was opened: the same at all
    /// its replicas and for all its life.
    pub session_ttl: Micros,
    /// How many bytes of inputs one log entry carries, unless a single one is larger.
    pub batch_bytes: usize,
    /// How many bytes of a snapshot one message carries.
    pub chunk_bytes: usize,
    /// The longest time in which a message gets anywhere and an answer back, beyond that of a local
    /// network: the same at all replicas of the group. Timers allow for it.
    pub round_trip: Duration,
}

impl Default for MulticastSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            log_bytes: LOG_BYTES,
            session_ttl: SESSION_TTL,
            batch_bytes: BATCH_BYTES,
            chunk_bytes: CHUNK_BYTES,
            round_trip: Duration::ZERO,
        }
    }
}

/// When the next snapshot is due.
#[derive(Debug)]
pub(crate) struct SnapshotSchedule {
    /// After so many bytes of log.
    pub(crate) log_bytes: usize,
    /// So many were applied since the last one.
    applied_bytes: usize,
    /// One is being encoded and stored.
    under_way: bool,
}

impl SnapshotSchedule {
    pub(crate) fn new(log_bytes: usize) -> Self {
        Self {
            log_bytes,
            applied_bytes: 0,
            under_way: false,
        }
    }

    /// An entry was applied.
    pub(crate) fn applied(&mut self, bytes: usize) {
        self.applied_bytes += bytes;
    }

    /// How many bytes were applied since the last one was begun.
    pub(crate) fn applied_bytes(&self) -> usize {
        self.applied_bytes
    }

    /// The state was taken from a snapshot.
    pub(crate) fn restored(&mut self) {
        self.applied_bytes = 0;
    }

    /// Whether to begin one now: one is due, or `wanted`, and none is under way. Then it is.
    pub(crate) fn begin(&mut self, wanted: bool) -> bool {
        let due = wanted || self.applied_bytes >= self.log_bytes;
        let begins = due && !self.under_way;
        if begins {
            self.applied_bytes = 0;
            self.under_way = true;
        }
        begins
    }

    /// It is stored.
    pub(crate) fn end(&mut self) {
        self.under_way = false;
    }
}

/// A copy of a replica's state, to be encoded where that holds nobody up.
pub struct Capture {
    /// The last entry that it includes.
    pub last: LogPosition,
    /// Who took part in consensus then.
    pub members: Members,
    /// The entries that the log holds behind it.
    pub tail: Vec<LogEntry>,
    /// Another replica waits for it: it must be encoded even where nothing is stored.
    pub wanted: bool,
    order: StatePart,
    partition: StatePart,
}

/// A capture is stored for good, if anything is stored.
#[derive(Debug)]
pub struct Captured {
    /// The last entry that it included.
    pub last: LogPosition,
    /// The snapshot, if it was wanted.
    pub snapshot: Option<Snapshot>,
}

impl Capture {
    pub(crate) fn new(cut: Cut, wanted: bool, order: StatePart, partition: StatePart) -> Self {
        Self {
            last: cut.last,
            members: cut.members,
            tail: cut.tail,
            wanted,
            order,
            partition,
        }
    }

    /// Encodes it: takes time and memory in proportion to the state.
    #[must_use]
    pub fn encode(self) -> Snapshot {
        let (order, partition) = ((self.order)(), (self.partition)());
        let mut state = BytesMut::with_capacity(8 + order.len() + partition.len());
        state.put_u64_le(order.len() as u64);
        state.extend_from_slice(&order);
        state.extend_from_slice(&partition);
        Snapshot {
            last: self.last,
            members: self.members,
            state: state.freeze(),
        }
    }
}

/// The multicast's and the partition's part of a snapshot's state; `None` if that is not what it
/// consists of.
pub(crate) fn parts(state: &Bytes) -> Option<(Bytes, Bytes)> {
    let length = state.get(..8)?.try_into().ok()?;
    let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
    let middle = length.checked_add(8)?;
    (middle <= state.len()).then(|| (state.slice(8..middle), state.slice(middle..)))
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capture at {:?}", self.last)
    }
}
