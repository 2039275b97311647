//! The service that is replicated: the user's own, typed, and deterministic.

use crate::codec;
use crate::id::{Encoded, ObjectId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
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
/// Everything here must be deterministic (rule R6): no clock, no randomness, no iteration over hash
/// maps, no IO.
///
/// ```
/// use ssmr_core::{Access, Application, ObjectId, Objects};
///
/// /// Counters that can be added to each other.
/// struct Counters;
///
/// impl Application for Counters {
///     const NAME: &'static str = "counters";
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
    /// What the service is called: clients and replicas of different services refuse each other, and
    /// a replica refuses what another service has stored.
    const NAME: &'static str;
    /// Which version of the types below this is. Clients and replicas of different versions refuse
    /// each other.
    const VERSION: u32 = 1;
    /// The value of an object.
    type Object: Serialize + DeserializeOwned + Clone + Debug;
    /// An operation on objects that exist.
    type Op: Serialize + DeserializeOwned + Clone + Debug;
    /// What an operation answers.
    type Reply: Serialize + DeserializeOwned + Clone + Debug + PartialEq;

    /// The objects that `op` reads and writes: a pure function of `op`.
    fn access(op: &Self::Op) -> Access;

    /// Runs `op` on the declared objects. The reply may depend on objects that are read, never on
    /// one that is only written: its value is not there at other partitions.
    fn execute(op: &Self::Op, objects: &mut Objects<Self::Object>) -> Self::Reply;
}

/// The objects of one operation while it runs.
#[derive(Debug)]
pub struct Objects<T> {
    slots: BTreeMap<ObjectId, Slot<T>>,
    /// Accesses that had no effect. Some are declared: the value is only not at hand here.
    missed: RefCell<BTreeSet<UndeclaredAccess>>,
}

/// An access to an object that [`Application::access`] does not declare: an error of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UndeclaredAccess {
    /// [`Objects::get`] of an object that is not declared to be read: it gave `None`.
    Read(ObjectId),
    /// [`Objects::update`] of an object that is not declared to be written: it changed nothing.
    Write(ObjectId),
}

impl UndeclaredAccess {
    /// Whether it is an access that `access` indeed does not declare.
    fn is_missing_in(self, access: &Access) -> bool {
        match self {
            Self::Read(object) => !access.reads.contains(&object),
            Self::Write(object) => !access.writes.contains(&object),
        }
    }
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
        let slot = self.slots.get(&object).filter(|slot| slot.readable);
        if slot.is_none() {
            self.miss(UndeclaredAccess::Read(object));
        }
        slot.map(|slot| &slot.value)
    }

    /// Changes an object that the operation declared to write, wherever its value is at hand.
    ///
    /// An object that is only written is at hand at its owner alone, so nothing else may depend on
    /// whether `change` ran. Updating an object that is not declared to be written is an error of
    /// the service: with debug assertions [`run`] panics and names it, without it is ignored.
    pub fn update(&mut self, object: ObjectId, change: impl FnOnce(&mut T)) {
        if let Some(slot) = self.slots.get_mut(&object).filter(|slot| slot.writable) {
            change(&mut slot.value);
            slot.changed = true;
        } else {
            self.miss(UndeclaredAccess::Write(object));
        }
    }

    fn miss(&self, access: UndeclaredAccess) {
        self.missed.borrow_mut().insert(access);
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

/// Runs an encoded operation on encoded values. Returns the encoded reply and the values it
/// changed.
///
/// An operation or value that does not decode (from a client of another version, say) runs nothing
/// and is answered with an empty reply, by every replica alike.
///
/// # Panics
/// With debug assertions, if the operation updates an object that it did not declare to write.
pub fn run<A: Application>(
    op: &[u8],
    operands: impl IntoIterator<Item = Operand>,
) -> (Encoded, Vec<(ObjectId, Encoded)>) {
    let run = run_recorded::<A>(op, operands);
    for access in &run.undeclared {
        debug_assert!(
            !matches!(access, UndeclaredAccess::Write(_)),
            "an operation updates an object that it does not declare: {access:?} by {:?}",
            codec::decode::<A::Op>(op)
        );
    }
    (run.reply, run.changed)
}

/// What running an operation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedRun {
    /// The encoded reply.
    pub reply: Encoded,
    /// The objects that it changed, ascending, with their new values.
    pub changed: Vec<(ObjectId, Encoded)>,
    /// What it accessed without having declared it.
    pub undeclared: Vec<UndeclaredAccess>,
}

/// Like [`run`], but returns undeclared accesses instead of panicking.
pub fn run_recorded<A: Application>(
    op: &[u8],
    operands: impl IntoIterator<Item = Operand>,
) -> RecordedRun {
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
    let missed = RefCell::default();
    let mut objects = Objects { slots, missed };
    let reply = A::execute(&op, &mut objects);
    let Objects { slots, missed } = objects;
    let mut undeclared: Vec<UndeclaredAccess> = missed.into_inner().into_iter().collect();
    if !undeclared.is_empty() {
        let access = A::access(&op);
        undeclared.retain(|missed| missed.is_missing_in(&access));
    }
    let changed = slots.iter().filter(|(_, slot)| slot.changed);
    RecordedRun {
        reply: codec::encode(&reply),
        changed: changed
            .map(|(&object, slot)| (object, codec::encode(&slot.value)))
            .collect(),
        undeclared,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Updates the second object, but declares the first one only.
    struct Careless;

    impl Application for Careless {
        const NAME: &'static str = "careless";
        type Object = u64;
        type Op = (ObjectId, ObjectId);
        type Reply = u64;

        fn access(&(declared, _): &Self::Op) -> Access {
            Access {
                reads: Vec::new(),
                writes: vec![declared],
            }
        }

        fn execute(&(declared, other): &Self::Op, objects: &mut Objects<u64>) -> u64 {
            objects.update(declared, |value| *value += 1);
            objects.update(other, |value| *value += 1);
            7
        }
    }

    const X: ObjectId = ObjectId::new(0, 1);
    const Y: ObjectId = ObjectId::new(0, 2);

    fn writable(object: ObjectId) -> Operand {
        Operand {
            object,
            value: codec::encode(&1u64),
            readable: false,
            writable: true,
        }
    }

    #[test]
    fn an_undeclared_update_is_ignored_and_noted() {
        let run = run_recorded::<Careless>(&codec::encode(&(X, Y)), [writable(X)]);
        assert_eq!(run.changed, [(X, codec::encode(&2u64))]);
        assert_eq!(run.undeclared, [UndeclaredAccess::Write(Y)]);
    }

    #[test]
    fn a_declared_object_that_is_elsewhere_is_no_error() {
        let run = run_recorded::<Careless>(&codec::encode(&(X, X)), []);
        assert_eq!((run.changed, run.undeclared), (Vec::new(), Vec::new()));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "Write(0.2)")]
    fn an_undeclared_update_is_loud_with_debug_assertions() {
        run::<Careless>(&codec::encode(&(X, Y)), [writable(X)]);
    }
}
