//! Where a static attribute is at home.

use ssmr_core::{ObjectId, PartitionId, Topology};

/// The home of an object in a cluster of so many partitions: where a workload wishes its objects
/// that are to lie together under every strategy, not only under static placement.
///
/// # Panics
/// If there can be no such cluster: not with the number that a workload is made for.
pub(super) fn home(partitions: u8, object: ObjectId) -> PartitionId {
    let topology = Topology::new(partitions, 1);
    let topology = topology.unwrap_or_else(|error| panic!("{partitions} partitions: {error}"));
    topology.home(object)
}
