//! The conformance suite: what every strategy must pass.

use crate::{Options, Profile, Report, simulate};
use ssmr_core::{Execution, Layout, Oracle};

/// Runs a band of seeds over all profiles and both execution modes; returns the counters of all of them together.
///
/// # Panics
/// With the failure, if an invariant is violated.
pub fn survives<O: Oracle>(
    make: impl Fn(Layout) -> O + Copy,
    seeds: std::ops::Range<u64>,
) -> Report {
    let mut total = Report::default();
    for seed in seeds {
        for profile in Profile::ALL {
            for execution in [Execution::Exchange, Execution::Gather] {
                let options = Options {
                    profile,
                    execution,
                    ..Options::default()
                };
                match simulate(make, seed, options) {
                    Ok(report) => total.add(report),
                    Err(failure) => panic!("{failure}"),
                }
            }
        }
    }
    total
}
