//! The loop that takes a task, asks [`step`](super::step) what to do next with it, and does it,
//! until nothing is left to do.
//!
//! Nothing here decides, and nothing here is recursive: what follows for a task is queued as
//! another [`Turn`]. Every ticket in the queue, among the waiting and in the lookups names a task
//! that exists. Only an answer may come for one that has ended: see [`ClientEngine::awaiting`].

use super::beliefs::learn;
use super::step::{Admission, Step, View, admission, next_step, overdue_step};
use super::task::{Stage, Task, Ticket};
use super::{ClientEngine, ClientOutbox};
use crate::answer::Outcome;
use crate::command::{CommandId, SessionId};
use crate::id::Groups;
use crate::request::Intent;
use crate::time::LocalTime;
use std::sync::Arc;

/// Something to be decided and done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    /// What follows from how far a task is.
    Next(Ticket),
    /// What follows for a task from the time that has passed.
    Overdue(Ticket),
    /// Whether the tasks that wait for a number can have one.
    Admit,
}

impl ClientEngine {
    /// Does all that there is to do.
    pub(super) fn drive(&mut self, now: LocalTime, out: &mut ClientOutbox) {
        self.work.push_back(Turn::Admit);
        while let Some(turn) = self.work.pop_front() {
            let view = self.view(now);
            match turn {
                Turn::Next(ticket) => {
                    let step = next_step(&self.tasks[ticket], &view);
                    self.carry_out(now, ticket, step, out);
                }
                Turn::Overdue(ticket) => {
                    let step = overdue_step(&self.tasks[ticket], &view);
                    self.carry_out(now, ticket, step, out);
                }
                Turn::Admit => match admission(&self.waiting, &view) {
                    Admission::Nobody => {}
                    Admission::Greet => self.ask_the_time(now, out),
                    Admission::Plan(ticket) => {
                        self.work.push_front(Turn::Admit);
                        self.plan(ticket);
                    }
                },
            }
        }
    }

    /// What decisions depend on besides the task.
    fn view(&self, now: LocalTime) -> View<'_> {
        let idle = self.greetings.are_complete() && self.sessions.is_out_of_touch(now);
        View {
            now,
            placement: &self.placement,
            hints: &self.hints,
            policy: &self.policy,
            sessions: &self.sessions,
            time_is_known: !idle && self.greetings.suffice(now),
        }
    }

    /// Does what was decided.
    fn carry_out(&mut self, now: LocalTime, ticket: Ticket, step: Step, out: &mut ClientOutbox) {
        match step {
            Step::Wait => {}
            Step::Peek => self.peek(now, ticket, out),
            Step::StopPeeking => self.stop_peeking(ticket),
            Step::Queue { destinations } => self.queue(ticket, destinations),
            Step::Plan => self.plan(ticket),
            Step::Locate { known, missing } => self.locate(now, ticket, known, missing, out),
            Step::Gather { moves: queue } => {
                let under_way = 0;
                self.go_on(ticket, Stage::Gathering { queue, under_way });
            }
            Step::Move => self.start_move(ticket),
            Step::Gathered => {
                self.tasks[ticket].gathered = true;
                self.go_on(ticket, Stage::Planning);
            }
            Step::Query { group } => self.query(now, ticket, group, out),
            Step::Attempt { destinations } => self.attempt(now, ticket, destinations, out),
            Step::FallBack { destinations } => {
                self.tasks[ticket].cost.fallbacks = 1;
                self.attempt(now, ticket, destinations, out);
            }
            Step::Retry => self.retry(ticket),
            Step::ChangeSession => {
                self.greetings.restart();
                self.tasks[ticket].last_attempt = None;
                self.plan(ticket);
            }
            Step::Abandon => self.plan(ticket),
            Step::Repeat => self.repeat(now, ticket, out),
            Step::AskAgain => self.ask_again(now, ticket, out),
            Step::StopQuery => self.stop_query(now, ticket),
            Step::TellUnknown => {
                self.tell_unknown(now, ticket);
                self.work.push_front(Turn::Overdue(ticket));
            }
            Step::GiveUp => {
                self.tell_unknown(now, ticket);
                self.end(ticket);
            }
            Step::Drop => {
                self.keep_late(ticket);
                self.end(ticket);
            }
            Step::Complete(outcome) => self.complete(now, ticket, outcome),
        }
    }

    /// Puts the task into this stage, and gives it the next turn.
    pub(super) fn go_on(&mut self, ticket: Ticket, stage: Stage) {
        self.tasks[ticket].stage = stage;
        self.work.push_front(Turn::Next(ticket));
    }

    /// The task that waits for the answer to this very attempt or query. `None` if the answer comes
    /// late: the task has ended, or has been answered by another group.
    pub(super) fn awaiting(&self, id: CommandId) -> Option<Ticket> {
        let ticket = self.sessions.holder(id)?;
        (self.tasks[ticket].awaited() == Some(id)).then_some(ticket)
    }

    /// The task waits for a number for what would go to these groups.
    fn queue(&mut self, ticket: Ticket, destinations: Groups) {
        self.tasks[ticket].stage = Stage::Waiting { destinations };
        self.waiting.add(ticket, destinations);
        self.work.push_front(Turn::Admit);
    }

    /// The task is planned, anew if it has been before: nothing of it is under way.
    pub(super) fn plan(&mut self, ticket: Ticket) {
        self.leave_queue(ticket);
        self.release_number(ticket);
        self.go_on(ticket, Stage::Planning);
    }

    /// The task waits for no number any more.
    fn leave_queue(&mut self, ticket: Ticket) {
        if let Stage::Waiting { destinations } = self.tasks[ticket].stage {
            self.waiting.remove(ticket, destinations);
        }
    }

    /// The task takes the number for what it sends to these groups now.
    pub(super) fn number(&mut self, ticket: Ticket, destinations: Groups) -> (SessionId, u64) {
        let number = self.sessions.allot(ticket, destinations);
        self.tasks[ticket].number = Some(number);
        number
    }

    /// The task's number is answered for good, if it has one.
    fn release_number(&mut self, ticket: Ticket) {
        if let Some(number) = self.tasks[ticket].number.take() {
            self.sessions.answered(number);
        }
    }

    /// The groups' time is not known, or not any more: asks for it, if that is due.
    fn ask_the_time(&mut self, now: LocalTime, out: &mut ClientOutbox) {
        if self.greetings.are_complete() {
            self.greetings.restart();
        }
        self.greet(now, out);
    }

    /// Starts the next move of a task that gathers.
    fn start_move(&mut self, ticket: Ticket) {
        let step = self.tasks[ticket].next_move(ticket);
        let step = self.tasks.add(step);
        self.work.push_front(Turn::Next(ticket));
        self.work.push_front(Turn::Next(step));
    }

    /// The plan was stale: spends a retry, and forgets what was refuted.
    fn retry(&mut self, ticket: Ticket) {
        let task = &mut self.tasks[ticket];
        task.cost.retries += 1;
        task.budget = task.budget.saturating_sub(1);
        task.gathered = false;
        task.last_attempt = None;
        let Stage::Answered { hints, .. } = &task.stage else {
            panic!("a retry of what is not answered: {task:?}");
        };
        task.beliefs.refute(&task.request, hints, &mut self.hints);
        self.plan(ticket);
    }

    /// Gives the task up: whoever waits for it is told that its outcome is unknown.
    fn tell_unknown(&mut self, now: LocalTime, ticket: Ticket) {
        let task = &mut self.tasks[ticket];
        task.given_up = true;
        if task.parent.is_none() {
            let completion = task.completion(ticket, now, Outcome::Unknown, None);
            self.completed.push_back(completion);
        }
    }

    /// Nobody waits for anything of the task any more.
    fn end(&mut self, ticket: Ticket) -> Task {
        self.leave_queue(ticket);
        self.release_number(ticket);
        self.stop_waiting(ticket);
        self.tasks.remove(ticket)
    }

    /// The task waits for no hint and for no published value any more.
    pub(super) fn stop_waiting(&mut self, ticket: Ticket) {
        match &self.tasks[ticket].stage {
            Stage::Locating { missing, .. } => {
                for object in missing {
                    self.lookups.leave(*object, ticket);
                }
            }
            Stage::Peeking { object, .. } => self.peeks.leave(*object, ticket),
            _ => {}
        }
    }

    /// Keeps the answer to a task of which the user was told already, if the user wants it.
    fn keep_late(&mut self, ticket: Ticket) {
        let task = &self.tasks[ticket];
        if let Stage::Answered { answer, .. } = &task.stage
            && self.policy.late_answers
            && task.given_up
            && task.parent.is_none()
        {
            self.late.push_back(answer.clone());
        }
    }

    /// Ends the task with an outcome, and tells whoever waits for it.
    fn complete(&mut self, now: LocalTime, ticket: Ticket, outcome: Outcome) {
        self.keep_late(ticket);
        let mut task = self.end(ticket);
        let mut ordered = None;
        if let Stage::Answered { answer, .. } = &mut task.stage {
            learn(&mut self.hints, &self.placement, &task.request, answer);
            task.cost.unordered = answer.id.attempt == 0;
            let answer = Arc::make_mut(answer);
            ordered = Some((answer.timestamp, std::mem::take(&mut answer.touched)));
        }
        let is_move = |(_, intent): &&(_, Intent)| matches!(intent, Intent::Move { .. });
        let moves = task.request.intents().iter().filter(is_move).count();
        match task.parent {
            // The user was told already, or the task that it was made for is given up too.
            _ if task.given_up => {}
            Some(parent) => {
                self.tasks[parent].moved(&task);
                self.work.push_front(Turn::Next(parent));
            }
            None => {
                task.cost.moves += moves as u32;
                let completion = task.completion(ticket, now, outcome, ordered);
                self.completed.push_back(completion);
            }
        }
    }
}
