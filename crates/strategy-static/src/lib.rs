//! Strategy **static**: the partition follows from a static attribute of the object; nobody needs
//! to know locations.
//!
//! **Idea.** The third alternative of the note on dynamic objects. The attribute is the high half
//! of the object id, so everybody computes the same home partition, which owns the object and alone
//! decides about its existence.
//!
//! **Why it is linearizable.** Authority and owner are one group: a create, delete or access of one
//! object is an ordinary command of one partition.
//!
//! **What it costs.** Objects cannot move: a move is refused as unsupported, and there is no
//! balance but the one that the attribute gives. [`Static::with_directory`] lifts that: the home
//! stays the authority and keeps, as ordered state, where an object has gone, which makes it a
//! decentralised oracle; an object that has moved away costs one retry to find.

use ssmr_core::{Groups, Guess, ObjectId, Oracle, PartitionId, Topology};

/// The home of an object's attribute is its authority, and its owner or its directory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Static {
    directory: bool,
}

impl Static {
    /// Objects stay at home.
    #[must_use]
    pub fn new() -> Self {
        Self { directory: false }
    }

    /// Objects are created at home and may move; the home keeps their whereabouts.
    #[must_use]
    pub fn with_directory() -> Self {
        Self { directory: true }
    }
}

impl Oracle for Static {
    fn name(&self) -> &'static str {
        if self.directory {
            "static-directory"
        } else {
            "static"
        }
    }

    fn authority(&self, topology: &Topology, object: ObjectId) -> Groups {
        topology.home(object).into()
    }

    fn directory(&self, topology: &Topology, object: ObjectId) -> Groups {
        if self.directory {
            self.authority(topology, object)
        } else {
            Groups::EMPTY
        }
    }

    fn owner(
        &self,
        topology: &Topology,
        object: ObjectId,
        _wish: Option<PartitionId>,
    ) -> PartitionId {
        topology.home(object)
    }

    fn movable(&self) -> bool {
        self.directory
    }

    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess {
        Guess::At(topology.home(object))
    }
}
