//! The service that is replicated: numbers that can be read and added to.

use serde::{Deserialize, Serialize};
use ssmr_core::{Access, Application, ObjectId, Objects};

/// Numbers.
pub(crate) enum Numbers {}

/// Reads some, and adds to others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Op {
    pub(crate) read: Vec<ObjectId>,
    pub(crate) add: Vec<(ObjectId, u64)>,
}

impl Application for Numbers {
    const NAME: &'static str = "numbers";
    type Object = u64;
    type Op = Op;
    type Reply = Vec<u64>;

    fn access(op: &Op) -> Access {
        Access {
            reads: op.read.clone(),
            writes: op.add.iter().map(|(object, _)| *object).collect(),
        }
    }

    fn execute(op: &Op, objects: &mut Objects<u64>) -> Vec<u64> {
        let values = op.read.iter().filter_map(|&object| objects.get(object));
        let read = values.copied().collect();
        for &(object, number) in &op.add {
            objects.update(object, |held| *held = held.wrapping_add(number));
        }
        read
    }
}
