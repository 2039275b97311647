//! A client as its owner's event loop: submit requests, wait for completions, in whatever order they come.
//!
//! It has no task of its own besides its connections: resending, retries and answers happen within [`Pipeline::next`].
//! Connections are dialled to replicas that the engine talks to, when it does.

use crate::cache::CacheClient;
use crate::clock::Clock;
use crate::config::ClusterConfig;
use crate::error::NetError;
use crate::link::OutgoingConnection;
use crate::mailbox::Mailbox;
use crate::traffic::{Traffic, TrafficCount};
use crate::wire::{Handshake, Sender};
use ssmr_core::client::ClientSettings;
use ssmr_core::{
    CacheReply, ClientId, ClientOutbox, Completion, LocalTime, Oracle, Placement, ReplicaId,
    Request, ServerMessage,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};

/// How often the engine is told the time.
const TICK: Duration = Duration::from_millis(50);

/// The most inputs of one round, and the most that may wait for the next one.
const ROUND: usize = 1024;

/// How many bytes may wait for a replica that does not read. The engine sends again what is dropped.
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
pub struct Pipeline<O: Oracle> {
    engine: ssmr_core::ClientEngine<O>,
    connections: Connections,
    inbox: mpsc::Receiver<ClientInput>,
    out: ClientOutbox,
    events: Vec<ClientInput>,
    tick: Interval,
    clock: Clock,
    outstanding: usize,
}

impl<O: Oracle> Pipeline<O> {
    /// A client of a cluster, with an id that no other client ever uses. To be called within a tokio runtime.
    ///
    /// Its completions bear times of `clock`.
    ///
    /// # Errors
    /// If the configuration lacks an address.
    pub fn new(
        config: &ClusterConfig,
        id: ClientId,
        oracle: O,
        settings: ClientSettings,
        clock: Clock,
    ) -> Result<Self, NetError> {
        config.check()?;
        let (sender, inbox) = mpsc::channel(ROUND);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            engine: ssmr_core::ClientEngine::new(
                id,
                Placement::new(oracle, config.topology),
                settings,
            ),
            connections: Connections {
                config: config.clone(),
                handshake: Handshake::new(config.incarnation, Sender::Client(id)),
                clock,
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
        })
    }

    /// Takes a request, to be sent with the next [`flush`](Self::flush) or [`next`](Self::next). The ticket comes back
    /// in its completion.
    pub fn submit(&mut self, request: Request) -> u64 {
        self.outstanding += 1;
        self.engine.submit(self.clock.now(), request, &mut self.out)
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
            self.connections.mailbox(to).push(&message);
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
    config: ClusterConfig,
    handshake: Handshake,
    clock: Clock,
    inbox: mpsc::Sender<ClientInput>,
    mailboxes: BTreeMap<ReplicaId, Arc<Mailbox>>,
    cache: Option<CacheClient>,
    traffic: Arc<Traffic>,
    /// The links. They end with the client.
    tasks: JoinSet<()>,
}

impl Connections {
    /// Where messages to a replica go.
    fn mailbox(&mut self, to: ReplicaId) -> &Mailbox {
        self.mailboxes.entry(to).or_insert_with(|| {
            let mailbox = Arc::new(Mailbox::new(QUEUE, self.traffic.clone()));
            let link = OutgoingConnection {
                address: self.config.addresses[&to],
                handshake: self.handshake,
                mailbox: mailbox.clone(),
                traffic: self.traffic.clone(),
                clock: self.clock,
            };
            let wrap = move |message| ClientInput::Message(to, message);
            self.tasks.spawn(link.run(wrap, self.inbox.clone()));
            mailbox
        })
    }

    fn cache(&mut self) -> &CacheClient {
        let (servers, inbox) = (&self.config.cache_servers, &self.inbox);
        let incarnation = self.config.incarnation;
        self.cache
            .get_or_insert_with(|| CacheClient::start(servers.clone(), incarnation, inbox.clone()))
    }
}
