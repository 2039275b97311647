//! The service that is replicated: the user's own, typed, and deterministic.

mod objects;

pub use objects::{Objects, UndeclaredAccess};

use crate::codec;
use crate::id::{Encoded, ObjectId};
use serde::Serialize;
use serde::de::DeserializeOwned;
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
    let Ok(mut objects) = Objects::decode(operands) else {
        return RecordedRun::default();
    };
    let effect = catch_unwind(AssertUnwindSafe(|| {
        let reply = A::execute(&op, &mut objects);
        Effect {
            reply: codec::encode(&reply),
            changed: objects.take_changed(),
        }
    }));
    RecordedRun {
        effect: effect.map_err(|_| Panicked),
        broken: objects.broken(),
        undeclared: objects.undeclared::<A>(&op),
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
