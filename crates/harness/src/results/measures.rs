//! What is computed from the commands of a time span: counts, throughput, latency, and the shape of
//! a strategy.
//!
//! A command counts where it was *issued* (in an open loop: was due), however long it took, so that
//! `issued` is the sum of its outcomes and a stall is felt by the commands that met it. Throughput
//! alone counts answers where they *came*, for what is answered after the end is nothing that the
//! system achieved within it.

use super::columns::columns;
use crate::load::sample::{End, Sample};
use hdrhistogram::Histogram;
use ssmr_core::{Cost, Guess, Micros, ObjectId, Oracle, Topology};

columns! {
    /// The measures that both CSV files have.
    struct Measures {
        /// Commands issued in the span; in an open loop, those that were due.
        issued: u64,
        /// Of these, how many ended with a definite outcome: done, already exists or not found.
        ok: u64,
        /// Of these, how many the strategy refuses by design, as a move under static placement.
        unsupported: u64,
        /// Of these, how many ended otherwise, as by a time-out. 0 in a healthy run.
        errors: u64,
        /// Definite outcomes that came within the span, per second.
        throughput_ops: f64,
        /// Mean latency of the commands counted in `ok`, in microseconds; in an open loop, from
        /// when they were due.
        mean_us: Option<f64>,
        /// Median of the same.
        p50_us: Option<u64>,
        /// 95th percentile of the same.
        p95_us: Option<u64>,
        /// 99th percentile of the same.
        p99_us: Option<u64>,
        /// 99.9th percentile of the same.
        p999_us: Option<u64>,
        /// Greatest of the same.
        max_us: Option<u64>,
        /// Attempts that were answered with "your plan was stale", all commands together, those of
        /// moves made by `gather` included.
        retries: u64,
        /// Commands that were sent to all groups because their retries were spent.
        fallbacks: u64,
        /// Percentage of the commands counted in `ok` whose last attempt went to more than one
        /// partition.
        multi_partition_pct: Option<f64>,
        /// Moves: commands that are one, and those made by `gather`. Empty where objects cannot
        /// move.
        moves: Option<u64>,
        /// Unordered questions to an oracle about where an object is. Empty where nobody needs to
        /// ask.
        oracle_consults: Option<u64>,
        /// Locations that clients found in the shared cache. Empty without one.
        cache_hits: Option<u64>,
        /// Locations that clients did not find in the shared cache. Empty without one.
        cache_misses: Option<u64>,
        /// Destination groups of a command, summed over its attempts; mean of the commands counted
        /// in `ok`.
        groups_per_command: Option<f64>,
    }
}

/// Which measures mean something under a strategy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applies {
    /// Objects can move.
    pub(crate) moves: bool,
    /// Clients ask an oracle.
    pub(crate) consults: bool,
    /// There is a shared cache.
    pub(crate) cache: bool,
}

impl Applies {
    /// What a strategy does, by its own account.
    pub(crate) fn to(oracle: &dyn Oracle, topology: &Topology) -> Self {
        let guess = oracle.guess(topology, ObjectId::new(0, 0));
        Self {
            moves: oracle.movable(),
            consults: !matches!(guess, Guess::At(_)),
            cache: oracle.needs().shared_cache,
        }
    }
}

/// The latencies of a run are kept with three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new(3).unwrap_or_else(|error| unreachable!("three digits are possible: {error}"))
}

impl Measures {
    /// The measures of commands issued in a span of so many microseconds, in which `came` definite
    /// outcomes came. `latencies` is overwritten with the commands' latencies.
    pub(crate) fn of<'a>(
        issued: impl Iterator<Item = &'a Sample>,
        came: u64,
        span: Micros,
        applies: Applies,
        latencies: &mut Histogram<u64>,
    ) -> Self {
        latencies.reset();
        let (mut counts, mut spread, mut groups) = ([0; 3], 0, 0);
        let mut total = Cost::default();
        for sample in issued {
            counts[sample.end as usize] += 1;
            add(&mut total, &sample.cost);
            if sample.end == End::Ok {
                let latency = sample.completed.saturating_sub(sample.due);
                latencies
                    .record(latency)
                    .unwrap_or_else(|e| unreachable!("it grows as needed: {e}"));
                spread += u64::from(sample.cost.multi_partition);
                groups += u64::from(sample.cost.groups);
            }
        }
        let [ok, unsupported, errors] = counts;
        let per_ok = |sum: u64| (ok > 0).then(|| sum as f64 / ok as f64);
        let quantile = |q| (ok > 0).then(|| latencies.value_at_quantile(q));
        Self {
            issued: ok + unsupported + errors,
            ok,
            unsupported,
            errors,
            throughput_ops: came as f64 * 1e6 / span.max(1) as f64,
            mean_us: (ok > 0).then(|| latencies.mean()),
            p50_us: quantile(0.5),
            p95_us: quantile(0.95),
            p99_us: quantile(0.99),
            p999_us: quantile(0.999),
            max_us: quantile(1.0),
            retries: total.retries.into(),
            fallbacks: total.fallbacks.into(),
            multi_partition_pct: per_ok(spread).map(|share| share * 100.0),
            moves: applies.moves.then_some(total.moves.into()),
            oracle_consults: applies.consults.then_some(total.oracle_consults.into()),
            cache_hits: applies.cache.then_some(total.cache_hits.into()),
            cache_misses: applies.cache.then_some(total.cache_misses.into()),
            groups_per_command: per_ok(groups),
        }
    }
}

fn add(total: &mut Cost, cost: &Cost) {
    total.retries += cost.retries;
    total.fallbacks += cost.fallbacks;
    total.moves += cost.moves;
    total.oracle_consults += cost.oracle_consults;
    total.cache_hits += cost.cache_hits;
    total.cache_misses += cost.cache_misses;
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Applies = Applies {
        moves: true,
        consults: true,
        cache: true,
    };
    const NONE: Applies = Applies {
        moves: false,
        consults: false,
        cache: false,
    };

    #[test]
    fn long_latencies_are_kept() {
        let m = Measures::of(
            [sample(End::Ok, 30_000_000)].iter(),
            1,
            1,
            ALL,
            &mut histogram(),
        );
        assert!(
            m.max_us
                .is_some_and(|max| max.abs_diff(30_000_000) < 30_000),
            "{m:?}"
        );
    }

    fn sample(end: End, took: Micros) -> Sample {
        Sample {
            kind: 0,
            due: 1_000,
            late: 0,
            completed: 1_000 + took,
            end,
            cost: Cost {
                groups: 2,
                retries: 1,
                multi_partition: took > 150,
                ..Cost::default()
            },
            conflicts: None,
        }
    }

    #[test]
    fn outcomes_are_counted_apart_and_only_definite_ones_have_a_latency() {
        let samples = [
            sample(End::Ok, 100),
            sample(End::Ok, 200),
            sample(End::Unsupported, 1),
            sample(End::Error, 30_000_000),
        ];
        let m = Measures::of(samples.iter(), 2, 500_000, ALL, &mut histogram());
        assert_eq!((m.issued, m.ok, m.unsupported, m.errors), (4, 2, 1, 1));
        assert_eq!((m.throughput_ops, m.mean_us), (4.0, Some(150.0)));
        assert_eq!((m.p50_us, m.max_us), (Some(100), Some(200)));
        assert_eq!((m.retries, m.moves, m.cache_hits), (4, Some(0), Some(0)));
        assert_eq!(
            (m.groups_per_command, m.multi_partition_pct),
            (Some(2.0), Some(50.0))
        );
    }

    #[test]
    fn what_does_not_apply_is_empty_and_never_zero() {
        let m = Measures::of([].iter(), 0, 100_000, NONE, &mut histogram());
        assert_eq!((m.issued, m.throughput_ops), (0, 0.0));
        assert_eq!((m.mean_us, m.p50_us, m.max_us), (None, None, None));
        assert_eq!(
            (m.moves, m.oracle_consults, m.cache_hits, m.cache_misses),
            (None, None, None, None)
        );
        assert_eq!(m.groups_per_command, None);
    }
}
