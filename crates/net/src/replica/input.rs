//! What comes into the event loop of a replica.

use crate::mailbox::Mailbox;
use ssmr_core::{CacheReply, ClientId, ClientMessage, PeerMessage, ReplicaId};
use ssmr_multicast::{Captured, Message};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the event loop takes in.
#[derive(Debug)]
pub(super) enum LoopInput {
    Peer(ReplicaId, PeerMessage<Message>),
    Client(ClientId, ClientMessage),
    /// A client came, on the connection of this number; answers go to the newest one.
    Connected(ClientId, u64, Arc<Mailbox>),
    Disconnected(ClientId, u64),
    Cache(CacheReply),
    /// A capture was encoded, and stored if anything is.
    Captured(io::Result<Kept>),
}

/// What is set from outside while the loop runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Switches {
    /// While it is set, nothing goes to other replicas and what comes from them is dropped: a fault
    /// on purpose.
    pub(super) cut: Arc<AtomicBool>,
    /// The whole cluster ends, and clients are to be told so.
    pub(super) farewell: Arc<AtomicBool>,
}

/// A capture that was dealt with, and the number of its file.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) captured: Captured,
    pub(super) number: Option<u64>,
}

impl From<CacheReply> for LoopInput {
    fn from(reply: CacheReply) -> Self {
        Self::Cache(reply)
    }
}
