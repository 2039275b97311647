//! Where a scenario is played: a small world, clients that ask and wait, and the checks at the end.
//!
//! It decides nothing by chance of its own: a scenario is a pure function of seed, options and what
//! the scenario does.

use crate::app::{Op, Register, Registers};
use crate::network::Seat;
use crate::options::Options;
use crate::simulate::topology;
use crate::world::World;
use ssmr_core::{
    ClientId, Completion, GroupId, Micros, ObjectId, Oracle, Outcome, PartitionId, Placement,
    Request, codec,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The longest that anything may take, in virtual time.
const PATIENCE: Micros = 60_000_000;
/// A tenth of a second.
pub(super) const MOMENT: Micros = 100_000;
/// Long enough for a link to repair what was overtaken, and for a command to be fetched.
pub(super) const LONG: Micros = 6 * MOMENT;
/// The first partitions.
pub(super) const P0: PartitionId = PartitionId(0);
pub(super) const P1: PartitionId = PartitionId(1);
pub(super) const P2: PartitionId = PartitionId(2);

/// A request under way: whose, and which.
pub(super) type Ticket = (ClientId, u64);

/// A world and what its clients have been told.
pub(super) struct Scenario {
    pub(super) world: World,
    pub(super) oracle: Arc<dyn Oracle>,
    connected: BTreeSet<ClientId>,
    ended: BTreeMap<Ticket, Completion>,
}

impl Scenario {
    /// Two partitions (and an oracle group where the strategy has one) of three replicas each, and
    /// no faults.
    pub(super) fn new(oracle: &Arc<dyn Oracle>, seed: u64) -> Self {
        Self::with(
            oracle,
            seed,
            Options {
                partitions: 2,
                ..Options::default()
            },
        )
    }

    /// A cluster as the options say, which has elected its leaders.
    pub(super) fn with(oracle: &Arc<dyn Oracle>, seed: u64, options: Options) -> Self {
        let topology = topology(&options, oracle.needs());
        let world = World::new(topology, oracle, seed, options);
        let (connected, ended) = Default::default();
        let mut scenario = Self {
            world,
            oracle: oracle.clone(),
            connected,
            ended,
        };
        scenario.pass(10 * MOMENT);
        scenario.world.listen();
        scenario
    }

    /// From now on, the trace of the scenario does (not) show what is asked and done.
    pub(super) fn hush(&mut self, hushed: bool) {
        self.world.trace.hush(hushed);
    }

    /// An object that is at home at a partition and is created there if that is wished for; others
    /// have other numbers.
    pub(super) fn object(&self, home: PartitionId, number: u64) -> ObjectId {
        let (placement, topology) = (self.placement(), self.world.topology);
        let at_home = (0..)
            .map(|attribute| ObjectId::new(attribute, number))
            .filter(|&object| topology.home(object) == home);
        let mut some = at_home.clone().take(1_000);
        let created_there = some.find(|&object| placement.owner(object, Some(home)) == home);
        // A strategy may create nothing there, whatever is wished for.
        let object = created_there.or_else(|| at_home.clone().next());
        object.unwrap_or_else(|| unreachable!("every partition is home of some attributes"))
    }

    /// The strategy in this cluster.
    pub(super) fn placement(&self) -> Placement {
        Placement::new(self.oracle.clone(), self.world.topology)
    }

    /// The group that owns an object whose create wished for a partition.
    pub(super) fn owner(&self, object: ObjectId, wish: PartitionId) -> PartitionId {
        self.placement().owner(object, Some(wish))
    }

    /// Has a client ask for something.
    pub(super) fn ask(&mut self, client: u64, request: Request) -> Ticket {
        let id = ClientId(client);
        if self.connected.insert(id) {
            self.world.connect(id, &self.oracle.clone());
        }
        let ticket = self.world.submit(id, request);
        self.collect();
        (
            id,
            ticket.unwrap_or_else(|| panic!("client {client} is dead")),
        )
    }

    /// Whether a request has ended.
    pub(super) fn has_ended(&self, ticket: Ticket) -> bool {
        self.ended.contains_key(&ticket)
    }

    /// Waits for the end of a request.
    pub(super) fn wait(&mut self, ticket: Ticket) -> Completion {
        let begun = self.world.now();
        loop {
            if let Some(completion) = self.ended.get(&ticket) {
                return completion.clone();
            }
            self.step();
            let late = self.world.now() > begun + PATIENCE;
            assert!(!late, "{ticket:?} hangs{}", self.world.describe());
        }
    }

    /// Asks and waits.
    pub(super) fn run(&mut self, client: u64, request: Request) -> Completion {
        let ticket = self.ask(client, request);
        self.wait(ticket)
    }

    /// Asks and waits; it must take effect.
    pub(super) fn done(&mut self, client: u64, request: Request) -> Completion {
        let text = format!("{request:?}");
        let completion = self.run(client, request);
        let done = matches!(completion.outcome, Outcome::Done(_));
        assert!(done, "{text} of client {client}: {:?}", completion.outcome);
        completion
    }

    /// Reads one object: its value, or nothing if it does not exist.
    pub(super) fn read(&mut self, client: u64, object: ObjectId) -> Option<Register> {
        let completion = self.run(client, read(&[object]));
        value(&completion)
    }

    /// Has a client read registers, each of which was written so often.
    pub(super) fn read_written(&mut self, client: u64, registers: &[(ObjectId, u64)]) {
        for &(object, writes) in registers {
            let register = self.read(client, object);
            let found = register.map(|register| register.writes);
            assert_eq!(found, Some(writes), "{object}");
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Micros) {
        if time > 0 {
            self.world.note(|| format!("{} ms pass", time as f64 / 1e3));
        }
        let until = self.world.now() + time;
        while self.world.now() < until {
            self.step();
        }
    }

    /// Goes on until something is so.
    pub(super) fn until(&mut self, is_so: impl Fn(&World) -> bool) {
        let begun = self.world.now();
        while !is_so(&self.world) {
            self.step();
            let late = self.world.now() > begun + PATIENCE;
            assert!(!late, "it never is{}", self.world.describe());
        }
    }

    fn step(&mut self) {
        if let Err(violation) = self.world.step() {
            panic!("{violation}");
        }
        self.collect();
    }

    fn collect(&mut self) {
        let completions = self.world.take_completions().into_iter();
        self.ended
            .extend(completions.map(|(client, c)| ((client, c.ticket), c)));
    }

    /// All replicas of a group.
    pub(super) fn group(&self, group: impl Into<GroupId>) -> Vec<Seat> {
        self.world
            .topology
            .members(group.into())
            .map(Seat::Replica)
            .collect()
    }

    /// All replicas of all other groups.
    pub(super) fn others(&self, group: impl Into<GroupId>) -> Vec<Seat> {
        let group = group.into();
        let others = self
            .world
            .topology
            .replicas()
            .filter(|id| id.group != group);
        others.map(Seat::Replica).collect()
    }

    /// Stops the leader of a group.
    pub(super) fn stop_leader(&mut self, group: impl Into<GroupId>) {
        if let Some(leader) = self.world.leader(group.into()) {
            self.world.stop(leader);
        }
    }

    /// Crashes all replicas of a group, the leader first: which one that is would be chance.
    pub(super) fn crash_all(&mut self, group: GroupId) {
        let leader = self.world.leader(group);
        let others = self.world.topology.members(group);
        let others = others.filter(|id| Some(*id) != leader);
        let all: Vec<_> = leader.into_iter().chain(others).collect();
        all.into_iter().for_each(|id| self.world.crash(id));
    }

    /// Starts every replica that has crashed, with what it has stored.
    pub(super) fn start_all(&mut self) {
        self.world.start_all();
    }

    /// Ends the scenario: an auditor reads every object, all becomes quiet, and every check runs.
    /// Returns the trace.
    pub(super) fn close(mut self) -> String {
        self.hush(true);
        self.world.heal(true);
        self.world.cache.revive();
        for object in self.world.history.objects().to_vec() {
            self.run(u64::MAX, read(&[object]));
        }
        self.pass(3_000_000);
        let quiet = self.world.check_quiet();
        self.world.attribute();
        quiet.unwrap_or_else(|violation| panic!("{violation}"));
        let judged = self.world.history.check_both();
        let summary = judged.unwrap_or_else(|rejection| panic!("{rejection}"));
        assert_eq!(summary.undecided, 0, "the black-box search gave up");
        self.world.trace.script()
    }
}

/// The trace of the first of several runs of a scenario, once all of them have passed.
pub(super) fn first(mut runs: impl Iterator<Item = String>) -> String {
    let first = runs.next().unwrap_or_default();
    runs.for_each(drop);
    first
}

/// The traces of all variants of a scenario.
pub(super) fn each(variants: impl Iterator<Item = String>) -> String {
    let titled = |(number, trace): (u32, String)| format!("== variant {number}\n{trace}");
    (1..).zip(variants).map(titled).collect()
}

/// The request to create a register with a mark.
pub(super) fn create(object: ObjectId, mark: u64, at: PartitionId) -> Request {
    Request::create::<Registers>(object, &register(mark), Some(at))
}

/// The request to read.
pub(super) fn read(objects: &[ObjectId]) -> Request {
    Request::access::<Registers>(&Op::Read(objects.to_vec()))
}

/// The request to read and write.
pub(super) fn update(objects: &[ObjectId], mark: u64) -> Request {
    Request::access::<Registers>(&Op::Update(objects.to_vec(), mark))
}

/// A register as it is created with a mark.
pub(super) fn register(mark: u64) -> Register {
    Register {
        writes: 0,
        chain: mark,
    }
}

/// The values that an access read; nothing if something was missing.
pub(super) fn values(completion: &Completion) -> Option<Vec<Register>> {
    match &completion.outcome {
        Outcome::Done(reply) => codec::decode(reply).ok(),
        Outcome::NotFound => None,
        other => panic!("an access ended as {other:?}"),
    }
}

/// The value that an access of one object read.
pub(super) fn value(completion: &Completion) -> Option<Register> {
    values(completion)?.first().copied()
}

/// Whether it took effect.
pub(super) fn is_done(completion: &Completion) -> bool {
    matches!(completion.outcome, Outcome::Done(_))
}
