//! Whom to talk to in each group: the believed leader, and what to believe instead when it stays silent.

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

#[derive(Clone, Copy, Debug, Default)]
struct Contact {
    leader: u8,
    /// When anything was last heard of the believed leader.
    heard: LocalTime,
    /// When the belief last changed: whoever is new gets a chance to answer.
    changed: LocalTime,
}

impl Contacts {
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
        let Some(contact) = self.contacts.get_mut(&from.group) else {
            return false;
        };
        match known {
            Some(index) if contact.leader == from.index && index != from.index => {
                *contact = Contact {
                    leader: index,
                    heard: contact.heard,
                    changed: now,
                };
                true
            }
            _ => false,
        }
    }

    /// Nothing has answered what was sent to the group at `sent`: believe in the next replica, unless the believed one was
    /// heard of since or has only just become believed.
    pub(super) fn suspect(&mut self, now: LocalTime, group: GroupId, sent: LocalTime) {
        let count = self.topology.replica_count(group);
        let Some(contact) = self.contacts.get_mut(&group).filter(|_| count > 0) else {
            return;
        };
        if contact.heard <= sent && contact.changed <= sent {
            *contact = Contact {
                leader: (contact.leader + 1) % count,
                changed: now,
                ..*contact
            };
        }
    }
}
