//! How stale the reads were that the shared cache answered alone, while it was measured.

use crate::trial::measured::Measured;
use ssmr_check::StaleSummary;

/// What the summary says of stale reads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Staleness {
    /// How many of the reads that asked the cache it answered, in percent.
    pub(super) answered_pct: Option<f64>,
    pub(super) lag: Option<Spread>,
    pub(super) age_us: Option<Spread>,
    /// Reads of objects that had been deleted.
    pub(super) past_lives: Option<u64>,
}

/// How values are spread: nearest ranks, not estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spread {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) max: u64,
}

impl Staleness {
    /// That of the reads that began within what was measured.
    pub(super) fn of(stale: &StaleSummary, measured: &Measured) -> Self {
        let span = measured.span;
        let within = measured.samples.iter();
        let within = within.filter(|sample| span.contains(sample.due));
        let (answered, missed) = within.fold((0, 0), |(answered, missed), sample| {
            let cost = &sample.cost;
            (
                answered + u64::from(cost.stale),
                missed + u64::from(cost.stale_misses),
            )
        });
        let asked = answered + missed;
        let judged = stale.judged.iter();
        let judged: Vec<_> = judged.filter(|read| span.contains(read.invoked)).collect();
        let past_lives = judged.iter().filter(|read| read.is_of_past_life).count();
        Self {
            answered_pct: (asked > 0).then(|| answered as f64 * 100.0 / asked as f64),
            lag: Spread::of(judged.iter().map(|read| read.versions)),
            age_us: Spread::of(judged.iter().map(|read| read.age_us)),
            past_lives: Some(past_lives as u64),
        }
    }
}

impl Spread {
    fn of(values: impl Iterator<Item = u64>) -> Option<Self> {
        let mut values: Vec<u64> = values.collect();
        values.sort_unstable();
        let rank = |percent: usize| {
            let rank = (values.len() * percent).div_ceil(100);
            values.get(rank.checked_sub(1)?).copied()
        };
        Some(Self {
            p50: rank(50)?,
            p99: rank(99)?,
            max: rank(100)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_values_that_were_there() {
        let spread = Spread::of((1..=1_000).rev());
        let expected = Spread {
            p50: 500,
            p99: 990,
            max: 1_000,
        };
        assert_eq!(spread, Some(expected));
        let one = Spread::of([7].into_iter()).unwrap();
        assert_eq!((one.p50, one.p99, one.max), (7, 7, 7));
        assert_eq!(Spread::of([].into_iter()), None);
    }
}
