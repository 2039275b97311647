//! How surely a leader leads, for reads that are not ordered (section 6.4 of Ongaro's thesis).
//!
//! A leader asks its followers to confirm it, and knows from the answers of a majority that no later leader had been elected when
//! it asked: one would have needed a vote of theirs, and they would not have confirmed an older term after that. With its
//! answer each follower promises, besides, not to vote for an election timeout: the lease is a little shorter, for clocks that
//! do not run equally fast. It is asked for when reads come, and never else.

use super::{Body, ELECTION, HEARTBEAT, RaftLog, RaftMessage, position};
use crate::log::{GroupLog, LogOutbox};
use noraft::NodeId;
use ssmr_core::log::MemberId;
use ssmr_core::multicast::Tenure;
use ssmr_core::{LocalTime, Micros};

/// How long a confirmed leader may count on it.
const LEASE: Micros = ELECTION * 4 / 5;

impl RaftLog {
    /// Whether this replica's vote is bound: it leads and hears a majority, or it has heard of a leader just now.
    pub(super) fn is_bound(&self, now: LocalTime) -> bool {
        self.is_leader() && self.has_quorum(now)
            || self.contact.is_some_and(|at| now < at + ELECTION)
    }

    /// The first thing that happens to a replica that comes back: what it promised when it was last up binds it still.
    pub(super) fn wake(&mut self, now: LocalTime) {
        if std::mem::take(&mut self.drowsy) {
            self.contact = Some(now);
            self.deadline = now + self.patience();
        }
    }

    /// What this leader knows: nothing before it has committed an entry of its own, for only then it knows what its predecessors had.
    pub(super) fn current_tenure(&self, now: LocalTime) -> Option<Tenure> {
        let commit = self.node.commit_index();
        let (at, _) = self.node.log().get_position_and_config(commit)?;
        let own = position(at).1 == self.term();
        if !self.is_leader() || !own || self.polled < commit.get() {
            return None;
        }
        let confirmed = self.confirmed(now)?;
        let until = confirmed + LEASE;
        Some(Tenure { confirmed, until })
    }

    /// The last moment at which a majority is known to have followed this leader.
    fn confirmed(&self, now: LocalTime) -> Option<LocalTime> {
        let of = |id: &MemberId| self.followers.get(id).and_then(|known| known.confirmed);
        let others = self.others();
        let moments = others.iter().filter_map(of).chain([now]);
        let by_majority = |moment: &LocalTime| {
            self.is_majority(|id| id == self.me || of(&id).is_some_and(|at| at >= *moment))
        };
        moments.filter(by_majority).max()
    }

    /// A leader that hears no majority does not ask: followers that still hear it must be free to elect one that it can hear.
    pub(super) fn ask_to_be_confirmed(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        let open = self
            .confirm_asked
            .is_some_and(|at| self.confirmed(now) < Some(at) && now < at + HEARTBEAT);
        if !self.is_leader() || open || !self.has_quorum(now) {
            return;
        }
        self.confirm_asked = Some(now);
        let (term, asked) = (self.term(), now);
        for to in self.others() {
            self.tell(to, Body::Confirm { term, asked }, out);
        }
    }

    pub(super) fn on_confirm(
        &mut self,
        now: LocalTime,
        from: MemberId,
        term: u64,
        asked: LocalTime,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let follows = self.node.role().is_follower()
            && self.node.voted_for() == Some(NodeId::new(from.number()));
        if term == self.term() && follows {
            self.contact = Some(now);
            self.deadline = now + self.patience();
            self.tell(from, Body::Confirmed { term, asked }, out);
        }
    }

    pub(super) fn on_confirmed(
        &mut self,
        now: LocalTime,
        from: MemberId,
        term: u64,
        asked: LocalTime,
    ) {
        self.hear(now, from);
        if term == self.term()
            && self.is_leader()
            && let Some(follower) = self.followers.get_mut(&from)
        {
            follower.confirmed = follower.confirmed.max(Some(asked.min(now)));
        }
    }
}
