//! The virtual world: replicas, clients, network, cache and time, all driven by one seed.
//!
//! Invariant: what happens is a pure function of seed and options. Events are ordered by time, then
//! by when they were scheduled; every random number comes from one of the seed's streams.

mod capacity;
mod checks;
mod clients;
mod clocks;
mod disk;
mod disks;
mod faults;
mod interventions;
mod memory;
mod outages;
mod pauses;
mod sleep;

use crate::app::Registers;
use crate::cache::Cache;
use crate::network::{Network, Seat};
use crate::options::Options;
use crate::report::SimulationReport;
use crate::trace::Trace;
use crate::violation::{InvariantViolation, Stall};
use crate::watch::{Watch, Watched};
pub(crate) use capacity::Capacity;
use capacity::Work;
use clocks::MachineClock;
use disk::{Disk, Snapshotting};
use interventions::Hands;
use pauses::Pause;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_check::History;
use ssmr_core::multicast::TICK;
use ssmr_core::{
    Answer, CacheReply, ClientEngine, ClientId, ClientMessage, ClientOutbox, Command, CommandId,
    Completion, GroupId, LocalTime, Micros, Oracle, PeerMessage, Replica, ReplicaId, ReplicaOutbox,
    Request, ServerMessage, Topology,
};
use ssmr_log::Members;
use ssmr_multicast::{GroupMulticast, Message};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

type Order = GroupMulticast;
type Msg = Message;

/// How often a client's timer runs.
const CLIENT_TICK: Micros = 20_000;
/// How long it takes at most to encode and store a snapshot.
const SNAPSHOT: Micros = 30_000;

/// Something that is going to happen.
enum WorldEvent {
    ToReplica(ReplicaId, Seat, ReplicaInput),
    ToClient(ClientId, ReplicaId, ServerMessage),
    CacheToReplica(ReplicaId, CacheReply),
    CacheToClient(ClientId, CacheReply),
    /// With the start that it belongs to: a replica that came back has a timer of its own.
    ReplicaTick(ReplicaId, u64),
    /// What was stored in this start has taken its time: now it is said.
    Stored(ReplicaId, u64, Box<ReplicaOutbox<Order>>),
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
    fn handed_in(to: ReplicaId, command: &Arc<Command>) -> Self {
        let from = Seat::Client(command.id.session.client);
        let message = ClientMessage::Submit(command.clone());
        Self::ToReplica(to, from, ReplicaInput::Client(message))
    }

    /// The client to which it happens.
    fn client(&self) -> Option<ClientId> {
        match self {
            Self::ToClient(id, ..) | Self::CacheToClient(id, ..) | Self::ClientTick(id) => {
                Some(*id)
            }
            _ => None,
        }
    }

    /// The replica to which it happens.
    fn replica(&self) -> Option<ReplicaId> {
        match self {
            Self::ToReplica(id, ..)
            | Self::CacheToReplica(id, ..)
            | Self::ReplicaTick(id, ..)
            | Self::Stored(id, ..)
            | Self::Round(id, _)
            | Self::Captured(id, ..) => Some(*id),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
enum ReplicaInput {
    Peer(PeerMessage<Msg>),
    Client(ClientMessage),
}

impl ReplicaInput {
    fn hand_to(
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

/// A replica with what the world remembers of it.
struct Member {
    replica: Replica<Order, Watched>,
    start: u64,
    applied: u64,
    clock: MachineClock,
    pause: Pause,
    /// How its machine stands, if what it can do is limited.
    work: Option<Work>,
    /// Until when its disk keeps it waiting.
    busy_until: LocalTime,
}

/// A client with what it has asked for.
struct User {
    client: ClientEngine,
    requests: BTreeMap<u64, (Request, LocalTime)>,
}

/// Makes the oracle of one replica or client from that of the cluster: a copy, unless a test breaks
/// it on purpose.
pub type Seated = fn(&Arc<dyn Oracle>, Seat) -> Arc<dyn Oracle>;

/// The virtual world.
pub struct World {
    options: Options,
    pub(crate) topology: Topology,
    now: LocalTime,
    rng: ChaCha8Rng,
    events: BinaryHeap<Reverse<(LocalTime, u64)>>,
    bodies: BTreeMap<u64, WorldEvent>,
    scheduled: u64,
    /// Messages that wait for their release, in the order in which they were sent.
    held: Vec<WorldEvent>,
    hands: Hands,
    pub(crate) network: Network,
    pub(crate) cache: Cache,
    members: BTreeMap<ReplicaId, Member>,
    /// What each replica has stored, also while it is down.
    disks: BTreeMap<ReplicaId, Disk>,
    /// The lists of members that each replica which is down went by last.
    left: BTreeMap<ReplicaId, Vec<(u64, Members)>>,
    /// Replicas that crash in the middle of their next write.
    torn: BTreeSet<ReplicaId>,
    /// Replicas that are paused, suspended or not, as soon as they ask whether they lead.
    pauses: BTreeMap<ReplicaId, (Micros, bool)>,
    /// Replicas that never come back.
    stopped: BTreeSet<ReplicaId>,
    /// A group that has lost its majority for good, and the clients that have asked it since.
    pub(crate) dead: Option<GroupId>,
    pub(crate) misled: BTreeSet<ClientId>,
    /// How often a replica was started so far.
    starts: u64,
    oracle: Arc<dyn Oracle>,
    /// The oracle of one participant.
    seated: Seated,
    users: BTreeMap<ClientId, User>,
    /// The seats of processes that go by one client's id.
    twins: BTreeMap<ClientId, Vec<ClientId>>,
    /// What twins have handed in under each name first.
    named: BTreeMap<CommandId, Request>,
    /// Until when a client sleeps.
    asleep: BTreeMap<ClientId, LocalTime>,
    watch: Watch,
    /// What happens, for those who want to read it.
    pub(crate) trace: Trace,
    /// What the clients saw.
    pub history: History<Registers>,
    completions: Vec<(ClientId, Completion)>,
    /// Answers to requests that had ended as unknown.
    late_answers: BTreeMap<CommandId, Arc<Answer>>,
    pub(crate) report: SimulationReport,
    /// When the last copy comes of a message that has long arrived.
    pub(crate) last_copy: LocalTime,
    violation: Option<InvariantViolation>,
}

impl World {
    /// A cluster of `topology` without clients, at time 0.
    pub fn new(topology: Topology, oracle: &Arc<dyn Oracle>, seed: u64, options: Options) -> Self {
        Self::seated(topology, oracle, |oracle, _| oracle.clone(), seed, options)
    }

    /// The same with an oracle for each participant.
    pub fn seated(
        topology: Topology,
        oracle: &Arc<dyn Oracle>,
        seated: Seated,
        seed: u64,
        options: Options,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut world = Self {
            options,
            topology,
            now: LocalTime::ZERO,
            events: BinaryHeap::new(),
            bodies: BTreeMap::new(),
            scheduled: 0,
            held: Vec::new(),
            hands: Hands::default(),
            network: Network::new(options.profile),
            cache: Cache::default(),
            members: BTreeMap::new(),
            disks: BTreeMap::new(),
            left: BTreeMap::new(),
            torn: BTreeSet::new(),
            pauses: BTreeMap::new(),
            stopped: BTreeSet::new(),
            dead: None,
            misled: BTreeSet::new(),
            starts: 0,
            oracle: oracle.clone(),
            seated,
            users: BTreeMap::new(),
            twins: BTreeMap::new(),
            named: BTreeMap::new(),
            asleep: BTreeMap::new(),
            watch: Watch::default(),
            trace: Trace::default(),
            history: History::default(),
            completions: Vec::new(),
            late_answers: BTreeMap::new(),
            report: SimulationReport::default(),
            last_copy: LocalTime::ZERO,
            violation: None,
            rng: ChaCha8Rng::seed_from_u64(rng.random()),
        };
        if options.profile.has_folders() {
            world.make_folders();
        }
        topology.replicas().for_each(|id| world.start(id));
        if options.profile.has_folders() {
            world.found();
        }
        world
    }

    /// Has a client ask for something. Returns the ticket.
    pub fn submit(&mut self, client: ClientId, request: Request) -> Option<u64> {
        let mut out = ClientOutbox::default();
        let user = self.users.get_mut(&client)?;
        let ticket = user.client.submit(self.now, request.clone(), &mut out);
        self.trace.asked(self.now, client, ticket, &request);
        user.requests.insert(ticket, (request, self.now));
        self.dispatch_client(client, out);
        Some(ticket)
    }

    /// From now on, what happens is written down.
    pub(crate) fn listen(&mut self) {
        self.trace.listen();
        for member in self.members.values_mut() {
            member.replica.partition_mut().steps = Some(Vec::new());
        }
    }

    /// What happened so far: see [`Trace::chronicle`].
    pub(crate) fn chronicle(
        &mut self,
        violation: Option<&InvariantViolation>,
        most: usize,
    ) -> String {
        // An assertion may have ended it while a delivery was being applied.
        for (id, member) in &mut self.members {
            let steps = member.replica.partition_mut().steps.take();
            self.trace
                .applied(self.now, id.group, steps.unwrap_or_default());
        }
        self.trace.chronicle(violation, most)
    }

    /// Writes down what somebody is doing to the world.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        self.trace.note(self.now, what);
    }

    /// What has completed since it was last asked.
    pub fn take_completions(&mut self) -> Vec<(ClientId, Completion)> {
        std::mem::take(&mut self.completions)
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> LocalTime {
        self.now
    }

    /// Lets the next thing happen.
    ///
    /// # Errors
    /// With the invariant that was violated.
    pub fn step(&mut self) -> Result<(), InvariantViolation> {
        let Some(Reverse((time, number))) = self.events.pop() else {
            return Err(Stall::NoEvents.into());
        };
        self.now = time;
        self.report.steps += 1;
        if let Some(event) = self.bodies.remove(&number) {
            self.happen(event);
        }
        self.violation.take().map_or(Ok(()), Err)
    }

    /// How many requests are unanswered, those included that were given up as unknown: their
    /// attempts go on.
    #[must_use]
    pub fn outstanding(&self, client: ClientId) -> usize {
        self.users
            .get(&client)
            .map_or(0, |user| user.client.outstanding())
    }

    // -- events ----------------------------------------------------------------------------

    fn schedule(&mut self, delay: Micros, event: WorldEvent) {
        self.scheduled += 1;
        self.events
            .push(Reverse((self.now + delay, self.scheduled)));
        self.bodies.insert(self.scheduled, event);
    }

    fn happen(&mut self, event: WorldEvent) {
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
            WorldEvent::Captured(id, start, begun) => self.keep_snapshot(id, start, begun),
            WorldEvent::Wake(id, start) => self.wake(id, start),
            WorldEvent::Round(id, inputs) => self.round(id, inputs),
            WorldEvent::ToClient(id, from, msg) => {
                self.with_client(id, |client, out| client.on_message(now, from, msg, out));
            }
            WorldEvent::CacheToClient(id, reply) => {
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

    fn with_replica(
        &mut self,
        id: ReplicaId,
        inputs: usize,
        act: impl FnOnce(&mut Replica<Order, Watched>, &mut ReplicaOutbox<Order>),
    ) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let mut out = ReplicaOutbox::default();
        let before = member.replica.counters().delivered;
        act(&mut member.replica, &mut out);
        member.replica.flush(member.clock.at(self.now), &mut out);
        let delivered = member.replica.counters().delivered - before;
        let busy = member.work.map_or(0, |work| work.time(inputs, delivered));
        let (start, records) = (member.start, std::mem::take(&mut out.records));
        let stores = !records.is_empty();
        if !self.store(id, records) {
            return;
        }
        if let Some(capture) = out.capture.take()
            && !self.capture(id, start, capture)
        {
            return;
        }
        self.look_at(id);
        self.occupy(id, busy);
        self.pause_if_it_asked(id, &out);
        match self.take_time(id, stores) {
            0 => self.dispatch_replica(id, busy, out),
            time => self.schedule(time, WorldEvent::Stored(id, start, Box::new(out))),
        }
    }

    /// Sends what a round led to that takes so long.
    fn dispatch_replica(&mut self, id: ReplicaId, busy: Micros, out: ReplicaOutbox<Order>) {
        for (to, msg) in out.peers {
            let Some(msg) = self.pass_on(id, to, msg) else {
                continue;
            };
            let leaves = self.leaves(id, busy, &msg);
            self.send(leaves, Seat::Replica(id), Seat::Replica(to), |_| {
                WorldEvent::ToReplica(to, Seat::Replica(id), ReplicaInput::Peer(msg.clone()))
            });
        }
        for (to, msg) in out.clients {
            let expired = matches!(msg, ServerMessage::Expired { .. });
            self.report.expired += u64::from(expired);
            let to = self.one_of(to);
            let leaves = self.leaves(id, busy, &msg);
            self.send(leaves, Seat::Replica(id), Seat::Client(to), |_| {
                WorldEvent::ToClient(to, id, msg.clone())
            });
        }
        for call in out.cache {
            if let Some((delay, reply)) = self.cache.call(&mut self.rng, call) {
                self.schedule(delay, WorldEvent::CacheToReplica(id, reply));
            }
        }
    }

    fn with_client(
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

    fn dispatch_client(&mut self, id: ClientId, out: ClientOutbox) {
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
                ClientMessage::Consult(_) | ClientMessage::Hello => {}
            }
            self.send(0, Seat::Client(id), Seat::Replica(to), |_| {
                WorldEvent::ToReplica(to, Seat::Client(wire), ReplicaInput::Client(msg.clone()))
            });
        }
        for call in out.cache {
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
                self.history.push(id, &request, &completion);
            }
            self.completions.push((id, completion));
        }
    }

    /// Sends something that leaves a while from now.
    fn send(&mut self, leaves: Micros, from: Seat, to: Seat, event: impl Fn(usize) -> WorldEvent) {
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
