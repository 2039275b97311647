//! Strategy **static**: the partition follows from a static attribute of the object; nobody needs to know locations.
//!
//! **Idea.** The third alternative of the note on dynamic objects. The attribute is the high half of the object id, so
//! everybody computes the same home partition, which owns the object and alone decides about its existence.
//!
//! **Why it is linearizable.** Authority and owner are one group: a create, delete or access of one object is an ordinary
//! command of one partition.
//!
//! **What it costs.** Objects cannot move: a move is refused as unsupported, and there is no balance but the one that the
//! attribute gives. [`Static::with_directory`] lifts that: the home stays the authority and keeps, as ordered state, where
//! an object has gone, which makes it a decentralised oracle; an object that has moved away costs one retry to find.

use ssmr_core::{Groups, Guess, ObjectId, Oracle, PartitionId, Topology};

/// The oracle of strategy static.
#[derive(Clone, Debug)]
pub struct Static {
    topology: Topology,
    directory: bool,
}

impl Static {
    /// Objects stay at home.
    #[must_use]
    pub fn new(topology: Topology) -> Self {
        Self {
            topology,
            directory: false,
        }
    }

    /// Objects are created at home and may move; the home keeps their whereabouts.
    #[must_use]
    pub fn with_directory(topology: Topology) -> Self {
        Self {
            topology,
            directory: true,
        }
    }
}

impl Oracle for Static {
    const NAME: &'static str = "static";

    fn authority(&self, object: ObjectId) -> Groups {
        self.topology.home(object).into()
    }

    fn directory(&self, object: ObjectId) -> Groups {
        if self.directory {
            self.authority(object)
        } else {
            Groups::EMPTY
        }
    }

    fn owner(&self, object: ObjectId, _wish: Option<PartitionId>) -> PartitionId {
        self.topology.home(object)
    }

    fn movable(&self) -> bool {
        self.directory
    }

    fn guess(&self, object: ObjectId) -> Guess {
        Guess::At(self.topology.home(object))
    }
}
