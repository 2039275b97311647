//! One simulation: a pure function from seed and options to a report or a violation.
//!
//! First a phase in which faults strike while the clients race; then everything heals and every
//! outstanding request must end within a bound of virtual time; then an audit reads every object,
//! and both linearizability checks run.

mod dead_group;
mod disks;
mod hand_overs;
mod sessions;
mod strikes;
mod timing;

use crate::app::{Op, Registers};
use crate::hostile::HostileClient;
use crate::options::{Options, Profile};
use crate::report::SimulationReport;
use crate::twins::Twins;
use crate::violation::{Invariant, InvariantViolation, Stall};
use crate::workload::{Workload, object};
use crate::world::{Seated, World};
use dead_group::DeadGroup;
use hand_overs::HandOvers;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_check::Staleness;
use ssmr_core::{
    CacheReads, ClientId, LocalTime, Micros, Needs, Oracle, Placement, Request, Topology,
};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// More events than these do not happen in a simulation that ends; one takes some ten thousand.
const MOST_STEPS: u64 = 2_000_000;

/// How long, in virtual time, everything may take to end once all faults are over.
const PATIENCE: Micros = 120_000_000;

/// A violation, with all that is needed to see it again.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The strategy's name.
    pub strategy: &'static str,
    /// The seed.
    pub seed: u64,
    /// The options.
    pub options: Options,
    /// The invariant that was violated, and how.
    pub violation: Box<InvariantViolation>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            strategy,
            seed,
            options,
            violation,
        } = self;
        write!(
            f,
            "strategy {strategy}, profile {}, seed {seed}: {violation}\n{options:?}",
            options.profile
        )
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// The kind of invariant that was violated.
    #[must_use]
    pub fn invariant(&self) -> Invariant {
        self.violation.invariant()
    }
}

/// Runs one simulation of a strategy.
///
/// # Errors
/// With the first violation of an invariant.
pub fn simulate(
    oracle: &Arc<dyn Oracle>,
    seed: u64,
    options: Options,
) -> Result<SimulationReport, Failure> {
    simulate_seated(oracle, |oracle, _| oracle.clone(), seed, options)
}

/// The same with an oracle for each participant, which `seated` makes from the cluster's.
///
/// # Errors
/// With the first violation of an invariant.
pub fn simulate_seated(
    oracle: &Arc<dyn Oracle>,
    seated: Seated,
    seed: u64,
    options: Options,
) -> Result<SimulationReport, Failure> {
    let outcome = options.with_mutant(|| Run::new(oracle, seated, seed, options, false).play());
    outcome.map_err(|violation| failure(oracle, seed, options, violation))
}

/// What is needed to see a violation again.
pub(crate) fn failure(
    oracle: &Arc<dyn Oracle>,
    seed: u64,
    options: Options,
    violation: InvariantViolation,
) -> Failure {
    Failure {
        strategy: oracle.name(),
        seed,
        options,
        violation: Box::new(violation),
    }
}

/// The topology of a simulation: with an oracle group if the strategy needs one.
///
/// # Panics
/// If the options are impossible.
#[must_use]
pub fn topology(options: &Options, needs: Needs) -> Topology {
    let topology = Topology::new(options.partitions, options.replicas);
    let topology = if needs.oracle_group {
        topology.and_then(|l| l.with_oracle(options.replicas))
    } else {
        topology
    };
    topology.unwrap_or_else(|error| panic!("{error}"))
}

/// The message of a failed assertion.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("of unknown kind").into()
}

/// A simulation under way.
pub(crate) struct Run {
    pub(crate) world: World,
    oracle: Arc<dyn Oracle>,
    options: Options,
    clients: BTreeMap<ClientId, (Workload, usize)>,
    next_fault: LocalTime,
    /// When clients that wait between two requests make the next one.
    later: Vec<(LocalTime, ClientId)>,
    /// Until when a leader is cut off from its group, or a group from the others.
    deposed: Option<LocalTime>,
    hand_overs: HandOvers,
    hostile: Option<HostileClient>,
    twins: Option<Twins>,
    dead: Option<DeadGroup>,
}

impl Run {
    /// Before the first step; a world that listens can tell later what happened in it.
    pub(crate) fn new(
        oracle: &Arc<dyn Oracle>,
        seated: Seated,
        seed: u64,
        options: Options,
        listens: bool,
    ) -> Self {
        let mut seeds = ChaCha8Rng::seed_from_u64(seed);
        let topology = topology(&options, oracle.needs());
        let mut world = World::seated(topology, oracle, seated, seeds.random(), options);
        if listens {
            world.listen();
        }
        let mut clients = BTreeMap::new();
        for index in 1..=options.clients {
            let rng = ChaCha8Rng::seed_from_u64(seeds.random());
            let mut workload = Workload::new(rng, index, options.objects, options.partitions);
            let mut each = 1;
            if options.profile.has_readers() && index.is_multiple_of(2) {
                workload = workload.that_reads();
                each = options.profile.reads_for_each();
            }
            let id = ClientId(index);
            world.connect(id, oracle);
            let requests = options.profile.requests(options.requests);
            clients.insert(id, (workload, requests * each));
            for _ in 0..options.window {
                Self::ask(&mut world, &mut clients, id);
            }
        }
        let placement = Placement::new(oracle.clone(), topology);
        let hostile = options.profile.is_hostile();
        let hostile =
            hostile.then(|| HostileClient::new(seeds.random(), placement, options.objects));
        let twins = (options.profile == Profile::Twins)
            .then(|| Twins::new(&mut world, oracle, seeds.random(), &options));
        Self {
            world,
            twins,
            hostile,
            oracle: oracle.clone(),
            options,
            clients,
            next_fault: LocalTime::ZERO,
            later: Vec::new(),
            deposed: None,
            hand_overs: HandOvers::default(),
            dead: None,
        }
    }

    fn ask(world: &mut World, clients: &mut BTreeMap<ClientId, (Workload, usize)>, id: ClientId) {
        let Some((workload, left)) = clients.get_mut(&id).filter(|(_, left)| *left > 0) else {
            return;
        };
        *left -= 1;
        let request = workload.request();
        match world.options.cache_reads {
            CacheReads::Checked => world.submit(id, request),
            CacheReads::Stale => world.submit_stale(id, request),
        };
    }

    /// Runs to the end. A failed assertion is a violation, too.
    pub(crate) fn play(&mut self) -> Result<SimulationReport, InvariantViolation> {
        let played = catch_unwind(AssertUnwindSafe(|| self.finish()));
        played.unwrap_or_else(|panic| Err(InvariantViolation::Assertion(message(&*panic))))
    }

    fn finish(&mut self) -> Result<SimulationReport, InvariantViolation> {
        while self.world.report.steps < self.options.steps * self.options.profile.pace()
            && self.busy()
        {
            self.strike();
            self.step()?;
        }
        self.world.heal(true);
        self.world.heal_disks();
        self.world.start_all();
        self.world.cache.revive();
        let healed = self.world.all_awake_at();
        while self.busy() {
            self.step()?;
            if self.world.now() > healed + PATIENCE {
                let state = self.world.describe();
                return Err(Stall::Requests { state }.into());
            }
        }
        while self.world.now() < self.world.last_copy {
            self.step()?;
        }
        if self.options.profile.loses_group() && !self.lose_group()? {
            return self.judge();
        }
        self.audit()?;
        if let Some(twins) = &self.twins {
            twins.go(&mut self.world);
        }
        self.settle()?;
        self.await_quiet()?;
        self.world.attribute();
        self.judge()
    }

    fn busy(&self) -> bool {
        let asks = |(id, (_, left)): (&ClientId, &(Workload, usize))| {
            *left > 0 || self.world.outstanding(*id) > 0
        };
        self.clients.iter().any(asks)
    }

    fn step(&mut self) -> Result<(), InvariantViolation> {
        let steps = self.world.report.steps;
        if steps > MOST_STEPS {
            return Err(Stall::Endless { steps }.into());
        }
        self.world.step()?;
        for (id, completion) in self.world.take_completions() {
            let mut pause = 0;
            if let Some((workload, _)) = self.clients.get_mut(&id) {
                workload.learn(&completion.touched);
                pause = workload.pause(self.options.profile);
            }
            if pause > 0 {
                self.later.push((self.world.now() + pause, id));
                continue;
            }
            Self::ask(&mut self.world, &mut self.clients, id);
            if let Some(twins) = &mut self.twins {
                twins.ask(&mut self.world, id);
            }
        }
        let now = self.world.now();
        for (_, id) in self.later.extract_if(.., |(at, _)| *at <= now) {
            Self::ask(&mut self.world, &mut self.clients, id);
        }
        Ok(())
    }

    /// Reads every object once more that a group which is left has, so that the checks see what is
    /// left.
    fn audit(&mut self) -> Result<(), InvariantViolation> {
        let auditor = ClientId(0);
        self.world
            .connect_until(auditor, &self.oracle, Duration::MAX);
        for n in 0..self.options.objects {
            let read = Request::access::<Registers>(&Op::Read(vec![object(n)]));
            if !self.concerns_dead(&read) {
                self.world.submit(auditor, read);
            }
        }
        let begun = self.world.now();
        while self.world.outstanding(auditor) > 0 {
            self.world.step()?;
            if self.world.now() > begun + PATIENCE {
                return Err(Stall::Audit.into());
            }
        }
        Ok(())
    }

    /// Lets the last signals and acknowledgements arrive.
    fn settle(&mut self) -> Result<(), InvariantViolation> {
        let until = self.world.now() + 3_000_000;
        while self.world.now() < until {
            self.world.step()?;
        }
        Ok(())
    }

    /// Waits until nothing is under way any more. What was sent in vain while a group could not be
    /// reached is sent again only seconds after it can.
    fn await_quiet(&mut self) -> Result<(), InvariantViolation> {
        let patience = self.world.now() + PATIENCE;
        loop {
            let quiet = self.world.check_quiet();
            let under_way = quiet.as_ref().is_err_and(InvariantViolation::may_pass);
            if !under_way || self.world.now() > patience {
                return quiet;
            }
            self.settle()?;
        }
    }

    fn judge(&self) -> Result<SimulationReport, InvariantViolation> {
        let World {
            history,
            report,
            network,
            cache,
            ..
        } = &self.world;
        let mut report = *report;
        report.undecided = history.check_both()?.undecided as u64;
        let stale = history.judge_stale();
        if let Some(never) = stale.never_held.into_iter().next() {
            return Err(InvariantViolation::NeverHeld(never));
        }
        let is_outdated = |staleness: &&Staleness| staleness.versions > 0;
        report.outdated = stale.judged.iter().filter(is_outdated).count() as u64;
        (report.lost, report.doubled) = (network.lost, network.doubled);
        self.world.count_disk_faults(&mut report);
        report.late = network.late;
        (report.cache_hits, report.cache_misses) = (cache.hits, cache.misses);
        Ok(report)
    }
}
