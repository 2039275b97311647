//! What one replica says of its group, as it changes: who leads it, and whether it takes full part
//! itself.
//!
//! Invariant: a line for each change, and none else.

use ssmr_core::{ReplicaId, Status};

/// What was said last.
#[derive(Debug)]
pub(super) struct News {
    id: ReplicaId,
    leader: Option<u8>,
    term: u64,
    is_voter: bool,
}

impl News {
    /// Of a replica that takes full part or not as it starts.
    pub(super) fn new(id: ReplicaId, is_voter: bool) -> Self {
        Self {
            id,
            leader: None,
            term: 0,
            is_voter,
        }
    }

    /// How it is now. Says what has changed.
    pub(super) fn look(&mut self, status: &Status, term: u64, hears_leader: bool) {
        let leader = status.leader.filter(|_| hears_leader);
        if leader != self.leader || leader.is_some() && term != self.term {
            self.leader_changed(leader, term);
        }
        if status.is_voter != self.is_voter {
            self.is_voter = status.is_voter;
            let (id, applied) = (self.id, status.applied);
            if status.is_voter {
                tracing::info!(%id, applied, "the replica is a voter of its group");
            } else {
                tracing::info!(%id, applied, "the replica is no voter of its group any more");
            }
        }
    }

    fn leader_changed(&mut self, leader: Option<u8>, term: u64) {
        let (id, group) = (self.id, self.id.group);
        let name = |index: u8| ReplicaId { group, index }.to_string();
        let former = self.leader.map(name);
        match leader.map(name) {
            Some(leader) if term == self.term => {
                tracing::info!(%id, %group, leader, term, "the leader is heard of again");
            }
            Some(leader) => {
                tracing::info!(%id, %group, leader, term, former, "a leader was elected");
            }
            None => tracing::info!(%id, %group, former, term, "the leader is lost"),
        }
        if leader.is_some() {
            self.term = term;
        }
        self.leader = leader;
    }
}
