//! Hints: what somebody believes about the places of objects. All of them are made and kept here.
//!
//! Invariant (rule R7): nothing here is ordered state. A hint that is lost costs a consultation, a
//! false one a retry, and nothing else.

use crate::hooks::{Change, ObjectEvent};
use crate::id::{GroupId, Groups, Hint, ObjectId, Revision};
use crate::limits::HINTS;
use crate::two_generation_map::TwoGenerationMap;
use std::collections::BTreeMap;

/// At most [`HINTS`] hints, one for an object.
#[derive(Clone, Debug)]
pub(crate) struct HintTable {
    hints: TwoGenerationMap<ObjectId, Hint>,
}

impl Default for HintTable {
    fn default() -> Self {
        Self {
            hints: TwoGenerationMap::new(HINTS),
        }
    }
}

impl HintTable {
    /// What is believed of an object, without counting as use.
    pub(crate) fn peek(&self, object: ObjectId) -> Option<Hint> {
        self.hints.peek(object).copied()
    }

    /// What is believed of an object. It stays for longer than what nobody asks for.
    pub(crate) fn get(&mut self, object: ObjectId) -> Option<Hint> {
        self.hints.get(object).copied()
    }

    /// The newer of what is believed and what the ordered state says of an object.
    pub(crate) fn newest(&mut self, object: ObjectId, ordered: Option<Hint>) -> Option<Hint> {
        let hints = ordered.into_iter().chain(self.get(object));
        hints.max_by_key(|hint| hint.epoch)
    }

    /// What is believed of an object is of use: it stays for longer.
    pub(crate) fn refresh(&mut self, object: ObjectId) {
        self.hints.get(object);
    }

    /// Believes a hint, unless one as new is known.
    pub(crate) fn learn(&mut self, hint: Hint) {
        if self
            .get(hint.object)
            .is_none_or(|known| known.epoch < hint.epoch)
        {
            self.hints.insert(hint.object, hint);
        }
    }

    /// Believes nothing of an object any more.
    pub(crate) fn forget(&mut self, object: ObjectId) {
        self.hints.remove(object);
    }
}

/// Where a group that owns an object at a revision has it; nothing of the oracle, which owns none.
pub(crate) fn of_owner(object: ObjectId, owner: GroupId, revision: Revision) -> Option<Hint> {
    Some(Hint {
        object,
        owner: owner.partition()?,
        epoch: revision.epoch,
    })
}

/// Where a move has taken an object.
pub(crate) fn of_move(event: &ObjectEvent) -> Option<Hint> {
    let is_move = matches!(event.change, Change::Moved(..));
    event.placed().filter(|_| is_move)
}

/// Hints for sets of groups, sorted by receiver: one message for each group but `own`.
pub(crate) fn by_group(told: Vec<(Groups, Hint)>, own: GroupId) -> BTreeMap<GroupId, Vec<Hint>> {
    let mut by_group: BTreeMap<GroupId, Vec<Hint>> = BTreeMap::new();
    for (groups, hint) in told {
        for group in groups.without(own).iter() {
            by_group.entry(group).or_default().push(hint);
        }
    }
    by_group
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{GroupId, PartitionId, Timestamp};
    use crate::time::LogicalClock;

    fn hint(owner: u8, ts: u64) -> Hint {
        let epoch = Timestamp::new(LogicalClock(ts), GroupId::from(PartitionId(0)));
        Hint {
            object: ObjectId::new(0, 1),
            owner: PartitionId(owner),
            epoch,
        }
    }

    #[test]
    fn only_a_newer_epoch_replaces_a_hint() {
        let (mut table, object) = (HintTable::default(), ObjectId::new(0, 1));
        table.learn(hint(0, 5));
        table.learn(hint(1, 4));
        assert_eq!(table.get(object), Some(hint(0, 5)));
        table.learn(hint(2, 6));
        assert_eq!(table.get(object), Some(hint(2, 6)));
        table.forget(object);
        assert_eq!(table.get(object), None);
    }
}
