//! Replicas, and a shared cache, that tell a client anything. It must not panic, and each of its
//! requests must end.
//!
//! Replicas are believed, so what a client makes of their lies is not looked at.

use crate::messages::MEMORY;
use crate::samples;
use crate::talk::OWN;
use crate::{Seed, Target};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::client::{ClientSettings, Execution};
use ssmr_core::{
    Answer, CacheCall, CacheReply, ClientEngine, ClientMessage, ClientOutbox, CommandId, Found,
    Hint, LocalTime, LogTime, Micros, Placement, Reads, ReplicaId, ServerMessage, Timestamp,
    Topology, Verdict, codec,
};
use std::collections::VecDeque;
use std::sync::Arc;

pub(crate) const CLIENT_ENGINE: Target = Target {
    name: "client_engine",
    run,
    seeds,
    memory: 2 * MEMORY,
};

/// How often a client is told the time, in microseconds.
const TICK: Micros = 50_000;

/// One thing that happens to a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Event {
    /// A replica says something.
    Hears(ReplicaId, ServerMessage),
    /// The attempt or query with this number of those that were sent is answered.
    Answered(u8, ReplicaId, Verdict, Timestamp, Vec<Hint>),
    /// The shared cache answers the oldest question.
    Cache(Option<Bytes>),
    /// So many ticks pass.
    Pass(u8),
}

struct Listener {
    engine: ClientEngine,
    now: LocalTime,
    sent: Vec<CommandId>,
    asked: VecDeque<Bytes>,
}

impl Listener {
    fn act(&mut self, act: impl FnOnce(&mut ClientEngine, LocalTime, &mut ClientOutbox)) {
        let mut out = ClientOutbox::default();
        act(&mut self.engine, self.now, &mut out);
        let named = out
            .messages
            .into_iter()
            .filter_map(|(_, message)| match message {
                ClientMessage::Submit(command) => Some(command.id),
                ClientMessage::Query(query) => Some(query.id),
                ClientMessage::Consult(_) | ClientMessage::Hello | ClientMessage::Publish(_) => {
                    None
                }
            });
        self.sent.extend(named);
        let asked = out.cache.into_iter().filter_map(|call| match call {
            CacheCall::Get { key } => Some(key),
            _ => None,
        });
        self.asked.extend(asked);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Hears(from, message) => self.hear(from, message),
            Event::Answered(which, from, verdict, timestamp, hints) => {
                if self.sent.is_empty() {
                    return;
                }
                let id = self.sent[usize::from(which) % self.sent.len()];
                let answer = Arc::new(Answer {
                    id,
                    verdict,
                    reply: Bytes::new(),
                    timestamp,
                    touched: Vec::new(),
                });
                let time = LogTime::ZERO;
                self.hear(
                    from,
                    ServerMessage::Answer {
                        answer,
                        hints,
                        time,
                    },
                );
            }
            Event::Cache(found) => {
                if let Some(key) = self.asked.pop_front() {
                    let found = found.map_or(Found::Miss, Found::Hit);
                    let reply = CacheReply { key, found };
                    self.act(|engine, now, out| engine.on_cache(now, reply, out));
                }
            }
            Event::Pass(ticks) => (0..ticks).for_each(|_| self.pass(TICK)),
        }
    }

    fn hear(&mut self, from: ReplicaId, message: ServerMessage) {
        self.act(|engine, now, out| engine.on_message(now, from, message, out));
    }

    fn pass(&mut self, time: Micros) {
        self.now += time;
        self.act(ClientEngine::on_timer);
    }
}

/// Strategy and way of execution are in the first byte; each part of the rest is an event, or left
/// out.
fn run(bytes: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else {
        return false;
    };
    let names = ssmr::strategy::NAMES;
    let oracle = ssmr::strategy::by_name(names[usize::from(first & 0x0f) % names.len()]);
    let topology = Topology::new(2, 3).and_then(|topology| topology.with_oracle(3));
    let (oracle, topology) = (
        oracle.expect("it is known"),
        topology.expect("it is possible"),
    );
    let settings = match first >> 4 {
        0 => ClientSettings::default(),
        1 => ClientSettings::default().with_reads(Reads::Index),
        _ => ClientSettings::default().with_execution(Execution::Gather),
    };
    let mut listener = Listener {
        engine: ClientEngine::new(OWN, Placement::new(oracle, topology), settings),
        now: LocalTime::ZERO,
        sent: Vec::new(),
        asked: VecDeque::new(),
    };
    let requests = samples::requests();
    let submitted = requests.len();
    for request in requests {
        listener.act(|engine, now, out| {
            engine.submit(now, request, out);
        });
    }
    let mut all_known = true;
    for part in samples::parts(rest) {
        match codec::decode(&part) {
            Ok(event) => listener.happen(event),
            Err(_) => all_known = false,
        }
    }
    // Beyond the deadline, in long steps, for there is much to search.
    for _ in 0..=settings.deadline.as_secs() {
        listener.pass(1_000_000);
    }
    let completed = std::iter::from_fn(|| listener.engine.poll_completed()).count();
    assert_eq!(completed, submitted, "{}", listener.engine.describe());
    all_known
}

fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (first, name) in (0u8..).zip(ssmr::strategy::NAMES) {
        let heard = samples::heard(name).into_iter();
        let mut events: Vec<_> = heard
            .map(|(from, message)| Event::Hears(from, message))
            .collect();
        events.insert(0, Event::Cache(None));
        events.push(Event::Pass(10));
        for (ways, way) in [(0, "ordered"), (0x10, "index"), (0x20, "gather")] {
            let events = samples::join(events.iter().map(codec::encode));
            let input = [vec![first | ways], events].concat();
            seeds.push(Seed::new(format!("{name}-{way}"), input));
        }
    }
    seeds
}
