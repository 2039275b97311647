//! Replicas that stop and come back from their own disks: nothing that was acknowledged is lost.

mod common;

use common::Client;
use ssmr_core::client::ClientSettings;
use ssmr_core::{
    Access, Application, Intent, ObjectId, Objects, Oracle, Outcome, ReplicaId, Request, Topology,
    codec,
};
use ssmr_net::{CacheChoice, Cluster, ClusterOptions, Durability, NetError};
use ssmr_strategy_broker::Broker;
use ssmr_strategy_cache::Cache;
use ssmr_strategy_global::Global;
use ssmr_strategy_static::Static;
use std::path::Path;
use std::time::Duration;

/// Numbers that one can add to.
#[derive(Debug)]
struct Numbers;

impl Application for Numbers {
    const NAME: &'static str = "numbers";
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

fn topology() -> Topology {
    Topology::new(2, 3).unwrap()
}

async fn survive(oracle: impl Oracle) {
    let oracle = oracle.into_shared();
    let folder = tempfile::tempdir().unwrap();
    let topology = if oracle.needs().oracle_group {
        topology().with_oracle(3).unwrap()
    } else {
        topology()
    };
    let options = ClusterOptions::new(topology, oracle.clone())
        .with_durability(Durability::Sync(folder.path().into()))
        .with_cache(CacheChoice::Embedded { bytes: 1 << 20 });
    let mut cluster = Cluster::start::<Numbers>(options).unwrap();
    cluster.ready(Duration::from_secs(20)).await.unwrap();
    let settings = ClientSettings::default();
    let client = Client::start::<Numbers>(cluster.config(), 1, oracle, settings);
    let zero = Request::create::<Numbers>(object(0), &0, None);
    assert!(client.execute(zero).await.outcome.is_definite());

    // One replica of each group after the other, leaders among them.
    let mut key = 0;
    for round in 0..3 {
        for group in topology.groups().iter() {
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
    let all: Vec<ReplicaId> = topology.replicas().collect();
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
    survive(Global).await;
}

#[tokio::test]
async fn broker_loses_nothing() {
    survive(Broker).await;
}

#[tokio::test]
async fn static_loses_nothing() {
    survive(Static::new()).await;
}

#[tokio::test]
async fn cache_loses_nothing() {
    survive(Cache).await;
}

/// Waits until a replica takes full part, at most for so long.
async fn filled(cluster: &Cluster, id: ReplicaId) {
    let asked = async {
        while !cluster
            .status(id)
            .await
            .is_some_and(|status| status.is_voter)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), asked).await;
    waited.unwrap_or_else(|_| panic!("{id} was not filled"));
}

/// In memory: every replica in turn loses all it knew and is filled by the others, while nothing is
/// lost.
async fn refill(oracle: impl Oracle) {
    let oracle = oracle.into_shared();
    let topology = if oracle.needs().oracle_group {
        topology().with_oracle(3).unwrap()
    } else {
        topology()
    };
    // Logs are short, so that the others have to send a snapshot.
    let options = ClusterOptions::new(topology, oracle.clone())
        .with_cache(CacheChoice::Embedded { bytes: 1 << 20 })
        .with_log_bytes(4_000);
    let mut cluster = Cluster::start::<Numbers>(options).unwrap();
    cluster.ready(Duration::from_secs(20)).await.unwrap();
    let settings = ClientSettings::default();
    let client = Client::start::<Numbers>(cluster.config(), 1, oracle, settings);
    let zero = Request::create::<Numbers>(object(0), &0, None);
    assert!(client.execute(zero).await.outcome.is_definite());
    let mut key = 0;
    for id in topology.replicas().collect::<Vec<_>>() {
        for _ in 0..8 {
            key += 1;
            work(&client, key).await;
        }
        assert!(cluster.stop_replica(id));
        key += 1;
        work(&client, key).await;
        assert!(cluster.restart_replica(id).unwrap());
        filled(&cluster, id).await;
    }
    audit(&client, key).await;
}

#[tokio::test]
async fn global_refills_its_replicas() {
    refill(Global).await;
}

#[tokio::test]
async fn broker_refills_its_replicas() {
    refill(Broker).await;
}

#[tokio::test]
async fn static_refills_its_replicas() {
    refill(Static::new()).await;
}

#[tokio::test]
async fn cache_refills_its_replicas() {
    refill(Cache).await;
}

#[tokio::test]
async fn the_only_replica_of_a_group_does_not_come_back_from_memory() {
    let topology = Topology::new(2, 1).unwrap();
    let options = ClusterOptions::new(topology, Static::new());
    let mut cluster = Cluster::start::<Numbers>(options).unwrap();
    let victim = topology.replicas().next().unwrap();
    assert!(cluster.stop_replica(victim));
    assert!(!cluster.restart_replica(victim).unwrap());
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap();
    let size = |entry: std::io::Result<std::fs::DirEntry>| {
        // A file may be removed at any moment.
        entry
            .unwrap()
            .metadata()
            .map_or(0, |metadata| metadata.len())
    };
    entries.map(size).sum()
}

/// However long the work goes on, what is on disk comes back to about the size of snapshots and a
/// log of the length that was asked for, as soon as these are written; and a replica that comes
/// back starts from there.
#[tokio::test]
async fn the_disk_stays_bounded() {
    const LOG: usize = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let topology = Topology::new(1, 3).unwrap();
    let options = ClusterOptions::new(topology, Static::new())
        .with_durability(Durability::Async(folder.path().into()))
        .with_log_bytes(LOG);
    let mut cluster = Cluster::start::<Numbers>(options).unwrap();
    cluster.ready(Duration::from_secs(20)).await.unwrap();
    let settings = ClientSettings::default();
    let client = Client::start::<Numbers>(cluster.config(), 1, Static::new(), settings);
    let zero = Request::create::<Numbers>(object(0), &0, None);
    assert!(client.execute(zero).await.outcome.is_definite());
    let is_bounded = || {
        let folder = |id: ReplicaId| folder.path().join(id.to_string());
        topology
            .replicas()
            .all(|id| bytes_in(&folder(id)) < 4 * LOG as u64)
    };
    for round in 1..=2_000u64 {
        let add = Request::access::<Numbers>(&(vec![object(0)], 1));
        let sum = client.execute(add).await.outcome;
        assert_eq!(sum, Outcome::Done(codec::encode(&round)));
        // About 300 KB of log go by, 45 at a time.
        if round % 300 == 0 {
            let shrinks = async {
                while !is_bounded() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let shrunk = tokio::time::timeout(Duration::from_secs(20), shrinks).await;
            assert!(shrunk.is_ok(), "the log of {round} rounds is still stored");
        }
    }
    for id in topology.replicas() {
        assert!(cluster.stop_replica(id));
        assert!(cluster.restart_replica(id).unwrap());
    }
    let read = Request::access::<Numbers>(&(vec![object(0)], 0));
    assert_eq!(
        client.execute(read).await.outcome,
        Outcome::Done(codec::encode(&2_000u64))
    );
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_replica_whose_disk_is_full_stops_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let topology = Topology::new(1, 3).unwrap();
    // Not synced: on such a device that would fail in any case.
    let options = ClusterOptions::new(topology, Static::new())
        .with_durability(Durability::Async(folder.path().into()))
        .with_log_bytes(10_000);
    let mut cluster = Cluster::start::<Numbers>(options).unwrap();
    cluster.ready(Duration::from_secs(20)).await.unwrap();
    let id = topology.replicas().nth(1).unwrap();
    // The next file of its log is on a device that has no room.
    let own = folder.path().join(id.to_string());
    let full = (2..9).map(|n| own.join(format!("{n:010}.log.unfinished")));
    let full: Vec<_> = full.collect();
    let plant = full.iter().filter(|path| !path.exists());
    plant.for_each(|path| std::os::unix::fs::symlink("/dev/full", path).unwrap());
    let settings = ClientSettings::default();
    let client = Client::start::<Numbers>(cluster.config(), 1, Static::new(), settings);
    let zero = Request::create::<Numbers>(object(0), &0, None);
    assert!(client.execute(zero).await.outcome.is_definite());
    let mut round = 0u64;
    while cluster.inspect(id).await.is_some() {
        round += 1;
        assert!(round < 2_000, "it goes on without a disk");
        let add = Request::access::<Numbers>(&(vec![object(0)], 1));
        let sum = client.execute(add).await.outcome;
        assert_eq!(sum, Outcome::Done(codec::encode(&round)));
    }
    for path in full {
        std::fs::remove_file(path).unwrap();
    }
    cluster.stop_replica(id);
    assert!(cluster.restart_replica(id).unwrap());
    let read = Request::access::<Numbers>(&(vec![object(0)], 0));
    let sum = client.execute(read).await.outcome;
    assert_eq!(sum, Outcome::Done(codec::encode(&round)));
    assert!(cluster.inspect(id).await.is_some(), "there is room again");
}

/// A group of three that was stopped, with its logs.
async fn stopped(durability: Durability) -> ClusterOptions {
    let topology = Topology::new(1, 3).unwrap();
    let options = ClusterOptions::new(topology, Static::new()).with_durability(durability);
    let cluster = Cluster::start::<Numbers>(options.clone()).unwrap();
    cluster.ready(Duration::from_secs(20)).await.unwrap();
    let settings = ClientSettings::default();
    let client = Client::start::<Numbers>(cluster.config(), 1, Static::new(), settings);
    let zero = Request::create::<Numbers>(object(0), &0, None);
    assert!(client.execute(zero).await.outcome.is_definite());
    cluster.shutdown().await;
    options
}

#[tokio::test]
async fn the_data_of_another_cluster_is_refused_with_both_values() {
    let folder = tempfile::tempdir().unwrap();
    let options = stopped(Durability::Sync(folder.path().into())).await;
    let refused = |options| {
        let error = Cluster::start::<Numbers>(options).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, NetError::Storage(_)), "{text}");
        assert!(text.contains("p0r0 belongs to another"), "{text}");
        text
    };
    let mut grown = options.clone();
    grown.topology = Topology::new(1, 5).unwrap();
    let text = refused(grown);
    assert!(
        text.contains("of 3 replicas is stored there, this is 1 partitions of 5"),
        "{text}"
    );
    let text = refused(options.clone().with_incarnation(9));
    assert!(
        text.contains("0000000000000001 is stored there, this is 0000000000000009"),
        "{text}"
    );
    Cluster::start::<Numbers>(options).unwrap();
}

/// Its log was not synced when the machine went down: it is filled by its group, and what it had is
/// not thrown away.
#[tokio::test]
async fn an_unsynced_log_of_another_boot_is_set_aside_and_its_replica_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let options = stopped(Durability::Async(folder.path().into())).await;
    let victim = options.topology.replicas().nth(1).unwrap();
    let own = folder.path().join(victim.to_string());
    std::fs::write(own.join("unsynced"), "another boot").unwrap();
    let cluster = Cluster::start::<Numbers>(options).unwrap();
    cluster.ready(Duration::from_secs(20)).await.unwrap();
    filled(&cluster, victim).await;
    let aside = own.join("set-aside-2");
    assert!(std::fs::read_dir(aside).unwrap().count() > 0);
    let settings = ClientSettings::default();
    let client = Client::start::<Numbers>(cluster.config(), 1, Static::new(), settings);
    let read = Request::access::<Numbers>(&(vec![object(0)], 0));
    let sum = client.execute(read).await.outcome;
    assert_eq!(sum, Outcome::Done(codec::encode(&0u64)));
}
