//! Values that owners publish in a shared cache for clients whose reads may be stale.
//!
//! One key for each object, whose value changes: whoever reads it is told what the object was, not
//! what it is. Owners store without looking, and what is stored is forgotten after
//! [so long](TTL_SECONDS), so an owner that cannot reach the cache, or one that is late, leaves a
//! past value there for so long at most.
//!
//! Invariant: what [opens](Published::open) was the object's value at that revision, for only a
//! replica that has applied it seals it, and the tag covers object, revision and value.

use crate::codec;
use crate::id::{Encoded, ObjectId, Revision};
use crate::mutant::{self, Mutant};
use crate::secret::ReaderKey;
use crate::time::Micros;
use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// How long a shared cache keeps a published value that nobody renews.
pub const TTL_SECONDS: u32 = 10;

/// How long a leader publishes the changes of its objects after a client has told it that somebody
/// reads them, in microseconds. Clients tell it again after a third of that.
pub const INTEREST_US: Micros = 30_000_000;

/// What an object was when its owner published it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Which object.
    pub object: ObjectId,
    /// Which revision.
    pub revision: Revision,
    /// Its value there; `None` if it was deleted.
    pub value: Option<Encoded>,
}

impl Published {
    /// The key of an object's published value.
    #[must_use]
    pub fn key(object: ObjectId) -> Bytes {
        format!("p:{object}").into()
    }

    /// The object whose published value this is the key of, if it is one.
    #[must_use]
    pub fn object_of(key: &[u8]) -> Option<ObjectId> {
        let text = std::str::from_utf8(key.strip_prefix(b"p:")?).ok()?;
        let (attribute, key) = text.split_once('.')?;
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        Some(ObjectId::new(number(attribute)?, number(key)?))
    }

    /// What is stored under the key: the tag, and what it covers.
    #[must_use]
    pub fn seal(&self, key: &ReaderKey) -> Bytes {
        let content = codec::encode(self);
        let mut sealed = BytesMut::with_capacity(ReaderKey::TAG + content.len());
        sealed.put_slice(&key.tag(&content));
        sealed.put_slice(&content);
        sealed.freeze()
    }

    /// What somebody found under the key of this object; `None` if it is not what an owner of the
    /// object has sealed.
    #[must_use]
    pub fn open(sealed: &[u8], key: &ReaderKey, object: ObjectId) -> Option<Self> {
        let (tag, content) = sealed.split_at_checked(ReaderKey::TAG)?;
        let is_ours = key.tag(content) == tag || mutant::is_active(Mutant::UnsealedBelieved);
        let published: Self = codec::decode(content).ok().filter(|_| is_ours)?;
        let is_meant = published.object == object || mutant::is_active(Mutant::UnsealedBelieved);
        is_meant.then_some(published)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const X: ObjectId = ObjectId::new(0, 1);
    const Y: ObjectId = ObjectId::new(0, 2);

    #[test]
    fn keys_name_their_objects_and_no_others() {
        let objects = [X, ObjectId::new(0, 0), ObjectId::new(u64::MAX, 1 << 40)];
        for object in objects {
            assert_eq!(Published::object_of(&Published::key(object)), Some(object));
        }
        for other in ["l:0.1", "p:", "p:1", "p:1.x", "v:0.1:0.0:0"] {
            assert_eq!(Published::object_of(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn only_what_an_owner_sealed_for_this_object_opens() {
        let key = Secret::new([7; 32]).reader_key();
        let published = Published {
            object: X,
            revision: Revision::default(),
            value: Some(Bytes::from_static(b"value")),
        };
        let sealed = published.seal(&key);
        assert_eq!(Published::open(&sealed, &key, X), Some(published));
        assert_eq!(Published::open(&sealed, &key, Y), None, "another object's");
        let other = Secret::new([8; 32]).reader_key();
        assert_eq!(Published::open(&sealed, &other, X), None);
        for place in 0..sealed.len() {
            let mut forged = sealed.to_vec();
            forged[place] ^= 1;
            assert_eq!(Published::open(&forged, &key, X), None, "byte {place}");
            assert_eq!(Published::open(&sealed[..place], &key, X), None);
        }
    }
}
