//! What the simulator sees of every replica, and the invariants on it: agreement, order, ownership.
//!
//! [`Watched`] stands between multicast and engine, where a partition does, so that every delivery
//! is seen as it happens.

use ssmr_core::replica::{Applied, Holdings, Reading, Reply};
use ssmr_core::snapshot::StatePart;
use ssmr_core::{
    Answer, Command, CommandId, Delivery, Encoded, Engine, GroupId, Groups, Hint, MessageId,
    ObjectId, Partition, Query, Revision, Signal, Timestamp, Verdict,
};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::Registers;
use crate::trace::Step;
use crate::violation::{InvariantViolation, OrderViolation};

/// A partition that notes what is delivered to it.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) engine: Engine<Registers>,
    /// Commands delivered since they were last looked at, with their final timestamps.
    pub(crate) delivered: Vec<(Arc<Command>, Timestamp)>,
    /// How often it started over from a snapshot since then.
    pub(crate) restores: u64,
    /// What deliveries led to since it was last looked at, if somebody listens.
    pub(crate) steps: Option<Vec<Step>>,
}

impl Partition for Watched {
    fn on_deliver(&mut self, delivery: Delivery, out: &mut Applied) {
        if let Delivery::Command {
            command, timestamp, ..
        } = &delivery
        {
            self.delivered.push((command.clone(), *timestamp));
        }
        if let Delivery::Restore(_) = &delivery {
            self.delivered.clear();
            self.restores += 1;
        }
        if let Some(steps) = &mut self.steps {
            steps.push(Step::new(&delivery));
        }
        self.engine.on_deliver(delivery, out);
        if let Some(step) = self.steps.as_mut().and_then(|steps| steps.last_mut()) {
            step.led_to(out);
        }
    }

    fn conclude(&mut self, message: MessageId, arrived: &[(GroupId, Signal)]) -> Option<Reply> {
        let reply = self.engine.conclude(message, arrived)?;
        if let Some(steps) = &mut self.steps {
            steps.push(Step::early(&reply));
        }
        Some(reply)
    }

    fn recorded(&self, id: CommandId) -> Option<&Arc<Answer>> {
        self.engine.recorded(id)
    }

    fn locate(&self, object: ObjectId) -> Option<Hint> {
        self.engine.locate(object)
    }

    fn held(&self, object: ObjectId) -> Option<(Revision, Encoded)> {
        self.engine.held(object)
    }

    fn read(&self, query: &Query) -> Option<Reading> {
        self.engine.read(query)
    }

    fn unfinished_count(&self) -> usize {
        self.engine.unfinished_count()
    }

    fn holdings(&self) -> Holdings {
        self.engine.holdings()
    }

    fn digest(&self) -> u64 {
        self.engine.digest()
    }

    fn image(&self) -> StatePart {
        self.engine.image()
    }
}

/// A message and its destinations: messages to one group each may share a name, if a hostile client
/// gave it to several.
type Sent = (MessageId, Groups);

/// What was seen of all replicas so far.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Invariant 1: the state digest of whoever applied so many entries of a group's log first.
    digests: BTreeMap<(GroupId, u64), u64>,
    /// Invariant 2: what the first replica of a group to get there delivered, in order.
    delivered: BTreeMap<GroupId, Vec<(Sent, Timestamp)>>,
    /// What each group delivered last of all that names an object.
    last: BTreeMap<(GroupId, ObjectId), (CommandId, Timestamp)>,
    /// The final timestamp of each command delivered anywhere.
    commands: BTreeMap<Sent, Timestamp>,
    /// The answer to each attempt.
    answers: BTreeMap<CommandId, Arc<Answer>>,
}

impl Watch {
    /// Invariant 1: replicas of a group that applied the same entries have the same state.
    pub(crate) fn digest(
        &mut self,
        group: GroupId,
        applied: u64,
        digest: u64,
    ) -> Result<(), InvariantViolation> {
        let first = *self.digests.entry((group, applied)).or_insert(digest);
        if first == digest {
            return Ok(());
        }
        Err(InvariantViolation::Agreement {
            group,
            applied,
            first,
            other: digest,
        })
    }

    /// Invariant 2: a group's replicas deliver the same commands in the same order; those that name
    /// an object in the order of their final timestamps, on which all groups agree. So all groups
    /// have the same order of the commands on each object, and all these orders together have no
    /// cycle.
    pub(crate) fn deliver(
        &mut self,
        group: GroupId,
        before: usize,
        fresh: &[(Arc<Command>, Timestamp)],
    ) -> Result<(), OrderViolation> {
        let order = self.delivered.entry(group).or_default();
        for (place, (command, timestamp)) in (before..).zip(fresh) {
            let (id, timestamp) = (command.id, *timestamp);
            let message = (command.message_id(), command.destinations);
            let known = *self.commands.entry(message).or_insert(timestamp);
            if known != timestamp {
                return Err(OrderViolation::TwoTimestamps {
                    id,
                    first: known,
                    other: timestamp,
                });
            }
            if !command.destinations.contains(group) {
                return Err(OrderViolation::NotDestination { group, id });
            }
            match order.get(place) {
                Some(&first) if first == (message, timestamp) => {}
                Some(&((first, _), at)) => {
                    return Err(OrderViolation::TwoSequences {
                        group,
                        place,
                        first: (first.command, at),
                        other: id,
                    });
                }
                None => {
                    for object in command.request.objects() {
                        let last = self.last.insert((group, object), (id, timestamp));
                        if let Some(last) = last.filter(|(_, last)| *last >= timestamp) {
                            return Err(OrderViolation::Backwards {
                                group,
                                object,
                                id,
                                timestamp,
                                last,
                            });
                        }
                    }
                    order.push((message, timestamp));
                }
            }
        }
        Ok(())
    }

    /// Invariant 2, once everything is quiet: no group has skipped a command that another one
    /// delivered.
    pub(crate) fn complete(&self) -> Result<(), OrderViolation> {
        let mut got: BTreeMap<Sent, Groups> = BTreeMap::new();
        for (&group, order) in &self.delivered {
            order
                .iter()
                .for_each(|(message, _)| got.entry(*message).or_default().insert(group));
        }
        for &(id, destinations) in self.commands.keys() {
            let delivered_by = got.get(&(id, destinations)).copied().unwrap_or_default();
            if delivered_by != destinations {
                return Err(OrderViolation::Incomplete {
                    id: id.command,
                    destinations,
                    delivered_by,
                });
            }
        }
        Ok(())
    }

    /// Invariant I1: an attempt has one answer, early or recorded, whoever gives it.
    pub(crate) fn answer(&mut self, answer: &Arc<Answer>) -> Result<(), InvariantViolation> {
        let id = answer.id;
        // Reads that are not ordered have no attempt, and what is forgotten says nothing.
        if id.attempt == 0 || answer.verdict == Verdict::Forgotten {
            return Ok(());
        }
        let first = self.answers.entry(id).or_insert_with(|| answer.clone());
        if first == answer {
            return Ok(());
        }
        Err(InvariantViolation::Answers {
            id,
            first: Box::new(Answer::clone(first)),
            other: Box::new(Answer::clone(answer)),
        })
    }

    /// Invariant 3: an object is owned once.
    pub(crate) fn ownership(
        owned: impl Iterator<Item = (GroupId, ObjectId)>,
    ) -> Result<(), InvariantViolation> {
        let mut owners: BTreeMap<ObjectId, GroupId> = BTreeMap::new();
        for (group, object) in owned {
            if let Some(owner) = owners.insert(object, group) {
                return Err(InvariantViolation::Ownership {
                    object,
                    owner,
                    other: group,
                });
            }
        }
        Ok(())
    }

    /// How many commands were delivered, and how many of them by more than one group.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let several = self
            .commands
            .keys()
            .filter(|(_, groups)| groups.len() > 1)
            .count();
        (self.commands.len() as u64, several as u64)
    }
}
