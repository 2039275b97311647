//! One replica of one group: multicast, engine and strategy joined.

use crate::answer::{ClientMessage, ServerMessage};
use crate::application::Application;
use crate::id::{ClientId, Hint, Micros, ReplicaId};
use crate::layout::Layout;
use crate::multicast::{Multicast, Record};
use crate::mutant::Mutant;
use crate::oracle::{CacheCall, CacheReply, Oracle};
use serde::{Deserialize, Serialize};

/// Seam 2
pub trait Partition {}

/// What replicas say to each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PeerMessage<M> {
    /// The multicast's own messages.
    Multicast(M),
    /// Hints: outside the order, and nothing depends on them.
    Hints(Vec<Hint>),
}

/// What a replica wants done: first `records` made durable, then everything else sent.
#[derive(Debug)]
pub struct ReplicaOutbox<M> {
    /// To be stored before anything else leaves.
    pub records: Vec<Record>,
    /// Messages to other replicas, in order.
    pub peers: Vec<(ReplicaId, PeerMessage<M>)>,
    /// Messages to clients.
    pub clients: Vec<(ClientId, ServerMessage)>,
    /// Calls to the shared cache.
    pub cache: Vec<CacheCall>,
}

/// Counters of one replica since it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Commands delivered.
    pub delivered: u64,
    /// Values found in the shared cache.
    pub cache_hits: u64,
    /// Values not found in the shared cache.
    pub cache_misses: u64,
}

/// One replica of one group.
pub struct Replica<M: Multicast, A: Application, O: Oracle> {
    _x: std::marker::PhantomData<(M, A, O)>,
}

impl<M: Multicast, A: Application, O: Oracle> Replica<M, A, O> {
    /// A replica with an empty state.
    pub fn new(
        _id: ReplicaId,
        _layout: Layout,
        _oracle: O,
        _multicast: M,
        _mutant: Option<Mutant>,
    ) -> Self {
        todo!()
    }
    /// Takes a message of a client.
    pub fn on_client(
        &mut self,
        _now: Micros,
        _from: ClientId,
        _msg: ClientMessage,
        _out: &mut ReplicaOutbox<M::Msg>,
    ) {
    }
    /// Takes a message of another replica.
    pub fn on_peer(
        &mut self,
        _now: Micros,
        _from: ReplicaId,
        _msg: PeerMessage<M::Msg>,
        _out: &mut ReplicaOutbox<M::Msg>,
    ) {
    }
    /// Takes an answer of the shared cache.
    pub fn on_cache(&mut self, _now: Micros, _reply: CacheReply, _out: &mut ReplicaOutbox<M::Msg>) {
    }
    /// Lets time pass; every `multicast::TICK`.
    pub fn on_timer(&mut self, _now: Micros, _out: &mut ReplicaOutbox<M::Msg>) {}
    /// Logs, applies and sends what the inputs since the last flush led to. Call it once after a round of inputs.
    pub fn flush(&mut self, _now: Micros, _out: &mut ReplicaOutbox<M::Msg>) {}
    /// Whether this replica leads its group, as far as it knows.
    pub fn is_leader(&self) -> bool {
        todo!()
    }
    /// Counters since the start.
    pub fn counters(&self) -> Counters {
        todo!()
    }
    /// A digest of the ordered state.
    pub fn state_digest(&self) -> u64 {
        todo!()
    }
    /// The index of the last log entry applied.
    pub fn applied(&self) -> u64 {
        todo!()
    }
}
