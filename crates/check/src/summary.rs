//! What a check looked at: numbers that show that it was not vacuous. No judgement is in them.

use crate::history::History;
use crate::operation::Fate;
use ssmr_core::Application;

/// What a check looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operations in the history.
    pub operations: usize,
    /// Operations whose client was not told the outcome.
    pub unanswered: usize,
    /// Of these, those of which nobody knows what became of them: they took effect once or not at
    /// all.
    pub unknown: usize,
    /// Objects that the history names.
    pub objects: usize,
    /// Witnessed: operations whose outcome the sequential replay compared.
    pub replayed: usize,
    /// Witnessed: operations that the replay could not judge in full, for they depend on
    /// unanswered writes that nobody attributed.
    pub unjudged: usize,
    /// Black-box: sets of connected objects.
    pub components: usize,
    /// Black-box: sets of connected objects on which the search gave up at its bound.
    pub undecided: usize,
}

impl Summary {
    /// Counts what both checks have in common.
    pub(crate) fn of<A: Application>(history: &History<A>) -> Self {
        Self {
            operations: history.len(),
            unanswered: history.operations.iter().filter(|o| !o.answered).count(),
            unknown: history
                .operations
                .iter()
                .filter(|o| o.fate == Fate::Unknown)
                .count(),
            objects: history.objects.values().len(),
            ..Self::default()
        }
    }
}
