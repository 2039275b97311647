//! The client engine: plans, consults, attempts, retries, gathers, falls back, and never abandons
//! an attempt.
//!
//! ```text
//!   submit -> [locate] -> [gather by moves] -> [query] -> attempt k -> verdict -> completed
//!                ^                                            |
//!                +---- Retry, budget left --------------------+
//!                      Retry, budget spent: attempt k+1 goes to all groups
//! ```
//!
//! A read that may be stale asks the shared cache before all that.
//!
//! A request under way is a *task*. Each input changes what is known of a task; `step` decides what
//! follows from that, and `driver` carries it out. The engine does not open connections, wait, or
//! draw random numbers: its owner carries the messages and calls [`ClientEngine::on_timer`].
//!
//! Invariant (rule R5): attempt k+1 of a request exists only after a `Retry` for attempt k; until
//! an answer comes the same attempt is repeated to the same destinations.

mod beliefs;
mod contacts;
mod driver;
mod greetings;
mod hints;
mod lookups;
mod plan;
mod sending;
mod sessions;
mod settings;
mod stale;
mod step;
mod task;
mod tasks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod waiting;

pub use settings::{ClientSettings, Execution};
pub use stale::StaleReads;

use crate::answer::{Answer, ClientMessage, Completion, Outcome, ServerMessage};
use crate::hints::HintTable;
use crate::hooks::CacheCall;
use crate::id::{ClientId, ObjectId, PartitionId, ReplicaId};
use crate::oracle::{Guess, Placement};
use crate::request::Request;
use crate::time::{LocalTime, LogicalClock};
use contacts::Contacts;
use driver::Turn;
use greetings::Greetings;
use lookups::Lookups;
use sessions::SessionNumbers;
use settings::Policy;
use std::collections::VecDeque;
use std::sync::Arc;
use task::{Stage, Task};
use tasks::Tasks;
use waiting::Waiting;

/// What a client wants done.
#[derive(Debug, Default)]
pub struct ClientOutbox {
    /// Messages to replicas.
    pub messages: Vec<(ReplicaId, ClientMessage)>,
    /// Calls to the shared cache.
    pub cache: Vec<CacheCall>,
}

/// The client engine. One client may have many requests under way; each takes effect on its own, in
/// any order.
#[derive(Debug)]
pub struct ClientEngine {
    placement: Placement,
    policy: Policy,
    id: ClientId,
    contacts: Contacts,
    sessions: SessionNumbers,
    greetings: Greetings,
    hints: HintTable,
    lookups: Lookups,
    stale_reads: Option<StaleReads>,
    /// When leaders were told last that somebody reads what they publish.
    interest_shown: Option<LocalTime>,
    /// Who waits for the published value of which object.
    peeks: Lookups,
    /// The greatest timestamp seen: what comes next is ordered after it.
    clock: LogicalClock,
    tasks: Tasks,
    /// The tasks that are [waiting](Stage::Waiting) for a number.
    waiting: Waiting,
    /// What is to be decided and done before the engine returns.
    work: VecDeque<Turn>,
    completed: VecDeque<Completion>,
    /// Answers to requests that had been given up, if they are kept.
    late: VecDeque<Arc<Answer>>,
}

impl ClientEngine {
    /// A client. It greets every group before its first command, to learn the time.
    #[must_use]
    pub fn new(id: ClientId, placement: Placement, settings: ClientSettings) -> Self {
        let topology = *placement.topology();
        let policy = Policy::from(settings);
        Self {
            placement,
            policy,
            id,
            contacts: Contacts::new(topology),
            sessions: SessionNumbers::new(id, policy.session_ttl),
            greetings: Greetings::new(topology.groups(), policy.resend_us),
            hints: HintTable::default(),
            lookups: Lookups::default(),
            stale_reads: None,
            interest_shown: None,
            peeks: Lookups::default(),
            clock: LogicalClock::default(),
            tasks: Tasks::default(),
            waiting: Waiting::default(),
            work: VecDeque::new(),
            completed: VecDeque::new(),
            late: VecDeque::new(),
        }
    }

    /// Who this is.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Takes a request; the ticket comes back in its [`Completion`].
    pub fn submit(&mut self, now: LocalTime, request: Request, out: &mut ClientOutbox) -> u64 {
        self.take(now, request, false, out)
    }

    fn take(
        &mut self,
        now: LocalTime,
        request: Request,
        may_be_stale: bool,
        out: &mut ClientOutbox,
    ) -> u64 {
        let ticket = self.tasks.add(Task {
            may_be_stale,
            ..Task::new(request, now)
        });
        self.work.push_back(Turn::Next(ticket));
        self.drive(now, out);
        ticket
    }

    /// Takes a message of a replica.
    pub fn on_message(
        &mut self,
        now: LocalTime,
        from: ReplicaId,
        msg: ServerMessage,
        out: &mut ClientOutbox,
    ) {
        self.contacts.heard(now, from);
        match msg {
            ServerMessage::Answer {
                answer,
                hints,
                time,
            } => {
                self.sessions.observe(now, time);
                self.clock = self.clock.max(answer.timestamp.clock);
                hints.iter().for_each(|hint| self.learn(*hint));
                if let Some(ticket) = self.awaiting(answer.id) {
                    self.go_on(ticket, Stage::Answered { answer, hints });
                }
            }
            ServerMessage::Consulted { hints, unknown } => {
                hints.iter().for_each(|hint| self.learn(*hint));
                let objects = hints.iter().map(|hint| hint.object).chain(unknown);
                objects.for_each(|object| self.located(now, object, out));
            }
            ServerMessage::Time(time) => {
                self.sessions.observe(now, time);
                self.greetings.told(from.group);
            }
            ServerMessage::NotLeader { leader } => {
                if self.contacts.redirect(now, from, leader) {
                    self.greet_again(from.group, out);
                    self.send_again(now, from.group, out);
                }
            }
            ServerMessage::Refused { id, defect } => {
                if let Some(ticket) = self.awaiting(id) {
                    self.go_on(ticket, Stage::Ended(Outcome::Refused(defect)));
                }
            }
            ServerMessage::Expired { id, time } => {
                self.sessions.observe(now, time);
                if let Some(ticket) = self.awaiting(id) {
                    self.go_on(ticket, Stage::Ended(Outcome::Unknown));
                }
            }
            ServerMessage::Measured { id, stages } => {
                if let Some(ticket) = self.awaiting(id) {
                    self.tasks[ticket].cost.stages = Some(stages);
                }
            }
        }
        self.drive(now, out);
    }

    /// Lets time pass; call it at least every 50 ms.
    pub fn on_timer(&mut self, now: LocalTime, out: &mut ClientOutbox) {
        self.greet(now, out);
        self.work.extend(self.tasks.tickets().map(Turn::Overdue));
        self.drive(now, out);
    }

    /// The next completed request.
    pub fn poll_completed(&mut self) -> Option<Completion> {
        self.completed.pop_front()
    }

    /// The next answer to a request that had ended as unknown: what became of it after all. Its id
    /// is that of the completion's last attempt. See [`ClientSettings::late_answers`].
    pub fn poll_late(&mut self) -> Option<Arc<Answer>> {
        self.late.pop_front()
    }

    /// Where the client believes an object to be: a hint (rule R7).
    pub fn believed_owner(&mut self, object: ObjectId) -> Option<PartitionId> {
        let known = self.hints.get(object).map(|hint| hint.owner);
        known.or_else(|| match self.placement.guess(object) {
            Guess::At(partition) => Some(partition),
            Guess::Ask(_) | Guess::Shared { .. } => None,
        })
    }

    /// How a request stands whose client is about to be dropped: unknown, with the attempt that was
    /// sent last.
    #[must_use]
    pub fn abandoned(&self, ticket: u64, invoked: LocalTime, now: LocalTime) -> Completion {
        let never_sent = Task::new(Request::default(), invoked);
        let task = self.tasks.get(ticket).unwrap_or(&never_sent);
        task.completion(ticket, now, Outcome::Unknown, None)
    }

    /// The requests under way with how far they are, for diagnosis.
    #[must_use]
    pub fn describe(&self) -> String {
        let tasks: Vec<&Task> = self.tasks.iter().collect();
        format!("{tasks:?}, contacts {:?}", self.contacts)
    }

    /// How many requests are under way, those included whose outcome was given up as unknown.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        let is_of_user = |task: &&Task| task.parent.is_none();
        self.tasks.iter().filter(is_of_user).count()
    }
}
