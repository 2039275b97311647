//! Replicas that stop and come back from their own disks: nothing that was acknowledged is lost.

use ssmr_core::client::Settings;
use ssmr_core::{
    Access, Application, ClientId, Intent, Layout, ObjectId, Objects, Oracle, Outcome, ReplicaId,
    Request, codec,
};
use ssmr_net::{CacheChoice, Client, Cluster, ClusterOptions, Durability};
use ssmr_strategy_broker::Broker;
use ssmr_strategy_cache::Cache;
use ssmr_strategy_global::Global;
use ssmr_strategy_static::Static;
use std::time::Duration;

/// Numbers that one can add to.
#[derive(Debug)]
struct Numbers;

impl Application for Numbers {
    type Object = u64;
    type Op = (Vec<ObjectId>, u64);
    type Reply = u64;

    fn access((objects, _): &Self::Op) -> Access {
        Access {
            reads: objects.clone(),
            writes: objects.clone(),
        }
    }

    fn execute((objects, amount): &Self::Op, numbers: &mut Objects<u64>) -> u64 {
        for object in objects {
            numbers.update(*object, |number| *number += amount);
        }
        objects
            .iter()
            .filter_map(|object| numbers.get(*object))
            .sum()
    }
}

fn object(key: u64) -> ObjectId {
    ObjectId::new(key, key)
}

/// Creates `key` and adds one to it and its predecessor, which lies elsewhere as often as not.
async fn work(client: &Client, key: u64) {
    let create = Request::default().and(
        object(key),
        Intent::Create {
            at: None,
            value: codec::encode(&0u64),
        },
    );
    let created = client.execute(create).await.outcome;
    assert!(
        created.is_definite() && created != Outcome::AlreadyExists,
        "{key}: {created:?}"
    );
    let both = (vec![object(key - 1), object(key)], 1);
    let added = client
        .execute(Request::access::<Numbers>(&both))
        .await
        .outcome;
    assert!(matches!(added, Outcome::Done(_)), "{key}: {added:?}");
}

/// Reads back what [`work`] has left: 2 for each key but the last.
async fn audit(client: &Client, last: u64) {
    for key in 1..=last {
        let read = (vec![object(key)], 0);
        let outcome = client
            .execute(Request::access::<Numbers>(&read))
            .await
            .outcome;
        let expected = if key == last { 1u64 } else { 2 };
        assert_eq!(outcome, Outcome::Done(codec::encode(&expected)), "{key}");
    }
}

fn layout() -> Layout {
    Layout::new(2, 3).unwrap()
}

async fn survive<O: Oracle>(oracle: O) {
    let folder = tempfile::tempdir().unwrap();
    let layout = if O::NAME == "broker" {
        layout().with_oracle(3).unwrap()
    } else {
        layout()
    };
    let options = ClusterOptions {
        durability: Durability::Sync(folder.path().into()),
        cache: CacheChoice::Embedded { bytes: 1 << 20 },
        ..ClusterOptions::new(layout, oracle.clone())
    };
    let mut cluster = Cluster::<Numbers, O>::start(options).unwrap();
    cluster.ready(Duration::from_secs(20)).await.unwrap();
    let settings = Settings::default();
    let client = Client::connect(cluster.config(), ClientId(1), oracle, settings).unwrap();
    let zero = Request::create::<Numbers>(object(0), &0, None);
    assert!(client.execute(zero).await.outcome.is_definite());

    // One replica of each group after the other, leaders among them.
    let mut key = 0;
    for round in 0..3 {
        for group in layout.groups().iter() {
            let leader = cluster
                .leader_of(group)
                .unwrap_or(ReplicaId { group, index: 0 });
            let victim = if round == 1 {
                ReplicaId { group, index: 1 }
            } else {
                leader
            };
            assert!(cluster.stop_replica(victim));
            key += 1;
            work(&client, key).await;
            assert!(cluster.restart_replica(victim).unwrap());
            key += 1;
            work(&client, key).await;
        }
    }
    audit(&client, key).await;

    // All of them at once.
    let all: Vec<ReplicaId> = layout.replicas().collect();
    all.iter().for_each(|id| assert!(cluster.stop_replica(*id)));
    for id in all {
        assert!(cluster.restart_replica(id).unwrap());
    }
    audit(&client, key).await;
    key += 1;
    work(&client, key).await;
}

#[tokio::test]
async fn global_loses_nothing() {
    survive(Global::new(layout())).await;
}

#[tokio::test]
async fn broker_loses_nothing() {
    survive(Broker::new(layout().with_oracle(3).unwrap())).await;
}

#[tokio::test]
async fn static_loses_nothing() {
    survive(Static::new(layout())).await;
}

#[tokio::test]
async fn cache_loses_nothing() {
    survive(Cache::new(layout(), 1)).await;
}

#[tokio::test]
async fn a_replica_in_memory_does_not_come_back() {
    let options = ClusterOptions::new(layout(), Static::new(layout()));
    let mut cluster = Cluster::<Numbers, Static>::start(options).unwrap();
    let victim = layout().replicas().next().unwrap();
    assert!(cluster.stop_replica(victim));
    assert!(!cluster.restart_replica(victim).unwrap());
}
