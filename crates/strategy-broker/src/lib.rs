//! Strategy **broker**: an oracle that knows all objects.
//!
//! **Idea.** The second alternative of the note on dynamic objects. The oracle is a replicated group of its own, a
//! destination of commands like any partition. Clients cache what it told them; a stale answer leads to a retry.
//!
//! **Why it is linearizable.** The oracle group delivers every create, delete and move, in one multicast with the
//! partitions concerned, so it is the authority for existence and holds every owner as ordered state. A create is installed
//! on the oracle's signal; nothing of it is visible at the oracle until the partition has signalled too (rule R3, which
//! DS-SMR's published delete breaks). A lookup that is not ordered is a hint and never an answer.
//!
//! **What it costs.** One more group for each create, delete and move, and a consultation for each object that a client
//! does not know. The oracle must survive its leader: it is replicated like everything else, and while it elects one,
//! accesses to objects whose place is known go on.

use ssmr_core::{GroupId, Groups, Guess, ObjectId, Oracle, PartitionId, Topology};

/// The oracle of strategy broker.
#[derive(Clone, Debug)]
pub struct Broker {
    topology: Topology,
}

impl Broker {
    /// The oracle for a cluster of this topology.
    ///
    /// # Panics
    /// If the topology has no oracle group ([`Topology::with_oracle`]).
    #[must_use]
    pub fn new(topology: Topology) -> Self {
        assert!(
            topology.groups().contains(GroupId::ORACLE),
            "the broker needs an oracle group"
        );
        Self { topology }
    }
}

impl Oracle for Broker {
    const NAME: &'static str = "broker";

    fn authority(&self, _object: ObjectId) -> Groups {
        GroupId::ORACLE.into()
    }

    fn directory(&self, _object: ObjectId) -> Groups {
        GroupId::ORACLE.into()
    }

    fn owner(&self, object: ObjectId, wish: Option<PartitionId>) -> PartitionId {
        wish.unwrap_or_else(|| self.topology.spread(object))
    }

    fn guess(&self, _object: ObjectId) -> Guess {
        Guess::Ask(GroupId::ORACLE.into())
    }
}
