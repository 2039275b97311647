//! Snapshots: the whole state of a replica after some log entry, in place of the log up to there.
//!
//! ```text
//!   replica                       driver
//!     |--- capture: a cheap copy --->|  encode it where that holds nobody up
//!     |    goes on                   |  store it, durably if the log is
//!     |<-- captured(last) -----------|
//!     |  forget the log up to last   |  and so does the store
//! ```
//!
//! Invariant: a snapshot holds all that is a function of the log, and nothing else: no hints, no leader's duties. A replica
//! that starts from it and applies the entries behind it has the same state as one that applied them all.

use crate::log::{LogEntry, Members, Position};
use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A part of a state: called, it encodes itself.
pub type StatePart = Box<dyn FnOnce() -> Bytes + Send>;

/// A replica's state after a log entry, encoded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last entry that it includes.
    pub last: Position,
    /// Who took part in consensus then.
    pub members: Members,
    /// The state: the multicast's and the partition's part.
    pub state: Bytes,
}

impl Snapshot {
    /// The multicast's and the partition's part; `None` if that is not what the state consists of.
    #[must_use]
    pub fn parts(&self) -> Option<(Bytes, Bytes)> {
        let length = self.state.get(..8)?.try_into().ok()?;
        let middle = usize::try_from(u64::from_le_bytes(length))
            .ok()?
            .checked_add(8)?;
        (middle <= self.state.len())
            .then(|| (self.state.slice(8..middle), self.state.slice(middle..)))
    }
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

/// A copy of a replica's state, to be encoded where that holds nobody up.
pub struct Capture {
    /// The last entry that it includes.
    pub last: Position,
    /// Who took part in consensus then.
    pub members: Members,
    /// The entries that the log holds behind it.
    pub tail: Vec<LogEntry>,
    /// Another replica waits for it: it must be encoded even where nothing is stored.
    pub wanted: bool,
    parts: Vec<StatePart>,
}

impl Capture {
    /// A capture with the multicast's part.
    pub fn new(
        last: Position,
        members: Members,
        tail: Vec<LogEntry>,
        wanted: bool,
        part: StatePart,
    ) -> Self {
        let parts = vec![part];
        Self {
            last,
            members,
            tail,
            wanted,
            parts,
        }
    }

    /// Adds the partition's part.
    #[must_use]
    pub fn with(mut self, part: StatePart) -> Self {
        self.parts.push(part);
        self
    }

    /// Encodes it: takes time and memory in proportion to the state.
    #[must_use]
    pub fn encode(self) -> Snapshot {
        let mut state = BytesMut::new();
        let count = self.parts.len();
        for (place, part) in self.parts.into_iter().enumerate() {
            let bytes = part();
            if place + 1 < count {
                state.put_u64_le(bytes.len() as u64);
            }
            state.extend_from_slice(&bytes);
        }
        let (last, members, state) = (self.last, self.members, state.freeze());
        Snapshot {
            last,
            members,
            state,
        }
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capture at {:?}", self.last)
    }
}
