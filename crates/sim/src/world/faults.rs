//! What seeded faults are made of: replicas that stop, crash and come back, clients that die, links
//! that fail.
//!
//! When which of it happens is not decided here ([`simulate`](crate::simulate())).

use super::capacity::Work;
use super::clocks::MachineClock;
use super::pauses::Pause;
use super::{Capacity, Member, World, WorldEvent};
use crate::network::Seat;
use crate::watch::Watched;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use ssmr_core::multicast::TICK;
use ssmr_core::{
    ClientId, Command, Engine, GroupId, LocalTime, LogicalClock, Placement, Replica, ReplicaId,
};
use ssmr_log::MemberId;
use ssmr_multicast::{GroupMulticast, MulticastSettings};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

impl World {
    /// The replicas of a group that are not stopped.
    pub fn living(&self, group: GroupId) -> impl Iterator<Item = ReplicaId> {
        self.topology
            .members(group)
            .filter(|id| self.members.contains_key(id))
    }

    /// How many replicas of a group have not been stopped for good.
    pub(crate) fn remaining(&self, group: GroupId) -> usize {
        self.topology
            .members(group)
            .filter(|id| !self.stopped.contains(id))
            .count()
    }

    /// The replica that leads a group.
    #[must_use]
    pub fn leader(&self, group: GroupId) -> Option<ReplicaId> {
        self.living(group)
            .find(|id| self.members[id].replica.status().is_leader)
    }

    /// The greatest clock of any living replica of a group.
    pub(crate) fn clock(&self, group: GroupId) -> LogicalClock {
        let clock = |id| self.members[&id].replica.status().clock;
        self.living(group).map(clock).max().unwrap_or_default()
    }

    /// Starts a replica with what it has stored.
    pub fn start(&mut self, id: ReplicaId) {
        if self.members.contains_key(&id) {
            return;
        }
        let Some(stored) = self.open(id) else { return };
        let limits = self.options.profile.limits();
        let settings = MulticastSettings {
            seed: self.rng.random(),
            log_bytes: self.options.log_bytes,
            session_ttl: self.options.profile.session_ttl(),
            batch_bytes: limits.batch_bytes,
            chunk_bytes: limits.chunk_bytes,
            round_trip: self.options.profile.round_trip(),
        };
        let multicast = match stored.generation {
            generation if generation > 0 && stored.term == 0 && !self.has_folders() => {
                GroupMulticast::join(id, self.topology, settings, generation)
            }
            _ => GroupMulticast::restore(id, self.topology, settings, stored),
        };
        let oracle = (self.seated)(&self.oracle, Seat::Replica(id));
        let placement = Placement::new(oracle, self.topology);
        let engine = Engine::new(id.group, placement.clone());
        let engine = engine.with_max_operands(limits.max_operands);
        let watched = Watched {
            engine,
            delivered: Vec::new(),
            restores: 0,
            steps: self.trace.listens().then(Vec::new),
        };
        let replica = Replica::new(id, placement, multicast, watched);
        self.starts += 1;
        let member = Member {
            replica,
            start: self.starts,
            applied: 0,
            clock: MachineClock::new(),
            pause: Pause::default(),
            work: self
                .options
                .profile
                .is_busy()
                .then(|| Work::of(Capacity::ORDINARY)),
            busy_until: LocalTime::ZERO,
            unstored: VecDeque::new(),
        };
        self.members.insert(id, member);
        let start = self.rng.random_range(0..TICK);
        self.schedule(start, WorldEvent::ReplicaTick(id, self.starts));
    }

    /// A replica crashes: all that it has not stored is gone.
    pub fn crash(&mut self, id: ReplicaId) {
        self.torn.remove(&id);
        self.lament(id, "crashes");
        self.report.crashes += u64::from(self.leave(id));
        self.go_down(id);
    }

    /// A replica runs no more. Returns whether it did.
    pub(super) fn leave(&mut self, id: ReplicaId) -> bool {
        let Some(member) = self.members.remove(&id) else {
            return false;
        };
        let lists = member.replica.multicast().log().possible_members();
        self.left.insert(id, lists);
        true
    }

    /// Founds every group with its replicas, as an operator does once.
    ///
    /// # Panics
    /// If one of them holds anything.
    pub(super) fn found(&mut self) {
        let now = self.now;
        for group in self.topology.groups().iter() {
            let ids: Vec<ReplicaId> = self.topology.members(group).collect();
            let member = |id: &ReplicaId| self.members[id].replica.multicast().log().member();
            let founders: BTreeSet<MemberId> = ids.iter().map(member).collect();
            let mut done = Ok(());
            for &id in &ids {
                self.with_replica(id, 1, |replica, out| {
                    let prepare = |order: &mut GroupMulticast, _: &mut _| order.prepare(&founders);
                    done = replica.with_multicast(prepare, out);
                });
                assert!(done.is_ok(), "{id} does not prepare: {done:?}");
            }
            self.with_replica(ids[0], 1, |replica, out| {
                let found =
                    |order: &mut GroupMulticast, out: &mut _| order.found(now, &founders, out);
                done = replica.with_multicast(found, out);
            });
            assert!(done.is_ok(), "{group} is not founded: {done:?}");
        }
    }

    /// Starts every replica that has crashed. None is about to crash any more.
    pub(crate) fn start_all(&mut self) {
        self.torn.clear();
        let all = self.topology.replicas();
        let all: Vec<ReplicaId> = all.filter(|id| !self.stopped.contains(id)).collect();
        self.note(|| "all that have crashed start".into());
        all.into_iter().for_each(|id| self.start(id));
    }

    /// Stops a replica for good.
    pub fn stop(&mut self, id: ReplicaId) {
        self.lament(id, "stops for good");
        self.stopped.insert(id);
        self.report.stops += u64::from(self.leave(id));
        self.go_down(id);
    }

    /// Notes what becomes of a replica. Which one of its group it is would be chance.
    pub(super) fn lament(&mut self, id: ReplicaId, what: &str) {
        let leads = |member: &Member| member.replica.status().is_leader;
        let role = match self.members.get(&id).map(leads) {
            Some(true) => "the leader",
            Some(false) => "a follower",
            None => return,
        };
        self.note(|| format!("{role} of {} {what}", id.group));
    }

    /// A client dies. What it had outstanding is in the history as unanswered.
    pub fn kill(&mut self, id: ClientId) {
        let Some(user) = self.users.remove(&id) else {
            return;
        };
        self.report.deaths += 1;
        self.note(|| format!("{id:?} dies"));
        for (ticket, (request, invoked)) in user.requests {
            let completion = user.client.abandoned(ticket, invoked, self.now);
            self.history.push(id, &request, &completion);
        }
    }

    /// Somebody who need not be one of the world's clients hands a command in.
    pub(crate) fn hand_in(&mut self, to: ReplicaId, command: &Arc<Command>) {
        let from = Seat::Client(command.id.session.client);
        self.send(0, from, Seat::Replica(to), |_| {
            WorldEvent::handed_in(to, command)
        });
    }

    /// The world's own random numbers, for faults.
    pub(crate) fn chance(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    /// Cuts a replica off from some or all others.
    pub(crate) fn isolate(&mut self, victim: ReplicaId) {
        let others: Vec<Seat> = self.members.keys().copied().map(Seat::Replica).collect();
        self.report.cuts += 1;
        self.note(|| format!("{victim} is cut off from others"));
        self.network
            .isolate(&mut self.rng, Seat::Replica(victim), &others);
    }

    /// Cuts a replica off from its own group; unless it still `speaks`, or still `hears`.
    pub(crate) fn sever(&mut self, victim: ReplicaId, speaks: bool, hears: bool) {
        self.report.cuts += 1;
        self.note(|| format!("a replica of {} is cut off from the others", victim.group));
        let group = self.topology.members(victim.group);
        for other in group.filter(|other| *other != victim) {
            let (victim, other) = (Seat::Replica(victim), Seat::Replica(other));
            if !speaks {
                self.network.cut(victim, other);
            }
            if !hears {
                self.network.cut(other, victim);
            }
        }
    }

    /// Cuts a client off from some or all replicas, in one direction or both.
    pub(crate) fn isolate_client(&mut self, victim: ClientId) {
        let replicas: Vec<Seat> = self.topology.replicas().map(Seat::Replica).collect();
        self.report.client_cuts += 1;
        self.note(|| format!("{victim:?} is cut off from replicas"));
        self.network
            .isolate(&mut self.rng, Seat::Client(victim), &replicas);
    }

    /// Makes a replica's links slow.
    pub(crate) fn slow_down(&mut self, victim: ReplicaId) {
        let others: Vec<ReplicaId> = self.members.keys().copied().collect();
        self.note(|| format!("links of {victim} are slow"));
        self.network.slow_down(&mut self.rng, victim, &others);
    }

    /// Something happens to the cache.
    pub(crate) fn hurt_cache(&mut self) {
        let what = self.cache.hurt(&mut self.rng);
        self.note(|| format!("the cache {what}"));
    }
}
