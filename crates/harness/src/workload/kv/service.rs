//! The key-value service that workload `kv` uses: values are bytes that nobody looks into.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_check::{Act, Shown, Terms};
use ssmr_core::{Access, Application, ObjectId, Objects};

/// A key-value service.
#[derive(Debug)]
pub(crate) struct KvService;

/// What can be done with objects that exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Read a value.
    Read(ObjectId),
    /// Overwrite a value unseen.
    Update(ObjectId, Bytes),
    /// Read all values, and overwrite them with one.
    Multi(Vec<ObjectId>, Bytes),
}

impl Application for KvService {
    const NAME: &'static str = "kv";
    type Object = Bytes;
    type Op = Op;
    /// The values that were read.
    type Reply = Vec<Bytes>;

    fn access(op: &Op) -> Access {
        let (reads, writes) = match op {
            Op::Read(object) => (vec![*object], Vec::new()),
            Op::Update(object, _) => (Vec::new(), vec![*object]),
            Op::Multi(objects, _) => (objects.clone(), objects.clone()),
        };
        Access { reads, writes }
    }

    fn execute(op: &Op, objects: &mut Objects<Bytes>) -> Vec<Bytes> {
        match op {
            Op::Read(object) => objects.get(*object).cloned().into_iter().collect(),
            Op::Update(object, new) => {
                objects.update(*object, |value| *value = new.clone());
                Vec::new()
            }
            Op::Multi(all, new) => {
                let read = all.iter().filter_map(|o| objects.get(*o).cloned());
                let read = read.collect();
                for object in all {
                    objects.update(*object, |value| *value = new.clone());
                }
                read
            }
        }
    }
}

/// How the service is told to judges from outside: values as hashes.
pub(crate) fn terms() -> Terms<KvService> {
    Terms {
        value: |value| Shown::digest(value),
        acts: |op, reply| {
            let read = |place: usize, object: &ObjectId| {
                let value = reply.and_then(|values| values.get(place));
                Act::read(
                    *object,
                    value.map_or(Shown::Nothing, |value| Shown::digest(value)),
                )
            };
            match op {
                Op::Read(object) => vec![read(0, object)],
                Op::Update(object, new) => vec![Act::write(*object, Shown::digest(new))],
                Op::Multi(objects, new) => {
                    let reads = objects.iter().enumerate();
                    let reads = reads.map(|(place, object)| read(place, object));
                    let write = |object: &ObjectId| Act::write(*object, Shown::digest(new));
                    reads.chain(objects.iter().map(write)).collect()
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_check::check_application;

    #[test]
    fn it_keeps_the_rules_of_an_application() {
        let (x, y) = (ObjectId::new(0, 1), ObjectId::new(0, 2));
        let new = Bytes::from_static(b"new");
        let operations = [
            Op::Read(x),
            Op::Update(x, new.clone()),
            Op::Multi(vec![x, y], new),
        ];
        let value = |_, number: u64| Bytes::copy_from_slice(&number.to_le_bytes());
        let summary = check_application::<KvService>(operations, value).unwrap();
        assert_eq!((summary.with_changes, summary.with_unread), (2, 1));
    }
}
