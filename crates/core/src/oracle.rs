//! Seam 3, the strategy: who may say that an object exists, where a create goes, and where to look for an object.
//!
//! A strategy is two pure choices ([`Oracle::authority`], [`Oracle::owner`]), one source of hints ([`Oracle::guess`]) and
//! a few hooks that send hints or use the shared cache. It cannot break correctness: a hint changes *where we look*, never
//! *what we answer* (rule R7).
//!
//! Each replica and each client owns an instance. A client's calls are `owner`, `authority`, `directory`, `movable` and
//! `guess`; a replica's engine calls `owner`, `authority` and `directory`, and, on the leader alone, `observe`, `pack`,
//! `unpack` and `on_cache`.

use crate::id::{Encoded, Groups, Hint, Micros, ObjectId, PartitionId, Revision};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A strategy for placing and finding objects that come, go and move while the system runs.
///
/// **The law of authority:** `authority(o)` is never empty and depends on the object and the topology alone, so that all
/// creates and deletes of one id meet in at least one group.
pub trait Oracle: Clone + std::fmt::Debug + Send + 'static {
    /// The value of `--strategy`, of the CSV column, and the suffix of the crate.
    const NAME: &'static str;

    /// The groups that deliver every create and delete of the object: each of them alone may say that it does not
    /// exist, or exists already (rule R1). Pure.
    fn authority(&self, object: ObjectId) -> Groups;

    /// The groups that hold the object's owner as ordered state: every move goes through them. Pure.
    fn directory(&self, _object: ObjectId) -> Groups {
        Groups::EMPTY
    }

    /// The partition that a create with this wish goes to. Pure.
    fn owner(&self, object: ObjectId, wish: Option<PartitionId>) -> PartitionId;

    /// Whether objects can move. Pure.
    fn movable(&self) -> bool {
        true
    }

    /// Where to look for an object, knowing nothing of it.
    fn guess(&self, object: ObjectId) -> Guess;

    /// A command that changed an object has been applied here, at a destination of it.
    fn observe(&mut self, _now: Micros, _event: &ObjectEvent, _out: &mut Effects) {}

    /// A value is about to be sent to another partition: keep it, or replace it by a reference to the shared cache.
    fn pack(&mut self, _now: Micros, _object: ObjectId, _revision: Revision, _value: &mut Carried) {
    }

    /// A reference has come in: replace it by the value, or say how to go on.
    fn unpack(
        &mut self,
        _now: Micros,
        _object: ObjectId,
        _revision: Revision,
        value: &mut Carried,
        _out: &mut Effects,
    ) -> Unpacked {
        match value {
            Carried::Value(_) => Unpacked::Ready,
            Carried::Reference { .. } => Unpacked::Missing,
        }
    }

    /// The shared cache has answered a [`CacheCall`].
    fn on_cache(&mut self, _now: Micros, _reply: CacheReply) {}

    /// Hits and misses of values in the shared cache, since the start.
    fn cache_counts(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// Where a client looks for an object first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    /// Straight at this partition.
    At(PartitionId),
    /// Consult any one of these groups.
    Ask(Groups),
    /// Look at the shared cache's location hint under `key`; failing that, consult `otherwise`.
    Shared {
        /// The key.
        key: Bytes,
        /// Who is consulted when the cache has no answer.
        otherwise: Groups,
    },
}

/// A change of one object, told to [`Oracle::observe`] when the command that made it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    /// The object.
    pub object: ObjectId,
    /// Its revision afterwards; of a deleted object the last one it had.
    pub revision: Revision,
    /// What happened.
    pub change: Change,
    /// Whether this replica's partition owns the object afterwards (or owned it last).
    pub here: bool,
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was created at a partition; the value, where this replica has it.
    Created(PartitionId, Option<Encoded>),
    /// It was moved to a partition; the value, where this replica has it.
    Moved(PartitionId, Option<Encoded>),
    /// Its value changed.
    Written(Encoded),
    /// It was deleted.
    Deleted,
}

/// A value on its way between partitions.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Carried {
    /// The value itself.
    Value(Encoded),
    /// Where to find it: the shared cache, under the object's id and revision.
    Reference {
        /// The digest that the bytes must have.
        digest: u64,
    },
}

/// What [`Oracle::unpack`] made of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// It is [`Carried::Value`] now.
    Ready,
    /// The cache has been asked; try again when it has answered.
    Waiting,
    /// It cannot be found: ask the owner for the bytes.
    Missing,
}

/// What a hook wants done. Nothing of it touches ordered state.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Hints for the leaders of other groups.
    pub tell: Vec<(Groups, Hint)>,
    /// Calls to the shared cache.
    pub cache: Vec<CacheCall>,
}

/// A call to the shared cache. It may be lost, and its reply too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheCall {
    /// Fetch the value of a key.
    Get {
        /// The key.
        key: Bytes,
    },
    /// Store a value under a key that never gets another value.
    Set {
        /// The key.
        key: Bytes,
        /// The value.
        value: Bytes,
    },
    /// Store a location hint unless the cache has one of a newer epoch.
    Publish {
        /// The key.
        key: Bytes,
        /// The hint; encoded as [`codec::encode`](crate::codec::encode) does, also when it comes back.
        hint: Hint,
    },
}

/// The answer to [`CacheCall::Get`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheReply {
    /// The key that was asked for.
    pub key: Bytes,
    /// What the cache said.
    pub found: Found,
}

/// What the shared cache said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The value.
    Hit(Bytes),
    /// Nothing there.
    Miss,
    /// No answer in time, or an error.
    Down,
}
