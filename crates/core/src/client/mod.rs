//! The client engine: plans, consults, attempts, retries, gathers, falls back, and never abandons an attempt.
//!
//! ```text
//!   submit -> [consult] -> [gather by moves] -> [query] -> attempt k -> Done | AlreadyExists | NotFound -> completed
//!                 ^                                            |
//!                 +---- Retry, budget left --------------------+        Retry, budget spent: attempt k+1 goes to all groups
//! ```
//!
//! It does not open connections, wait, or draw random numbers: a driver carries the messages and calls
//! [`ClientEngine::on_timer`]. Invariant (rule R5): attempt k+1 of a request exists only after a `Retry` for attempt k; until an
//! answer comes the same attempt is repeated to the same destinations.

mod admission;
mod attempts;
mod contacts;
mod plan;
mod planning;
mod querying;
mod repetition;
mod session;
mod task;

use crate::answer::{ClientMessage, Completion, Outcome, ServerMessage};
use crate::command::{Intent, Request, SessionId};
use crate::hints::HintTable;
use crate::hooks::{CacheCall, CacheReply, Found};
use crate::id::{ClientId, Groups, Hint, ObjectId, PartitionId, ReplicaId};
use crate::oracle::{Guess, Oracle, Placement};
use crate::read::Reads;
use crate::time::{LocalTime, LogicalClock, Micros};
use contacts::Contacts;
use session::SessionNumbers;
use std::collections::{BTreeMap, VecDeque};
use task::Task;

/// Where an access to objects of several partitions executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Execution {
    /// S-SMR: every destination executes, on values that the destinations exchange.
    #[default]
    Exchange,
    /// DS-SMR: the objects are moved together first, and the command runs at one partition.
    Gather,
}

/// What a client wants done.
#[derive(Debug, Default)]
pub struct ClientOutbox {
    /// Messages to replicas.
    pub messages: Vec<(ReplicaId, ClientMessage)>,
    /// Calls to the shared cache.
    pub cache: Vec<CacheCall>,
}

/// ClientSettings of a client.
#[derive(Clone, Copy, Debug)]
pub struct ClientSettings {
    /// Where multi-partition accesses execute.
    pub execution: Execution,
    /// How reads of objects at one partition are answered.
    pub reads: Reads,
    /// How long to wait for an answer before the same attempt is sent again, in microseconds; after the fourth time it doubles, up
    /// to sixteenfold.
    pub resend: Micros,
    /// How long a request may take before it ends as [`Outcome::Unknown`], in microseconds.
    pub deadline: Micros,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            execution: Execution::Exchange,
            reads: Reads::Ordered,
            resend: 250_000,
            deadline: 30_000_000,
        }
    }
}

/// The client engine. One client may have many requests under way; each takes effect on its own, in any order.
#[derive(Debug)]
pub struct ClientEngine<O> {
    placement: Placement<O>,
    settings: ClientSettings,
    id: ClientId,
    contacts: Contacts,
    sessions: SessionNumbers,
    hints: HintTable,
    /// The greatest timestamp seen: what comes next is ordered after it.
    clock: LogicalClock,
    /// Groups that have not told their time yet; when the greetings were sent last, and first.
    ungreeted: Groups,
    greeted_at: Option<LocalTime>,
    first_greeting: LocalTime,
    tasks: BTreeMap<u64, Task>,
    next_ticket: u64,
    /// Tasks that wait for greetings or for a free number.
    waiting: VecDeque<u64>,
    /// Which task an unanswered number belongs to.
    numbers: BTreeMap<(SessionId, u64), u64>,
    /// Which tasks wait for a hint on an object.
    lookups: BTreeMap<ObjectId, Vec<u64>>,
    completed: VecDeque<Completion>,
}

impl<O: Oracle> ClientEngine<O> {
    /// A client. It greets every group before its first command, to learn the time.
    #[must_use]
    pub fn new(id: ClientId, placement: Placement<O>, settings: ClientSettings) -> Self {
        let topology = *placement.topology();
        Self {
            placement,
            settings,
            id,
            contacts: Contacts::new(topology),
            sessions: SessionNumbers::new(id),
            hints: HintTable::default(),
            clock: LogicalClock::default(),
            ungreeted: topology.groups(),
            greeted_at: None,
            first_greeting: LocalTime::ZERO,
            tasks: BTreeMap::new(),
            next_ticket: 1,
            waiting: VecDeque::new(),
            numbers: BTreeMap::new(),
            lookups: BTreeMap::new(),
            completed: VecDeque::new(),
        }
    }

    /// Who this is.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Takes a request; the ticket comes back in its [`Completion`].
    pub fn submit(&mut self, now: LocalTime, request: Request, out: &mut ClientOutbox) -> u64 {
        let ticket = self.enlist(Task::new(request, None, now));
        let task = &self.tasks[&ticket];
        if let Some(outcome) = self.answer_alone(&task.request) {
            self.complete(now, ticket, outcome, None, out);
        } else {
            self.waiting.push_back(ticket);
            self.admit(now, out);
        }
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
                self.on_answer(now, &answer, &hints, out);
            }
            ServerMessage::Consulted { hints, unknown } => {
                hints.iter().for_each(|hint| self.hints.learn(*hint));
                let objects = hints.iter().map(|hint| hint.object).chain(unknown);
                self.informed(now, objects, out);
            }
            ServerMessage::Time(time) => {
                self.sessions.observe(now, time);
                self.ungreeted.remove(from.group);
            }
            ServerMessage::NotLeader { leader } => {
                if self.contacts.redirect(now, from, leader) {
                    self.resend_to(now, from, out);
                }
            }
            ServerMessage::Refused { id, defect } => {
                if let Some(ticket) = self.attempting(id) {
                    self.complete(now, ticket, Outcome::Refused(defect), None, out);
                }
            }
            ServerMessage::Expired { id, time } => {
                self.sessions.observe(now, time);
                if let Some(ticket) = self.attempting(id) {
                    self.complete(now, ticket, Outcome::Unknown, None, out);
                }
            }
        }
        self.admit(now, out);
    }

    /// Takes an answer of the shared cache.
    pub fn on_cache(&mut self, now: LocalTime, reply: CacheReply, out: &mut ClientOutbox) {
        let hint = match &reply.found {
            Found::Hit(bytes) => crate::codec::decode::<Hint>(bytes).ok(),
            Found::Miss | Found::Down => None,
        };
        let asked: Vec<ObjectId> = self.lookups.keys().copied().collect();
        for object in asked {
            let Guess::Shared { key, .. } = self.placement.guess(object) else {
                continue;
            };
            if key != reply.key {
                continue;
            }
            let believable = hint.filter(|h| {
                h.object == object && h.owner.0 < self.placement.topology().partition_count()
            });
            self.count_cache(object, believable.is_some());
            match believable {
                Some(hint) => {
                    self.hints.learn(hint);
                    self.informed(now, [object], out);
                }
                None => self.consult(object, false, out),
            }
        }
    }

    /// Lets time pass; call it at least every 50 ms.
    pub fn on_timer(&mut self, now: LocalTime, out: &mut ClientOutbox) {
        self.greet(now, out);
        let due: Vec<u64> = self.tasks.keys().copied().collect();
        for ticket in due {
            self.repeat(now, ticket, out);
            self.give_up_when_due(now, ticket);
        }
        self.admit(now, out);
    }

    /// The next completed request.
    pub fn poll_completed(&mut self) -> Option<Completion> {
        self.completed.pop_front()
    }

    /// Where the client believes an object to be: a hint (rule R7).
    pub fn believed_owner(&mut self, object: ObjectId) -> Option<PartitionId> {
        let known = self.hints.get(object).map(|hint| hint.owner);
        known.or_else(|| match self.placement.guess(object) {
            Guess::At(partition) => Some(partition),
            Guess::Ask(_) | Guess::Shared { .. } => None,
        })
    }

    /// How a request stands whose client is about to be dropped: unknown, with the attempt that was sent last.
    #[must_use]
    pub fn abandoned(&self, ticket: u64, invoked: LocalTime, now: LocalTime) -> Completion {
        let request = Task::new(Request::default(), None, invoked);
        let task = self.tasks.get(&ticket).unwrap_or(&request);
        task.completion(ticket, now, Outcome::Unknown, None)
    }

    /// The requests under way with how far they are, for diagnosis.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{:?}, contacts {:?}", self.tasks.values(), self.contacts)
    }

    /// How many requests are under way, those included whose outcome was given up as unknown.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.tasks
            .values()
            .filter(|task| task.parent.is_none())
            .count()
    }

    fn enlist(&mut self, task: Task) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.tasks.insert(ticket, task);
        ticket
    }

    /// The outcome of a request that needs no group to decide it.
    fn answer_alone(&self, request: &Request) -> Option<Outcome> {
        if let Some(defect) = request.defect(&self.placement.topology()) {
            return Some(Outcome::Refused(defect));
        }
        let moves = request
            .intents()
            .iter()
            .any(|(_, intent)| matches!(intent, Intent::Move { .. }));
        if moves && !self.placement.movable() {
            return Some(Outcome::Unsupported);
        }
        request
            .intents()
            .is_empty()
            .then(|| Outcome::Done(bytes::Bytes::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SESSION_TTL;
    use crate::time::LogTime;
    use crate::topology::Topology;

    #[derive(Clone, Debug)]
    struct OnePlace;

    impl Oracle for OnePlace {
        const NAME: &'static str = "one-place";
        type Hooks = ();

        fn hooks(&self, _: &Topology) {}

        fn authority(&self, _: &Topology, _: ObjectId) -> Groups {
            PartitionId(0).into()
        }

        fn guess(&self, _: &Topology, _: ObjectId) -> Guess {
            Guess::At(PartitionId(0))
        }
    }

    /// What the client sends when it is asked for something at `now`, and when a replica tells the time afterwards.
    fn ask(
        client: &mut ClientEngine<OnePlace>,
        now: LocalTime,
    ) -> (Vec<ClientMessage>, Vec<ClientMessage>) {
        let from = ReplicaId {
            group: PartitionId(0).into(),
            index: 0,
        };
        let mut out = ClientOutbox::default();
        client.submit(now, Request::lookup(ObjectId::new(1, 1)), &mut out);
        let first = out.messages.drain(..).map(|(_, message)| message).collect();
        client.on_message(
            now,
            from,
            ServerMessage::Time(LogTime::from_micros(now.micros())),
            &mut out,
        );
        (
            first,
            out.messages
                .into_iter()
                .map(|(_, message)| message)
                .collect(),
        )
    }

    fn session(messages: &[ClientMessage]) -> Option<SessionId> {
        match messages {
            [ClientMessage::Submit(command)] => Some(command.id.session),
            _ => None,
        }
    }

    #[test]
    fn a_client_that_was_idle_for_long_asks_for_the_time_before_it_goes_on() {
        let topology = Topology::new(1, 1).unwrap();
        let mut client = ClientEngine::new(
            ClientId(1),
            Placement::new(OnePlace, topology),
            ClientSettings::default(),
        );
        let at = LocalTime::from_micros;
        let (greeting, first) = ask(&mut client, at(5));
        assert_eq!(greeting, [ClientMessage::Hello]);
        let first = session(&first).unwrap();
        let (second, _) = ask(&mut client, at(6));
        assert_eq!(session(&second), Some(first));
        let (greeting, third) = ask(&mut client, at(2 * SESSION_TTL));
        assert_eq!(greeting, [ClientMessage::Hello]);
        assert!(session(&third).unwrap().opened > first.opened);
    }
}
