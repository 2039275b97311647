//! Names: objects, groups, replicas, clients, and sets of groups. All of them are `Copy` and
//! totally ordered.

use crate::time::LogicalClock;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;
use twox_hash::{XxHash3_64, XxHash3_128};

/// The name of an object: a state variable of the replicated service.
///
/// The client chooses it. The high half is the *static attribute* (a warehouse, a region, a user),
/// from which the static strategy derives the partition; the low half tells the objects of one
/// attribute apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    /// The static attribute; objects that share it share their home partition.
    pub attribute: u64,
    /// Tells the objects of one attribute apart.
    pub key: u64,
}

impl ObjectId {
    /// An id from its static attribute and its key.
    #[must_use]
    pub const fn new(attribute: u64, key: u64) -> Self {
        Self { attribute, key }
    }
}

impl From<&str> for ObjectId {
    /// Hashes a name (XXH3, 128 bits): stable over versions and machines.
    fn from(name: &str) -> Self {
        let hash = XxHash3_128::oneshot(name.as_bytes());
        Self::new((hash >> 64) as u64, hash as u64)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}", self.attribute, self.key)
    }
}

/// A stable 64-bit hash of bytes (XXH3), for digests of values and states.
#[must_use]
pub fn digest(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// A partition: a replicated group that owns some of the objects. Numbers start at 0; 255
/// partitions at most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartitionId(pub u8);

impl fmt::Debug for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A replicated group: a partition, or the broker's oracle.
///
/// It is written and parsed as `p0`, `p1` or `oracle`, in formats for people too (TOML, JSON).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(u8);

impl GroupId {
    /// The oracle group of the broker strategy.
    pub const ORACLE: Self = Self(255);

    /// The number of this group within [`Groups`]: a partition's own number, or 255 for the oracle.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// The partition that this group is, or `None` for the oracle.
    #[must_use]
    pub fn partition(self) -> Option<PartitionId> {
        (self != Self::ORACLE).then_some(PartitionId(self.0))
    }
}

impl From<PartitionId> for GroupId {
    /// # Panics
    /// If the number is 255, which is the oracle's.
    fn from(partition: PartitionId) -> Self {
        assert!(partition.0 < 255, "255 partitions are the limit");
        Self(partition.0)
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partition() {
            Some(partition) => write!(f, "{partition:?}"),
            None => write!(f, "oracle"),
        }
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A set of groups: 255 partitions and an oracle in 32 bytes, `Copy`, iterated in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Groups([u64; 4]);

impl Groups {
    /// The empty set.
    pub const EMPTY: Self = Self([0; 4]);

    /// The first `count` partitions.
    #[must_use]
    pub fn partitions(count: u8) -> Self {
        (0..count).map(GroupId).collect()
    }

    /// Adds a group.
    pub fn insert(&mut self, group: GroupId) {
        self.0[usize::from(group.0 >> 6)] |= 1 << (group.0 & 63);
    }

    /// Removes a group, if it is there.
    pub fn remove(&mut self, group: GroupId) {
        self.0[usize::from(group.0 >> 6)] &= !(1 << (group.0 & 63));
    }

    /// Whether `group` is a member.
    #[must_use]
    pub fn contains(self, group: GroupId) -> bool {
        self.0[usize::from(group.0 >> 6)] & (1 << (group.0 & 63)) != 0
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// The members of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// This set without one group.
    #[must_use]
    pub fn without(mut self, group: GroupId) -> Self {
        self.remove(group);
        self
    }

    /// Whether every member is in `other` too.
    #[must_use]
    pub fn is_subset(self, other: Self) -> bool {
        self.union(other) == other
    }

    /// The least member: a partition if there is one, for the oracle has the greatest number.
    #[must_use]
    pub fn first(self) -> Option<GroupId> {
        self.iter().next()
    }

    /// The members, ascending.
    pub fn iter(self) -> impl Iterator<Item = GroupId> {
        self.0
            .into_iter()
            .zip([0u8, 64, 128, 192])
            .flat_map(|(word, base)| {
                let mut rest = word;
                std::iter::from_fn(move || {
                    let bit = (rest != 0).then(|| rest.trailing_zeros() as u8)?;
                    rest &= rest - 1;
                    Some(GroupId(base + bit))
                })
            })
    }
}

impl From<GroupId> for Groups {
    fn from(group: GroupId) -> Self {
        let mut set = Self::EMPTY;
        set.insert(group);
        set
    }
}

impl From<PartitionId> for Groups {
    fn from(partition: PartitionId) -> Self {
        GroupId::from(partition).into()
    }
}

impl FromIterator<GroupId> for Groups {
    fn from_iter<I: IntoIterator<Item = GroupId>>(groups: I) -> Self {
        let mut set = Self::EMPTY;
        groups.into_iter().for_each(|group| set.insert(group));
        set
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// One replica of one group.
///
/// It is written and parsed as `p0r1` or `oracler0`, in formats for people too (TOML, JSON).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplicaId {
    /// The group it belongs to.
    pub group: GroupId,
    /// Its number within the group, from 0.
    pub index: u8,
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}r{}", self.group, self.index)
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A client: unique among all clients that ever talk to the cluster.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientId(pub u64);

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// The position of a message in the multicast's total order: a logical time, ties broken by the
/// group that proposed it.
///
/// The *final* timestamp of a message is the greatest of those that its destination groups
/// proposed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Timestamp {
    /// The logical time.
    pub clock: LogicalClock,
    /// The group whose clock it was, as [`GroupId::index`].
    group: u8,
}

impl Timestamp {
    /// The group whose clock it was.
    #[must_use]
    pub const fn group(self) -> GroupId {
        GroupId(self.group)
    }

    /// The time that a group's clock shows.
    #[must_use]
    pub const fn new(clock: LogicalClock, group: GroupId) -> Self {
        Self {
            clock,
            group: group.0,
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{}", self.clock, GroupId(self.group))
    }
}

/// Which state of an object: the placement it lives in, and how often it was written since it was
/// created.
///
/// Revisions of one object only ever grow, through moves, deletion and re-creation too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Revision {
    /// The final timestamp of the command that last placed the object (create or move).
    pub epoch: Timestamp,
    /// Starts at 0 when the object is created and grows by one with every write.
    pub version: u64,
}

impl Revision {
    /// The revision after one more write.
    #[must_use]
    pub fn written(self) -> Self {
        Self {
            version: self.version + 1,
            ..self
        }
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}v{}", self.epoch, self.version)
    }
}

/// What somebody believes about the place of an object.
///
/// It may be lost, late or wrong. It says where to look and is never part of a verdict, of a
/// recorded outcome or of a state hash (rule R7); one hint replaces another only if its epoch is
/// newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// What is looked for.
    pub object: ObjectId,
    /// The partition that is believed to own it.
    pub owner: PartitionId,
    /// The epoch at which it did.
    pub epoch: Timestamp,
}

/// Encoded bytes of an application's value, operation or reply.
pub type Encoded = Bytes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_behave_like_a_sorted_set() {
        let mut set = Groups::EMPTY;
        for index in [200, 3, 64, 63, 3] {
            set.insert(GroupId(index));
        }
        set.insert(GroupId::ORACLE);
        let members: Vec<u8> = set.iter().map(GroupId::index).collect();
        assert_eq!(members, [3, 63, 64, 200, 255]);
        assert_eq!(set.len(), 5);
        assert!(Groups::from(PartitionId(63)).is_subset(set));
        assert!(!set.is_subset(Groups::partitions(255)));
        set.remove(GroupId(63));
        assert!(!set.contains(GroupId(63)));
        assert_eq!(Groups::partitions(255).len(), 255);
        assert!(!Groups::partitions(255).contains(GroupId::ORACLE));
    }

    #[test]
    fn names_hash_to_stable_ids() {
        assert_eq!(ObjectId::from("alice"), ObjectId::from("alice"));
        assert_ne!(ObjectId::from("alice"), ObjectId::from("bob"));
    }
}
