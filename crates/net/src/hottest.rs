//! Which objects are named the most: the space-saving sketch (Metwally, Agrawal, El Abbadi,
//! *Efficient Computation of Frequent and Top-k Elements in Data Streams*, ICDT 2005).
//!
//! It keeps a bounded number of counters. An object without one takes over the least counter, and
//! is overestimated by at most what that had. Invariant: `least` holds each counter of `counters`
//! once.

use serde::{Deserialize, Serialize};
use ssmr_core::keyed_hash::KeyedMap;
use ssmr_core::{LocalTime, Micros, ObjectId};
use std::collections::BTreeSet;

/// How many objects are counted at a time.
const COUNTERS: usize = 512;
/// How often all counts are halved, so that what was hot is forgotten.
const HALVES: Micros = 5_000_000;
/// Counting ends when nobody has asked for so long.
const FORGOTTEN: Micros = 10_000_000;

/// The objects that were named the most at a replica in the last seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HotObjects {
    /// How often any object was named, as far as it is not forgotten. 0 when counting has only
    /// begun.
    pub total: u64,
    /// Those that were named the most, the hottest first.
    pub objects: Vec<HotObject>,
}

/// An object, and how often it was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HotObject {
    /// Which object commands have named.
    pub object: ObjectId,
    /// It was named this often at least.
    pub at_least: u64,
    /// It was named this often at most.
    pub at_most: u64,
}

/// Counts how often objects are named, while somebody wants to know.
#[derive(Debug, Default)]
pub(crate) struct Hottest(Option<Sketch>);

#[derive(Debug)]
struct Sketch {
    /// Each object's count, and how much of it may be another's.
    counters: KeyedMap<ObjectId, (u64, u64)>,
    least: BTreeSet<(u64, ObjectId)>,
    total: u64,
    halved: LocalTime,
    asked: LocalTime,
}

impl Hottest {
    /// These objects were named.
    pub(crate) fn named(&mut self, objects: impl Iterator<Item = ObjectId>) {
        if let Some(sketch) = &mut self.0 {
            objects.for_each(|object| sketch.named(object));
        }
    }

    /// Whether anybody counts.
    pub(crate) fn counts(&self) -> bool {
        self.0.is_some()
    }

    /// The hottest objects, so many at most. Counting begins with the first question.
    pub(crate) fn ask(&mut self, now: LocalTime, most: usize) -> HotObjects {
        let sketch = self.0.get_or_insert_with(|| Sketch::new(now));
        sketch.asked = now;
        sketch.hottest(most)
    }

    /// Lets time pass.
    pub(crate) fn on_timer(&mut self, now: LocalTime) {
        let Some(sketch) = &mut self.0 else { return };
        if now >= sketch.asked + FORGOTTEN {
            self.0 = None;
        } else if now >= sketch.halved + HALVES {
            sketch.halved = now;
            sketch.halve();
        }
    }
}

impl Sketch {
    fn new(now: LocalTime) -> Self {
        Self {
            counters: KeyedMap::default(),
            least: BTreeSet::new(),
            total: 0,
            halved: now,
            asked: now,
        }
    }

    fn named(&mut self, object: ObjectId) {
        self.total += 1;
        let (count, error) = match self.counters.get(&object) {
            Some(&(count, error)) => {
                self.least.remove(&(count, object));
                (count, error)
            }
            None if self.counters.len() < COUNTERS => (0, 0),
            None => self.least.pop_first().map_or((0, 0), |(least, other)| {
                self.counters.remove(&other);
                (least, least)
            }),
        };
        self.counters.insert(object, (count + 1, error));
        self.least.insert((count + 1, object));
    }

    fn halve(&mut self) {
        self.total /= 2;
        for (count, error) in self.counters.values_mut() {
            (*count, *error) = (*count / 2, error.div_ceil(2).min(*count / 2));
        }
        self.counters.retain(|_, (count, _)| *count > 0);
        let counts = self.counters.iter();
        self.least = counts
            .map(|(object, (count, _))| (*count, *object))
            .collect();
    }

    fn hottest(&self, most: usize) -> HotObjects {
        let object = |(&object, &(count, error)): (&ObjectId, &(u64, u64))| HotObject {
            object,
            at_least: count - error,
            at_most: count,
        };
        let mut objects: Vec<_> = self.counters.iter().map(object).collect();
        objects.sort_by_key(|hot| std::cmp::Reverse((hot.at_least, hot.at_most, hot.object)));
        objects.truncate(most);
        HotObjects {
            total: self.total,
            objects,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: u64) -> ObjectId {
        ObjectId::new(key, key)
    }

    fn at(seconds: u64) -> LocalTime {
        LocalTime::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn what_is_named_often_is_found_among_very_many() {
        let mut hottest = Hottest::default();
        hottest.named([object(1)].into_iter());
        assert!(!hottest.counts());
        assert_eq!(hottest.ask(at(0), 3), HotObjects::default());
        // Two hot ones, among a hundred times as many as there are counters.
        let (mut cold, mut hot) = (10, [0, 0]);
        for round in 0..50_000u64 {
            let key = match round % 10 {
                0 | 1 => 1,
                2 => 2,
                _ => {
                    cold += 1;
                    cold
                }
            };
            if key <= 2 {
                hot[key as usize - 1] += 1;
            }
            hottest.named([object(key)].into_iter());
        }
        let found = hottest.ask(at(1), 2);
        assert_eq!(found.total, 50_000);
        let keys: Vec<_> = found.objects.iter().map(|hot| hot.object).collect();
        assert_eq!(keys, [object(1), object(2)]);
        for (found, named) in found.objects.iter().zip(hot) {
            assert!(found.at_least <= named && named <= found.at_most);
            assert!(found.at_least > 4_000, "{found:?}");
        }
    }

    #[test]
    fn memory_is_bounded_and_old_heat_is_forgotten() {
        let mut hottest = Hottest::default();
        hottest.ask(at(0), 1);
        hottest.named((0..10_000).map(object));
        hottest.named([object(3); 8].into_iter());
        let sketch = hottest.0.as_ref().unwrap();
        assert_eq!((sketch.counters.len(), sketch.least.len()), (512, 512));
        assert_eq!(hottest.ask(at(4), 1).objects[0].object, object(3));
        hottest.on_timer(at(5));
        assert_eq!(hottest.ask(at(5), 1).total, 5_004);
        let sketch = hottest.0.as_ref().unwrap();
        assert_eq!(sketch.counters.len(), sketch.least.len());
        for seconds in [10, 15, 20, 25, 30] {
            hottest.ask(at(seconds), 1);
            hottest.on_timer(at(seconds));
        }
        assert_eq!(hottest.ask(at(30), 9).objects.len(), 0);
        hottest.on_timer(at(39));
        assert!(hottest.counts());
        hottest.on_timer(at(40));
        assert!(!hottest.counts());
    }
}
