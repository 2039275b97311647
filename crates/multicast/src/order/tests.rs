//! The order of one group against a model that is quadratic and obviously right, over random
//! histories; and what only a burst shows.

use super::*;
use crate::testing::{command, session};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_core::limits::{CLIENT_SESSIONS, SESSION_TTL};
use ssmr_core::{CommandId, Groups, Intent, ObjectId, PartitionId, Request};
use std::collections::BTreeSet;

const HERE: GroupId = GroupId::ORACLE;
const COMMANDS: u64 = 60;

fn batch(inputs: Vec<Input>) -> Batch {
    Batch {
        elapsed: 0,
        told: LogTime::ZERO,
        inputs,
    }
}

/// Found by reading: all of them had room when they were handed in, before any was logged.
#[test]
fn sessions_that_come_in_one_burst_are_bounded_too() {
    let mut order = Order::new(HERE, SESSION_TTL);
    let burst = (0..100).map(|opened| Arc::new(command(session(1, opened))));
    let burst: Vec<_> = burst.collect();
    let mut freshness = burst.iter().map(|command| order.freshness(command));
    assert!(freshness.all(|freshness| freshness == Freshness::Fresh));
    order.apply(batch(burst.into_iter().map(Input::Submit).collect()));
    let delivered = std::iter::from_fn(|| order.poll_deliver()).count();
    assert_eq!(delivered, CLIENT_SESSIONS as usize);
}

/// A command of the model that is logged here and not delivered.
struct Waiting {
    command: Arc<Command>,
    bound: Timestamp,
    missing: Groups,
}

impl Waiting {
    /// Whether it might come before another one that is final.
    fn might_precede(&self, other: &Self) -> bool {
        let mut objects = self.command.request.objects();
        self.bound < other.bound
            && objects.any(|object| other.command.request.intent(object).is_some())
    }
}

/// One group's order, in which each command is compared with all others.
#[derive(Default)]
struct Model {
    clock: LogicalClock,
    waiting: Vec<Waiting>,
    unlogged: BTreeMap<MessageId, Vec<Timestamp>>,
    delivered: Vec<(Timestamp, MessageId)>,
    /// How often a command was delivered while one of a lower bound was not.
    overtaken: usize,
}

impl Model {
    fn log(&mut self, command: &Arc<Command>) {
        self.clock = self.clock.next();
        self.waiting.push(Waiting {
            command: command.clone(),
            bound: Timestamp::new(self.clock, HERE),
            missing: command.destinations.without(HERE),
        });
        let id = command.message_id();
        for timestamp in self.unlogged.remove(&id).unwrap_or_default() {
            self.learn(id, timestamp);
        }
        self.deliver();
    }

    fn receive(&mut self, id: MessageId, timestamp: Timestamp) {
        if !self.learn(id, timestamp) {
            self.unlogged.entry(id).or_default().push(timestamp);
        }
        self.deliver();
    }

    /// Whether the command waits here.
    fn learn(&mut self, id: MessageId, timestamp: Timestamp) -> bool {
        let mut waiting = self.waiting.iter_mut();
        let Some(found) = waiting.find(|waiting| waiting.command.message_id() == id) else {
            return false;
        };
        found.missing.remove(timestamp.group());
        found.bound = found.bound.max(timestamp);
        if found.missing.is_empty() {
            self.clock = self.clock.max(found.bound.clock);
        }
        true
    }

    fn deliver(&mut self) {
        loop {
            let all = &self.waiting;
            let is_free = |one: &Waiting| !all.iter().any(|other| other.might_precede(one));
            let due = all.iter().enumerate();
            let due = due.filter(|(_, one)| one.missing.is_empty() && is_free(one));
            let Some((place, _)) = due.min_by_key(|(_, one)| one.bound) else {
                return;
            };
            let Waiting { command, bound, .. } = self.waiting.remove(place);
            let overtakes = self.waiting.iter().any(|other| other.bound < bound);
            self.overtaken += usize::from(overtakes);
            self.delivered.push((bound, command.message_id()));
        }
    }
}

/// What another group has timestamped, in its order, and how much of it has come here.
struct Peer {
    group: GroupId,
    timestamps: Vec<(MessageId, Timestamp)>,
    received: usize,
}

/// A history of one group: commands that it logs, and what others timestamp.
struct History {
    rng: ChaCha8Rng,
    commands: Vec<Arc<Command>>,
    peers: Vec<Peer>,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let others = [0, 1, 2].map(|number| GroupId::from(PartitionId(number)));
        let commands: Vec<_> = (1..=COMMANDS)
            .map(|number| random_command(&mut rng, number, &others))
            .collect();
        let peers = others.map(|group| {
            let named = commands.iter();
            let named = named.filter(|command| command.destinations.contains(group));
            // About in the order in which clients send them.
            let mut order: Vec<_> = named
                .map(|command| (command.id.number + rng.random_range(0..8), command))
                .collect();
            order.sort_by_key(|(place, _)| *place);
            let mut clock = rng.random_range(0..20);
            let timestamps = order.into_iter().map(|(_, command)| {
                clock += rng.random_range(1..4);
                let timestamp = Timestamp::new(LogicalClock(clock), group);
                (command.message_id(), timestamp)
            });
            Peer {
                group,
                timestamps: timestamps.collect(),
                received: 0,
            }
        });
        Self {
            commands,
            peers: peers.into(),
            rng,
        }
    }

    /// The next thing that happens to the group, which the model learns of; `None` at the end.
    fn next(&mut self, model: &mut Model) -> Option<Input> {
        let open = |peer: &Peer| peer.received < peer.timestamps.len();
        let peers = self.peers.iter().filter(|peer| open(peer)).count();
        if !self.commands.is_empty() && (peers == 0 || self.rng.random_ratio(1, 3)) {
            let command = self.commands.remove(0);
            model.log(&command);
            return Some(Input::Submit(command));
        }
        let mut peers: Vec<_> = self.peers.iter_mut().filter(|peer| open(peer)).collect();
        let number = self.rng.random_range(0..peers.len().max(1));
        let peer = peers.get_mut(number)?;
        let (message, timestamp) = peer.timestamps[peer.received];
        model.receive(message, timestamp);
        peer.received += 1;
        Some(Input::Receive {
            from: peer.group,
            first: peer.received as u64,
            items: vec![Item::Timestamp { message, timestamp }],
        })
    }
}

fn random_command(rng: &mut ChaCha8Rng, number: u64, others: &[GroupId]) -> Arc<Command> {
    let others = others.iter().copied();
    let mut destinations: Groups = others.filter(|_| rng.random_ratio(2, 5)).collect();
    destinations.insert(HERE);
    let mut request = Request::default();
    for _ in 0..rng.random_range(0..4) {
        let object = ObjectId::new(0, rng.random_range(0..6));
        request = request.and(object, Intent::Lookup);
    }
    let id = CommandId {
        session: session(1, 0),
        number,
        attempt: 1,
    };
    let mut command = Command::new(id, destinations, request);
    command.low_watermark = 1;
    Arc::new(command).with_digest()
}

fn deliveries(order: &mut Order) -> Vec<(Timestamp, MessageId)> {
    let all = std::iter::from_fn(|| order.poll_deliver());
    let commands = all.filter_map(|delivery| match delivery {
        Delivery::Command {
            command, timestamp, ..
        } => Some((timestamp, command.message_id())),
        _ => None,
    });
    commands.collect()
}

/// A replica that was filled with a snapshot in the middle goes on like those that were not.
#[test]
fn what_is_delivered_and_when_is_what_a_comparison_of_all_with_all_says() {
    let mut overtaken = 0;
    for seed in 0..400 {
        let (mut history, mut model) = (History::new(seed), Model::default());
        let [mut order, mut filled] = [0, 1].map(|_| Order::new(HERE, SESSION_TTL));
        let mut seen = 0;
        loop {
            let count = history.rng.random_range(1..4);
            let inputs = (0..count).map_while(|_| history.next(&mut model));
            let inputs: Vec<_> = inputs.collect();
            if inputs.is_empty() {
                break;
            }
            order.apply(batch(inputs.clone()));
            let expected = &model.delivered[seen..];
            seen += expected.len();
            assert_eq!(deliveries(&mut order), expected, "seed {seed}");
            filled.apply(batch(inputs));
            assert_eq!(deliveries(&mut filled), expected, "seed {seed}");
            assert_eq!(filled.digest(), order.digest(), "seed {seed}");
            if history.rng.random_ratio(1, 8) {
                filled.restore(&order.image()(), Bytes::new());
                assert_eq!(deliveries(&mut filled), [], "seed {seed}");
            }
        }
        let all: BTreeSet<_> = model.delivered.iter().collect();
        assert_eq!(all.len() as u64, COMMANDS, "seed {seed}");
        assert_eq!(order.pending_count(), 0, "seed {seed}");
        overtaken += model.overtaken;
    }
    assert!(overtaken > 1_000, "hardly anybody overtakes: {overtaken}");
}
