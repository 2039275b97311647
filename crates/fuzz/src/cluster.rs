//! A small cluster without IO: replicas of each group that tell each other everything at once, in
//! virtual time.

use crate::service::Numbers;
use ssmr_core::{
    CacheReply, ClientId, ClientMessage, Engine, Found, LocalTime, Micros, PeerMessage, Placement,
    Replica, ReplicaId, ReplicaOutbox, ServerMessage, Topology,
};
use ssmr_log::{Record, Snapshot};
use ssmr_multicast::{Captured, GroupMulticast, Message, MulticastSettings};
use std::collections::{BTreeMap, VecDeque};

type Machine = Replica<GroupMulticast, Engine<Numbers>>;

/// How often replicas are told the time.
pub(crate) const TICK: Micros = ssmr_core::multicast::TICK;

/// Replicas, and what they say.
pub(crate) struct Cluster {
    pub(crate) placement: Placement,
    pub(crate) now: LocalTime,
    replicas: BTreeMap<ReplicaId, Machine>,
    peers: VecDeque<(ReplicaId, ReplicaId, PeerMessage<Message>)>,
    /// What clients were told and nobody has looked at.
    pub(crate) told: VecDeque<(ReplicaId, ClientId, ServerMessage)>,
    /// What was asked of the shared cache and is not answered.
    pub(crate) asked: VecDeque<(ReplicaId, bytes::Bytes)>,
    /// What was said and stored, for whoever wants examples.
    pub(crate) minutes: Option<Minutes>,
}

/// What replicas said to each other, and what the first one stored.
#[derive(Default)]
pub(crate) struct Minutes {
    pub(crate) messages: Vec<PeerMessage<Message>>,
    pub(crate) records: Vec<Record>,
    pub(crate) snapshots: Vec<Snapshot>,
}

impl Cluster {
    /// A cluster of lone replicas under the strategy of this name, whose groups have leaders.
    /// Snapshots are due after so many bytes of log.
    pub(crate) fn new(strategy: &str, log_bytes: usize) -> Self {
        Self::begin(strategy, 1, log_bytes, None)
    }

    /// The same of groups of three, with minutes from the beginning.
    pub(crate) fn recorded(strategy: &str, log_bytes: usize) -> Self {
        Self::begin(strategy, 3, log_bytes, Some(Minutes::default()))
    }

    fn begin(strategy: &str, replicas: u8, log_bytes: usize, minutes: Option<Minutes>) -> Self {
        let oracle = ssmr::strategy::by_name(strategy).expect("a strategy of this project");
        let mut topology = Topology::new(2, replicas).expect("it is possible");
        if oracle.needs().oracle_group {
            topology = topology.with_oracle(replicas).expect("it is possible");
        }
        let placement = Placement::new(oracle, topology);
        let replica = |id: ReplicaId| {
            let seed = u64::from(id.index) + 1;
            let settings = MulticastSettings {
                seed,
                log_bytes,
                ..MulticastSettings::default()
            };
            let multicast = GroupMulticast::new(id, topology, settings);
            let engine = Engine::new(id.group, placement.clone());
            (id, Replica::new(id, placement.clone(), multicast, engine))
        };
        let mut cluster = Self {
            replicas: topology.replicas().map(replica).collect(),
            placement,
            now: LocalTime::ZERO,
            peers: VecDeque::new(),
            told: VecDeque::new(),
            asked: VecDeque::new(),
            minutes,
        };
        cluster.pass(TICK);
        while !topology
            .groups()
            .iter()
            .all(|group| cluster.has_leader(group))
        {
            cluster.pass(TICK);
        }
        cluster
    }

    fn has_leader(&self, group: ssmr_core::GroupId) -> bool {
        let mut replicas = self.replicas.iter();
        replicas.any(|(id, replica)| id.group == group && replica.status().is_current)
    }

    /// The replicas, ascending.
    pub(crate) fn ids(&self) -> Vec<ReplicaId> {
        self.replicas.keys().copied().collect()
    }

    /// A client says something to a replica, which takes it in and does not act on it yet.
    pub(crate) fn say(&mut self, from: ClientId, to: ReplicaId, message: ClientMessage) {
        self.with(to, |replica, now, out| {
            replica.on_client(now, from, message, out);
        });
    }

    /// The shared cache answers the oldest question.
    pub(crate) fn answer_cache(&mut self, found: Found) {
        if let Some((asker, key)) = self.asked.pop_front() {
            let reply = CacheReply { key, found };
            self.with(asker, |replica, now, _| replica.on_cache(now, reply));
        }
    }

    /// Replicas act and tell each other what follows from that, until nothing does.
    pub(crate) fn settle(&mut self) {
        for id in self.ids() {
            self.flush(id);
        }
        while let Some((from, to, message)) = self.peers.pop_front() {
            if let Some(minutes) = &mut self.minutes {
                minutes.messages.push(message.clone());
            }
            self.with(to, |replica, now, out| {
                replica.on_peer(now, from, message, out);
            });
            self.flush(to);
        }
    }

    /// Lets time pass, as if the machine had slept for so long.
    pub(crate) fn pass(&mut self, time: Micros) {
        self.now += time;
        for id in self.ids() {
            self.with(id, Machine::on_timer);
        }
        self.settle();
    }

    fn flush(&mut self, id: ReplicaId) {
        self.with(id, Machine::flush);
    }

    fn with(
        &mut self,
        id: ReplicaId,
        act: impl FnOnce(&mut Machine, LocalTime, &mut ReplicaOutbox<GroupMulticast>),
    ) {
        let is_first = self.replicas.keys().next() == Some(&id);
        let Some(replica) = self.replicas.get_mut(&id) else {
            return;
        };
        let mut out = ReplicaOutbox::default();
        act(replica, self.now, &mut out);
        if let Some(capture) = out.capture.take() {
            let wanted = capture.wanted;
            let snapshot = capture.encode();
            if let Some(minutes) = &mut self.minutes {
                minutes.snapshots.push(snapshot.clone());
            }
            let captured = Captured {
                last: snapshot.last,
                snapshot: wanted.then_some(snapshot),
            };
            replica.on_captured(self.now, captured, &mut out);
        }
        if let Some(minutes) = self.minutes.as_mut().filter(|_| is_first) {
            minutes.records.append(&mut out.records);
        }
        let peers = out.peers.into_iter();
        self.peers
            .extend(peers.map(|(to, message)| (id, to, message)));
        let clients = out.clients.into_iter();
        self.told
            .extend(clients.map(|(to, message)| (id, to, message)));
        let gets = out.cache.into_iter().filter_map(|call| match call {
            ssmr_core::CacheCall::Get { key } => Some((id, key)),
            _ => None,
        });
        self.asked.extend(gets);
    }
}
