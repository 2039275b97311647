//! What a strategy has a group's leader do besides placing objects: keep a shared cache filled, and
//! use it.
//!
//! Nothing here touches ordered state: a leader that forgets it all, or a cache that lies, costs
//! time.

use crate::id::{Encoded, Hint, ObjectId, PartitionId, Revision};
use crate::time::LocalTime;
use crate::values::ValueCodec;
use bytes::Bytes;
use std::fmt::Debug;

/// The hooks of one replica. They run while it leads its group; `()` has none.
pub trait LeaderHooks: ValueCodec + Debug + Send + 'static {
    /// A command that changed an object has been applied here, at a destination of it.
    fn on_change(&mut self, _now: LocalTime, _event: &ObjectEvent) {}

    /// A client reads [published values](crate::published), that of this object among them: what
    /// this replica's partition holds of it, `None` if it does not own it.
    fn on_wanted(
        &mut self,
        _now: LocalTime,
        _object: ObjectId,
        _held: Option<(Revision, Encoded)>,
    ) {
    }

    /// The shared cache has answered a [`CacheCall`].
    fn on_cache_reply(&mut self, _now: LocalTime, _reply: CacheReply) {}

    /// The next call to the shared cache. To be polled after each other call.
    fn poll_cache_call(&mut self) -> Option<CacheCall> {
        None
    }

    /// Values that came as references, since the start.
    fn cache_counts(&self) -> CacheCounts {
        CacheCounts::default()
    }
}

impl LeaderHooks for () {}

/// How many values that came as references were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Found in the shared cache or among the copies from it.
    pub hits: u64,
    /// Not found there.
    pub misses: u64,
}

/// A change of one object, as a destination of the command that made it applies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    /// Which object.
    pub object: ObjectId,
    /// Its revision afterwards; of a deleted object the last one it had.
    pub revision: Revision,
    /// What happened.
    pub change: Change,
    /// Whether this replica's partition owns the object afterwards (or owned it last).
    pub here: bool,
    /// Whether it was moved away from this replica's partition.
    pub left: bool,
}

impl ObjectEvent {
    /// The object's value afterwards, where this replica has it.
    #[must_use]
    pub fn value(&self) -> Option<&Encoded> {
        match &self.change {
            Change::Created(_, value) | Change::Moved(_, value) => value.as_ref(),
            Change::Written(value) => Some(value),
            Change::Deleted => None,
        }
    }

    /// Where the object is from now on, if it was created or moved.
    #[must_use]
    pub fn placed(&self) -> Option<Hint> {
        match self.change {
            Change::Created(owner, _) | Change::Moved(owner, _) => Some(Hint {
                object: self.object,
                owner,
                epoch: self.revision.epoch,
            }),
            Change::Written(_) | Change::Deleted => None,
        }
    }
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

/// A call to the shared cache. It may be lost, and its reply too.
///
/// Keys are the strategy's own; whoever carries the calls out keeps the keys of different clusters
/// apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheCall {
    /// Fetch the value of a key.
    Get {
        /// Comes back in the [`CacheReply`].
        key: Bytes,
    },
    /// Store a value under a key that never gets another value. It is answered only if it was not
    /// stored: with [`Found::Down`] where nobody answered, with [`Found::Miss`] where it was
    /// refused.
    Set {
        /// Names object and revision.
        key: Bytes,
        /// What is stored.
        value: Bytes,
    },
    /// Store a [published value](crate::published) in place of what is there, for
    /// [so long](crate::published::TTL_SECONDS) at most. It is never answered.
    Renew {
        /// Names the object.
        key: Bytes,
        /// What is stored.
        value: Bytes,
    },
    /// Store a location hint unless the cache has one of a newer epoch.
    Publish {
        /// Names the object.
        key: Bytes,
        /// Encoded as [`codec::encode`](crate::codec::encode) does, also when it comes back.
        hint: Hint,
    },
}

/// The answer to [`CacheCall::Get`], or to a [`CacheCall::Set`] that failed.
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
    /// What is stored under the key.
    Hit(Bytes),
    /// Nothing there.
    Miss,
    /// No answer in time, or an error.
    Down,
}
