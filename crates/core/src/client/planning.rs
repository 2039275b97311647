//! What precedes an attempt: finding out where the objects are, and gathering them where that is asked for.

use super::plan::{destinations, gathering_place, needs_owner};
use super::task::{Stage, Task};
use super::{ClientEngine, ClientOutbox, Execution};
use crate::answer::ClientMessage;
use crate::command::Request;
use crate::hooks::CacheCall;
use crate::id::ObjectId;
use crate::limits::GATHER_WINDOW;
use crate::oracle::{Guess, Oracle};
use crate::time::LocalTime;
use std::collections::BTreeSet;

impl<O: Oracle> ClientEngine<O> {
    /// Finds out where the objects are, gathers them if asked to, and makes the next attempt.
    pub(super) fn plan(&mut self, now: LocalTime, ticket: u64, out: &mut ClientOutbox) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        if task.budget == 0 {
            task.cost.fallbacks = 1;
            self.attempt(now, ticket, self.placement.topology().groups(), out);
            return;
        }
        let mut missing = BTreeSet::new();
        for (object, intent) in task.request.intents() {
            if !needs_owner(intent) {
                continue;
            }
            let known = self.hints.get(*object).map(|hint| hint.owner);
            let guessed = || match self.placement.guess(*object) {
                Guess::At(partition) => Some(partition),
                Guess::Ask(_) | Guess::Shared { .. } => None,
            };
            match known.or_else(guessed) {
                Some(owner) => {
                    task.beliefs.owners.insert(*object, owner);
                }
                None => {
                    missing.insert(*object);
                }
            }
        }
        if missing.is_empty() {
            self.proceed(now, ticket, out);
            return;
        }
        let asked: Vec<ObjectId> = missing.iter().copied().collect();
        task.stage = Stage::Consulting {
            missing,
            asked: now,
            repeats: 0,
        };
        for object in asked {
            let waiters = self.lookups.entry(object).or_default();
            waiters.push(ticket);
            if waiters.len() == 1 {
                self.consult(object, true, out);
            }
        }
    }

    /// Asks for hints on an object: the shared cache first where there is one, else (or then) an oracle.
    pub(super) fn consult(&mut self, object: ObjectId, first: bool, out: &mut ClientOutbox) {
        let groups = match self.placement.guess(object) {
            Guess::Shared { key, .. } if first => {
                out.cache.push(CacheCall::Get { key });
                return;
            }
            Guess::Shared { otherwise, .. } => otherwise,
            Guess::Ask(groups) => groups,
            Guess::At(partition) => partition.into(),
        };
        let spread = self.placement.topology().spread(object).into();
        let Some(group) = Some(spread)
            .filter(|&g| groups.contains(g))
            .or(groups.first())
        else {
            return;
        };
        for ticket in self.lookups.get(&object).into_iter().flatten() {
            if let Some(task) = self.tasks.get_mut(ticket) {
                task.cost.oracle_consults += 1;
            }
        }
        let to = self.contacts.leader(group);
        match out.messages.last_mut() {
            Some((last, ClientMessage::Consult(objects))) if *last == to => objects.push(object),
            _ => out
                .messages
                .push((to, ClientMessage::Consult(vec![object]))),
        }
    }

    pub(super) fn count_cache(&mut self, object: ObjectId, hit: bool) {
        for ticket in self.lookups.get(&object).into_iter().flatten() {
            if let Some(task) = self.tasks.get_mut(ticket) {
                task.cost.cache_hits += u32::from(hit);
                task.cost.cache_misses += u32::from(!hit);
            }
        }
    }

    /// Consultations on these objects have ended, with a hint or without.
    pub(super) fn informed(
        &mut self,
        now: LocalTime,
        objects: impl IntoIterator<Item = ObjectId>,
        out: &mut ClientOutbox,
    ) {
        for object in objects {
            let owner = self.hints.get(object).map(|hint| hint.owner);
            for ticket in self.lookups.remove(&object).unwrap_or_default() {
                let Some(task) = self.tasks.get_mut(&ticket) else {
                    continue;
                };
                let Stage::Consulting { missing, .. } = &mut task.stage else {
                    continue;
                };
                missing.remove(&object);
                let ready = missing.is_empty();
                match owner {
                    Some(owner) => task.beliefs.owners.insert(object, owner),
                    None => task.beliefs.owners.remove(&object),
                };
                if ready {
                    self.proceed(now, ticket, out);
                }
            }
        }
    }

    /// All is known that can be: gather, or attempt.
    pub(super) fn proceed(&mut self, now: LocalTime, ticket: u64, out: &mut ClientOutbox) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        let gathers = self.settings.execution == Execution::Gather && self.placement.movable();
        let place =
            gathering_place(&task.request, &task.beliefs).filter(|_| gathers && !task.gathered);
        if let Some(to) = place {
            let elsewhere = task
                .beliefs
                .owners
                .iter()
                .filter(|(_, owner)| **owner != to);
            let queue = elsewhere
                .map(|(&object, _)| Request::relocate(object, to))
                .collect();
            task.stage = Stage::Gathering {
                queue,
                under_way: 0,
            };
            self.gather(now, ticket, out);
            return;
        }
        let groups = destinations(&self.placement, &task.request, &task.beliefs);
        if self.query(now, ticket, groups, out) {
            return;
        }
        self.attempt(now, ticket, groups, out);
    }

    /// Starts as many of the task's moves as the window allows; goes on when all have ended.
    pub(super) fn gather(&mut self, now: LocalTime, ticket: u64, out: &mut ClientOutbox) {
        while let Some(task) = self.tasks.get_mut(&ticket) {
            let Stage::Gathering { queue, under_way } = &mut task.stage else {
                return;
            };
            if *under_way >= GATHER_WINDOW {
                return;
            }
            let Some(request) = queue.pop() else {
                if *under_way == 0 {
                    task.gathered = true;
                    self.plan(now, ticket, out);
                }
                return;
            };
            *under_way += 1;
            let mut step = Task::new(request, Some(ticket), now);
            step.budget = task.budget;
            let step = self.enlist(step);
            self.waiting.push_back(step);
            self.admit(now, out);
        }
    }

    /// A move made for `parent` has ended.
    pub(super) fn gathered(
        &mut self,
        now: LocalTime,
        parent: u64,
        step: &Task,
        out: &mut ClientOutbox,
    ) {
        let Some(task) = self.tasks.get_mut(&parent) else {
            return;
        };
        task.cost.moves += 1;
        task.cost.retries += step.cost.retries;
        task.cost.groups += step.cost.groups;
        task.cost.oracle_consults += step.cost.oracle_consults;
        task.budget = task.budget.saturating_sub(step.cost.retries.min(255) as u8);
        if let Stage::Gathering { under_way, .. } = &mut task.stage {
            *under_way -= 1;
        }
        self.gather(now, parent, out);
    }
}
