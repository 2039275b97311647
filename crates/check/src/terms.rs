//! How a service is told to judges that do not know it: what an operation does, object by object,
//! in words that fit most services.
//!
//! It judges nothing, and says nothing of revisions and timestamps: an outside judge is to believe
//! what clients saw, as the black-box check does.

use ssmr_core::{Application, ObjectId, codec, id};
use std::fmt;

/// What an operation does to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The word for it. `create`, `delete`, `move`, `lookup` and `absent` are the history's own;
    /// `read`, `write` (which replaces the value) and `append` are understood by outside judges.
    pub verb: &'static str,
    /// The object that it happens to.
    pub object: ObjectId,
    /// What was read, or is written.
    pub value: Shown,
}

/// A value, as far as a judge needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It has none, or it is not known.
    Nothing,
    /// A number.
    Number(u64),
    /// A list.
    List(Vec<u64>),
    /// A hash, of values that are only compared.
    Digest(u64),
}

/// How the service `A` is told.
pub struct Terms<A: Application> {
    /// What stands for a value.
    pub value: fn(&A::Object) -> Shown,
    /// What an operation does, in this order, with its reply if it took effect.
    pub acts: fn(&A::Op, Option<&A::Reply>) -> Vec<Act>,
}

impl Act {
    /// An object was read, and had this value.
    #[must_use]
    pub fn read(object: ObjectId, value: Shown) -> Self {
        let verb = "read";
        Self {
            verb,
            object,
            value,
        }
    }

    /// An object is overwritten with this value.
    #[must_use]
    pub fn write(object: ObjectId, value: Shown) -> Self {
        let verb = "write";
        Self {
            verb,
            object,
            value,
        }
    }
}

impl Shown {
    /// The hash of an encoded value.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> Self {
        Self::Digest(id::digest(bytes))
    }
}

/// As JSON writes it.
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "null"),
            Self::Number(number) => write!(f, "{number}"),
            Self::List(numbers) => write!(f, "{numbers:?}"),
            Self::Digest(digest) => write!(f, "\"{digest:016x}\""),
        }
    }
}

/// Of a service of which nothing is known: hashes of values that are created, and which objects
/// operations read and write.
impl<A: Application> Default for Terms<A> {
    fn default() -> Self {
        Self {
            value: |value| Shown::digest(&codec::encode(value)),
            acts: |op, _| {
                let access = A::access(op);
                let reads = access.reads.into_iter();
                let reads = reads.map(|object| Act::read(object, Shown::Nothing));
                let writes = access.writes.into_iter();
                let writes = writes.map(|object| Act::write(object, Shown::Nothing));
                reads.chain(writes).collect()
            },
        }
    }
}

impl<A: Application> fmt::Debug for Terms<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the terms of {}", A::NAME)
    }
}
