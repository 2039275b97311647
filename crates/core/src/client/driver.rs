//! The loop that takes a task, asks [`step`](super::step) what to do next with it, and does it,
//! until nothing is left to do.
//!
//! Nothing here decides, and nothing here is recursive: what follows for a task is queued as
//! another [`Turn`]. Every ticket in the queue, among the waiting and in the lookups names a task
//! that exists. Only an answer may come for one that has ended: see [`ClientEngine::awaiting`].

use super::beliefs::learn;
use super::step::{Numbers, Step, View, admission, next_step, overdue_step};
use super::task::{Stage, Task, Ticket};
use super::{ClientEngine, ClientOutbox};
use crate::answer::Outcome;
use crate::command::CommandId;
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
            let (ticket, step) = match turn {
                Turn::Next(ticket) => (ticket, next_step(&self.tasks[ticket], &view)),
                Turn::Overdue(ticket) => (ticket, overdue_step(&self.tasks[ticket], &view)),
                // Numbers go to the oldest task first: if it has to wait for one, so have the
                // others.
                Turn::Admit => match self.waiting.first() {
                    Some(&oldest) => (oldest, admission(self.numbers(now))),
                    None => continue,
                },
            };
            self.carry_out(now, ticket, step, out);
        }
    }

    /// What decisions depend on besides the task.
    fn view(&self, now: LocalTime) -> View<'_> {
        View {
            now,
            placement: &self.placement,
            hints: &self.hints,
            policy: &self.policy,
        }
    }

    /// Whether a task can have a number now.
    fn numbers(&self, now: LocalTime) -> Numbers {
        let idle = self.greetings.are_complete() && self.sessions.is_out_of_touch(now);
        if idle || !self.greetings.suffice(now) {
            Numbers::TimeUnknown
        } else if self.sessions.has_room() {
            Numbers::Free
        } else {
            Numbers::WindowFull
        }
    }

    /// Does what was decided.
    fn carry_out(&mut self, now: LocalTime, ticket: Ticket, step: Step, out: &mut ClientOutbox) {
        match step {
            Step::Wait => {}
            Step::Queue => self.wait_for_number(ticket),
            Step::Greet => {
                if self.greetings.are_complete() {
                    self.greetings.restart();
                }
                self.greet(now, out);
            }
            Step::Number => self.number(ticket),
            Step::Plan => self.go_on(ticket, Stage::Planning),
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
                self.renumber(ticket);
            }
            Step::Abandon => self.renumber(ticket),
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

    /// Without a number, the task waits for one.
    fn wait_for_number(&mut self, ticket: Ticket) {
        self.tasks[ticket].stage = Stage::Waiting;
        self.waiting.insert(ticket);
        self.work.push_front(Turn::Admit);
    }

    /// The task takes the number that is free.
    fn number(&mut self, ticket: Ticket) {
        let number = self.sessions.allot(ticket);
        assert!(number.is_some(), "a number is free");
        self.waiting.remove(&ticket);
        self.work.push_front(Turn::Admit);
        let task = &mut self.tasks[ticket];
        task.number = number;
        task.attempts = 0;
        self.go_on(ticket, Stage::Planning);
    }

    /// The task begins anew under another number.
    fn renumber(&mut self, ticket: Ticket) {
        if let Some(number) = self.tasks[ticket].number.take() {
            self.sessions.answered(number);
        }
        self.wait_for_number(ticket);
    }

    /// Starts the next move of a task that gathers.
    fn start_move(&mut self, ticket: Ticket) {
        let step = self.tasks[ticket].next_move(ticket);
        let step = self.tasks.add(step);
        self.work.push_front(Turn::Next(ticket));
        self.wait_for_number(step);
    }

    /// The plan was stale: spends a retry, and forgets what was refuted.
    fn retry(&mut self, ticket: Ticket) {
        let task = &mut self.tasks[ticket];
        task.cost.retries += 1;
        task.budget = task.budget.saturating_sub(1);
        task.gathered = false;
        let Stage::Answered { hints, .. } = &task.stage else {
            panic!("a retry of what is not answered: {task:?}");
        };
        task.beliefs.refute(&task.request, hints, &mut self.hints);
        self.go_on(ticket, Stage::Planning);
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
        let task = self.tasks.remove(ticket);
        self.waiting.remove(&ticket);
        if let Stage::Locating { missing, .. } = &task.stage {
            for object in missing {
                self.lookups.leave(*object, ticket);
            }
        }
        if let Some(number) = task.number {
            self.sessions.answered(number);
        }
        task
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
