//! The files of a commit: which object is at which path.
//!
//! Invariant: a path has one object and an object one path. Copies share what neither has changed,
//! so there can be one for each branch that is under way.

use ssmr_core::keyed_hash::KeyedMap;
use ssmr_core::shared_map::SharedMap;
use std::sync::Arc;

/// A path, by its number.
pub(super) type PathNumber = u32;

/// An object, by its number.
pub(super) type ObjectNumber = u32;

/// All paths that there have been.
#[derive(Debug, Default)]
pub(super) struct Paths {
    numbers: KeyedMap<Arc<[u8]>, PathNumber>,
    paths: Vec<Arc<[u8]>>,
}

impl Paths {
    /// The number of a path.
    pub(super) fn number(&mut self, path: &[u8]) -> PathNumber {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        let number = self.paths.len() as PathNumber;
        let path: Arc<[u8]> = path.into();
        self.paths.push(path.clone());
        self.numbers.insert(path, number);
        number
    }

    /// The path of a number.
    pub(super) fn path(&self, number: PathNumber) -> &[u8] {
        &self.paths[number as usize]
    }

    /// It as text. Bytes that are none are written as `\xff`.
    pub(super) fn text(&self, number: PathNumber) -> String {
        let mut text = String::new();
        for chunk in self.path(number).utf8_chunks() {
            text += chunk.valid();
            for byte in chunk.invalid() {
                text += &format!("\\x{byte:02x}");
            }
        }
        text
    }
}

/// The files of a commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    objects: SharedMap<PathNumber, ObjectNumber>,
    paths: SharedMap<ObjectNumber, PathNumber>,
}

impl Tree {
    /// What is at a path.
    pub(super) fn at(&self, path: PathNumber) -> Option<ObjectNumber> {
        self.objects.get(&path).copied()
    }

    /// Whether the object is anywhere.
    pub(super) fn holds(&self, object: ObjectNumber) -> bool {
        self.paths.contains_key(&object)
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.objects.size()
    }

    /// Puts an object that is nowhere at a path where nothing is.
    pub(super) fn insert(&mut self, path: PathNumber, object: ObjectNumber) {
        self.objects.insert_mut(path, object);
        self.paths.insert_mut(object, path);
    }

    /// Takes away what is at a path.
    pub(super) fn remove(&mut self, path: PathNumber) -> Option<ObjectNumber> {
        let object = self.at(path)?;
        self.objects.remove_mut(&path);
        self.paths.remove_mut(&object);
        Some(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_a_tree_go_their_own_ways() {
        let mut tree = Tree::default();
        tree.insert(1, 10);
        let mut other = tree.clone();
        assert_eq!(other.remove(1), Some(10));
        other.insert(2, 10);
        assert_eq!((tree.at(1), tree.at(2)), (Some(10), None));
        assert_eq!((other.at(1), other.at(2)), (None, Some(10)));
        assert!(other.holds(10) && other.len() == 1);
        assert_eq!(other.remove(1), None);
    }

    #[test]
    fn paths_of_any_bytes_have_a_text() {
        let mut paths = Paths::default();
        let number = paths.number(b"caf\xc3\xa9/\xff\n");
        assert_eq!(paths.number(b"caf\xc3\xa9/\xff\n"), number);
        assert_eq!(paths.text(number), "caf\u{e9}/\\xff\n");
    }
}
