//! Strategy **global**: a create is multicast to all partitions; one of them owns the object.
//!
//! **Idea.** The first alternative of the note on dynamic objects: every partition, with its own
//! oracle, hears of every create and delete. One partition owns the object; the others keep a
//! record that it exists and who owned it at the last change that they delivered.
//!
//! **Why it is linearizable.** Every partition is an authority, so all creates and deletes of an id
//! meet everywhere, in one order: each partition may say that the object is absent. Existence is
//! ordered state. The owner's name at partitions that did not take part in a move is not: it is a
//! hint that sends a client to a partition which either owns the object or answers with a retry.
//!
//! **What it costs.** A create or delete takes as many deliveries and signals as there are
//! partitions, and stalls while any one of them has no majority. A move concerns two partitions;
//! the others hear of it later, as a hint.

use ssmr_core::{Groups, Guess, ObjectId, Oracle, Topology};

/// Every partition is an authority for every object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Global;

impl Oracle for Global {
    fn name(&self) -> &'static str {
        "global"
    }

    fn authority(&self, topology: &Topology, _: ObjectId) -> Groups {
        topology.partitions()
    }

    fn guess(&self, topology: &Topology, _: ObjectId) -> Guess {
        Guess::Ask(topology.partitions())
    }

    fn told_of_moves(&self, topology: &Topology, _: ObjectId) -> Groups {
        topology.partitions()
    }
}
