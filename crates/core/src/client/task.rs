//! One request under way at the client, as plain data: what it is, how far it is, what it has cost.
//!
//! What follows from it is decided in [`step`](super::step), and carried out by the driver.

use super::beliefs::Beliefs;
use crate::answer::{Answer, ClientMessage, Completion, Cost, Outcome, Touch};
use crate::command::{Command, CommandId, SessionId};
use crate::id::{Encoded, GroupId, Groups, Hint, ObjectId, PartitionId, Revision, Timestamp};
use crate::limits::RETRY_BUDGET;
use crate::read::Query;
use crate::request::Request;
use crate::time::LocalTime;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Names a task; never used twice by one client.
pub(super) type Ticket = u64;

/// A request under way.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) request: Request,
    /// The task that gathers its objects by this move. It lasts as long as its moves, unless it is
    /// given up; they are given up at the same moment.
    pub(super) parent: Option<Ticket>,
    pub(super) stage: Stage,
    pub(super) beliefs: Beliefs,
    /// How many more retries it may have. Spent, it goes to all groups.
    pub(super) budget: u32,
    /// The session and the number there of what is under way of it.
    pub(super) number: Option<(SessionId, u64)>,
    /// How many attempts were sent.
    pub(super) attempts: u32,
    /// The attempt that was sent last, unless it was answered with what changes nothing.
    pub(super) last_attempt: Option<CommandId>,
    /// Its objects were moved together since the last retry.
    pub(super) gathered: bool,
    /// The shared cache is to be asked first, which is done once at most.
    pub(super) may_be_stale: bool,
    /// The shared cache had nothing of use: the owner of its only object is to publish it.
    pub(super) wants_published: bool,
    /// It was sent as a query, which is done once at most.
    pub(super) queried: bool,
    /// From when the deadline counts: when the user submitted it, or the request that it gathers
    /// for.
    pub(super) invoked: LocalTime,
    pub(super) cost: Cost,
    /// The user was told that its outcome is unknown; the attempt goes on nevertheless (rule R5).
    pub(super) given_up: bool,
}

/// How far a task is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Taken from the user.
    Submitted,
    /// Waiting for what the shared cache says that its only object was.
    Peeking { object: ObjectId, asked: LocalTime },
    /// The shared cache has said what its only object was.
    Peeked { reply: Encoded, revision: Revision },
    /// Waiting for the greetings, or for a free number for what would go to these groups.
    Waiting { destinations: Groups },
    /// Its objects are to be located for the next attempt.
    Planning,
    /// Waiting for hints on these objects; with none left, all is known that can be.
    Locating {
        missing: BTreeSet<ObjectId>,
        asked: LocalTime,
        repeats: u32,
    },
    /// Waiting for moves; `queue` holds those that are not under way yet, the next one last.
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
    /// The attempt or query is answered.
    Answered {
        answer: Arc<Answer>,
        hints: Vec<Hint>,
    },
    /// A group has ended it without ordering it.
    Ended(Outcome),
}

impl Task {
    /// A user's request.
    pub(super) fn new(request: Request, now: LocalTime) -> Self {
        Self {
            request,
            parent: None,
            stage: Stage::Submitted,
            beliefs: Beliefs::default(),
            budget: RETRY_BUDGET,
            number: None,
            attempts: 0,
            last_attempt: None,
            gathered: false,
            may_be_stale: false,
            wants_published: false,
            queried: false,
            invoked: now,
            cost: Cost::default(),
            given_up: false,
        }
    }

    /// The attempt or query whose answer it waits for.
    pub(super) fn awaited(&self) -> Option<CommandId> {
        match &self.stage {
            Stage::Attempting { command, .. } => Some(command.id),
            Stage::Querying { query, .. } => Some(query.id),
            _ => None,
        }
    }

    /// What a group was sent and has not answered, to be sent again at `now`.
    pub(super) fn send_again(&mut self, now: LocalTime, to: GroupId) -> Option<ClientMessage> {
        let (sent_at, message) = match &mut self.stage {
            Stage::Attempting { command, sent, .. } if command.destinations.contains(to) => {
                (sent, ClientMessage::Submit(command.clone()))
            }
            Stage::Querying { query, group, sent } if *group == to => {
                (sent, ClientMessage::Query(query.clone()))
            }
            _ => return None,
        };
        *sent_at = now;
        Some(message)
    }

    /// What the owner of its only object is told besides, if the shared cache had nothing of use.
    pub(super) fn take_wanted(&mut self) -> Option<ClientMessage> {
        let wants = std::mem::take(&mut self.wants_published);
        let object = self.request.objects().next().filter(|_| wants);
        object.map(ClientMessage::Publish)
    }

    /// The question about one of its objects is answered, with an owner or without. Returns whether
    /// that was the last one.
    pub(super) fn located(&mut self, object: ObjectId, owner: Option<PartitionId>) -> bool {
        match owner {
            Some(owner) => self.beliefs.owners.insert(object, owner),
            None => self.beliefs.owners.remove(&object),
        };
        match &mut self.stage {
            Stage::Locating { missing, .. } => missing.remove(&object) && missing.is_empty(),
            stage => panic!("waits for a hint on {object} while {stage:?}"),
        }
    }

    /// The next move that it gathers by, which counts as under way.
    pub(super) fn next_move(&mut self, ticket: Ticket) -> Self {
        let Stage::Gathering { queue, under_way } = &mut self.stage else {
            panic!("starts a move while {:?}", self.stage);
        };
        *under_way += 1;
        let request = queue.pop().expect("a move is left");
        Self {
            parent: Some(ticket),
            budget: self.budget,
            ..Self::new(request, self.invoked)
        }
    }

    /// A move that it gathers by has ended: its costs are this task's, and its retries come out of
    /// the same budget.
    pub(super) fn moved(&mut self, step: &Self) {
        self.cost.moves += 1;
        self.cost.retries += step.cost.retries;
        self.cost.groups += step.cost.groups;
        self.cost.oracle_consults += step.cost.oracle_consults;
        self.budget = self.budget.saturating_sub(step.cost.retries);
        let Stage::Gathering { under_way, .. } = &mut self.stage else {
            panic!("a move has ended while {:?}", self.stage);
        };
        *under_way -= 1;
    }

    /// What the user is told.
    pub(super) fn completion(
        &self,
        ticket: Ticket,
        now: LocalTime,
        outcome: Outcome,
        ordered: Option<(Timestamp, Vec<Touch>)>,
    ) -> Completion {
        let (timestamp, touched) = ordered.unzip();
        let peeked = || match (&self.stage, self.request.objects().next()) {
            (Stage::Peeked { revision, .. }, Some(object)) => vec![Touch {
                object,
                before: Some(*revision),
                after: Some(*revision),
            }],
            _ => Vec::new(),
        };
        Completion {
            ticket,
            outcome,
            timestamp,
            touched: touched.unwrap_or_else(peeked),
            last_attempt: self.last_attempt,
            invoked: self.invoked,
            completed: now,
            cost: self.cost,
        }
    }
}
