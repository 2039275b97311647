//! Before an election: whether a majority is heard of, and pre-vote (section 9.6 of Ongaro's thesis).
//!
//! A replica that cannot win disturbs nobody: it asks first, and only a majority of willing voters makes it campaign. And who
//! has heard of a leader within an election timeout votes for nobody: that is what a leader's lease rests on.

use super::{Body, ELECTION, RaftLog, RaftMessage};
use crate::log::{GroupLog, LogOutbox};
use ssmr_core::LocalTime;
use ssmr_core::log::{MemberId, Position};

impl RaftLog {
    /// Whether a majority, this replica included, has been heard of within two election timeouts.
    pub(super) fn has_quorum(&self, now: LocalTime) -> bool {
        let recent = |id| {
            let heard = self.followers.get(&id).map(|follower| follower.heard);
            heard.is_some_and(|heard| heard + 2 * ELECTION > now)
        };
        self.is_majority(|id| id == self.me || recent(id))
    }

    /// Asks whether an election could be won before disturbing anybody with one.
    pub(super) fn canvass(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        self.deadline = now + self.patience();
        if !self.may_vote() {
            return;
        }
        self.pre_votes = [self.me].into();
        self.call_pre_votes(out);
        self.campaign_if_wanted(now, out);
    }

    pub(super) fn call_pre_votes(&self, out: &mut LogOutbox<RaftMessage>) {
        let (term, last) = (self.term() + 1, self.last());
        for to in self.others() {
            self.tell(to, Body::PreVoteCall { term, last }, out);
        }
    }

    fn campaign_if_wanted(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        // To campaign is to vote, for itself.
        if !self.is_bound(now) && self.is_majority(|id| self.pre_votes.contains(&id)) {
            self.pre_votes.clear();
            self.node.handle_election_timeout();
            self.drain(now, &[], out);
        }
    }

    pub(super) fn on_pre_vote_granted(
        &mut self,
        now: LocalTime,
        from: MemberId,
        term: u64,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        self.hear(now, from);
        if term == self.term() + 1 && !self.pre_votes.is_empty() {
            self.pre_votes.insert(from);
            self.campaign_if_wanted(now, out);
        }
    }

    pub(super) fn on_pre_vote(
        &mut self,
        now: LocalTime,
        from: MemberId,
        term: u64,
        last: Position,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let up_to_date = (last.1, last.0) >= (self.last().1, self.last().0);
        let granted = !self.is_bound(now) && up_to_date && term > self.term();
        // An asker with a lower term may be the only one with an electable log: it must learn the term, or nobody wins.
        if granted || term <= self.term() {
            let term = term.max(self.term());
            self.tell(from, Body::PreVoteReply { term, granted }, out);
        }
    }
}
