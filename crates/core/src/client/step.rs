//! What to do next with a request: every decision of the client engine, as pure questions.
//!
//! [`next_step`] says what follows from how far a task is:
//!
//! | stage | and | step |
//! | --- | --- | --- |
//! | `Submitted` | no group needs to decide it | `Complete` |
//! | | it may be stale, for the first time | `Peek` |
//! | | the groups' time is not known (any more) | `Queue` |
//! | | else | `Plan` |
//! | `Peeking` | | `Wait` |
//! | `Peeked` | | `Complete` |
//! | `Waiting` | | `Wait`, for its [`admission`] |
//! | `Planning` | the budget is spent | `FallBack`: all groups, where it cannot miss |
//! | | else | `Locate` |
//! | `Locating` | an answer is missing | `Wait` |
//! | | objects are apart, and `gather` has not brought them together | `Gather` |
//! | | only reads, at one partition, for the first time | `Query` |
//! | | else | `Attempt` |
//! | any of the three | the time is not known, or its destinations have no room | `Queue` instead |
//! | `Gathering` | a move is left, and the window has room for it | `Move` |
//! | | moves are under way | `Wait` |
//! | | else | `Gathered` |
//! | `Querying`, `Attempting` | | `Wait`, for ever if need be (rule R5) |
//! | `Answered` | a verdict on the request | `Complete` |
//! | | the query was declined | `Plan` |
//! | | retry or session expired, and the user has given up | `Drop` |
//! | | retry | `Retry`: only now there may be another attempt (rule R5) |
//! | | session expired | `ChangeSession` |
//! | `Ended` | | `Complete` |
//!
//! [`overdue_step`] says what follows from the time that has passed, the first line that holds:
//!
//! | stage | and | step |
//! | --- | --- | --- |
//! | `Attempting` | the deadline has passed | `TellUnknown`: the attempt goes on (rule R5) |
//! | any other | the deadline has passed | `GiveUp`: no attempt of it is under way |
//! | `Attempting` | unanswered for long | `Repeat` the same, to the same groups (rule R5) |
//! | `Locating` | unanswered for long | `AskAgain` |
//! | `Querying` | unanswered for long | `StopQuery` |
//! | `Peeking` | unanswered for long | `StopPeeking` |
//! | else | | `Wait` |

use super::plan::{destinations, gathering_place, locate};
use super::sessions::SessionNumbers;
use super::settings::{Execution, Policy};
use super::task::{Stage, Task, Ticket};
use super::waiting::Waiting;
use crate::answer::{Answer, Outcome, Verdict};
use crate::hints::HintTable;
use crate::id::{GroupId, Groups, ObjectId, PartitionId};
use crate::limits::GATHER_WINDOW;
use crate::mutant::{self, Mutant};
use crate::oracle::Placement;
use crate::read::{Query, Reads};
use crate::request::{Defect, Intent, Request};
use crate::time::LocalTime;
use bytes::Bytes;
use std::collections::BTreeSet;

/// What a decision depends on besides the task.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) now: LocalTime,
    pub(super) placement: &'a Placement,
    pub(super) hints: &'a HintTable,
    pub(super) policy: &'a Policy,
    pub(super) sessions: &'a SessionNumbers,
    /// Whether the groups have told their time: else a session might be born expired.
    pub(super) time_is_known: bool,
}

impl View<'_> {
    /// A step that sends something to these groups, if there is a number for it now.
    fn numbered(&self, destinations: Groups, step: Step) -> Step {
        if self.time_is_known && self.sessions.has_room(destinations) {
            step
        } else {
            Step::Queue { destinations }
        }
    }
}

/// What is done for the tasks that wait for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Nobody waits, or nobody can have one.
    Nobody,
    /// The groups are asked for their time, if that is due.
    Greet,
    /// This task is planned anew, for there is room where it would go.
    Plan(Ticket),
}

/// What is done next with a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, until something comes in.
    Wait,
    /// Ask the shared cache what its only object was.
    Peek,
    /// Go on without the shared cache.
    StopPeeking,
    /// Wait for a number for what would go to these groups.
    Queue { destinations: Groups },
    /// Plan an attempt.
    Plan,
    /// Believe that these objects are there, and ask for hints on those that are missing.
    Locate {
        known: Vec<(ObjectId, PartitionId)>,
        missing: BTreeSet<ObjectId>,
    },
    /// Bring the objects together by these moves, the last one first.
    Gather { moves: Vec<Request> },
    /// Start the next one of them.
    Move,
    /// All of them have ended: plan anew.
    Gathered,
    /// Ask the leader of one partition without ordering the request.
    Query { group: GroupId },
    /// Make the next attempt.
    Attempt { destinations: Groups },
    /// Make the next attempt at all groups.
    FallBack { destinations: Groups },
    /// Spend a retry, forget what was refuted, plan anew.
    Retry,
    /// Begin anew in another session: none of the groups has executed it, for one had forgotten the
    /// session.
    ChangeSession,
    /// Send the attempt again.
    Repeat,
    /// Ask for the missing hints again.
    AskAgain,
    /// Give the query up for an attempt.
    StopQuery,
    /// Tell the user that the outcome is unknown, while the attempt goes on.
    TellUnknown,
    /// Tell the user that the outcome is unknown, and end the task.
    GiveUp,
    /// End the task of which the user was told already; it has changed nothing.
    Drop,
    /// End the task with this outcome.
    Complete(Outcome),
    /// Begin anew while the attempt is under way. Only a mutant does this.
    Abandon,
}

/// What follows from how far a task is. See the [table](self).
pub(super) fn next_step(task: &Task, view: &View<'_>) -> Step {
    match &task.stage {
        Stage::Submitted => match outcome_without_groups(&task.request, view.placement) {
            Some(outcome) => Step::Complete(outcome),
            None if task.may_be_stale => Step::Peek,
            None => view.numbered(Groups::EMPTY, Step::Plan),
        },
        Stage::Peeked { reply, .. } => Step::Complete(Outcome::Done(reply.clone())),
        Stage::Planning if task.budget == 0 => {
            let destinations = view.placement.topology().groups();
            view.numbered(destinations, Step::FallBack { destinations })
        }
        Stage::Planning => {
            let (known, missing) = locate(view.placement, view.hints, &task.request);
            Step::Locate { known, missing }
        }
        Stage::Locating { missing, .. } if missing.is_empty() => after_locating(task, view),
        Stage::Gathering { queue, under_way } => match (queue.len(), *under_way) {
            (0, 0) => Step::Gathered,
            (1.., ..GATHER_WINDOW) => Step::Move,
            _ => Step::Wait,
        },
        Stage::Peeking { .. }
        | Stage::Waiting { .. }
        | Stage::Locating { .. }
        | Stage::Querying { .. }
        | Stage::Attempting { .. } => Step::Wait,
        Stage::Answered { answer, .. } => after_answer(task, answer),
        Stage::Ended(outcome) => Step::Complete(outcome.clone()),
    }
}

/// What follows for the tasks that wait for a number: the oldest goes first of those for whose
/// destinations there is room.
pub(super) fn admission(waiting: &Waiting, view: &View<'_>) -> Admission {
    if waiting.is_empty() {
        Admission::Nobody
    } else if view.time_is_known {
        let oldest = waiting.oldest(|destinations| view.sessions.has_room(destinations));
        oldest.map_or(Admission::Nobody, Admission::Plan)
    } else {
        Admission::Greet
    }
}

/// What follows from the time that has passed. See the [table](self).
pub(super) fn overdue_step(task: &Task, view: &View<'_>) -> Step {
    let (now, policy) = (view.now, view.policy);
    let given_up = !task.given_up && now >= task.invoked + policy.deadline_us;
    match &task.stage {
        Stage::Attempting { .. } if given_up => Step::TellUnknown,
        _ if given_up => Step::GiveUp,
        Stage::Attempting { sent, repeats, .. } if now >= *sent + policy.patience_us(*repeats) => {
            if mutant::is_active(Mutant::AbandonAttempts) {
                Step::Abandon
            } else {
                Step::Repeat
            }
        }
        Stage::Locating { asked, repeats, .. } if now >= *asked + policy.patience_us(*repeats) => {
            Step::AskAgain
        }
        Stage::Querying { sent, .. } if now >= *sent + policy.resend_us => Step::StopQuery,
        Stage::Peeking { asked, .. } if now >= *asked + policy.resend_us => Step::StopPeeking,
        _ => Step::Wait,
    }
}

/// The outcome of a request that can be told without asking any group.
fn outcome_without_groups(request: &Request, placement: &Placement) -> Option<Outcome> {
    let is_move = |(_, intent): &(_, Intent)| matches!(intent, Intent::Move { .. });
    let intents = request.intents();
    if let Some(defect) = request.defect(placement.topology()) {
        Some(Outcome::Refused(defect))
    } else if intents.iter().any(is_move) && !placement.movable() {
        Some(Outcome::Unsupported)
    } else {
        intents.is_empty().then(|| Outcome::Done(Bytes::new()))
    }
}

/// Every hint that was asked for has come, or is not to be had: how the request is sent.
fn after_locating(task: &Task, view: &View<'_>) -> Step {
    let may_gather =
        view.policy.execution == Execution::Gather && view.placement.movable() && !task.gathered;
    if let Some(to) = gathering_place(&task.request, &task.beliefs).filter(|_| may_gather) {
        let owners = task.beliefs.owners.iter();
        let elsewhere = owners.filter(|(_, owner)| **owner != to);
        return Step::Gather {
            moves: elsewhere
                .map(|(&object, _)| Request::relocate(object, to))
                .collect(),
        };
    }
    let destinations = destinations(view.placement, &task.request, &task.beliefs);
    let only = destinations
        .first()
        .filter(|group| destinations.len() == 1 && group.partition().is_some());
    let may_query = view.policy.reads != Reads::Ordered
        && !task.queried
        && task.attempts == 0
        && Query::suits(&task.request);
    let step = match only.filter(|_| may_query) {
        Some(group) => Step::Query { group },
        None => Step::Attempt { destinations },
    };
    view.numbered(destinations, step)
}

/// What an answer means for a task.
fn after_answer(task: &Task, answer: &Answer) -> Step {
    let is_query = answer.id.attempt == 0;
    match answer.verdict {
        Verdict::Done => Step::Complete(Outcome::Done(answer.reply.clone())),
        Verdict::AlreadyExists => Step::Complete(Outcome::AlreadyExists),
        Verdict::NotFound => Step::Complete(Outcome::NotFound),
        Verdict::Changed => Step::Complete(Outcome::Changed),
        Verdict::Failed => Step::Complete(Outcome::Failed),
        Verdict::Forgotten => Step::Complete(Outcome::Unknown),
        Verdict::TooLarge => Step::Complete(Outcome::Refused(Defect::OperandsTooLarge)),
        Verdict::Retry if is_query => Step::Plan,
        Verdict::Retry | Verdict::SessionExpired if task.given_up => Step::Drop,
        Verdict::Retry => Step::Retry,
        Verdict::SessionExpired => Step::ChangeSession,
    }
}

#[cfg(test)]
mod tests;
