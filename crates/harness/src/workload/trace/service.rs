//! The service of workload `trace`: values are bytes that nobody looks into.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_check::{Act, Shown, Terms};
use ssmr_core::{Access, Application, ObjectId, Objects, id};

/// A store of values.
#[derive(Debug)]
pub(crate) struct Store;

/// What a command does with objects that exist.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Touch {
    /// Those whose values are read.
    pub(super) reads: Vec<ObjectId>,
    /// Those that are read and get another value.
    pub(super) updates: Vec<(ObjectId, Bytes)>,
    /// Those that are overwritten unseen.
    pub(super) writes: Vec<(ObjectId, Bytes)>,
}

/// What a command has seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The values that were read.
    pub(super) read: Vec<Bytes>,
    /// Hashes of the values that were replaced.
    pub(super) replaced: Vec<u64>,
}

impl Touch {
    /// Whether it does nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.reads.is_empty() && self.updates.is_empty() && self.writes.is_empty()
    }
}

impl Application for Store {
    const NAME: &'static str = "trace";
    type Object = Bytes;
    type Op = Touch;
    type Reply = Seen;

    fn access(op: &Touch) -> Access {
        let updated = op.updates.iter().map(|(object, _)| *object);
        let written = op.writes.iter().map(|(object, _)| *object);
        Access {
            reads: op.reads.iter().copied().chain(updated.clone()).collect(),
            writes: updated.chain(written).collect(),
        }
    }

    fn execute(op: &Touch, objects: &mut Objects<Bytes>) -> Seen {
        let read = op.reads.iter().filter_map(|o| objects.get(*o).cloned());
        let replaced = op.updates.iter().filter_map(|(o, _)| objects.get(*o));
        let seen = Seen {
            read: read.collect(),
            replaced: replaced.map(|value| id::digest(value)).collect(),
        };
        for (object, new) in op.updates.iter().chain(&op.writes) {
            objects.update(*object, |value| *value = new.clone());
        }
        seen
    }
}

/// How the service is told to judges from outside: values as hashes.
pub(super) fn terms() -> Terms<Store> {
    Terms {
        value: |value| Shown::digest(value),
        acts: |op, reply| {
            let read = op.reads.iter().enumerate().map(|(place, object)| {
                let value = reply.and_then(|seen| seen.read.get(place));
                let shown = value.map_or(Shown::Nothing, |value| Shown::digest(value));
                Act::read(*object, shown)
            });
            let written = op.updates.iter().chain(&op.writes);
            let written = written.map(|(object, new)| Act::write(*object, Shown::digest(new)));
            read.chain(written).collect()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_check::check_application;

    #[test]
    fn it_keeps_the_rules_of_an_application() {
        let [x, y, z] = [1, 2, 3].map(|key| ObjectId::new(0, key));
        let new = Bytes::from_static(b"new");
        let operations = [
            Touch {
                reads: vec![x],
                ..Touch::default()
            },
            Touch {
                writes: vec![(x, new.clone())],
                ..Touch::default()
            },
            Touch {
                reads: vec![x],
                updates: vec![(y, new.clone())],
                writes: vec![(z, new)],
            },
        ];
        let value = |_, number: u64| Bytes::copy_from_slice(&number.to_le_bytes());
        let summary = check_application::<Store>(operations, value).unwrap();
        assert_eq!((summary.with_changes, summary.with_unread), (2, 2));
    }
}
