//! Strategy **global**: a create is multicast to all partitions; one of them owns the object.
//!
//! **Idea.** The first alternative of the note on dynamic objects: every partition, with its own oracle, hears of every
//! create and delete. One partition owns the object; the others keep a record that it exists and who owned it at the last
//! change that they delivered.
//!
//! **Why it is linearizable.** Every partition is an authority, so all creates and deletes of an id meet everywhere, in one
//! order: each partition may say that the object is absent. Existence is ordered state. The owner's name at partitions that
//! did not take part in a move is not: it is a hint that sends a client to a partition which either owns the object or
//! answers with a retry.
//!
//! **What it costs.** A create or delete takes as many deliveries and signals as there are partitions, and stalls while
//! any one of them has no majority. A move concerns two partitions; the others hear of it later, as a hint.

use ssmr_core::{
    Change, Effects, Groups, Guess, Hint, Micros, ObjectEvent, ObjectId, Oracle, PartitionId,
    Topology,
};

/// The oracle of strategy global.
#[derive(Clone, Debug)]
pub struct Global {
    topology: Topology,
}

impl Global {
    /// The oracle for a cluster of this topology.
    #[must_use]
    pub fn new(topology: Topology) -> Self {
        Self { topology }
    }
}

impl Oracle for Global {
    const NAME: &'static str = "global";

    fn authority(&self, _object: ObjectId) -> Groups {
        self.topology.partitions()
    }

    fn owner(&self, object: ObjectId, wish: Option<PartitionId>) -> PartitionId {
        wish.unwrap_or_else(|| self.topology.spread(object))
    }

    fn guess(&self, _object: ObjectId) -> Guess {
        Guess::Ask(self.topology.partitions())
    }

    /// The new owner tells the other partitions' oracles, in no order and at no time that anything depends on.
    fn observe(&mut self, _now: Micros, event: &ObjectEvent, out: &mut Effects) {
        if let (Change::Moved(owner, _), true) = (&event.change, event.here) {
            let (object, epoch) = (event.object, event.revision.epoch);
            out.tell.push((
                self.topology.partitions(),
                Hint {
                    object,
                    owner: *owner,
                    epoch,
                },
            ));
        }
    }
}
