//! The checks as methods of a history.
//!
//! Linearizability (Herlihy, Wing, 1990): every operation seems to take effect at one instant
//! between its invocation and its answer.

use crate::history::History;
use crate::summary::Summary;
use crate::violation::{Rejection, Violation};
use crate::{blackbox, witness};
use ssmr_core::Application;

impl<A: Application> History<A> {
    /// The witnessed check: believes the revisions and timestamps in the answers, and verifies
    /// that they fit together, real time and a sequential replay. O(n log n).
    ///
    /// # Errors
    /// The first violation found. An outcome that was recorded by [`History::observe`] has no
    /// revisions and is a violation here.
    pub fn check(&self) -> Result<Summary, Violation> {
        witness::check(self)
    }

    /// The black-box check: believes requests, outcomes and times only, and searches for an order.
    ///
    /// The problem is NP-complete. What the search gives up on is counted in
    /// [`Summary::undecided`] and is no violation: a test should assert that it is zero.
    ///
    /// # Errors
    /// The first violation found.
    pub fn check_blackbox(&self) -> Result<Summary, Violation> {
        blackbox::check(self)
    }

    /// Both checks, the second one also where the first finds something, so that an error says
    /// whether they agree. The summary holds the numbers of both.
    ///
    /// # Errors
    /// What either check found.
    pub fn check_both(&self) -> Result<Summary, Rejection> {
        match (self.check(), self.check_blackbox()) {
            (Ok(witnessed), Ok(searched)) => Ok(Summary {
                components: searched.components,
                undecided: searched.undecided,
                ..witnessed
            }),
            (Err(violation), Ok(_)) => Err(Rejection::Witnessed(violation)),
            (Ok(_), Err(violation)) => Err(Rejection::BlackBox(violation)),
            (Err(witnessed), Err(black_box)) => Err(Rejection::Both {
                witnessed: Box::new(witnessed),
                black_box: Box::new(black_box),
            }),
        }
    }
}
