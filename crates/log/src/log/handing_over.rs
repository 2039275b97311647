//! The leader's part in a hand-over, and that of whoever takes over.

use super::GroupLog;
use crate::hand_over::HandOverRefused;
use crate::member::MemberId;
use crate::message::Body;
use crate::outbox::LogOutbox;
use std::time::Duration;

impl GroupLog {
    /// Hands leadership over to the replica of that index, or to the voter that is most caught up.
    /// Returns to whom. This replica [proposes nothing](Self::is_handing_over) until another one
    /// leads, or for an election timeout; then it goes on. Once it has asked the other one, it has
    /// no lease in this term any more.
    ///
    /// # Errors
    /// If this replica cannot hand over, or not to that one.
    pub fn hand_over(
        &mut self,
        now: Duration,
        to: Option<u8>,
        out: &mut LogOutbox,
    ) -> Result<MemberId, HandOverRefused> {
        let (consensus, followers) = (&self.consensus, &self.followers);
        let to = self.hand_over.begin(now, to, consensus, followers)?;
        self.go_on_handing_over(now, out);
        Ok(to)
    }

    /// Whether this replica leads and hands over: it proposes nothing for that long.
    #[must_use]
    pub fn is_handing_over(&self) -> bool {
        self.is_leader() && self.hand_over.is_under_way()
    }

    /// Asks the successor to campaign as soon as it has all that there is; gives up what takes too
    /// long.
    pub(super) fn go_on_handing_over(&mut self, now: Duration, out: &mut LogOutbox) {
        let timing = self.followers.timing();
        if let Some(to) = self.hand_over.poll_request(now, &self.consensus, timing) {
            let term = self.term();
            self.tell(to, Body::TakeOver { term }, out);
        }
    }

    /// A leader of that term asks this replica to take over. It need not ask whether it could win:
    /// voters are free.
    pub(super) fn on_take_over(
        &mut self,
        now: Duration,
        from: MemberId,
        term: u64,
        out: &mut LogOutbox,
    ) {
        let follows = term == self.term() && self.consensus.follows(from);
        if follows && self.consensus.may_vote() {
            self.hand_over.request(term + 1);
            self.consensus.campaign();
            self.carry_out(now, &[], out);
        }
    }
}
