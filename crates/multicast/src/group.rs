//! One replica's part in the multicast: the log, the replicated order, and the duties of a leader.
//!
//! A leader gathers what arrives into batches and proposes them, sends what the links hold, sends it again until it is
//! acknowledged, and fetches commands that reached another destination only. All of this is volatile: whatever is lost
//! with a leader is sent again by somebody. Followers only apply.

use crate::filter::Freshness;
use crate::incoming::Incoming;
use crate::log::{GroupLog, LogOutbox};
use crate::order::{Batch, Input, MAX_ELAPSED, Order};
use crate::raft::RaftLog;
use crate::{Item, Message};
use rustc_hash::FxHashSet;
use ssmr_core::multicast::{Carrier, LogEntry, Rejection};
use ssmr_core::{
    Command, CommandId, Delivery, GroupId, Layout, Micros, Multicast, Outbox, ReplicaId, Signal,
    codec,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many batches may be on their way through the log; what arrives meanwhile goes into the next one.
const PIPELINE: u64 = 4;
/// How many inputs may wait for a batch. Clients are turned away beyond it, other groups never.
const INBOX: usize = 1 << 14;
/// How many bytes one batch carries, unless a single input is larger.
const BATCH_BYTES: usize = 4 << 20;
/// How many items of a link one message carries.
const LINK_ITEMS: usize = 4096;
/// How many bytes of values one link message carries, unless a single item is larger.
const LINK_BYTES: usize = 4 << 20;
/// How long a link's items may stay unacknowledged before they are sent again.
const RESEND: Micros = 400_000;
/// How long an acknowledgement may wait for other inputs to share a log entry with.
const LAZY: Micros = 50_000;
/// How long a command that another group has timestamped may take to come from its client before it is fetched.
const FETCH: Micros = 100_000;

/// One replica of one group, as a member of the multicast.
#[derive(Debug)]
pub struct GroupMulticast<L: GroupLog = RaftLog> {
    id: ReplicaId,
    layout: Layout,
    log: L,
    order: Order,
    applied: u64,
    duties: Duties,
    /// The other groups: whom to talk to, what was sent, what came in.
    peers: BTreeMap<GroupId, Peer>,
    outbox: LogOutbox<L::Msg>,
}

/// What a leader has taken in and not proposed. Empty at followers.
#[derive(Debug, Default)]
struct Duties {
    /// The term in which this replica leads.
    term: Option<u64>,
    inbox: Vec<Input>,
    inbox_bytes: usize,
    /// Commands that are in the inbox or proposed.
    taken: FxHashSet<CommandId>,
    /// Acknowledgements that wait for company.
    acknowledgements: BTreeMap<GroupId, u64>,
    proposed_at: Micros,
    fetched_at: Micros,
    /// What was asked for last.
    fetching: BTreeMap<CommandId, GroupId>,
}

/// Another group, seen from a replica of this one.
#[derive(Debug, Default)]
struct Peer {
    leader: u8,
    /// The last item of our link that was sent.
    sent: u64,
    /// Items up to this number are sent with their values, for the receiver did not find them in the cache.
    in_full: u64,
    /// When the receiver last acknowledged something new, or items were last sent again.
    progress: Micros,
    acknowledged: u64,
    incoming: Incoming,
}

impl GroupMulticast<RaftLog> {
    /// A replica with an empty log. The seed varies its election timeouts.
    #[must_use]
    pub fn new(id: ReplicaId, layout: Layout, seed: u64) -> Self {
        let count = layout.replica_count(id.group);
        let others = layout.groups().without(id.group);
        Self {
            id,
            layout,
            log: RaftLog::new(id.index, count, seed),
            order: Order::new(id.group),
            applied: 0,
            duties: Duties::default(),
            peers: others
                .iter()
                .map(|group| (group, Peer::default()))
                .collect(),
            outbox: LogOutbox::default(),
        }
    }
}

impl<L: GroupLog> GroupMulticast<L> {
    /// The index of the last log entry applied.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// The group's logical clock.
    #[must_use]
    pub fn clock(&self) -> u64 {
        self.order.clock()
    }

    /// How many commands are logged and not delivered.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.order.pending_count()
    }

    /// How the order and the links stand, for diagnosis.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!(
            "term {}, {:?}, pending {}",
            self.log.term(),
            self.duties,
            self.order.describe()
        );
        for (&group, peer) in &self.peers {
            let (links, incoming) = (self.order.links(), &peer.incoming);
            let (acknowledged, last) = links
                .to(group)
                .map_or((0, 0), |l| (l.acknowledged(), l.last()));
            let received = links.received(group);
            text += &format!(
                "; {group} (r{}): sent {} of {acknowledged}..{last}, received {received}, {incoming:?}",
                peer.leader, peer.sent
            );
        }
        text
    }

    // -- taking office -------------------------------------------------------------------------------------------

    /// Notices that this replica has become leader, or no longer is.
    fn notice_office(&mut self, now: Micros, out: &mut Outbox<Message<L::Msg>>) {
        let term = self.log.is_leader().then(|| self.log.term());
        if self.duties.term == term {
            return;
        }
        self.duties = Duties {
            term,
            proposed_at: now,
            fetched_at: now,
            ..Duties::default()
        };
        for (&group, peer) in &mut self.peers {
            peer.incoming.reset(self.order.links().received(group));
            peer.acknowledged = self
                .order
                .links()
                .to(group)
                .map_or(0, |link| link.acknowledged());
            peer.sent = peer.acknowledged;
            peer.progress = now;
            if term.is_some() {
                let members = self.layout.members(group);
                members.for_each(|to| out.send(to, Message::Leading));
            }
        }
    }

    // -- proposing -----------------------------------------------------------------------------------------------

    fn take(&mut self, input: Input) {
        self.duties.inbox_bytes += input_size(&input);
        self.duties.inbox.push(input);
    }

    /// Moves what has come in over the links into the inbox, as far as its values are there.
    fn take_incoming(
        &mut self,
        now: Micros,
        carrier: &mut dyn Carrier,
        out: &mut Outbox<Message<L::Msg>>,
    ) {
        let groups: Vec<GroupId> = self.peers.keys().copied().collect();
        for group in groups {
            let Some(peer) = self.peers.get_mut(&group) else {
                continue;
            };
            let (first, items) = peer.incoming.take_ready(carrier);
            if let Some((index, after)) = peer.incoming.wants_in_full(now) {
                out.send(ReplicaId { group, index }, Message::Pull { after });
            }
            if !items.is_empty() {
                self.take(Input::Receive {
                    from: group,
                    first,
                    items,
                });
            }
        }
    }

    /// Proposes what has gathered, if there is room in the pipeline and something worth an entry.
    fn propose(&mut self, now: Micros) {
        let duties = &mut self.duties;
        if duties.term.is_none() || self.log.in_flight() >= PIPELINE {
            return;
        }
        let waited = now.saturating_sub(duties.proposed_at);
        let lazy = !duties.acknowledgements.is_empty() && waited >= LAZY;
        if duties.inbox.is_empty() && !lazy && waited < MAX_ELAPSED {
            return;
        }
        let mut inputs = if duties.inbox_bytes <= BATCH_BYTES {
            std::mem::take(&mut duties.inbox)
        } else {
            let mut bytes = 0;
            let fits = |input: &&Input| {
                let room = bytes < BATCH_BYTES;
                bytes += input_size(input);
                room
            };
            let count = duties.inbox.iter().take_while(fits).count();
            duties.inbox.drain(..count).collect()
        };
        duties.inbox_bytes -= inputs.iter().map(input_size).sum::<usize>();
        let acknowledgements = std::mem::take(&mut duties.acknowledgements);
        inputs.extend(
            acknowledgements
                .into_iter()
                .map(|(by, upto)| Input::Acknowledged { by, upto }),
        );
        duties.proposed_at = now;
        let batch = Batch {
            elapsed: waited.min(MAX_ELAPSED),
            inputs,
        };
        self.log
            .propose(now, codec::encode(&batch), &mut self.outbox);
    }

    /// Applies what is committed, one entry at a time while there are deliveries: what they make the partition signal goes
    /// into the links before anything of the next entry, at every replica, however many entries it learns of at once.
    fn apply_committed(&mut self) {
        while !self.order.has_deliveries()
            && let Some((index, entry)) = self.log.poll_committed()
        {
            self.applied = index;
            let LogEntry::Batch(bytes) = entry else {
                continue;
            };
            let batch: Batch = codec::decode(&bytes).unwrap_or_else(|error| {
                panic!("entry {index} of {}'s log: {error}", self.id.group)
            });
            let mut senders = Vec::new();
            for input in &batch.inputs {
                match input {
                    Input::Submit(command) => drop(self.duties.taken.remove(&command.id)),
                    Input::Receive { from, .. } => senders.push(*from),
                    Input::Acknowledged { .. } => {}
                }
            }
            self.order.apply(batch);
            for from in senders.into_iter().filter(|_| self.duties.term.is_some()) {
                let received = self.order.links().received(from);
                self.peers
                    .entry(from)
                    .or_default()
                    .incoming
                    .logged(received);
            }
        }
    }

    // -- links ---------------------------------------------------------------------------------------------------

    /// Sends the items that are new, and the acknowledgements that are due.
    fn send_links(
        &mut self,
        now: Micros,
        carrier: &mut dyn Carrier,
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
                    let mut item = item.clone();
                    peer.sent += 1;
                    if let Item::Signal(signal) = &mut item
                        && peer.sent > peer.in_full
                    {
                        carrier.pack(signal);
                    }
                    bytes += item_size(&item);
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
    fn resend_links(&mut self, now: Micros) {
        for (&group, peer) in &mut self.peers {
            let unacknowledged = peer.sent > peer.acknowledged;
            if unacknowledged && now >= peer.progress + RESEND {
                peer.leader = (peer.leader + 1) % self.layout.replica_count(group).max(1);
                peer.sent = peer.acknowledged;
                peer.progress = now;
            }
        }
    }

    /// Asks for commands that another destination has timestamped and that nobody has handed in here; another replica each
    /// time, for the believed leader may be gone.
    fn fetch(&mut self, now: Micros, out: &mut Outbox<Message<L::Msg>>) {
        if now < self.duties.fetched_at + FETCH {
            return;
        }
        self.duties.fetched_at = now;
        let wanted = self
            .order
            .strangers()
            .filter(|(id, _)| !self.duties.taken.contains(id));
        let wanted: BTreeMap<CommandId, GroupId> = wanted.collect();
        for (&id, &group) in &wanted {
            let Some(peer) = self.peers.get_mut(&group) else {
                continue;
            };
            if self.duties.fetching.contains_key(&id) {
                peer.leader = (peer.leader + 1) % self.layout.replica_count(group).max(1);
            }
            out.send(
                ReplicaId {
                    group,
                    index: peer.leader,
                },
                Message::Fetch { id },
            );
        }
        self.duties.fetching = wanted;
    }

    /// Somebody else leads the group of `from`, or it has just begun to: what it was sent goes to the right one.
    fn redirect(&mut self, now: Micros, group: GroupId, leader: u8) {
        let known = leader < self.layout.replica_count(group);
        if let Some(peer) = self.peers.get_mut(&group).filter(|_| known) {
            peer.leader = leader;
            peer.sent = peer.acknowledged;
            peer.progress = now;
        }
    }

    /// Takes a message that only a leader can deal with.
    fn lead(
        &mut self,
        now: Micros,
        from: ReplicaId,
        msg: Message<L::Msg>,
        out: &mut Outbox<Message<L::Msg>>,
    ) {
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
                let wanted = self.order.strangers().any(|(id, _)| id == command.id);
                if wanted && self.duties.taken.insert(command.id) {
                    self.take(Input::Submit(command));
                }
            }
            _ => {}
        }
    }

    fn pump_log(&mut self, out: &mut Outbox<Message<L::Msg>>) {
        out.records.append(&mut self.outbox.records);
        let group = self.id.group;
        let messages = self.outbox.messages.drain(..);
        out.messages
            .extend(messages.map(|(index, msg)| (ReplicaId { group, index }, Message::Log(msg))));
    }
}

impl<L: GroupLog> Multicast for GroupMulticast<L> {
    type Msg = Message<L::Msg>;

    fn submit(&mut self, _now: Micros, command: Arc<Command>) -> Result<(), Rejection> {
        if !self.log.is_leader() {
            return Err(Rejection::NotLeader);
        }
        match self.order.freshness(&command) {
            Freshness::Seen => return Ok(()),
            Freshness::Expired => return Err(Rejection::Expired),
            Freshness::Fresh => {}
        }
        if self.duties.inbox.len() >= INBOX {
            return Err(Rejection::Busy);
        }
        if self.duties.term.is_some() && self.duties.taken.insert(command.id) {
            self.take(Input::Submit(command));
        }
        Ok(())
    }

    fn on_message(
        &mut self,
        now: Micros,
        from: ReplicaId,
        msg: Self::Msg,
        out: &mut Outbox<Self::Msg>,
    ) {
        match msg {
            Message::Log(msg) if from.group == self.id.group => {
                self.log.on_message(now, from.index, msg, &mut self.outbox);
                self.notice_office(now, out);
                self.pump_log(out);
            }
            Message::Log(_) => {}
            Message::Fetch { id } => {
                // Any replica will do: a command that is pending is pending at all of them.
                let command = self.order.command(id).cloned();
                out.messages
                    .extend(command.map(|command| (from, Message::Relay(command))));
            }
            Message::Leading => self.redirect(now, from.group, from.index),
            Message::NotLeader { leader } => {
                let believed = self
                    .peers
                    .get(&from.group)
                    .is_some_and(|peer| peer.leader == from.index);
                if let Some(leader) = leader.filter(|&leader| believed && leader != from.index) {
                    self.redirect(now, from.group, leader);
                }
            }
            msg if self.log.is_leader() => self.lead(now, from, msg, out),
            _ => out.send(
                from,
                Message::NotLeader {
                    leader: self.log.leader(),
                },
            ),
        }
    }

    fn on_timer(&mut self, now: Micros, out: &mut Outbox<Self::Msg>) {
        self.log.on_timer(now, &mut self.outbox);
        self.notice_office(now, out);
        self.pump_log(out);
        if self.duties.term.is_some() {
            self.resend_links(now);
            self.fetch(now, out);
        }
    }

    fn poll_deliver(&mut self) -> Option<Delivery> {
        self.order.poll_deliver()
    }

    fn signal(&mut self, to: GroupId, signal: Signal) {
        self.order.links_mut().push(to, Item::Signal(signal));
    }

    fn flush(
        &mut self,
        now: Micros,
        carrier: &mut dyn Carrier,
        out: &mut Outbox<Self::Msg>,
    ) -> bool {
        if self.duties.term.is_some() {
            self.take_incoming(now, carrier, out);
            self.propose(now);
        }
        self.pump_log(out);
        self.apply_committed();
        if self.duties.term.is_some() {
            self.send_links(now, carrier, out);
        }
        self.order.has_deliveries()
    }

    fn is_leader(&self) -> bool {
        self.duties.term.is_some()
    }

    fn leader(&self) -> Option<u8> {
        self.log.leader()
    }

    fn leader_of(&self, group: GroupId) -> ReplicaId {
        let index = if group == self.id.group {
            self.log.leader()
        } else {
            None
        };
        let believed = self.peers.get(&group).map(|peer| peer.leader);
        ReplicaId {
            group,
            index: index.or(believed).unwrap_or_default(),
        }
    }

    fn time(&self) -> Micros {
        self.order.time()
    }

    fn digest(&self) -> u64 {
        self.order.digest()
    }
}

/// About how many bytes an input takes in a batch.
fn input_size(input: &Input) -> usize {
    match input {
        Input::Submit(command) => 128 + command.request.size(),
        Input::Receive { items, .. } => 32 + items.iter().map(item_size).sum::<usize>(),
        Input::Acknowledged { .. } => 16,
    }
}

fn item_size(item: &Item) -> usize {
    match item {
        Item::Timestamp { .. } => 48,
        Item::Signal(signal) => {
            48 + signal
                .reports
                .iter()
                .map(|r| 64 + r.standing.size())
                .sum::<usize>()
        }
    }
}
