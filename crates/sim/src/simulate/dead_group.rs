//! A group dies for good: what does not need it must go on, and is judged.
//!
//! It dies while nothing is under way. A command that other groups had timestamped by then would
//! hold back all that shares an object with it, and what shares one with that: with few objects,
//! nearly everything. Some clients then ask for what it owned, in vain; the others, and one that
//! has just come, for what it does not concern.

use super::{PATIENCE, Run};
use crate::app::{Op, Registers};
use crate::violation::{InvariantViolation, Stall};
use crate::workload::Workload;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_core::{
    ClientId, GroupId, Groups, Intent, Micros, ObjectId, Placement, ReplicaId, Request,
};
use std::collections::BTreeSet;

/// A group that has lost its majority.
#[derive(Debug)]
pub(super) struct DeadGroup {
    group: GroupId,
    /// What it owned, and always will.
    owned: BTreeSet<ObjectId>,
}

/// The client that comes when the group is dead.
const NEWCOMER: ClientId = ClientId(1 << 20);
/// How long all clients wait for one that was misled, in case it is not.
const MISLED: Micros = 20_000_000;
/// How often a client looks for a request that does not concern the dead group.
const DRAWS: usize = 64;

impl Run {
    /// A partition loses its majority for good, unless there is no other one. Returns whether what
    /// is left goes on for all; if not, because a client was misled, nothing more can be asked.
    pub(super) fn lose_group(&mut self) -> Result<bool, InvariantViolation> {
        let partitions: Vec<GroupId> = self.world.topology.partitions().iter().collect();
        if partitions.len() < 2 {
            return Ok(true);
        }
        self.settle()?;
        let dead = partitions[self.world.chance().random_range(0..partitions.len())];
        let mut owned = self.world.owners();
        owned.retain(|_, owner| *owner == dead);
        let owned: BTreeSet<ObjectId> = owned.into_keys().collect();
        self.stop_majority(dead);
        let (stuck, free): (Vec<_>, Vec<_>) =
            self.clients.keys().copied().partition(|id| id.0 % 2 == 1);
        for (mark, &id) in (u64::MAX / 2..).zip(&stuck) {
            // Who looks for it elsewhere would hold other groups up.
            let sure = owned
                .iter()
                .filter(|object| self.world.believes(id, **object) == Some(dead));
            for object in sure.copied().collect::<Vec<_>>() {
                let op = Op::Update(vec![object], mark);
                self.world.submit(id, Request::access::<Registers>(&op));
            }
        }
        self.dead = Some(DeadGroup { group: dead, owned });
        self.world.dead = Some(dead);
        self.newcomer();
        let goes_on = self.ask_for_the_rest(&free)?;
        let mut ids: Vec<ClientId> = self.clients.keys().copied().collect();
        ids.retain(|id| self.world.outstanding(*id) > 0);
        for id in ids {
            self.clients.remove(&id);
            self.world.kill(id);
        }
        Ok(goes_on)
    }

    /// Stops a majority of a group, or more of it.
    fn stop_majority(&mut self, group: GroupId) {
        let mut members: Vec<ReplicaId> = self.world.topology.members(group).collect();
        members.shuffle(self.world.chance());
        let least = members.len() / 2 + 1;
        let count = self.world.chance().random_range(least..=members.len());
        members[..count].iter().for_each(|id| self.world.stop(*id));
        self.world.report.dead_groups += 1;
    }

    fn newcomer(&mut self) {
        let rng = ChaCha8Rng::seed_from_u64(self.world.chance().random());
        let workload = Workload::new(
            rng,
            NEWCOMER.0,
            self.options.objects,
            self.options.partitions,
        );
        self.world.connect(NEWCOMER, &self.oracle);
        self.clients.insert(NEWCOMER, (workload, 0));
    }

    /// Clients ask for what does not concern the dead group, and must be answered. Returns whether
    /// they were; they need not be once one of them was misled.
    fn ask_for_the_rest(&mut self, clients: &[ClientId]) -> Result<bool, InvariantViolation> {
        for _ in 0..self.options.requests {
            for id in clients.iter().copied().chain([NEWCOMER]) {
                self.ask_without_it(id);
            }
            let begun = self.world.now();
            while clients
                .iter()
                .chain([&NEWCOMER])
                .any(|id| self.world.outstanding(*id) > 0)
            {
                self.step()?;
                if self.world.now() > begun + MISLED && self.any_misled(clients) {
                    self.world.report.misled += 1;
                    return Ok(false);
                }
                if self.world.now() > begun + PATIENCE {
                    let state = self.world.describe();
                    return Err(Stall::Requests { state }.into());
                }
            }
        }
        Ok(true)
    }

    /// Whether a hint has sent one of these clients to the dead group. An attempt is never given up
    /// (R5), and may hold up what others ask of the groups that have it too.
    fn any_misled(&self, clients: &[ClientId]) -> bool {
        let mut clients = clients.iter().chain([&NEWCOMER]);
        clients.any(|id| self.world.misled.contains(id))
    }

    /// A client asks for something that does not concern the dead group, as far as it knows too.
    fn ask_without_it(&mut self, id: ClientId) {
        for _ in 0..DRAWS {
            let Some((workload, _)) = self.clients.get_mut(&id) else {
                return;
            };
            let request = workload.request();
            let concerned = self.concerns_dead(&request);
            let owners = self.world.owners();
            let mut misled = false;
            for object in request.objects() {
                let believed = self.world.believes(id, object);
                misled |= believed.is_some_and(|group| owners.get(&object) != Some(&group));
            }
            if !concerned && !misled {
                self.world.submit(id, request);
                self.world.report.without_dead += 1;
                return;
            }
        }
    }

    /// Whether a request concerns the dead group, if there is one.
    pub(super) fn concerns_dead(&self, request: &Request) -> bool {
        let dead = self.dead.as_ref();
        dead.is_some_and(|dead| self.concerned(request, dead).contains(dead.group))
    }

    /// The groups that a request concerns: those that own its objects or shall, those that know
    /// where they are, and where existence matters, those that decide that. What does not exist, or
    /// soon will not, counts as the dead group's: somebody may believe that it is there, and an
    /// attempt that was sent there is never given up (R5).
    fn concerned(&self, request: &Request, dead: &DeadGroup) -> Groups {
        let mut owners = self.world.owners();
        owners.extend(dead.owned.iter().map(|object| (*object, dead.group)));
        let placement = Placement::new(self.oracle.clone(), self.world.topology);
        let mut groups = Groups::EMPTY;
        for (object, intent) in request.intents() {
            groups = groups.union(placement.directory(*object));
            let owner = owners.get(object);
            owner.into_iter().for_each(|owner| groups.insert(*owner));
            match intent {
                Intent::Create { at, .. } => {
                    groups.insert(placement.owner(*object, *at).into());
                }
                Intent::Move { to } => groups.insert((*to).into()),
                _ => {}
            }
            match (owner, intent) {
                (_, Intent::Delete) => groups.insert(dead.group),
                (_, Intent::Create { .. } | Intent::Lookup) => {
                    groups = groups.union(placement.authority(*object));
                }
                (None, _) => groups.insert(dead.group),
                (Some(_), _) => {}
            }
        }
        groups
    }
}
