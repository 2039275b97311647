//! The one engine that all strategies share: S-SMR's execution of delivered commands, with objects
//! that come, go and move.
//!
//! It follows S-SMR (Bezerra, Pedone, van Renesse, DSN 2014) and departs from it in three places: a
//! command waits behind those that share an object with it, not behind all (per-object queues); a
//! signal says what exists and where, not just values; and the verdict is computed from the signals
//! by all destinations alike, so that creation, deletion and moves are ordinary commands.
//!
//! ```text
//!   p0 (owns x)          p1 (owns y)          command {x, y}
//!     |  deliver             |  deliver       the multicast's order
//!     |  head of x's queue   |  head of y's
//!     |------ has x = 1 ---->|                signals
//!     |<----- has y = 2 -----|
//!     |  verdict, execute    |  verdict, execute
//!     |  answer (least)      |
//!     |  leave the queue     |  leave the queue
//! ```
//!
//! Invariant: the state is a pure function of the deliveries. What is sent is too, so any replica
//! may send it.

use super::conclusion::carry_out;
use super::partition::{Applied, Holdings, Partition, Reading, Reply};
use super::queues::Queues;
use super::sessions::Sessions;
use super::store::Store;
use super::verdict::{decide, most_operands, operand_bytes};
use crate::answer::{Answer, Verdict};
use crate::application::Application;
use crate::codec;
use crate::command::{Command, CommandId, MessageId, SessionId};
use crate::id::{Encoded, GroupId, Groups, Hint, ObjectId, Revision, Timestamp, digest};
use crate::keyed_hash::KeyedMap;
use crate::limits::MAX_OPERANDS;
use crate::multicast::Delivery;
use crate::mutant::{self, Mutant};
use crate::oracle::Placement;
use crate::read::Query;
use crate::request::Intent;
use crate::signal::{ObjectReport, ObjectStatus, Signal};
use crate::snapshot::StatePart;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

/// The replicated state of one group, and the rules by which it changes.
#[derive(Debug)]
pub struct Engine<A> {
    pub(super) group: GroupId,
    pub(super) placement: Placement,
    pub(super) state: State,
    /// How many bytes the values that a command reads or moves may have together.
    pub(super) max_operands: u64,
    application: PhantomData<fn() -> A>,
}

/// All that is replicated. A copy of it costs little: objects, records and sessions are shared
/// until one side changes them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) queues: Queues,
    running: KeyedMap<MessageId, Running>,
    /// Signals of commands that are not delivered here yet.
    undelivered: KeyedMap<MessageId, Vec<(GroupId, Signal)>>,
    sessions: Sessions,
    /// How many commands were delivered.
    delivered: u64,
}

/// A delivered command that has not finished.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Running {
    command: Arc<Command>,
    timestamp: Timestamp,
    expired: bool,
    /// On how many objects it waits behind others.
    blocked: usize,
    /// Its own signal was sent.
    started: bool,
    /// The signals so far, its own included.
    signals: Vec<(GroupId, Signal)>,
    /// The destinations that have not signalled.
    missing: Groups,
}

impl<A: Application> Partition for Engine<A> {
    fn on_deliver(&mut self, delivery: Delivery, out: &mut Applied) {
        match delivery {
            Delivery::Command {
                command,
                timestamp,
                expired,
            } => self.on_command(command, timestamp, expired, out),
            Delivery::Signal { from, signal } => self.on_signal(from, signal, out),
            Delivery::SessionEnded(session) => self.state.sessions.forget(session),
            Delivery::Restore(part) => self.restore(&part),
        }
    }

    fn conclude(&mut self, message: MessageId, arrived: &[(GroupId, Signal)]) -> Option<Reply> {
        let running = self.state.running.get(&message)?;
        let has_arrived = |group| arrived.iter().any(|(from, _)| *from == group);
        let has_all = running.missing.iter().all(has_arrived) || running.may_answer(arrived);
        if !(running.started && has_all) {
            return None;
        }
        let (command, timestamp) = (&running.command, running.timestamp);
        let decision = decide(command, running.with(arrived), self.max_operands);
        // Who does not answer need not execute yet.
        (decision.answerer == self.group).then(|| {
            let conclusion = carry_out::<A>(self.group, command, timestamp, decision);
            conclusion.reply(command, timestamp)
        })
    }

    fn recorded(&self, id: CommandId) -> Option<&Arc<Answer>> {
        self.state.sessions.answer(id)
    }

    fn locate(&self, object: ObjectId) -> Option<Hint> {
        if let (Some(held), Some(owner)) = (self.state.store.object(object), self.group.partition())
        {
            return Some(Hint {
                object,
                owner,
                epoch: held.revision.epoch,
            });
        }
        let record = self.state.store.record(object)?;
        Some(Hint {
            object,
            owner: record.owner,
            epoch: record.epoch,
        })
    }

    fn held(&self, object: ObjectId) -> Option<(Revision, Encoded)> {
        let held = self.state.store.object(object)?;
        Some((held.revision, held.value.clone()))
    }

    fn read(&self, query: &Query) -> Option<Reading> {
        self.answer(query)
    }

    fn image(&self) -> StatePart {
        let mut state = self.state.clone();
        if mutant::is_active(Mutant::SnapshotsWithoutSessions) {
            state.sessions = Sessions::default();
        }
        if mutant::is_active(Mutant::SnapshotsWithoutSignals) {
            state.forget_signals();
        }
        Box::new(move || codec::encode(&state))
    }

    fn unfinished_count(&self) -> usize {
        self.state.running.len()
    }

    fn holdings(&self) -> Holdings {
        self.state.store.holdings()
    }

    fn digest(&self) -> u64 {
        let State {
            store,
            running,
            undelivered,
            sessions,
            delivered,
            queues: _,
        } = &self.state;
        // The queues follow from what is running.
        let running: BTreeMap<_, _> = running.values().map(|r| (r.timestamp, r)).collect();
        let undelivered: BTreeMap<_, _> = undelivered.iter().collect();
        let whole = (
            store.owned(),
            store.recorded(),
            sessions.sorted(),
            running,
            undelivered,
            delivered,
        );
        digest(&codec::encode(&whole))
    }
}

impl State {
    /// Mutant: signals that have come in and are not used yet.
    fn forget_signals(&mut self) {
        self.undelivered.clear();
        for running in self.running.values_mut() {
            running.signals.clear();
        }
    }
}

impl<A: Application> Engine<A> {
    /// The empty state of a group.
    #[must_use]
    pub fn new(group: GroupId, placement: Placement) -> Self {
        Self {
            group,
            placement,
            state: State::default(),
            max_operands: MAX_OPERANDS,
            application: PhantomData,
        }
    }

    /// The same that refuses commands which read or move more than so many bytes, in place of
    /// [`MAX_OPERANDS`]. It must be the same at all replicas of a cluster for all its life, for
    /// verdicts depend on it. For tests and simulations.
    #[must_use]
    pub fn with_max_operands(self, max_operands: u64) -> Self {
        Self {
            max_operands,
            ..self
        }
    }

    /// How many objects the group owns.
    #[must_use]
    pub fn object_count(&self) -> usize {
        self.state.store.object_count()
    }

    /// The objects that the group owns, ascending, with revision and value.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectId, Revision, Encoded)> {
        self.state
            .store
            .owned()
            .into_iter()
            .map(|(id, held)| (id, held.revision, held.value.clone()))
    }

    /// How many commands were delivered to the group so far.
    #[must_use]
    pub fn delivered_count(&self) -> u64 {
        self.state.delivered
    }

    /// The sessions of which answers or commands under way are kept.
    pub fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.state.sessions.ids()
    }

    /// Decodes a snapshot's part and encodes it again; `None` if it is malformed.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn reencode(part: &[u8]) -> Option<Encoded> {
        let state: State = codec::decode_own(part).ok()?;
        Some(codec::encode(&state))
    }

    /// Takes the place of all that was here.
    fn restore(&mut self, part: &[u8]) {
        self.state = codec::decode_own(part)
            .unwrap_or_else(|error| panic!("the snapshot of {}'s state: {error}", self.group));
        self.state.store.weigh();
    }

    fn on_command(
        &mut self,
        command: Arc<Command>,
        timestamp: Timestamp,
        expired: bool,
        out: &mut Applied,
    ) {
        let id = command.message_id();
        self.state.delivered += 1;
        // Of a session that has expired here nothing is kept: nobody would say when it is over.
        if !expired {
            let sessions = &mut self.state.sessions;
            sessions.begin(command.id, command.low_watermark);
        }
        let mut running = Running {
            missing: command.destinations,
            command,
            timestamp,
            expired,
            blocked: 0,
            started: false,
            signals: Vec::new(),
        };
        let request = &running.command.request;
        if running.missing == Groups::from(self.group)
            && self.state.queues.are_free(request.objects())
        {
            // Nobody to wait for and nobody waiting: the common case never enters the queues.
            self.start(&mut running, out);
            self.finish(&running, out);
            return;
        }
        assert!(
            !self.state.running.contains_key(&id),
            "{id:?} was delivered twice"
        );
        running.blocked = self.state.queues.enter(id, request.objects());
        for (from, signal) in self.state.undelivered.remove(&id).unwrap_or_default() {
            running.missing.remove(from);
            running.signals.push((from, signal));
        }
        let ready = running.blocked == 0 || mutant::is_active(Mutant::OpenQueues);
        self.state.running.insert(id, running);
        if ready {
            self.advance(id, out);
        }
    }

    fn on_signal(&mut self, from: GroupId, signal: Signal, out: &mut Applied) {
        let id = signal.message;
        let Some(running) = self.state.running.get_mut(&id) else {
            self.state
                .undelivered
                .entry(id)
                .or_default()
                .push((from, signal));
            return;
        };
        assert!(
            running.missing.contains(from),
            "{from} signalled {id:?} twice or unasked"
        );
        running.missing.remove(from);
        running.signals.push((from, signal));
        if running.missing.is_empty() {
            self.advance(id, out);
        }
    }

    /// Starts the command if it is at the head of its queues, finishes it if all signals are in,
    /// and goes on with those that waited behind it.
    fn advance(&mut self, id: MessageId, out: &mut Applied) {
        let mut work = vec![id];
        while let Some(id) = work.pop() {
            let Some(mut running) = self.state.running.remove(&id) else {
                continue;
            };
            if !running.started {
                self.start(&mut running, out);
            }
            if !running.missing.is_empty() && !running.may_hurry() {
                out.started.push(id);
                self.state.running.insert(id, running);
                continue;
            }
            let objects: Vec<ObjectId> = running.command.request.objects().collect();
            self.finish(&running, out);
            for object in objects {
                let Some(next) = self.state.queues.leave(id, object) else {
                    continue;
                };
                let Some(waiting) = self.state.running.get_mut(&next) else {
                    continue;
                };
                waiting.blocked = waiting.blocked.saturating_sub(1);
                if waiting.blocked == 0 {
                    work.push(next);
                }
            }
        }
    }

    /// Signals the other destinations what this group has, and what it knows of existence.
    fn start(&mut self, running: &mut Running, out: &mut Applied) {
        running.started = true;
        running.missing.remove(self.group);
        let command = &running.command;
        let reports = self.reports(command);
        let own = Signal {
            message: command.message_id(),
            expired: running.expired,
            operand_bytes: operand_bytes(command, &reports),
            reports,
        };
        for to in command.destinations.without(self.group).iter() {
            out.signals
                .push((to, signal_to(to, command, &own, self.max_operands)));
        }
        if !command.is_local_to(self.group) {
            let has = |object| self.state.store.object(object).is_some();
            let lacking = command.request.objects().filter(|&object| !has(object));
            let lacking = lacking.map(|object| (command.destinations, object));
            out.lacking.extend(lacking);
        }
        running.signals.push((self.group, own));
    }

    /// What this group has to say of a command's objects.
    fn reports(&self, command: &Command) -> Vec<ObjectReport> {
        let store = &self.state.store;
        let status = |object| match store.object(object) {
            Some(held) => Some(ObjectStatus::Owned(held.revision, Some(held.value.clone()))),
            None if store.record(object).is_some() => Some(ObjectStatus::Present),
            None => {
                let authority = self.placement.authority(object);
                authority
                    .contains(self.group)
                    .then_some(ObjectStatus::Absent)
            }
        };
        let report = |object| {
            let status = status(object)?;
            Some(ObjectReport { object, status })
        };
        command.request.objects().filter_map(report).collect()
    }

    /// All signals are in: decides, executes, records and answers.
    fn finish(&mut self, running: &Running, out: &mut Applied) {
        let (command, timestamp) = (&running.command, running.timestamp);
        let decision = decide(command, running.signals.iter(), self.max_operands);
        let everywhere = command.destinations == self.placement.topology().groups();
        assert!(
            !(everywhere && decision.verdict == Verdict::Retry && running.missing.is_empty())
                || mutant::any_is_active(),
            "a command to all groups found an object that nobody owns: {decision:?}"
        );
        let answers = decision.answerer == self.group;
        let mut conclusion = carry_out::<A>(self.group, command, timestamp, decision);
        let reply = answers.then(|| conclusion.reply(command, timestamp));
        if let Some(computed) = &mut conclusion.computed {
            self.apply(command, timestamp, &conclusion.findings, computed, out);
        }
        if !running.expired {
            let answer = reply.as_ref().map(|reply| reply.answer.clone());
            self.state.sessions.finish(command.id, answer);
        }
        out.replies.extend(reply);
    }
}

/// The signal for one of the other destinations: without the values that it does not need.
fn signal_to(to: GroupId, command: &Command, own: &Signal, max_operands: u64) -> Signal {
    let mut signal = own.clone();
    let too_large = own.operand_bytes > most_operands(command.destinations, max_operands);
    for report in &mut signal.reports {
        if let ObjectStatus::Owned(_, value) = &mut report.status
            && (too_large || !needs_value(to, command, report.object))
        {
            *value = None;
        }
    }
    signal
}

/// Whether a group needs an object's value: one that may execute, or the target of a move.
fn needs_value(group: GroupId, command: &Command, object: ObjectId) -> bool {
    match command.request.intent(object) {
        Some(Intent::Move { to }) => GroupId::from(*to) == group,
        Some(intent) => intent.reads() && group.partition().is_some(),
        None => false,
    }
}

impl Running {
    /// The delivered signals, and those of other groups that have arrived.
    fn with<'a>(
        &'a self,
        arrived: &'a [(GroupId, Signal)],
    ) -> impl Iterator<Item = &'a (GroupId, Signal)> + Clone {
        let others = arrived
            .iter()
            .filter(|(from, _)| self.missing.contains(*from));
        self.signals.iter().chain(others)
    }

    /// Mutant: answer as soon as the signals that are in allow another verdict than a retry.
    fn may_answer(&self, arrived: &[(GroupId, Signal)]) -> bool {
        mutant::is_active(Mutant::HastyAnswer)
            && decide(&self.command, self.with(arrived), MAX_OPERANDS).verdict != Verdict::Retry
    }

    /// Mutant: finish as soon as the signals that are in allow another verdict than a retry.
    fn may_hurry(&self) -> bool {
        mutant::is_active(Mutant::NoSignalWait)
            && decide(&self.command, self.signals.iter(), MAX_OPERANDS).verdict != Verdict::Retry
    }
}
