//! Commands that are logged and not delivered, and which of them may be delivered.
//!
//! A command's *bound* is the greatest of its timestamps that are known here; once all are, it is
//! the final one. A final command is delivered when no pending command that shares a declared
//! object with it has a lower bound: whatever that one's final timestamp turns out to be, it might
//! come first. It waits for nobody else, neither for strangers nor for groups that only strangers
//! wait for.
//!
//! ```text
//!            object x     object y     object z
//!   first    a 3..        a 3..        c 6        a 3..: its bound is 3, and may grow
//!   then     b 5          d 7                     c 6:   its final timestamp is 6
//! ```
//!
//! Here c is delivered; b and d wait for a.
//!
//! Invariant: on each declared object the pending commands stand in the order of their bounds, and
//! each command knows on how many of its objects another one stands before it. All of that follows
//! from the commands and their bounds, so a snapshot holds these alone.

use serde::{Deserialize, Serialize, Serializer};
use ssmr_core::keyed_hash::KeyedMap;
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::{Command, Groups, MessageId, ObjectId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A command that is logged and not delivered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    command: Arc<Command>,
    /// The greatest timestamp known: the final one is not less.
    bound: Timestamp,
    /// The destinations whose timestamps are not known.
    missing: Groups,
    expired: bool,
    /// On how many of its objects another one stands before it.
    #[serde(skip)]
    behind: usize,
}

impl Pending {
    fn may_be_delivered(&self) -> bool {
        self.missing.is_empty() && self.behind == 0
    }
}

/// A command whose turn has come.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) command: Arc<Command>,
    /// Its final timestamp.
    pub(crate) timestamp: Timestamp,
    /// Its session had expired when it was logged.
    pub(crate) expired: bool,
}

/// All pending commands of one group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "KeyedMap<MessageId, Pending>")]
pub(crate) struct PendingCommands {
    commands: KeyedMap<MessageId, Pending>,
    /// Each of them on each of its objects: those on one object follow each other by their bounds.
    places: BTreeMap<(ObjectId, Timestamp), MessageId>,
    /// Those whose turn has come, by their final timestamps.
    due: BTreeSet<(Timestamp, MessageId)>,
}

impl PendingCommands {
    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    pub(crate) fn contains(&self, id: MessageId) -> bool {
        self.commands.contains_key(&id)
    }

    pub(crate) fn command(&self, id: MessageId) -> Option<&Arc<Command>> {
        self.commands.get(&id).map(|pending| &pending.command)
    }

    /// The bound, the name and the groups that are waited for of each, in a fixed order.
    pub(crate) fn sorted(&self) -> Vec<(Timestamp, MessageId, Groups)> {
        let all = self.commands.iter();
        let mut all: Vec<_> = all.map(|(&id, p)| (p.bound, id, p.missing)).collect();
        all.sort_unstable();
        all
    }

    /// The commands alone, to be encoded.
    pub(crate) fn without_places(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            ..Self::default()
        }
    }

    /// Whether nothing comes before a command that is final at `at`: it need not enter.
    pub(crate) fn is_clear(&self, at: Timestamp, command: &Command) -> bool {
        self.places.is_empty()
            || !objects(command)
                .any(|object| self.first(object).is_some_and(|(bound, _)| bound < at))
    }

    /// A command is logged here at `own`, and waits for the timestamps of `missing`.
    pub(crate) fn enter(
        &mut self,
        command: Arc<Command>,
        own: Timestamp,
        missing: Groups,
        expired: bool,
    ) {
        let id = command.message_id();
        let mut behind = 0;
        for object in objects(&command) {
            match self.first(object) {
                Some((bound, _)) if bound < own => behind += 1,
                Some((_, overtaken)) => self.stands_behind(overtaken),
                None => {}
            }
            self.place(object, own, id);
        }
        let pending = Pending {
            command,
            bound: own,
            missing,
            expired,
            behind,
        };
        self.commands.insert(id, pending);
        self.look_at(id);
    }

    /// Another destination's timestamp of a pending command. Returns the final one, if this was the
    /// last that was missing.
    pub(crate) fn learn(&mut self, id: MessageId, timestamp: Timestamp) -> Option<Timestamp> {
        let pending = self.commands.get_mut(&id)?;
        if !pending.missing.contains(timestamp.group()) {
            return None;
        }
        pending.missing.remove(timestamp.group());
        let last = pending.missing.is_empty();
        let before = pending.bound;
        if timestamp > before {
            pending.bound = timestamp;
            let command = pending.command.clone();
            objects(&command).for_each(|object| self.step_back(id, object, before, timestamp));
        }
        self.look_at(id);
        last.then(|| before.max(timestamp))
    }

    /// Takes out the next command whose turn has come: of several, the one with the least
    /// timestamp.
    pub(crate) fn pop(&mut self) -> Option<Due> {
        let (timestamp, id) = self.due.pop_first()?;
        let Pending {
            command, expired, ..
        } = self.commands.remove(&id)?;
        for object in objects(&command) {
            self.places.remove(&(object, timestamp));
            if let Some((_, next)) = self.first(object) {
                self.comes_first(next);
            }
        }
        Some(Due {
            command,
            timestamp,
            expired,
        })
    }

    /// A command's bound has grown: on one of its objects it steps behind those that are lower now.
    fn step_back(&mut self, id: MessageId, object: ObjectId, before: Timestamp, bound: Timestamp) {
        let was_first = self.first(object).is_some_and(|(first, _)| first == before);
        self.places.remove(&(object, before));
        let next = self.first(object).filter(|(next, _)| *next < bound);
        self.place(object, bound, id);
        if let Some((_, next)) = next.filter(|_| was_first) {
            self.comes_first(next);
            self.stands_behind(id);
        }
    }

    /// The first of the commands on an object, with its bound.
    fn first(&self, object: ObjectId) -> Option<(Timestamp, MessageId)> {
        let mut from_there = self.places.range((object, Timestamp::default())..);
        let (&(found, bound), &id) = from_there.next()?;
        (found == object).then_some((bound, id))
    }

    fn place(&mut self, object: ObjectId, bound: Timestamp, id: MessageId) {
        let other = self.places.insert((object, bound), id);
        assert!(
            other.is_none(),
            "{bound:?} was given to {id:?} and to {other:?}"
        );
    }

    /// Another command stands before this one, on one object more.
    fn stands_behind(&mut self, id: MessageId) {
        if let Some(pending) = self.commands.get_mut(&id) {
            pending.behind += 1;
        }
    }

    /// No other command stands before this one on one of its objects any more.
    fn comes_first(&mut self, id: MessageId) {
        if let Some(pending) = self.commands.get_mut(&id) {
            assert!(pending.behind > 0, "{id:?} stands behind nobody");
            pending.behind -= 1;
        }
        self.look_at(id);
    }

    /// Notes whether a command's turn has come.
    fn look_at(&mut self, id: MessageId) {
        let pending = self.commands.get(&id);
        if let Some(pending) = pending.filter(|pending| pending.may_be_delivered()) {
            self.due.insert((pending.bound, id));
        }
    }
}

/// The objects by which a command finds its turn.
fn objects(command: &Command) -> impl Iterator<Item = ObjectId> {
    let first_only = mutant::is_active(Mutant::FirstObjectIndexed);
    let count = if first_only { 1 } else { usize::MAX };
    command.request.objects().take(count)
}

impl From<KeyedMap<MessageId, Pending>> for PendingCommands {
    /// Finds out again who stands where. Believes nothing: what is decoded may be anything.
    fn from(commands: KeyedMap<MessageId, Pending>) -> Self {
        let mut all = Self {
            commands,
            ..Self::default()
        };
        for (&id, pending) in &all.commands {
            let places = objects(&pending.command).map(|object| ((object, pending.bound), id));
            all.places.extend(places);
        }
        let ids: Vec<MessageId> = all.commands.keys().copied().collect();
        for id in ids {
            let objects = all
                .commands
                .get(&id)
                .map(|pending| objects(&pending.command));
            let others = objects.into_iter().flatten().filter(|&object| {
                let first = all.first(object);
                first.is_some_and(|(_, first)| first != id)
            });
            let behind = others.count();
            if let Some(pending) = all.commands.get_mut(&id) {
                pending.behind = behind;
            }
            all.look_at(id);
        }
        all
    }
}

impl Serialize for PendingCommands {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.commands.serialize(serializer)
    }
}
