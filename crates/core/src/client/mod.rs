//! The client engine: plans, consults, retries, falls back, gathers, and never abandons an attempt.

use crate::answer::{ClientMessage, Completion, ServerMessage};
use crate::command::Request;
use crate::id::{ClientId, Micros, ReplicaId};
use crate::layout::Layout;
use crate::mutant::Mutant;
use crate::oracle::{CacheCall, CacheReply, Oracle};

/// Where an access to objects of several partitions executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Execution {
    /// S-SMR: every destination executes, on values that the destinations exchange.
    #[default]
    Exchange,
    /// DS-SMR: the objects are moved together first, and the command runs at one partition.
    Gather,
}

/// What a client wants done.
#[derive(Debug, Default)]
pub struct ClientOutbox {
    /// Messages to replicas.
    pub messages: Vec<(ReplicaId, ClientMessage)>,
    /// Calls to the shared cache.
    pub cache: Vec<CacheCall>,
}

/// Settings of a client.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Where multi-partition accesses execute.
    pub execution: Execution,
    /// How long to wait for an answer before the attempt is sent again, in microseconds.
    pub resend: Micros,
    /// How long a request may take before it ends as [`Outcome::Unknown`](crate::Outcome::Unknown), in microseconds.
    pub deadline: Micros,
    /// A fault built in on purpose.
    pub mutant: Option<Mutant>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            execution: Execution::Exchange,
            resend: 500_000,
            deadline: 30_000_000,
            mutant: None,
        }
    }
}

/// The client engine.
pub struct Client<O: Oracle> {
    _x: std::marker::PhantomData<O>,
}

impl<O: Oracle> Client<O> {
    /// A client; it greets every group before its first command (the messages come with the first `submit` or `on_timer`).
    pub fn new(_id: ClientId, _layout: Layout, _oracle: O, _settings: Settings) -> Self {
        todo!()
    }
    /// Takes a request; the ticket comes back in its completion.
    pub fn submit(&mut self, _now: Micros, _request: Request, _out: &mut ClientOutbox) -> u64 {
        todo!()
    }
    /// Takes a message of a replica.
    pub fn on_message(
        &mut self,
        _now: Micros,
        _from: ReplicaId,
        _msg: ServerMessage,
        _out: &mut ClientOutbox,
    ) {
    }
    /// Takes an answer of the shared cache.
    pub fn on_cache(&mut self, _now: Micros, _reply: CacheReply, _out: &mut ClientOutbox) {}
    /// Lets time pass; at least every 50 ms.
    pub fn on_timer(&mut self, _now: Micros, _out: &mut ClientOutbox) {}
    /// The next completed request.
    pub fn poll_completed(&mut self) -> Option<Completion> {
        todo!()
    }
}
