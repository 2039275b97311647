//! A client as its owner's event loop: submit requests, wait for completions, in whatever order
//! they come.
//!
//! It has no task of its own besides its connections: resending, retries and answers happen within
//! [`Pipeline::next`]. Connections are dialled to replicas that the engine talks to, when it does.

use crate::cache::FarCache;
use crate::clock::Clock;
use crate::config::ClusterConfig;
use crate::connection::ConnectionStates;
use crate::delay_line::Pipe;
use crate::error::ConfigError;
use crate::greeting::Role;
use crate::link::{Dialling, OutgoingConnection};
use crate::location::Location;
use crate::mailbox::Mailbox;
use crate::network::Party;
use crate::participant::Participant;
use crate::peer::Peer;
use crate::traffic::{Traffic, TrafficCount};
use ssmr_core::client::{ClientSettings, StaleReads};
use ssmr_core::{
    Answer, Application, CacheReply, ClientId, ClientOutbox, Completion, Identity, LocalTime,
    ObjectId, Oracle, PartitionId, Placement, ReplicaId, Request, ServerMessage,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};

/// How often the engine is told the time.
const TICK: Duration = Duration::from_millis(50);

/// The most inputs of one round, and the most that may wait for the next one.
const ROUND: usize = 1024;

/// How many bytes may wait for a replica that does not read. The engine sends again what is
/// dropped.
const QUEUE: usize = 16 << 20;

/// What a client takes in.
#[derive(Debug)]
enum ClientInput {
    Message(ReplicaId, ServerMessage),
    Cache(CacheReply),
}

impl From<CacheReply> for ClientInput {
    fn from(reply: CacheReply) -> Self {
        Self::Cache(reply)
    }
}

/// A client without a task: its owner drives it. Dropping it closes its connections.
pub struct Pipeline {
    engine: ssmr_core::ClientEngine,
    connections: Connections,
    inbox: mpsc::Receiver<ClientInput>,
    out: ClientOutbox,
    events: Vec<ClientInput>,
    tick: Interval,
    clock: Clock,
    outstanding: usize,
}

impl Pipeline {
    /// A client of a cluster, with an [id](ClusterConfig::client_id) that no other client ever
    /// uses. To be called within a
    /// tokio runtime.
    ///
    /// Its completions bear times of `clock`.
    ///
    /// # Errors
    /// If the configuration does not fit the strategy, or the client's certificate cannot be used.
    pub fn new<A: Application>(
        config: &ClusterConfig,
        id: ClientId,
        oracle: impl Oracle,
        settings: ClientSettings,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let oracle = oracle.into_shared();
        config.check(&*oracle)?;
        let identity = Identity::of::<A>(&*oracle, config.topology, config.incarnation);
        let participant = Participant::new(identity, Role::Client(id), config)?;
        let mut pipeline = Self::of(participant, config, id, oracle, settings, clock);
        if let Some(key) = config.reader_key {
            let stale_reads = StaleReads::of::<A>(key);
            pipeline.engine = pipeline.engine.with_stale_reads(stale_reads);
        }
        Ok(pipeline)
    }

    /// The part that is the same for every service.
    fn of(
        participant: Participant,
        config: &ClusterConfig,
        id: ClientId,
        oracle: Arc<dyn Oracle>,
        settings: ClientSettings,
        clock: Clock,
    ) -> Self {
        let settings = settings.allowing_for(config.longest_round_trip());
        let location = Location {
            own: Party::Client(id),
            network: config.network.clone(),
            clock,
        };
        let addresses = config.addresses.iter();
        let peers = addresses.map(|(&replica, address)| Peer {
            replica,
            address: address.clone(),
        });
        let (states, _) = watch::channel(ConnectionStates::new(peers));
        let (sender, inbox) = mpsc::channel(ROUND);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            engine: ssmr_core::ClientEngine::new(
                id,
                Placement::new(oracle, config.topology),
                settings,
            ),
            connections: Connections {
                location,
                config: config.clone(),
                participant: Arc::new(participant),
                states,
                inbox: sender,
                mailboxes: BTreeMap::new(),
                cache: None,
                traffic: Arc::default(),
                tasks: JoinSet::new(),
            },
            inbox,
            out: ClientOutbox::default(),
            events: Vec::with_capacity(ROUND),
            tick,
            clock,
            outstanding: 0,
        }
    }

    /// Takes a request, to be sent with the next [`flush`](Self::flush) or [`next`](Self::next).
    /// The ticket comes back in its completion.
    pub fn submit(&mut self, request: Request) -> u64 {
        self.outstanding += 1;
        self.engine.submit(self.clock.now(), request, &mut self.out)
    }

    /// The same; but a read of a single object may be answered by the shared cache, with what is
    /// past: see [`ClientEngine::submit_stale`](ssmr_core::ClientEngine::submit_stale). That takes
    /// the cluster's [`reader_key`](ClusterConfig::reader_key).
    pub fn submit_stale(&mut self, request: Request) -> u64 {
        self.outstanding += 1;
        let now = self.clock.now();
        self.engine.submit_stale(now, request, &mut self.out)
    }

    /// Sends what was submitted, without waiting.
    pub fn flush(&mut self) {
        let now = self.clock.now();
        // A call that the cache refuses at once leads to messages instead.
        while !self.out.cache.is_empty() {
            for call in std::mem::take(&mut self.out.cache) {
                if let Some(refused) = self.connections.cache().call(call) {
                    self.engine.on_cache(now, refused, &mut self.out);
                }
            }
        }
        for (to, message) in self.out.messages.drain(..) {
            if let Some(mailbox) = self.connections.mailbox(to, Dialling::WhenNeeded) {
                mailbox.push(&message);
            }
        }
    }

    /// A request that has completed already, if there is one.
    pub fn try_next(&mut self) -> Option<Completion> {
        while let Ok(event) = self.inbox.try_recv() {
            self.take(self.clock.now(), event);
        }
        self.flush();
        self.completed()
    }

    /// Waits for the next completion; for ever, if nothing is outstanding. Cancel safe.
    pub async fn next(&mut self) -> Completion {
        loop {
            if let Some(completion) = self.completed() {
                return completion;
            }
            self.flush();
            if let Some(completion) = self.completed() {
                return completion;
            }
            self.take_in().await;
        }
    }

    /// Waits for the answer to a request that has ended as unknown, if there is one that may still
    /// come. For whoever has asked for [late answers](ClientSettings::late_answers), and waits for
    /// no completion. Cancel safe.
    pub async fn late_answer(&mut self) -> Option<Arc<Answer>> {
        loop {
            self.flush();
            if let Some(answer) = self.engine.poll_late() {
                return Some(answer);
            }
            if self.engine.outstanding() == 0 {
                return None;
            }
            self.take_in().await;
        }
    }

    /// Waits for what comes next, and takes it in.
    async fn take_in(&mut self) {
        tokio::select! {
            _ = self.inbox.recv_many(&mut self.events, ROUND) => {
                let now = self.clock.now();
                let mut events = std::mem::take(&mut self.events);
                events.drain(..).for_each(|event| self.take(now, event));
                self.events = events;
            }
            _ = self.tick.tick() => self.engine.on_timer(self.clock.now(), &mut self.out),
        }
    }

    /// How many requests have been submitted whose completions have not been taken.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// What it has sent to replicas and received from them so far.
    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.connections.traffic.count()
    }

    /// Connects to every replica, and again whenever a connection breaks.
    pub(super) fn dial_all(&mut self) {
        let replicas: Vec<ReplicaId> = self.connections.config.addresses.keys().copied().collect();
        for replica in replicas {
            self.connections.mailbox(replica, Dialling::Always);
        }
    }

    /// How its connections stand.
    pub(super) fn states(&self) -> watch::Receiver<ConnectionStates> {
        self.connections.states.subscribe()
    }

    /// Where it believes an object to be.
    pub(super) fn believed_owner(&mut self, object: ObjectId) -> Option<PartitionId> {
        self.engine.believed_owner(object)
    }

    /// How an outstanding request stands that nobody will wait for any longer: its outcome is
    /// unknown. For whoever is about to drop the pipeline; the request itself goes on until then.
    #[must_use]
    pub fn abandoned(&self, ticket: u64) -> Completion {
        let now = self.clock.now();
        self.engine.abandoned(ticket, now, now)
    }

    /// The counters behind [`traffic`](Self::traffic), for a handle.
    pub(super) fn counters(&self) -> Arc<Traffic> {
        self.connections.traffic.clone()
    }

    fn take(&mut self, now: LocalTime, event: ClientInput) {
        match event {
            ClientInput::Message(from, message) => {
                self.engine.on_message(now, from, message, &mut self.out);
            }
            ClientInput::Cache(reply) => self.engine.on_cache(now, reply, &mut self.out),
        }
    }

    fn completed(&mut self) -> Option<Completion> {
        let completion = self.engine.poll_completed()?;
        self.outstanding -= 1;
        Some(completion)
    }
}

/// The connections of one client, made when they are needed first.
struct Connections {
    location: Location,
    config: ClusterConfig,
    participant: Arc<Participant>,
    states: watch::Sender<ConnectionStates>,
    inbox: mpsc::Sender<ClientInput>,
    mailboxes: BTreeMap<ReplicaId, Arc<Mailbox>>,
    cache: Option<FarCache>,
    traffic: Arc<Traffic>,
    /// The links. They end with the client.
    tasks: JoinSet<()>,
}

impl Connections {
    /// Where messages to a replica go; `None` if the configuration does not know it.
    fn mailbox(&mut self, to: ReplicaId, dialling: Dialling) -> Option<&Mailbox> {
        let address = self.config.addresses.get(&to)?;
        let (there, location) = (Party::Replica(to), &self.location);
        Some(self.mailboxes.entry(to).or_insert_with(|| {
            let way = location.way_to(there, 0, &Pipe::default());
            let mailbox = Mailbox::new(QUEUE, self.traffic.clone());
            let mailbox = Arc::new(mailbox.over(way, location.clock));
            let link = OutgoingConnection {
                peer: Peer {
                    replica: to,
                    address: address.clone(),
                },
                participant: self.participant.clone(),
                dialling,
                states: self.states.clone(),
                mailbox: mailbox.clone(),
                traffic: self.traffic.clone(),
                clock: location.clock,
                handshake: location.handshake(there),
            };
            let wrap = move |message| ClientInput::Message(to, message);
            self.tasks.spawn(link.run(wrap, self.inbox.clone()));
            mailbox
        }))
    }

    fn cache(&mut self) -> &FarCache {
        let (config, location) = (&self.config, &self.location);
        self.cache.get_or_insert_with(|| {
            let servers = config.cache_servers.clone();
            FarCache::start(servers, config.incarnation, location, &self.inbox)
        })
    }
}
