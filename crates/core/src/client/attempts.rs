//! Attempts and their answers: retry, restart in another session, completion.

use super::task::Stage;
use super::{ClientEngine, ClientOutbox};
use crate::answer::{Answer, ClientMessage, Outcome, Touch, Verdict};
use crate::command::{Command, CommandId, Defect, Intent};
use crate::id::{Groups, Hint, Timestamp};
use crate::oracle::Oracle;
use crate::time::LocalTime;
use std::sync::Arc;

impl<O: Oracle> ClientEngine<O> {
    pub(super) fn attempt(
        &mut self,
        now: LocalTime,
        ticket: u64,
        groups: Groups,
        out: &mut ClientOutbox,
    ) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        let Some((session, number)) = task.number else {
            return;
        };
        task.attempt += 1;
        task.cost.groups += groups.len() as u32;
        task.cost.multi_partition = groups
            .iter()
            .filter(|group| group.partition().is_some())
            .count()
            > 1;
        let command = Arc::new(Command {
            id: CommandId {
                session,
                number,
                attempt: task.attempt,
            },
            low_watermark: self.sessions.low_watermark(session),
            clock: self.clock,
            destinations: groups,
            request: task.request.clone(),
        });
        task.stage = Stage::Attempting {
            command: command.clone(),
            sent: now,
            repeats: 0,
        };
        for group in groups.iter() {
            out.messages.push((
                self.contacts.leader(group),
                ClientMessage::Submit(command.clone()),
            ));
        }
    }

    /// The task that waits for the answer to this very attempt or query.
    pub(super) fn attempting(&self, id: CommandId) -> Option<u64> {
        let ticket = *self.numbers.get(&(id.session, id.number))?;
        let task = self.tasks.get(&ticket)?;
        let awaited = match &task.stage {
            Stage::Attempting { command, .. } => command.id,
            Stage::Querying { query, .. } => query.id,
            _ => return None,
        };
        (awaited == id).then_some(ticket)
    }

    pub(super) fn on_answer(
        &mut self,
        now: LocalTime,
        answer: &Answer,
        hints: &[Hint],
        out: &mut ClientOutbox,
    ) {
        self.clock = self.clock.max(answer.timestamp.clock);
        hints.iter().for_each(|hint| self.hints.learn(*hint));
        let Some(ticket) = self.attempting(answer.id) else {
            return;
        };
        let outcome = match answer.verdict {
            Verdict::Done => Outcome::Done(answer.reply.clone()),
            Verdict::AlreadyExists => Outcome::AlreadyExists,
            Verdict::NotFound => Outcome::NotFound,
            Verdict::Changed => Outcome::Changed,
            Verdict::Failed => Outcome::Failed,
            Verdict::TooLarge => Outcome::Refused(Defect::OperandsTooLarge),
            Verdict::Retry if answer.id.attempt == 0 => {
                self.plan(now, ticket, out);
                return;
            }
            Verdict::Retry => {
                self.retry(now, ticket, hints, out);
                return;
            }
            Verdict::SessionExpired => {
                self.outlived(now, ticket, out);
                return;
            }
        };
        if let Some(task) = self.tasks.get_mut(&ticket) {
            task.cost.unordered = answer.id.attempt == 0;
        }
        self.learn(ticket, answer);
        let ordered = Some((answer.timestamp, answer.touched.clone()));
        self.complete(now, ticket, outcome, ordered, out);
    }

    /// The plan was stale: forget what was refuted, spend one retry, plan again.
    pub(super) fn retry(
        &mut self,
        now: LocalTime,
        ticket: u64,
        hints: &[Hint],
        out: &mut ClientOutbox,
    ) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        task.cost.retries += 1;
        task.budget = task.budget.saturating_sub(1);
        task.gathered = false;
        if task.given_up {
            // The user was told that the outcome is unknown; now it is known that nothing happened.
            self.complete(now, ticket, Outcome::Unknown, None, out);
            return;
        }
        let used = std::mem::take(&mut task.beliefs.owners);
        for object in task.request.objects() {
            let told = hints.iter().find(|hint| hint.object == object);
            let believed = self.hints.get(object);
            let stands = told.is_some_and(|told| {
                believed.is_some_and(|hint| hint.epoch <= told.epoch)
                    || used.get(&object) == Some(&told.owner)
            });
            if !stands {
                self.hints.forget(object);
                task.beliefs.doubted.insert(object);
            }
        }
        self.plan(now, ticket, out);
    }

    /// No group executed it, for one had forgotten its session: ask for the time and begin anew in another session.
    pub(super) fn outlived(&mut self, now: LocalTime, ticket: u64, out: &mut ClientOutbox) {
        self.ungreeted = self.placement.topology().groups();
        self.greeted_at = None;
        self.renumber(now, ticket, out);
    }

    /// Begins anew under another number.
    pub(super) fn renumber(&mut self, now: LocalTime, ticket: u64, out: &mut ClientOutbox) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        if let Some((session, number)) = task.number.take() {
            self.numbers.remove(&(session, number));
            self.sessions.answered(session, number);
        }
        task.stage = Stage::Waiting;
        self.waiting.push_back(ticket);
        self.admit(now, out);
    }

    /// What an outcome says about places.
    pub(super) fn learn(&mut self, ticket: u64, answer: &Answer) {
        let Some(task) = self.tasks.get(&ticket) else {
            return;
        };
        for touch in &answer.touched {
            let object = touch.object;
            let owner = match task.request.intent(object) {
                Some(Intent::Create { at, .. }) => self.placement.owner(object, *at),
                Some(Intent::Move { to }) => *to,
                _ => {
                    if touch.after.is_none() {
                        self.hints.forget(object);
                    }
                    continue;
                }
            };
            let placed = touch.after.filter(|_| answer.verdict == Verdict::Done);
            if let Some(revision) = placed {
                self.hints.learn(Hint {
                    object,
                    owner,
                    epoch: revision.epoch,
                });
            }
        }
    }

    pub(super) fn complete(
        &mut self,
        now: LocalTime,
        ticket: u64,
        outcome: Outcome,
        ordered: Option<(Timestamp, Vec<Touch>)>,
        out: &mut ClientOutbox,
    ) {
        let Some(mut task) = self.tasks.remove(&ticket) else {
            return;
        };
        if let Some((session, number)) = task.number {
            self.numbers.remove(&(session, number));
            self.sessions.answered(session, number);
        }
        if let Some(parent) = task.parent {
            self.gathered(now, parent, &task, out);
            return;
        }
        let moves = task
            .request
            .intents()
            .iter()
            .filter(|(_, i)| matches!(i, Intent::Move { .. }));
        task.cost.moves += moves.count() as u32;
        if !task.given_up {
            self.completed
                .push_back(task.completion(ticket, now, outcome, ordered));
        }
    }
}
