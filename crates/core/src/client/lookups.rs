//! Which tasks wait for a hint on which object, so that an object is asked about once however many
//! wait for it.
//!
//! These are questions for places, not the requests that ask whether an object exists
//! ([`Intent::Lookup`](crate::Intent::Lookup)).
//!
//! Invariant: a task is among the waiters of an object exactly while the object is among those that
//! it misses.

use super::task::Ticket;
use crate::id::ObjectId;
use std::collections::BTreeMap;

/// The objects asked about, with the tasks that wait for each.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    waiters: BTreeMap<ObjectId, Vec<Ticket>>,
}

impl Lookups {
    /// A task waits for a hint on an object. Returns whether it is the first, so that somebody has
    /// to be asked.
    pub(super) fn join(&mut self, object: ObjectId, ticket: Ticket) -> bool {
        let waiters = self.waiters.entry(object).or_default();
        waiters.push(ticket);
        waiters.len() == 1
    }

    /// A task that waited is given up.
    pub(super) fn leave(&mut self, object: ObjectId, ticket: Ticket) {
        if let Some(waiters) = self.waiters.get_mut(&object) {
            waiters.retain(|waiter| *waiter != ticket);
            if waiters.is_empty() {
                self.waiters.remove(&object);
            }
        }
    }

    /// The question is answered: nobody waits any more. Returns who did, in the order in which they
    /// came.
    pub(super) fn end(&mut self, object: ObjectId) -> Vec<Ticket> {
        self.waiters.remove(&object).unwrap_or_default()
    }

    /// Who waits for a hint on an object, in the order in which they came.
    pub(super) fn waiters(&self, object: ObjectId) -> &[Ticket] {
        self.waiters.get(&object).map_or(&[], Vec::as_slice)
    }

    /// The objects that somebody waits for, ascending.
    pub(super) fn objects(&self) -> impl Iterator<Item = ObjectId> {
        self.waiters.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: ObjectId = ObjectId::new(0, 1);
    const Y: ObjectId = ObjectId::new(0, 2);

    #[test]
    fn only_the_first_who_waits_has_somebody_asked() {
        let mut lookups = Lookups::default();
        assert!(lookups.join(X, 2));
        assert!(!lookups.join(X, 1));
        assert!(lookups.join(Y, 1));
        assert_eq!(lookups.waiters(X), [2, 1]);
        assert_eq!(lookups.end(X), [2, 1]);
        assert_eq!(lookups.end(X), []);
        assert_eq!(lookups.objects().collect::<Vec<_>>(), [Y]);
        assert!(lookups.join(X, 3));
    }

    #[test]
    fn whoever_comes_after_the_only_one_was_given_up_asks_anew() {
        let mut lookups = Lookups::default();
        lookups.join(X, 1);
        lookups.join(X, 2);
        lookups.leave(X, 1);
        assert_eq!(lookups.waiters(X), [2]);
        lookups.leave(X, 2);
        assert_eq!(lookups.objects().count(), 0);
        assert!(lookups.join(X, 3));
    }
}
