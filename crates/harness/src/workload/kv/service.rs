//! The key-value service that workload `kv` uses: values are bytes that nobody looks into.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
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
