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
mod events;
mod faults;
mod hand_overs;
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
use disk::{Disk, Unstored};
use events::{ReplicaInput, WorldEvent};
use hand_overs::Requests;
use interventions::Hands;
use pauses::Pause;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_check::History;
use ssmr_core::{
    Answer, ClientEngine, ClientId, ClientOutbox, CommandId, Completion, GroupId, LocalTime,
    Micros, Oracle, Replica, ReplicaId, Request, Topology,
};
use ssmr_log::Members;
use ssmr_multicast::{GroupMulticast, Message};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

type Order = GroupMulticast;
type Msg = Message;

/// How often a client's timer runs.
const CLIENT_TICK: Micros = 20_000;
/// How long it takes at most to encode and store a snapshot.
const SNAPSHOT: Micros = 30_000;

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
    /// What it has sent and is storing.
    unstored: VecDeque<Unstored>,
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
    pub(crate) options: Options,
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
    /// What storing something takes, if that is the same always.
    store_time: Micros,
    /// Replicas that crash in the middle of their next write.
    torn: BTreeSet<ReplicaId>,
    /// Replicas that are paused, suspended or not, as soon as they ask whether they lead.
    pauses: BTreeMap<ReplicaId, (Micros, bool)>,
    /// What becomes of requests of leaders to take over.
    requests: Requests,
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
            store_time: 0,
            torn: BTreeSet::new(),
            pauses: BTreeMap::new(),
            requests: Requests::default(),
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
        self.ask(client, request, ClientEngine::submit)
    }

    /// The same; but if it is a read of a single object it may be answered with what is past.
    pub(crate) fn submit_stale(&mut self, client: ClientId, request: Request) -> Option<u64> {
        self.ask(client, request, ClientEngine::submit_stale)
    }

    fn ask(
        &mut self,
        client: ClientId,
        request: Request,
        submit: fn(&mut ClientEngine, LocalTime, Request, &mut ClientOutbox) -> u64,
    ) -> Option<u64> {
        let mut out = ClientOutbox::default();
        let user = self.users.get_mut(&client)?;
        let ticket = submit(&mut user.client, self.now, request.clone(), &mut out);
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

    /// What happened so far. It listens no more.
    pub(crate) fn take_trace(&mut self) -> Trace {
        // An assertion may have ended it while a delivery was being applied.
        for (id, member) in &mut self.members {
            let steps = member.replica.partition_mut().steps.take();
            self.trace
                .applied(self.now, id.group, steps.unwrap_or_default());
        }
        std::mem::take(&mut self.trace)
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
}
