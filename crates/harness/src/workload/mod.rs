//! Workloads: what is created before measuring, and what each client then asks for, without end.
//!
//! A workload draws no conclusion from answers and knows nothing of strategies. Invariant: the commands of a client are
//! a pure function of the workload's settings (seed included) and the client's number, so every strategy is asked the same.

pub(crate) mod chirper;
pub(crate) mod graph;
pub(crate) mod kv;

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use ssmr_core::topology::mix;
use ssmr_core::{Application, ObjectId, Request, codec, id};

/// How many commands of each client the digest covers.
const DIGESTED: usize = 10_000;

/// A service and what clients do with it.
pub(crate) trait Workload: Serialize + Send + Sync + 'static {
    /// The value of `--workload` and of the CSV column.
    const NAME: &'static str;
    /// The kinds of operations: the values of the column `op`.
    const KINDS: &'static [&'static str];
    /// The service.
    type App: Application;
    /// A command before it becomes a request; small, so that digests are cheap.
    type Step: Serialize + Send;
    /// The commands of one client. They never end.
    type Steps: Iterator<Item = Self::Step> + Send;

    /// How many objects are created before measuring.
    fn preload_count(&self) -> u64;
    /// Creates the object of this number.
    fn preload(&self, number: u64) -> Request;
    /// How many clients there are.
    fn client_count(&self) -> u64;
    /// The commands of a client.
    fn steps(&self, client: u64) -> Self::Steps;
    /// Which of [`Self::KINDS`] a command is.
    fn kind(step: &Self::Step) -> usize;
    /// Reads one object, whatever became of it.
    fn read(object: ObjectId) -> Request;
    /// The request that a command makes.
    fn request(&self, step: Self::Step) -> Request;

    /// A hash of the settings and of the first commands of every client: the same under each strategy.
    fn digest(&self) -> u64 {
        let of_client = |client| {
            let mut bytes = Vec::new();
            for step in self.steps(client).take(DIGESTED) {
                bytes.extend_from_slice(&codec::encode(&step));
            }
            id::digest(&bytes)
        };
        let clients: Vec<u64> = (0..self.client_count()).map(of_client).collect();
        id::digest(&codec::encode(&(Self::NAME, self, clients)))
    }
}

/// The generator of one stream of a seed. Streams do not overlap, and are stable over versions and machines.
pub(crate) fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// The stream that belongs to no client.
pub(crate) const OF_NO_CLIENT: u64 = u64::MAX;

/// Draws an index with these weights, one of which is positive.
fn draw(rng: &mut ChaCha8Rng, weights: &[u32]) -> usize {
    let mut dice = rng.random_range(0..weights.iter().sum());
    let hit = weights.iter().position(|&weight| {
        let hit = dice < weight;
        dice = dice.wrapping_sub(weight);
        hit
    });
    hit.unwrap_or_else(|| unreachable!("the dice is less than the sum"))
}

/// So many bytes that follow from a number: written values differ, and digests need not hash them.
fn payload(stamp: u64, size: usize) -> Bytes {
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
