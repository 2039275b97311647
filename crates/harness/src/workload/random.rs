//! Random numbers and bytes that are the same on every machine.

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
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
    fn payloads_have_their_size_and_differ() {
        assert_eq!(payload(1, 13).len(), 13);
        assert!(payload(1, 0).is_empty());
        assert_ne!(payload(1, 13), payload(2, 13));
    }
}
