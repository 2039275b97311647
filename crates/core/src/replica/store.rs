//! What a group holds: the objects it owns, and records of those it only answers for.
//!
//! Invariant: an object is here as an object or as a record, never as both. Everything in it is
//! ordered state; hints are elsewhere.

use super::partition::Holdings;
use crate::id::{Encoded, ObjectId, PartitionId, Revision, Timestamp};
use crate::shared_map::SharedMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An object at its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) revision: Revision,
    pub(crate) value: Encoded,
}

/// An existing object that another partition owns, at a group that is an authority or directory for
/// it.
///
/// At a directory the owner is exact. Elsewhere (global's partitions) it is the one of the last
/// change that was ordered here: existence is exact, the owner's name may have grown stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnerRecord {
    pub(crate) owner: PartitionId,
    pub(crate) epoch: Timestamp,
}

/// The objects and records of one group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    objects: SharedMap<ObjectId, Object>,
    records: SharedMap<ObjectId, OwnerRecord>,
    /// The bytes of the objects' values: they follow from the objects.
    #[serde(skip)]
    bytes: u64,
}

impl Store {
    pub(crate) fn object(&self, object: ObjectId) -> Option<&Object> {
        self.objects.get(&object)
    }

    pub(crate) fn record(&self, object: ObjectId) -> Option<&OwnerRecord> {
        self.records.get(&object)
    }

    /// This group owns the object from now on.
    pub(crate) fn install(&mut self, object: ObjectId, revision: Revision, value: Encoded) {
        self.records.remove_mut(&object);
        let there = self.objects.contains_key(&object);
        assert!(!there, "{object} was installed over itself");
        self.bytes += value.len() as u64;
        self.objects.insert_mut(object, Object { revision, value });
    }

    /// Another partition owns the object from now on; `record` says which, if this group is to
    /// know.
    pub(crate) fn hand_over(&mut self, object: ObjectId, record: Option<OwnerRecord>) {
        self.remove(object);
        match record {
            Some(record) => self.records.insert_mut(object, record),
            None => drop(self.records.remove_mut(&object)),
        }
    }

    /// The object is no more.
    pub(crate) fn delete(&mut self, object: ObjectId) {
        self.remove(object);
        self.records.remove_mut(&object);
    }

    fn remove(&mut self, object: ObjectId) {
        if let Some(held) = self.objects.get(&object) {
            self.bytes -= held.value.len() as u64;
            self.objects.remove_mut(&object);
        }
    }

    /// A declared write of an owned object: the revision grows, and the value is replaced if the
    /// application changed it.
    pub(crate) fn write(&mut self, object: ObjectId, value: Option<Encoded>) {
        if let Some(held) = self.objects.get_mut(&object) {
            held.revision = held.revision.written();
            if let Some(value) = value {
                self.bytes = self.bytes - held.value.len() as u64 + value.len() as u64;
                held.value = value;
            }
        }
    }

    /// How many objects it owns.
    pub(crate) fn object_count(&self) -> usize {
        self.objects.size()
    }

    /// What it owns.
    pub(crate) fn holdings(&self) -> Holdings {
        Holdings {
            objects: self.objects.size() as u64,
            bytes: self.bytes,
        }
    }

    /// Finds out how large the objects are, after they were decoded.
    pub(crate) fn weigh(&mut self) {
        let lengths = self.objects.iter().map(|(_, held)| held.value.len() as u64);
        self.bytes = lengths.sum();
    }

    /// The objects it owns, ascending.
    pub(crate) fn owned(&self) -> BTreeMap<ObjectId, &Object> {
        self.objects
            .iter()
            .map(|(&id, object)| (id, object))
            .collect()
    }

    /// The objects it keeps records of, ascending.
    pub(crate) fn recorded(&self) -> BTreeMap<ObjectId, &OwnerRecord> {
        self.records
            .iter()
            .map(|(&id, record)| (id, record))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn what_objects_weigh_is_known_through_all_changes_and_after_decoding() {
        let [x, y, z] = [1, 2, 3].map(|key| ObjectId::new(key, key));
        let value = |length: usize| Encoded::from(vec![7; length]);
        let holdings = |objects, bytes| Holdings { objects, bytes };
        let mut store = Store::default();
        for (object, length) in [(x, 10), (y, 200), (z, 3_000)] {
            store.install(object, Revision::default(), value(length));
        }
        assert_eq!(store.holdings(), holdings(3, 3_210));
        store.write(x, Some(value(5)));
        store.write(y, None);
        store.delete(y);
        store.delete(y);
        assert_eq!(store.holdings(), holdings(2, 3_005));
        store.hand_over(z, None);
        assert_eq!(store.holdings(), holdings(1, 5));
        let mut decoded: Store = codec::decode_own(&codec::encode(&store)).unwrap();
        assert_eq!(decoded.holdings(), holdings(1, 0));
        decoded.weigh();
        assert_eq!(decoded.holdings(), store.holdings());
    }
}
