//! One replica's part in the multicast: the log, the replicated order, and what a leader does
//! besides.
//!
//! A leader gathers what arrives into batches and proposes them, sends what the links hold, sends
//! it again until it is acknowledged, and fetches commands that reached another destination only.
//! Followers only apply.

mod capturing;
mod confirming;
mod handing_over;
mod leading;

use crate::batch::{Batch, Input};
use crate::filter::Freshness;
use crate::leader::{Announced, LeaderState};
use crate::link::Item;
use crate::message::Message;
use crate::order::Order;
use crate::peers::{LinkState, Peers};
use crate::snapshots::{MulticastSettings, SnapshotSchedule, parts};
use ssmr_core::multicast::{Multicast, Outbox, Refusal, Status};
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::{
    ClientId, Command, Delivery, GroupId, LocalTime, Micros, ReplicaId, SessionId, Signal,
    Topology, ValueCodec, codec,
};
use ssmr_log::{
    Committed, FoundingRefused, GroupLog, LogEntry, LogOutbox, MemberId, Record, Snapshot, Stored,
};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// One replica of one group, as a member of the multicast.
#[derive(Debug)]
pub struct GroupMulticast {
    id: ReplicaId,
    log: GroupLog,
    /// What the log said of it at the last flush, as the next one: asked for more often than they
    /// change.
    is_voter: bool,
    is_current: bool,
    order: Order,
    /// The index of the last log entry applied.
    applied: u64,
    snapshots: SnapshotSchedule,
    /// How many bytes one batch carries.
    batch_bytes: usize,
    /// While this replica leads.
    leader: Option<LeaderState>,
    peers: Peers,
    /// Signals that this round has taken from the links, to be polled.
    arrived: VecDeque<(GroupId, Signal)>,
    /// Clients whose commands waited while this replica handed over, and are lost with its term.
    turned_away: BTreeSet<ClientId>,
    /// Scratch: what the log wants done.
    outbox: LogOutbox,
}

impl GroupMulticast {
    /// A replica with an empty log, of a group whose founders nobody has to name: see
    /// [`GroupLog::new`]. For tests and simulations.
    #[must_use]
    pub fn new(id: ReplicaId, topology: Topology, settings: MulticastSettings) -> Self {
        Self::restore(id, topology, settings, Stored::default())
    }

    /// A replica that has lost what it knew, in a new generation: greater than those it had. It
    /// says nothing until the group has told it everything, and then becomes a member that never
    /// voted.
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
        joined.outbox.store(Record::Generation(generation));
        joined
    }

    /// A replica that comes back with what it had stored. Its state is rebuilt from its snapshot
    /// and its log as the group tells it again what is committed.
    #[must_use]
    pub fn restore(
        id: ReplicaId,
        topology: Topology,
        settings: MulticastSettings,
        stored: Stored,
    ) -> Self {
        let count = topology.replica_count(id.group);
        let log = GroupLog::restore(id.index, count, settings.seed, stored)
            .with_chunk_bytes(settings.chunk_bytes)
            .with_round_trip(settings.round_trip);
        let round_trip = settings.round_trip.as_micros() as Micros;
        Self {
            id,
            is_voter: log.is_voter(),
            is_current: false,
            log,
            order: Order::new(id.group, settings.session_ttl),
            applied: 0,
            snapshots: SnapshotSchedule::new(settings.log_bytes),
            batch_bytes: settings.batch_bytes,
            leader: None,
            peers: Peers::of(id.group, topology, round_trip),
            arrived: VecDeque::new(),
            turned_away: BTreeSet::new(),
            outbox: LogOutbox::default(),
        }
    }

    /// The group is about to be founded: see [`GroupLog::prepare`].
    ///
    /// # Errors
    /// If this replica holds something, or is not meant.
    pub fn prepare(&mut self, founders: &BTreeSet<MemberId>) -> Result<(), FoundingRefused> {
        self.log.prepare(founders)
    }

    /// Founds the group: see [`GroupLog::found`].
    ///
    /// # Errors
    /// If this replica holds something, or is not meant.
    pub fn found(
        &mut self,
        now: LocalTime,
        founders: &BTreeSet<MemberId>,
        out: &mut Outbox<Self>,
    ) -> Result<(), FoundingRefused> {
        let time = since_start(now);
        let founded = self.log.found(time, founders, &mut self.outbox);
        self.after_log(now, out);
        founded
    }

    /// Tells that the driver holds a command back and will [withdraw](Self::withdraw) that and
    /// [submit](Multicast::submit) it, as long as this replica leads: nobody fetches it meanwhile
    /// from another group.
    pub fn announce(&mut self, command: &Command) -> Announced {
        match &mut self.leader {
            Some(leader) if self.order.freshness(command) == Freshness::Fresh => {
                leader.announce(command.message_id())
            }
            _ => Announced::Needless,
        }
    }

    /// Tells that the driver holds a command back no more.
    pub fn withdraw(&mut self, command: &Command) {
        if let Some(leader) = &mut self.leader {
            leader.withdraw(command.message_id());
        }
    }

    /// How many commands are logged and not delivered.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.order.pending_count()
    }

    /// Whether the group remembers a session: one that it has used and that has not expired.
    #[must_use]
    pub fn remembers(&self, session: SessionId) -> bool {
        self.order.remembers(session)
    }

    /// The replicated log, to ask it.
    #[must_use]
    pub fn log(&self) -> &GroupLog {
        &self.log
    }

    /// Whether this replica has heard lately of the one that leads, or, if it leads, of a majority.
    #[must_use]
    pub fn hears_leader(&self, now: LocalTime) -> bool {
        self.log.hears_leader(since_start(now))
    }

    /// How many bytes of log were applied since the last snapshot was begun. See
    /// [`MulticastSettings::log_bytes`].
    #[must_use]
    pub fn log_bytes(&self) -> usize {
        self.snapshots.applied_bytes()
    }

    /// How the links between this group and all others stand.
    #[must_use]
    pub fn links(&self) -> Vec<LinkState> {
        self.peers.states(self.order.links())
    }

    /// How the order and the links stand, for diagnosis.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "term {}, {:?}, pending {}{}",
            self.log.term(),
            self.leader,
            self.order.describe(),
            self.peers.describe(self.order.links())
        )
    }

    /// Notices that this replica has become leader, or no longer is, and has what the log wants
    /// done be done.
    fn after_log(&mut self, now: LocalTime, out: &mut Outbox<Self>) {
        let term = self.log.is_leader().then(|| self.log.term());
        if self.leader.as_ref().map(|leader| leader.term) != term {
            self.turn_away();
            let (batch_bytes, round_trip) = (self.batch_bytes, self.peers.round_trip());
            self.leader = term.map(|term| LeaderState::new(term, now, batch_bytes, round_trip));
            let (links, time) = (self.order.links(), self.order.time());
            match term {
                Some(_) => self
                    .peers
                    .begin_to_lead(now, time, links, &mut out.messages),
                None => self.peers.begin(links),
            }
        }
        self.drain_log(out);
    }

    fn drain_log(&mut self, out: &mut Outbox<Self>) {
        out.records.append(&mut self.outbox.records);
        let store_first = std::mem::take(&mut self.outbox.store_first);
        out.store_first |= store_first && !self.hurries();
        let group = self.id.group;
        let messages = self.outbox.messages.drain(..);
        let messages = messages.map(|(index, msg)| (ReplicaId { group, index }, Message::Log(msg)));
        out.messages.extend(messages);
    }

    /// Applies what is committed, one entry at a time while there are deliveries: what they make
    /// the partition signal goes into the links before anything of the next entry, at every
    /// replica, however many entries it learns of at once.
    fn apply_committed(&mut self) {
        let at_once = mutant::is_active(Mutant::SeveralEntriesAtOnce);
        while (at_once || !self.order.has_deliveries())
            && let Some(committed) = self.log.poll_committed()
        {
            match committed {
                Committed::Entry(index, entry) => self.apply(index, &entry),
                Committed::Snapshot(snapshot) => self.start_over(&snapshot),
            }
        }
    }

    fn apply(&mut self, index: u64, entry: &LogEntry) {
        self.applied = index;
        self.snapshots.applied(entry.size_bytes());
        let LogEntry::Batch(bytes) = entry else {
            if mutant::is_active(Mutant::TimestampsReused) {
                self.order.turn_back();
            }
            return;
        };
        let batch: Batch = codec::decode(bytes)
            .unwrap_or_else(|error| panic!("entry {index} of {}'s log: {error}", self.id.group));
        let mut senders = Vec::new();
        if let Some(leader) = &mut self.leader {
            for input in &batch.inputs {
                match input {
                    Input::Submit(command) => leader.logged(command.message_id()),
                    Input::Receive { from, .. } => senders.push(*from),
                    Input::Acknowledged { .. } => {}
                }
            }
        }
        self.order.apply(batch);
        for from in senders {
            self.peers.logged(from, self.order.links().received(from));
        }
    }

    /// The log does not tell one by one what was agreed on, but what it has led to.
    fn start_over(&mut self, snapshot: &Snapshot) {
        let Some((order, partition)) = parts(&snapshot.state) else {
            panic!("{snapshot:?} of {} has no parts", self.id.group);
        };
        self.applied = snapshot.last.index;
        self.snapshots.restored();
        self.order.restore(&order, partition);
        // The only replica of a group may lead it already: its links go on where the snapshot's
        // stand.
        self.peers.begin(self.order.links());
    }
}

/// This machine's clock, in the log's words.
fn since_start(now: LocalTime) -> Duration {
    Duration::from_micros(now.micros())
}

impl Multicast for GroupMulticast {
    type Msg = Message;
    type Record = Record;

    fn submit(&mut self, _now: LocalTime, command: Arc<Command>) -> Result<(), Refusal> {
        if !self.log.is_leader() {
            return Err(Refusal::NotLeader);
        }
        let Some(leader) = &mut self.leader else {
            return Ok(());
        };
        match self.order.freshness(&command) {
            Freshness::Seen => Ok(()),
            Freshness::Expired => Err(Refusal::Expired),
            Freshness::TooEarly => {
                leader.ask_for_time();
                Err(Refusal::Busy)
            }
            Freshness::Fresh if !leader.is_full() => {
                leader.take_command(command);
                Ok(())
            }
            Freshness::Fresh | Freshness::Full => Err(Refusal::Busy),
        }
    }

    fn on_message(
        &mut self,
        now: LocalTime,
        from: ReplicaId,
        msg: Message,
        out: &mut Outbox<Self>,
    ) {
        match msg {
            Message::Log(msg) if from.group == self.id.group => {
                let (index, msg) = self.mutated(from.index, msg);
                let time = since_start(now);
                self.log.on_message(time, index, msg, &mut self.outbox);
                self.after_log(now, out);
            }
            Message::Log(_) => {}
            Message::Fetch { id } => {
                // Any replica will do: a command that is pending is pending at all of them.
                if let Some(command) = self.order.command(id) {
                    out.send(from, Message::Relay(command.clone()));
                }
            }
            Message::Leading { time } => {
                self.peers.redirect(now, from);
                self.on_time(from, time, out);
            }
            Message::Time { time } => self.on_time(from, time, out),
            Message::NotLeader { leader } => {
                let other = leader.filter(|&leader| leader != from.index);
                if let Some(index) = other.filter(|_| self.peers.believes_in(from)) {
                    self.peers.redirect(now, ReplicaId { index, ..from });
                }
            }
            msg if self.log.is_leader() => self.on_leader_message(now, from, msg),
            _ => {
                let leader = self.log.leader();
                out.send(from, Message::NotLeader { leader });
            }
        }
    }

    fn on_timer(&mut self, now: LocalTime, out: &mut Outbox<Self>) {
        self.log.on_timer(since_start(now), &mut self.outbox);
        self.after_log(now, out);
        if let Some(leader) = &mut self.leader {
            self.peers.resend_links(now);
            if leader.asks_for_time(now) {
                let time = self.order.time();
                self.peers
                    .tell_all(&Message::Time { time }, &mut out.messages);
            }
            let commands = leader.commands_to_fetch(now, self.order.missing_commands());
            self.peers.fetch(&commands, &mut out.messages);
        }
    }

    fn poll_deliver(&mut self) -> Option<Delivery> {
        self.order.poll_deliver()
    }

    fn poll_arrived(&mut self) -> Option<(GroupId, Signal)> {
        self.arrived.pop_front()
    }

    fn signal(&mut self, to: GroupId, signal: Signal) {
        self.order.links_mut().push(to, Item::Signal(signal));
    }

    fn flush(
        &mut self,
        now: LocalTime,
        values: &mut dyn ValueCodec,
        out: &mut Outbox<Self>,
    ) -> bool {
        self.propose(now, values, out);
        self.drain_log(out);
        self.apply_committed();
        self.is_voter = self.log.is_voter();
        self.is_current = self.log.is_current();
        if self.leader.is_some() {
            let (links, time) = (self.order.links(), self.order.time());
            self.peers
                .send_links(now, time, links, values, &mut out.messages);
        }
        self.order.has_deliveries()
    }

    fn poll_turned_away(&mut self) -> Option<ClientId> {
        let other = self.log.leader().filter(|index| *index != self.id.index);
        other.and_then(|_| self.turned_away.pop_first())
    }

    fn leader_of(&self, group: GroupId) -> ReplicaId {
        match self.log.leader().filter(|_| group == self.id.group) {
            Some(index) => ReplicaId { group, index },
            None => self.peers.leader_of(group),
        }
    }

    fn status(&self) -> Status {
        Status {
            is_leader: self.leader.is_some(),
            leader: self.log.leader(),
            is_current: self.is_current,
            is_voter: self.is_voter,
            clock: self.order.clock(),
            log_time: self.order.time(),
            applied: self.applied,
        }
    }

    fn digest(&self) -> u64 {
        self.order.digest()
    }
}
