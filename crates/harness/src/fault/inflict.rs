//! Carries out a fault schedule: a list of steps by time, each of which may add others.
//!
//! Random choices come from the run's seed; when a replica has caught up depends on the machine. Invariant: after
//! [`Faults::end`] everything works again that can come back, and [`Faults::lost`] names what cannot.

use super::schedule::{Fault, group, replica};
use crate::cli::DurabilityName;
use crate::deploy::{Deployment, comes_back};
use crate::workload::{OF_NO_CLIENT, stream};
use anyhow::{Context, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use ssmr_core::{GroupId, Micros, ReplicaId, Topology};
use ssmr_net::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const SECOND: Micros = 1_000_000;

/// How much later something is tried that waits for the cluster: an election, or a replica that catches up.
const AGAIN: Micros = 20_000;

/// How long a replica may take to say how it is before it is asked again.
const PATIENCE: Duration = Duration::from_millis(200);

/// The stream of random numbers that chooses victims; the one below belongs to the workload.
const VICTIMS: u64 = OF_NO_CLIENT - 1;

/// A fault that began or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// When, by the clock of whoever measures.
    pub(crate) at: Micros,
    /// What was done.
    pub(crate) what: String,
}

/// Something to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    KillLeader(GroupId, Option<Micros>),
    KillRandom,
    Restart(ReplicaId),
    /// See whether it has caught up with the others, who had applied so much.
    Follow(ReplicaId, u64),
    StopCache,
    StartCache,
    Cut(ReplicaId),
    Join(ReplicaId),
}

/// Why a replica is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ailment {
    Dead,
    CatchingUp,
    CutOff,
}

/// A schedule under way.
pub(crate) struct Faults {
    topology: Topology,
    durability: DurabilityName,
    rng: ChaCha8Rng,
    /// By time since measuring began, and in the order in which they came up.
    steps: BTreeMap<(Micros, u64), Step>,
    step_count: u64,
    ailing: BTreeMap<ReplicaId, Ailment>,
    cache_stopped: bool,
    marks: Vec<Mark>,
}

impl Faults {
    /// The faults of a schedule that have a target in this topology.
    pub(crate) fn new(
        schedule: &[Fault],
        topology: Topology,
        durability: DurabilityName,
        seed: u64,
    ) -> Self {
        let mut faults = Self {
            topology,
            durability,
            rng: stream(seed, VICTIMS),
            steps: BTreeMap::new(),
            step_count: 0,
            ailing: BTreeMap::new(),
            cache_stopped: false,
            marks: Vec::new(),
        };
        for fault in schedule {
            faults.plan(fault);
        }
        faults
    }

    /// Whether nothing is to be broken.
    pub(crate) fn is_empty(&self) -> bool {
        self.step_count == 0
    }

    /// The replicas that were killed and cannot come back.
    pub(crate) fn lost(&self) -> BTreeSet<ReplicaId> {
        self.with(Ailment::Dead).into_iter().collect()
    }

    /// What was done, in order.
    pub(crate) fn marks(self) -> Vec<Mark> {
        self.marks
    }

    fn plan(&mut self, fault: &Fault) {
        match fault {
            Fault::KillRandom => self.add(SECOND, Step::KillRandom),
            Fault::KillLeader {
                group: name,
                at,
                back,
            } => {
                if let Some(group) = group(&self.topology, name) {
                    self.add(*at, Step::KillLeader(group, *back));
                }
            }
            Fault::StopCache { at, length } => {
                self.add(*at, Step::StopCache);
                self.add(at + length, Step::StartCache);
            }
            Fault::Cut {
                replica: name,
                at,
                length,
            } => {
                if let Some(replica) = replica(&self.topology, name) {
                    self.add(*at, Step::Cut(replica));
                    self.add(at + length, Step::Join(replica));
                }
            }
        }
    }

    fn add(&mut self, at: Micros, step: Step) {
        self.steps.insert((at, self.step_count), step);
        self.step_count += 1;
    }

    /// Does what is due, from `from` on, until it is dropped. `say` is told.
    ///
    /// # Errors
    /// If something does not come back.
    pub(crate) async fn strike<D: Deployment>(
        &mut self,
        cluster: &mut D,
        clock: Clock,
        from: Micros,
        say: impl Fn(&str),
    ) -> Result<Infallible> {
        loop {
            let Some((&(at, number), _)) = self.steps.first_key_value() else {
                std::future::pending().await
            };
            sleep(Duration::from_micros(
                (from + at).saturating_sub(clock.now().micros()),
            ))
            .await;
            if let Some(step) = self.steps.remove(&(at, number))
                // What follows from it counts from now: steps that were held up must not be done in a rush.
                && let Some(what) = self
                    .carry_out(clock.now().micros().saturating_sub(from), step, cluster)
                    .await?
            {
                say(&what);
                let at = clock.now().micros();
                self.marks.push(Mark { at, what });
            }
        }
    }

    /// Does one step, at this time since measuring began, and adds what follows from it. Returns what there is to tell.
    async fn carry_out<D: Deployment>(
        &mut self,
        at: Micros,
        step: Step,
        cluster: &mut D,
    ) -> Result<Option<String>> {
        Ok(match step {
            Step::KillLeader(group, back) => {
                let leader = cluster.leaders().borrow().of(group);
                match leader.filter(|leader| self.may_die(*leader)) {
                    None => {
                        self.add(at + AGAIN, step);
                        None
                    }
                    Some(leader) => Some(self.kill(at, leader, back, cluster).await),
                }
            }
            Step::KillRandom => {
                self.add((at / SECOND + 1) * SECOND, step);
                match self.victim() {
                    None => None,
                    Some(victim) => Some(self.kill(at, victim, None, cluster).await),
                }
            }
            Step::Restart(id) => {
                cluster.restart(id)?;
                self.ailing.insert(id, Ailment::CatchingUp);
                self.add(
                    at + AGAIN,
                    Step::Follow(id, self.progress(id, cluster).await),
                );
                Some(format!("restart {id}"))
            }
            Step::Follow(id, goal) => {
                let status = timeout(PATIENCE, cluster.status(id)).await;
                match status.ok().flatten() {
                    Some(status) if status.applied >= goal && status.is_voter => {
                        self.ailing.remove(&id);
                    }
                    _ => self.add(at + AGAIN, step),
                }
                None
            }
            Step::StopCache | Step::StartCache => {
                self.switch_cache(step == Step::StopCache, cluster)?
            }
            Step::Cut(id) => {
                cluster.cut(id, true);
                self.ailing.entry(id).or_insert(Ailment::CutOff);
                Some(format!("cut {id}"))
            }
            Step::Join(id) => {
                cluster.cut(id, false);
                if self.ailing.get(&id) == Some(&Ailment::CutOff) {
                    self.ailing.remove(&id);
                }
                Some(format!("join {id}"))
            }
        })
    }

    async fn kill<D: Deployment>(
        &mut self,
        at: Micros,
        id: ReplicaId,
        back: Option<Micros>,
        cluster: &mut D,
    ) -> String {
        cluster.kill(id).await;
        self.ailing.insert(id, Ailment::Dead);
        if self.returns(id) {
            self.add(at + back.unwrap_or(SECOND), Step::Restart(id));
        }
        format!("kill {id}")
    }

    /// A random replica of a random group of which all replicas are well; the next such group if that one is not.
    fn victim(&mut self) -> Option<ReplicaId> {
        let (first, member) = (self.rng.random::<u64>(), self.rng.random::<u64>());
        let groups: Vec<GroupId> = self.topology.groups().iter().collect();
        let first = (first % groups.len() as u64) as usize;
        let well = |group: &GroupId| self.is_well(*group);
        let mut in_turn = groups[first..].iter().chain(&groups[..first]).copied();
        let group = in_turn.find(well)?;
        let index = (member % u64::from(self.topology.replica_count(group))) as u8;
        Some(ReplicaId { group, index })
    }

    /// How much the other replicas of a replica's group have applied.
    async fn progress<D: Deployment>(&self, id: ReplicaId, cluster: &mut D) -> u64 {
        let mut most = 0;
        for other in self.topology.members(id.group) {
            if other != id && !self.ailing.contains_key(&other) {
                let status = timeout(PATIENCE, cluster.status(other)).await;
                most = most.max(status.ok().flatten().map_or(0, |status| status.applied));
            }
        }
        most
    }

    fn switch_cache<D: Deployment>(
        &mut self,
        stop: bool,
        cluster: &mut D,
    ) -> Result<Option<String>> {
        let Some(cache) = cluster.cache() else {
            return Ok(None);
        };
        self.cache_stopped = stop;
        if stop {
            cache.stop();
        } else {
            cache.start_again()?;
        }
        Ok(Some(if stop { "stop cache" } else { "start cache" }.into()))
    }

    /// Nothing is to be broken any more: everything comes back that can.
    ///
    /// # Errors
    /// If something does not come back.
    pub(crate) fn end<D: Deployment>(&mut self, cluster: &mut D) -> Result<()> {
        self.steps.clear();
        for id in self.with(Ailment::CutOff) {
            cluster.cut(id, false);
            self.ailing.remove(&id);
        }
        if self.cache_stopped {
            self.switch_cache(false, cluster).context("the cache")?;
        }
        for id in self.with(Ailment::Dead) {
            if self.returns(id) {
                cluster.restart(id)?;
                self.ailing.insert(id, Ailment::CatchingUp);
            }
        }
        Ok(())
    }

    /// Whether a replica that is killed can come back.
    fn returns(&self, id: ReplicaId) -> bool {
        comes_back(self.durability, self.topology.replica_count(id.group))
    }

    /// Whether a replica runs, and its group will not lose with it what nobody has stored.
    fn may_die(&self, id: ReplicaId) -> bool {
        let stored = self.durability != DurabilityName::Memory;
        !self.ailing.contains_key(&id) && (stored || self.is_well(id.group))
    }

    fn is_well(&self, group: GroupId) -> bool {
        !self.ailing.keys().any(|id| id.group == group)
    }

    fn with(&self, ailment: Ailment) -> Vec<ReplicaId> {
        let such = self.ailing.iter().filter(|(_, its)| **its == ailment);
        such.map(|(id, _)| *id).collect()
    }
}
