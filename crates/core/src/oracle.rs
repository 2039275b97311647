//! Seam 3, the strategy: who may say that an object exists, where a create goes, where to look for
//! an object.
//!
//! [`Oracle`] is placement: pure functions of an object and the cluster's topology. It cannot break
//! correctness as long as it obeys the law of authority: what else it says changes *where we look*,
//! never *what we answer* (rule R7). What only a group's leader does (the shared cache) is
//! [`LeaderHooks`], which most strategies do without.

use crate::hooks::LeaderHooks;
use crate::id::{Groups, ObjectId, PartitionId};
use crate::secret::Secret;
use crate::topology::Topology;
use bytes::Bytes;
use std::fmt::Debug;
use std::sync::Arc;

/// A strategy for placing and finding objects that come, go and move while the system runs.
///
/// **The law of authority:** `authority(o)` is never empty and depends on the object and the
/// topology alone, so that all creates and deletes of one id meet in at least one group.
///
/// Every replica and every client shares one; it has no state that changes.
///
/// ```
/// use ssmr_core::{Groups, Guess, ObjectId, Oracle, PartitionId, Topology};
///
/// /// Everything is at the first partition.
/// #[derive(Debug)]
/// struct OnePlace;
///
/// impl Oracle for OnePlace {
///     fn name(&self) -> &'static str {
///         "one-place"
///     }
///     fn authority(&self, _: &Topology, _: ObjectId) -> Groups {
///         PartitionId(0).into()
///     }
///     fn owner(&self, _: &Topology, _: ObjectId, _: Option<PartitionId>) -> PartitionId {
///         PartitionId(0)
///     }
///     fn movable(&self) -> bool {
///         false
///     }
///     fn guess(&self, _: &Topology, _: ObjectId) -> Guess {
///         Guess::At(PartitionId(0))
///     }
/// }
/// ```
pub trait Oracle: Debug + Send + Sync + 'static {
    /// What the strategy is called: the value of `--strategy` and of the CSV column. Clients and
    /// replicas whose strategies are called differently refuse each other, so values that place
    /// objects differently need names of their own.
    fn name(&self) -> &'static str;

    /// The strategy as all that use it in one process share it.
    fn into_shared(self) -> Arc<dyn Oracle>
    where
        Self: Sized,
    {
        Arc::new(self)
    }

    /// What the leader of a group does besides, for one replica, in its first state. Most
    /// strategies have nothing to do there. The secret is its cluster's.
    fn hooks(&self, _topology: &Topology, _secret: &Secret) -> Box<dyn LeaderHooks> {
        Box::new(())
    }

    /// What clusters must have for this strategy to work.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// The groups that deliver every create and delete of the object: each of them alone may say
    /// that it does not exist, or exists already (rule R1).
    fn authority(&self, topology: &Topology, object: ObjectId) -> Groups;

    /// The groups that hold the object's owner as ordered state: every move goes through them.
    fn directory(&self, _topology: &Topology, _object: ObjectId) -> Groups {
        Groups::EMPTY
    }

    /// The partition that a create with this wish goes to.
    fn owner(
        &self,
        topology: &Topology,
        object: ObjectId,
        wish: Option<PartitionId>,
    ) -> PartitionId {
        wish.unwrap_or_else(|| topology.spread(object))
    }

    /// Whether objects can move.
    fn movable(&self) -> bool {
        true
    }

    /// Where to look for an object, knowing nothing of it.
    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess;

    /// The groups that the new owner of an object tells where it has gone: a hint, in no order and
    /// at no time that anything depends on.
    fn told_of_moves(&self, _topology: &Topology, _object: ObjectId) -> Groups {
        Groups::EMPTY
    }
}

/// A strategy that was chosen at run time can be handed on like any other.
impl Oracle for Arc<dyn Oracle> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn into_shared(self) -> Self {
        self
    }

    fn hooks(&self, topology: &Topology, secret: &Secret) -> Box<dyn LeaderHooks> {
        (**self).hooks(topology, secret)
    }

    fn needs(&self) -> Needs {
        (**self).needs()
    }

    fn authority(&self, topology: &Topology, object: ObjectId) -> Groups {
        (**self).authority(topology, object)
    }

    fn directory(&self, topology: &Topology, object: ObjectId) -> Groups {
        (**self).directory(topology, object)
    }

    fn owner(
        &self,
        topology: &Topology,
        object: ObjectId,
        wish: Option<PartitionId>,
    ) -> PartitionId {
        (**self).owner(topology, object, wish)
    }

    fn movable(&self) -> bool {
        (**self).movable()
    }

    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess {
        (**self).guess(topology, object)
    }

    fn told_of_moves(&self, topology: &Topology, object: ObjectId) -> Groups {
        (**self).told_of_moves(topology, object)
    }
}

/// What a strategy needs of a cluster, besides partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A replicated group that owns nothing and knows everything.
    pub oracle_group: bool,
    /// A cache that all replicas and clients reach. Without it the strategy is slower, never wrong.
    pub shared_cache: bool,
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
        /// Unique to the object.
        key: Bytes,
        /// Who is consulted when the cache has no answer.
        otherwise: Groups,
    },
}

/// A strategy in a cluster: what [`Oracle`] says, with the topology filled in.
#[derive(Clone, Debug)]
pub struct Placement {
    oracle: Arc<dyn Oracle>,
    topology: Topology,
}

impl Placement {
    /// The strategy in a cluster of this topology.
    #[must_use]
    pub fn new(oracle: impl Oracle, topology: Topology) -> Self {
        let oracle = oracle.into_shared();
        Self { oracle, topology }
    }

    /// The groups of the cluster.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The strategy alone.
    #[must_use]
    pub fn oracle(&self) -> &Arc<dyn Oracle> {
        &self.oracle
    }

    /// See [`Oracle::hooks`].
    #[must_use]
    pub fn hooks(&self, secret: &Secret) -> Box<dyn LeaderHooks> {
        self.oracle.hooks(&self.topology, secret)
    }

    /// See [`Oracle::authority`].
    #[must_use]
    pub fn authority(&self, object: ObjectId) -> Groups {
        self.oracle.authority(&self.topology, object)
    }

    /// See [`Oracle::directory`].
    #[must_use]
    pub fn directory(&self, object: ObjectId) -> Groups {
        self.oracle.directory(&self.topology, object)
    }

    /// See [`Oracle::owner`].
    #[must_use]
    pub fn owner(&self, object: ObjectId, wish: Option<PartitionId>) -> PartitionId {
        self.oracle.owner(&self.topology, object, wish)
    }

    /// See [`Oracle::movable`].
    #[must_use]
    pub fn movable(&self) -> bool {
        self.oracle.movable()
    }

    /// See [`Oracle::guess`].
    #[must_use]
    pub fn guess(&self, object: ObjectId) -> Guess {
        self.oracle.guess(&self.topology, object)
    }

    /// See [`Oracle::told_of_moves`].
    #[must_use]
    pub fn told_of_moves(&self, object: ObjectId) -> Groups {
        self.oracle.told_of_moves(&self.topology, object)
    }
}
