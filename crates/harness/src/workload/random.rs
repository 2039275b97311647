//! Random numbers and bytes that are the same on every machine.

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Zipf};
use ssmr_core::topology::mix;

/// The generator of one stream of a seed. Streams do not overlap, and are stable over versions and
/// machines.
pub(crate) fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// The stream that belongs to no client.
pub(crate) const OF_NO_CLIENT: u64 = u64::MAX;

/// Draws an index with these weights, one of which is positive.
pub(super) fn draw(rng: &mut ChaCha8Rng, weights: &[u32]) -> usize {
    let mut dice = rng.random_range(0..weights.iter().sum());
    let hit = weights.iter().position(|&weight| {
        let hit = dice < weight;
        dice = dice.wrapping_sub(weight);
        hit
    });
    hit.unwrap_or_else(|| unreachable!("the dice is less than the sum"))
}

/// Ranks by a Zipf distribution: few are drawn most of the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct ZipfRanks {
    count: u64,
    ranks: Zipf<f64>,
}

impl ZipfRanks {
    /// The ranks from 0 to `count`, exclusively; the n-th in proportion to `1 / n^exponent`.
    ///
    /// # Panics
    /// If there are none, or the exponent is negative.
    pub(super) fn new(count: u64, exponent: f64) -> Self {
        let ranks = Zipf::new(count as f64, exponent);
        let ranks = ranks.unwrap_or_else(|error| panic!("{count} ranks: {error}"));
        Self { count, ranks }
    }

    /// Draws one; the least are drawn most often.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> u64 {
        (self.ranks.sample(rng) as u64).clamp(1, self.count) - 1
    }
}

/// So many bytes that follow from a number: written values differ, and digests need not hash them.
pub(super) fn payload(stamp: u64, size: usize) -> Bytes {
    let words = (0..size.div_ceil(8) as u64).flat_map(|i| mix(stamp ^ mix(i)).to_le_bytes());
    words.take(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_and_repeat() {
        let first = |seed, of| stream(seed, of).random::<u64>();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }

    #[test]
    fn draws_follow_their_weights() {
        let mut rng = stream(1, 1);
        let mut hits = [0; 3];
        for _ in 0..10_000 {
            hits[draw(&mut rng, &[1, 0, 3])] += 1;
        }
        assert_eq!(hits[1], 0);
        assert!((2_300..2_700).contains(&hits[0]), "{hits:?}");
    }

    #[test]
    fn the_first_ranks_are_drawn_most_often() {
        let (ranks, mut rng) = (ZipfRanks::new(1000, 0.99), stream(1, 1));
        let mut hits = [0; 1000];
        for _ in 0..10_000 {
            hits[ranks.draw(&mut rng) as usize] += 1;
        }
        assert!((1_000..1_700).contains(&hits[0]), "{}", hits[0]);
        assert!(hits[0] > 2 * hits[9] && hits[9] > hits[500]);
        assert_eq!(ZipfRanks::new(1, 0.99).draw(&mut rng), 0);
    }

    #[test]
    fn payloads_have_their_size_and_differ() {
        assert_eq!(payload(1, 13).len(), 13);
        assert!(payload(1, 0).is_empty());
        assert_ne!(payload(1, 13), payload(2, 13));
    }
}
