//! What a directed scenario does to the world by hand: messages held back, lost or invented, clocks that jump.
//!
//! Seeded faults are elsewhere ([`simulate`](crate::simulate())); here is nothing random.

use super::{Event, ReplicaInput, World};
use crate::network::Seat;
use ssmr_core::{
    ClientId, GroupId, Hint, Micros, Oracle, PartitionId, PeerMessage, ReplicaId, ServerMessage,
};

impl<O: Oracle> World<O> {
    /// Has everything that one of `from` sends to one of `to` wait.
    pub(crate) fn hold(&mut self, from: &[Seat], to: &[Seat]) {
        pairs(from, to).for_each(|(from, to)| self.network.hold(from, to));
    }

    /// Loses everything that one of `from` sends to one of `to`, until the network heals.
    pub(crate) fn cut(&mut self, from: &[Seat], to: &[Seat]) {
        pairs(from, to).for_each(|(from, to)| self.network.cut(from, to));
    }

    /// Holds nothing back any more. What waits goes on waiting.
    pub(crate) fn let_through(&mut self) {
        self.network.let_through();
    }

    /// Holds nothing back any more, and delivers what waited. Returns how many messages that were.
    pub(crate) fn release(&mut self) -> usize {
        self.let_through();
        let held = std::mem::take(&mut self.held);
        let count = held.len();
        held.into_iter().for_each(|event| self.schedule(1, event));
        count
    }

    /// Holds nothing back any more, and loses what waited. Returns how many messages that were.
    pub(crate) fn discard(&mut self) -> usize {
        self.let_through();
        std::mem::take(&mut self.held).len()
    }

    /// Tells a client hints, true or not, as if a replica had answered a consultation.
    pub(crate) fn tell_client(&mut self, to: ClientId, hints: Vec<Hint>) {
        let group = GroupId::from(PartitionId(0));
        let from = ReplicaId { group, index: 0 };
        let unknown = Vec::new();
        let message = ServerMessage::Consulted { hints, unknown };
        self.schedule(1, Event::ToClient(to, from, message));
    }

    /// Tells all replicas hints, true or not, as if another replica had sent them.
    pub(crate) fn tell_replicas(&mut self, hints: &[Hint]) {
        for to in self.layout.replicas().collect::<Vec<_>>() {
            let input = ReplicaInput::Peer(PeerMessage::Hints(hints.to_vec()));
            self.schedule(1, Event::ToReplica(to, Seat::Replica(to), input));
        }
    }

    /// A replica's machine clock jumps ahead.
    pub(crate) fn jump_ahead(&mut self, id: ReplicaId, by: Micros) {
        if let Some(member) = self.members.get_mut(&id) {
            member.ahead += by;
            self.report.jumps += 1;
        }
    }
}

fn pairs<'a>(from: &'a [Seat], to: &'a [Seat]) -> impl Iterator<Item = (Seat, Seat)> + 'a {
    let all = move |&from: &'a Seat| to.iter().map(move |&to| (from, to));
    from.iter().flat_map(all)
}
