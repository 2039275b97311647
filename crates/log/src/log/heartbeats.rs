//! What a leader says when it has been silent for a while.

use super::GroupLog;
use crate::membership;
use crate::message::Body;
use crate::outbox::LogOutbox;
use crate::transfer::Chunks;
use std::time::Duration;

impl GroupLog {
    /// Says that it leads, sends again what seems lost, and takes in those that are filled.
    pub(super) fn send_heartbeats(&mut self, now: Duration, out: &mut LogOutbox) {
        self.election.heartbeat_sent(now);
        if !self.followers.include_quorum(now, &self.consensus) {
            // Followers that still hear this leader must be free to elect one that it can hear. So
            // no heartbeat, but a question that does not hold them back; whoever answers counts as
            // heard.
            self.call_pre_votes(out);
            return;
        }
        self.followers.tend(now, &self.consensus);
        let mut chunks = Chunks::new();
        self.transfers
            .tend(now, self.followers.timing(), &mut chunks);
        self.send_chunks(chunks, out);
        if !self.is_handing_over() && membership::promote(&mut self.consensus) {
            self.carry_out(now, &[], out);
        }
        self.consensus.heartbeat();
        self.carry_out(now, &[], out);
        self.speak_past_bulk(now, out);
    }

    /// Heartbeats keep their place behind the entries that were sent before them, which may take
    /// longer than an election timeout. So whoever lacks any, and has been silent for a heartbeat,
    /// is asked besides whether it still follows, which waits for nothing.
    fn speak_past_bulk(&mut self, now: Duration, out: &mut LogOutbox) {
        let (term, asked) = (self.term(), now);
        let heartbeat = self.followers.timing().heartbeat;
        for to in self.consensus.others() {
            let heard = self.followers.get(to).map(|follower| follower.heard);
            let silent = heard.is_none_or(|heard| heard + heartbeat <= now);
            let lacks_entries = self.consensus.matched(to) < self.consensus.last().index;
            if silent && (lacks_entries || self.transfers.is_filling(to)) {
                self.tell(to, Body::ConfirmLeadership { term, asked }, out);
            }
        }
    }
}
