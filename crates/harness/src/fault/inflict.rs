//! Carries out a fault schedule: takes steps from the agenda, each of which may add others.
//!
//! Random choices come from the run's seed; when a replica has caught up depends on the machine.
//! Invariant: after [`Faults::end`] everything works again that can come back, and
//! [`Faults::gone`] says what could not.

use super::agenda::{Agenda, SECOND, Step};
use super::ailments::{Ailment, Ailments};
use super::dice::Dice;
use super::grammar::{Fault, ORACLE};
use super::mark::Mark;
use super::trouble::Trouble;
use super::word::Word;
use crate::deploy::deployment::Deployment;
use crate::deploy::disks::Disks;
use crate::health::loss;
use crate::settings::names::DurabilityName;
use anyhow::{Context, Result};
use ssmr_core::{GroupId, Micros, ReplicaId, Topology};
use ssmr_net::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How much later something is tried that waits for the cluster: an election, or a replica that
/// catches up.
const AGAIN: Micros = 20_000;

/// How long a replica may take to say how it is before it is asked again.
const PATIENCE: Duration = Duration::from_millis(200);

/// A schedule under way.
pub(crate) struct Faults<'a> {
    topology: Topology,
    dice: Dice,
    agenda: Agenda,
    ailments: Ailments,
    /// What is broken and to be mended.
    troubles: BTreeSet<Trouble>,
    disks: &'a Disks,
    /// What was done, in order.
    pub(crate) marks: Vec<Mark>,
    /// How often each word struck.
    pub(crate) struck: BTreeMap<Word, u64>,
    /// What did not come back although it should have, and why.
    pub(crate) gone: Vec<String>,
}

impl<'a> Faults<'a> {
    /// The faults of a schedule that have a target in this topology. `disks` are those that can be
    /// full.
    pub(crate) fn new(
        schedule: &[Fault],
        topology: Topology,
        durability: DurabilityName,
        seed: u64,
        disks: &'a Disks,
    ) -> Self {
        Self {
            topology,
            dice: Dice::new(seed),
            agenda: Agenda::new(schedule, &topology),
            ailments: Ailments::new(topology, durability),
            troubles: BTreeSet::new(),
            disks,
            marks: Vec::new(),
            struck: BTreeMap::new(),
            gone: Vec::new(),
        }
    }

    /// Whether nothing is to be broken.
    pub(crate) fn is_empty(&self) -> bool {
        self.agenda.was_always_empty()
    }

    /// Does what is due, from `from` on, until a group is lost to more than the schedule, or it is
    /// dropped. `say` is told. Returns the group.
    ///
    /// # Errors
    /// If a cache or a disk does not do what it is to do.
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
            let returning = self.ailments.returning();
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
                    Some(leader) => {
                        let is_oracle = group.to_string() == ORACLE;
                        self.count(match is_oracle {
                            true => Word::KillOracleLeader,
                            false => Word::KillLeader,
                        });
                        Some(self.kill(at, leader, back, cluster).await)
                    }
                }
            }
            Step::Kill(id, back) if self.ailments.may_die(id) => {
                self.count(Word::Kill);
                Some(self.kill(at, id, back, cluster).await)
            }
            Step::Kill(..) => {
                self.agenda.add(at + AGAIN, step);
                None
            }
            Step::Draw(ref words) => {
                let caches = cluster.caches();
                let has_target = |word: &Word| !word.is_of_caches() || caches.can(*word);
                let words: Vec<Word> = words.iter().copied().filter(has_target).collect();
                let servers = caches.server_count();
                if let Some((first, then)) = self.dice.throw(&words, &self.ailments, servers) {
                    self.agenda.add(at, first);
                    if let Some((later, step)) = then {
                        self.agenda.add(at + later, step);
                    }
                }
                self.agenda.add((at / SECOND + 1) * SECOND, step);
                None
            }
            Step::Restart(id) if self.ailments.of(id) == Some(Ailment::Dead) => {
                self.bring_back(at, id, cluster).await
            }
            Step::Restart(_) => None,
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
            Step::Break(trouble) => self.begin(trouble, cluster)?,
            Step::Mend(trouble) => self.mend(at, trouble, cluster).await?,
            Step::Flush if cluster.caches().can(Word::FlushCache) => {
                cluster.caches().flush().await;
                self.count(Word::FlushCache);
                Some("flush cache".into())
            }
            Step::Flush => None,
        })
    }

    fn count(&mut self, word: Word) {
        *self.struck.entry(word).or_default() += 1;
    }

    /// Breaks something, unless it is broken already or is not there. Returns what there is to
    /// tell.
    fn begin<D: Deployment>(
        &mut self,
        trouble: Trouble,
        cluster: &mut D,
    ) -> Result<Option<String>> {
        let word = trouble.word();
        let has_target = !word.is_of_caches() || cluster.caches().can(word);
        if !has_target || !self.troubles.insert(trouble) {
            return Ok(None);
        }
        match trouble {
            Trouble::Paused(id) => {
                cluster.pause(id, true);
                self.ailments.hinder(id);
            }
            Trouble::Cut(id, cut) => {
                cluster.cut(id, cut, true);
                self.ailments.hinder(id);
            }
            Trouble::FullDisk(id) => {
                self.disks.fill(id)?;
                if self.ailments.of(id) != Some(Ailment::Dead) {
                    self.ailments.set(id, Ailment::OutOfSpace);
                }
            }
            Trouble::StoppedCache => cluster.caches().stop(),
            Trouble::DeadCache(number) => cluster.caches().kill(number),
            Trouble::FrozenCache(number) => cluster.caches().freeze(number, true),
            Trouble::CutCache(number) => cluster.caches().cut(number, true),
        }
        self.count(word);
        Ok(Some(trouble.begun()))
    }

    /// Puts something right again, unless it is. A replica that had something catches up from now
    /// on.
    async fn mend<D: Deployment>(
        &mut self,
        at: Micros,
        trouble: Trouble,
        cluster: &mut D,
    ) -> Result<Option<String>> {
        if !self.put_right(trouble, cluster).await? {
            return Ok(None);
        }
        let mut told = trouble.mended();
        let (Trouble::Paused(id) | Trouble::Cut(id, _) | Trouble::FullDisk(id)) = trouble else {
            return Ok(Some(told));
        };
        match self.ailments.of(id) {
            Some(Ailment::Hindered) => {
                self.ailments.set(id, Ailment::CatchingUp);
                self.follow(at, id, cluster).await;
            }
            Some(Ailment::OutOfSpace) => {
                let back = self.bring_back(at, id, cluster).await;
                told.extend(back.map(|back| format!("; {back}")));
            }
            _ => {}
        }
        Ok(Some(told))
    }

    /// Puts something right again. Returns whether it was broken.
    async fn put_right<D: Deployment>(
        &mut self,
        trouble: Trouble,
        cluster: &mut D,
    ) -> Result<bool> {
        if !self.troubles.remove(&trouble) {
            return Ok(false);
        }
        match trouble {
            Trouble::Paused(id) => cluster.pause(id, false),
            Trouble::Cut(id, cut) => cluster.cut(id, cut, false),
            Trouble::FullDisk(id) => {
                self.disks.free(id)?;
                if self.ailments.of(id) == Some(Ailment::OutOfSpace) {
                    // It may not have noticed.
                    cluster.kill(id).await;
                }
            }
            Trouble::StoppedCache => cluster.caches().restart().context("the cache")?,
            Trouble::DeadCache(number) => cluster.caches().revive(number).await?,
            Trouble::FrozenCache(number) => cluster.caches().freeze(number, false),
            Trouble::CutCache(number) => cluster.caches().cut(number, false),
        }
        Ok(true)
    }

    /// Starts a replica that does not run, and watches it catch up. Returns what there is to tell.
    async fn bring_back<D: Deployment>(
        &mut self,
        at: Micros,
        id: ReplicaId,
        cluster: &mut D,
    ) -> Option<String> {
        if !self.restart(id, cluster) {
            return None;
        }
        self.follow(at, id, cluster).await;
        Some(format!("restart {id}"))
    }

    /// Watches a replica catch up with the others.
    async fn follow<D: Deployment>(&mut self, at: Micros, id: ReplicaId, cluster: &mut D) {
        let goal = self.progress(id, cluster).await;
        self.agenda.add(at + AGAIN, Step::Follow(id, goal));
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

    /// Nothing is to be broken any more: everything comes back that can.
    ///
    /// # Errors
    /// If a cache or a disk does not come back.
    pub(crate) async fn end<D: Deployment>(&mut self, cluster: &mut D) -> Result<()> {
        self.agenda.clear();
        for trouble in self.troubles.clone() {
            self.put_right(trouble, cluster).await?;
        }
        for id in self.ailments.returning() {
            // One whose disk was full may not have noticed.
            cluster.kill(id).await;
            self.restart(id, cluster);
        }
        Ok(())
    }
}
