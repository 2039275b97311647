//! What the replicas of a cluster know and others do not: the key of the digests by which they
//! recognize values that have been in somebody else's hands.
//!
//! Invariant: nothing that is logged, stored or compared between replicas depends on it. It decides
//! only whether bytes of a shared cache are believed.

use crate::values::ValueReference;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A cluster's secret, the same at all of its replicas. Replicas that have different ones believe
/// nothing that the others refer to, and have it sent in full: slower, never wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; Self::LENGTH]);

impl Secret {
    /// How many bytes it has.
    pub const LENGTH: usize = blake3::KEY_LEN;

    /// A secret that was drawn at random, or read from a file.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The secret that follows from what a file holds; `None` if that is shorter than a secret.
    #[must_use]
    pub fn of_file(content: &[u8]) -> Option<Self> {
        let context = "ssmr 2026-11-27 secret of a file";
        let is_long = content.len() >= Self::LENGTH;
        // The end of a line is the editor's.
        is_long.then(|| Self(blake3::derive_key(context, content.trim_ascii_end())))
    }

    /// A key for clusters that were given no secret. Who knows the incarnation knows it too, so
    /// a cache that lies must still find another value with the same digest, but may try on its
    /// own.
    #[must_use]
    pub fn of_incarnation(incarnation: u64) -> Self {
        let context = "ssmr 2026-11-27 values of a cluster without a secret";
        Self(blake3::derive_key(context, &incarnation.to_le_bytes()))
    }

    /// The reference to a value: keyed BLAKE3 (O'Connor, Aumasson, Neves and Wilcox-O'Hearn, 2020)
    /// over its bytes.
    #[must_use]
    pub fn reference(&self, value: &[u8]) -> ValueReference {
        let digest = *blake3::keyed_hash(&self.0, value).as_bytes();
        ValueReference { digest }
    }
}

impl Secret {
    /// What clients are given to recognize [published values](crate::published) by. The secret does
    /// not follow from it, so they can make up nothing that replicas believe.
    #[must_use]
    pub fn reader_key(&self) -> ReaderKey {
        let context = "ssmr 2026-11-27 values that are published for readers";
        ReaderKey(blake3::derive_key(context, &self.0))
    }
}

/// Tells values that a cluster's owners have published from what others made up: for clients whose
/// reads may be stale. Whoever has it can make up such values, too.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderKey([u8; Secret::LENGTH]);

impl ReaderKey {
    /// How many bytes a tag has.
    pub const TAG: usize = blake3::OUT_LEN;

    /// The tag of these bytes: keyed BLAKE3.
    #[must_use]
    pub fn tag(&self, bytes: &[u8]) -> [u8; Self::TAG] {
        *blake3::keyed_hash(&self.0, bytes).as_bytes()
    }
}

impl fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReaderKey(..)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_told_and_makes_a_difference() {
        let secrets = [Secret::new([7; 32]), Secret::of_incarnation(7)];
        assert_eq!(format!("{:?}", secrets[0]), "Secret(..)");
        let [one, other] = secrets.map(|secret| secret.reference(b"value"));
        assert_ne!(one, other);
        assert_ne!(one, secrets[0].reference(b"valuf"));
        assert_eq!(one, secrets[0].reference(b"value"));
        assert_ne!(secrets[1], Secret::of_incarnation(8));
        assert_eq!(Secret::of_file(&[b'x'; 31]), None);
        let file = Secret::of_file(&[b'x'; 32]).unwrap();
        let line = [&[b'x'; 32][..], b"\n"].concat();
        assert_eq!(
            Secret::of_file(&line),
            Some(file),
            "an editor ends the line"
        );
        assert_ne!(file, Secret::new([b'x'; 32]));
    }
}
