//! How values travel between partitions: in full, or as a reference into a shared cache.
//!
//! Links and logs hold values; only the wire holds references. So a replay needs no cache, and a
//! dead cache costs time.

use crate::id::{Encoded, ObjectId, Revision};
use crate::time::LocalTime;
use serde::{Deserialize, Serialize};

/// Turns values into references on their way out, and back on their way in. `()` sends every value
/// in full.
pub trait ValueCodec {
    /// The reference to be sent in place of a value; `None` sends the value in full.
    fn pack(
        &mut self,
        _now: LocalTime,
        _object: ObjectId,
        _revision: Revision,
        _value: &Encoded,
    ) -> Option<ValueReference> {
        None
    }

    /// Looks up what a reference stands for. To be asked again while the answer is
    /// [`Unpacked::Waiting`].
    fn unpack(
        &mut self,
        _now: LocalTime,
        _object: ObjectId,
        _revision: Revision,
        _reference: ValueReference,
    ) -> Unpacked {
        Unpacked::Missing
    }

    /// A receiver did not find a value, or one that came before it, and has all of them sent in
    /// full.
    fn on_missed(
        &mut self,
        _now: LocalTime,
        _object: ObjectId,
        _revision: Revision,
        _value: &Encoded,
    ) {
    }
}

impl ValueCodec for () {}

/// Stands for a value of an object at a revision.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ValueReference {
    /// The digest that the value's bytes must have: see
    /// [`Secret::reference`](crate::Secret::reference).
    pub digest: [u8; 32],
}

/// What became of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// The bytes, with the digest of the reference.
    Ready(Encoded),
    /// The cache has been asked; ask again when it has answered.
    Waiting,
    /// The value cannot be found: its sender must send it in full.
    Missing,
}
