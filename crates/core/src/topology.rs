//! The shape of a cluster: how many groups there are, how many replicas each has, and where an
//! attribute is at home.

use crate::id::{GroupId, Groups, ObjectId, PartitionId, ReplicaId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The groups of a cluster. Fixed for the cluster's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Counts")]
pub struct Topology {
    partition_count: u8,
    replica_count: u8,
    oracle_replica_count: u8,
}

/// A topology as it is read, before it is known to be possible.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    partition_count: u8,
    replica_count: u8,
    oracle_replica_count: u8,
}

impl TryFrom<Counts> for Topology {
    type Error = TopologyError;

    fn try_from(counts: Counts) -> Result<Self, TopologyError> {
        let topology = Self::new(counts.partition_count, counts.replica_count)?;
        match counts.oracle_replica_count {
            0 => Ok(topology),
            replicas => topology.with_oracle(replicas),
        }
    }
}

/// A topology that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopologyError {
    /// There is no partition.
    NoPartition,
    /// A group would have an even number of replicas, which tolerates no more failures than one
    /// fewer, or none.
    EvenReplicas(u8),
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPartition => write!(f, "a cluster needs 1 to 255 partitions"),
            Self::EvenReplicas(count) => {
                write!(f, "a group needs an odd number of replicas, not {count}")
            }
        }
    }
}

impl std::error::Error for TopologyError {}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (partitions, replicas) = (self.partition_count, self.replica_count);
        write!(f, "{partitions} partitions of {replicas} replicas")?;
        match self.oracle_replica_count {
            0 => Ok(()),
            replicas => write!(f, " and an oracle of {replicas}"),
        }
    }
}

impl Topology {
    /// A cluster of `partitions` groups of `replicas` each, without an oracle group.
    ///
    /// # Errors
    /// If there is no partition or the number of replicas is even.
    pub fn new(partitions: u8, replicas: u8) -> Result<Self, TopologyError> {
        if partitions == 0 {
            return Err(TopologyError::NoPartition);
        }
        if replicas.is_multiple_of(2) {
            return Err(TopologyError::EvenReplicas(replicas));
        }
        Ok(Self {
            partition_count: partitions,
            replica_count: replicas,
            oracle_replica_count: 0,
        })
    }

    /// This cluster with an oracle group of `replicas`.
    ///
    /// # Errors
    /// If the number of replicas is even.
    pub fn with_oracle(self, replicas: u8) -> Result<Self, TopologyError> {
        if replicas.is_multiple_of(2) {
            return Err(TopologyError::EvenReplicas(replicas));
        }
        Ok(Self {
            oracle_replica_count: replicas,
            ..self
        })
    }

    /// How many partitions there are.
    #[must_use]
    pub fn partition_count(&self) -> u8 {
        self.partition_count
    }

    /// How many replicas a group has; 0 for the oracle where there is none.
    #[must_use]
    pub fn replica_count(&self, group: GroupId) -> u8 {
        if group == GroupId::ORACLE {
            self.oracle_replica_count
        } else {
            self.replica_count
        }
    }

    /// All partitions.
    #[must_use]
    pub fn partitions(&self) -> Groups {
        Groups::partitions(self.partition_count)
    }

    /// All groups: the partitions, and the oracle where there is one.
    #[must_use]
    pub fn groups(&self) -> Groups {
        let mut groups = self.partitions();
        if self.oracle_replica_count > 0 {
            groups.insert(GroupId::ORACLE);
        }
        groups
    }

    /// Every replica of every group.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> {
        let topology = *self;
        self.groups()
            .iter()
            .flat_map(move |group| topology.members(group))
    }

    /// The replicas of one group.
    pub fn members(&self, group: GroupId) -> impl Iterator<Item = ReplicaId> + use<> {
        (0..self.replica_count(group)).map(move |index| ReplicaId { group, index })
    }

    /// The home of an object: a pure function of its static attribute.
    #[must_use]
    pub fn home(&self, object: ObjectId) -> PartitionId {
        PartitionId((mix(object.attribute) % u64::from(self.partition_count)) as u8)
    }

    /// A partition that depends on the whole id: spreads objects when nobody says where they should
    /// be.
    #[must_use]
    pub fn spread(&self, object: ObjectId) -> PartitionId {
        PartitionId(
            (mix(object.attribute ^ mix(object.key)) % u64::from(self.partition_count)) as u8,
        )
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood, 2014): a bijection that spreads neighbouring
/// numbers.
#[must_use]
pub fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_layouts_are_refused() {
        assert_eq!(Topology::new(0, 3), Err(TopologyError::NoPartition));
        assert_eq!(Topology::new(2, 4), Err(TopologyError::EvenReplicas(4)));
        assert_eq!(
            Topology::new(2, 3).unwrap().with_oracle(0),
            Err(TopologyError::EvenReplicas(0))
        );
    }

    #[test]
    fn what_is_read_is_possible() {
        let read = |counts: [u8; 3]| crate::codec::decode::<Topology>(&counts);
        let written = Topology::new(2, 3).unwrap().with_oracle(5).unwrap();
        assert_eq!(crate::codec::encode(&written)[..], [2, 3, 5]);
        assert_eq!(read([2, 3, 5]), Ok(written));
        assert!(read([0, 3, 0]).is_err() && read([2, 2, 0]).is_err() && read([2, 3, 4]).is_err());
    }

    #[test]
    fn home_depends_on_the_attribute_alone_and_uses_every_partition() {
        let topology = Topology::new(8, 1).unwrap();
        assert_eq!(
            topology.home(ObjectId::new(5, 1)),
            topology.home(ObjectId::new(5, 2))
        );
        let homes: Groups = (0..100)
            .map(|a| topology.home(ObjectId::new(a, 0)).into())
            .collect();
        assert_eq!(homes, topology.partitions());
    }
}
