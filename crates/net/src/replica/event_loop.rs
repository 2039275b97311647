//! The event loop of one replica: take all that has arrived, run the machine once, store, send. A
//! leader sends, then stores, so that its sync and its followers' overlap.
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
use super::input::{Leaving, LoopInput, Question, Room, Switches};
use super::intake::Intake;
use super::news::News;
use super::options::ReplicaOptions;
use super::peers::Peers;
use super::recorder::Recorder;
use super::stopwatch::Timed;
use super::visitors::Visitors;
use crate::cache::FarCache;
use crate::clock::Clock;
use crate::leaders::LeaderEntry;
use crate::location::Location;
use crate::mailbox::Together;
use crate::network::Party;
use crate::operator::message::OperatorAnswer;
use crate::participant::Participant;
use crate::peer::Peer;
use crate::traffic::Traffic;
use ssmr_core::multicast::TICK;
use ssmr_core::{
    CacheCall, ClientId, ClientMessage, Command, LocalTime, Micros, Replica, ReplicaId,
    ReplicaOutbox,
};
use ssmr_multicast::GroupMulticast;
use ssmr_storage::LogStore;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// The most inputs of one round, and the most that may wait for the next one.
const ROUND: usize = 4096;

/// How long a replica may hold nothing before it says so: a cluster that is founded as it starts is
/// not worth a word.
const UNFOUNDED: Micros = 3_000_000;

/// A replica of whatever service and strategy.
pub(super) type AnyReplica = Replica<GroupMulticast, Timed>;

/// A replica and all that it is connected to.
pub(super) struct EventLoop {
    pub(super) id: ReplicaId,
    pub(super) replica: AnyReplica,
    /// Where records go; none if state is in memory.
    pub(super) log: Option<LogStore>,
    /// After how many bytes of log a snapshot is due.
    pub(super) log_limit: usize,
    pub(super) clock: Clock,
    pub(super) started: LocalTime,
    /// The longest one of the emulated network.
    pub(super) round_trip: Micros,
    pub(super) inbox: mpsc::Receiver<LoopInput>,
    /// For what is done beside the loop.
    pub(super) own: mpsc::Sender<LoopInput>,
    /// Why the replica cannot go on.
    pub(super) broken: Option<io::Error>,
    pub(super) peers: Peers,
    pub(super) switches: Switches,
    pub(super) clients: Connected,
    pub(super) visitors: Arc<Visitors>,
    /// This replica, as others see it.
    pub(super) participant: Arc<Participant>,
    pub(super) traffic: Arc<Traffic>,
    cache: FarCache,
    /// Where what clients ask waits for its turn, if it has to.
    pub(super) intake: Option<Intake>,
    pub(super) recorder: Recorder,
    news: News,
    pub(super) out: ReplicaOutbox<GroupMulticast>,
    leads_since: Option<LocalTime>,
    /// Answers to operators that leave once what they tell is stored.
    answers: Vec<(oneshot::Sender<OperatorAnswer>, OperatorAnswer)>,
    /// When to say that this replica is no member of its group, if it has not become one.
    says_unfounded: Option<LocalTime>,
    /// Set when it is to end.
    pub(super) leaving: Option<Leaving>,
}

/// Whether the cache has refused to be asked something.
struct Refused(bool);

impl EventLoop {
    /// Starts the tasks around `replica`. To be called within its runtime.
    pub(super) fn new(
        replica: AnyReplica,
        log: Option<LogStore>,
        options: ReplicaOptions,
        participant: &Arc<Participant>,
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
            log_bytes,
            metrics,
            ..
        } = options;
        let (sender, inbox) = mpsc::channel(ROUND);
        let round_trip = config.longest_round_trip().as_micros() as Micros;
        let location = Location {
            own: Party::Replica(id),
            network: config.network,
            clock,
        };
        let unread = Together::default();
        let clients = Connected::new(unread.clone(), limits.unread_together);
        let visitors = Arc::new(Visitors::new(clock));
        let gate = Gate::new(
            participant.clone(),
            &limits,
            Clients::new(
                limits,
                unread,
                sender.clone(),
                traffic.clone(),
                location.clone(),
            ),
            sender.clone(),
            traffic.clone(),
            visitors.clone(),
        );
        tokio::spawn(gate.run(listener));
        let addresses = config.addresses.into_iter();
        let peers: Vec<Peer> = addresses
            .filter(|(replica, _)| *replica != id)
            .map(|(replica, address)| Peer { replica, address })
            .collect();
        let peers = Peers::start(id, &peers, &location, participant, &sender, traffic);
        let (servers, incarnation) = (config.cache_servers, config.incarnation);
        let cache = FarCache::start(servers, incarnation, &location, &sender);
        let is_voter = replica.status().is_voter;
        let is_member = replica.multicast().log().is_member();
        Self {
            id,
            replica,
            log,
            log_limit: log_bytes,
            clock,
            started: clock.now(),
            round_trip,
            inbox,
            own: sender.clone(),
            broken: None,
            peers,
            switches,
            clients,
            visitors,
            participant: participant.clone(),
            traffic: traffic.clone(),
            cache,
            intake: service_time.map(Intake::new),
            recorder: Recorder::new(metrics.is_some()),
            news: News::new(id, is_voter),
            out: ReplicaOutbox::default(),
            leads_since: None,
            answers: Vec::new(),
            says_unfounded: (!is_member).then(|| clock.now() + UNFOUNDED),
            leaving: None,
        }
    }

    /// Runs until nobody can ask any more questions, and whatever is to be handed over is.
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
                    if !self.finish_round(now, leadership).await {
                        return;
                    }
                }
                () = self.clock.reaches(turn) => {
                    let now = self.clock.now();
                    self.take_turns(now);
                    if !self.finish_round(now, leadership).await {
                        return;
                    }
                }
                _ = tick.tick() => {
                    let now = self.clock.now();
                    self.replica.on_timer(now, &mut self.out);
                    self.replica.partition_mut().hottest.on_timer(now);
                    self.say_if_unfounded(now);
                    let order = self.replica.multicast();
                    let (status, term) = (self.replica.status(), order.log().term());
                    self.news.look(&status, term, order.hears_leader(now));
                    if !self.finish_round(now, leadership).await {
                        return;
                    }
                }
                question = questions.recv(), if self.leaving.is_none() => match question {
                    Some(question) => self.answer(question),
                    None => {
                        self.begin_to_leave();
                        if !self.finish_round(self.clock.now(), leadership).await {
                            return;
                        }
                    }
                },
            }
            if self.has_left() {
                break;
            }
        }
        if self.leaving.is_some_and(Leaving::was_leader) {
            // What it has told its clients and its successor last is written meanwhile.
            tick.tick().await;
        }
        if self.switches.farewell.load(Relaxed) {
            self.say_farewell().await;
        }
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
        if self.replica.is_leader() {
            self.note_arrival(now, &message);
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

    fn note_arrival(&mut self, now: LocalTime, message: &ClientMessage) {
        self.recorder.arrived(now, message);
        if let ClientMessage::Query(query) = message {
            let hottest = &mut self.replica.partition_mut().hottest;
            hottest.named(query.request.objects());
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

    /// Logs, applies, stores and sends what the inputs of this round led to. Returns whether the
    /// replica may go on: one that cannot store must not say anything that depends on it.
    async fn finish_round(&mut self, now: LocalTime, leadership: &LeaderEntry) -> bool {
        match self.store_and_send(now, leadership).await {
            Some(Refused(true)) => {
                // What waits for an answer of the cache goes on without it at once. What is refused
                // then waits for the next tick.
                self.store_and_send(now, leadership).await.is_some()
            }
            goes_on => goes_on.is_some(),
        }
    }

    /// The same once; says whether the cache has refused to be asked. `None` if the replica may not
    /// go on.
    async fn store_and_send(
        &mut self,
        now: LocalTime,
        leadership: &LeaderEntry,
    ) -> Option<Refused> {
        self.replica.flush(now, &mut self.out);
        let mut refused = Refused(false);
        if self.sends_first() {
            refused = self.send(now);
            // The tasks that write to peers have their turn, for a sync holds all of them up.
            tokio::task::yield_now().await;
        }
        if let Err(error) = self.store(now) {
            let log = self.log.as_ref();
            let folder = log.map(|log| tracing::field::display(log.folder().display()));
            tracing::error!(folder, %error, "the log cannot be written: the replica stops");
            return None;
        }
        self.out.store_first = false;
        for (answer, done) in self.answers.drain(..) {
            // Whoever has asked may have gone.
            let _ = answer.send(done);
        }
        refused.0 |= self.send(now).0;
        let status = self.replica.status();
        if status.is_leader != self.leads_since.is_some() {
            self.leads_since = status.is_leader.then_some(now);
            leadership.publish(self.leads_since);
        }
        Some(refused)
    }

    /// Sends all that is to be sent; says whether the cache has refused to be asked.
    fn send(&mut self, now: LocalTime) -> Refused {
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
            self.recorder.leaves(now, &message);
            self.clients.send(to, &message);
        }
        let mut refused = false;
        for call in self.out.cache.drain(..) {
            let is_question = matches!(call, CacheCall::Get { .. });
            if let Some(reply) = self.cache.call(call) {
                self.replica.on_cache(now, reply);
                refused |= is_question;
            }
        }
        Refused(refused)
    }
}
