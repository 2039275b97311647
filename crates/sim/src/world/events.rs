//! What happens in the world, and what follows from it: who is handed what, when it is stored, and
//! when what it says arrives.

use super::disk::{Snapshotting, Unstored};
use super::{CLIENT_TICK, Msg, Order, World};
use crate::network::Seat;
use crate::trace::Adviser;
use crate::watch::Watched;
use ssmr_core::multicast::TICK;
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::{
    CacheCall, CacheReply, ClientEngine, ClientId, ClientMessage, ClientOutbox, Command, Found,
    Guess, Hint, LocalTime, Micros, ObjectId, PeerMessage, Placement, Replica, ReplicaId,
    ReplicaOutbox, ServerMessage, codec,
};
use std::cmp::Reverse;
use std::sync::Arc;

/// Mutant: by how much a leader's own sync is late.
const LATE_SYNC: Micros = 4_000;

/// Something that is going to happen.
pub(super) enum WorldEvent {
    ToReplica(ReplicaId, Seat, ReplicaInput),
    ToClient(ClientId, ReplicaId, ServerMessage),
    CacheToReplica(ReplicaId, CacheReply),
    CacheToClient(ClientId, CacheReply),
    /// With the start that it belongs to: a replica that came back has a timer of its own.
    ReplicaTick(ReplicaId, u64),
    /// What was stored in this start has taken its time: now it is said.
    Stored(ReplicaId, u64, Box<ReplicaOutbox<Order>>),
    /// What was sent first in this start and not stored has taken its time: now it is stored.
    Sent(ReplicaId, u64),
    /// What was captured in this start is encoded and stored.
    Captured(ReplicaId, u64, Snapshotting),
    ClientTick(ClientId),
    /// With the start in which it was paused.
    Wake(ReplicaId, u64),
    /// What a replica that was paused or busy handles at once.
    Round(ReplicaId, Vec<(Seat, ReplicaInput)>),
}

impl WorldEvent {
    /// A replica is handed a command by the client whose it is.
    pub(super) fn handed_in(to: ReplicaId, command: &Arc<Command>) -> Self {
        let from = Seat::Client(command.id.session.client);
        let message = ClientMessage::Submit(command.clone());
        Self::ToReplica(to, from, ReplicaInput::Client(message))
    }

    /// The client to which it happens.
    pub(super) fn client(&self) -> Option<ClientId> {
        match self {
            Self::ToClient(id, ..) | Self::CacheToClient(id, ..) | Self::ClientTick(id) => {
                Some(*id)
            }
            _ => None,
        }
    }

    /// The replica to which it happens.
    pub(super) fn replica(&self) -> Option<ReplicaId> {
        match self {
            Self::ToReplica(id, ..)
            | Self::CacheToReplica(id, ..)
            | Self::ReplicaTick(id, ..)
            | Self::Stored(id, ..)
            | Self::Sent(id, _)
            | Self::Round(id, _)
            | Self::Captured(id, ..) => Some(*id),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum ReplicaInput {
    Peer(PeerMessage<Msg>),
    Client(ClientMessage),
}

impl ReplicaInput {
    pub(super) fn hand_to(
        self,
        now: LocalTime,
        from: Seat,
        replica: &mut Replica<Order, Watched>,
        out: &mut ReplicaOutbox<Order>,
    ) {
        match (self, from) {
            (Self::Peer(msg), Seat::Replica(from)) => replica.on_peer(now, from, msg, out),
            (Self::Client(msg), Seat::Client(from)) => replica.on_client(now, from, msg, out),
            _ => unreachable!("replicas send as replicas, clients as clients"),
        }
    }
}

impl World {
    pub(super) fn schedule(&mut self, delay: Micros, event: WorldEvent) {
        self.scheduled += 1;
        self.events
            .push(Reverse((self.now + delay, self.scheduled)));
        self.bodies.insert(self.scheduled, event);
    }

    pub(super) fn happen(&mut self, event: WorldEvent) {
        let event = self
            .put_off(event)
            .and_then(|event| self.keep_if_paused(event));
        let Some(event) = event else {
            return;
        };
        let of_replica = event.replica().map(|id| self.clock_of(id));
        let now = of_replica.unwrap_or(self.now);
        match event {
            WorldEvent::ToReplica(id, from, input) => {
                self.with_replica(id, 1, |replica, out| input.hand_to(now, from, replica, out));
            }
            WorldEvent::CacheToReplica(id, reply) => {
                self.with_replica(id, 1, |replica, _| replica.on_cache(now, reply));
            }
            WorldEvent::ReplicaTick(id, start) => {
                if self
                    .members
                    .get(&id)
                    .is_some_and(|member| member.start == start)
                {
                    self.with_replica(id, 1, |replica, out| replica.on_timer(now, out));
                    let tick = self.real_length(id, TICK);
                    self.schedule(tick, WorldEvent::ReplicaTick(id, start));
                }
            }
            WorldEvent::Stored(id, start, out) => {
                let member = self.members.get(&id);
                if member.is_some_and(|member| member.start == start) {
                    self.dispatch_replica(id, 0, *out);
                }
            }
            WorldEvent::Sent(id, start) => {
                let member = self.members.get_mut(&id);
                let member = member.filter(|member| member.start == start);
                if let Some(unstored) = member.and_then(|member| member.unstored.pop_front()) {
                    self.store_round(id, start, unstored);
                }
            }
            WorldEvent::Captured(id, start, begun) => self.keep_snapshot(id, start, begun),
            WorldEvent::Wake(id, start) => self.wake(id, start),
            WorldEvent::Round(id, inputs) => self.round(id, inputs),
            WorldEvent::ToClient(id, from, msg) => {
                if let ServerMessage::Consulted { hints, unknown } = &msg {
                    let adviser = Adviser::Group(from.group);
                    self.trace.advised(self.now, id, adviser, hints, unknown);
                }
                self.with_client(id, |client, out| client.on_message(now, from, msg, out));
            }
            WorldEvent::CacheToClient(id, reply) => {
                let object = self.named_by(id, &reply.key);
                let hint: Option<Hint> = match &reply.found {
                    Found::Hit(bytes) => codec::decode(bytes).ok(),
                    Found::Miss | Found::Down => None,
                };
                let (hints, unknown) = (hint.as_slice(), object.as_slice());
                self.trace
                    .advised(self.now, id, Adviser::Cache, hints, unknown);
                self.with_client(id, |client, out| client.on_cache(now, reply, out));
            }
            WorldEvent::ClientTick(id) => {
                self.with_client(id, |client, out| client.on_timer(now, out));
                if self.users.contains_key(&id) {
                    self.schedule(CLIENT_TICK, WorldEvent::ClientTick(id));
                }
            }
        }
    }

    pub(super) fn with_replica(
        &mut self,
        id: ReplicaId,
        inputs: usize,
        act: impl FnOnce(&mut Replica<Order, Watched>, &mut ReplicaOutbox<Order>),
    ) {
        // Whatever reaches a replica past its inbox finds it done with storing.
        let is_late = mutant::is_active(Mutant::AppendedBeforeSync);
        if !is_late && !self.store_unstored(id) {
            return;
        }
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let mut out = ReplicaOutbox::default();
        let before = member.replica.counters().delivered;
        act(&mut member.replica, &mut out);
        member.replica.flush(member.clock.at(self.now), &mut out);
        let delivered = member.replica.counters().delivered - before;
        let busy = member.work.map_or(0, |work| work.time(inputs, delivered));
        let start = member.start;
        let mut unstored = Some(Unstored::take(&mut out));
        let stores = unstored.as_ref().is_some_and(Unstored::has_records);
        if out.store_first
            && let Some(unstored) = unstored.take()
            && !(self.store_unstored(id) && self.store_round(id, start, unstored))
        {
            return;
        }
        self.look_at(id);
        self.occupy(id, busy);
        self.pause_if_it_asked(id, &out);
        let mut time = self.take_time(id, stores);
        let Some(unstored) = unstored else {
            match time {
                0 => self.dispatch_replica(id, busy, out),
                time => self.schedule(time, WorldEvent::Stored(id, start, Box::new(out))),
            }
            return;
        };
        self.dispatch_replica(id, busy, out);
        if is_late && stores {
            // It takes inputs meanwhile.
            time = LATE_SYNC;
        }
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        if time == 0 && member.unstored.is_empty() {
            self.store_round(id, start, unstored);
        } else {
            member.unstored.push_back(unstored);
            self.schedule(time, WorldEvent::Sent(id, start));
        }
    }

    /// Sends what a round led to that takes so long.
    pub(super) fn dispatch_replica(
        &mut self,
        id: ReplicaId,
        busy: Micros,
        out: ReplicaOutbox<Order>,
    ) {
        for (to, msg) in out.peers {
            let Some(msg) = self.pass_on(id, to, msg) else {
                continue;
            };
            let leaves = self.leaves(id, busy, &msg) + self.lateness(id, &msg);
            self.send(leaves, Seat::Replica(id), Seat::Replica(to), |_| {
                WorldEvent::ToReplica(to, Seat::Replica(id), ReplicaInput::Peer(msg.clone()))
            });
        }
        for (to, msg) in out.clients {
            let expired = matches!(msg, ServerMessage::Expired { .. });
            self.report.expired += u64::from(expired);
            self.watch_answer(to, &msg);
            let to = self.one_of(to);
            let leaves = self.leaves(id, busy, &msg);
            self.send(leaves, Seat::Replica(id), Seat::Client(to), |_| {
                WorldEvent::ToClient(to, id, msg.clone())
            });
        }
        for call in out.cache {
            if let CacheCall::Publish { hint, .. } = &call {
                self.trace.published(self.now, id.group, hint);
            }
            if let Some((delay, reply)) = self.cache.call(&mut self.rng, call) {
                self.schedule(delay, WorldEvent::CacheToReplica(id, reply));
            }
        }
    }

    pub(super) fn with_client(
        &mut self,
        id: ClientId,
        act: impl FnOnce(&mut ClientEngine, &mut ClientOutbox),
    ) {
        let Some(user) = self.users.get_mut(&id) else {
            return;
        };
        let mut out = ClientOutbox::default();
        act(&mut user.client, &mut out);
        self.dispatch_client(id, out);
    }

    pub(super) fn dispatch_client(&mut self, id: ClientId, out: ClientOutbox) {
        let Some(wire) = self.users.get(&id).map(|user| user.client.id()) else {
            return;
        };
        for (to, msg) in out.messages {
            match &msg {
                ClientMessage::Submit(command) => {
                    self.trace.sent(self.now, command);
                    self.note_name(wire, command);
                    let dead = self.dead;
                    if dead.is_some_and(|dead| command.destinations.contains(dead)) {
                        self.misled.insert(id);
                    }
                }
                ClientMessage::Query(query) => self.trace.queried(self.now, query, to.group),
                ClientMessage::Consult(objects) => {
                    let adviser = Adviser::Group(to.group);
                    self.trace.looked_up(self.now, id, adviser, objects);
                }
                ClientMessage::Hello | ClientMessage::Publish(_) => {}
            }
            self.send(0, Seat::Client(id), Seat::Replica(to), |_| {
                WorldEvent::ToReplica(to, Seat::Client(wire), ReplicaInput::Client(msg.clone()))
            });
        }
        for call in out.cache {
            if let CacheCall::Get { key } = &call {
                let object = self.named_by(id, key);
                self.trace
                    .looked_up(self.now, id, Adviser::Cache, object.as_slice());
            }
            if let Some((delay, reply)) = self.cache.call(&mut self.rng, call) {
                self.schedule(delay, WorldEvent::CacheToClient(id, reply));
            }
        }
        let Some(user) = self.users.get_mut(&id) else {
            return;
        };
        while let Some(answer) = user.client.poll_late() {
            self.report.late_answers += 1;
            self.late_answers.insert(answer.id, answer);
        }
        while let Some(completion) = user.client.poll_completed() {
            let Some((request, _)) = user.requests.remove(&completion.ticket) else {
                continue;
            };
            self.trace.told(self.now, id, &completion);
            if wire == id {
                self.report.count(&completion);
                match completion.cost.stale {
                    false => self.history.push(id, &request, &completion),
                    true => self.history.push_stale(id, &request, &completion),
                }
            }
            self.completions.push((id, completion));
        }
    }

    /// The object that a client has asked the cache for under this key, for those who read it.
    fn named_by(&self, id: ClientId, key: &[u8]) -> Option<ObjectId> {
        let user = self.users.get(&id).filter(|_| self.trace.listens())?;
        let placement = Placement::new(self.oracle.clone(), self.topology);
        let is_named = |object: &ObjectId| match placement.guess(*object) {
            Guess::Shared { key: own, .. } => own == key,
            Guess::Ask(_) | Guess::At(_) => false,
        };
        let requests = user.requests.values();
        let mut objects = requests.flat_map(|(request, _)| request.objects());
        objects.find(is_named)
    }

    /// Sends something that leaves a while from now.
    pub(super) fn send(
        &mut self,
        leaves: Micros,
        from: Seat,
        to: Seat,
        event: impl Fn(usize) -> WorldEvent,
    ) {
        if self.network.holds(from, to) {
            self.held.push(event(0));
            return;
        }
        for (copy, delay) in self
            .network
            .delays(&mut self.rng, from, to)
            .into_iter()
            .enumerate()
        {
            self.schedule(leaves + delay, event(copy));
        }
        if let Some(delay) = self.network.late_copy(&mut self.rng) {
            self.schedule(delay, event(0));
            self.last_copy = self.last_copy.max(self.now + delay);
        }
    }
}
