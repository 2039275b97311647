//! Confidence intervals by the bootstrap (Efron, 1979): the percentiles of a statistic over
//! samples drawn anew, with replacement, from the measured ones.
//!
//! Invariant: a pure function of the samples, for the random numbers have one seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// From so many samples on there is an interval; of fewer it would be far too narrow.
pub const ENOUGH: usize = 5;

/// How often samples are drawn.
const RESAMPLES: usize = 10_000;

/// A fortieth lies below an interval of 95 %, and as much above.
const TAIL: usize = RESAMPLES / 40;

/// An interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The mean of the samples; `None` if there is none.
#[must_use]
pub fn mean(samples: &[f64]) -> Option<f64> {
    (!samples.is_empty()).then(|| samples.iter().sum::<f64>() / samples.len() as f64)
}

/// The interval of the mean; `None` if there are fewer than [`ENOUGH`] samples, or one is not
/// finite.
#[must_use]
pub fn of_mean(samples: &[f64]) -> Option<Interval> {
    interval([samples], |[mean]| mean)
}

/// The interval of the ratio of two means; `None` if there are fewer than [`ENOUGH`] samples of
/// either, or the ratio is not finite.
#[must_use]
pub fn of_ratio(above: &[f64], below: &[f64]) -> Option<Interval> {
    interval([above, below], |[above, below]| above / below)
}

fn interval<const N: usize>(
    samples: [&[f64]; N],
    statistic: fn([f64; N]) -> f64,
) -> Option<Interval> {
    if samples.iter().any(|samples| samples.len() < ENOUGH) {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(95);
    let mut redrawn_mean = |samples: &[f64]| {
        let count = samples.len();
        let drawn = (0..count).map(|_| samples[random.next_u64() as usize % count]);
        drawn.sum::<f64>() / count as f64
    };
    let mut found: Vec<f64> = (0..RESAMPLES)
        .map(|_| statistic(samples.map(&mut redrawn_mean)))
        .collect();
    found.sort_by(f64::total_cmp);
    let (low, high) = (found[TAIL], found[RESAMPLES - 1 - TAIL]);
    (low.is_finite() && high.is_finite()).then_some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_mean_and_is_the_same_each_time() {
        let samples = [9.0, 10.0, 11.0, 12.0, 8.0];
        let Interval { low, high } = of_mean(&samples).unwrap();
        // The standard error of the mean is 0.63 here, as bootstrap sees it.
        assert!((8.6..9.2).contains(&low), "{low}");
        assert!((10.8..11.4).contains(&high), "{high}");
        assert_eq!(of_mean(&samples), of_mean(&samples));
        let (low, high) = (3.0, 3.0);
        assert_eq!(of_mean(&[3.0; 5]), Some(Interval { low, high }));
        assert_eq!(of_mean(&samples[1..]), None);
        assert_eq!((mean(&samples), mean(&[])), (Some(10.0), None));
    }

    /// Of the means of 20 draws from a known distribution, about 95 of 100 intervals hold the true
    /// one: 90 at least, for the bootstrap's are somewhat narrow.
    #[test]
    fn most_intervals_hold_the_true_mean() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut draw = || (random.next_u64() >> 11) as f64 / (1_u64 << 52) as f64;
        let mut held = 0;
        for _ in 0..200 {
            let samples: Vec<f64> = (0..20).map(|_| draw()).collect();
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
