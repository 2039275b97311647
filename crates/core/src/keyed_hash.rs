//! Hash maps whose keys strangers choose: object ids, clients, sessions, commands.
//!
//! They are hashed with a key that strangers do not know (SipHash-1-3, Aumasson and Bernstein 2012,
//! as in the standard library), or one could choose ids that fall into one bucket and make every
//! look-up slow. The key comes from outside, once for the process: shells draw one at random, tests
//! and simulations have the same one always.
//!
//! Invariant: nobody iterates over such a map where order shows, for it differs from one replica
//! to the next. `crates/strategy-broker/tests/hash_keys.rs` plays simulations
//! under several keys.

use siphasher::sip::SipHasher13;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static KEY: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// A map that is hashed with the key of this process.
#[allow(
    clippy::disallowed_types,
    reason = "with this hasher; nobody iterates where order shows"
)]
pub type KeyedMap<K, V> = std::collections::HashMap<K, V, KeyedHash>;

/// A set that is hashed with the key of this process.
#[allow(
    clippy::disallowed_types,
    reason = "with this hasher; nobody iterates where order shows"
)]
pub type KeyedSet<K> = std::collections::HashSet<K, KeyedHash>;

/// Sets the key of the maps that this process makes from now on. Those that are there keep theirs.
/// To be called with random numbers before a replica is made that strangers can reach.
pub fn set_hash_key(key: [u64; 2]) {
    for (place, half) in KEY.iter().zip(key) {
        place.store(half, Relaxed);
    }
}

/// Makes the hashers of one map, all with the same key.
#[derive(Clone, Copy, Debug)]
pub struct KeyedHash([u64; 2]);

impl Default for KeyedHash {
    fn default() -> Self {
        Self([KEY[0].load(Relaxed), KEY[1].load(Relaxed)])
    }
}

impl BuildHasher for KeyedHash {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0[0], self.0[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ObjectId;
    use rustc_hash::FxBuildHasher;
    use std::collections::BTreeSet;

    /// Ids that an unkeyed hash of two multiplications maps to few values: chosen with pen and
    /// paper, for attribute and key cancel each other out.
    fn colliding() -> Vec<ObjectId> {
        // FxHash adds each word and multiplies by `K`, an odd number: `(a * K + k) * K`.
        const K: u64 = 0xf135_7aea_2e62_a9c5;
        let id = |a: u64| ObjectId::new(a, 7u64.wrapping_sub(a.wrapping_mul(K)));
        (0..10_000).map(id).collect()
    }

    fn distinct(hash: &impl BuildHasher, ids: &[ObjectId]) -> usize {
        let hashes = ids.iter().map(|id| hash.hash_one(id));
        hashes.collect::<BTreeSet<u64>>().len()
    }

    #[test]
    fn chosen_ids_do_not_collide() {
        let ids = colliding();
        assert_eq!(distinct(&FxBuildHasher, &ids), 1);
        assert_eq!(distinct(&KeyedHash([1, 2]), &ids), ids.len());
    }

    #[test]
    fn another_key_is_another_hash() {
        let id = ObjectId::new(1, 2);
        assert_ne!(
            KeyedHash([1, 2]).hash_one(id),
            KeyedHash([1, 3]).hash_one(id)
        );
    }
}
