//! One replica's part in the multicast: the log, the replicated order, and the duties of a leader.
//!
//! A leader gathers what arrives into batches and proposes them, sends what the links hold, sends it again until it is
//! acknowledged, and fetches commands that reached another destination only. All of this is volatile: whatever is lost
//! with a leader is sent again by somebody. Followers only apply.

use crate::filter::Freshness;
use crate::log::{Committed, GroupLog, LogOutbox, Stored};
use crate::order::{Batch, Input, MAX_ELAPSED, Order};
use crate::peers::Peer;
use crate::raft::RaftLog;
use crate::snapshots::{MulticastSettings, Snapshots};
use crate::{Item, Message};
use rustc_hash::FxHashSet;
use ssmr_core::log::{LogEntry, Position, Record};
use ssmr_core::multicast::{Refusal, Tenure};
use ssmr_core::snapshot::{Capture, Snapshot};
use ssmr_core::{
    Command, CommandId, Delivery, GroupId, LocalTime, LogTime, LogicalClock, Micros, Multicast,
    Mutant, Outbox, ReplicaId, Signal, Topology, ValueCodec, codec, mutant,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many batches may be on their way through the log; what arrives meanwhile goes into the next one.
const PIPELINE: u64 = 4;
/// How many inputs may wait for a batch. Clients are turned away beyond it, other groups never.
const INBOX: usize = 1 << 14;
/// And how many bytes, likewise.
const INBOX_BYTES: usize = 16 * BATCH_BYTES;
/// How many bytes one batch carries, unless a single input is larger.
pub(crate) const BATCH_BYTES: usize = 4 << 20;
/// How long an acknowledgement may wait for other inputs to share a log entry with.
const LAZY: Micros = 50_000;

/// One replica of one group, as a member of the multicast.
#[derive(Debug)]
pub struct GroupMulticast<L: GroupLog = RaftLog> {
    pub(super) id: ReplicaId,
    pub(super) topology: Topology,
    pub(super) log: L,
    pub(super) order: Order,
    pub(super) applied: u64,
    pub(super) snapshots: Snapshots,
    pub(super) duties: Duties,
    /// The other groups: whom to talk to, what was sent, what came in.
    pub(super) peers: BTreeMap<GroupId, Peer>,
    outbox: LogOutbox<L::Msg>,
}

/// What a leader has taken in and not proposed. Empty at followers.
#[derive(Debug, Default)]
pub(super) struct Duties {
    /// The term in which this replica leads.
    pub(super) term: Option<u64>,
    pub(super) inbox: Vec<Input>,
    pub(super) inbox_bytes: usize,
    /// Commands that are in the inbox or proposed.
    pub(super) taken: FxHashSet<CommandId>,
    /// Acknowledgements that wait for company.
    pub(super) acknowledgements: BTreeMap<GroupId, u64>,
    pub(super) proposed_at: LocalTime,
    pub(super) fetched_at: LocalTime,
    /// What was asked for last.
    pub(super) fetching: BTreeMap<CommandId, GroupId>,
}

impl GroupMulticast<RaftLog> {
    /// A founding member with an empty log.
    #[must_use]
    pub fn new(id: ReplicaId, topology: Topology, settings: MulticastSettings) -> Self {
        Self::restore(id, topology, settings, Stored::default())
    }

    /// A replica that has lost what it knew, in a new generation: greater than those it had. It says nothing until the group has
    /// told it everything, and then becomes a member that never voted.
    #[must_use]
    pub fn join(
        id: ReplicaId,
        topology: Topology,
        settings: MulticastSettings,
        generation: u64,
    ) -> Self {
        let stored = Stored {
            generation,
            ..Stored::default()
        };
        let mut joined = Self::restore(id, topology, settings, stored);
        joined.outbox.records.push(Record::Generation(generation));
        joined
    }

    /// A replica that comes back with what it had stored. Its state is rebuilt from its snapshot and its log as the group
    /// tells it again what is committed.
    #[must_use]
    pub fn restore(
        id: ReplicaId,
        topology: Topology,
        settings: MulticastSettings,
        stored: Stored,
    ) -> Self {
        let count = topology.replica_count(id.group);
        let others = topology.groups().without(id.group);
        let MulticastSettings { seed, log_bytes } = settings;
        Self {
            id,
            topology,
            log: RaftLog::restore(id.index, count, seed, stored),
            order: Order::new(id.group),
            applied: 0,
            snapshots: Snapshots::after(log_bytes),
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
    /// How many commands are logged and not delivered.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.order.pending_count()
    }

    /// The consensus log, for checks.
    #[must_use]
    pub fn log(&self) -> &L {
        &self.log
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
    fn notice_office(&mut self, now: LocalTime, out: &mut Outbox<Message<L::Msg>>) {
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
            peer.begin(group, self.order.links());
            peer.progress = now;
            if term.is_some() {
                let members = self.topology.members(group);
                members.for_each(|to| out.send(to, Message::Leading));
            }
        }
    }

    // -- proposing -----------------------------------------------------------------------------------------------

    pub(super) fn take(&mut self, input: Input) {
        self.duties.inbox_bytes += input.size();
        self.duties.inbox.push(input);
    }

    /// Moves what has come in over the links into the inbox, as far as its values are there.
    fn take_incoming(
        &mut self,
        now: LocalTime,
        values: &mut dyn ValueCodec,
        out: &mut Outbox<Message<L::Msg>>,
    ) {
        let groups: Vec<GroupId> = self.peers.keys().copied().collect();
        for group in groups {
            let Some(peer) = self.peers.get_mut(&group) else {
                continue;
            };
            let (first, items) = peer.incoming.take_ready(now, values);
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
    fn propose(&mut self, now: LocalTime) {
        let duties = &mut self.duties;
        if duties.term.is_none() || self.log.in_flight() >= PIPELINE {
            return;
        }
        let waited = now.since(duties.proposed_at);
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
                bytes += input.size();
                room
            };
            let count = duties.inbox.iter().take_while(fits).count();
            duties.inbox.drain(..count).collect()
        };
        duties.inbox_bytes -= inputs.iter().map(Input::size).sum::<usize>();
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
            && let Some(committed) = self.log.poll_committed()
        {
            let (index, entry) = match committed {
                Committed::Entry(index, entry) => (index, entry),
                Committed::Snapshot(snapshot) => {
                    self.start_over(&snapshot);
                    continue;
                }
            };
            self.applied = index;
            self.snapshots.applied_bytes += entry.size();
            let LogEntry::Batch(bytes) = entry else {
                if mutant::is_active(Mutant::TimestampsReused) {
                    self.order.turn_back();
                }
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

    fn submit(&mut self, _now: LocalTime, command: Arc<Command>) -> Result<(), Refusal> {
        if !self.log.is_leader() {
            return Err(Refusal::NotLeader);
        }
        match self.order.freshness(&command) {
            Freshness::Seen => return Ok(()),
            Freshness::Expired => return Err(Refusal::Expired),
            Freshness::Fresh => {}
        }
        let full = self.duties.inbox.len() >= INBOX || self.duties.inbox_bytes >= INBOX_BYTES;
        if full || !self.order.has_room_for(&command) {
            return Err(Refusal::Busy);
        }
        if self.duties.term.is_some() && self.duties.taken.insert(command.id) {
            self.take(Input::Submit(command));
        }
        Ok(())
    }

    fn on_message(
        &mut self,
        now: LocalTime,
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
            msg if self.log.is_leader() => self.lead(now, from, msg),
            _ => out.send(
                from,
                Message::NotLeader {
                    leader: self.log.leader(),
                },
            ),
        }
    }

    fn on_timer(&mut self, now: LocalTime, out: &mut Outbox<Self::Msg>) {
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
        now: LocalTime,
        values: &mut dyn ValueCodec,
        out: &mut Outbox<Self::Msg>,
    ) -> bool {
        if self.duties.term.is_some() {
            self.take_incoming(now, values, out);
            self.propose(now);
        }
        self.pump_log(out);
        self.apply_committed();
        if self.duties.term.is_some() {
            self.send_links(now, values, out);
        }
        self.order.has_deliveries()
    }

    fn is_leader(&self) -> bool {
        self.duties.term.is_some()
    }

    fn is_voter(&self) -> bool {
        self.log.is_voter()
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

    fn tenure(&self, now: LocalTime) -> Option<Tenure> {
        let honest = self.log.tenure(now);
        let (confirmed, until) = (now, now);
        let sure = Tenure { confirmed, until };
        let longer = |t: Tenure| Tenure {
            until: t.until + 4 * MAX_ELAPSED,
            ..t
        };
        if mutant::is_active(Mutant::UnconfirmedReads) {
            return self.log.is_leader().then_some(sure);
        }
        if mutant::is_active(Mutant::LongLeases) {
            return honest.map(longer);
        }
        honest
    }

    fn confirm(&mut self, now: LocalTime, out: &mut Outbox<Self::Msg>) {
        self.log.confirm(now, &mut self.outbox);
        self.pump_log(out);
    }

    fn clock(&self) -> LogicalClock {
        self.order.clock()
    }

    fn time(&self) -> LogTime {
        self.order.time()
    }

    fn applied(&self) -> u64 {
        self.applied
    }

    fn digest(&self) -> u64 {
        self.order.digest()
    }

    fn capture(&mut self) -> Option<Capture> {
        self.take_capture()
    }

    fn captured(
        &mut self,
        now: LocalTime,
        last: Position,
        snapshot: Option<Snapshot>,
        out: &mut Outbox<Self::Msg>,
    ) {
        self.snapshots.under_way = false;
        self.log.compact(last, self.snapshots.log_bytes / 2);
        if let Some(snapshot) = snapshot {
            self.log.offer(now, snapshot, &mut self.outbox);
            self.pump_log(out);
        }
    }
}
