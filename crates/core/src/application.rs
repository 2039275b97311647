//! The service that is replicated: the user's own, typed, and deterministic.

use crate::codec;
use crate::id::{Encoded, ObjectId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The objects that an operation will touch, declared before it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Objects whose values the operation depends on.
    pub reads: Vec<ObjectId>,
    /// Objects that it changes. One that is written but not read is visible at its owner alone.
    pub writes: Vec<ObjectId>,
}

/// A service that S-SMR replicates.
///
/// Everything here must be deterministic (rule R6): no clock, no randomness, no iteration over hash maps, no IO.
///
/// ```
/// use ssmr_core::{Access, Application, ObjectId, Objects};
///
/// /// Counters that can be added to each other.
/// struct Counters;
///
/// impl Application for Counters {
///     type Object = u64;
///     type Op = (ObjectId, ObjectId);
///     type Reply = u64;
///
///     fn access(&(from, to): &Self::Op) -> Access {
///         Access { reads: vec![from, to], writes: vec![to] }
///     }
///
///     fn execute(&(from, to): &Self::Op, objects: &mut Objects<u64>) -> u64 {
///         let sum = objects.get(from).unwrap_or(&0) + objects.get(to).unwrap_or(&0);
///         objects.update(to, |counter| *counter = sum);
///         sum
///     }
/// }
/// ```
pub trait Application: 'static {
    /// The value of an object.
    type Object: Serialize + DeserializeOwned + Clone + Debug;
    /// An operation on objects that exist.
    type Op: Serialize + DeserializeOwned + Clone + Debug;
    /// What an operation answers.
    type Reply: Serialize + DeserializeOwned + Clone + Debug + PartialEq;

    /// The objects that `op` reads and writes: a pure function of `op`.
    fn access(op: &Self::Op) -> Access;

    /// Runs `op` on the declared objects. The reply may depend on objects that are read, never on one that is only
    /// written: its value is not there at other partitions.
    fn execute(op: &Self::Op, objects: &mut Objects<Self::Object>) -> Self::Reply;
}

/// The objects of one operation while it runs.
#[derive(Debug)]
pub struct Objects<T> {
    slots: BTreeMap<ObjectId, Slot<T>>,
}

#[derive(Debug)]
struct Slot<T> {
    value: T,
    readable: bool,
    writable: bool,
    changed: bool,
}

impl<T> Objects<T> {
    /// The value of an object that the operation declared to read; `None` for any other.
    #[must_use]
    pub fn get(&self, object: ObjectId) -> Option<&T> {
        self.slots
            .get(&object)
            .filter(|slot| slot.readable)
            .map(|slot| &slot.value)
    }

    /// Changes an object that the operation declared to write, wherever its value is at hand.
    ///
    /// An object that is only written is at hand at its owner alone, so nothing else may depend on whether `change` ran.
    pub fn update(&mut self, object: ObjectId, change: impl FnOnce(&mut T)) {
        if let Some(slot) = self.slots.get_mut(&object).filter(|slot| slot.writable) {
            change(&mut slot.value);
            slot.changed = true;
        }
    }
}

/// One object handed to [`run`].
#[derive(Debug)]
pub struct Operand {
    /// Its id.
    pub object: ObjectId,
    /// Its encoded value.
    pub value: Encoded,
    /// Whether the operation declared to read it.
    pub readable: bool,
    /// Whether the operation declared to write it.
    pub writable: bool,
}

/// Runs an encoded operation on encoded values. Returns the encoded reply and the values it changed.
///
/// An operation or value that does not decode (from a client of another version, say) runs nothing and is answered with
/// an empty reply, by every replica alike.
pub fn run<A: Application>(
    op: &[u8],
    operands: impl IntoIterator<Item = Operand>,
) -> (Encoded, Vec<(ObjectId, Encoded)>) {
    let Ok(op) = codec::decode::<A::Op>(op) else {
        return Default::default();
    };
    let mut slots = BTreeMap::new();
    for Operand {
        object,
        value,
        readable,
        writable,
    } in operands
    {
        let Ok(value) = codec::decode(&value) else {
            return Default::default();
        };
        slots.insert(
            object,
            Slot {
                value,
                readable,
                writable,
                changed: false,
            },
        );
    }
    let mut objects = Objects { slots };
    let reply = A::execute(&op, &mut objects);
    let changed = objects.slots.iter().filter(|(_, slot)| slot.changed);
    (
        codec::encode(&reply),
        changed
            .map(|(&object, slot)| (object, codec::encode(&slot.value)))
            .collect(),
    )
}
