//! One request under way at the client: what it is, how far it is, what it has cost.

use super::plan::Beliefs;
use crate::answer::{Completion, Cost, Outcome, Touch};
use crate::command::{Command, CommandId, Request, SessionId};
use crate::id::{GroupId, ObjectId, Timestamp};
use crate::limits::RETRY_BUDGET;
use crate::read::Query;
use crate::time::{LocalTime, Micros};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A request under way.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) request: Request,
    /// The task that gathers its objects by this move.
    pub(super) parent: Option<u64>,
    pub(super) stage: Stage,
    pub(super) beliefs: Beliefs,
    /// How many more retries it may have. Spent, it goes to all groups.
    pub(super) budget: u8,
    /// Its session and number, from the first attempt on.
    pub(super) number: Option<(SessionId, u64)>,
    pub(super) attempt: u8,
    pub(super) gathered: bool,
    /// It is, or was, a query.
    pub(super) queried: bool,
    pub(super) invoked: LocalTime,
    pub(super) cost: Cost,
    /// The user was told that its outcome is unknown; the attempt goes on nevertheless (rule R5).
    pub(super) given_up: bool,
}

/// How far a task is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Waiting for the greetings, or for a free number in the session.
    Waiting,
    /// Waiting for hints on these objects.
    Consulting {
        missing: BTreeSet<ObjectId>,
        asked: LocalTime,
        repeats: u32,
    },
    /// Waiting for moves; `queue` holds those that are not under way yet.
    Gathering {
        queue: Vec<Request>,
        under_way: usize,
    },
    /// Waiting for the answer to a query.
    Querying {
        query: Arc<Query>,
        group: GroupId,
        sent: LocalTime,
    },
    /// Waiting for the answer to an attempt.
    Attempting {
        command: Arc<Command>,
        sent: LocalTime,
        repeats: u32,
    },
}

impl Task {
    pub(super) fn new(request: Request, parent: Option<u64>, now: LocalTime) -> Self {
        Self {
            request,
            parent,
            stage: Stage::Waiting,
            beliefs: Beliefs::default(),
            budget: RETRY_BUDGET,
            number: None,
            attempt: 0,
            gathered: false,
            queried: false,
            invoked: now,
            cost: Cost::default(),
            given_up: false,
        }
    }

    /// The attempt that is, or was last, under way.
    pub(super) fn last_attempt(&self) -> Option<CommandId> {
        let (session, number) = self.number?;
        (self.attempt > 0).then_some(CommandId {
            session,
            number,
            attempt: self.attempt,
        })
    }

    pub(super) fn completion(
        &self,
        ticket: u64,
        now: LocalTime,
        outcome: Outcome,
        ordered: Option<(Timestamp, Vec<Touch>)>,
    ) -> Completion {
        let (timestamp, touched) = match ordered {
            Some((timestamp, touched)) => (Some(timestamp), touched),
            None => (None, Vec::new()),
        };
        Completion {
            ticket,
            outcome,
            timestamp,
            touched,
            last_attempt: self.last_attempt(),
            invoked: self.invoked,
            completed: now,
            cost: self.cost,
        }
    }
}

/// How long to wait before the `repeats`-th repetition: always the same for as long as an election may take, then doubling,
/// sixteenfold at most.
pub(super) fn patience(base: Micros, repeats: u32) -> Micros {
    base << repeats.saturating_sub(3).min(4)
}
