//! The client engine: plans, consults, attempts, retries, gathers, falls back, and never abandons an attempt.
//!
//! ```text
//!   submit -> [consult] -> [gather by moves] -> attempt k -> Done | AlreadyExists | NotFound -> completed
//!                 ^                                 |
//!                 +---- Retry, budget left ---------+        Retry, budget spent: attempt k+1 goes to all groups
//! ```
//!
//! It does not open connections, wait, or draw random numbers: a driver carries the messages and calls
//! [`Client::on_timer`]. Invariant (rule R5): attempt k+1 of a request exists only after a `Retry` for attempt k; until an
//! answer comes the same attempt is repeated to the same destinations.

mod contacts;
mod plan;
mod session;
mod task;

use crate::answer::{Answer, ClientMessage, Completion, Outcome, ServerMessage, Verdict};
use crate::command::{Command, CommandId, Intent, Request, SessionId};
use crate::hints::HintTable;
use crate::id::{ClientId, Groups, Hint, Micros, ObjectId, ReplicaId};
use crate::layout::Layout;
use crate::limits::GATHER_WINDOW;
use crate::mutant::Mutant;
use crate::oracle::{CacheCall, CacheReply, Found, Guess, Oracle};
use contacts::Contacts;
use plan::{destinations, gathering_place, needs_owner};
use session::Sessions;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use task::{Stage, Task, patience};

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

/// Settings of a client.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Where multi-partition accesses execute.
    pub execution: Execution,
    /// How long to wait for an answer before the same attempt is sent again, in microseconds; doubles up to sixteenfold.
    pub resend: Micros,
    /// How long a request may take before it ends as [`Outcome::Unknown`], in microseconds.
    pub deadline: Micros,
    /// A fault built in on purpose, for tests.
    pub mutant: Option<Mutant>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            execution: Execution::Exchange,
            resend: 250_000,
            deadline: 30_000_000,
            mutant: None,
        }
    }
}

/// The client engine. One client may have many requests under way; each takes effect on its own, in any order.
#[derive(Debug)]
pub struct Client<O> {
    layout: Layout,
    oracle: O,
    settings: Settings,
    id: ClientId,
    contacts: Contacts,
    sessions: Sessions,
    hints: HintTable,
    /// The greatest timestamp seen: what comes next is ordered after it.
    clock: u64,
    /// Groups that have not told their time yet; when the greetings were sent last, and first.
    ungreeted: Groups,
    greeted_at: Option<Micros>,
    first_greeting: Micros,
    tasks: BTreeMap<u64, Task>,
    next_ticket: u64,
    /// Tasks that wait for greetings or for a free number.
    waiting: VecDeque<u64>,
    /// Which task an unanswered number belongs to.
    numbers: BTreeMap<(SessionId, u64), u64>,
    /// Which tasks wait for a hint on an object.
    curious: BTreeMap<ObjectId, Vec<u64>>,
    completed: VecDeque<Completion>,
}

impl<O: Oracle> Client<O> {
    /// A client. It greets every group before its first command, to learn the time.
    #[must_use]
    pub fn new(id: ClientId, layout: Layout, oracle: O, settings: Settings) -> Self {
        Self {
            layout,
            oracle,
            settings,
            id,
            contacts: Contacts::new(layout),
            sessions: Sessions::new(id),
            hints: HintTable::default(),
            clock: 0,
            ungreeted: layout.groups(),
            greeted_at: None,
            first_greeting: 0,
            tasks: BTreeMap::new(),
            next_ticket: 1,
            waiting: VecDeque::new(),
            numbers: BTreeMap::new(),
            curious: BTreeMap::new(),
            completed: VecDeque::new(),
        }
    }

    /// Who this is.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Takes a request; the ticket comes back in its [`Completion`].
    pub fn submit(&mut self, now: Micros, request: Request, out: &mut ClientOutbox) -> u64 {
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
        now: Micros,
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
                self.sessions.observe(time);
                self.on_answer(now, &answer, &hints, out);
            }
            ServerMessage::Consulted { hints, unknown } => {
                hints.iter().for_each(|hint| self.hints.learn(*hint));
                let objects = hints.iter().map(|hint| hint.object).chain(unknown);
                self.informed(now, objects, out);
            }
            ServerMessage::Time(time) => {
                self.sessions.observe(time);
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
                self.sessions.observe(time);
                if let Some(ticket) = self.attempting(id) {
                    self.complete(now, ticket, Outcome::Unknown, None, out);
                }
            }
        }
        self.admit(now, out);
    }

    /// Takes an answer of the shared cache.
    pub fn on_cache(&mut self, now: Micros, reply: CacheReply, out: &mut ClientOutbox) {
        let hint = match &reply.found {
            Found::Hit(bytes) => crate::codec::decode::<Hint>(bytes).ok(),
            Found::Miss | Found::Down => None,
        };
        let asked: Vec<ObjectId> = self.curious.keys().copied().collect();
        for object in asked {
            let Guess::Shared { key, .. } = self.oracle.guess(object) else {
                continue;
            };
            if key != reply.key {
                continue;
            }
            let believable =
                hint.filter(|h| h.object == object && h.owner.0 < self.layout.partition_count());
            self.count_cache(object, believable.is_some());
            match believable {
                Some(hint) => {
                    self.hints.learn(hint);
                    self.informed(now, [object], out);
                }
                None => self.consult(object, false, out),
            }
        }
        self.oracle.on_cache(now, reply);
    }

    /// Lets time pass; call it at least every 50 ms.
    pub fn on_timer(&mut self, now: Micros, out: &mut ClientOutbox) {
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

    /// How a request stands whose client is about to be dropped: unknown, with the attempt that was sent last.
    #[must_use]
    pub fn abandoned(&self, ticket: u64, invoked: Micros, now: Micros) -> Completion {
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
        if let Some(defect) = request.defect(&self.layout) {
            return Some(Outcome::Refused(defect));
        }
        let moves = request
            .intents()
            .iter()
            .any(|(_, intent)| matches!(intent, Intent::Move { .. }));
        if moves && !self.oracle.movable() {
            return Some(Outcome::Unsupported);
        }
        request
            .intents()
            .is_empty()
            .then(|| Outcome::Done(bytes::Bytes::new()))
    }

    // -- greetings and admission ---------------------------------------------------------------------------------

    /// Asks the groups for their time, so that the first session is not born expired.
    fn greet(&mut self, now: Micros, out: &mut ClientOutbox) {
        let due = self
            .greeted_at
            .is_none_or(|at| now >= at + self.settings.resend);
        if self.ungreeted.is_empty() || !due {
            return;
        }
        if let Some(at) = self.greeted_at {
            self.ungreeted
                .iter()
                .for_each(|group| self.contacts.suspect(now, group, at));
        } else {
            self.first_greeting = now;
        }
        self.greeted_at = Some(now);
        for group in self.ungreeted.iter() {
            out.messages
                .push((self.contacts.leader(group), ClientMessage::Hello));
        }
    }

    /// Whether the time is known: from every group, or after a while from one.
    fn greeted(&self, now: Micros) -> bool {
        let some = self.ungreeted != self.layout.groups();
        self.ungreeted.is_empty() || (some && now >= self.first_greeting + 4 * self.settings.resend)
    }

    /// Starts as many waiting tasks as there are free numbers.
    fn admit(&mut self, now: Micros, out: &mut ClientOutbox) {
        if self.waiting.is_empty() {
            return;
        }
        if !self.greeted(now) {
            self.greet(now, out);
            return;
        }
        while let Some(ticket) = self.waiting.pop_front() {
            let Some(task) = self.tasks.get_mut(&ticket) else {
                continue;
            };
            let Some((session, number)) = self.sessions.allot() else {
                self.waiting.push_front(ticket);
                return;
            };
            task.number = Some((session, number));
            task.attempt = 0;
            self.numbers.insert((session, number), ticket);
            self.plan(now, ticket, out);
        }
    }

    // -- planning ------------------------------------------------------------------------------------------------

    /// Finds out where the objects are, gathers them if asked to, and makes the next attempt.
    fn plan(&mut self, now: Micros, ticket: u64, out: &mut ClientOutbox) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        if task.budget == 0 {
            task.cost.fallbacks = 1;
            self.attempt(now, ticket, self.layout.groups(), out);
            return;
        }
        let mut missing = BTreeSet::new();
        for (object, intent) in task.request.intents() {
            if !needs_owner(intent) {
                continue;
            }
            let known = self.hints.get(*object).map(|hint| hint.owner);
            let guessed = || match self.oracle.guess(*object) {
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
            let waiters = self.curious.entry(object).or_default();
            waiters.push(ticket);
            if waiters.len() == 1 {
                self.consult(object, true, out);
            }
        }
    }

    /// Asks for hints on an object: the shared cache first where there is one, else (or then) an oracle.
    fn consult(&mut self, object: ObjectId, first: bool, out: &mut ClientOutbox) {
        let groups = match self.oracle.guess(object) {
            Guess::Shared { key, .. } if first => {
                out.cache.push(CacheCall::Get { key });
                return;
            }
            Guess::Shared { otherwise, .. } => otherwise,
            Guess::Ask(groups) => groups,
            Guess::At(partition) => partition.into(),
        };
        let spread = self.layout.spread(object).into();
        let Some(group) = Some(spread)
            .filter(|&g| groups.contains(g))
            .or(groups.first())
        else {
            return;
        };
        for ticket in self.curious.get(&object).into_iter().flatten() {
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

    fn count_cache(&mut self, object: ObjectId, hit: bool) {
        for ticket in self.curious.get(&object).into_iter().flatten() {
            if let Some(task) = self.tasks.get_mut(ticket) {
                task.cost.cache_hits += u32::from(hit);
                task.cost.cache_misses += u32::from(!hit);
            }
        }
    }

    /// Consultations on these objects have ended, with a hint or without.
    fn informed(
        &mut self,
        now: Micros,
        objects: impl IntoIterator<Item = ObjectId>,
        out: &mut ClientOutbox,
    ) {
        for object in objects {
            let owner = self.hints.get(object).map(|hint| hint.owner);
            for ticket in self.curious.remove(&object).unwrap_or_default() {
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
    fn proceed(&mut self, now: Micros, ticket: u64, out: &mut ClientOutbox) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        let gathers = self.settings.execution == Execution::Gather && self.oracle.movable();
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
        let groups = destinations(&self.oracle, &self.layout, &task.request, &task.beliefs);
        self.attempt(now, ticket, groups, out);
    }

    // -- gathering -----------------------------------------------------------------------------------------------

    /// Starts as many of the task's moves as the window allows; goes on when all have ended.
    fn gather(&mut self, now: Micros, ticket: u64, out: &mut ClientOutbox) {
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
    fn gathered(&mut self, now: Micros, parent: u64, step: &Task, out: &mut ClientOutbox) {
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

    // -- attempts ------------------------------------------------------------------------------------------------

    fn attempt(&mut self, now: Micros, ticket: u64, groups: Groups, out: &mut ClientOutbox) {
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
            low: self.sessions.low(session),
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

    /// The task that waits for the answer to this very attempt.
    fn attempting(&self, id: CommandId) -> Option<u64> {
        let ticket = *self.numbers.get(&(id.session, id.number))?;
        let task = self.tasks.get(&ticket)?;
        let waits = matches!(&task.stage, Stage::Attempting { command, .. } if command.id == id);
        waits.then_some(ticket)
    }

    fn on_answer(&mut self, now: Micros, answer: &Answer, hints: &[Hint], out: &mut ClientOutbox) {
        self.clock = self.clock.max(answer.timestamp.ts);
        hints.iter().for_each(|hint| self.hints.learn(*hint));
        let Some(ticket) = self.attempting(answer.id) else {
            return;
        };
        let outcome = match answer.verdict {
            Verdict::Done => Outcome::Done(answer.reply.clone()),
            Verdict::AlreadyExists => Outcome::AlreadyExists,
            Verdict::NotFound => Outcome::NotFound,
            Verdict::Retry => {
                self.retry(now, ticket, hints, out);
                return;
            }
            Verdict::SessionExpired => {
                self.outlived(now, ticket, out);
                return;
            }
        };
        self.learn(ticket, answer);
        let ordered = Some((answer.timestamp, answer.touched.clone()));
        self.complete(now, ticket, outcome, ordered, out);
    }

    /// The plan was stale: forget what was refuted, spend one retry, plan again.
    fn retry(&mut self, now: Micros, ticket: u64, hints: &[Hint], out: &mut ClientOutbox) {
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
    fn outlived(&mut self, now: Micros, ticket: u64, out: &mut ClientOutbox) {
        self.ungreeted = self.layout.groups();
        self.greeted_at = None;
        self.renumber(now, ticket, out);
    }

    /// Begins anew under another number.
    fn renumber(&mut self, now: Micros, ticket: u64, out: &mut ClientOutbox) {
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
    fn learn(&mut self, ticket: u64, answer: &Answer) {
        let Some(task) = self.tasks.get(&ticket) else {
            return;
        };
        for touch in &answer.touched {
            let object = touch.object;
            let owner = match task.request.intent(object) {
                Some(Intent::Create { at, .. }) => self.oracle.owner(object, *at),
                Some(Intent::Move { to }) => *to,
                _ => {
                    if touch.left.is_none() {
                        self.hints.forget(object);
                    }
                    continue;
                }
            };
            let placed = touch.left.filter(|_| answer.verdict == Verdict::Done);
            if let Some(revision) = placed {
                self.hints.learn(Hint {
                    object,
                    owner,
                    epoch: revision.epoch,
                });
            }
        }
    }

    fn complete(
        &mut self,
        now: Micros,
        ticket: u64,
        outcome: Outcome,
        ordered: Option<(crate::Timestamp, Vec<crate::Touch>)>,
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

    // -- repetition ----------------------------------------------------------------------------------------------

    /// Sends what has waited too long again.
    fn repeat(&mut self, now: Micros, ticket: u64, out: &mut ClientOutbox) {
        let base = self.settings.resend;
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        match &mut task.stage {
            Stage::Attempting {
                command,
                sent,
                repeats,
            } if now >= *sent + patience(base, *repeats) => {
                let (command, before) = (command.clone(), *sent);
                *sent = now;
                *repeats += 1;
                if self.settings.mutant == Some(Mutant::AbandonAttempts) {
                    self.renumber(now, ticket, out);
                    return;
                }
                for group in command.destinations.iter() {
                    self.contacts.suspect(now, group, before);
                    let to = self.contacts.leader(group);
                    out.messages
                        .push((to, ClientMessage::Submit(command.clone())));
                }
            }
            Stage::Consulting {
                missing,
                asked,
                repeats,
            } if now >= *asked + patience(base, *repeats) => {
                let (objects, before): (Vec<_>, _) = (missing.iter().copied().collect(), *asked);
                *asked = now;
                *repeats += 1;
                for object in objects {
                    if let Guess::Ask(groups)
                    | Guess::Shared {
                        otherwise: groups, ..
                    } = self.oracle.guess(object)
                    {
                        groups
                            .iter()
                            .for_each(|group| self.contacts.suspect(now, group, before));
                    }
                    self.consult(object, false, out);
                }
            }
            _ => {}
        }
    }

    /// A replica has named another leader: what its group was sent goes there at once.
    fn resend_to(&mut self, now: Micros, from: ReplicaId, out: &mut ClientOutbox) {
        let to = self.contacts.leader(from.group);
        for task in self.tasks.values_mut() {
            if let Stage::Attempting { command, sent, .. } = &mut task.stage {
                if command.destinations.contains(from.group) {
                    *sent = now;
                    out.messages
                        .push((to, ClientMessage::Submit(command.clone())));
                }
            }
        }
    }

    /// Tells the user that the outcome is unknown once the deadline has passed. A request without an attempt is dropped;
    /// an attempt goes on until it is answered, for only that lets the session's low mark pass.
    fn give_up_when_due(&mut self, now: Micros, ticket: u64) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        if task.parent.is_some() || task.given_up || now < task.invoked + self.settings.deadline {
            return;
        }
        task.given_up = true;
        let completion = task.completion(ticket, now, Outcome::Unknown, None);
        let unsent = matches!(task.stage, Stage::Waiting | Stage::Consulting { .. });
        if unsent && let Some(task) = self.tasks.remove(&ticket) {
            if let Some((session, number)) = task.number {
                self.numbers.remove(&(session, number));
                self.sessions.answered(session, number);
            }
        }
        self.completed.push_back(completion);
    }
}
