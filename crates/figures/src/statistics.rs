//! Means of repeats, and how far they can be trusted.

use crate::bootstrap::{mean, of_mean};

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
        let interval = of_mean(&values).map(|interval| (interval.low, interval.high));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_five_repeats_have_no_interval() {
        let four = Repeats::of(vec![1.0, 2.0, 3.0, 6.0]).unwrap();
        assert_eq!((four.mean, four.interval), (3.0, None));
        assert_eq!(four.extent().fold(0.0, f64::max), 6.0);
        assert_eq!(Repeats::of(Vec::new()), None);
    }
}
