//! A bounded table of hints: what somebody believes about the places of objects.
//!
//! Losing a hint costs a consultation, nothing else.

use crate::id::{Hint, ObjectId};
use crate::limits::HINTS;
use crate::two_generation_map::TwoGenerationMap;

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
