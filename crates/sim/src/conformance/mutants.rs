//! Hunts for the faults that are built in on purpose: the checks on the clients' histories must speak.

use crate::{Options, simulate};
use ssmr_core::{Layout, Oracle};

/// A fault that a check on the history found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// With this seed.
    pub seed: u64,
    /// The check's words.
    pub words: String,
}

impl Caught {
    /// Whether the check says this.
    #[must_use]
    pub fn says(&self, words: &str) -> bool {
        self.words.contains(words)
    }
}

/// Runs seeds from 0 on until a check of the clients' history (not an assertion inside, not a bound of time) finds a
/// violation.
///
/// # Panics
/// If `seeds` runs are not enough.
pub fn catch<O: Oracle>(make: impl Fn(Layout) -> O + Copy, options: Options, seeds: u64) -> Caught {
    let mut others = Vec::new();
    for seed in 0..seeds {
        let Err(failure) = simulate(make, seed, options) else {
            continue;
        };
        let words = failure.violation;
        if words.contains("not linearizable: ") {
            return Caught { seed, words };
        }
        others.push(words.lines().next().unwrap_or_default().to_owned());
    }
    panic!("{seeds} seeds under {options:?} show the checks nothing; other finds: {others:?}");
}
