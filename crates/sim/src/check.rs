//! Two independent checks that a history is linearizable (invariant 5): by witness, and as a black box.
//!
//! Linearizability (Herlihy, Wing, 1990): every operation seems to take effect at one instant between its invocation
//! and its answer. The *witnessed* check believes the revisions and timestamps in the answers and verifies that they
//! fit together, real time and a sequential replay; it handles whole benchmark runs. The *black-box* check believes
//! nothing but requests, outcomes and times, and searches; it is for small histories.

mod blackbox;
mod spec;
#[cfg(test)]
mod tests;
mod violation;
mod witness;

pub use violation::{Fault, Violation};

use crate::history::History;
use ssmr_core::Application;

/// What a check looked at, to show that it was not vacuous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operations in the history.
    pub operations: usize,
    /// Operations whose client was not told the outcome.
    pub unanswered: usize,
    /// Objects that the history names.
    pub objects: usize,
    /// Witnessed: operations whose outcome the sequential replay compared.
    pub replayed: usize,
    /// Witnessed: operations that the replay could not judge in full, for they depend on unanswered writes that nobody
    /// attributed.
    pub unjudged: usize,
    /// Black-box: sets of connected objects.
    pub components: usize,
    /// Black-box: sets of connected objects on which the search gave up at its bound.
    pub undecided: usize,
}

impl Summary {
    fn of<A: Application>(history: &History<A>) -> Self {
        Self {
            operations: history.len(),
            unanswered: history.operations.iter().filter(|o| !o.answered).count(),
            objects: history.objects.things().len(),
            ..Self::default()
        }
    }
}

impl<A: Application> History<A> {
    /// The witnessed check, over the full history.
    ///
    /// # Errors
    /// With the first violation found.
    pub fn check(&self) -> Result<Summary, Violation> {
        witness::check(self)
    }

    /// The black-box check. What it gives up on is counted in [`Summary::undecided`] and is no violation.
    ///
    /// # Errors
    /// With the first violation found.
    pub fn check_blackbox(&self) -> Result<Summary, Violation> {
        blackbox::check(self)
    }
}
