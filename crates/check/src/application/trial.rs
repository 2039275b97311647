//! One operation under trial: runs on equal input must agree, and so must runs that differ only in
//! what the operation declares not to read.

use super::fault::{ApplicationFault, Effect, EncodedPart};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ssmr_core::application::{Operand, UndeclaredAccess, run_recorded};
use ssmr_core::{Access, Application, Encoded, ObjectId, codec};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

/// How often an operation runs again on equal input: hash maps differ only by chance.
const REPEATS: usize = 3;

/// How many numbers are tried to find another value for an object.
const ATTEMPTS: usize = 16;

/// Encoded values, by object.
type Values = BTreeMap<ObjectId, Encoded>;

/// What one run did.
struct Run {
    reply: Encoded,
    changed: Vec<(ObjectId, Encoded)>,
    undeclared: Vec<UndeclaredAccess>,
}

/// One operation under trial.
pub(super) struct Trial<A> {
    /// The operation, as `Debug` shows it.
    name: String,
    op: Encoded,
    reads: BTreeSet<ObjectId>,
    writes: BTreeSet<ObjectId>,
    /// Objects that are written and not read.
    unread: Vec<ObjectId>,
    run_count: usize,
    application: PhantomData<fn() -> A>,
}

impl<A: Application> Trial<A> {
    /// Looks at what an operation declares.
    pub(super) fn new(op: &A::Op) -> Result<Self, ApplicationFault> {
        let name = format!("{op:?}");
        let encoded = codec::encode(op);
        let access = A::access(op);
        let received = codec::decode::<A::Op>(&encoded)
            .ok()
            .filter(|op| codec::encode(op) == encoded);
        let Some(received) = received else {
            return Err(ApplicationFault::Encoding {
                operation: name,
                encoded: EncodedPart::Operation,
            });
        };
        // Clients declare the operation that they have, replicas the one that they received.
        if [A::access(op), A::access(&received)] != [access.clone(), access.clone()] {
            return Err(ApplicationFault::Nondeterministic {
                operation: name,
                effect: Effect::Access,
            });
        }
        let Access { reads, writes } = access;
        let reads: BTreeSet<ObjectId> = reads.into_iter().collect();
        let writes: BTreeSet<ObjectId> = writes.into_iter().collect();
        Ok(Self {
            name,
            op: encoded,
            unread: writes.difference(&reads).copied().collect(),
            reads,
            writes,
            run_count: 0,
            application: PhantomData,
        })
    }

    /// How often the operation ran so far.
    pub(super) fn run_count(&self) -> usize {
        self.run_count
    }

    /// Whether it writes an object that it does not read.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Runs the operation on one set of values in all ways that must agree. Returns whether it
    /// changed something.
    pub(super) fn round(
        &mut self,
        make: &mut impl FnMut(ObjectId) -> A::Object,
    ) -> Result<bool, ApplicationFault> {
        let mut values = Values::new();
        for &object in self.reads.union(&self.writes) {
            let value = codec::encode(&make(object));
            self.returns::<A::Object>(&value, EncodedPart::Object(object))?;
            values.insert(object, value);
        }
        let first = self.run(&values)?;
        self.judge_alone(&first)?;
        for _ in 0..REPEATS {
            let again = self.run(&values)?;
            if let Some(effect) = difference(&first, &again, |_| true) {
                let operation = self.name.clone();
                return Err(ApplicationFault::Nondeterministic { operation, effect });
            }
        }
        self.vary_unread(&values, &first, make)?;
        self.drop_unread(values.clone(), &first)?;
        let mut changed = first.changed.iter();
        Ok(changed.any(|(object, value)| values.get(object) != Some(value)))
    }

    /// What is wrong with a run by itself.
    fn judge_alone(&self, run: &Run) -> Result<(), ApplicationFault> {
        if let Some(&access) = run.undeclared.first() {
            let operation = self.name.clone();
            return Err(ApplicationFault::Undeclared { operation, access });
        }
        self.returns::<A::Reply>(&run.reply, EncodedPart::Reply)?;
        run.changed.iter().try_for_each(|(object, value)| {
            self.returns::<A::Object>(value, EncodedPart::Object(*object))
        })
    }

    /// Gives each unread object another value, and none at all: as at its owner with other history,
    /// and as at another partition.
    fn vary_unread(
        &mut self,
        values: &Values,
        first: &Run,
        make: &mut impl FnMut(ObjectId) -> A::Object,
    ) -> Result<(), ApplicationFault> {
        for object in self.unread.clone() {
            let mut others = (0..ATTEMPTS).map(|_| codec::encode(&make(object)));
            let other = others.find(|other| values.get(&object) != Some(other));
            for replacement in [other, None] {
                let mut varied = values.clone();
                varied.remove(&object);
                varied.extend(replacement.map(|value| (object, value)));
                let run = self.run(&varied)?;
                self.judge_alone(&run)?;
                self.expect_same(first, &run, object, |changed| changed != object)?;
            }
        }
        Ok(())
    }

    /// Takes the unread objects away one after the other.
    fn drop_unread(&mut self, mut values: Values, first: &Run) -> Result<(), ApplicationFault> {
        for object in self.unread.clone() {
            values.remove(&object);
            let run = self.run(&values)?;
            self.judge_alone(&run)?;
            let stays = |changed| values.contains_key(&changed);
            self.expect_same(first, &run, object, stays)?;
        }
        Ok(())
    }

    /// Demands that replies and the changes of these objects are the same, whatever the value of
    /// the unread `object`.
    fn expect_same(
        &self,
        first: &Run,
        run: &Run,
        object: ObjectId,
        compared: impl Fn(ObjectId) -> bool,
    ) -> Result<(), ApplicationFault> {
        difference(first, run, compared).map_or(Ok(()), |effect| {
            Err(ApplicationFault::DependsOnUnread {
                operation: self.name.clone(),
                object,
                effect,
            })
        })
    }

    /// Runs the operation as a replica would that has these values.
    fn run(&mut self, values: &Values) -> Result<Run, ApplicationFault> {
        self.run_count += 1;
        let operands = values.iter().map(|(&object, value)| Operand {
            object,
            value: value.clone(),
            readable: self.reads.contains(&object),
            writable: self.writes.contains(&object),
        });
        let run = run_recorded::<A>(&self.op, operands);
        let panicked = |object| ApplicationFault::Panicked {
            operation: self.name.clone(),
            object,
        };
        if let Some(&object) = run.broken.first() {
            return Err(panicked(Some(object)));
        }
        let effect = run.effect.map_err(|_| panicked(None))?;
        Ok(Run {
            reply: effect.reply,
            changed: effect.changed,
            undeclared: run.undeclared,
        })
    }

    /// Demands that bytes decode, and to what is encoded as the same bytes.
    fn returns<T: Serialize + DeserializeOwned>(
        &self,
        bytes: &Encoded,
        encoded: EncodedPart,
    ) -> Result<(), ApplicationFault> {
        let decoded = codec::decode::<T>(bytes);
        if decoded.is_ok_and(|value| codec::encode(&value) == *bytes) {
            return Ok(());
        }
        let operation = self.name.clone();
        Err(ApplicationFault::Encoding { operation, encoded })
    }
}

/// In what two runs differ, looking at some objects only.
fn difference(first: &Run, other: &Run, compared: impl Fn(ObjectId) -> bool) -> Option<Effect> {
    if first.reply != other.reply {
        return Some(Effect::Reply);
    }
    let changes = |run: &Run| -> Values {
        let changes = run.changed.iter().filter(|(object, _)| compared(*object));
        changes.cloned().collect()
    };
    let (first, other) = (changes(first), changes(other));
    let objects: BTreeSet<ObjectId> = first.keys().chain(other.keys()).copied().collect();
    let differs = |object: &ObjectId| first.get(object) != other.get(object);
    objects.into_iter().find(differs).map(Effect::Change)
}
