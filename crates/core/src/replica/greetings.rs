//! What time it is, for clients that open a session.

use super::partition::Partition;
use super::{Replica, ReplicaOutbox};
use crate::answer::ServerMessage;
use crate::id::ClientId;
use crate::multicast::{ConfirmedReads, Snapshots};

/// How many clients may wait to be told the time. Those beyond ask again by themselves.
const MOST_GREETED: usize = 1 << 12;

impl<M: ConfirmedReads + Snapshots, P: Partition> Replica<M, P> {
    /// A client asks for the time. Who does not know what the group knows has none to tell: a
    /// session that was opened at the time of a replica which has only just started may have
    /// expired long ago.
    pub(super) fn greet(&mut self, from: ClientId) -> Option<ServerMessage> {
        let status = self.multicast.status();
        if status.is_current {
            Some(ServerMessage::Time(status.log_time))
        } else if status.is_leader {
            if self.greeted.len() < MOST_GREETED {
                self.greeted.push(from);
            }
            None
        } else {
            let leader = status.leader;
            Some(ServerMessage::NotLeader { leader })
        }
    }

    /// Tells the time to those who asked for it too early, or that another replica knows it.
    pub(super) fn answer_greetings(&mut self, out: &mut ReplicaOutbox<M>) {
        let status = self.multicast.status();
        if self.greeted.is_empty() || status.is_leader && !status.is_current {
            return;
        }
        for from in std::mem::take(&mut self.greeted) {
            let reply = self.greet(from);
            out.clients.extend(reply.map(|reply| (from, reply)));
        }
    }
}
