//! Maps that can be copied at no cost, for snapshots that are encoded beside the running log.

use crate::keyed_hash::KeyedHash;
use rpds::HashTrieMapSync;
use std::hash::Hash;

/// A map whose copies share what neither side has changed since: copying one takes no time.
pub type SharedMap<K, V> = HashTrieMapSync<K, V, KeyedHash>;

/// The value of `key`, made if it is not there.
///
/// # Panics
/// Never: what was put in is found.
pub fn entry<K: Copy + Eq + Hash, V: Clone + Default>(map: &mut SharedMap<K, V>, key: K) -> &mut V {
    if !map.contains_key(&key) {
        map.insert_mut(key, V::default());
    }
    map.get_mut(&key)
        .unwrap_or_else(|| unreachable!("it was put in"))
}
