//! Clients that say anything, to replicas that go on serving another one.
//!
//! The groups have one replica each: what a stranger can break is not consensus. A machine may
//! refuse, or do as it is told; it must not panic, and afterwards a client that keeps the rules is
//! served within seconds.

use crate::cluster::{Cluster, TICK};
use crate::messages::MEMORY;
use crate::samples;
use crate::service::{Numbers, Op};
use crate::{Seed, Target};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::client::ClientSettings;
use ssmr_core::{
    CacheCall, CacheReply, ClientEngine, ClientId, ClientMessage, ClientOutbox, Completion, Found,
    ObjectId, PartitionId, ReplicaId, Request, ServerMessage, codec,
};
use std::collections::VecDeque;
use std::time::Duration;

pub(crate) const CLIENT_TALK: Target = Target {
    name: "client_talk",
    run,
    seeds,
    memory: 2 * MEMORY,
};

/// The client that keeps the rules.
pub(crate) const OWN: ClientId = ClientId(0x0bed_1e47);

/// How long it may take to be served, in ticks: five seconds.
const PATIENCE: u32 = 500;

/// One thing that happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Event {
    /// A client, by its number, says something to a replica, by its place.
    Says(bool, u8, ClientMessage),
    /// The replicas act on what they were told.
    Act,
    /// So many seconds pass.
    Pass(u8),
    /// The shared cache answers a replica, if one asked.
    Cache(Option<Bytes>),
}

/// The strategy is in the first byte; each part of the rest is an event, or left out.
fn run(bytes: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else {
        return false;
    };
    let names = ssmr::strategy::NAMES;
    let mut cluster = Cluster::new(names[usize::from(*first) % names.len()], 4096);
    let mut all_known = true;
    for part in samples::parts(rest) {
        match codec::decode::<Event>(&part) {
            Ok(event) => happen(&mut cluster, event),
            Err(_) => all_known = false,
        }
    }
    cluster.settle();
    let mut client = Client::new(&cluster);
    for request in own_requests() {
        let completion = client.request(&mut cluster, request);
        assert!(completion.outcome.is_definite(), "{completion:?}");
    }
    all_known
}

fn happen(cluster: &mut Cluster, event: Event) {
    match event {
        Event::Says(second, to, message) => {
            let replicas = cluster.ids();
            let to = replicas[usize::from(to) % replicas.len()];
            cluster.say(ClientId(1 + u64::from(second)), to, message);
        }
        Event::Act => cluster.settle(),
        Event::Pass(seconds) => (0..seconds).for_each(|_| cluster.pass(1_000_000)),
        Event::Cache(found) => cluster.answer_cache(found.map_or(Found::Miss, Found::Hit)),
    }
}

/// What the client that keeps the rules wants: objects at two partitions, read and changed at once.
fn own_requests() -> [Request; 3] {
    let [a, b] = [71, 72].map(|key| ObjectId::new(key, key));
    let op = Op {
        read: vec![a, b],
        add: vec![(b, 1)],
    };
    [
        Request::create::<Numbers>(a, &1, Some(PartitionId(0))),
        Request::create::<Numbers>(b, &2, Some(PartitionId(1))),
        Request::access::<Numbers>(&op),
    ]
}

/// A client with a cluster.
pub(crate) struct Client {
    engine: ClientEngine,
    out: ClientOutbox,
    /// All that it was told.
    pub(crate) heard: Vec<(ReplicaId, ServerMessage)>,
}

impl Client {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let settings = ClientSettings::default().with_deadline(Duration::from_secs(60));
        Self {
            engine: ClientEngine::new(OWN, cluster.placement.clone(), settings),
            out: ClientOutbox::default(),
            heard: Vec::new(),
        }
    }

    /// Carries out a request.
    ///
    /// # Panics
    /// If it is not answered in time.
    pub(crate) fn request(&mut self, cluster: &mut Cluster, request: Request) -> Completion {
        self.engine.submit(cluster.now, request, &mut self.out);
        for _ in 0..PATIENCE {
            self.talk(cluster);
            if let Some(completion) = self.engine.poll_completed() {
                return completion;
            }
            cluster.pass(TICK);
            self.engine.on_timer(cluster.now, &mut self.out);
        }
        panic!("a client is not served: {}", self.engine.describe());
    }

    /// Says and hears all that there is to say and hear. The shared cache has nothing.
    fn talk(&mut self, cluster: &mut Cluster) {
        let Self { engine, out, heard } = self;
        loop {
            let ClientOutbox { messages, cache } = std::mem::take(out);
            if messages.is_empty() && cache.is_empty() && cluster.told.is_empty() {
                return;
            }
            for (to, message) in messages {
                cluster.say(OWN, to, message);
            }
            cluster.settle();
            for call in cache {
                if let CacheCall::Get { key } = call {
                    let found = Found::Miss;
                    engine.on_cache(cluster.now, CacheReply { key, found }, out);
                }
            }
            let told: VecDeque<_> = std::mem::take(&mut cluster.told);
            for (from, _, message) in told.into_iter().filter(|(_, to, _)| *to == OWN) {
                heard.push((from, message.clone()));
                engine.on_message(cluster.now, from, message, out);
            }
        }
    }
}

fn seeds() -> Vec<Seed> {
    let says = |to: u8| {
        let messages = samples::client_messages().into_iter();
        messages.map(move |message| Event::Says(false, to, message))
    };
    let input = |strategy: u8, events: &[Event]| {
        [
            vec![strategy],
            samples::join(events.iter().map(codec::encode)),
        ]
        .concat()
    };
    let mut seeds = Vec::new();
    for (strategy, name) in (0..).zip(ssmr::strategy::NAMES) {
        // Everything at each group at once, and an act behind each message.
        let at_once: Vec<_> = says(0).chain(says(1)).chain([Event::Act]).collect();
        seeds.push(Seed::new(
            format!("{name}-at-once"),
            input(strategy, &at_once),
        ));
        let acts = |event| [event, Event::Act];
        let one_by_one: Vec<_> = says(0)
            .zip(says(1))
            .flat_map(|(a, b)| [a, b])
            .flat_map(acts)
            .collect();
        seeds.push(Seed::new(
            format!("{name}-one-by-one"),
            input(strategy, &one_by_one),
        ));
    }
    // One group only, and long waits.
    let mut late: Vec<_> = says(0).collect();
    late.insert(4, Event::Pass(3));
    late.push(Event::Pass(255));
    late.push(Event::Cache(None));
    seeds.push(Seed::new("late", input(0, &late)));
    seeds
}
