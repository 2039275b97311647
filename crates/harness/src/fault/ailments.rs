//! Which replicas are not as they should be, and which of the others may be killed.

use crate::deploy::deployment::comes_back;
use crate::settings::names::DurabilityName;
use ssmr_core::{GroupId, ReplicaId, Topology};
use std::collections::{BTreeMap, BTreeSet};

/// Why a replica is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ailment {
    /// It was killed.
    Dead,
    /// It was started again and has not caught up with the others.
    CatchingUp,
    /// It runs, and cannot take full part.
    Hindered,
    /// Its disk is full: it stops by itself, and is started again when the disk is free.
    OutOfSpace,
    /// It was killed and could not be started again.
    Gone,
}

/// The replicas of a cluster that have something.
#[derive(Debug)]
pub(super) struct Ailments {
    topology: Topology,
    durability: DurabilityName,
    of: BTreeMap<ReplicaId, Ailment>,
}

impl Ailments {
    /// Of a cluster whose replicas are all well.
    pub(super) fn new(topology: Topology, durability: DurabilityName) -> Self {
        let of = BTreeMap::new();
        Self {
            topology,
            durability,
            of,
        }
    }

    /// The replica has this from now on, and nothing else.
    pub(super) fn set(&mut self, id: ReplicaId, ailment: Ailment) {
        self.of.insert(id, ailment);
    }

    /// The replica cannot take full part. One that is dead or catches up has worse.
    pub(super) fn hinder(&mut self, id: ReplicaId) {
        self.of.entry(id).or_insert(Ailment::Hindered);
    }

    /// What a replica has, if anything.
    pub(super) fn of(&self, id: ReplicaId) -> Option<Ailment> {
        self.of.get(&id).copied()
    }

    /// The cluster's groups.
    pub(super) fn topology(&self) -> Topology {
        self.topology
    }

    /// The replica is well again.
    pub(super) fn recovered(&mut self, id: ReplicaId) {
        self.of.remove(&id);
    }

    /// Whether a replica is as it should be.
    pub(super) fn is_well(&self, id: ReplicaId) -> bool {
        !self.of.contains_key(&id)
    }

    /// Whether all replicas of a group are.
    pub(super) fn is_group_well(&self, group: GroupId) -> bool {
        !self.of.keys().any(|id| id.group == group)
    }

    /// Whether a replica that is killed can come back.
    pub(super) fn returns(&self, id: ReplicaId) -> bool {
        comes_back(self.durability, self.topology.replica_count(id.group))
    }

    /// The replicas that do not run, and are still to be started again.
    pub(super) fn returning(&self) -> BTreeSet<ReplicaId> {
        let down = [Ailment::Dead, Ailment::OutOfSpace].map(|ailment| self.with(ailment));
        let down = down.into_iter().flatten();
        down.filter(|id| self.returns(*id)).collect()
    }

    /// Whether a replica runs, and its group will not lose with it what nobody has stored.
    pub(super) fn may_die(&self, id: ReplicaId) -> bool {
        let stored = self.durability != DurabilityName::Memory;
        self.is_well(id) && (stored || self.is_group_well(id.group))
    }

    /// The replicas that have this.
    pub(super) fn with(&self, ailment: Ailment) -> Vec<ReplicaId> {
        let such = self.of.iter().filter(|(_, its)| **its == ailment);
        such.map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_memory_one_replica_of_a_group_at_a_time_may_die() {
        let topology = Topology::new(2, 3).unwrap();
        let ids: Vec<ReplicaId> = topology.replicas().collect();
        for durability in [DurabilityName::Memory, DurabilityName::Sync] {
            let mut ailments = Ailments::new(topology, durability);
            ailments.set(ids[0], Ailment::CatchingUp);
            assert!(!ailments.may_die(ids[0]) && ailments.may_die(ids[3]));
            assert_eq!(ailments.may_die(ids[1]), durability == DurabilityName::Sync);
        }
    }

    #[test]
    fn who_is_dead_is_not_merely_hindered() {
        let topology = Topology::new(1, 3).unwrap();
        let id = topology.replicas().next().unwrap();
        let mut ailments = Ailments::new(topology, DurabilityName::Sync);
        ailments.set(id, Ailment::Dead);
        ailments.hinder(id);
        assert_eq!(ailments.of(id), Some(Ailment::Dead));
        assert_eq!(ailments.returning(), [id].into());
        ailments.recovered(id);
        assert!(ailments.is_well(id) && ailments.returning().is_empty());
        ailments.hinder(id);
        assert_eq!(ailments.of(id), Some(Ailment::Hindered));
        assert!(!ailments.is_well(id) && ailments.returning().is_empty());
    }
}
