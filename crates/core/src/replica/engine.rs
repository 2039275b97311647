//! The one engine that all strategies share: S-SMR's execution of delivered commands, with objects that come, go and move.
//!
//! It follows S-SMR (Bezerra, Pedone, van Renesse, DSN 2014) and departs from it in three places: a command waits behind
//! those that share an object with it, not behind all (per-object queues); a signal says what exists and where, not just
//! values; and the verdict is computed from the signals by all destinations alike, so that creation, deletion and moves
//! are ordinary commands.
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
//! Invariant: the state is a pure function of the deliveries. What is sent is too, so any replica may send it.

use super::queues::Queues;
use super::sessions::Sessions;
use super::store::Store;
use super::verdict::{Finding, answerer, decide, hints, join, operand_bytes, worth_hints};
use super::{Applied, Partition, Reading, Reply};
use crate::answer::{Answer, Verdict};
use crate::application::Application;
use crate::codec;
use crate::command::{Command, CommandId, Intent};
use crate::id::{Encoded, GroupId, Groups, Hint, ObjectId, Revision, Timestamp, digest};
use crate::limits::MAX_OPERANDS;
use crate::multicast::{Delivery, ObjectReport, ObjectStatus, Signal};
use crate::mutant::Mutant;
use crate::oracle::{Carried, Oracle};
use crate::read::Query;
use crate::snapshot::Part;
use crate::topology::Topology;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

/// The replicated state of one group, and the rules by which it changes.
#[derive(Debug)]
pub struct Engine<A> {
    pub(super) group: GroupId,
    topology: Topology,
    pub(super) mutant: Option<Mutant>,
    pub(super) state: State,
    application: PhantomData<fn() -> A>,
}

/// All that is replicated. A copy of it costs little: objects, records and sessions are shared until one side changes them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) queues: Queues,
    running: FxHashMap<CommandId, Running>,
    /// Signals of commands that are not delivered here yet.
    early: FxHashMap<CommandId, Vec<(GroupId, Signal)>>,
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

impl<A: Application, O: Oracle> Partition<O> for Engine<A> {
    fn on_deliver(&mut self, oracle: &O, delivery: Delivery, out: &mut Applied) {
        match delivery {
            Delivery::Command {
                command,
                timestamp,
                expired,
            } => {
                self.on_command(oracle, command, timestamp, expired, out);
            }
            Delivery::Signal { from, signal } => self.on_signal(oracle, from, signal, out),
            Delivery::SessionEnded(session) => self.state.sessions.forget(session),
            Delivery::Restore(part) => self.restore(&part),
        }
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

    fn read(&self, query: &Query) -> Option<Reading> {
        self.answer(query)
    }

    fn image(&self) -> Part {
        let mut state = self.state.clone();
        match self.mutant {
            Some(Mutant::SnapshotsWithoutSessions) => state.sessions = Sessions::default(),
            Some(Mutant::SnapshotsWithoutSignals) => state.forget_signals(),
            _ => {}
        }
        Box::new(move || codec::encode(&state))
    }

    fn digest(&self) -> u64 {
        let State {
            store,
            running,
            early,
            sessions,
            delivered,
            queues: _,
        } = &self.state;
        // The queues follow from what is running.
        let running: BTreeMap<_, _> = running.values().map(|r| (r.timestamp, r)).collect();
        let early: BTreeMap<_, _> = early.iter().collect();
        let whole = (
            store.owned(),
            store.recorded(),
            sessions.sorted(),
            running,
            early,
            delivered,
        );
        digest(&codec::encode(&whole))
    }
}

impl State {
    /// Mutant: signals that have come in and are not used yet.
    fn forget_signals(&mut self) {
        self.early.clear();
        for running in self.running.values_mut() {
            running.signals.clear();
        }
    }
}

impl<A: Application> Engine<A> {
    /// The empty state of a group; `mutant` is a fault built in on purpose, for tests.
    #[must_use]
    pub fn new(group: GroupId, topology: Topology, mutant: Option<Mutant>) -> Self {
        Self {
            group,
            topology,
            mutant,
            state: State::default(),
            application: PhantomData,
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

    /// How many delivered commands have not finished.
    #[must_use]
    pub fn unfinished_count(&self) -> usize {
        self.state.running.len()
    }

    /// Takes the place of all that was here.
    fn restore(&mut self, part: &[u8]) {
        self.state = codec::decode_own(part)
            .unwrap_or_else(|error| panic!("the snapshot of {}'s state: {error}", self.group));
    }

    fn on_command<O: Oracle>(
        &mut self,
        oracle: &O,
        command: Arc<Command>,
        timestamp: Timestamp,
        expired: bool,
        out: &mut Applied,
    ) {
        let id = command.id;
        self.state.delivered += 1;
        self.state.sessions.begin(id, command.low_watermark);
        let missing = command.destinations;
        let signals = Vec::new();
        let mut running = Running {
            command,
            timestamp,
            expired,
            blocked: 0,
            started: false,
            signals,
            missing,
        };
        let request = &running.command.request;
        if running.missing == Groups::from(self.group)
            && self.state.queues.are_free(request.objects())
        {
            // Nobody to wait for and nobody waiting: the common case never enters the queues.
            self.start(oracle, &mut running, out);
            self.finish(oracle, &running, out);
            return;
        }
        running.blocked = self.state.queues.enter(id, request.objects());
        for (from, signal) in self.state.early.remove(&id).unwrap_or_default() {
            running.missing.remove(from);
            running.signals.push((from, signal));
        }
        let ready = running.blocked == 0 || self.mutant == Some(Mutant::OpenQueues);
        self.state.running.insert(id, running);
        if ready {
            self.advance(oracle, id, out);
        }
    }

    fn on_signal<O: Oracle>(
        &mut self,
        oracle: &O,
        from: GroupId,
        signal: Signal,
        out: &mut Applied,
    ) {
        let id = signal.command;
        let Some(running) = self.state.running.get_mut(&id) else {
            self.state.early.entry(id).or_default().push((from, signal));
            return;
        };
        assert!(
            running.missing.contains(from),
            "{from} signalled {id:?} twice or unasked"
        );
        running.missing.remove(from);
        running.signals.push((from, signal));
        if running.missing.is_empty() {
            self.advance(oracle, id, out);
        }
    }

    /// Starts the command if it is at the head of its queues, finishes it if all signals are in, and goes on with those
    /// that waited behind it.
    fn advance<O: Oracle>(&mut self, oracle: &O, id: CommandId, out: &mut Applied) {
        let mut work = vec![id];
        while let Some(id) = work.pop() {
            let Some(mut running) = self.state.running.remove(&id) else {
                continue;
            };
            if !running.started {
                self.start(oracle, &mut running, out);
            }
            if !running.missing.is_empty() && !self.may_hurry(&running) {
                self.state.running.insert(id, running);
                continue;
            }
            let objects: Vec<ObjectId> = running.command.request.objects().collect();
            self.finish(oracle, &running, out);
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

    /// Mutant: finish as soon as the signals that are in allow another verdict than a retry.
    fn may_hurry(&self, running: &Running) -> bool {
        self.mutant == Some(Mutant::NoSignalWait) && {
            let findings = join_all(running);
            decide(&running.command.request, &findings, false, false).0 != Verdict::Retry
        }
    }

    /// Signals the other destinations what this group has, and what it knows of existence.
    fn start<O: Oracle>(&mut self, oracle: &O, running: &mut Running, out: &mut Applied) {
        running.started = true;
        running.missing.remove(self.group);
        let command = &running.command;
        let reports = self.reports(oracle, command);
        let operand_bytes = operand_bytes(command, &reports);
        for to in command.destinations.without(self.group).iter() {
            let mut reports = reports.clone();
            for report in &mut reports {
                self.strip(command, report, to, operand_bytes);
            }
            let (command, expired) = (command.id, running.expired);
            let signal = Signal {
                command,
                expired,
                operand_bytes,
                reports,
            };
            out.signals.push((to, signal));
        }
        if !command.is_local_to(self.group) {
            let has = |object| self.state.store.object(object).is_some();
            out.lacking.extend(
                command
                    .request
                    .objects()
                    .filter(|&o| !has(o))
                    .map(|object| (command.destinations, object)),
            );
        }
        let (command, expired) = (command.id, running.expired);
        let signal = Signal {
            command,
            expired,
            operand_bytes,
            reports,
        };
        running.signals.push((self.group, signal));
    }

    fn reports<O: Oracle>(&self, oracle: &O, command: &Command) -> Vec<ObjectReport> {
        let status = |object| match self.state.store.object(object) {
            Some(held) => Some(ObjectStatus::Owned(
                held.revision,
                Some(Carried::Value(held.value.clone())),
            )),
            None if self.state.store.record(object).is_some() => Some(ObjectStatus::Present),
            None => oracle
                .authority(object)
                .contains(self.group)
                .then_some(ObjectStatus::Absent),
        };
        command
            .request
            .objects()
            .filter_map(|object| {
                Some(ObjectReport {
                    object,
                    status: status(object)?,
                })
            })
            .collect()
    }

    /// Takes the value out of a report unless the receiver needs it: one that may execute, or the target of a move. Nobody
    /// needs the values of a command that is too large to execute.
    fn strip(&self, command: &Command, report: &mut ObjectReport, to: GroupId, operand_bytes: u64) {
        let ObjectStatus::Owned(_, value) = &mut report.status else {
            return;
        };
        let needed = match command.request.intent(report.object) {
            Some(Intent::Move { to: target }) => GroupId::from(*target) == to,
            Some(intent) => intent.reads() && to.partition().is_some(),
            None => false,
        };
        if !needed || operand_bytes > MAX_OPERANDS {
            *value = None;
        }
    }

    fn finish<O: Oracle>(&mut self, oracle: &O, running: &Running, out: &mut Applied) {
        let command = &running.command;
        let findings = join_all(running);
        let expired = running.expired || running.signals.iter().any(|(_, signal)| signal.expired);
        let everywhere = command.destinations == self.topology.groups()
            && self.mutant.is_none()
            && running.missing.is_empty();
        let (mut verdict, mut touched) = decide(&command.request, &findings, expired, everywhere);
        let operand_bytes: u64 = running
            .signals
            .iter()
            .map(|(_, signal)| signal.operand_bytes)
            .sum();
        if verdict == Verdict::Done && operand_bytes > MAX_OPERANDS {
            verdict = Verdict::TooLarge;
        }
        let answerer = answerer(command, &findings, verdict);
        let mut reply = Encoded::new();
        if verdict == Verdict::Done {
            reply = self.execute(command, &findings, answerer == self.group);
            touched = self.apply(oracle, command, running.timestamp, &findings, out);
        }
        if answerer != self.group {
            self.state.sessions.finish(command.id, None);
            return;
        }
        let timestamp = running.timestamp;
        let answer = Arc::new(Answer {
            id: command.id,
            verdict,
            reply,
            timestamp,
            touched,
        });
        self.state.sessions.finish(command.id, Some(answer.clone()));
        let hints = if worth_hints(command, verdict) {
            hints(command, &findings)
        } else {
            Vec::new()
        };
        out.replies.push(Reply {
            answer,
            command: command.clone(),
            hints,
        });
    }
}

fn join_all(running: &Running) -> Vec<Finding> {
    join(
        &running.command.request,
        running
            .signals
            .iter()
            .map(|(group, signal)| (*group, signal)),
    )
}
