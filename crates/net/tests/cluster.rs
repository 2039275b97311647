//! A cluster over TCP under each strategy: what clients see, stopped leaders, a cache that goes
//! away.

mod common;

use common::Client;
use serde::{Deserialize, Serialize};
use ssmr_core::Reads;
use ssmr_core::client::{ClientSettings, Execution};
use ssmr_core::{
    Access, Application, ClientId, GroupId, ObjectId, Objects, Oracle, Outcome, PartitionId,
    ReplicaId, Request, Topology,
};
use ssmr_net::{CacheChoice, Cluster, ClusterOptions, NetError, Pipeline};
use ssmr_strategy_broker::Broker;
use ssmr_strategy_cache::Cache;
use ssmr_strategy_global::Global;
use ssmr_strategy_static::Static;
use std::sync::Arc;
use std::time::Duration;

/// Counters: add to some, read others.
#[derive(Debug)]
struct Counters;

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Op {
    Add(Vec<ObjectId>, u64),
    Sum(Vec<ObjectId>),
}

impl Application for Counters {
    const NAME: &'static str = "counters";
    type Object = u64;
    type Op = Op;
    type Reply = u64;

    fn access(op: &Op) -> Access {
        match op {
            Op::Add(objects, _) => Access {
                reads: objects.clone(),
                writes: objects.clone(),
            },
            Op::Sum(objects) => Access {
                reads: objects.clone(),
                writes: Vec::new(),
            },
        }
    }

    fn execute(op: &Op, counters: &mut Objects<u64>) -> u64 {
        let (Op::Add(objects, _) | Op::Sum(objects)) = op;
        if let Op::Add(_, amount) = op {
            for object in objects {
                counters.update(*object, |counter| *counter += amount);
            }
        }
        objects
            .iter()
            .filter_map(|object| counters.get(*object))
            .sum()
    }
}

const DONE: Outcome = Outcome::Done(bytes::Bytes::new());
const PATIENCE: Duration = Duration::from_secs(20);
const P0: PartitionId = PartitionId(0);
const P1: PartitionId = PartitionId(1);

/// Objects with these keys, each with an attribute of its own, so that static placement spreads
/// them.
fn objects(keys: impl IntoIterator<Item = u64>) -> Vec<ObjectId> {
    keys.into_iter()
        .map(|key| ObjectId::new(key, key))
        .collect()
}

struct Setting {
    cluster: Cluster,
    oracle: Arc<dyn Oracle>,
}

impl Setting {
    async fn new(oracle: impl Oracle, topology: Topology, cache: CacheChoice) -> Self {
        let oracle = oracle.into_shared();
        let options = ClusterOptions::new(topology, oracle.clone()).with_cache(cache);
        let cluster = Cluster::start::<Counters>(options).unwrap();
        cluster.ready(PATIENCE).await.unwrap();
        Self { cluster, oracle }
    }

    fn client(&self, id: u64, settings: ClientSettings) -> Client {
        let (config, oracle) = (self.cluster.config(), self.oracle.clone());
        Client::start::<Counters>(config, id, oracle, settings)
    }

    /// Replicas of a group that are still there come to the same state.
    async fn assert_agreement(&self) {
        for group in self.cluster.config().topology.groups().iter() {
            let members: Vec<_> = self
                .cluster
                .running()
                .filter(|id| id.group == group)
                .collect();
            let agreed = async {
                while self
                    .states(&members)
                    .await
                    .windows(2)
                    .any(|pair| pair[0] != pair[1])
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let agreed = tokio::time::timeout(PATIENCE, agreed).await;
            assert!(agreed.is_ok(), "the replicas of {group} differ");
        }
    }

    async fn states(&self, members: &[ReplicaId]) -> Vec<(u64, Option<u64>)> {
        let mut states = Vec::new();
        for id in members {
            let status = self.cluster.inspect(*id).await.expect("it runs");
            states.push((status.applied, status.digest));
        }
        states
    }
}

async fn clients_see_each_others_work(oracle: impl Oracle, topology: Topology, cache: CacheChoice) {
    let setting = Setting::new(oracle, topology, cache).await;
    for (base, execution, reads) in [
        (0, Execution::Exchange, Reads::Ordered),
        (100, Execution::Gather, Reads::Index),
        (200, Execution::Exchange, Reads::Lease),
    ] {
        let settings = ClientSettings::default()
            .with_execution(execution)
            .with_reads(reads);
        let (a, b) = (
            setting.client(base, settings),
            setting.client(base + 1, settings),
        );
        let all = objects(base..base + 4);
        let (x, y) = (all[0], all[1]);

        assert_eq!(b.lookup(x).await, Outcome::NotFound);
        assert_eq!(
            b.access::<Counters>(&Op::Sum(vec![x])).await,
            Err(Outcome::NotFound)
        );
        for (place, object) in all.iter().enumerate() {
            let at = Some(PartitionId(place as u8 % 2));
            assert_eq!(a.create::<Counters>(*object, &1, at).await, DONE);
        }
        assert_eq!(b.lookup(x).await, DONE);
        assert_eq!(
            b.create::<Counters>(x, &7, Some(P1)).await,
            Outcome::AlreadyExists
        );
        assert_eq!(b.access::<Counters>(&Op::Sum(all.clone())).await, Ok(4));
        assert_eq!(
            b.access::<Counters>(&Op::Add(all.clone(), 10)).await,
            Ok(44)
        );
        assert_eq!(a.access::<Counters>(&Op::Sum(vec![x, y])).await, Ok(22));

        let moved = if setting.oracle.movable() {
            DONE
        } else {
            Outcome::Unsupported
        };
        for to in [P1, P1, P0, P1] {
            assert_eq!(a.relocate(x, to).await, moved);
            assert_eq!(
                b.access::<Counters>(&Op::Add(vec![x, y], 1))
                    .await
                    .map(|_| ()),
                Ok(())
            );
        }
        assert_eq!(
            a.access::<Counters>(&Op::Sum(all.clone())).await,
            Ok(44 + 8)
        );

        assert_eq!(b.delete(x).await, DONE);
        assert_eq!(a.delete(x).await, Outcome::NotFound);
        assert_eq!(
            a.access::<Counters>(&Op::Sum(all.clone())).await,
            Err(Outcome::NotFound)
        );
        assert_eq!(a.create::<Counters>(x, &5, Some(P0)).await, DONE);
        assert_eq!(b.access::<Counters>(&Op::Sum(vec![x])).await, Ok(5));
        assert!(a.traffic().messages_sent > 0 && a.traffic().bytes_received > 0);
    }
    setting.assert_agreement().await;
    assert!(setting.cluster.traffic().bytes_sent > 0);
}

/// Every leader is stopped while a window of commands is under way: each takes effect exactly once.
async fn stopped_leaders_lose_nothing(oracle: impl Oracle, topology: Topology, cache: CacheChoice) {
    let mut setting = Setting::new(oracle, topology, cache).await;
    let (config, clock) = (setting.cluster.config().clone(), setting.cluster.clock());
    let (oracle, settings) = (setting.oracle.clone(), ClientSettings::default());
    let mut pipeline =
        Pipeline::new::<Counters>(&config, ClientId(1), oracle, settings, clock).unwrap();
    let all = objects(0..8);
    for (place, object) in all.iter().enumerate() {
        let at = Some(PartitionId(place as u8 % 2));
        pipeline.submit(Request::create::<Counters>(*object, &0, at));
    }
    for _ in &all {
        assert_eq!(pipeline.next().await.outcome, DONE);
    }

    let mut groups: Vec<GroupId> = config.topology.groups().iter().collect();
    let (mut submitted, mut completed) = (0, 0);
    while completed < 2000 {
        while submitted < 2000 && pipeline.outstanding() < 32 {
            let pair = vec![all[submitted % 8], all[(submitted / 8) % 8]];
            pipeline.submit(Request::access::<Counters>(&Op::Add(pair, 1)));
            submitted += 1;
        }
        let outcome = pipeline.next().await.outcome;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        completed += 1;
        if completed % 400 == 0
            && let Some(group) = groups.pop()
        {
            let leader = setting.cluster.leader_of(group).expect("the group is led");
            assert!(setting.cluster.stop_replica(leader));
            assert!(!setting.cluster.stop_replica(leader));
            assert!(setting.cluster.status(leader).await.is_none());
        }
    }
    let sum = setting
        .client(2, ClientSettings::default())
        .access::<Counters>(&Op::Sum(all))
        .await;
    // A command that names one object twice adds to it twice.
    assert_eq!(sum, Ok(2 * 2000));
    setting.assert_agreement().await;
}

fn topology() -> Topology {
    Topology::new(2, 3).unwrap()
}

fn embedded() -> CacheChoice {
    CacheChoice::Embedded { bytes: 64 << 20 }
}

/// Both scenarios under one strategy.
macro_rules! strategy {
    ($name:ident, $topology:expr, $cache:expr, $oracle:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn clients_see_each_others_work() {
                super::clients_see_each_others_work($oracle, $topology, $cache).await;
            }

            #[tokio::test]
            async fn stopped_leaders_lose_nothing() {
                super::stopped_leaders_lose_nothing($oracle, $topology, $cache).await;
            }
        }
    };
}

strategy!(global, topology(), CacheChoice::None, Global);
strategy!(
    broker,
    topology().with_oracle(3).unwrap(),
    CacheChoice::None,
    Broker
);
strategy!(fixed, topology(), CacheChoice::None, Static::new());
strategy!(
    fixed_with_directory,
    topology(),
    CacheChoice::None,
    Static::with_directory()
);
strategy!(cache, topology(), embedded(), Cache);
strategy!(cache_away, topology(), CacheChoice::None, Cache);

#[tokio::test]
async fn a_cache_that_goes_away_and_comes_back_changes_no_answer() {
    let mut setting = Setting::new(Cache, topology(), embedded()).await;
    let all = objects(0..8);
    let writer = setting.client(1, ClientSettings::default());
    for (place, object) in all.iter().enumerate() {
        let at = Some(PartitionId(place as u8 % 2));
        assert_eq!(writer.create::<Counters>(*object, &0, at).await, DONE);
    }
    for round in 0..90 {
        match round {
            30 => setting.cluster.faults().stop_cache(),
            60 => setting.cluster.faults().start_cache().unwrap(),
            _ => {}
        }
        // A reader of its own each time: it has to find out where the objects are.
        let reader = setting.client(10 + round, ClientSettings::default());
        let sum = reader.access::<Counters>(&Op::Sum(all.clone())).await;
        assert_eq!(sum, Ok(8 * round));
        assert_eq!(
            writer.access::<Counters>(&Op::Add(all.clone(), 1)).await,
            Ok(8 * round + 8)
        );
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = ClusterOptions::new(topology(), Global).with_base_port(Some(port));
    let error = Cluster::start::<Counters>(options).unwrap_err();
    assert!(matches!(error, NetError::Bind { .. }));
    let named = format!("cannot listen on 127.0.0.1:{port} (replica p0r0)");
    assert!(error.to_string().starts_with(&named), "{error}");

    let last = Some(u16::MAX - 2);
    let options = ClusterOptions::new(topology(), Global).with_base_port(last);
    let error = Cluster::start::<Counters>(options).unwrap_err();
    assert!(
        matches!(error, NetError::Ports { .. } | NetError::Bind { .. }),
        "{error}"
    );
}

/// Each of them is told, and they add up to no more than the client saw.
#[tokio::test]
async fn where_the_time_of_a_command_goes_is_measured_where_it_is_asked_for() {
    for measured in [true, false] {
        let oracle = Static::new().into_shared();
        let topology = Topology::new(2, 3).unwrap();
        let options = ClusterOptions::new(topology, oracle.clone()).with_stages(measured);
        let setting = Setting {
            cluster: Cluster::start::<Counters>(options).unwrap(),
            oracle,
        };
        setting.cluster.ready(PATIENCE).await.unwrap();
        let settings = ClientSettings::default().with_reads(Reads::Index);
        let client = setting.client(1, settings);
        // One on each partition.
        let home = |object: &ObjectId| topology.home(*object);
        let [x, y] = [P0, P1].map(|partition| {
            let mut all = objects(0..100).into_iter();
            all.find(|object| home(object) == partition).unwrap()
        });
        let create = |object| Request::create::<Counters>(object, &1, None);
        let sum = Op::Sum(vec![x]);
        let both = Op::Add(vec![x, y], 1);
        for (request, unordered, waits) in [
            (create(x), false, false),
            (create(y), false, false),
            (Request::access::<Counters>(&both), false, true),
            (Request::access::<Counters>(&sum), true, false),
        ] {
            let completion = client.execute(request).await;
            assert_eq!(completion.cost.unordered, unordered);
            let stages = completion.cost.stages;
            assert_eq!(stages.is_some(), measured);
            let Some(stages) = stages else { continue };
            assert!(stages.order_us > 0, "{stages:?}");
            assert_eq!(stages.wait_us > 0, waits, "{stages:?}");
            let there = stages.order_us + stages.wait_us + stages.execute_us;
            let all = completion.completed.micros() - completion.invoked.micros();
            assert!(u64::from(there) <= all, "{stages:?} of {all}");
        }
    }
}
