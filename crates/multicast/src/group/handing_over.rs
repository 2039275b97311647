//! A leader that hands over: what clients hand in waits meanwhile, and who has waited is told who
//! leads then. Also, what breaks the rules of hand-overs on purpose.

use super::{GroupMulticast, since_start};
use crate::leader::LeaderState;
use ssmr_core::LocalTime;
use ssmr_core::multicast::Outbox;
use ssmr_core::mutant::{self, Mutant};
use ssmr_log::{Body, HandOverRefused, LogMessage, MemberId};

impl GroupMulticast {
    /// Hands leadership over: see [`GroupLog::hand_over`](ssmr_log::GroupLog::hand_over).
    ///
    /// # Errors
    /// If this replica cannot hand over, or not to that one.
    pub fn hand_over(
        &mut self,
        now: LocalTime,
        to: Option<u8>,
        out: &mut Outbox<Self>,
    ) -> Result<MemberId, HandOverRefused> {
        let time = since_start(now);
        let begun = self.log.hand_over(time, to, &mut self.outbox);
        self.after_log(now, out);
        begun
    }

    /// This replica leads no more, or in another term: notes whose commands waited for the end of a
    /// hand-over.
    pub(super) fn turn_away(&mut self) {
        let leader = self.leader.as_ref().filter(|leader| leader.hands_over);
        self.turned_away = leader.map(LeaderState::waiting_clients).unwrap_or_default();
    }

    /// What a replica of the group says, and which one, as it is taken: just so, unless a rule is
    /// broken on purpose.
    pub(super) fn mutated(&self, from: u8, msg: LogMessage) -> (u8, LogMessage) {
        let own_term = self.log.term();
        match (msg.body, self.log.leader()) {
            (Body::TakeOver { term }, Some(leader))
                if term < own_term && mutant::is_active(Mutant::LateRequestsObeyed) =>
            {
                // As if the present leader had asked.
                let body = Body::TakeOver { term: own_term };
                (leader, LogMessage { body, ..msg })
            }
            (body, _) => (from, LogMessage { body, ..msg }),
        }
    }
}
