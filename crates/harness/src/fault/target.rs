//! Names of groups and replicas, as schedules have them.

use ssmr_core::{GroupId, ReplicaId, Topology};

/// The group of this name in a topology.
pub(super) fn group(topology: &Topology, name: &str) -> Option<GroupId> {
    let mut groups = topology.groups().iter();
    groups.find(|group| group.to_string() == name)
}

/// The replica of this name in a topology.
pub(super) fn replica(topology: &Topology, name: &str) -> Option<ReplicaId> {
    let mut replicas = topology.replicas();
    replicas.find(|replica| replica.to_string() == name)
}
