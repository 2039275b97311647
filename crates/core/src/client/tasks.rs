//! The tasks under way, by ticket.
//!
//! Whoever holds a ticket knows that its task is here: the numbers, lookups and turns of a task end
//! with it. A ticket that leads nowhere is a broken invariant of the engine, so looking it up
//! panics.

use super::task::{Task, Ticket};
use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

/// The tasks under way, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    tasks: BTreeMap<Ticket, Task>,
    last: Ticket,
}

impl Tasks {
    /// Adds a task.
    pub(super) fn add(&mut self, task: Task) -> Ticket {
        self.last += 1;
        self.tasks.insert(self.last, task);
        self.last
    }

    /// Takes out a task that has ended.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Task {
        self.tasks
            .remove(&ticket)
            .unwrap_or_else(|| panic!("task {ticket} ended twice"))
    }

    /// A task that may have ended long ago.
    pub(super) fn get(&self, ticket: Ticket) -> Option<&Task> {
        self.tasks.get(&ticket)
    }

    /// All tickets, in the order in which they were given out.
    pub(super) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.tasks.keys().copied()
    }

    /// All tasks, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values()
    }

    /// All tasks, in the order in which they came.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Task> {
        self.tasks.values_mut()
    }
}

impl Index<Ticket> for Tasks {
    type Output = Task;

    fn index(&self, ticket: Ticket) -> &Task {
        &self.tasks[&ticket]
    }
}

impl IndexMut<Ticket> for Tasks {
    fn index_mut(&mut self, ticket: Ticket) -> &mut Task {
        self.tasks
            .get_mut(&ticket)
            .unwrap_or_else(|| panic!("task {ticket} has ended"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;
    use crate::time::LocalTime;

    #[test]
    fn a_ticket_is_never_given_out_twice() {
        let mut tasks = Tasks::default();
        let first = tasks.add(Task::new(Request::default(), LocalTime::ZERO));
        tasks.remove(first);
        let second = tasks.add(Task::new(Request::default(), LocalTime::ZERO));
        assert_ne!(first, second);
        assert!(tasks.get(first).is_none());
        assert_eq!(tasks.tickets().collect::<Vec<_>>(), [second]);
    }
}
