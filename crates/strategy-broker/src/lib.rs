//! Strategy **broker**: an oracle that knows all objects.
//!
//! **Idea.** The second alternative of the note on dynamic objects. The oracle is a replicated
//! group of its own, a destination of commands like any partition. Clients cache what it told them;
//! a stale answer leads to a retry.
//!
//! **Why it is linearizable.** The oracle group delivers every create, delete and move, in one
//! multicast with the partitions concerned, so it is the authority for existence and holds every
//! owner as ordered state. A create is installed on the oracle's signal; nothing of it is visible
//! at the oracle until the partition has signalled too (rule R3, which DS-SMR's published delete
//! breaks). A lookup that is not ordered is a hint and never an answer.
//!
//! **What it costs.** One more group for each create, delete and move, and a consultation for each
//! object that a client does not know. The oracle must survive its leader: it is replicated like
//! everything else, and while it elects one, accesses to objects whose place is known go on.

use ssmr_core::{GroupId, Groups, Guess, Needs, ObjectId, Oracle, Topology};

/// An oracle group is authority and directory for every object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Broker;

impl Oracle for Broker {
    fn name(&self) -> &'static str {
        "broker"
    }

    fn needs(&self) -> Needs {
        Needs {
            oracle_group: true,
            ..Needs::default()
        }
    }

    fn authority(&self, _: &Topology, _: ObjectId) -> Groups {
        GroupId::ORACLE.into()
    }

    fn directory(&self, _: &Topology, _: ObjectId) -> Groups {
        GroupId::ORACLE.into()
    }

    fn guess(&self, _: &Topology, _: ObjectId) -> Guess {
        Guess::Ask(GroupId::ORACLE.into())
    }
}
