//! One replica of one group: multicast, partition and oracle joined.
//!
//! It routes: what clients and peers send goes to the multicast, what the multicast delivers goes
//! to the partition, what the partition decides goes back out. It holds no ordered state of its
//! own; its hint table is outside the order.
//!
//! The driver hands in what has arrived (`on_*`), then calls [`Replica::flush`] once, stores the
//! outbox's records, and only then sends the rest: before it, where the outbox allows that.

mod answering;
mod apply;
mod conclusion;
mod early;
mod engine;
mod execute;
mod greetings;
mod milestones;
mod partition;
mod queries;
mod queues;
mod sessions;
mod store;
mod tally;
mod verdict;

pub use engine::Engine;
pub use milestones::Milestone;
pub use partition::{Applied, Holdings, Partition, Reading, Reply};
pub use tally::{CommandKind, Tally};

use crate::answer::{ClientMessage, ServerMessage};
use crate::hints::{self, HintTable};
use crate::hooks::{CacheCall, CacheReply, LeaderHooks};
use crate::id::{ClientId, Hint, ReplicaId};
use crate::limits::MAX_OBJECTS;
use crate::multicast::{ConfirmedReads, Delivery, Multicast, Outbox, Snapshots, Status};
use crate::oracle::Placement;
use crate::request::Defect;
use crate::secret::Secret;
use crate::time::LocalTime;
use crate::topology::mix;
use early::Early;
use milestones::Milestones;
use queries::Waiting;
use serde::{Deserialize, Serialize};

/// What replicas say to each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PeerMessage<M> {
    /// The multicast's own messages.
    Multicast(M),
    /// Hints: outside the order, and nothing depends on them.
    Hints(Vec<Hint>),
}

/// What a replica wants done: first `records` made durable, then everything else sent; the other
/// way round is safe too unless `store_first` is set.
pub struct ReplicaOutbox<M: Snapshots> {
    /// To be stored before the next input is taken.
    pub records: Vec<M::Record>,
    /// Whether anything else depends on the records: see [`Outbox::store_first`].
    pub store_first: bool,
    /// To be encoded, stored after `records` where records are stored, and confirmed with
    /// [`Replica::on_captured`].
    pub capture: Option<M::Capture>,
    /// Messages to other replicas, in order.
    pub peers: Vec<(ReplicaId, PeerMessage<M::Msg>)>,
    /// Messages to clients.
    pub clients: Vec<(ClientId, ServerMessage)>,
    /// Calls to the shared cache.
    pub cache: Vec<CacheCall>,
}

impl<M: Snapshots> Default for ReplicaOutbox<M> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            store_first: false,
            capture: None,
            peers: Vec::new(),
            clients: Vec::new(),
            cache: Vec::new(),
        }
    }
}

/// Counters of one replica since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Commands delivered.
    pub delivered: u64,
    /// Of these, how many were delivered by other groups too.
    pub multi_group: u64,
    /// Objects that were moved to this partition.
    pub moved_here: u64,
    /// Objects that were moved away from it.
    pub moved_away: u64,
    /// Values found in the shared cache or among the copies from it.
    pub cache_hits: u64,
    /// Values not found there.
    pub cache_misses: u64,
}

/// One replica of one group.
#[derive(Debug)]
pub struct Replica<M: Multicast, P> {
    id: ReplicaId,
    placement: Placement,
    multicast: M,
    partition: P,
    hooks: Box<dyn LeaderHooks>,
    hints: HintTable,
    counters: Counters,
    /// What was answered while this replica led.
    tally: Tally,
    early: Early,
    waiting: Waiting,
    /// Clients that wait to be told the time.
    greeted: Vec<ClientId>,
    milestones: Milestones,
    /// Scratch: what the multicast wants sent in this round.
    outbox: Outbox<M>,
}

impl<M: ConfirmedReads + Snapshots, P: Partition> Replica<M, P> {
    /// A replica, joined from its parts. Its cluster has no [secret](Self::with_secret).
    pub fn new(id: ReplicaId, placement: Placement, multicast: M, partition: P) -> Self {
        let (hints, counters, tally, waiting, greeted, outbox) = Default::default();
        let (early, milestones) = Default::default();
        Self {
            id,
            hooks: placement.hooks(&Secret::of_incarnation(0)),
            placement,
            multicast,
            partition,
            hints,
            counters,
            tally,
            early,
            waiting,
            greeted,
            milestones,
            outbox,
        }
    }

    /// This replica in a cluster with this secret. To be said before it runs.
    #[must_use]
    pub fn with_secret(self, secret: &Secret) -> Self {
        Self {
            hooks: self.placement.hooks(secret),
            ..self
        }
    }

    /// Takes a message of a client.
    pub fn on_client(
        &mut self,
        now: LocalTime,
        from: ClientId,
        msg: ClientMessage,
        out: &mut ReplicaOutbox<M>,
    ) {
        let asks = match &msg {
            ClientMessage::Submit(command) => Some(command.id),
            ClientMessage::Query(query) => Some(query.id),
            ClientMessage::Consult(_) | ClientMessage::Hello | ClientMessage::Publish(_) => None,
        };
        if let Some(id) = asks.filter(|id| id.session.client != from) {
            // Outcomes are told to the session's client: nobody asks in another one's name.
            let defect = Defect::Malformed;
            out.clients
                .push((from, ServerMessage::Refused { id, defect }));
            return;
        }
        let reply = match msg {
            ClientMessage::Submit(command) => self.submit(now, command),
            ClientMessage::Query(query) => self.query(now, from, query),
            // A shell that knows where it came from says why, and to whom.
            ClientMessage::Consult(objects) if objects.len() > MAX_OBJECTS => None,
            ClientMessage::Consult(objects) => Some(self.consult(&objects)),
            ClientMessage::Hello => self.greet(from),
            ClientMessage::Publish(object) => {
                self.wanted(now, object);
                None
            }
        };
        out.clients.extend(reply.map(|reply| (from, reply)));
    }

    /// Takes a message of another replica.
    pub fn on_peer(
        &mut self,
        now: LocalTime,
        from: ReplicaId,
        msg: PeerMessage<M::Msg>,
        out: &mut ReplicaOutbox<M>,
    ) {
        match msg {
            PeerMessage::Multicast(msg) => {
                self.multicast.on_message(now, from, msg, &mut self.outbox);
            }
            PeerMessage::Hints(hints) => hints.into_iter().for_each(|hint| self.hints.learn(hint)),
        }
        self.drain(out);
    }

    /// Takes an answer of the shared cache.
    pub fn on_cache(&mut self, now: LocalTime, reply: CacheReply) {
        self.hooks.on_cache_reply(now, reply);
    }

    /// Lets time pass: call it every [`TICK`](crate::multicast::TICK), and [`flush`](Self::flush)
    /// after it.
    pub fn on_timer(&mut self, now: LocalTime, out: &mut ReplicaOutbox<M>) {
        self.multicast.on_timer(now, &mut self.outbox);
        self.drain(out);
    }

    /// Logs, applies and sends what the inputs since the last flush led to. Call it once after each
    /// round of inputs.
    pub fn flush(&mut self, now: LocalTime, out: &mut ReplicaOutbox<M>) {
        loop {
            let more = self
                .multicast
                .flush(now, &mut *self.hooks, &mut self.outbox);
            self.drain(out);
            self.take_arrived(out);
            let mut applied = Applied::default();
            let mut has_delivered = false;
            while let Some(delivery) = self.multicast.poll_deliver() {
                has_delivered = true;
                if let Delivery::Command { command, .. } = &delivery {
                    self.counters.delivered += 1;
                    self.counters.multi_group += u64::from(command.destinations.len() > 1);
                }
                self.early.logged(&delivery);
                let signalled = match &delivery {
                    Delivery::Signal { signal, .. } => Some(signal.message),
                    _ => None,
                };
                self.partition.on_deliver(delivery, &mut applied);
                self.pass_on(now, &mut applied, out);
                self.answer_ready(signalled.into_iter(), out);
            }
            if has_delivered {
                let index = self.multicast.status().applied;
                let (multicast, partition) = (&self.multicast, &self.partition);
                let digest = || mix(multicast.digest()) ^ partition.digest();
                self.milestones.reached(index, digest);
            }
            if !more {
                break;
            }
        }
        self.answer_queries(now, out);
        self.answer_greetings(out);
        while let Some(client) = self.multicast.poll_turned_away() {
            let leader = self.multicast.status().leader;
            out.clients
                .push((client, ServerMessage::NotLeader { leader }));
        }
        let partition = || self.partition.image();
        if let Some(capture) = self.multicast.capture(&partition) {
            out.capture = Some(capture);
        }
    }

    /// A capture is stored for good, if anything is stored.
    pub fn on_captured(
        &mut self,
        now: LocalTime,
        captured: M::Captured,
        out: &mut ReplicaOutbox<M>,
    ) {
        self.multicast.on_captured(now, captured, &mut self.outbox);
        self.drain(out);
    }

    /// Has something done to the order that only who made it understands.
    pub fn with_multicast<T>(
        &mut self,
        act: impl FnOnce(&mut M, &mut Outbox<M>) -> T,
        out: &mut ReplicaOutbox<M>,
    ) -> T {
        let done = act(&mut self.multicast, &mut self.outbox);
        self.drain(out);
        done
    }

    /// How this replica stands in its group.
    pub fn status(&self) -> Status {
        self.multicast.status()
    }

    /// Asks for the digest of the state after the first entry from this index on that led to a
    /// delivery. To be asked again until it is there: meanwhile the replica goes on.
    pub fn milestone(&mut self, from: u64) -> Milestone {
        self.milestones.ask(from, self.multicast.status().applied)
    }

    /// Whether this replica leads its group, as far as it knows.
    pub fn is_leader(&self) -> bool {
        self.multicast.status().is_leader
    }

    /// Counters since the start.
    pub fn counters(&self) -> Counters {
        let counts = self.hooks.cache_counts();
        Counters {
            cache_hits: counts.hits,
            cache_misses: counts.misses,
            ..self.counters
        }
    }

    /// What this replica has answered since the start, while it led. Recorded answers that are
    /// given once more are not counted again.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many reads that are not ordered wait until this replica is sure that it leads.
    pub fn waiting_queries(&self) -> usize {
        self.waiting.count()
    }

    /// A digest of the whole ordered state: equal at replicas that applied the same log entries.
    pub fn digest(&self) -> u64 {
        mix(self.multicast.digest()) ^ self.partition.digest()
    }

    /// The replicated state, for checks.
    pub fn partition(&self) -> &P {
        &self.partition
    }

    /// The replicated state, for observers that stand between multicast and engine.
    pub fn partition_mut(&mut self) -> &mut P {
        &mut self.partition
    }

    /// The order, to ask it.
    pub fn multicast(&self) -> &M {
        &self.multicast
    }

    /// Passes on what one delivery led to. Signals are state and every replica sends them; the rest
    /// is the leader's.
    fn pass_on(&mut self, now: LocalTime, applied: &mut Applied, out: &mut ReplicaOutbox<M>) {
        for event in &applied.events {
            let Some(hint) = hints::of_move(event) else {
                continue;
            };
            self.counters.moved_here += u64::from(event.here);
            self.counters.moved_away += u64::from(event.left);
            if !event.here {
                self.hints.learn(hint);
            }
        }
        for (to, signal) in applied.signals.drain(..) {
            self.multicast.signal(to, signal);
        }
        if !self.multicast.status().is_leader {
            *applied = Applied::default();
            self.early.forget();
            return;
        }
        let mut told = Vec::new();
        for event in applied.events.drain(..) {
            self.hooks.on_change(now, &event);
            if let Some(hint) = hints::of_move(&event).filter(|_| event.here) {
                told.push((self.placement.told_of_moves(event.object), hint));
            }
        }
        for (groups, object) in applied.lacking.drain(..) {
            told.extend(self.believe(object).map(|hint| (groups, hint)));
        }
        for (group, hints) in hints::by_group(told, self.id.group) {
            let to = self.multicast.leader_of(group);
            out.peers.push((to, PeerMessage::Hints(hints)));
        }
        self.drain(out);
        self.answer_ready(applied.started.drain(..), out);
        for reply in applied.replies.drain(..) {
            if !self.early.finish(&reply) {
                self.send_answer(reply, out);
            }
        }
    }

    fn drain(&mut self, out: &mut ReplicaOutbox<M>) {
        out.cache
            .extend(std::iter::from_fn(|| self.hooks.poll_cache_call()));
        out.records.append(&mut self.outbox.records);
        out.store_first |= std::mem::take(&mut self.outbox.store_first);
        let messages = self.outbox.messages.drain(..);
        out.peers
            .extend(messages.map(|(to, msg)| (to, PeerMessage::Multicast(msg))));
    }
}
