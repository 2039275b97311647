//! Confidence intervals by the bootstrap (Efron, 1979): the percentiles of a statistic over
//! samples drawn anew, with replacement, from the measured ones.
//!
//! Invariant: a pure function of the samples, for the random numbers have one seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// With fewer samples there is no interval: it would be far too narrow.
pub(super) const FEWEST: usize = 5;

/// How often samples are drawn.
const DRAWN: usize = 10_000;

/// What 95 of 100 statistics lie between.
const TAIL: f64 = 0.025;

/// An interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The mean of the samples; not a number if there is none.
pub(super) fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// The interval of the mean; `None` if there are fewer than [`FEWEST`] samples.
pub(super) fn of_mean(samples: &[f64]) -> Option<Interval> {
    interval(&[samples], |means| means[0])
}

/// The interval of the ratio of two means; `None` if there are fewer than [`FEWEST`] samples of
/// either.
pub(super) fn of_ratio(above: &[f64], below: &[f64]) -> Option<Interval> {
    interval(&[above, below], |means| means[0] / means[1])
}

fn interval(samples: &[&[f64]], statistic: fn(&[f64]) -> f64) -> Option<Interval> {
    if samples.iter().any(|samples| samples.len() < FEWEST) {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut drawn: Vec<f64> = (0..DRAWN)
        .map(|_| {
            let means = samples.iter().map(|samples| {
                let draw = || samples[rng.random_range(0..samples.len())];
                let sum: f64 = std::iter::repeat_with(draw).take(samples.len()).sum();
                sum / samples.len() as f64
            });
            statistic(&means.collect::<Vec<_>>())
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| drawn[((DRAWN - 1) as f64 * share).round() as usize];
    let interval = Interval {
        low: at(TAIL),
        high: at(1.0 - TAIL),
    };
    (interval.low.is_finite() && interval.high.is_finite()).then_some(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_lies_around_the_mean_and_grows_with_the_spread() {
        let narrow = of_mean(&[99.0, 100.0, 101.0, 100.0, 100.0]).unwrap();
        let wide = of_mean(&[50.0, 100.0, 150.0, 80.0, 120.0]).unwrap();
        assert!(narrow.low > 99.0 && narrow.high < 101.0 && narrow.low < 100.0);
        assert!(wide.low < 85.0 && wide.high > 115.0 && wide.low > 50.0);
        assert_eq!(of_mean(&[1.0; 4]), None);
        let same = of_mean(&[7.0; 5]).unwrap();
        assert_eq!((same.low, same.high), (7.0, 7.0));
    }

    /// Of the means of 20 draws from a known distribution, about 95 of 100 intervals hold the true
    /// one: 90 at least, for the bootstrap's are somewhat narrow.
    #[test]
    fn most_intervals_hold_the_true_mean() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut held = 0;
        for _ in 0..200 {
            let samples: Vec<f64> = (0..20).map(|_| rng.random_range(0.0..2.0)).collect();
            let interval = of_mean(&samples).unwrap();
            held += u32::from(interval.low <= 1.0 && 1.0 <= interval.high);
        }
        assert!((180..=198).contains(&held), "{held} of 200");
    }

    #[test]
    fn a_ratio_of_the_same_holds_one() {
        let samples = [90.0, 100.0, 110.0, 95.0, 105.0];
        let same = of_ratio(&samples, &samples).unwrap();
        assert!(same.low < 1.0 && same.high > 1.0);
        let twice = samples.map(|sample| sample * 2.0);
        let ratio = of_ratio(&twice, &samples).unwrap();
        assert!(ratio.low > 1.7 && ratio.high < 2.3);
        assert_eq!(of_ratio(&samples, &[0.0; 5]), None);
    }
}
