//! A leader's duties towards the other groups: sending what the links hold until it is acknowledged, finding their leaders,
//! and fetching commands that reached another destination only.

use crate::Message;
use crate::group::GroupMulticast;
use crate::incoming::IncomingLink;
use crate::link::{Links, Outgoing};
use crate::log::GroupLog;
use crate::order::Input;
use ssmr_core::{CommandId, GroupId, LocalTime, Micros, Outbox, ReplicaId, ValueCodec};
use std::collections::BTreeMap;

/// How many items of a link one message carries.
const LINK_ITEMS: usize = 4096;
/// How many bytes of values one link message carries, unless a single item is larger.
const LINK_BYTES: usize = 4 << 20;
/// How long a link's items may stay unacknowledged before they are sent again.
const RESEND: Micros = 400_000;
/// How long a command that another group has timestamped may take to come from its client before it is fetched.
const FETCH: Micros = 100_000;

/// Another group, seen from a replica of this one.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) leader: u8,
    /// The replica that is asked for commands.
    pub(super) fetch_from: u8,
    /// The last item of our link that was sent.
    pub(super) sent: u64,
    /// Items up to this number are sent with their values, for the receiver did not find them in the cache.
    pub(super) in_full: u64,
    /// When the receiver last acknowledged something new, or items were last sent again.
    pub(super) progress: LocalTime,
    pub(super) acknowledged: u64,
    pub(super) incoming: IncomingLink,
}

impl Peer {
    /// Goes on where the links stand.
    pub(super) fn begin(&mut self, group: GroupId, links: &Links) {
        self.incoming.reset(links.received(group));
        self.acknowledged = links.to(group).map_or(0, Outgoing::acknowledged);
        self.sent = self.acknowledged;
    }
}

impl<L: GroupLog> GroupMulticast<L> {
    /// Sends the items that are new, and the acknowledgements that are due.
    pub(super) fn send_links(
        &mut self,
        now: LocalTime,
        values: &mut dyn ValueCodec,
        out: &mut Outbox<Message<L::Msg>>,
    ) {
        for (&group, peer) in &mut self.peers {
            let to = ReplicaId {
                group,
                index: peer.leader,
            };
            if peer.incoming.acknowledgement_due() {
                out.send(
                    to,
                    Message::Acknowledge {
                        upto: self.order.links().received(group),
                    },
                );
            }
            let Some(link) = self.order.links().to(group) else {
                continue;
            };
            peer.acknowledged = peer.acknowledged.max(link.acknowledged());
            if peer.sent <= peer.acknowledged {
                peer.progress = now;
            }
            peer.sent = peer.sent.max(peer.acknowledged);
            while peer.sent < link.last() {
                let first = peer.sent + 1;
                let mut bytes = 0;
                let mut items = Vec::new();
                for item in link.items_after(peer.sent).take(LINK_ITEMS) {
                    peer.sent += 1;
                    let item = if peer.sent > peer.in_full {
                        item.clone().pack(now, values)
                    } else {
                        item.clone().in_full()
                    };
                    bytes += item.size();
                    items.push(item);
                    if bytes >= LINK_BYTES {
                        break;
                    }
                }
                out.send(to, Message::Link { first, items });
            }
        }
    }

    /// Sends again what has stayed unacknowledged, to the next replica if the believed leader stays silent.
    pub(super) fn resend_links(&mut self, now: LocalTime) {
        for (&group, peer) in &mut self.peers {
            let unacknowledged = peer.sent > peer.acknowledged;
            if unacknowledged && now >= peer.progress + RESEND {
                peer.leader = (peer.leader + 1) % self.topology.replica_count(group).max(1);
                peer.sent = peer.acknowledged;
                peer.progress = now;
            }
        }
    }

    /// Asks for commands that another destination has timestamped and that nobody has handed in here; another replica each
    /// time, for the believed leader may be gone.
    pub(super) fn fetch(&mut self, now: LocalTime, out: &mut Outbox<Message<L::Msg>>) {
        if now < self.duties.fetched_at + FETCH {
            return;
        }
        self.duties.fetched_at = now;
        let wanted = self
            .order
            .missing_commands()
            .filter(|(id, _)| !self.duties.taken.contains(id));
        let wanted: BTreeMap<CommandId, GroupId> = wanted.collect();
        let repeated = |group| {
            wanted
                .iter()
                .any(|(id, of)| *of == group && self.duties.fetching.contains_key(id))
        };
        for (&group, peer) in &mut self.peers {
            // Apart from the believed leader, to which links go: any replica can answer this.
            let step = u8::from(repeated(group));
            peer.fetch_from = (peer.fetch_from + step) % self.topology.replica_count(group).max(1);
        }
        for (&id, &group) in &wanted {
            let index = self.peers.get(&group).map_or(0, |peer| peer.fetch_from);
            out.send(ReplicaId { group, index }, Message::Fetch { id });
        }
        self.duties.fetching = wanted;
    }

    /// Somebody else leads the group of `from`, or it has just begun to: what it was sent goes to the right one.
    pub(super) fn redirect(&mut self, now: LocalTime, group: GroupId, leader: u8) {
        let known = leader < self.topology.replica_count(group);
        if let Some(peer) = self.peers.get_mut(&group).filter(|_| known) {
            peer.leader = leader;
            peer.sent = peer.acknowledged;
            peer.progress = now;
        }
    }

    /// Takes a message that only a leader can deal with.
    pub(super) fn lead(&mut self, now: LocalTime, from: ReplicaId, msg: Message<L::Msg>) {
        let Some(peer) = self.peers.get_mut(&from.group) else {
            return;
        };
        if matches!(
            msg,
            Message::Link { .. } | Message::Acknowledge { .. } | Message::Pull { .. }
        ) {
            // Only leaders say such things.
            peer.leader = from.index;
        }
        match msg {
            Message::Link { first, items } => peer.incoming.take(from.index, first, items),
            Message::Acknowledge { upto } if upto > peer.acknowledged => {
                peer.acknowledged = upto;
                peer.progress = now;
                self.duties.acknowledgements.insert(from.group, upto);
            }
            Message::Pull { after } => {
                peer.in_full = peer.sent;
                peer.sent = after.max(peer.acknowledged).min(peer.sent);
            }
            Message::Relay(command) => {
                let ours = command.destinations.contains(self.id.group);
                let wanted = ours
                    && self
                        .order
                        .missing_commands()
                        .any(|(id, _)| id == command.id);
                if wanted && self.duties.taken.insert(command.id) {
                    self.take(Input::Submit(command));
                }
            }
            _ => {}
        }
    }
}
