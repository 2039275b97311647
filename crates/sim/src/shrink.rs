//! Makes a failure smaller: a few clients that ask for a few things can be understood, a storm
//! cannot.
//!
//! Greedy: as long as a simulation with less of anything violates the same invariant, for its own
//! seed or one of a few others, that one is taken. What is left fails, and with any less it has
//! not.

use crate::options::{Options, Profile};
use crate::simulate::Failure;

/// How many other seeds are tried where there is less of something: it is another run anyway.
const SEEDS: u64 = 24;

/// A failure as small as it could be made.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The failure.
    pub failure: Failure,
    /// How many simulations that took.
    pub runs: u32,
}

/// Makes a failure smaller in at most so many simulations, of which `attempt` runs one.
pub fn shrink(
    failure: Failure,
    most: u32,
    mut attempt: impl FnMut(u64, Options) -> Option<Failure>,
) -> Shrunk {
    let invariant = failure.invariant();
    let mut shrunk = Shrunk { failure, runs: 0 };
    loop {
        let Failure { seed, options, .. } = shrunk.failure;
        let candidates = smaller(&options);
        let seeds = || std::iter::once(seed).chain((0..SEEDS).filter(move |other| *other != seed));
        let mut runs = candidates
            .into_iter()
            .flat_map(|options| seeds().map(move |seed| (seed, options)))
            .take((most - shrunk.runs) as usize);
        let found = runs.find_map(|(seed, options)| {
            shrunk.runs += 1;
            attempt(seed, options).filter(|failure| failure.invariant() == invariant)
        });
        match found {
            Some(failure) => shrunk.failure = failure,
            None => return shrunk,
        }
    }
}

/// Options with less of one thing, the boldest steps first.
fn smaller(options: &Options) -> Vec<Options> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Options)| {
        let mut smaller = *options;
        change(&mut smaller);
        all.push(smaller);
    };
    if options.profile != Profile::Calm {
        add(&|o| o.profile = Profile::Calm);
    }
    for n in less(options.clients) {
        add(&|o| o.clients = n);
    }
    for n in less(options.requests as u64) {
        add(&|o| o.requests = n as usize);
    }
    for n in less(options.objects) {
        add(&|o| o.objects = n);
    }
    for n in less(options.window as u64) {
        add(&|o| o.window = n as usize);
    }
    for n in less(options.partitions.into()) {
        add(&|o| o.partitions = n as u8);
    }
    for n in less(options.replicas.into()).filter(|n| n % 2 == 1) {
        add(&|o| o.replicas = n as u8);
    }
    if options.profile != Profile::Calm {
        for n in less(options.steps) {
            add(&|o| o.steps = n);
        }
    }
    all
}

/// Less than `n` of something, at least one.
fn less(n: u64) -> impl Iterator<Item = u64> {
    let mut all = vec![1, n / 2, n - n / 4, n.saturating_sub(1)];
    all.retain(|&m| 0 < m && m < n);
    all.dedup();
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::violation::{Invariant, InvariantViolation, Stall};

    fn failure(seed: u64, options: Options, violation: InvariantViolation) -> Failure {
        Failure {
            strategy: "none",
            seed,
            options,
            violation: Box::new(violation),
        }
    }

    fn disagreement(applied: u64) -> InvariantViolation {
        InvariantViolation::Agreement {
            group: ssmr_core::PartitionId(0).into(),
            applied,
            first: 1,
            other: 2,
        }
    }

    #[test]
    fn what_is_left_fails_in_the_same_way_and_no_less_does() {
        let storm = Options {
            profile: Profile::Storm,
            ..Options::default()
        };
        let attempt = |seed, options: Options| {
            let enough = options.requests >= 7 && options.clients >= 2 && seed % 2 == 1;
            let violation = if enough {
                disagreement(1)
            } else {
                Stall::Audit.into()
            };
            Some(failure(seed, options, violation))
        };
        let shrunk = shrink(failure(9, storm, disagreement(2)), 10_000, attempt);
        let Options {
            requests,
            clients,
            objects,
            replicas,
            profile,
            ..
        } = shrunk.failure.options;
        assert_eq!((requests, clients, objects, replicas), (7, 2, 1, 1));
        assert_eq!(profile, Profile::Calm);
        assert_eq!(shrunk.failure.invariant(), Invariant::Agreement);
        assert_eq!(*shrunk.failure.violation, disagreement(1));
        let bounded = shrink(failure(9, storm, disagreement(2)), 5, attempt);
        assert_eq!(bounded.runs, 5);
    }
}
