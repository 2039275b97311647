//! The event loop of one replica: take all that has arrived, run the machine once, store, send.
//!
//! ```text
//!   peers, clients, cache --> inbox --> on_*, on_*, ... --> flush --> store --> mailboxes
//! ```
//!
//! It waits for input and for nothing else: what it sends goes into mailboxes that drop when full.
//! The inbox is bounded; tasks that read connections wait while it is full, which is never for
//! longer than one round.

use super::accept::Gate;
use super::clients::Clients;
use super::connected::Connected;
use super::input::{Kept, LoopInput, Question, Room, Switches};
use super::intake::Intake;
use super::options::ReplicaOptions;
use super::peers::Peers;
use super::stopwatch::Timed;
use crate::cache::CacheClient;
use crate::clock::{self, Clock};
use crate::greeting::{Greeting, Role};
use crate::leaders::LeaderEntry;
use crate::mailbox::Together;
use crate::operator::message::{OperatorAnswer, OperatorMessage};
use crate::peer::Peer;
use crate::status::ReplicaStatus;
use crate::traffic::Traffic;
use ssmr_core::multicast::TICK;
use ssmr_core::{
    ClientId, ClientMessage, Command, Identity, LocalTime, Micros, Partition, Replica, ReplicaId,
    ReplicaOutbox,
};
use ssmr_multicast::{Capture, Captured, GroupMulticast};
use ssmr_storage::{LogStore, SnapshotWriter};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// The most inputs of one round, and the most that may wait for the next one.
const ROUND: usize = 4096;

/// How long clients may take to read that the cluster has been shut down.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a replica may hold nothing before it says so: a cluster that is founded as it starts is
/// not worth a word.
const UNFOUNDED: Micros = 3_000_000;

/// A replica of whatever service and strategy.
pub(super) type AnyReplica = Replica<GroupMulticast, Timed>;

/// A replica and all that it is connected to.
pub(super) struct EventLoop {
    id: ReplicaId,
    replica: AnyReplica,
    /// Where records go; none if state is in memory.
    log: Option<LogStore>,
    clock: Clock,
    inbox: mpsc::Receiver<LoopInput>,
    /// For what is done beside the loop.
    own: mpsc::Sender<LoopInput>,
    /// Why the replica cannot go on.
    broken: Option<io::Error>,
    peers: Peers,
    traffic: Arc<Traffic>,
    switches: Switches,
    clients: Connected,
    cache: CacheClient,
    /// Where what clients ask waits for its turn, if it has to.
    intake: Option<Intake>,
    out: ReplicaOutbox<GroupMulticast>,
    leads_since: Option<LocalTime>,
    /// Answers to operators that leave once what they tell is stored.
    answers: Vec<(oneshot::Sender<OperatorAnswer>, OperatorAnswer)>,
    /// When to say that this replica is no member of its group, if it has not become one.
    says_unfounded: Option<LocalTime>,
}

impl EventLoop {
    /// Starts the tasks around `replica`. To be called within its runtime.
    pub(super) fn new(
        replica: AnyReplica,
        log: Option<LogStore>,
        options: ReplicaOptions,
        identity: Identity,
        listener: TcpListener,
        traffic: &Arc<Traffic>,
        switches: Switches,
    ) -> Self {
        let ReplicaOptions {
            id,
            config,
            clock,
            limits,
            service_time,
            ..
        } = options;
        let (sender, inbox) = mpsc::channel(ROUND);
        let unread = Together::default();
        let clients = Connected::new(unread.clone(), limits.unread_together);
        let gate = Gate::new(
            Greeting::new(identity.clone(), Role::Replica(id)),
            &limits,
            Clients::new(limits, unread, sender.clone(), traffic.clone()),
            sender.clone(),
            traffic.clone(),
        );
        tokio::spawn(gate.run(listener));
        let greeting = Arc::new(Greeting::new(identity, Role::Replica(id)));
        let addresses = config.addresses.into_iter();
        let peers: Vec<Peer> = addresses
            .filter(|(replica, _)| *replica != id)
            .map(|(replica, address)| Peer { replica, address })
            .collect();
        let peers = Peers::start(&peers, &greeting, clock, &sender, traffic);
        let is_member = replica.multicast().log().is_member();
        Self {
            id,
            replica,
            log,
            clock,
            inbox,
            own: sender.clone(),
            broken: None,
            peers,
            traffic: traffic.clone(),
            switches,
            clients,
            cache: CacheClient::start(config.cache_servers, config.incarnation, sender.clone()),
            intake: service_time.map(Intake::new),
            out: ReplicaOutbox::default(),
            leads_since: None,
            answers: Vec::new(),
            says_unfounded: (!is_member).then(|| clock.now() + UNFOUNDED),
        }
    }

    /// Runs until nobody can ask any more questions.
    pub(super) async fn run(
        mut self,
        mut questions: mpsc::Receiver<Question>,
        leadership: &LeaderEntry,
    ) {
        let mut events = Vec::with_capacity(ROUND);
        let mut tick = tokio::time::interval(Duration::from_micros(TICK));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let turn = self.intake.as_ref().and_then(Intake::next_turn);
            tokio::select! {
                _ = self.inbox.recv_many(&mut events, ROUND) => {
                    let now = self.clock.now();
                    events.drain(..).for_each(|event| self.take(now, event));
                    self.take_turns(now);
                    if !self.finish_round(now, leadership) {
                        return;
                    }
                }
                () = self.clock.reaches(turn) => {
                    let now = self.clock.now();
                    self.take_turns(now);
                    if !self.finish_round(now, leadership) {
                        return;
                    }
                }
                _ = tick.tick() => {
                    let now = self.clock.now();
                    self.replica.on_timer(now, &mut self.out);
                    self.say_if_unfounded(now);
                    if !self.finish_round(now, leadership) {
                        return;
                    }
                }
                question = questions.recv() => match question {
                    Some(Question { digest, answer }) => drop(answer.send(self.status(digest))),
                    None => break,
                },
            }
        }
        if self.switches.farewell.load(Relaxed) {
            self.say_farewell().await;
        }
    }

    /// Tells clients that the cluster has been shut down, and waits a moment until it is written.
    async fn say_farewell(mut self) {
        self.clients.end();
        let written = async {
            while !self.clients.is_empty() {
                match self.inbox.recv().await {
                    Some(LoopInput::Disconnected(client, connection)) => {
                        self.clients.left(client, connection);
                    }
                    Some(LoopInput::Connected(client, connection, mailbox)) => {
                        mailbox.end();
                        self.clients.came(client, connection, mailbox);
                    }
                    Some(_) => {}
                    None => return,
                }
            }
        };
        // Whoever does not read finds out by itself.
        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, written).await;
    }

    fn take(&mut self, now: LocalTime, event: LoopInput) {
        match event {
            LoopInput::Peer(..) if self.switches.cuts.drops_from_peers() => {}
            LoopInput::Client(..) if self.switches.cuts.drops_clients() => {}
            LoopInput::Peer(from, message) => {
                self.replica.on_peer(now, from, message, &mut self.out);
            }
            LoopInput::Client(from, message, room) => self.take_client(now, from, message, room),
            LoopInput::Connected(client, connection, mailbox) => {
                self.clients.came(client, connection, mailbox);
            }
            LoopInput::Disconnected(client, connection) => {
                self.clients.left(client, connection);
            }
            LoopInput::Operator(message, answer) => {
                let done = self.obey(now, &message);
                self.answers.push((answer, done));
            }
            LoopInput::Cache(reply) => self.replica.on_cache(now, reply),
            LoopInput::Captured(kept) => {
                let done = kept.and_then(|kept| self.on_captured(now, kept));
                self.broken = self.broken.take().or(done.err());
            }
        }
    }

    /// Takes what a client asks, now or when its turn comes.
    fn take_client(&mut self, now: LocalTime, from: ClientId, message: ClientMessage, room: Room) {
        if let Some(stopwatch) = &mut self.replica.partition_mut().stopwatch {
            stopwatch.arrived(now, &message);
        }
        let message = match &mut self.intake {
            Some(intake) => {
                let (replica, out) = (&mut self.replica, &mut self.out);
                let is_leader = replica.is_leader();
                let announce = |command: &Command| {
                    let announce = |order: &mut GroupMulticast, _: &mut _| order.announce(command);
                    replica.with_multicast(announce, out)
                };
                intake.hold_back(from, message, room, is_leader, announce)
            }
            None => Some(message),
        };
        if let Some(message) = message {
            self.replica.on_client(now, from, message, &mut self.out);
        }
    }

    /// Takes what clients have asked and whose turn has come.
    fn take_turns(&mut self, now: LocalTime) {
        let Some(intake) = &mut self.intake else {
            return;
        };
        while let Some((from, message)) = intake.take(now, self.replica.is_leader()) {
            if let ClientMessage::Submit(command) = &message {
                let withdraw = |order: &mut GroupMulticast, _: &mut _| order.withdraw(command);
                self.replica.with_multicast(withdraw, &mut self.out);
            }
            self.replica.on_client(now, from, message, &mut self.out);
        }
    }

    /// Does what an operator wants. The answer must not leave before it is stored.
    fn obey(&mut self, now: LocalTime, message: &OperatorMessage) -> OperatorAnswer {
        match message {
            OperatorMessage::Status => OperatorAnswer::Status(self.status(false)),
            OperatorMessage::Inspect => OperatorAnswer::Status(self.status(true)),
            OperatorMessage::Milestone(from) => {
                OperatorAnswer::Milestone(self.replica.milestone(*from))
            }
            OperatorMessage::Prepare(founders) => {
                let prepare = |order: &mut GroupMulticast, _: &mut _| order.prepare(founders);
                OperatorAnswer::Done(self.replica.with_multicast(prepare, &mut self.out))
            }
            OperatorMessage::Found(founders) => {
                let found =
                    |order: &mut GroupMulticast, out: &mut _| order.found(now, founders, out);
                OperatorAnswer::Done(self.replica.with_multicast(found, &mut self.out))
            }
        }
    }

    /// Says once that somebody has to do something, unless it turns out that nobody has.
    fn say_if_unfounded(&mut self, now: LocalTime) {
        if self.says_unfounded.is_none_or(|at| now < at) {
            return;
        }
        self.says_unfounded = None;
        let log = self.replica.multicast().log();
        if !log.is_member() {
            let (id, generation) = (self.id, log.member().generation());
            tracing::warn!(
                %id,
                generation,
                "the replica holds nothing and votes for nobody: it waits for its group to be \
                 founded, or to take it in"
            );
        }
    }

    /// Has a copy of the state encoded, and stored if anything is, beside the loop.
    fn keep(&mut self, now: LocalTime, mut capture: Capture) -> io::Result<()> {
        let (last, wanted) = (capture.last, capture.wanted);
        if self.log.is_none() && !wanted {
            // Nothing is stored: the log can be forgotten as long as the state can be captured
            // again.
            let snapshot = None;
            let captured = Captured { last, snapshot };
            self.replica.on_captured(now, captured, &mut self.out);
            return Ok(());
        }
        let tail = std::mem::take(&mut capture.tail);
        let log = self.log.as_mut();
        let writer = log.map(|log| log.begin_snapshot(tail)).transpose()?;
        let own = self.own.clone();
        tokio::task::spawn_blocking(move || {
            let snapshot = capture.encode();
            let number = writer.as_ref().map(SnapshotWriter::number);
            let written = writer.map_or(Ok(()), |writer| writer.write(snapshot.clone()));
            let snapshot = wanted.then_some(snapshot);
            let captured = Captured { last, snapshot };
            let kept = written.map(|()| Kept { captured, number });
            // Nobody waits for it if the replica has stopped.
            let _ = own.blocking_send(LoopInput::Captured(kept));
        });
        Ok(())
    }

    fn on_captured(&mut self, now: LocalTime, kept: Kept) -> io::Result<()> {
        let Kept { captured, number } = kept;
        if let (Some(log), Some(number)) = (&self.log, number) {
            log.forget_below(number)?;
        }
        self.replica.on_captured(now, captured, &mut self.out);
        Ok(())
    }

    /// Stores what must be durable before anything else leaves.
    fn store(&mut self, now: LocalTime) -> io::Result<()> {
        let records = std::mem::take(&mut self.out.records);
        if let Some(log) = &mut self.log {
            log.append(records)?;
        }
        if let Some(capture) = self.out.capture.take() {
            self.keep(now, capture)?;
        }
        self.broken.take().map_or(Ok(()), Err)
    }

    /// Logs, applies, stores and sends what the inputs of this round led to. Returns whether the
    /// replica may go on: one that cannot store must not say anything that depends on it.
    fn finish_round(&mut self, now: LocalTime, leadership: &LeaderEntry) -> bool {
        self.replica.flush(now, &mut self.out);
        if let Err(error) = self.store(now) {
            let log = self.log.as_ref();
            let folder = log.map(|log| tracing::field::display(log.folder().display()));
            tracing::error!(folder, %error, "the log cannot be written: the replica stops");
            return false;
        }
        for (answer, done) in self.answers.drain(..) {
            // Whoever has asked may have gone.
            let _ = answer.send(done);
        }
        if self.switches.cuts.drops_to_peers() {
            self.out.peers.clear();
        }
        if self.switches.cuts.drops_clients() {
            self.out.clients.clear();
        }
        for (to, message) in self.out.peers.drain(..) {
            self.peers.send(to, &message);
        }
        for (to, message) in self.out.clients.drain(..) {
            let stopwatch = self.replica.partition_mut().stopwatch.as_mut();
            if let Some(measured) = stopwatch.and_then(|it| it.before(now, &message)) {
                self.clients.send(to, &measured);
            }
            self.clients.send(to, &message);
        }
        for call in self.out.cache.drain(..) {
            if let Some(refused) = self.cache.call(call) {
                self.replica.on_cache(now, refused);
            }
        }
        if self.replica.status().is_leader != self.leads_since.is_some() {
            self.leads_since = self.replica.status().is_leader.then_some(now);
            leadership.publish(self.leads_since);
        }
        true
    }

    fn status(&self, digest: bool) -> ReplicaStatus {
        let (status, log) = (self.replica.status(), self.replica.multicast().log());
        let group = self.id.group;
        ReplicaStatus {
            id: self.id,
            member: log.member(),
            holding: log.holding(),
            is_member: log.is_member(),
            is_voter: status.is_voter,
            is_leader: status.is_leader,
            leader: status.leader.map(|index| ReplicaId { group, index }),
            term: log.term(),
            committed: log.commit_index(),
            applied: status.applied,
            digest: digest.then(|| self.replica.digest()),
            counters: self.replica.counters(),
            unfinished: self.replica.partition().unfinished_count() as u64,
            processor_us: clock::thread_processor_us(),
            traffic: self.traffic.count(),
        }
    }
}
