//! Early answers: a leader answers a command when the signals of all its destinations have reached
//! it, before its group has logged them.
//!
//! Rule R2 holds: a signal is a function of what its group has committed, so whoever hears it, from
//! whichever leader, hears a fact. And what is answered is the same that will be recorded, for both
//! are one pure function of the command, its timestamp and its signals.
//!
//! Invariant: nothing here is ordered state. It is lost with the leader; the next one answers once
//! the signals are logged, or is told them again.

use super::partition::Partition;
use super::{Replica, ReplicaOutbox, Reply};
use crate::command::MessageId;
use crate::id::GroupId;
use crate::keyed_hash::KeyedMap;
use crate::multicast::{ConfirmedReads, Delivery, Snapshots};
use crate::mutant::{self, Mutant};
use crate::signal::Signal;

/// What a leader knows before its group has logged it, and what it has made of it.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// Signals that have arrived and are not logged.
    arrived: KeyedMap<MessageId, Vec<(GroupId, Signal)>>,
    /// The answers of commands that have not finished here.
    told: KeyedMap<MessageId, Reply>,
}

impl Early {
    /// The signals for a command that have arrived and are not logged.
    fn arrived(&self, message: MessageId) -> &[(GroupId, Signal)] {
        self.arrived.get(&message).map_or(&[], Vec::as_slice)
    }

    fn learn(&mut self, from: GroupId, signal: Signal) {
        let arrived = self.arrived.entry(signal.message).or_default();
        // A signal may come twice: after a change of leader links repeat themselves.
        if arrived.iter().all(|(known, _)| *known != from) {
            arrived.push((from, signal));
        }
    }

    /// A delivery is about to be applied: what is logged need not be kept.
    pub(super) fn logged(&mut self, delivery: &Delivery) {
        match delivery {
            Delivery::Signal { from, signal } => {
                if let Some(arrived) = self.arrived.get_mut(&signal.message) {
                    arrived.retain(|(known, _)| known != from);
                    if arrived.is_empty() {
                        self.arrived.remove(&signal.message);
                    }
                }
            }
            Delivery::Restore(_) => self.forget(),
            Delivery::Command { .. } | Delivery::SessionEnded(_) => {}
        }
    }

    /// The answer that was given to an attempt which has not finished here.
    pub(super) fn told(&self, message: MessageId) -> Option<&Reply> {
        self.told.get(&message)
    }

    /// An attempt has finished, with this answer. Returns whether the client was told before.
    ///
    /// # Panics
    /// If it was told something else: a broken invariant.
    pub(super) fn finish(&mut self, reply: &Reply) -> bool {
        let Some(told) = self.told.remove(&reply.command.message_id()) else {
            return false;
        };
        assert_eq!(
            told.answer, reply.answer,
            "the early answer is not the one to be recorded: unless the service's operations are \
             not deterministic, an invariant is broken"
        );
        true
    }

    /// Another replica leads, or the state is another one.
    pub(super) fn forget(&mut self) {
        self.arrived.clear();
        self.told.clear();
    }
}

impl<M: ConfirmedReads + Snapshots, P: Partition> Replica<M, P> {
    /// Takes the signals that have arrived and are not logged, and answers what can be answered.
    pub(super) fn take_arrived(&mut self, out: &mut ReplicaOutbox<M>) {
        while let Some((from, signal)) = self.multicast.poll_arrived() {
            let message = signal.message;
            self.early.learn(from, signal);
            self.answer_early(message, out);
        }
    }

    /// Commands have come to the head of their queues, or signals for them were logged: answers
    /// those whose other signals have arrived.
    pub(super) fn answer_ready(
        &mut self,
        commands: impl Iterator<Item = MessageId>,
        out: &mut ReplicaOutbox<M>,
    ) {
        for message in commands {
            let hasty = mutant::is_active(Mutant::HastyAnswer);
            if hasty || !self.early.arrived(message).is_empty() {
                self.answer_early(message, out);
            }
        }
    }

    fn answer_early(&mut self, message: MessageId, out: &mut ReplicaOutbox<M>) {
        if self.early.told.contains_key(&message) {
            return;
        }
        let arrived = self.early.arrived(message);
        if let Some(reply) = self.partition.conclude(message, arrived) {
            let told = reply.clone();
            self.send_answer(reply, out);
            self.early.told.insert(message, told);
        }
    }
}
