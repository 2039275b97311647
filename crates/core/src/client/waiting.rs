//! The tasks that wait for a number, by where they would go.

use super::task::Ticket;
use crate::id::Groups;
use std::collections::{BTreeMap, BTreeSet};

/// Tasks that wait for a number; those that have no destinations yet wait for the time alone.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Never an empty set of tickets.
    tickets: BTreeMap<Groups, BTreeSet<Ticket>>,
}

impl Waiting {
    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    /// A task waits.
    pub(super) fn add(&mut self, ticket: Ticket, destinations: Groups) {
        self.tickets.entry(destinations).or_default().insert(ticket);
    }

    /// A task waits no more.
    pub(super) fn remove(&mut self, ticket: Ticket, destinations: Groups) {
        if let Some(tickets) = self.tickets.get_mut(&destinations) {
            tickets.remove(&ticket);
            if tickets.is_empty() {
                self.tickets.remove(&destinations);
            }
        }
    }

    /// The oldest task for whose destinations there is room.
    pub(super) fn oldest(&self, has_room: impl Fn(Groups) -> bool) -> Option<Ticket> {
        let open = self.tickets.iter().filter(|(groups, _)| has_room(**groups));
        open.filter_map(|(_, tickets)| tickets.first())
            .min()
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PartitionId;

    #[test]
    fn the_oldest_goes_first_of_those_for_whom_there_is_room() {
        let (p0, p1) = (Groups::from(PartitionId(0)), Groups::from(PartitionId(1)));
        let mut waiting = Waiting::default();
        for (ticket, destinations) in [(3, p1), (1, p0), (2, p1)] {
            waiting.add(ticket, destinations);
        }
        assert_eq!(waiting.oldest(|_| true), Some(1));
        assert_eq!(waiting.oldest(|groups| groups == p1), Some(2));
        waiting.remove(2, p1);
        assert_eq!(waiting.oldest(|groups| groups == p1), Some(3));
        assert_eq!(waiting.oldest(|_| false), None);
        waiting.remove(3, p1);
        waiting.remove(1, p0);
        assert!(waiting.is_empty());
    }
}
