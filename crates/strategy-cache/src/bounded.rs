//! A map of hints that is bounded by their number and by their bytes.
//!
//! Invariant: what is in it has at most so many bytes. Where more would come, all is forgotten: it
//! costs whoever asks a round trip more.

use ssmr_core::two_generation_map::TwoGenerationMap;
use std::hash::Hash;

/// A map of values of which something else knows how large they are.
#[derive(Debug)]
pub(crate) struct BoundedMap<K, V> {
    map: TwoGenerationMap<K, V>,
    entries: usize,
    most_bytes: usize,
    /// The bytes of all that was put in since it was empty, but for what was taken out.
    bytes: usize,
    size: fn(&V) -> usize,
}

impl<K: Copy + Eq + Hash, V> BoundedMap<K, V> {
    /// An empty map of at most so many entries and bytes.
    pub(crate) fn new(entries: usize, most_bytes: usize, size: fn(&V) -> usize) -> Self {
        Self {
            map: TwoGenerationMap::new(entries),
            entries,
            most_bytes,
            bytes: 0,
            size,
        }
    }

    pub(crate) fn get(&mut self, key: K) -> Option<&V> {
        self.map.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.remove(key);
        let size = (self.size)(&value);
        if self.bytes + size > self.most_bytes {
            self.map = TwoGenerationMap::new(self.entries);
            self.bytes = 0;
        }
        self.bytes += size;
        self.map.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: K) {
        if let Some(held) = self.map.peek(key) {
            self.bytes -= (self.size)(held);
            self.map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_all_where_there_would_be_too_much() {
        let mut map = BoundedMap::new(1_000, 100, Vec::len);
        let value = |bytes| vec![0_u8; bytes];
        map.insert(1, value(60));
        map.insert(1, value(50));
        map.insert(2, value(50));
        assert!(map.get(1).is_some() && map.get(2).is_some());
        map.remove(1);
        map.insert(3, value(50));
        assert!(map.get(2).is_some());
        map.insert(4, value(1));
        assert!(map.get(2).is_none() && map.get(3).is_none());
        assert!(map.get(4).is_some());
    }
}
