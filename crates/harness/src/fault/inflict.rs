//! Carries out a fault schedule: takes steps from the agenda, each of which may add others.
//!
//! Random choices come from the run's seed; when a replica has caught up depends on the machine.
//! Invariant: after [`Faults::end`] everything works again that can come back, and
//! [`Faults::gone`] says what could not.

use super::agenda::{Agenda, SECOND, Step};
use super::ailments::{Ailment, Ailments};
use super::grammar::Fault;
use super::mark::Mark;
use crate::deploy::deployment::Deployment;
use crate::health::loss;
use crate::settings::names::DurabilityName;
use crate::workload::random::{OF_NO_CLIENT, stream};
use anyhow::{Context, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use ssmr_core::{GroupId, Micros, ReplicaId, Topology};
use ssmr_net::Clock;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How much later something is tried that waits for the cluster: an election, or a replica that
/// catches up.
const AGAIN: Micros = 20_000;

/// How long a replica may take to say how it is before it is asked again.
const PATIENCE: Duration = Duration::from_millis(200);

/// The stream of random numbers that chooses victims; the one below belongs to the workload.
const VICTIMS: u64 = OF_NO_CLIENT - 1;

/// A schedule under way.
pub(crate) struct Faults {
    topology: Topology,
    rng: ChaCha8Rng,
    agenda: Agenda,
    ailments: Ailments,
    cache_stopped: bool,
    marks: Vec<Mark>,
    /// What did not come back, and why.
    gone: Vec<String>,
}

impl Faults {
    /// The faults of a schedule that have a target in this topology.
    pub(crate) fn new(
        schedule: &[Fault],
        topology: Topology,
        durability: DurabilityName,
        seed: u64,
    ) -> Self {
        Self {
            topology,
            rng: stream(seed, VICTIMS),
            agenda: Agenda::new(schedule, &topology),
            ailments: Ailments::new(topology, durability),
            cache_stopped: false,
            marks: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Whether nothing is to be broken.
    pub(crate) fn is_empty(&self) -> bool {
        self.agenda.was_always_empty()
    }

    /// The replicas that were killed and are still to be started again.
    fn returning(&self) -> BTreeSet<ReplicaId> {
        let dead = self.ailments.with(Ailment::Dead).into_iter();
        dead.filter(|id| self.ailments.returns(*id)).collect()
    }

    /// What did not come back although it should have, and why.
    pub(crate) fn gone(&self) -> &[String] {
        &self.gone
    }

    /// What was done, in order.
    pub(crate) fn marks(self) -> Vec<Mark> {
        self.marks
    }

    /// Does what is due, from `from` on, until a group is lost to more than the schedule, or it is
    /// dropped. `say` is told. Returns the group.
    ///
    /// # Errors
    /// If the cache does not come back.
    pub(crate) async fn strike<D: Deployment>(
        &mut self,
        cluster: &mut D,
        clock: Clock,
        from: Micros,
        say: impl Fn(&str),
    ) -> Result<GroupId> {
        loop {
            let due = async {
                let Some(at) = self.agenda.next_at() else {
                    std::future::pending().await
                };
                let wait = (from + at).saturating_sub(clock.now().micros());
                sleep(Duration::from_micros(wait)).await;
            };
            let returning = self.returning();
            tokio::select! {
                () = due => {}
                group = loss(cluster, returning) => return Ok(group),
            }
            let Some(step) = self.agenda.take() else {
                continue;
            };
            // What follows from it counts from now: steps that were held up must not be done in a
            // rush.
            let now = clock.now().micros().saturating_sub(from);
            if let Some(what) = self.carry_out(now, step, cluster).await? {
                say(&what);
                let at = clock.now().micros();
                self.marks.push(Mark { at, what });
            }
        }
    }

    /// Does one step, at this time since measuring began, and adds what follows from it. Returns
    /// what there is to tell.
    async fn carry_out<D: Deployment>(
        &mut self,
        at: Micros,
        step: Step,
        cluster: &mut D,
    ) -> Result<Option<String>> {
        Ok(match step {
            Step::KillLeader(group, back) => {
                let leader = cluster.leaders().borrow().of(group);
                match leader.filter(|leader| self.ailments.may_die(*leader)) {
                    None => {
                        self.agenda.add(at + AGAIN, step);
                        None
                    }
                    Some(leader) => Some(self.kill(at, leader, back, cluster).await),
                }
            }
            Step::KillRandom => {
                self.agenda.add((at / SECOND + 1) * SECOND, step);
                match self.victim() {
                    None => None,
                    Some(victim) => Some(self.kill(at, victim, None, cluster).await),
                }
            }
            Step::Restart(id) => {
                if !self.restart(id, cluster) {
                    return Ok(None);
                }
                let goal = self.progress(id, cluster).await;
                self.agenda.add(at + AGAIN, Step::Follow(id, goal));
                Some(format!("restart {id}"))
            }
            Step::Follow(id, goal) => {
                let status = timeout(PATIENCE, cluster.status(id)).await;
                match status.ok().flatten() {
                    Some(status) if status.applied >= goal && status.is_voter => {
                        self.ailments.recovered(id);
                    }
                    _ => self.agenda.add(at + AGAIN, step),
                }
                None
            }
            Step::StopCache | Step::StartCache => {
                self.switch_cache(step == Step::StopCache, cluster)?
            }
            Step::Cut(id) => {
                cluster.cut(id, true);
                self.ailments.cut_off(id);
                Some(format!("cut {id}"))
            }
            Step::Join(id) => {
                cluster.cut(id, false);
                self.ailments.joined(id);
                Some(format!("join {id}"))
            }
        })
    }

    /// Starts a replica that was killed. Returns whether that was possible.
    fn restart<D: Deployment>(&mut self, id: ReplicaId, cluster: &mut D) -> bool {
        let started = cluster.restart(id);
        let (ailment, is_back) = match started {
            Ok(()) => (Ailment::CatchingUp, true),
            Err(error) => {
                let why = format!("{id} could not be started again: {error:#}");
                self.gone.push(why);
                (Ailment::Gone, false)
            }
        };
        self.ailments.set(id, ailment);
        is_back
    }

    async fn kill<D: Deployment>(
        &mut self,
        at: Micros,
        id: ReplicaId,
        back: Option<Micros>,
        cluster: &mut D,
    ) -> String {
        cluster.kill(id).await;
        self.ailments.set(id, Ailment::Dead);
        if self.ailments.returns(id) {
            let at = at + back.unwrap_or(SECOND);
            self.agenda.add(at, Step::Restart(id));
        }
        format!("kill {id}")
    }

    /// A random replica of a random group of which all replicas are well; the next such group if
    /// that one is not.
    fn victim(&mut self) -> Option<ReplicaId> {
        let (first, member) = (self.rng.random::<u64>(), self.rng.random::<u64>());
        let groups: Vec<GroupId> = self.topology.groups().iter().collect();
        let first = (first % groups.len() as u64) as usize;
        let well = |group: &GroupId| self.ailments.is_group_well(*group);
        let mut in_turn = groups[first..].iter().chain(&groups[..first]).copied();
        let group = in_turn.find(well)?;
        let index = (member % u64::from(self.topology.replica_count(group))) as u8;
        Some(ReplicaId { group, index })
    }

    /// How much the other replicas of a replica's group have applied.
    async fn progress<D: Deployment>(&self, id: ReplicaId, cluster: &mut D) -> u64 {
        let mut most = 0;
        for other in self.topology.members(id.group) {
            if other != id && self.ailments.is_well(other) {
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
            cache.restart()?;
        }
        Ok(Some(if stop { "stop cache" } else { "start cache" }.into()))
    }

    /// Nothing is to be broken any more: everything comes back that can.
    ///
    /// # Errors
    /// If the cache does not come back.
    pub(crate) fn end<D: Deployment>(&mut self, cluster: &mut D) -> Result<()> {
        self.agenda.clear();
        for id in self.ailments.with(Ailment::CutOff) {
            cluster.cut(id, false);
            self.ailments.joined(id);
        }
        if self.cache_stopped {
            self.switch_cache(false, cluster).context("the cache")?;
        }
        for id in self.ailments.with(Ailment::Dead) {
            if self.ailments.returns(id) {
                self.restart(id, cluster);
            }
        }
        Ok(())
    }
}
