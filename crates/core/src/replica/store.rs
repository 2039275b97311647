//! What a group holds: the objects it owns, and records of those it only answers for.
//!
//! Invariant: an object is here as an object or as a record, never as both. Everything in it is
//! ordered state; hints are elsewhere.

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
        self.objects.insert_mut(object, Object { revision, value });
    }

    /// Another partition owns the object from now on; `record` says which, if this group is to
    /// know.
    pub(crate) fn hand_over(&mut self, object: ObjectId, record: Option<OwnerRecord>) {
        self.objects.remove_mut(&object);
        match record {
            Some(record) => self.records.insert_mut(object, record),
            None => drop(self.records.remove_mut(&object)),
        }
    }

    /// The object is no more.
    pub(crate) fn delete(&mut self, object: ObjectId) {
        self.objects.remove_mut(&object);
        self.records.remove_mut(&object);
    }

    /// A declared write of an owned object: the revision grows, and the value is replaced if the
    /// application changed it.
    pub(crate) fn write(&mut self, object: ObjectId, value: Option<Encoded>) {
        if let Some(held) = self.objects.get_mut(&object) {
            held.revision = held.revision.written();
            held.value = value.unwrap_or_else(|| held.value.clone());
        }
    }

    /// How many objects it owns.
    pub(crate) fn object_count(&self) -> usize {
        self.objects.size()
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
