//! One replica of one group: multicast, partition and oracle joined.
//!
//! It routes: what clients and peers send goes to the multicast, what the multicast delivers goes to the partition, what
//! the partition decides goes back out. It holds no ordered state of its own; its hint table is outside the order.
//!
//! The driver hands in what has arrived (`on_*`), then calls [`Replica::flush`] once, stores the outbox's records, and
//! only then sends the rest.

mod effect;
mod engine;
mod queues;
mod reads;
mod sessions;
mod store;
mod verdict;

pub use engine::Engine;
pub use reads::Reading;

use crate::answer::{Answer, ClientMessage, ServerMessage, Verdict};
use crate::command::{Command, CommandId, Defect, Intent, Request};
use crate::hints::HintTable;
use crate::id::{ClientId, GroupId, Groups, Hint, Micros, ObjectId, ReplicaId};
use crate::log::{Position, Record};
use crate::multicast::{Carrier, Delivery, Multicast, ObjectStatus, Outbox, Refusal, Signal};
use crate::oracle::{
    CacheCall, CacheReply, Carried, Change, Effects, ObjectEvent, Oracle, Unpacked,
};
use crate::read::Query;
use crate::snapshot::{Capture, Part, Snapshot};
use crate::topology::{Topology, mix};
use reads::Waiting;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seam 2, the partition: the replicated state of one group, changed by deliveries and by nothing else.
///
/// [`Engine`] is the implementation that all strategies share; the oracle group of the broker runs it too.
pub trait Partition<O: Oracle> {
    /// Applies one delivery and says what it led to: the same at every replica of the group (rule R6).
    fn on_deliver(&mut self, oracle: &O, delivery: Delivery, out: &mut Applied);

    /// The recorded answer to exactly this attempt, if this group is the one that gave it.
    fn recorded(&self, id: CommandId) -> Option<&Arc<Answer>>;

    /// Where the object is as far as the ordered state says: exact for an owned object and at a directory.
    fn locate(&self, object: ObjectId) -> Option<Hint>;

    /// Answers a query, if this group alone may do so now: it owns the objects and nothing that is delivered waits on them
    /// (rule R3).
    fn read(&self, query: &Query) -> Option<Reading>;

    /// A digest of the whole state: equal at replicas that applied the same deliveries.
    fn digest(&self) -> u64;

    /// A cheap copy of the whole state, for [`Delivery::Restore`] once it is encoded.
    fn image(&self) -> Part;
}

/// What applying a delivery led to.
#[derive(Debug, Default)]
pub struct Applied {
    /// Signals for other groups, in the order in which they are to be sent.
    pub signals: Vec<(GroupId, Signal)>,
    /// Objects that a signal had to call lacking, and the groups it went to: a hint may help them.
    pub lacking: Vec<(Groups, ObjectId)>,
    /// Answers that this group has to give.
    pub replies: Vec<Reply>,
    /// Changes of objects.
    pub events: Vec<ObjectEvent>,
}

/// An answer to be given.
#[derive(Debug)]
pub struct Reply {
    /// The recorded part.
    pub answer: Arc<Answer>,
    /// The command that is answered.
    pub command: Arc<Command>,
    /// Where the signals say that the objects are, if the client should know.
    pub hints: Vec<Hint>,
}

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
    /// To be encoded, stored after `records` where records are stored, and confirmed with [`Replica::captured`].
    pub capture: Option<Capture>,
    /// Messages to other replicas, in order.
    pub peers: Vec<(ReplicaId, PeerMessage<M>)>,
    /// Messages to clients.
    pub clients: Vec<(ClientId, ServerMessage)>,
    /// Calls to the shared cache.
    pub cache: Vec<CacheCall>,
}

impl<M> Default for ReplicaOutbox<M> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            capture: None,
            peers: Vec::new(),
            clients: Vec::new(),
            cache: Vec::new(),
        }
    }
}

/// Counters of one replica since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commands delivered.
    pub delivered: u64,
    /// Values found in the shared cache or among the copies from it.
    pub cache_hits: u64,
    /// Values not found there.
    pub cache_misses: u64,
}

/// One replica of one group.
#[derive(Debug)]
pub struct Replica<M: Multicast, P, O: Oracle> {
    id: ReplicaId,
    topology: Topology,
    multicast: M,
    partition: P,
    oracle: O,
    hints: HintTable,
    counters: Counters,
    waiting: Waiting,
    /// Scratch: what the multicast wants sent in this round.
    outbox: Outbox<M::Msg>,
}

impl<M: Multicast, P: Partition<O>, O: Oracle> Replica<M, P, O> {
    /// A replica of `topology`, joined from its parts.
    pub fn new(id: ReplicaId, topology: Topology, multicast: M, partition: P, oracle: O) -> Self {
        let (hints, counters, waiting, outbox) = Default::default();
        Self {
            id,
            topology,
            multicast,
            partition,
            oracle,
            hints,
            counters,
            waiting,
            outbox,
        }
    }

    /// Takes a message of a client.
    pub fn on_client(
        &mut self,
        now: Micros,
        from: ClientId,
        msg: ClientMessage,
        out: &mut ReplicaOutbox<M::Msg>,
    ) {
        let asks = match &msg {
            ClientMessage::Submit(command) => Some(command.id),
            ClientMessage::Query(query) => Some(query.id),
            ClientMessage::Consult(_) | ClientMessage::Hello => None,
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
            ClientMessage::Consult(objects) => Some(self.consult(&objects)),
            ClientMessage::Hello => Some(ServerMessage::Time(self.multicast.time())),
        };
        out.clients.extend(reply.map(|reply| (from, reply)));
    }

    /// Takes a message of another replica.
    pub fn on_peer(
        &mut self,
        now: Micros,
        from: ReplicaId,
        msg: PeerMessage<M::Msg>,
        out: &mut ReplicaOutbox<M::Msg>,
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
    pub fn on_cache(&mut self, now: Micros, reply: CacheReply) {
        self.oracle.on_cache(now, reply);
    }

    /// Lets time pass: call it every [`TICK`](crate::multicast::TICK), and [`flush`](Self::flush) after it.
    pub fn on_timer(&mut self, now: Micros, out: &mut ReplicaOutbox<M::Msg>) {
        self.multicast.on_timer(now, &mut self.outbox);
        self.drain(out);
    }

    /// Logs, applies and sends what the inputs since the last flush led to. Call it once after each round of inputs.
    pub fn flush(&mut self, now: Micros, out: &mut ReplicaOutbox<M::Msg>) {
        loop {
            let mut effects = Effects::default();
            let mut courier = Courier {
                now,
                oracle: &mut self.oracle,
                effects: &mut effects,
            };
            let more = self.multicast.flush(now, &mut courier, &mut self.outbox);
            self.carry_out(effects, out);
            self.drain(out);
            let mut applied = Applied::default();
            while let Some(delivery) = self.multicast.poll_deliver() {
                self.counters.delivered += u64::from(matches!(delivery, Delivery::Command { .. }));
                self.partition
                    .on_deliver(&self.oracle, delivery, &mut applied);
                self.pass_on(now, &mut applied, out);
            }
            if !more {
                break;
            }
        }
        self.answer_queries(now, out);
        if let Some(capture) = self.multicast.capture() {
            out.capture = Some(capture.with(self.partition.image()));
        }
    }

    /// The capture whose last entry was `last` is stored for good, if anything is stored; here it is if it was wanted.
    pub fn captured(
        &mut self,
        now: Micros,
        last: Position,
        snapshot: Option<Snapshot>,
        out: &mut ReplicaOutbox<M::Msg>,
    ) {
        self.multicast
            .captured(now, last, snapshot, &mut self.outbox);
        self.drain(out);
    }

    /// Whether this replica leads its group, as far as it knows.
    pub fn is_leader(&self) -> bool {
        self.multicast.is_leader()
    }

    /// Counters since the start.
    pub fn counters(&self) -> Counters {
        let (cache_hits, cache_misses) = self.oracle.cache_counts();
        Counters {
            cache_hits,
            cache_misses,
            ..self.counters
        }
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

    /// The order, for checks.
    pub fn multicast(&self) -> &M {
        &self.multicast
    }

    /// Takes a command in. Returns what the client is told at once, if anything.
    fn submit(&mut self, now: Micros, command: Arc<Command>) -> Option<ServerMessage> {
        let id = command.id;
        let here = command.destinations.contains(self.id.group);
        let defect = command.defect(&self.topology, &self.oracle);
        if let Some(defect) = defect.or((!here).then_some(Defect::Malformed)) {
            return Some(ServerMessage::Refused { id, defect });
        }
        if let Some(answer) = self.partition.recorded(id) {
            let (answer, time) = (answer.clone(), self.multicast.time());
            let hints = self.known_hints(&command.request, answer.verdict, Vec::new());
            return Some(ServerMessage::Answer {
                answer,
                hints,
                time,
            });
        }
        match self.multicast.submit(now, command) {
            Ok(()) | Err(Refusal::Busy) => None,
            Err(Refusal::NotLeader) => Some(ServerMessage::NotLeader {
                leader: self.multicast.leader(),
            }),
            Err(Refusal::Expired) => Some(ServerMessage::Expired {
                id,
                time: self.multicast.time(),
            }),
        }
    }

    fn consult(&mut self, objects: &[ObjectId]) -> ServerMessage {
        let (mut hints, mut unknown) = (Vec::new(), Vec::new());
        for &object in objects {
            match self.believe(object) {
                Some(hint) => hints.push(hint),
                None => unknown.push(object),
            }
        }
        ServerMessage::Consulted { hints, unknown }
    }

    /// The newest of what the ordered state and the hints say of an object's place.
    fn believe(&mut self, object: ObjectId) -> Option<Hint> {
        let (ordered, hint) = (self.partition.locate(object), self.hints.get(object));
        ordered
            .into_iter()
            .chain(hint)
            .max_by_key(|hint| hint.epoch)
    }

    /// The hints that go with an answer: a client whose plan failed must learn what is known here.
    fn known_hints(
        &mut self,
        request: &Request,
        verdict: Verdict,
        mut hints: Vec<Hint>,
    ) -> Vec<Hint> {
        for (object, intent) in request.intents() {
            let asked = verdict == Verdict::Retry || matches!(intent, Intent::Lookup);
            if asked && hints.iter().all(|hint| hint.object != *object) {
                hints.extend(self.believe(*object));
            }
        }
        hints
    }

    /// Passes on what one delivery led to. Signals are state and every replica sends them; the rest is the leader's.
    fn pass_on(&mut self, now: Micros, applied: &mut Applied, out: &mut ReplicaOutbox<M::Msg>) {
        for event in &applied.events {
            if let (Change::Moved(owner, _), false) = (&event.change, event.here) {
                let (object, epoch) = (event.object, event.revision.epoch);
                self.hints.learn(Hint {
                    object,
                    owner: *owner,
                    epoch,
                });
            }
        }
        for (to, signal) in applied.signals.drain(..) {
            self.multicast.signal(to, signal);
        }
        if !self.multicast.is_leader() {
            *applied = Applied::default();
            return;
        }
        let mut effects = Effects::default();
        for event in applied.events.drain(..) {
            self.oracle.observe(now, &event, &mut effects);
        }
        for (groups, object) in applied.lacking.drain(..) {
            effects
                .tell
                .extend(self.believe(object).map(|hint| (groups, hint)));
        }
        self.carry_out(effects, out);
        for Reply {
            answer,
            command,
            hints,
        } in applied.replies.drain(..)
        {
            let hints = self.known_hints(&command.request, answer.verdict, hints);
            let (client, time) = (answer.id.session.client, self.multicast.time());
            out.clients.push((
                client,
                ServerMessage::Answer {
                    answer,
                    hints,
                    time,
                },
            ));
        }
    }

    /// Sends hints, one message a group, and hands on calls to the cache.
    fn carry_out(&mut self, effects: Effects, out: &mut ReplicaOutbox<M::Msg>) {
        out.cache.extend(effects.cache);
        let mut by_group: BTreeMap<GroupId, Vec<Hint>> = BTreeMap::new();
        for (groups, hint) in effects.tell {
            for group in groups.without(self.id.group).iter() {
                by_group.entry(group).or_default().push(hint);
            }
        }
        for (group, hints) in by_group {
            out.peers
                .push((self.multicast.leader_of(group), PeerMessage::Hints(hints)));
        }
    }

    fn drain(&mut self, out: &mut ReplicaOutbox<M::Msg>) {
        out.records.append(&mut self.outbox.records);
        let messages = self.outbox.messages.drain(..);
        out.peers
            .extend(messages.map(|(to, msg)| (to, PeerMessage::Multicast(msg))));
    }
}

/// Lets the strategy replace values by references to the shared cache on their way between partitions.
struct Courier<'a, O> {
    now: Micros,
    oracle: &'a mut O,
    effects: &'a mut Effects,
}

impl<O: Oracle> Carrier for Courier<'_, O> {
    fn pack(&mut self, signal: &mut Signal) {
        for report in &mut signal.reports {
            if let ObjectStatus::Owned(revision, Some(value)) = &mut report.status {
                self.oracle.pack(self.now, report.object, *revision, value);
            }
        }
    }

    fn unpack(&mut self, signal: &mut Signal) -> Unpacked {
        let mut worst = Unpacked::Ready;
        for report in &mut signal.reports {
            let ObjectStatus::Owned(revision, Some(value)) = &mut report.status else {
                continue;
            };
            if matches!(value, Carried::Value(_)) {
                continue;
            }
            match self
                .oracle
                .unpack(self.now, report.object, *revision, value, self.effects)
            {
                Unpacked::Ready => {}
                Unpacked::Waiting if worst == Unpacked::Ready => worst = Unpacked::Waiting,
                Unpacked::Waiting => {}
                Unpacked::Missing => worst = Unpacked::Missing,
            }
        }
        worst
    }
}
