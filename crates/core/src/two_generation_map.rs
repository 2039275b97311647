//! A bounded map that forgets what was not used for long, the same on every machine.
//!
//! Two generations instead of exact least-recently-used order: what is inserted or used goes into
//! the young one; when that is full it becomes the old one, and the former old one is forgotten.

use crate::keyed_hash::KeyedMap;
use std::hash::Hash;

/// A map of at most `capacity` entries, and of at most so much weight if entries [are
/// weighed](Self::with_weights).
#[derive(Clone, Debug)]
pub struct TwoGenerationMap<K, V> {
    young: KeyedMap<K, V>,
    old: KeyedMap<K, V>,
    capacity: usize,
    weight: fn(&V) -> usize,
    most_weight: usize,
    /// What the young entries weigh.
    young_weight: usize,
}

impl<K: Copy + Eq + Hash, V> TwoGenerationMap<K, V> {
    /// An empty map of at most `capacity` entries, 2 at least.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            young: KeyedMap::default(),
            old: KeyedMap::default(),
            capacity: capacity.max(2),
            weight: |_| 0,
            most_weight: usize::MAX,
            young_weight: 0,
        }
    }

    /// The same, before it is used, for entries that weigh at most so much together. One that
    /// weighs more than half of that is alone in its generation.
    #[must_use]
    pub fn with_weights(self, most_weight: usize, weight: fn(&V) -> usize) -> Self {
        Self {
            weight,
            most_weight,
            ..self
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
        let weight = (self.weight)(&value);
        let too_heavy = self.young_weight + weight > self.most_weight / 2;
        if self.young.len() >= self.capacity / 2 || too_heavy {
            self.old = std::mem::take(&mut self.young);
            self.young_weight = 0;
        }
        self.old.remove(&key);
        self.young_weight += weight;
        let former = self.young.insert(key, value);
        self.young_weight -= former.as_ref().map_or(0, self.weight);
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: K) {
        let former = self.young.remove(&key);
        self.young_weight -= former.as_ref().map_or(0, self.weight);
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

    #[test]
    fn what_it_holds_weighs_no_more_than_it_may() {
        let mut recent = TwoGenerationMap::new(1_000).with_weights(100, Vec::len);
        let mut held = |key: u32, bytes| {
            recent.insert(key, vec![0_u8; bytes]);
            let held: Vec<u32> = (0..=key)
                .filter(|key| recent.peek(*key).is_some())
                .collect();
            let weight: usize = held
                .iter()
                .map(|key| recent.peek(*key).unwrap().len())
                .sum();
            assert!(weight <= 100, "{held:?} weigh {weight}");
            held
        };
        // An entry that is set again is weighed once.
        for bytes in [10, 20, 30, 20] {
            assert_eq!(held(0, bytes), [0]);
        }
        assert_eq!(held(1, 30), [0, 1]);
        assert_eq!(held(2, 50), [0, 1, 2]);
        assert_eq!(held(3, 40), [2, 3]);
        assert_eq!(held(4, 10), [2, 3, 4]);
        recent.remove(4);
        recent.remove(3);
        recent.insert(5, vec![0; 50]);
        let held: Vec<bool> = (2..6).map(|key| recent.peek(key).is_some()).collect();
        assert_eq!(held, [true, false, false, true]);
    }
}
