//! The objects of one operation while it runs: what it sees, what it changes, and where it goes
//! beyond what it declared.

use super::{Access, Application, Operand};
use crate::codec::{self, DecodeError};
use crate::id::{Encoded, ObjectId};
use crate::mutant::{self, Mutant};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
    /// the service: with debug assertions [`run`](super::run) panics and names it, without it is
    /// ignored.
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

impl<T: DeserializeOwned> Objects<T> {
    /// The objects that an operation is handed.
    pub(super) fn decode(operands: impl IntoIterator<Item = Operand>) -> Result<Self, DecodeError> {
        let slots = operands.into_iter().map(|operand| {
            let slot = Slot {
                value: codec::decode(&operand.value)?,
                readable: operand.readable,
                writable: operand.writable,
                changed: false,
                broken: false,
            };
            Ok((operand.object, slot))
        });
        let mut slots = slots.collect::<Result<Vec<_>, _>>()?;
        // They are already, as a request has them.
        slots.sort_by_key(|(object, _)| *object);
        Ok(Self {
            slots,
            missed: RefCell::default(),
        })
    }
}

impl<T: Serialize> Objects<T> {
    /// The new values of what was changed. A value that nobody else sees and that cannot be encoded
    /// counts as broken.
    pub(super) fn take_changed(&mut self) -> Vec<(ObjectId, Encoded)> {
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
    /// Objects that are only written, and whose update panicked.
    pub(super) fn broken(&self) -> Vec<ObjectId> {
        let broken = self.slots.iter().filter(|(_, slot)| slot.broken);
        broken.map(|(object, _)| *object).collect()
    }

    /// The accesses without effect that the operation indeed did not declare.
    pub(super) fn undeclared<A: Application>(self, op: &A::Op) -> Vec<UndeclaredAccess> {
        let mut undeclared: Vec<UndeclaredAccess> = self.missed.into_inner().into_iter().collect();
        if !undeclared.is_empty() {
            let access = A::access(op);
            undeclared.retain(|missed| missed.is_missing_in(&access));
        }
        undeclared
    }
}
