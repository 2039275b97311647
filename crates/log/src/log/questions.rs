//! What a replica's log can be asked.

use super::GroupLog;
use crate::founding::{self, Holding};
use crate::member::{MemberId, Members};
use crate::record::Cut;
use std::time::Duration;

impl GroupLog {
    /// What this replica's log amounts to, for whoever wants to found its group.
    #[must_use]
    pub fn holding(&self) -> Holding {
        founding::holding(&self.consensus)
    }

    /// Who this replica is in its present generation.
    #[must_use]
    pub fn member(&self) -> MemberId {
        self.me
    }

    /// Whether this replica is a member of its group, as far as it knows. One that is not asks the
    /// others to be taken in.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.consensus.is_member(self.me)
    }

    /// The last entry that is known to be committed.
    #[must_use]
    pub fn commit_index(&self) -> u64 {
        self.consensus.commit_index()
    }

    /// Whether this replica leads, as far as it knows.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.consensus.is_leader()
    }

    /// Whether this replica leads, and has polled all that its predecessors committed: what it
    /// knows is what the group knows.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let own = self.consensus.commit_term() == Some(self.term());
        self.is_leader() && own && self.polled >= self.consensus.commit_index()
    }

    /// Whether this replica's vote counts and will go on counting, as far as is committed.
    #[must_use]
    pub fn is_voter(&self) -> bool {
        self.consensus.is_settled_voter()
    }

    /// Who takes part as far as it is committed, unless a change is under way.
    #[must_use]
    pub fn settled_members(&self) -> Option<Members> {
        self.consensus.settled_members()
    }

    /// Who takes part by the last entry about it that is known to be committed, and by each one
    /// behind that, with the entry's index: whoever leads goes by one of these. None if nothing is
    /// known to be committed.
    #[must_use]
    pub fn possible_members(&self) -> Vec<(u64, Members)> {
        self.consensus.possible_members()
    }

    /// The index of the replica that leads, as far as is known.
    #[must_use]
    pub fn leader(&self) -> Option<u8> {
        self.consensus.leader().map(MemberId::index)
    }

    /// Whether this replica has heard of the replica that leads within two election time-outs, or,
    /// if it leads, of a majority. What it knows of the [leader](Self::leader) may be old else.
    #[must_use]
    pub fn hears_leader(&self, now: Duration) -> bool {
        if self.is_leader() {
            return self.followers.include_quorum(now, &self.consensus);
        }
        self.leader().is_some() && self.election.hears_leader_of(self.term(), now)
    }

    /// Whether this replica has heard of another one that leads in the present term: more than
    /// having [voted](Self::leader) for it.
    #[must_use]
    pub fn is_led(&self) -> bool {
        self.election.is_led_in(self.term())
    }

    /// The consensus term: it changes with every leader.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.consensus.term()
    }

    /// How many entries are proposed and not committed.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.consensus.last().index - self.consensus.commit_index()
    }

    /// How many entries are held in memory: those that no snapshot stands for, and what is kept for
    /// followers that lack them.
    #[must_use]
    pub fn entry_count(&self) -> usize {
        self.consensus.entry_count()
    }

    /// Where the log stands at entry `index`, which was polled: for a capture of the state then.
    ///
    /// # Panics
    /// If the entry is compacted.
    #[must_use]
    pub fn cut(&self, index: u64) -> Cut {
        self.consensus.cut(index)
    }

    /// Whether another replica is so far behind that only a snapshot can help it.
    #[must_use]
    pub fn wants_snapshot(&self) -> bool {
        self.is_leader() && self.transfers.want_snapshot()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{LogEntry, Stored};

    #[test]
    fn members_that_may_yet_be_agreed_on_are_possible_besides_the_last_ones_that_are() {
        let next = Members::voters((0..2).map(|index| MemberId::new(index, 0)).collect());
        let stored = Stored {
            term: 1,
            entries: vec![LogEntry::Term(1), LogEntry::Members(next.clone())],
            ..Stored::default()
        };
        let log = GroupLog::restore(0, 3, 1, stored);
        let founders = Members::founders(3);
        assert_eq!(log.possible_members(), [(0, founders), (2, next)]);
        let unfounded = Stored {
            generation: 7,
            ..Stored::default()
        };
        let log = GroupLog::restore(0, 3, 1, unfounded);
        assert_eq!(log.possible_members(), []);
    }
}
