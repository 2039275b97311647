//! How often each object is chosen.

use super::random::ZipfRanks;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The exponent of a Zipf distribution that is named without one: YCSB's.
const EXPONENT: f64 = 0.99;

/// The greatest exponent; beyond it nearly all commands go to one object.
const GREATEST_EXPONENT: f64 = 10.0;

/// How often each object of a workload is chosen: the value of `--popularity`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Popularity {
    /// All alike.
    Uniform,
    /// The n-th object in proportion to `1 / n^exponent`: few objects most of the time.
    Zipf {
        /// The exponent, from 0 (all alike) to 10.
        exponent: f64,
    },
    /// Those created last, by a Zipf distribution of exponent 0.99.
    Latest,
    /// Some objects get a given share of the commands.
    Hotspot {
        /// The share of objects that are hot, in percent.
        keys: f64,
        /// The share of commands that go to them, in percent.
        ops: f64,
    },
}

impl Popularity {
    /// A Zipf distribution.
    pub(crate) const fn zipf(exponent: f64) -> Self {
        Self::Zipf { exponent }
    }

    /// A Zipf distribution of YCSB's exponent.
    pub(crate) const ZIPF: Self = Self::zipf(EXPONENT);

    /// The hot objects and the commands that go to them if nobody says so: a fifth, four fifths.
    const HOTSPOT: Self = Self::Hotspot {
        keys: 20.0,
        ops: 80.0,
    };

    /// Draws among so many objects.
    ///
    /// # Panics
    /// If there are none.
    pub(crate) fn among(self, count: u64) -> Picker {
        let shape = match self {
            Self::Uniform => Shape::Uniform,
            Self::Zipf { exponent } => Shape::Ranks(ZipfRanks::new(count, exponent)),
            Self::Latest => Shape::Latest(ZipfRanks::new(count, EXPONENT)),
            Self::Hotspot { keys, ops } => {
                let hot = (count as f64 * keys / 100.0).round() as u64;
                Shape::Hotspot {
                    hot: hot.clamp(1, count),
                    chance: ops / 100.0,
                }
            }
        };
        Picker { count, shape }
    }
}

/// Draws objects by their popularity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picker {
    /// How many objects there were at the start.
    count: u64,
    shape: Shape,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Uniform,
    Ranks(ZipfRanks),
    Latest(ZipfRanks),
    Hotspot { hot: u64, chance: f64 },
}

impl Picker {
    /// Draws one of the objects, which are numbered from 0 by their age; so many have been added
    /// since the start. The first ones are the most popular, but for [`Popularity::Latest`], which
    /// alone draws added ones, too.
    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng, added: u64) -> u64 {
        match &self.shape {
            Shape::Uniform => rng.random_range(0..self.count),
            Shape::Ranks(ranks) => ranks.draw(rng),
            Shape::Latest(ranks) => self.count + added - 1 - ranks.draw(rng),
            Shape::Hotspot { hot, chance } => match rng.random_bool(*chance) {
                cold if !cold && *hot < self.count => rng.random_range(*hot..self.count),
                _ => rng.random_range(0..*hot),
            },
        }
    }
}

impl FromStr for Popularity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(':');
        let name = words.next().unwrap_or_default();
        let values: Vec<&str> = words.collect();
        match (name, &values[..]) {
            ("uniform", []) => Ok(Self::Uniform),
            ("zipf", []) => Ok(Self::ZIPF),
            ("zipf", [exponent]) => Ok(Self::Zipf {
                exponent: number(exponent, GREATEST_EXPONENT)?,
            }),
            ("latest", []) => Ok(Self::Latest),
            ("hotspot", []) => Ok(Self::HOTSPOT),
            ("hotspot", [keys, ops]) => Ok(Self::Hotspot {
                keys: percentage(keys)?,
                ops: percentage(ops)?,
            }),
            _ => Err(
                "expected uniform, zipf[:EXPONENT], latest or hotspot[:KEYS%:OPS%], such as \
                 zipf:0.99 or hotspot:20%:80%"
                    .into(),
            ),
        }
    }
}

fn percentage(text: &str) -> Result<f64, String> {
    number(text.strip_suffix('%').unwrap_or(text), 100.0)
}

fn number(text: &str, most: f64) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (0.0..=most).contains(number));
    number.ok_or_else(|| format!("'{text}' is not a number from 0 to {most}"))
}

impl fmt::Display for Popularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => write!(f, "uniform"),
            Self::Zipf { exponent } => write!(f, "zipf:{exponent}"),
            Self::Latest => write!(f, "latest"),
            Self::Hotspot { keys, ops } => write!(f, "hotspot:{keys}%:{ops}%"),
        }
    }
}

impl Serialize for Popularity {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::random::stream;

    /// How often each of a hundred objects is drawn in ten thousand times.
    fn hits(popularity: &str) -> Vec<u32> {
        let picker = popularity.parse::<Popularity>().unwrap().among(100);
        let mut rng = stream(1, 1);
        let mut hits = vec![0; 100];
        for _ in 0..10_000 {
            hits[picker.draw(&mut rng, 0) as usize] += 1;
        }
        hits
    }

    #[test]
    fn objects_are_drawn_as_their_popularity_says() {
        assert!(
            hits("uniform")
                .iter()
                .all(|count| (50..160).contains(count))
        );
        assert!(hits("zipf:0").iter().all(|count| (50..160).contains(count)));
        // 1 of 5.19, 1 of 187.
        assert!((1_800..2_100).contains(&hits("zipf")[0]));
        let strong = hits("zipf:2");
        assert!((5_900..6_400).contains(&strong[0]), "{}", strong[0]);
        let latest = hits("latest");
        assert!((1_800..2_100).contains(&latest[99]));
        let hot: u32 = hits("hotspot")[..20].iter().sum();
        assert!((7_800..8_200).contains(&hot), "{hot}");
        let hot: u32 = hits("hotspot:1%:50")[..1].iter().sum();
        assert!((4_800..5_200).contains(&hot), "{hot}");
        assert_eq!(hits("hotspot:100%:0%").iter().sum::<u32>(), 10_000);
    }

    #[test]
    fn the_latest_are_those_that_were_added() {
        let picker = Popularity::Latest.among(100);
        let mut rng = stream(1, 1);
        let drawn: Vec<u64> = (0..1_000).map(|_| picker.draw(&mut rng, 50)).collect();
        assert!(drawn.iter().all(|object| (50..150).contains(object)));
        assert!(drawn.contains(&149));
    }

    #[test]
    fn popularities_come_back_as_they_are_written() {
        for text in [
            "uniform",
            "zipf:0.99",
            "zipf:1.2",
            "latest",
            "hotspot:20%:80%",
        ] {
            assert_eq!(text.parse::<Popularity>().unwrap().to_string(), text);
        }
        assert_eq!("zipf".parse(), Ok(Popularity::zipf(0.99)));
        assert_eq!(
            "hotspot:5:95".parse::<Popularity>().unwrap().to_string(),
            "hotspot:5%:95%"
        );
        for bad in [
            "",
            "normal",
            "zipf:",
            "zipf:-1",
            "zipf:11",
            "zipf:nan",
            "zipf:inf",
            "zipf:1:2",
            "uniform:1",
            "hotspot:20",
            "hotspot:101%:5%",
            "hotspot:1:2:3",
            "latest:1",
        ] {
            assert!(bad.parse::<Popularity>().is_err(), "{bad}");
        }
    }
}
