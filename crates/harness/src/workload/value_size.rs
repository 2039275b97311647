//! How large values are.
//!
//! Invariant: the size of a value is a pure function of its stamp, so commands stay small and every
//! strategy is given the same.

use super::random::{ZipfRanks, stream};
use rand::RngExt;
use rand_distr::{Distribution, LogNormal};
use serde::{Serialize, Serializer};
use ssmr_core::limits::MAX_VALUE;
use std::fmt;
use std::str::FromStr;

/// The largest value in bytes: the protocol's limit, less what an encoded value takes besides.
const LARGEST: usize = MAX_VALUE - 8;

/// The greatest spread of a log-normal distribution.
const GREATEST_SIGMA: f64 = 10.0;

/// Which of a seed's streams sizes are drawn from; the seed is the stamp.
const SIZES: u64 = 0;

/// How large the values are that a workload writes: the value of `--value-size`. All sizes are in
/// bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueSize {
    /// All alike.
    Constant(usize),
    /// Each size of a range as often.
    Uniform {
        /// The smallest.
        from: usize,
        /// The largest.
        to: usize,
    },
    /// From 1 on, small ones most often, by a Zipf distribution of exponent 0.99.
    Zipf {
        /// The largest.
        to: usize,
    },
    /// The logarithm of the size has a normal distribution, as sizes of files and of cached values
    /// nearly have.
    LogNormal {
        /// Half of the values are smaller.
        median: usize,
        /// The standard deviation of the logarithm.
        sigma: f64,
        /// What would be larger is cut to this.
        to: usize,
    },
}

impl ValueSize {
    /// The size of the value of this stamp.
    pub(crate) fn of(self, stamp: u64) -> usize {
        let rng = || stream(stamp, SIZES);
        match self {
            Self::Constant(size) => size,
            Self::Uniform { from, to } => rng().random_range(from..=to),
            Self::Zipf { to } => ZipfRanks::new(to as u64, 0.99).draw(&mut rng()) as usize + 1,
            Self::LogNormal { median, sigma, to } => {
                let sizes = LogNormal::new((median as f64).ln(), sigma);
                let sizes = sizes.unwrap_or_else(|error| unreachable!("{self}: {error}"));
                (sizes.sample(&mut rng()).round() as usize).min(to)
            }
        }
    }

    /// The largest that there may be.
    pub(crate) fn largest(self) -> usize {
        match self {
            Self::Constant(size) => size,
            Self::Uniform { to, .. } | Self::Zipf { to } | Self::LogNormal { to, .. } => to,
        }
    }
}

impl FromStr for ValueSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(':');
        let name = words.next().unwrap_or_default();
        let values: Vec<&str> = words.collect();
        match (name, &values[..]) {
            ("uniform", [range]) => {
                let (from, to) = range.split_once('-').ok_or("expected uniform:A-B")?;
                let (from, to) = (size(from, 0)?, size(to, 0)?);
                let order = (from <= to).then_some(Self::Uniform { from, to });
                order.ok_or_else(|| format!("{from} is more than {to}"))
            }
            ("zipf", [to]) => Ok(Self::Zipf { to: size(to, 1)? }),
            ("lognormal", [median, sigma, rest @ ..]) if rest.len() <= 1 => {
                let given = sigma.parse().ok();
                let sigma = given.filter(|sigma| (0.0..=GREATEST_SIGMA).contains(sigma));
                Ok(Self::LogNormal {
                    median: size(median, 1)?,
                    sigma: sigma.ok_or("the sigma is a number from 0 to 10")?,
                    to: rest.first().map_or(Ok(LARGEST), |to| size(to, 1))?,
                })
            }
            (number, []) if number.starts_with(|c: char| c.is_ascii_digit()) => {
                Ok(Self::Constant(size(number, 0)?))
            }
            _ => Err(
                "expected BYTES, uniform:A-B, zipf:MAX or lognormal:MEDIAN:SIGMA[:MAX], such as \
                 100, uniform:10-1000, zipf:1000 or lognormal:200:1.2"
                    .into(),
            ),
        }
    }
}

fn size(text: &str, least: usize) -> Result<usize, String> {
    let size = text.parse().ok();
    let size = size.filter(|size| (least..=LARGEST).contains(size));
    size.ok_or_else(|| format!("'{text}' is not a number of bytes from {least} to {LARGEST}"))
}

impl fmt::Display for ValueSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(size) => write!(f, "{size}"),
            Self::Uniform { from, to } => write!(f, "uniform:{from}-{to}"),
            Self::Zipf { to } => write!(f, "zipf:{to}"),
            Self::LogNormal { median, sigma, to } => {
                write!(f, "lognormal:{median}:{sigma}:{to}")
            }
        }
    }
}

impl Serialize for ValueSize {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of a thousand values, ascending.
    fn sizes(text: &str) -> Vec<usize> {
        let of = text.parse::<ValueSize>().unwrap();
        let mut sizes: Vec<usize> = (0..1_000).map(|stamp| of.of(stamp)).collect();
        sizes.sort_unstable();
        assert!(*sizes.last().unwrap() <= of.largest());
        sizes
    }

    #[test]
    fn values_are_as_large_as_asked_for() {
        assert_eq!(sizes("100"), [100; 1_000]);
        let uniform = sizes("uniform:10-1009");
        assert!(uniform[0] < 30 && uniform[999] > 990);
        assert!((450..560).contains(&uniform[500]), "{}", uniform[500]);
        let zipf = sizes("zipf:1000");
        assert!(
            zipf[0] == 1 && zipf[500] < 60 && zipf[999] > 800,
            "{}",
            zipf[500]
        );
        let normal = sizes("lognormal:200:1:5000");
        assert!((180..220).contains(&normal[500]), "{}", normal[500]);
        // One standard deviation.
        assert!((62..85).contains(&normal[159]), "{}", normal[159]);
        assert!((480..610).contains(&normal[841]), "{}", normal[841]);
        assert_eq!(sizes("lognormal:200:1:300")[999], 300);
        assert_eq!(sizes("lognormal:7:0"), [7; 1_000]);
        assert_eq!(sizes("lognormal:1000:10")[999], LARGEST);
    }

    #[test]
    fn sizes_come_back_as_they_are_written() {
        for text in ["0", "100", "uniform:1-2", "zipf:9", "lognormal:200:1.2:900"] {
            assert_eq!(text.parse::<ValueSize>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "-1",
            "x",
            "1.5",
            "2000000",
            "uniform:5-4",
            "uniform:5",
            "zipf",
            "zipf:0",
            "lognormal:5",
            "lognormal:0:1",
            "lognormal:5:-1",
            "lognormal:5:nan",
            "1:2",
            "lognormal:1:1:1:1",
        ] {
            assert!(bad.parse::<ValueSize>().is_err(), "{bad}");
        }
    }
}
