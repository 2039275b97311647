//! Reads that may be stale: a shared cache is asked first what an object was, and its owner only if
//! the cache does not know.
//!
//! ```text
//!   submit_stale -> Peeking -- a published value --> completed, as stale
//!                      |
//!                      +---- nothing of use, or no answer in time: like any other request
//! ```
//!
//! Invariant: what a reply is computed from was the object's value once
//! ([`published`](crate::published)); whatever else the cache says is a miss.

use super::driver::Turn;
use super::task::{Stage, Ticket};
use super::{ClientEngine, ClientOutbox};
use crate::answer::ClientMessage;
use crate::application::{Application, Effect, Operand, Panicked, run};
use crate::hooks::{CacheCall, Found};
use crate::id::{Encoded, ObjectId};
use crate::published::{INTEREST_US, Published};
use crate::read::Query;
use crate::request::Request;
use crate::secret::ReaderKey;
use crate::time::LocalTime;
use bytes::Bytes;

/// What a client needs for reads that may be stale.
#[derive(Clone, Copy, Debug)]
pub struct StaleReads {
    key: ReaderKey,
    run: fn(&[u8], Operand) -> Result<Effect, Panicked>,
}

impl StaleReads {
    /// Those of a service, in a cluster whose owners seal what they publish with this key.
    #[must_use]
    pub fn of<A: Application>(key: ReaderKey) -> Self {
        let run = |op: &[u8], operand| run::<A>(op, [operand]);
        Self { key, run }
    }

    /// Whether a request may be answered like this at all: it reads one object, and does and
    /// expects nothing else.
    #[must_use]
    pub fn suit(request: &Request) -> bool {
        Query::suits(request) && request.intents().len() == 1
    }

    /// What the service replies where the object has this value; `None` if it panics.
    fn reply(&self, request: &Request, object: ObjectId, value: Encoded) -> Option<Encoded> {
        let operand = Operand {
            object,
            value,
            readable: true,
            writable: false,
        };
        (self.run)(&request.op, operand)
            .ok()
            .map(|effect| effect.reply)
    }
}

impl ClientEngine {
    /// This client with what it needs for [`submit_stale`](Self::submit_stale).
    #[must_use]
    pub fn with_stale_reads(self, stale_reads: StaleReads) -> Self {
        let stale_reads = Some(stale_reads);
        Self {
            stale_reads,
            ..self
        }
    }

    /// Takes a request like [`submit`](Self::submit) that may be answered with what is past. If it
    /// [suits](StaleReads::suit), and the strategy has a shared cache, the cache is asked first. An
    /// answer from there says so in its [cost](crate::answer::Cost::stale), and has no timestamp.
    pub fn submit_stale(
        &mut self,
        now: LocalTime,
        request: Request,
        out: &mut ClientOutbox,
    ) -> u64 {
        let shared = self.placement.oracle().needs().shared_cache;
        let may_be_stale = shared && self.stale_reads.is_some() && StaleReads::suit(&request);
        self.take(now, request, may_be_stale, out)
    }

    /// Asks the shared cache what the only object of a request was.
    pub(super) fn peek(&mut self, now: LocalTime, ticket: Ticket, out: &mut ClientOutbox) {
        let task = &mut self.tasks[ticket];
        let Some(object) = task.request.objects().next() else {
            panic!("a read of nothing: {task:?}");
        };
        task.may_be_stale = false;
        task.stage = Stage::Peeking { object, asked: now };
        if self.peeks.join(object, ticket) {
            let key = Published::key(object);
            out.cache.push(CacheCall::Get { key });
        }
    }

    /// The cache has not answered in time: the request goes on without it.
    pub(super) fn stop_peeking(&mut self, ticket: Ticket) {
        self.stop_waiting(ticket);
        self.tasks[ticket].cost.stale_misses += 1;
        self.go_on(ticket, Stage::Submitted);
    }

    /// Takes an answer of the shared cache, if it is one to a read that may be stale. Returns
    /// whether it is.
    pub(super) fn on_peeked(
        &mut self,
        now: LocalTime,
        key: &Bytes,
        found: &Found,
        out: &mut ClientOutbox,
    ) -> bool {
        let Some(object) = Published::object_of(key) else {
            return false;
        };
        let opened = self.stale_reads.zip(match found {
            Found::Hit(sealed) => Some(sealed),
            Found::Miss | Found::Down => None,
        });
        let opened = opened.and_then(|(reads, sealed)| Published::open(sealed, &reads.key, object));
        if opened.as_ref().is_some_and(|it| it.value.is_some()) {
            self.show_interest(now, object, out);
        }
        for ticket in self.peeks.end(object) {
            let stage = self.after_peek(ticket, found, opened.as_ref());
            self.tasks[ticket].stage = stage;
            self.work.push_back(Turn::Next(ticket));
        }
        true
    }

    /// Tells all leaders now and then that somebody reads what they publish. They would not know:
    /// where the cache has everything nobody asks them.
    fn show_interest(&mut self, now: LocalTime, object: ObjectId, out: &mut ClientOutbox) {
        let is_due = |shown| now >= shown + INTEREST_US / 3;
        if self.interest_shown.is_none_or(is_due) {
            self.interest_shown = Some(now);
            for group in self.placement.topology().groups().iter() {
                let to = self.contacts.leader(group);
                out.messages.push((to, ClientMessage::Publish(object)));
            }
        }
    }

    /// What follows for a task from what the cache has said.
    fn after_peek(&mut self, ticket: Ticket, found: &Found, opened: Option<&Published>) -> Stage {
        let task = &mut self.tasks[ticket];
        let Some(published) = opened else {
            task.cost.stale_misses += 1;
            // A server that does not answer would not keep it.
            task.wants_published = *found != Found::Down;
            return Stage::Submitted;
        };
        let reply = self.stale_reads.zip(published.value.clone());
        let reply =
            reply.and_then(|(reads, value)| reads.reply(&task.request, published.object, value));
        match reply {
            Some(reply) => {
                task.cost.stale = true;
                let revision = published.revision;
                Stage::Peeked { reply, revision }
            }
            // It was deleted, or the service panics on it: its owner tells in order.
            None => {
                task.cost.stale_misses += 1;
                Stage::Submitted
            }
        }
    }
}
