//! What a replica does as the leader of its group, besides what its log does: it proposes what has
//! gathered, and answers the leaders of other groups.

use super::{GroupMulticast, since_start};
use crate::batch::Input;
use crate::leader::FAR_AHEAD;
use crate::link::Item;
use crate::message::Message;
use ssmr_core::multicast::Outbox;
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::{LocalTime, LogTime, ReplicaId, ValueCodec, codec};

/// How many batches may be on their way through the log; what arrives meanwhile goes into the next
/// one.
const PIPELINE: u64 = 4;

impl GroupMulticast {
    /// Moves what has come in over the links into the inbox, and proposes what has gathered if
    /// there is room in the pipeline. Does nothing while this replica hands over.
    pub(super) fn propose(
        &mut self,
        now: LocalTime,
        values: &mut dyn ValueCodec,
        out: &mut Outbox<Self>,
    ) {
        let Some(leader) = &mut self.leader else {
            return;
        };
        // What clients hand in meanwhile waits: they are told who leads then, or it is proposed.
        leader.hands_over = self.log.is_handing_over();
        if leader.hands_over {
            return;
        }
        let received = self
            .peers
            .take_ready(now, values, self.batch_bytes, &mut out.messages);
        for received in received {
            let signals = received.items.iter().filter_map(|item| match item {
                Item::Signal(signal) => Some((received.from, signal.clone())),
                Item::Timestamp { .. } => None,
            });
            self.arrived.extend(signals);
            leader.take(Input::Receive {
                from: received.from,
                first: received.first,
                items: received.items,
            });
        }
        if self.log.in_flight() < PIPELINE
            && let Some(batch) = leader.next_batch(now, self.order.time(), self.order.is_used())
        {
            let batch = codec::encode(&batch);
            self.log.propose(since_start(now), batch, &mut self.outbox);
        }
    }

    /// Mutant: a leader sends first though its own copy alone commits.
    pub(super) fn hurries(&self) -> bool {
        mutant::is_active(Mutant::LoneVoterSendsFirst) && self.leader.is_some()
    }

    /// The leader of another group tells that group's log time, and hears of this one's if that is
    /// far ahead.
    pub(super) fn on_time(&mut self, from: ReplicaId, time: LogTime, out: &mut Outbox<Self>) {
        if let Some(leader) = &mut self.leader {
            leader.told_time(time);
            let own = self.order.time();
            if own > time + FAR_AHEAD {
                out.send(from, Message::Time { time: own });
            }
        }
    }

    /// Takes a message of another group that only a leader can deal with.
    pub(super) fn on_leader_message(&mut self, now: LocalTime, from: ReplicaId, msg: Message) {
        let Some(leader) = &mut self.leader else {
            return;
        };
        match msg {
            Message::Link { first, items } => {
                self.peers.heard_leader(from);
                self.peers.take_items(from, first, items);
            }
            Message::Acknowledge { upto, time } => {
                self.peers.heard_leader(from);
                leader.told_time(time);
                if self.peers.acknowledged(now, from.group, upto) {
                    leader.acknowledged(from.group, upto);
                }
            }
            Message::Pull { after, in_full } => {
                self.peers.heard_leader(from);
                self.peers.pull(from.group, after, in_full);
            }
            Message::Relay(command) => {
                let mut missing = self.order.missing_commands();
                let ours = command.destinations.contains(self.id.group);
                if ours && missing.any(|(id, _)| id == command.message_id()) {
                    leader.take_command(command);
                }
            }
            _ => {}
        }
    }
}
