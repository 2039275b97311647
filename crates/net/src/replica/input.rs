//! What comes into the event loop of a replica.

use crate::cut::Cuts;
use crate::mailbox::Mailbox;
use crate::operator::message::{OperatorAnswer, OperatorMessage};
use crate::report::ReplicaReport;
use crate::status::ReplicaStatus;
use ssmr_core::{CacheReply, ClientId, ClientMessage, LocalTime, Micros, PeerMessage, ReplicaId};
use ssmr_multicast::{Captured, Message};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What the event loop takes in.
#[derive(Debug)]
pub(super) enum LoopInput {
    Peer(ReplicaId, PeerMessage<Message>),
    /// A client's message, and what it takes up until it is taken.
    Client(ClientId, ClientMessage, Room),
    /// A client came, on the connection of this number; answers go to the newest one.
    Connected(ClientId, u64, Arc<Mailbox>),
    Disconnected(ClientId, u64),
    /// An operator asks or orders something.
    Operator(OperatorMessage, oneshot::Sender<OperatorAnswer>),
    Cache(CacheReply),
    /// A capture was encoded, and stored if anything is.
    Captured(io::Result<Kept>),
}

/// What a client's message takes up until the event loop has taken it.
#[derive(Debug)]
pub(super) struct Room {
    /// One of those that the client may have waiting.
    pub(super) _turn: OwnedSemaphorePermit,
    /// Its bytes, if it is large.
    pub(super) _bytes: Option<OwnedSemaphorePermit>,
}

#[cfg(test)]
impl Room {
    /// Of a client that has all the room it wants.
    pub(super) fn for_tests() -> Self {
        let turns = Arc::new(tokio::sync::Semaphore::new(1));
        let turn = turns.try_acquire_owned();
        Self {
            _turn: turn.unwrap_or_else(|error| unreachable!("there is one: {error}")),
            _bytes: None,
        }
    }
}

/// What the replica's owner wants to know.
#[derive(Debug)]
pub(super) enum Question {
    /// How it is.
    Status {
        /// With the digest of its state, which takes time in proportion to it.
        digest: bool,
        answer: oneshot::Sender<ReplicaStatus>,
    },
    /// All that it can tell of itself.
    Report(oneshot::Sender<Box<ReplicaReport>>),
}

/// What is set from outside while the loop runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Switches {
    /// Faults on purpose: what is dropped while it is set.
    pub(super) cuts: Arc<Cuts>,
    /// The whole cluster ends, and clients are to be told so.
    pub(super) farewell: Arc<AtomicBool>,
    /// A leader hands over before it ends.
    pub(super) hands_over: Arc<AtomicBool>,
}

/// A replica that is about to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    /// Until when it waits for somebody to take over; `None` if nobody has to.
    pub(super) until: Option<LocalTime>,
}

impl Leaving {
    /// Whether it led when it was to end.
    pub(super) fn was_leader(self) -> bool {
        self.until.is_some()
    }
}

/// A capture that was dealt with, and the number of its file.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) captured: Captured,
    pub(super) number: Option<u64>,
    /// Its bytes, and how long it took to encode and write it in microseconds.
    pub(super) encoded: (u64, Micros),
}

impl From<CacheReply> for LoopInput {
    fn from(reply: CacheReply) -> Self {
        Self::Cache(reply)
    }
}
