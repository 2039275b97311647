//! Leaders that hand over, and what becomes of their requests to take over: they come late, and the
//! leader hears nothing of its group any more as soon as it has asked.

use super::{Msg, World};
use ssmr_core::{Micros, PeerMessage, ReplicaId};
use ssmr_log::Body;
use ssmr_multicast::{GroupMulticast, Message};
use std::collections::{BTreeMap, BTreeSet};

/// What is to become of requests to take over, by the leader that makes them.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// How much later than other messages they come.
    late: BTreeMap<ReplicaId, Micros>,
    /// Those that hear nothing of their groups once they have asked.
    deafen: BTreeSet<ReplicaId>,
}

impl World {
    /// A leader hands over to the replica of that index, or to whoever is best. Its requests come
    /// so much later than other messages, and with `deaf` it hears nothing of its group any more
    /// when it has made one.
    pub(crate) fn hand_over(
        &mut self,
        leader: ReplicaId,
        to: Option<u8>,
        late: Micros,
        deaf: bool,
    ) {
        self.lament(leader, "hands over");
        self.requests.late.insert(leader, late);
        if deaf {
            self.requests.deafen.insert(leader);
        } else {
            self.requests.deafen.remove(&leader);
        }
        let now = self.clock_of(leader);
        let mut begun = false;
        self.with_replica(leader, 1, |replica, out| {
            let hand_over =
                |order: &mut GroupMulticast, out: &mut _| order.hand_over(now, to, out).is_ok();
            begun = replica.with_multicast(hand_over, out);
        });
        self.report.hand_overs += u64::from(begun);
    }

    /// How much later than others a message of a replica to another one comes.
    pub(super) fn lateness(&mut self, from: ReplicaId, msg: &PeerMessage<Msg>) -> Micros {
        let PeerMessage::Multicast(Message::Log(msg)) = msg else {
            return 0;
        };
        match msg.body {
            Body::VoteCall {
                requested: true, ..
            } => {
                self.report.requested_votes += 1;
                0
            }
            Body::TakeOver { .. } => {
                if self.requests.deafen.remove(&from) {
                    self.sever(from, true, false);
                }
                let late = self.requests.late.get(&from).copied().unwrap_or_default();
                self.report.late_requests += u64::from(late > 0);
                late
            }
            _ => 0,
        }
    }
}
