//! Clusters on an emulated network: commands take what their hops need, whatever the strategy, and
//! nothing is lost.

mod common;

use bytes::Bytes;
use common::Client;
use common::raw::Blobs;
use ssmr_core::client::ClientSettings;
use ssmr_core::{ObjectId, Oracle, Outcome, PartitionId, Topology};
use ssmr_net::{CacheChoice, Clock, Cluster, ClusterOptions, Network};
use ssmr_strategy_broker::Broker;
use ssmr_strategy_cache::Cache;
use ssmr_strategy_global::Global;
use ssmr_strategy_static::Static;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const DONE: Outcome = Outcome::Done(Bytes::new());

fn strategies() -> [Arc<dyn Oracle>; 4] {
    [
        Global.into_shared(),
        Broker.into_shared(),
        Static::new().into_shared(),
        Cache.into_shared(),
    ]
}

async fn cluster(oracle: Arc<dyn Oracle>, partitions: u8, network: Network) -> Cluster {
    let topology = Topology::new(partitions, 3).unwrap();
    let topology = match oracle.needs().oracle_group {
        true => topology.with_oracle(3).unwrap(),
        false => topology,
    };
    let bytes = 1 << 20;
    let options = ClusterOptions::new(topology, oracle)
        .with_cache(CacheChoice::Embedded { bytes })
        .with_network(Some(network));
    let cluster = Cluster::start::<Blobs>(options).unwrap();
    cluster.ready(PATIENCE).await.unwrap();
    cluster
}

fn client(cluster: &Cluster, id: u64, oracle: Arc<dyn Oracle>) -> Client {
    Client::start::<Blobs>(cluster.config(), id, oracle, ClientSettings::default())
}

/// Creates an object. Returns how long it took.
async fn create(client: &Client, object: ObjectId) -> Duration {
    let clock = Clock::start();
    let empty = Bytes::new();
    let made = client.create::<Blobs>(object, &empty, Some(PartitionId(0)));
    let made = tokio::time::timeout(PATIENCE, made).await.unwrap();
    assert_eq!(made, DONE);
    Duration::from_micros(clock.now().micros())
}

/// Sites 20 ms apart: the client is at one, each replica of a group at another. A command goes to
/// the leader, from there to a follower and back, and the answer to the client.
#[tokio::test]
async fn a_command_takes_as_long_as_its_hops_under_each_strategy() {
    let network: Network = "sites = ['a', 'b', 'c', 'd']\nclients = ['d']\ncaches = 'd'\n\
                            [between]\nlatency = '20ms'\n"
        .parse()
        .unwrap();
    for oracle in strategies() {
        let cluster = cluster(oracle.clone(), 1, network.clone()).await;
        let client = client(&cluster, 1, oracle.clone());
        for key in 0..5 {
            let object = ObjectId::new(key, key);
            let took = create(&client, object).await;
            let name = oracle.name();
            assert!(took >= Duration::from_millis(80), "{name}: {took:?}");
        }
    }
}

/// All replicas are at one site, and the client at another.
#[tokio::test]
async fn a_client_is_as_far_away_as_its_site() {
    let network: Network = "sites = ['near', 'far']\nplacement = 'by-group'\n\
                            clients = ['far']\n[between]\nlatency = '150ms'\n"
        .parse()
        .unwrap();
    let oracle = Global.into_shared();
    let cluster = cluster(oracle.clone(), 1, network).await;
    let client = client(&cluster, 2, oracle);
    for key in 0..3 {
        let took = create(&client, ObjectId::new(0, key)).await;
        assert!(took >= Duration::from_millis(300), "{took:?}");
    }
}

/// Every tenth segment is lost, and two partitions have to agree: all is done, once, in the end.
#[tokio::test]
async fn losses_lose_nothing() {
    let network: Network = "sites = ['a', 'b', 'c']\n[within]\nlatency = '1ms'\n\
                            [between]\nlatency = '3ms'\njitter = '3ms'\nloss = '10%'\n\
                            bandwidth = '10mbit'\nretransmission_timeout = '30ms'\n"
        .parse()
        .unwrap();
    for oracle in strategies() {
        let cluster = cluster(oracle.clone(), 2, network.clone()).await;
        let clients = [1, 2, 3].map(|id| client(&cluster, id, oracle.clone()));
        let value = Bytes::from(vec![7; 10_000]);
        let work = clients.iter().zip(0u64..).map(async |(client, place)| {
            for key in 0..20 {
                let object = ObjectId::new(key % 2, 100 * place + key);
                let made = client.create::<Blobs>(object, &value, None).await;
                assert_eq!(made, DONE, "{}", oracle.name());
                let again = client.create::<Blobs>(object, &value, None).await;
                assert_ne!(again, DONE, "{}: it was there", oracle.name());
            }
        });
        let all = futures_util::future::join_all(work);
        tokio::time::timeout(PATIENCE, all).await.unwrap();
    }
}
