//! The other groups, seen from a replica of this one: whom to talk to, what was sent, what came in.
//!
//! A leader sends what the links hold until it is acknowledged; whoever else leads the receiving
//! group by then gets it again.

use crate::incoming::{IncomingLink, Wanted};
use crate::leader::Fetch;
use crate::link::{Item, Links, Outgoing, WireValue};
use crate::message::Message;
use serde::{Deserialize, Serialize};
use ssmr_core::{GroupId, LocalTime, LogTime, Micros, ReplicaId, Topology, ValueCodec};
use std::collections::BTreeMap;

/// How many items of a link one message carries.
const LINK_ITEMS: usize = 4096;
/// How many bytes of values one link message carries, unless a single item is larger.
const LINK_BYTES: usize = 4 << 20;
/// How long a link's items may stay unacknowledged before they are sent again; twice as long after
/// each time in vain, up to [`LONGEST_RESEND`], lest a group that cannot keep up has more to do.
const RESEND: Micros = 400_000;
/// See [`RESEND`].
const LONGEST_RESEND: Micros = 8 * RESEND;

/// How the links between this group and another one stand, as one of this group's replicas knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// The other group.
    pub to: GroupId,
    /// How many items this group has ever put into its link to it.
    pub sent: u64,
    /// How many of these the other group is known to have logged. The others are kept.
    pub acknowledged: u64,
    /// How many items of the other group's link this one has logged.
    pub received: u64,
    /// How often this replica, while it led, has sent items again that stayed unacknowledged.
    pub resends: u64,
    /// How often the other group has not found values in the shared cache, and asked this replica
    /// for them.
    pub pulls_in_full: u64,
}

/// Messages on their way to other replicas.
pub(crate) type Mail = Vec<(ReplicaId, Message)>;

/// All other groups.
#[derive(Debug)]
pub(crate) struct Peers {
    topology: Topology,
    peers: BTreeMap<GroupId, Peer>,
    /// How much longer a message takes there and back than on a local network.
    round_trip: Micros,
}

/// Another group.
#[derive(Debug, Default)]
struct Peer {
    /// The replica that is believed to lead it.
    leader: u8,
    /// The replica that is asked for commands: apart from the believed leader, for any replica can
    /// answer this.
    fetch_from: u8,
    /// The last item of our link that was sent.
    sent: u64,
    /// Items up to this number are sent with their values, for the receiver did not find them in
    /// the cache.
    in_full: u64,
    /// When the receiver last acknowledged something new, or items were last sent again.
    progress: LocalTime,
    /// How often they were sent again since it acknowledged something new.
    resent: u32,
    /// How often they were sent again since this replica was started.
    resends: u64,
    /// How often the receiver did not find values in the cache and asked for them, since then.
    pulls_in_full: u64,
    acknowledged: u64,
    incoming: IncomingLink,
}

impl Peer {
    /// Goes on where the links stand.
    fn begin(&mut self, group: GroupId, links: &Links) {
        self.incoming.reset(links.received(group));
        self.acknowledged = links.to(group).map_or(0, Outgoing::acknowledged);
        (self.sent, self.resent) = (self.acknowledged, 0);
    }

    /// The next items that fit one message.
    fn next_items(
        &mut self,
        now: LocalTime,
        link: &Outgoing,
        values: &mut dyn ValueCodec,
    ) -> Vec<Item<WireValue>> {
        let (mut items, mut bytes) = (Vec::new(), 0);
        for item in link.items_after(self.sent).take(LINK_ITEMS) {
            self.sent += 1;
            let item = if self.sent > self.in_full {
                item.clone().pack(now, values)
            } else {
                item.clone().in_full(now, values)
            };
            bytes += item.size();
            items.push(item);
            if bytes >= LINK_BYTES {
                break;
            }
        }
        items
    }
}

impl Peers {
    /// How much longer a message takes there and back than on a local network.
    pub(crate) fn round_trip(&self) -> Micros {
        self.round_trip
    }

    /// The groups of a topology but one, of which nothing is known yet.
    pub(crate) fn of(group: GroupId, topology: Topology, round_trip: Micros) -> Self {
        let others = topology.groups().without(group);
        Self {
            topology,
            round_trip,
            peers: others
                .iter()
                .map(|group| (group, Peer::default()))
                .collect(),
        }
    }

    /// Goes on where the links stand.
    pub(crate) fn begin(&mut self, links: &Links) {
        for (&group, peer) in &mut self.peers {
            peer.begin(group, links);
        }
    }

    /// Begins to lead: tells everybody.
    pub(crate) fn begin_to_lead(
        &mut self,
        now: LocalTime,
        time: LogTime,
        links: &Links,
        out: &mut Mail,
    ) {
        self.begin(links);
        for peer in self.peers.values_mut() {
            peer.progress = now;
        }
        self.tell_all(&Message::Leading { time }, out);
    }

    /// Tells all replicas of all other groups something.
    pub(crate) fn tell_all(&self, message: &Message, out: &mut Mail) {
        let members = self.peers.keys().map(|group| self.topology.members(*group));
        out.extend(members.flatten().map(|to| (to, message.clone())));
    }

    /// The replica that is believed to lead a group.
    pub(crate) fn leader_of(&self, group: GroupId) -> ReplicaId {
        let index = self.peers.get(&group).map_or(0, |peer| peer.leader);
        ReplicaId { group, index }
    }

    /// Whether a replica is believed to lead its group.
    pub(crate) fn believes_in(&self, id: ReplicaId) -> bool {
        let peer = self.peers.get(&id.group);
        peer.is_some_and(|peer| peer.leader == id.index)
    }

    /// A replica leads its group, or has just begun to: what the group was sent goes to the right
    /// one.
    pub(crate) fn redirect(&mut self, now: LocalTime, leader: ReplicaId) {
        let known = leader.index < self.topology.replica_count(leader.group);
        if let Some(peer) = self.peers.get_mut(&leader.group).filter(|_| known) {
            peer.leader = leader.index;
            peer.sent = peer.acknowledged;
            (peer.progress, peer.resent) = (now, 0);
        }
    }

    /// A replica speaks as a leader does.
    pub(crate) fn heard_leader(&mut self, id: ReplicaId) {
        if let Some(peer) = self
            .peers
            .get_mut(&id.group)
            .filter(|p| p.leader != id.index)
        {
            (peer.leader, peer.resent) = (id.index, 0);
        }
    }

    /// Items of the link from a group have come.
    pub(crate) fn take_items(&mut self, from: ReplicaId, first: u64, items: Vec<Item<WireValue>>) {
        if let Some(peer) = self.peers.get_mut(&from.group) {
            peer.incoming.take(from.index, first, items);
        }
    }

    /// A group has logged our items up to a number. Returns whether that is new.
    pub(crate) fn acknowledged(&mut self, now: LocalTime, by: GroupId, upto: u64) -> bool {
        let Some(peer) = self
            .peers
            .get_mut(&by)
            .filter(|peer| upto > peer.acknowledged)
        else {
            return false;
        };
        peer.acknowledged = upto;
        (peer.progress, peer.resent) = (now, 0);
        true
    }

    /// A group wants the items after a number again, perhaps with their values.
    pub(crate) fn pull(&mut self, by: GroupId, after: u64, in_full: bool) {
        if let Some(peer) = self.peers.get_mut(&by) {
            if in_full {
                peer.in_full = peer.sent;
                peer.pulls_in_full += 1;
            }
            peer.sent = after.max(peer.acknowledged).min(peer.sent);
        }
    }

    /// The items from a group up to a number are logged.
    pub(crate) fn logged(&mut self, from: GroupId, received: u64) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.incoming.logged(received);
        }
    }

    /// Takes out what has come in over the links, as far as its values are there, and asks for
    /// values that cannot be found.
    pub(crate) fn take_ready(
        &mut self,
        now: LocalTime,
        values: &mut dyn ValueCodec,
        batch_bytes: usize,
        out: &mut Mail,
    ) -> Vec<Received> {
        let mut received = Vec::new();
        for (&from, peer) in &mut self.peers {
            let (first, items) = peer.incoming.take_ready(now, values, batch_bytes);
            if let Some(wanted) = peer.incoming.wants_again(now, self.round_trip) {
                let (group, index) = (from, wanted.from);
                let Wanted { after, in_full, .. } = wanted;
                out.push((ReplicaId { group, index }, Message::Pull { after, in_full }));
            }
            if !items.is_empty() {
                received.push(Received { from, first, items });
            }
        }
        received
    }

    /// Sends the items that are new, and the acknowledgements that are due.
    pub(crate) fn send_links(
        &mut self,
        now: LocalTime,
        time: LogTime,
        links: &Links,
        values: &mut dyn ValueCodec,
        out: &mut Mail,
    ) {
        for (&group, peer) in &mut self.peers {
            let index = peer.leader;
            let to = ReplicaId { group, index };
            if peer.incoming.acknowledgement_due() {
                let upto = links.received(group);
                out.push((to, Message::Acknowledge { upto, time }));
            }
            let Some(link) = links.to(group) else {
                continue;
            };
            peer.acknowledged = peer.acknowledged.max(link.acknowledged());
            if peer.sent <= peer.acknowledged {
                peer.progress = now;
            }
            peer.sent = peer.sent.max(peer.acknowledged);
            while peer.sent < link.last() {
                let first = peer.sent + 1;
                let items = peer.next_items(now, link, values);
                out.push((to, Message::Link { first, items }));
            }
        }
    }

    /// Sends again what has stayed unacknowledged, to the next replica if the believed leader stays
    /// silent.
    pub(crate) fn resend_links(&mut self, now: LocalTime) {
        for (&group, peer) in &mut self.peers {
            let unacknowledged = peer.sent > peer.acknowledged;
            // The other group must reach a majority of its own before it acknowledges.
            let patience = (RESEND << peer.resent.min(16)).min(LONGEST_RESEND);
            let patience = patience + 2 * self.round_trip;
            if unacknowledged && now >= peer.progress + patience {
                peer.resent += 1;
                peer.resends += 1;
                peer.leader = (peer.leader + 1) % self.topology.replica_count(group).max(1);
                peer.sent = peer.acknowledged;
                peer.progress = now;
            }
        }
    }

    /// Asks for commands; another replica of a group where an earlier question was in vain, for the
    /// one asked may be gone.
    pub(crate) fn fetch(&mut self, commands: &[Fetch], out: &mut Mail) {
        for (&group, peer) in &mut self.peers {
            let mut from_here = commands.iter().filter(|fetch| fetch.from == group);
            let step = u8::from(from_here.any(|fetch| fetch.repeated));
            peer.fetch_from = (peer.fetch_from + step) % self.topology.replica_count(group).max(1);
        }
        for Fetch { id, from, .. } in commands {
            let index = self.peers.get(from).map_or(0, |peer| peer.fetch_from);
            let to = ReplicaId {
                group: *from,
                index,
            };
            out.push((to, Message::Fetch { id: *id }));
        }
    }

    /// How the links to all other groups stand.
    pub(crate) fn states(&self, links: &Links) -> Vec<LinkState> {
        let state = |(&to, peer): (&GroupId, &Peer)| {
            let link = links.to(to);
            LinkState {
                to,
                sent: link.map_or(0, Outgoing::last),
                acknowledged: link.map_or(0, Outgoing::acknowledged),
                received: links.received(to),
                resends: peer.resends,
                pulls_in_full: peer.pulls_in_full,
            }
        };
        self.peers.iter().map(state).collect()
    }

    /// How the links stand, for diagnosis.
    pub(crate) fn describe(&self, links: &Links) -> String {
        let mut text = String::new();
        for (&group, peer) in &self.peers {
            let link = links.to(group);
            let (acknowledged, last) = link.map_or((0, 0), |l| (l.acknowledged(), l.last()));
            let received = links.received(group);
            text += &format!(
                "; {group} (r{}): sent {} of {acknowledged}..{last}, received {received}, {:?}",
                peer.leader, peer.sent, peer.incoming
            );
        }
        text
    }
}

/// Items of a link with all their values.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) from: GroupId,
    pub(crate) first: u64,
    pub(crate) items: Vec<Item>,
}
