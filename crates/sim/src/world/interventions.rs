//! What a directed scenario does to the world by hand: messages held back, lost or invented.
//!
//! Seeded faults are elsewhere ([`simulate`](crate::simulate())); here is nothing random.

use super::{Msg, ReplicaInput, Requests, World, WorldEvent};
use crate::network::Seat;
use ssmr_core::{
    ClientId, Command, GroupId, Hint, Micros, Partition, PartitionId, PeerMessage, ReplicaId,
    ServerMessage,
};
use ssmr_multicast::{Item, Message, WireValue};
use std::sync::Arc;

/// Messages that do not arrive because of what they say, whichever replicas they are between.
#[derive(Debug, Default)]
pub(super) struct Hands {
    /// Commands that a group relays to another wait.
    holds_relays: bool,
    /// Signals of this group are lost.
    loses_signals: Option<GroupId>,
}

impl World {
    /// Has everything that one of `from` sends to one of `to` wait.
    pub(crate) fn hold(&mut self, from: &[Seat], to: &[Seat]) {
        self.note(|| format!("held back: {} -> {}", names(from), names(to)));
        pairs(from, to).for_each(|(from, to)| self.network.hold(from, to));
    }

    /// Loses everything that one of `from` sends to one of `to`, until the network heals.
    pub(crate) fn cut(&mut self, from: &[Seat], to: &[Seat]) {
        self.note(|| format!("cut: {} -> {}", names(from), names(to)));
        pairs(from, to).for_each(|(from, to)| self.network.cut(from, to));
    }

    /// Has every command wait that one group relays to another, or those to come no more.
    pub(crate) fn hold_relays(&mut self, holds: bool) {
        let what = if holds { "are held back" } else { "pass" };
        self.note(|| format!("commands that a group relays {what}"));
        self.hands.holds_relays = holds;
    }

    /// Loses what a group signals to others, or no group's signals any more.
    pub(crate) fn lose_signals(&mut self, of: Option<GroupId>) {
        self.note(|| match of {
            Some(group) => format!("signals of {group} are lost"),
            None => "signals arrive again".into(),
        });
        self.hands.loses_signals = of;
    }

    /// What a replica sends to another one, unless it is held back or lost for what it says.
    pub(super) fn pass_on(
        &mut self,
        from: ReplicaId,
        to: ReplicaId,
        msg: PeerMessage<Msg>,
    ) -> Option<PeerMessage<Msg>> {
        let signals =
            |items: &[Item<WireValue>]| items.iter().any(|item| matches!(item, Item::Signal(_)));
        match &msg {
            PeerMessage::Multicast(Message::Relay(_)) if self.hands.holds_relays => {
                let input = ReplicaInput::Peer(msg);
                self.held
                    .push(WorldEvent::ToReplica(to, Seat::Replica(from), input));
                None
            }
            PeerMessage::Multicast(Message::Link { items, .. })
                if self.hands.loses_signals == Some(from.group) && signals(items) =>
            {
                self.network.lost += 1;
                None
            }
            _ => Some(msg),
        }
    }

    /// Holds nothing back any more. What waits goes on waiting.
    pub(crate) fn let_through(&mut self) {
        self.note(|| "nothing more is held back".into());
        self.stop_holding();
    }

    fn stop_holding(&mut self) {
        self.network.let_through();
        self.hands.holds_relays = false;
    }

    /// Ends cuts and slowness, and with `calm` all other faults of the network too.
    pub(crate) fn heal(&mut self, calm: bool) {
        self.note(|| "all links work again".into());
        self.network.heal(calm);
        if calm {
            self.requests = Requests::default();
        }
    }

    /// Holds nothing back any more, and delivers what waited. Returns how many messages that were.
    pub(crate) fn release(&mut self) -> usize {
        self.note(|| "what was held back arrives".into());
        self.stop_holding();
        let held = std::mem::take(&mut self.held);
        let count = held.len();
        held.into_iter().for_each(|event| self.schedule(1, event));
        count
    }

    /// Holds nothing back any more, and loses what waited. Returns how many messages that were.
    pub(crate) fn discard(&mut self) -> usize {
        self.note(|| "what was held back is lost".into());
        self.stop_holding();
        std::mem::take(&mut self.held).len()
    }

    /// Tells a client hints, true or not, as if a replica had answered a consultation.
    pub(crate) fn tell_client(&mut self, to: ClientId, hints: Vec<Hint>) {
        let group = GroupId::from(PartitionId(0));
        let from = ReplicaId { group, index: 0 };
        self.trace.hinted(self.now, &format!("{to:?} is"), &hints);
        let unknown = Vec::new();
        let message = ServerMessage::Consulted { hints, unknown };
        self.schedule(1, WorldEvent::ToClient(to, from, message));
    }

    /// Tells all replicas hints, true or not, as if another replica had sent them.
    pub(crate) fn tell_replicas(&mut self, hints: &[Hint]) {
        self.trace.hinted(self.now, "all replicas are", hints);
        for to in self.topology.replicas().collect::<Vec<_>>() {
            let input = ReplicaInput::Peer(PeerMessage::Hints(hints.to_vec()));
            self.schedule(1, WorldEvent::ToReplica(to, Seat::Replica(to), input));
        }
    }

    /// How many entries of its log any replica of a group has applied.
    pub(crate) fn applied(&self, group: GroupId) -> u64 {
        let applied = self.living(group).map(|id| self.members[&id].applied);
        applied.max().unwrap_or_default()
    }

    /// From now on, storing something takes so long, and nobody takes any input meanwhile.
    pub(crate) fn even_out_stores(&mut self, time: Micros) {
        self.store_time = time;
    }

    /// How many delivered commands have not finished at the replica of a group that has most.
    pub(crate) fn unfinished(&self, group: GroupId) -> usize {
        let unfinished = |id| self.members[&id].replica.partition().unfinished_count();
        self.living(group).map(unfinished).max().unwrap_or_default()
    }

    /// How many messages wait for their release.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// How many entries the stored snapshots of all replicas of a group stand for, at least.
    pub(crate) fn captured(&self, group: GroupId) -> u64 {
        let disks = self.topology.members(group).map(|id| self.disks.get(&id));
        let captured = disks.map(|disk| disk.map_or(0, |disk| disk.base().index));
        captured.min().unwrap_or_default()
    }

    /// Clients that nobody knows hand commands in at a replica, all at once.
    pub(crate) fn flood(&mut self, to: ReplicaId, commands: Vec<Command>) {
        self.note(|| format!("{} strange commands reach {}", commands.len(), to.group));
        for command in commands {
            let event = WorldEvent::handed_in(to, &Arc::new(command));
            self.schedule(1, event);
        }
    }
}

/// The groups and clients that sit there.
fn names(seats: &[Seat]) -> String {
    let name = |seat: &Seat| match seat {
        Seat::Replica(id) => id.group.to_string(),
        Seat::Client(id) => format!("{id:?}"),
    };
    let mut names: Vec<String> = seats.iter().map(name).collect();
    names.dedup();
    names.join(", ")
}

fn pairs<'a>(from: &'a [Seat], to: &'a [Seat]) -> impl Iterator<Item = (Seat, Seat)> + 'a {
    let all = move |&from: &'a Seat| to.iter().map(move |&to| (from, to));
    from.iter().flat_map(all)
}
