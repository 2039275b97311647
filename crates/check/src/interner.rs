//! Small numbers in place of large values, so that long histories stay small.

use rustc_hash::FxHashMap;
use std::hash::Hash;

/// Numbers values in the order in which they appear first.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    numbers: FxHashMap<T, u32>,
    values: Vec<T>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            numbers: FxHashMap::default(),
            values: Vec::new(),
        }
    }
}

impl<T: Copy + Eq + Hash> Interner<T> {
    /// The number of a value, a new one if it is new.
    pub(crate) fn number(&mut self, value: T) -> u32 {
        *self.numbers.entry(value).or_insert_with(|| {
            self.values.push(value);
            narrow(self.values.len() - 1)
        })
    }

    /// All values, by number.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }
}

/// Four thousand million of anything is more than a run's history can hold in memory.
pub(crate) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or_else(|_| panic!("a history of {number} values is too long"))
}
