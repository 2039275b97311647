//! What the machines cost without IO: `cargo bench -p ssmr-sim`.
//!
//! The whole system over TCP is measured by the harness; here are the parts that one profiles.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ssmr_core::replica::Applied;
use ssmr_core::{
    ClientId, Command, CommandId, Delivery, Engine, GroupId, Groups, Guess, LocalTime, LogTime,
    LogicalClock, Multicast, ObjectId, Oracle, Outbox, Partition, PartitionId, Placement,
    ReplicaId, Request, SessionId, Timestamp, Topology, codec,
};
use ssmr_multicast::{GroupMulticast, MulticastSettings};
use ssmr_sim::app::{Op, Register, Registers};
use ssmr_sim::{Options, Profile, simulate};
use std::hint::black_box;
use std::sync::Arc;

/// Everything at one partition: the benches measure the engine, not a strategy.
#[derive(Clone, Debug)]
struct OnePlace;

impl Oracle for OnePlace {
    fn name(&self) -> &'static str {
        "one-place"
    }

    fn authority(&self, _: &Topology, _: ObjectId) -> Groups {
        PartitionId(0).into()
    }

    fn guess(&self, _: &Topology, _: ObjectId) -> Guess {
        Guess::At(PartitionId(0))
    }
}

fn command(number: u64, request: Request) -> Command {
    let session = SessionId {
        client: ClientId(1),
        opened: LogTime::ZERO,
    };
    let id = CommandId {
        session,
        number,
        attempt: 1,
    };
    Command::new(id, PartitionId(0).into(), request)
}

fn update(number: u64) -> Command {
    let object = ObjectId::new(0, number % 1000);
    command(
        number,
        Request::access::<Registers>(&Op::Update(vec![object], number)),
    )
}

fn engine(c: &mut Criterion) {
    let topology = Topology::new(1, 1).expect("one partition of one replica");
    let group = GroupId::from(PartitionId(0));
    let mut engine = Engine::<Registers>::new(group, Placement::new(OnePlace, topology));
    let mut number = 0;
    let mut deliver = |request: Option<Request>| {
        number += 1;
        let command =
            Arc::new(request.map_or_else(|| update(number), |request| command(number, request)));
        let timestamp = Timestamp::new(LogicalClock(number), group);
        let delivery = Delivery::Command {
            command,
            timestamp,
            expired: false,
        };
        let mut out = Applied::default();
        engine.on_deliver(delivery, &mut out);
        out
    };
    for key in 0..1000 {
        let create =
            Request::create::<Registers>(ObjectId::new(0, key), &Register::default(), None);
        deliver(Some(create));
    }
    let mut bench = c.benchmark_group("engine");
    bench.throughput(Throughput::Elements(1));
    bench.bench_function("update one object", |b| b.iter(|| black_box(deliver(None))));
    bench.finish();
}

/// The only replica of the first of two groups, of which the other one says nothing.
struct Ordering {
    multicast: GroupMulticast,
    now: LocalTime,
    number: u64,
}

impl Ordering {
    fn new() -> Self {
        let topology = Topology::new(2, 1).expect("two partitions of one replica");
        let (group, index) = (PartitionId(0).into(), 0);
        let id = ReplicaId { group, index };
        let settings = MulticastSettings::default();
        let mut ordering = Self {
            multicast: GroupMulticast::new(id, topology, settings),
            now: LocalTime::ZERO,
            number: 0,
        };
        while !ordering.multicast.status().is_current {
            ordering.now += 10_000;
            let mut out = Outbox::default();
            ordering.multicast.on_timer(ordering.now, &mut out);
            ordering.round(Vec::new());
        }
        ordering
    }

    /// Hands commands in together, and has them logged. Returns how many were delivered.
    fn round(&mut self, commands: Vec<Command>) -> usize {
        for command in commands {
            let taken = self.multicast.submit(self.now, Arc::new(command));
            taken.expect("there is room");
        }
        let (mut out, mut delivered) = (Outbox::default(), 0);
        while self.multicast.flush(self.now, &mut (), &mut out) {
            delivered += std::iter::from_fn(|| self.multicast.poll_deliver()).count();
        }
        delivered
    }

    /// A command of one of sixteen clients, each of which has few unanswered.
    fn command(&mut self, object: u64, destinations: Groups) -> Command {
        self.number += 1;
        let op = Op::Update(vec![ObjectId::new(0, object)], self.number);
        let mut command = command(self.number / 16 + 1, Request::access::<Registers>(&op));
        command.id.session.client = ClientId(self.number % 16);
        command.destinations = destinations;
        command
    }

    /// So many commands to one group, of which each names another of a thousand objects.
    fn local(&mut self, count: u64) -> Vec<Command> {
        let local = PartitionId(0).into();
        (0..count)
            .map(|object| self.command(object % 1_000, local))
            .collect()
    }
}

fn order(c: &mut Criterion) {
    const BATCH: u64 = 64;
    let mut bench = c.benchmark_group("order");
    bench.throughput(Throughput::Elements(BATCH));
    for pending in [0, 10_000] {
        let mut ordering = Ordering::new();
        for number in 0..pending {
            let shared = ordering.command(1_000_000 + number, Groups::partitions(2));
            ordering.round(vec![shared]);
        }
        let name = format!("commands to one group, {pending} to two pending");
        bench.bench_function(name, |b| {
            b.iter(|| {
                let commands = ordering.local(BATCH);
                black_box(ordering.round(commands))
            });
        });
    }
    bench.finish();
}

fn wire(c: &mut Criterion) {
    let command = update(1);
    let bytes = codec::encode(&command);
    let mut bench = c.benchmark_group("codec");
    bench.throughput(Throughput::Bytes(bytes.len() as u64));
    bench.bench_function("encode a command", |b| {
        b.iter(|| codec::encode(black_box(&command)));
    });
    bench.bench_function("decode a command", |b| {
        b.iter(|| codec::decode::<Command>(black_box(&bytes)).expect("it was encoded above"));
    });
    let mut shared = command;
    shared.destinations = Groups::partitions(2);
    let shared = Arc::new(shared);
    bench.bench_function("digest a command to two groups", |b| {
        b.iter(|| black_box(&shared).clone().with_digest());
    });
    bench.finish();
}

fn world(c: &mut Criterion) {
    let options = Options {
        profile: Profile::Calm,
        partitions: 1,
        ..Options::default()
    };
    let one_place = OnePlace.into_shared();
    let mut bench = c.benchmark_group("simulator");
    bench.sample_size(20);
    bench.bench_function("a calm run, both checks included", |b| {
        b.iter(|| simulate(&one_place, 1, options).expect("it is linearizable"));
    });
    bench.finish();
}

criterion_group!(benches, engine, order, wire, world);
criterion_main!(benches);
