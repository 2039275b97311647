//! Per-object queues: a delivered command waits behind the earlier ones that share an object with
//! it, and no others.
//!
//! All groups deliver the commands on an object in one order, that of final timestamps, so the
//! queues cannot deadlock. While a command is in them nothing about its objects is visible to
//! others (rule R3).

use crate::command::MessageId;
use crate::id::ObjectId;
use crate::keyed_hash::KeyedMap;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The queues of one group. An object without waiting commands has none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Queues {
    queues: KeyedMap<ObjectId, VecDeque<MessageId>>,
}

impl Queues {
    /// Whether no command is queued on any of the objects.
    pub(crate) fn are_free(&self, mut objects: impl Iterator<Item = ObjectId>) -> bool {
        self.queues.is_empty() || !objects.any(|object| self.queues.contains_key(&object))
    }

    /// Queues a command on its objects. Returns on how many of them it is not the first.
    pub(crate) fn enter(
        &mut self,
        command: MessageId,
        objects: impl Iterator<Item = ObjectId>,
    ) -> usize {
        objects
            .filter(|&object| {
                let queue = self.queues.entry(object).or_default();
                queue.push_back(command);
                queue.len() > 1
            })
            .count()
    }

    /// Takes the command at the head of an object's queue out. Returns the one that is first now.
    pub(crate) fn leave(&mut self, command: MessageId, object: ObjectId) -> Option<MessageId> {
        let queue = self.queues.get_mut(&object)?;
        // A mutant may leave from the middle; the rules let only the head go.
        let place = queue.iter().position(|&queued| queued == command)?;
        queue.remove(place);
        let next = queue.front().copied();
        if next.is_none() {
            self.queues.remove(&object);
        }
        next.filter(|_| place == 0)
    }
}
