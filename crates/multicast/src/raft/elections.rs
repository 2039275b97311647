//! Before an election: whether a majority is heard of, and pre-vote (section 9.6 of Ongaro's thesis).
//!
//! A replica that cannot win disturbs nobody: it asks first, and only a majority of willing voters makes it campaign.

use super::{ELECTION, Position, RaftLog, RaftMessage};
use crate::log::{GroupLog, LogOutbox};
use ssmr_core::Micros;

impl RaftLog {
    pub(super) fn majority(&self) -> usize {
        self.followers.len() / 2 + 1
    }

    /// Whether a majority, this replica included, has been heard of within an election timeout.
    pub(super) fn has_quorum(&self, now: Micros) -> bool {
        let recent = |&index: &u8| self.followers[usize::from(index)].heard + 2 * ELECTION > now;
        1 + self.others().filter(recent).count() >= self.majority()
    }

    /// Asks whether an election could be won before disturbing anybody with one.
    pub(super) fn canvass(&mut self, now: Micros, out: &mut LogOutbox<RaftMessage>) {
        self.deadline = now + self.patience();
        self.pre_votes = 1 << self.index;
        let call = RaftMessage::PreVoteCall {
            term: self.term() + 1,
            last: self.last(),
        };
        out.messages
            .extend(self.others().map(|to| (to, call.clone())));
        self.campaign_if_wanted(now, out);
    }

    pub(super) fn campaign_if_wanted(&mut self, now: Micros, out: &mut LogOutbox<RaftMessage>) {
        if self.pre_votes.count_ones() as usize >= self.majority() {
            self.pre_votes = 0;
            self.node.handle_election_timeout();
            self.drain(now, &[], out);
        }
    }

    pub(super) fn on_pre_vote(
        &mut self,
        now: Micros,
        from: u8,
        term: u64,
        last: Position,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let content = self.node.role().is_leader() && self.has_quorum(now)
            || self.contact.is_some_and(|at| now < at + ELECTION);
        let up_to_date = (last.1, last.0) >= (self.last().1, self.last().0);
        let granted = !content && up_to_date && term > self.term();
        // An asker with a lower term may be the only one with an electable log: it must learn the term, or nobody wins.
        if granted || term <= self.term() {
            let term = term.max(self.term());
            out.messages
                .push((from, RaftMessage::PreVoteReply { term, granted }));
        }
    }
}
