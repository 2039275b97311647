//! Means of repeats, and how far they can be trusted.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// From so many repeats on there are intervals; fewer do not say enough for one.
pub const ENOUGH: usize = 5;

/// How often repeats are drawn anew.
const RESAMPLES: usize = 10_000;

/// Repeats of one measurement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Repeats {
    /// The values, in the order of the file.
    pub(crate) values: Vec<f64>,
    /// Their mean.
    pub(crate) mean: f64,
    /// The 95 % interval of the mean, if there are enough.
    pub(crate) interval: Option<(f64, f64)>,
}

impl Repeats {
    /// Nothing if there are no values.
    pub(crate) fn of(values: Vec<f64>) -> Option<Self> {
        let mean = mean(&values)?;
        let interval = (values.len() >= ENOUGH).then(|| interval(&values));
        Some(Self {
            values,
            mean,
            interval,
        })
    }

    /// All the numbers to make room for.
    pub(crate) fn extent(&self) -> impl Iterator<Item = f64> {
        let (low, high) = self.interval.unwrap_or((self.mean, self.mean));
        let values = match self.interval {
            Some(_) => &[],
            None => &self.values[..],
        };
        values.iter().copied().chain([low, self.mean, high])
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The 95 % interval of the mean by bootstrap percentiles: the same for the same values.
fn interval(values: &[f64]) -> (f64, f64) {
    let mut random = ChaCha8Rng::seed_from_u64(95);
    let count = values.len();
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..count).map(|_| values[random.next_u64() as usize % count]);
            drawn.sum::<f64>() / count as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let tail = RESAMPLES / 40;
    (means[tail], means[RESAMPLES - 1 - tail])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_mean_and_is_the_same_each_time() {
        let repeats = || Repeats::of(vec![9.0, 10.0, 11.0, 12.0, 8.0]).unwrap();
        let (low, high) = repeats().interval.unwrap();
        // The standard error of the mean is 0.63 here, as bootstrap sees it.
        assert!((8.6..9.2).contains(&low), "{low}");
        assert!((10.8..11.4).contains(&high), "{high}");
        assert_eq!(repeats(), repeats());
        let equal = Repeats::of(vec![3.0; 5]).unwrap();
        assert_eq!(equal.interval, Some((3.0, 3.0)));
    }

    #[test]
    fn fewer_than_five_repeats_have_no_interval() {
        let four = Repeats::of(vec![1.0, 2.0, 3.0, 6.0]).unwrap();
        assert_eq!((four.mean, four.interval), (3.0, None));
        assert_eq!(four.extent().fold(0.0, f64::max), 6.0);
        assert_eq!(Repeats::of(Vec::new()), None);
    }
}
