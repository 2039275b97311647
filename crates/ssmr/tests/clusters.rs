//! Clusters from configurations and files: replicas one by one, durable ones, formats for people.

mod common;

use common::{Counters, Op, PATIENCE, object};
use ssmr::{
    Broker, Cache, Client, Cluster, ClusterConfig, Durability, Error, LocalCluster, NetError,
    Operator, ReplicaServer, Static, Topology,
};
use std::net::TcpListener;

#[tokio::test]
async fn a_configuration_survives_its_formats() {
    let cluster = LocalCluster::<Counters>::builder(Cache).replicas(1);
    let cluster = cluster.start().await.unwrap();
    let config = cluster.config();
    assert_eq!(config.cache_servers.len(), 1, "the strategy needs a cache");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster.toml");
    cluster.file().write(&path, "Counters.").unwrap();
    let read = Cluster::<Counters>::from_file(&path).unwrap();
    let mut told = config.clone();
    // It follows from the secret, which is in a file of its own.
    told.reader_key = None;
    assert_eq!(read.file().config, told);
    let json = serde_json::to_string_pretty(config).unwrap();
    assert!(json.contains("\"p0r0\": \"127.0.0.1:"), "{json}");
    assert_eq!(
        &serde_json::from_str::<ClusterConfig>(&json).unwrap(),
        config
    );

    let client = read.client().await.unwrap();
    client.create(object(1), &1).await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_comes_back_from_disk_is_known_again() {
    let folder = tempfile::tempdir().unwrap();
    let builder = LocalCluster::<Counters>::builder(Broker)
        .durability(Durability::Async(folder.path().into()))
        .incarnation(7)
        .partitions(1)
        .log_bytes(4_000);
    let cluster = builder.clone().start().await.unwrap();
    assert_eq!(
        cluster.topology().groups().len(),
        2,
        "the strategy needs an oracle"
    );
    let client = cluster.client().await.unwrap();
    client.create(object(1), &0).await.unwrap();
    for _ in 0..200 {
        client.call(&Op::Add(vec![object(1)], 1)).await.unwrap();
    }
    cluster.shutdown().await;

    let cluster = builder.start().await.unwrap();
    assert_eq!(cluster.config().incarnation, 7);
    let client = cluster.client().await.unwrap();
    assert_eq!(client.call(&Op::Sum(vec![object(1)])).await, Ok(200));
}

#[tokio::test]
async fn incarnations_are_drawn() {
    let start = || {
        LocalCluster::<Counters>::builder(Static::new())
            .partitions(1)
            .replicas(1)
    };
    let [first, second] = [start().start().await, start().start().await];
    let [first, second] = [first.unwrap(), second.unwrap()];
    assert_ne!(first.config().incarnation, second.config().incarnation);
    let [a, b] = [first.client().await.unwrap(), first.client().await.unwrap()];
    assert_ne!(a.id(), b.id());
}

#[tokio::test]
async fn impossible_clusters_are_refused() {
    let builder = LocalCluster::<Counters>::builder(Static::new());
    let none = builder.clone().partitions(0).start().await.unwrap_err();
    assert!(matches!(none, NetError::Topology(_)), "{none}");
    let even = builder.clone().replicas(2).start().await.unwrap_err();
    assert!(matches!(even, NetError::Topology(_)), "{even}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let taken = builder.base_port(port).start().await.unwrap_err();
    assert!(matches!(taken, NetError::Bind { .. }), "{taken}");
}

/// A configuration for replicas that are started one by one, on ports that were free a moment ago.
fn configuration(topology: Topology) -> ClusterConfig {
    let listeners: Vec<_> = topology
        .replicas()
        .map(|id| (id, TcpListener::bind("127.0.0.1:0").unwrap()))
        .collect();
    let address = |(id, listener): &(_, TcpListener)| (*id, listener.local_addr().unwrap());
    ClusterConfig::new(topology, 5, listeners.iter().map(address))
}

#[tokio::test]
async fn replicas_start_one_by_one_and_stop_without_ending_the_cluster() {
    let topology = Topology::new(1, 3).unwrap();
    let config = configuration(topology);
    let mut replicas = Vec::new();
    for id in topology.replicas() {
        let replica = ReplicaServer::<Counters>::builder(&config, id, Static::new());
        replicas.push(replica.start().await.unwrap());
    }
    let operator = Operator::new::<Counters>(&config, Static::new()).unwrap();
    assert_eq!(operator.found().await.unwrap().groups.len(), 1);
    let client = Client::<Counters>::connect(&config, Static::new());
    let client = client.await.unwrap();
    client.create(object(1), &1).await.unwrap();

    let led = async {
        loop {
            if let Some(place) = replicas.iter().position(ReplicaServer::is_leader) {
                break place;
            }
            tokio::task::yield_now().await;
        }
    };
    let leader = tokio::time::timeout(PATIENCE, led).await.unwrap();
    let leader = replicas.swap_remove(leader);
    let id = leader.id();
    assert!(leader.is_running() && leader.status().await.is_some_and(|it| it.is_leader));
    leader.shutdown().await;
    assert_eq!(client.call(&Op::Add(vec![object(1)], 1)).await, Ok(2));

    let back = ReplicaServer::<Counters>::builder(&config, id, Static::new());
    let back = back.start().await.unwrap();
    let filled = async {
        while !back.status().await.unwrap().is_voter {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, filled)
        .await
        .expect("its group fills it");
    assert_eq!(client.call(&Op::Add(vec![object(1)], 1)).await, Ok(3));
    assert_ne!(client.exists(object(1)).await, Err(Error::Closed));
}

#[tokio::test]
async fn a_replica_that_the_configuration_does_not_know_is_refused() {
    let config = configuration(Topology::new(1, 1).unwrap());
    let stranger = "p7r0".parse().unwrap();
    let started = ReplicaServer::<Counters>::builder(&config, stranger, Static::new());
    let error = started.start().await.unwrap_err();
    assert!(matches!(error, NetError::Config(_)), "{error}");
}
