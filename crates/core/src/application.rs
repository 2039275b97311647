//! The service that is replicated: the user's own, typed, and deterministic.

use crate::codec;
use crate::id::{Encoded, ObjectId};
use crate::mutant::{self, Mutant};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
    /// What the service is called: clients and replicas of different services refuse each other.
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
    /// Ascending.
    slots: Vec<(ObjectId, Slot<T>)>,
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
    /// An update of it panicked, and nobody else sees its value: it stays as it was.
    broken: bool,
}

impl<T> Slot<T> {
    /// Changes the value. A panic in a change of what everybody reads is everybody's, so it goes
    /// on; one that depends on a value at its owner alone must not show elsewhere.
    fn update(&mut self, change: impl FnOnce(&mut T)) {
        if self.readable || mutant::is_active(Mutant::PanicsFailAtOwners) {
            change(&mut self.value);
            self.changed = true;
        } else if !self.broken {
            let updated = catch_unwind(AssertUnwindSafe(|| change(&mut self.value)));
            self.changed = updated.is_ok();
            self.broken = updated.is_err();
        }
    }
}

impl<T> Objects<T> {
    /// The value of an object that the operation declared to read; `None` for any other.
    #[must_use]
    pub fn get(&self, object: ObjectId) -> Option<&T> {
        let place = self.place(object).ok();
        let slot = place.map(|place| &self.slots[place].1);
        let slot = slot.filter(|slot| slot.readable);
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
        let place = self.place(object).ok();
        match place.map(|place| &mut self.slots[place].1) {
            Some(slot) if slot.writable => slot.update(change),
            _ => self.miss(UndeclaredAccess::Write(object)),
        }
    }

    fn place(&self, object: ObjectId) -> Result<usize, usize> {
        self.slots.binary_search_by_key(&object, |(id, _)| *id)
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

/// Runs an encoded operation on the encoded values of distinct objects.
///
/// An operation or value that does not decode (from a client of another version, say) runs nothing
/// and is answered with an empty reply, by every replica alike.
///
/// **A panic of the service** is contained: in the update of an object that is only written it
/// leaves that object as it was; anywhere else it depends on values that are read, so every
/// partition that runs the operation fails alike, and nothing is changed. Aborts, stack overflows
/// and endless loops are not contained.
///
/// # Errors
/// [`Panicked`], if the operation did.
///
/// # Panics
/// With debug assertions, if the operation updates an object that it did not declare to write.
pub fn run<A: Application>(
    op: &[u8],
    operands: impl IntoIterator<Item = Operand>,
) -> Result<Effect, Panicked> {
    let run = run_recorded::<A>(op, operands);
    for access in &run.undeclared {
        debug_assert!(
            !matches!(access, UndeclaredAccess::Write(_)),
            "an operation updates an object that it does not declare: {access:?} by {:?}",
            codec::decode::<A::Op>(op)
        );
    }
    run.effect
}

/// What an operation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The encoded reply.
    pub reply: Encoded,
    /// The objects that it changed, ascending, with their new values.
    pub changed: Vec<(ObjectId, Encoded)>,
}

/// The service panicked while it ran an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

/// What running an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRun {
    /// What it did, unless it panicked.
    pub effect: Result<Effect, Panicked>,
    /// What it accessed without having declared it.
    pub undeclared: Vec<UndeclaredAccess>,
    /// Objects that are only written, and whose update panicked.
    pub broken: Vec<ObjectId>,
}

impl Default for RecordedRun {
    fn default() -> Self {
        Self {
            effect: Ok(Effect::default()),
            undeclared: Vec::new(),
            broken: Vec::new(),
        }
    }
}

/// Like [`run`], but returns undeclared accesses instead of panicking.
pub fn run_recorded<A: Application>(
    op: &[u8],
    operands: impl IntoIterator<Item = Operand>,
) -> RecordedRun {
    let Ok(op) = codec::decode::<A::Op>(op) else {
        return RecordedRun::default();
    };
    let mut slots = Vec::new();
    for operand in operands {
        let Ok(value) = codec::decode(&operand.value) else {
            return RecordedRun::default();
        };
        let slot = Slot {
            value,
            readable: operand.readable,
            writable: operand.writable,
            changed: false,
            broken: false,
        };
        slots.push((operand.object, slot));
    }
    // They are already, as a request has them.
    slots.sort_by_key(|(object, _)| *object);
    let missed = RefCell::default();
    let mut objects = Objects { slots, missed };
    let effect = catch_unwind(AssertUnwindSafe(|| {
        let reply = A::execute(&op, &mut objects);
        Effect {
            reply: codec::encode(&reply),
            changed: objects.take_changed(),
        }
    }));
    let broken = objects.slots.iter().filter(|(_, slot)| slot.broken);
    RecordedRun {
        effect: effect.map_err(|_| Panicked),
        broken: broken.map(|(object, _)| *object).collect(),
        undeclared: objects.undeclared::<A>(&op),
    }
}

impl<T: Serialize> Objects<T> {
    /// The new values of what was changed. A value that nobody else sees and that cannot be encoded
    /// counts as broken.
    fn take_changed(&mut self) -> Vec<(ObjectId, Encoded)> {
        let changed = self.slots.iter_mut().filter(|(_, slot)| slot.changed);
        let encoded = changed.filter_map(|(object, slot)| {
            if slot.readable {
                return Some((*object, codec::encode(&slot.value)));
            }
            let encoded = catch_unwind(AssertUnwindSafe(|| codec::encode(&slot.value)));
            slot.broken = encoded.is_err();
            Some((*object, encoded.ok()?))
        });
        encoded.collect()
    }
}

impl<T> Objects<T> {
    /// The accesses without effect that the operation indeed did not declare.
    fn undeclared<A: Application>(self, op: &A::Op) -> Vec<UndeclaredAccess> {
        let mut undeclared: Vec<UndeclaredAccess> = self.missed.into_inner().into_iter().collect();
        if !undeclared.is_empty() {
            let access = A::access(op);
            undeclared.retain(|missed| missed.is_missing_in(&access));
        }
        undeclared
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
        let changed = run.effect.map(|effect| effect.changed);
        assert_eq!(changed, Ok(vec![(X, codec::encode(&2u64))]));
        assert_eq!(run.undeclared, [UndeclaredAccess::Write(Y)]);
    }

    #[test]
    fn a_declared_object_that_is_elsewhere_is_no_error() {
        let run = run_recorded::<Careless>(&codec::encode(&(X, X)), []);
        let changed = run.effect.map(|effect| effect.changed);
        assert_eq!((changed, run.undeclared), (Ok(Vec::new()), Vec::new()));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "Write(0.2)")]
    fn an_undeclared_update_is_loud_with_debug_assertions() {
        let _ = run::<Careless>(&codec::encode(&(X, Y)), [writable(X)]);
    }

    /// Divides objects: the first is read and written, the second only written. Panics when it
    /// divides by zero.
    struct Divider;

    impl Application for Divider {
        const NAME: &'static str = "divider";
        type Object = u64;
        type Op = (ObjectId, ObjectId, u64);
        type Reply = u64;

        fn access(&(seen, unseen, _): &Self::Op) -> Access {
            Access {
                reads: vec![seen],
                writes: vec![seen, unseen],
            }
        }

        fn execute(&(seen, unseen, amount): &Self::Op, objects: &mut Objects<u64>) -> u64 {
            objects.update(unseen, |value| *value = amount / *value);
            objects.update(seen, |value| *value = amount / *value);
            amount
        }
    }

    fn divide(seen: u64, unseen: u64) -> RecordedRun {
        let operand = |object, value: u64, readable| Operand {
            object,
            value: codec::encode(&value),
            readable,
            writable: true,
        };
        let operands = [operand(X, seen, true), operand(Y, unseen, false)];
        run_recorded::<Divider>(&codec::encode(&(X, Y, 12u64)), operands)
    }

    #[test]
    fn a_panic_on_what_is_read_changes_nothing() {
        let run = divide(0, 4);
        assert_eq!((run.effect, run.broken), (Err(Panicked), Vec::new()));
    }

    #[test]
    fn a_panic_on_what_only_the_owner_sees_leaves_that_object_alone() {
        let run = divide(4, 0);
        let effect = Effect {
            reply: codec::encode(&12u64),
            changed: vec![(X, codec::encode(&3u64))],
        };
        assert_eq!((run.effect, run.broken), (Ok(effect), vec![Y]));
    }
}
