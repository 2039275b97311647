//! The replica of each group that messages go to: the one believed to lead it, and another when
//! that one stays silent.
//!
//! A wrong belief costs time only: a replica that does not lead says which one does; one that says
//! nothing is suspected, and the next one is tried.

use crate::id::{GroupId, ReplicaId};
use crate::time::LocalTime;
use crate::topology::Topology;
use std::collections::BTreeMap;

/// The believed leader of each group.
#[derive(Debug)]
pub(super) struct Contacts {
    topology: Topology,
    contacts: BTreeMap<GroupId, Contact>,
}

/// What is believed of one group's leader.
#[derive(Clone, Copy, Debug, Default)]
struct Contact {
    leader: u8,
    /// When anything was last heard of the believed leader.
    heard: LocalTime,
    /// When the belief last changed: whoever is new gets a chance to answer.
    changed: LocalTime,
}

impl Contacts {
    /// The first replica of each group is believed to lead it.
    pub(super) fn new(topology: Topology) -> Self {
        let contacts = topology
            .groups()
            .iter()
            .map(|group| (group, Contact::default()))
            .collect();
        Self { topology, contacts }
    }

    /// The replica to which messages for a group's leader go.
    pub(super) fn leader(&self, group: GroupId) -> ReplicaId {
        let index = self
            .contacts
            .get(&group)
            .map_or(0, |contact| contact.leader);
        ReplicaId { group, index }
    }

    /// Something came from a replica.
    pub(super) fn heard(&mut self, now: LocalTime, from: ReplicaId) {
        if let Some(contact) = self
            .contacts
            .get_mut(&from.group)
            .filter(|c| c.leader == from.index)
        {
            contact.heard = now;
        }
    }

    /// A replica says who leads its group. Returns whether that changed the belief.
    pub(super) fn redirect(&mut self, now: LocalTime, from: ReplicaId, leader: Option<u8>) -> bool {
        let known = leader.filter(|&index| index < self.topology.replica_count(from.group));
        match (self.contacts.get_mut(&from.group), known) {
            (Some(contact), Some(index)) if contact.leader == from.index && index != from.index => {
                contact.leader = index;
                contact.changed = now;
                true
            }
            _ => false,
        }
    }

    /// Nothing has answered what was sent to the group at `sent`: believes in the next replica,
    /// unless the believed one was heard of since or has only just become believed.
    pub(super) fn suspect(&mut self, now: LocalTime, group: GroupId, sent: LocalTime) {
        let count = self.topology.replica_count(group);
        if let Some(contact) = self.contacts.get_mut(&group)
            && contact.heard <= sent
            && contact.changed <= sent
        {
            contact.leader = (contact.leader + 1) % count.max(1);
            contact.changed = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PartitionId;

    fn replica(index: u8) -> ReplicaId {
        ReplicaId {
            group: PartitionId(0).into(),
            index,
        }
    }

    fn at(micros: u64) -> LocalTime {
        LocalTime::from_micros(micros)
    }

    fn contacts() -> Contacts {
        Contacts::new(Topology::new(2, 3).unwrap())
    }

    #[test]
    fn only_the_believed_leader_can_name_another_one_that_exists() {
        let (mut contacts, group) = (contacts(), replica(0).group);
        assert!(!contacts.redirect(at(1), replica(1), Some(2)));
        assert!(!contacts.redirect(at(1), replica(0), None));
        assert!(!contacts.redirect(at(1), replica(0), Some(0)));
        assert!(!contacts.redirect(at(1), replica(0), Some(3)));
        assert_eq!(contacts.leader(group), replica(0));
        assert!(contacts.redirect(at(1), replica(0), Some(2)));
        assert_eq!(contacts.leader(group), replica(2));
    }

    #[test]
    fn a_silent_leader_is_suspected_once_for_each_message_in_vain() {
        let (mut contacts, group) = (contacts(), replica(0).group);
        contacts.heard(at(5), replica(0));
        contacts.suspect(at(9), group, at(4));
        assert_eq!(contacts.leader(group), replica(0));
        contacts.suspect(at(9), group, at(6));
        assert_eq!(contacts.leader(group), replica(1));
        // The new one has been believed in since 9 only.
        contacts.suspect(at(10), group, at(6));
        assert_eq!(contacts.leader(group), replica(1));
        contacts.suspect(at(30), group, at(20));
        contacts.suspect(at(40), group, at(30));
        assert_eq!(contacts.leader(group), replica(0));
    }

    #[test]
    fn a_group_that_the_cluster_does_not_have_changes_nothing() {
        let mut contacts = contacts();
        contacts.suspect(at(9), GroupId::ORACLE, at(1));
        let stranger = ReplicaId {
            group: GroupId::ORACLE,
            index: 0,
        };
        assert!(!contacts.redirect(at(1), stranger, Some(1)));
    }
}
