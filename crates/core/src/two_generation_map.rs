//! A bounded map that forgets what was not used for long, the same on every machine.
//!
//! Two generations instead of exact least-recently-used order: what is inserted or used goes into
//! the young one; when that is full it becomes the old one, and the former old one is forgotten.

use crate::keyed_hash::KeyedMap;
use std::hash::Hash;

/// A map of at most `capacity` entries.
#[derive(Clone, Debug)]
pub struct TwoGenerationMap<K, V> {
    young: KeyedMap<K, V>,
    old: KeyedMap<K, V>,
    capacity: usize,
}

impl<K: Copy + Eq + Hash, V> TwoGenerationMap<K, V> {
    /// An empty map of at most `capacity` entries, 2 at least.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            young: KeyedMap::default(),
            old: KeyedMap::default(),
            capacity: capacity.max(2),
        }
    }

    /// The value of a key, which does not count as used.
    #[must_use]
    pub fn peek(&self, key: K) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// The value of a key, which counts as used.
    pub fn get(&mut self, key: K) -> Option<&V> {
        if !self.young.contains_key(&key) {
            let value = self.old.remove(&key)?;
            self.insert(key, value);
        }
        self.young.get(&key)
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: K) {
        self.young.remove(&key);
        self.old.remove(&key);
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let mut recent = TwoGenerationMap::new(10);
        for key in 0..100 {
            recent.insert(key, key);
            assert_eq!(recent.get(0), Some(&0));
            assert!(recent.len() <= 10);
        }
        assert_eq!(recent.get(50), None);
        assert_eq!(recent.peek(0), Some(&0));
        recent.remove(99);
        assert_eq!(recent.get(99), None);
    }

    #[test]
    fn a_glance_keeps_nothing() {
        let mut recent = TwoGenerationMap::new(10);
        for key in 0..100 {
            recent.insert(key, key);
            assert_eq!(recent.peek(0).is_some(), key < 10);
        }
    }
}
