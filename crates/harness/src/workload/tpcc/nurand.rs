//! Non-uniform random numbers (clause 2.1.6): some customers and items are chosen more often.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use ssmr_core::topology::mix;

/// `NURand(A, x, y)` with its constant C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct NuRand {
    /// One less than a power of two.
    pub(super) a: u32,
    pub(super) c: u32,
    pub(super) first: u32,
    pub(super) last: u32,
}

impl NuRand {
    /// Draws a number.
    pub(super) fn draw(self, rng: &mut ChaCha8Rng) -> u32 {
        let spread = rng.random_range(0..=self.a);
        self.of(spread, rng.random_range(self.first..=self.last))
    }

    /// The number that belongs to a hash.
    pub(super) fn hashed(self, hash: u64) -> u32 {
        let spread = mix(hash) % (u64::from(self.a) + 1);
        let count = u64::from(self.last - self.first + 1);
        let even = u64::from(self.first) + mix(mix(hash)) % count;
        self.of(spread as u32, even as u32)
    }

    fn of(self, spread: u32, even: u32) -> u32 {
        let Self { c, first, last, .. } = self;
        ((spread | even) + c) % (last - first + 1) + first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::random::stream;

    #[test]
    fn numbers_are_in_range_and_some_come_more_often() {
        let customers = NuRand {
            a: 1_023,
            c: 77,
            first: 1,
            last: 3_000,
        };
        let mut rng = stream(1, 1);
        let drawn = (0..60_000).map(|_| customers.draw(&mut rng));
        let hashed = (0..60_000).map(|hash| customers.hashed(hash));
        for numbers in [drawn.collect::<Vec<_>>(), hashed.collect()] {
            let mut hits = [0_u32; 3_001];
            for number in numbers {
                hits[number as usize] += 1;
            }
            assert_eq!(hits[0], 0);
            let mut hits = hits.to_vec();
            hits.sort_unstable_by(|a, b| b.cmp(a));
            // A tenth of even numbers would get a tenth of the draws.
            let tenth: u32 = hits[..300].iter().sum();
            assert!((25_000..42_000).contains(&tenth), "{tenth}");
        }
    }
}
