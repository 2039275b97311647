//! Replicas of some groups and clients, joined by one sequencer. Nothing is lost and nothing waits,
//! unless a test says so: a group that is held applies nothing, and answers can be lost.

use crate::probe::Probe;
use crate::script::{SCRIPT, group, id, leader, shared};
use crate::service::read;
use crate::strategy::TestStrategy;
use ssmr_core::client::ClientSettings;
use ssmr_core::codec;
use ssmr_core::{
    Answer, CacheCall, ClientEngine, ClientId, ClientMessage, ClientOutbox, Command, CommandId,
    Completion, Encoded, GroupId, Groups, Hint, Intent, LocalTime, LogTime, ObjectId, Oracle,
    Partition, PartitionId, PeerMessage, Placement, Query, Reads, Replica, ReplicaId,
    ReplicaOutbox, Request, Revision, ServerMessage, SessionId, Topology, Verdict,
};
use ssmr_multicast::{IdealMulticast, Sequencer};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A replica on the ideal order.
pub(crate) type TestReplica = Replica<IdealMulticast, Probe>;

/// Whose commands put objects in place before a test begins.
const SETUP: ClientId = ClientId(99);

/// What a replica told a client.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Which replica.
    pub(crate) from: ReplicaId,
    /// Which client.
    pub(crate) to: ClientId,
    /// What.
    pub(crate) message: ServerMessage,
}

/// Hints that one replica sent to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentHints {
    /// Who sent them.
    pub(crate) from: ReplicaId,
    /// Who got them.
    pub(crate) to: ReplicaId,
    /// The hints.
    pub(crate) hints: Vec<Hint>,
}

/// Replicas, clients, and what is under way between them.
#[derive(Debug)]
pub(crate) struct Cluster {
    placement: Placement,
    sequencer: Sequencer,
    replicas: BTreeMap<ReplicaId, TestReplica>,
    clients: BTreeMap<ClientId, ClientEngine>,
    requests: VecDeque<(ClientId, ReplicaId, ClientMessage)>,
    /// Groups that apply nothing for now.
    held: Groups,
    /// How many objects were put in place.
    placed: u64,
    now: LocalTime,
    /// All that clients sent, in order.
    pub(crate) sent: Vec<(ReplicaId, ClientMessage)>,
    /// All that replicas told clients, in order.
    pub(crate) told: Vec<Told>,
    /// All hints that replicas sent to each other, in order.
    pub(crate) hints: Vec<SentHints>,
    /// All calls to the cache, with the replica that made them.
    pub(crate) cache_calls: Vec<(ReplicaId, CacheCall)>,
    /// What replicas tell clients is lost.
    pub(crate) loses_answers: bool,
}

impl Cluster {
    /// A cluster of some partitions with one replica in each group.
    pub(crate) fn new(strategy: TestStrategy, partitions: u8) -> Self {
        Self::with_replicas(strategy, partitions, 1)
    }

    /// A cluster with several replicas in each group: that their states agree is checked whenever
    /// the cluster comes to rest.
    pub(crate) fn with_replicas(strategy: TestStrategy, partitions: u8, replicas: u8) -> Self {
        let mut topology = Topology::new(partitions, replicas).unwrap();
        if strategy.needs().oracle_group {
            topology = topology.with_oracle(replicas).unwrap();
        }
        let placement = Placement::new(strategy, topology);
        let sequencer = Sequencer::default();
        let replica = |id: ReplicaId| {
            let probe = Probe::new(id.group, placement.clone(), replicas > 1);
            let multicast = sequencer.replica(id);
            (id, Replica::new(id, placement.clone(), multicast, probe))
        };
        Self {
            replicas: topology.replicas().map(replica).collect(),
            placement,
            sequencer,
            clients: BTreeMap::new(),
            requests: VecDeque::new(),
            held: Groups::EMPTY,
            placed: 0,
            now: LocalTime::ZERO,
            sent: Vec::new(),
            told: Vec::new(),
            hints: Vec::new(),
            cache_calls: Vec::new(),
            loses_answers: false,
        }
    }

    /// Creates an object at a partition before the test begins.
    pub(crate) fn place(&mut self, object: ObjectId, at: u8, value: u64) {
        self.place_encoded(object, at, codec::encode(&value));
    }

    /// Creates an object with any bytes as its value.
    pub(crate) fn place_encoded(&mut self, object: ObjectId, at: u8, value: Encoded) {
        let at = Some(PartitionId(at));
        let request = Request::default().and(object, Intent::Create { at, value });
        self.placed += 1;
        let id = CommandId {
            session: SessionId {
                client: SETUP,
                opened: LogTime::ZERO,
            },
            number: self.placed,
            attempt: 1,
        };
        let destinations = request.required(&self.placement);
        let command = Command::new(id, destinations, request);
        self.sequencer.order(Arc::new(command));
        self.settle();
    }

    /// Orders a command as if its client had handed it in. Nothing is applied yet.
    pub(crate) fn order(&mut self, command: Arc<Command>) {
        self.sequencer.order(command);
    }

    /// Orders the first attempt at a request, applies it, and returns the one answer to it.
    ///
    /// # Panics
    /// If there is no answer to it, or there are several.
    pub(crate) fn execute(&mut self, number: u64, to: Groups, request: Request) -> Answer {
        self.order(shared(number, to, request));
        self.settle();
        let answers = self.answers(number);
        assert_eq!(answers.len(), 1, "one group answers: {answers:?}");
        Answer::clone(&answers[0])
    }

    /// Ends a session: it expires everywhere, and one group forgets it at once.
    pub(crate) fn end_session(&mut self, session: SessionId, at: GroupId) {
        self.sequencer.end_session(session, at);
    }

    /// The group has forgotten the command's session, and the others have not.
    pub(crate) fn expire_at(&mut self, group: GroupId, command: CommandId) {
        for (_, replica) in self.replicas.iter_mut().filter(|(id, _)| id.group == group) {
            replica.partition_mut().expired_here.insert(command);
        }
    }

    /// The group applies nothing until it is released.
    pub(crate) fn hold(&mut self, partition: u8) {
        self.held.insert(group(partition));
    }

    /// The group goes on.
    pub(crate) fn release(&mut self, partition: u8) {
        self.held.remove(group(partition));
    }

    /// One replica applies all that is ordered for its group.
    pub(crate) fn step(&mut self, id: ReplicaId) {
        let now = self.now;
        self.with_replica(id, |replica, out| replica.flush(now, out));
    }

    /// A client says something to a replica, which answers what it can answer at once.
    pub(crate) fn say(&mut self, from: ClientId, to: ReplicaId, message: ClientMessage) {
        let now = self.now;
        self.with_replica(to, |replica, out| {
            replica.on_client(now, from, message, out);
        });
    }

    /// What the leader of a partition says to a query of an object.
    ///
    /// # Panics
    /// If it does not say it as soon as it has applied what is ordered.
    pub(crate) fn query(&mut self, partition: u8, object: ObjectId) -> Verdict {
        let query = Query {
            id: CommandId {
                attempt: 0,
                ..id(90)
            },
            reads: Reads::Index,
            request: read(&[object]),
        };
        let to = leader(partition);
        self.say(SCRIPT, to, ClientMessage::Query(Arc::new(query)));
        self.step(to);
        match self.last_told() {
            ServerMessage::Answer { answer, .. } => answer.verdict,
            other => panic!("no answer: {other:?}"),
        }
    }

    /// A replica is given hints, true or false.
    pub(crate) fn whisper(&mut self, to: ReplicaId, hints: Vec<Hint>) {
        let (from, now) = (to, self.now);
        self.with_replica(to, |replica, out| {
            replica.on_peer(now, from, PeerMessage::Hints(hints), out);
        });
    }

    fn with_replica(
        &mut self,
        id: ReplicaId,
        work: impl FnOnce(&mut TestReplica, &mut ReplicaOutbox<IdealMulticast>),
    ) {
        let mut out = ReplicaOutbox::default();
        work(self.replicas.get_mut(&id).unwrap(), &mut out);
        let calls = out.cache.into_iter().map(|call| (id, call));
        self.cache_calls.extend(calls);
        for (to, message) in out.clients {
            self.tell(id, to, message);
        }
        for (to, message) in out.peers {
            if let PeerMessage::Hints(hints) = message {
                let from = id;
                self.hints.push(SentHints {
                    from,
                    to,
                    hints: hints.clone(),
                });
                self.whisper(to, hints);
            }
        }
    }

    fn tell(&mut self, from: ReplicaId, to: ClientId, message: ServerMessage) {
        if self.loses_answers {
            return;
        }
        self.told.push(Told {
            from,
            to,
            message: message.clone(),
        });
        let now = self.now;
        self.with_client(to, |client, out| client.on_message(now, from, message, out));
    }

    /// Lets a client do something, if there is such a client, and takes what it wants sent.
    fn with_client<T>(
        &mut self,
        id: ClientId,
        work: impl FnOnce(&mut ClientEngine, &mut ClientOutbox) -> T,
    ) -> Option<T> {
        let mut out = ClientOutbox::default();
        let result = work(self.clients.get_mut(&id)?, &mut out);
        assert!(out.cache.is_empty(), "there is no cache: {:?}", out.cache);
        for (to, message) in out.messages {
            self.sent.push((to, message.clone()));
            self.requests.push_back((id, to, message));
        }
        Some(result)
    }

    /// Carries messages and applies what is ordered, except at held groups, until nothing happens.
    ///
    /// # Panics
    /// If it never comes to rest, or replicas of a group that applied the same differ.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1000 {
            let before = self.progress();
            while let Some((from, to, message)) = self.requests.pop_front() {
                self.say(from, to, message);
            }
            let mut ids: Vec<ReplicaId> = self.replicas.keys().copied().collect();
            ids.retain(|id| !self.held.contains(id.group));
            ids.into_iter().for_each(|id| self.step(id));
            if self.requests.is_empty() && self.progress() == before {
                self.compare_replicas();
                return;
            }
        }
        panic!("the cluster does not come to rest");
    }

    /// Grows whenever something happens.
    fn progress(&self) -> (u64, usize) {
        let applied = self
            .replicas
            .values()
            .map(|replica| replica.status().applied);
        (applied.sum(), self.told.len() + self.sent.len())
    }

    /// Replicas of a group have had the same states in the same order, as far as each of them is.
    fn compare_replicas(&self) {
        for (id, replica) in &self.replicas {
            let (ours, leader) = (
                replica.partition(),
                &self.replicas[&ReplicaId { index: 0, ..*id }],
            );
            let digests = ours.digests.iter().flatten();
            for (at, (one, other)) in digests
                .zip(leader.partition().digests.iter().flatten())
                .enumerate()
            {
                assert_eq!(
                    one, other,
                    "R6: {id} and its leader differ after delivery {at}"
                );
            }
        }
    }

    /// Takes a client in.
    pub(crate) fn add_client(&mut self, id: ClientId, settings: ClientSettings) {
        let client = ClientEngine::new(id, self.placement.clone(), settings);
        self.clients.insert(id, client);
    }

    /// A client submits a request. Nothing else happens yet.
    pub(crate) fn submit(&mut self, client: ClientId, request: Request) {
        let now = self.now;
        let submitted = self.with_client(client, |client, out| client.submit(now, request, out));
        submitted.expect("a client of the cluster");
    }

    /// A client submits a request, and the cluster comes to rest.
    ///
    /// # Panics
    /// If the request has not completed by then.
    pub(crate) fn run(&mut self, client: ClientId, request: Request) -> Completion {
        self.submit(client, request);
        self.settle();
        self.completed(client).expect("the request has completed")
    }

    /// The next completed request of a client.
    pub(crate) fn completed(&mut self, client: ClientId) -> Option<Completion> {
        self.clients.get_mut(&client)?.poll_completed()
    }

    /// Lets time pass for the clients.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time.as_micros() as u64;
        let (now, ids): (_, Vec<_>) = (self.now, self.clients.keys().copied().collect());
        for id in ids {
            self.with_client(id, |client, out| client.on_timer(now, out));
        }
        self.settle();
    }

    /// The commands that a client sent, one for each replica that it sent them to.
    pub(crate) fn commands_of(&self, client: ClientId) -> Vec<Arc<Command>> {
        let sent = self.sent.iter().filter_map(|(_, message)| match message {
            ClientMessage::Submit(command) => Some(command.clone()),
            _ => None,
        });
        sent.filter(|command| command.id.session.client == client)
            .collect()
    }

    /// The answers to the request of a number that the script was given so far.
    pub(crate) fn answers(&self, number: u64) -> Vec<Arc<Answer>> {
        let told = self.told.iter().filter(|told| told.to == SCRIPT);
        let answers = told.filter_map(|told| match &told.message {
            ServerMessage::Answer { answer, .. } => Some(answer.clone()),
            _ => None,
        });
        answers
            .filter(|answer| answer.id.number == number)
            .collect()
    }

    /// The last thing that a client was told.
    pub(crate) fn last_told(&self) -> &ServerMessage {
        &self
            .told
            .last()
            .expect("somebody was told something")
            .message
    }

    /// All groups.
    pub(crate) fn groups(&self) -> Groups {
        self.placement.topology().groups()
    }

    /// One replica.
    pub(crate) fn replica(&self, id: ReplicaId) -> &TestReplica {
        &self.replicas[&id]
    }

    /// What the leader of a group has seen.
    pub(crate) fn probe(&self, group: GroupId) -> &Probe {
        self.replicas[&ReplicaId { group, index: 0 }].partition()
    }

    /// How many delivered commands wait at a partition.
    pub(crate) fn waiting(&self, partition: u8) -> usize {
        self.probe(group(partition)).engine.unfinished_count()
    }

    /// The number that a partition owns under this name.
    pub(crate) fn number(&self, partition: u8, object: ObjectId) -> Option<u64> {
        let mut objects = self.probe(group(partition)).engine.objects();
        let (_, _, value) = objects.find(|(id, ..)| *id == object)?;
        Some(codec::decode(&value).unwrap())
    }

    /// All objects of all groups.
    pub(crate) fn objects(&self) -> BTreeMap<GroupId, Vec<(ObjectId, Revision, Encoded)>> {
        let owned = |group| (group, self.probe(group).engine.objects().collect());
        self.groups().iter().map(owned).collect()
    }
}
