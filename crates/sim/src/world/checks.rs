//! The invariants of a world, and what becomes known of it: at every step, once all is quiet, and
//! when it is stuck.

use super::{Member, World};
use crate::violation::{InvariantViolation, Stall};
use crate::watch::Watch;
use ssmr_core::limits::SESSION_TTL;
use ssmr_core::{ClientId, GroupId, ObjectId, Partition, ReplicaId, ServerMessage};
use std::collections::BTreeMap;

impl World {
    /// A client is told something: answers to one attempt of its own are all the same.
    pub(super) fn watch_answer(&mut self, to: ClientId, message: &ServerMessage) {
        // What bears one name need not be one command, if twins or hostile clients gave it.
        let is_honest = self.users.contains_key(&to) && !self.twins.contains_key(&to);
        if let ServerMessage::Answer { answer, .. } = message
            && is_honest
            && let Err(violation) = self.watch.answer(answer)
        {
            self.violation = self.violation.take().or(Some(violation));
        }
    }

    /// Checks what can be checked at every step.
    pub(super) fn look_at(&mut self, id: ReplicaId) {
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        let applied = member.replica.status().applied;
        if applied == member.applied {
            return;
        }
        member.applied = applied;
        let watched = member.replica.partition_mut();
        self.report.restores += std::mem::take(&mut watched.restores);
        let fresh = std::mem::take(&mut watched.delivered);
        let steps = watched.steps.as_mut().map(std::mem::take);
        self.trace
            .applied(self.now, id.group, steps.unwrap_or_default());
        let before = member.replica.partition().engine.delivered_count() as usize - fresh.len();
        let delivered = self.watch.deliver(id.group, before, &fresh);
        let mut verdict = delivered.map_err(InvariantViolation::from);
        if applied % 4 == 0 {
            let digest = member.replica.digest();
            verdict = verdict.and_then(|()| self.watch.digest(id.group, applied, digest));
        }
        self.violation = self.violation.take().or(verdict.err());
    }

    /// Checks what must hold once nothing is under way any more: agreement, completeness,
    /// ownership.
    ///
    /// # Errors
    /// With the invariant that was violated.
    pub fn check_quiet(&mut self) -> Result<(), InvariantViolation> {
        self.watch.complete()?;
        for group in self.topology.groups().iter() {
            let Some(furthest) = self.furthest(group) else {
                continue;
            };
            let engine = &self.members[&furthest].replica.partition().engine;
            let unfinished = engine.unfinished_count();
            if unfinished > 0 {
                return Err(Stall::Queues { group, unfinished }.into());
            }
            let order = self.members[&furthest].replica.multicast();
            let sessions = engine.sessions().filter(|id| !order.remembers(*id)).count();
            if sessions > 0 {
                return Err(Stall::Sessions { group, sessions }.into());
            }
            for id in self.living(group).collect::<Vec<_>>() {
                let member = &self.members[&id];
                let digest = member.replica.digest();
                self.watch.digest(group, member.applied, digest)?;
            }
        }
        (self.report.delivered, self.report.multi_group) = self.watch.counts();
        Watch::ownership(self.owned())
    }

    /// Which group owns each object, as far as the replicas know that know most.
    pub(crate) fn owners(&self) -> BTreeMap<ObjectId, GroupId> {
        self.owned()
            .map(|(group, object)| (object, group))
            .collect()
    }

    fn owned(&self) -> impl Iterator<Item = (GroupId, ObjectId)> {
        let groups = self.topology.groups();
        let furthest = groups.iter().filter_map(|group| self.furthest(group));
        let owned = furthest.map(|id| {
            let engine = &self.members[&id].replica.partition().engine;
            let objects = engine.objects().map(|(object, _, _)| (id.group, object));
            objects.collect::<Vec<_>>()
        });
        owned.collect::<Vec<_>>().into_iter().flatten()
    }

    /// The replica of a group that has applied most.
    fn furthest(&self, group: GroupId) -> Option<ReplicaId> {
        self.living(group).max_by_key(|id| self.members[id].applied)
    }

    /// The group at which a client believes an object to be.
    pub(crate) fn believes(&mut self, id: ClientId, object: ObjectId) -> Option<GroupId> {
        let user = self.users.get_mut(&id)?;
        user.client.believed_owner(object).map(GroupId::from)
    }

    /// Says what became of commands whose clients died, or had given them up: as they learned late,
    /// or as the groups say. Where sessions expire, a group that says nothing may have forgotten.
    pub fn attribute(&mut self) {
        let forgets = self.options.profile.session_ttl() < SESSION_TTL;
        let unanswered: Vec<_> = self.history.unanswered().collect();
        for (operation, id) in unanswered {
            let mut recorded = self
                .members
                .values()
                .filter_map(|member| member.replica.partition().recorded(id).cloned());
            let late = self.late_answers.get(&id).cloned();
            let answer = late.or_else(|| recorded.next());
            if answer.is_some() || !forgets {
                self.history.attribute(operation, answer.as_deref());
            }
        }
    }

    /// How everybody stands, for the message of a run that got stuck.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (
            id,
            Member {
                replica, applied, ..
            },
        ) in &self.members
        {
            let (order, engine) = (replica.multicast(), &replica.partition().engine);
            let role = if replica.status().is_leader {
                "leads"
            } else {
                "follows"
            };
            let (unfinished, order) = (engine.unfinished_count(), order.describe());
            text += &format!("\n{id} {role}, applied {applied}, unfinished {unfinished}, {order}");
        }
        for (id, user) in self
            .users
            .iter()
            .filter(|(_, user)| !user.requests.is_empty())
        {
            text += &format!("\n{id:?} waits for {}", user.client.describe());
        }
        text
    }
}
