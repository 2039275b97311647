//! A client whose cluster is made up: the test sees all that it sends and says what it hears.

use crate::script::{SCRIPT, hint, timestamp};
use crate::strategy::TestStrategy;
use ssmr_core::client::ClientSettings;
use ssmr_core::{
    Answer, CacheCall, CacheReply, ClientEngine, ClientMessage, ClientOutbox, Command, Completion,
    Encoded, Found, GroupId, Hint, LocalTime, LogTime, ObjectId, Oracle, Placement, Query,
    ReplicaId, Request, ServerMessage, Topology, Verdict,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A client of three partitions of three replicas each.
#[derive(Debug)]
pub(crate) struct LoneClient {
    placement: Placement,
    client: ClientEngine,
    now: LocalTime,
    /// What it has sent and the test has not looked at.
    pub(crate) sent: VecDeque<(ReplicaId, ClientMessage)>,
    /// What it has asked of the shared cache and the test has not looked at.
    pub(crate) cache_calls: VecDeque<CacheCall>,
}

impl LoneClient {
    /// A client that has not begun.
    pub(crate) fn new(strategy: TestStrategy) -> Self {
        Self::with(strategy, ClientSettings::default())
    }

    /// The same, with other settings.
    pub(crate) fn with(strategy: TestStrategy, settings: ClientSettings) -> Self {
        let mut topology = Topology::new(3, 3).unwrap();
        if strategy.needs().oracle_group {
            topology = topology.with_oracle(3).unwrap();
        }
        let placement = Placement::new(strategy, topology);
        Self {
            client: ClientEngine::new(SCRIPT, placement.clone(), settings),
            placement,
            now: LocalTime::ZERO,
            sent: VecDeque::new(),
            cache_calls: VecDeque::new(),
        }
    }

    /// The strategy in the cluster.
    pub(crate) fn placement(&self) -> &Placement {
        &self.placement
    }

    fn with_client<T>(
        &mut self,
        work: impl FnOnce(&mut ClientEngine, LocalTime, &mut ClientOutbox) -> T,
    ) -> T {
        let mut out = ClientOutbox::default();
        let result = work(&mut self.client, self.now, &mut out);
        self.sent.extend(out.messages);
        self.cache_calls.extend(out.cache);
        result
    }

    /// Submits a request. Greetings are answered at once.
    pub(crate) fn submit(&mut self, request: Request) {
        self.with_client(|client, now, out| client.submit(now, request, out));
        self.answer_greetings(LogTime::ZERO);
    }

    /// Every replica that was greeted tells this time.
    pub(crate) fn answer_greetings(&mut self, time: LogTime) {
        let (greetings, rest): (VecDeque<_>, _) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(_, message)| *message == ClientMessage::Hello);
        self.sent = rest;
        for (replica, _) in greetings {
            self.hear(replica, ServerMessage::Time(time));
        }
    }

    /// Says something to the client.
    pub(crate) fn hear(&mut self, from: ReplicaId, message: ServerMessage) {
        self.with_client(|client, now, out| client.on_message(now, from, message, out));
    }

    /// Makes it believe that a partition owns an object.
    pub(crate) fn learn(&mut self, object: ObjectId, owner: u8) {
        let hints = vec![hint(object, owner, timestamp(1))];
        let unknown = Vec::new();
        let from = crate::script::leader(0);
        self.hear(from, ServerMessage::Consulted { hints, unknown });
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time.as_micros() as u64;
        self.with_client(ClientEngine::on_timer);
    }

    /// The commands that it has sent since the test last looked; other messages are dropped.
    pub(crate) fn commands(&mut self) -> Vec<Arc<Command>> {
        let sent = self.sent.drain(..);
        let commands = sent.filter_map(|(_, message)| match message {
            ClientMessage::Submit(command) => Some(command),
            _ => None,
        });
        commands.collect()
    }

    /// The one attempt that it has sent to each of its destinations since the test last looked.
    ///
    /// # Panics
    /// If there is none, if there are several, or if a destination was left out or got it twice.
    pub(crate) fn attempt(&mut self) -> Arc<Command> {
        let groups: Vec<GroupId> = self.sent.iter().map(|(to, _)| to.group).collect();
        let commands = self.commands();
        let command = commands.first().expect("an attempt was sent").clone();
        assert!(
            commands.iter().all(|other| *other == command),
            "{commands:?}"
        );
        assert_eq!(groups, command.destinations.iter().collect::<Vec<_>>());
        command
    }

    /// The one query that it has sent since the test last looked, and to whom.
    pub(crate) fn query(&mut self) -> (ReplicaId, Arc<Query>) {
        match self.sent.pop_front() {
            Some((to, ClientMessage::Query(query))) if self.sent.is_empty() => (to, query),
            other => panic!("no query: {other:?}, then {:?}", self.sent),
        }
    }

    /// Answers an attempt.
    pub(crate) fn answer(&mut self, command: &Command, verdict: Verdict, hints: &[Hint]) {
        let group = command.destinations.first().unwrap();
        let answer = Arc::new(Answer {
            id: command.id,
            verdict,
            reply: Encoded::new(),
            timestamp: timestamp(5),
            touched: Vec::new(),
        });
        let (hints, time) = (hints.to_vec(), LogTime::ZERO);
        let from = ReplicaId { group, index: 0 };
        self.hear(
            from,
            ServerMessage::Answer {
                answer,
                hints,
                time,
            },
        );
    }

    /// The replica that it believes to lead a group says that replica 1 does.
    pub(crate) fn not_leader(&mut self, group: GroupId) {
        let leader = Some(1);
        self.hear(
            ReplicaId { group, index: 0 },
            ServerMessage::NotLeader { leader },
        );
    }

    /// Answers all questions, to replicas and cache, with "unknown".
    pub(crate) fn answer_consultations(&mut self) {
        while let Some(CacheCall::Get { key }) = self.cache_calls.pop_front() {
            let found = Found::Miss;
            self.hear_cache(CacheReply { key, found });
        }
        let (asked, rest): (VecDeque<_>, _) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(_, message)| matches!(message, ClientMessage::Consult(_)));
        self.sent = rest;
        for (from, message) in asked {
            if let ClientMessage::Consult(unknown) = message {
                let hints = Vec::new();
                self.hear(from, ServerMessage::Consulted { hints, unknown });
            }
        }
    }

    /// The shared cache says something to the client.
    pub(crate) fn hear_cache(&mut self, reply: CacheReply) {
        self.with_client(|client, now, out| client.on_cache(now, reply, out));
    }

    /// The next completed request.
    pub(crate) fn completed(&mut self) -> Option<Completion> {
        self.client.poll_completed()
    }

    /// How many requests are under way.
    pub(crate) fn outstanding(&self) -> usize {
        self.client.outstanding()
    }
}
