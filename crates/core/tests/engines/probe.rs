//! A partition that is watched: it notes what is delivered and what state that led to.

use crate::service::Digits;
use ssmr_core::replica::{Applied, Holdings, Reading, Reply};
use ssmr_core::snapshot::StatePart;
use ssmr_core::{
    Answer, CommandId, Delivery, Encoded, Engine, GroupId, Hint, MessageId, ObjectId, Partition,
    Placement, Query, Revision, Signal,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The engine that the tests are about.
pub(crate) type TestEngine = Engine<Digits>;

/// An engine, and what has happened to it.
#[derive(Debug)]
pub(crate) struct Probe {
    /// The engine.
    pub(crate) engine: TestEngine,
    /// All that was delivered.
    pub(crate) deliveries: Vec<Delivery>,
    /// The engine's digest after each delivery, where digests are wanted: they cost much.
    pub(crate) digests: Option<Vec<u64>>,
    /// Commands whose session this group alone has forgotten.
    pub(crate) expired_here: BTreeSet<CommandId>,
}

impl Probe {
    /// The empty state of a group; with digests if they are wanted.
    pub(crate) fn new(group: GroupId, placement: Placement, wants_digests: bool) -> Self {
        Self {
            engine: Engine::new(group, placement),
            deliveries: Vec::new(),
            digests: wants_digests.then(Vec::new),
            expired_here: BTreeSet::new(),
        }
    }
}

impl Partition for Probe {
    fn on_deliver(&mut self, mut delivery: Delivery, out: &mut Applied) {
        if let Delivery::Command {
            command, expired, ..
        } = &mut delivery
        {
            *expired |= self.expired_here.contains(&command.id);
        }
        self.deliveries.push(delivery.clone());
        self.engine.on_deliver(delivery, out);
        if let Some(digests) = &mut self.digests {
            digests.push(self.engine.digest());
        }
    }

    fn conclude(&mut self, message: MessageId, arrived: &[(GroupId, Signal)]) -> Option<Reply> {
        self.engine.conclude(message, arrived)
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
