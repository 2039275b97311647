//! What the engine sends, to whom, and what it costs: greetings, consultations, queries and
//! attempts.

use super::plan::{adviser, consulted};
use super::task::{Stage, Ticket};
use super::{ClientEngine, ClientOutbox};
use crate::answer::ClientMessage;
use crate::command::{Command, CommandId};
use crate::hooks::CacheCall;
use crate::id::{GroupId, Groups, ObjectId, PartitionId};
use crate::limits::MAX_OBJECTS;
use crate::oracle::Guess;
use crate::read::Query;
use crate::time::LocalTime;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often the same group is asked, which takes about as long as an election may.
const ELECTION: u32 = 4;

impl ClientEngine {
    /// Asks the groups that have not told their time for it, if that is due.
    pub(super) fn greet(&mut self, now: LocalTime, out: &mut ClientOutbox) {
        let Some(round) = self.greetings.poll_round(now) else {
            return;
        };
        for group in round.groups.iter() {
            if let Some(before) = round.before {
                self.contacts.suspect(now, group, before);
            }
            let to = self.contacts.leader(group);
            out.messages.push((to, ClientMessage::Hello));
        }
    }

    /// A group's leader is another than was believed: it is greeted instead.
    pub(super) fn greet_again(&self, group: GroupId, out: &mut ClientOutbox) {
        if self.greetings.await_time_of(group) {
            let to = self.contacts.leader(group);
            out.messages.push((to, ClientMessage::Hello));
        }
    }

    /// Takes over the owners that are known, and asks for hints on the other objects, unless a hint
    /// on one is awaited already.
    pub(super) fn locate(
        &mut self,
        now: LocalTime,
        ticket: Ticket,
        known: Vec<(ObjectId, PartitionId)>,
        missing: BTreeSet<ObjectId>,
        out: &mut ClientOutbox,
    ) {
        for (object, owner) in known {
            self.hints.refresh(object);
            self.tasks[ticket].beliefs.owners.insert(object, owner);
        }
        let asked: Vec<ObjectId> = missing.iter().copied().collect();
        let stage = Stage::Locating {
            missing,
            asked: now,
            repeats: 0,
        };
        if asked.is_empty() {
            self.go_on(ticket, stage);
            return;
        }
        self.tasks[ticket].stage = stage;
        for object in asked {
            if self.lookups.join(object, ticket) {
                self.ask(object, out);
            }
        }
    }

    /// Asks for a hint on an object for the first time: the shared cache, where there is one.
    fn ask(&mut self, object: ObjectId, out: &mut ClientOutbox) {
        match self.placement.guess(object) {
            Guess::Shared { key, .. } => out.cache.push(CacheCall::Get { key }),
            Guess::Ask(_) | Guess::At(_) => self.consult(object, 0, out),
        }
    }

    /// Asks an oracle for a hint on an object, for the first time or once more: the next group that
    /// can tell when one has been silent for as long as an election takes, for it may be dead.
    pub(super) fn consult(&mut self, object: ObjectId, repeats: u32, out: &mut ClientOutbox) {
        let Some(group) = adviser(&self.placement, object, repeats / ELECTION) else {
            return;
        };
        for ticket in self.lookups.waiters(object) {
            self.tasks[*ticket].cost.oracle_consults += 1;
        }
        let to = self.contacts.leader(group);
        match out.messages.last_mut() {
            Some((last, ClientMessage::Consult(objects)))
                if *last == to && objects.len() < MAX_OBJECTS =>
            {
                objects.push(object);
            }
            _ => out
                .messages
                .push((to, ClientMessage::Consult(vec![object]))),
        }
    }

    /// Asks for the missing hints again.
    pub(super) fn ask_again(&mut self, now: LocalTime, ticket: Ticket, out: &mut ClientOutbox) {
        let Stage::Locating {
            missing,
            asked,
            repeats,
        } = &mut self.tasks[ticket].stage
        else {
            panic!("task {ticket} waits for no hints");
        };
        let (objects, before) = (missing.clone(), *asked);
        *asked = now;
        *repeats += 1;
        let repeats = *repeats;
        for object in objects {
            for group in consulted(&self.placement, object).iter() {
                self.contacts.suspect(now, group, before);
            }
            self.consult(object, repeats, out);
        }
    }

    /// Asks the leader of one partition without ordering the request. Nothing is owed to a query:
    /// declined or unanswered, the request goes the ordered way.
    pub(super) fn query(
        &mut self,
        now: LocalTime,
        ticket: Ticket,
        group: GroupId,
        out: &mut ClientOutbox,
    ) {
        let (session, number) = self.number(ticket, group.into());
        let task = &mut self.tasks[ticket];
        task.queried = true;
        task.cost.groups += 1;
        let query = Arc::new(Query {
            id: CommandId {
                session,
                number,
                attempt: 0,
            },
            reads: self.policy.reads,
            request: task.request.clone(),
        });
        let wanted = task.take_wanted();
        let to = self.contacts.leader(group);
        out.messages.push((to, ClientMessage::Query(query.clone())));
        out.messages.extend(wanted.map(|wanted| (to, wanted)));
        task.stage = Stage::Querying {
            query,
            group,
            sent: now,
        };
    }

    /// Gives an unanswered query up for an attempt.
    pub(super) fn stop_query(&mut self, now: LocalTime, ticket: Ticket) {
        if let Stage::Querying { group, sent, .. } = self.tasks[ticket].stage {
            self.contacts.suspect(now, group, sent);
        }
        self.plan(ticket);
    }

    /// Makes the next attempt.
    pub(super) fn attempt(
        &mut self,
        now: LocalTime,
        ticket: Ticket,
        destinations: Groups,
        out: &mut ClientOutbox,
    ) {
        let (session, number) = self.number(ticket, destinations);
        let task = &mut self.tasks[ticket];
        let partitions = destinations.iter().filter_map(GroupId::partition);
        task.attempts += 1;
        task.cost.stages = None;
        task.cost.groups += destinations.len() as u32;
        task.cost.multi_partition = partitions.count() > 1;
        let id = CommandId {
            session,
            number,
            attempt: task.attempts,
        };
        task.last_attempt = Some(id);
        let command = Arc::new(Command {
            low_watermark: self.sessions.low_watermark(destinations),
            clock: self.clock,
            ..Command::new(id, destinations, task.request.clone())
        });
        let wanted = task.take_wanted();
        for group in destinations.iter() {
            let to = self.contacts.leader(group);
            out.messages
                .push((to, ClientMessage::Submit(command.clone())));
            out.messages
                .extend(wanted.clone().map(|wanted| (to, wanted)));
        }
        task.stage = Stage::Attempting {
            command,
            sent: now,
            repeats: 0,
        };
    }

    /// Sends the same attempt again, to whoever may lead its destinations by now (rule R5).
    pub(super) fn repeat(&mut self, now: LocalTime, ticket: Ticket, out: &mut ClientOutbox) {
        let Stage::Attempting {
            command,
            sent,
            repeats,
        } = &mut self.tasks[ticket].stage
        else {
            panic!("task {ticket} has no attempt to repeat");
        };
        let before = *sent;
        *sent = now;
        *repeats += 1;
        for group in command.destinations.iter() {
            self.contacts.suspect(now, group, before);
            let to = self.contacts.leader(group);
            out.messages
                .push((to, ClientMessage::Submit(command.clone())));
        }
    }

    /// A group's leader is another than was believed: what the group was sent goes there at once.
    pub(super) fn send_again(&mut self, now: LocalTime, group: GroupId, out: &mut ClientOutbox) {
        let to = self.contacts.leader(group);
        let messages = self
            .tasks
            .iter_mut()
            .filter_map(|task| task.send_again(now, group));
        out.messages.extend(messages.map(|message| (to, message)));
    }
}
