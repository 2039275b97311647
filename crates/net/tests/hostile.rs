//! Connections that misbehave cost themselves and nothing else.

mod common;

use bytes::Bytes;
use common::Client;
use common::raw::{
    Blobs, OPERATOR, PATIENCE, assert_closed, client, dial, frame, greeting, topology,
};
use ssmr_core::client::ClientSettings;
use ssmr_core::{GroupId, ObjectId, Outcome, PartitionId, Request, codec};
use ssmr_net::{Cluster, ClusterOptions};
use ssmr_strategy_global::Global;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const DONE: Outcome = Outcome::Done(Bytes::new());

struct Setting {
    cluster: Cluster,
    client: Client,
    created: u64,
}

impl Setting {
    async fn new() -> Self {
        let oracle = Global;
        let cluster = Cluster::start::<Blobs>(ClusterOptions::new(topology(), oracle)).unwrap();
        cluster.ready(PATIENCE).await.unwrap();
        let settings = ClientSettings::default();
        let client = Client::start::<Blobs>(cluster.config(), 1, oracle, settings);
        Self {
            cluster,
            client,
            created: 0,
        }
    }

    fn leader(&self) -> SocketAddr {
        let leader = self
            .cluster
            .leader_of(GroupId::from(PartitionId(0)))
            .unwrap();
        self.cluster.config().addresses[&leader].address().unwrap()
    }

    /// The leader still serves, and nobody has stopped.
    async fn assert_alive(&mut self) {
        let object = ObjectId::new(0, self.created);
        let created = self
            .client
            .create::<Blobs>(object, &Bytes::new(), None)
            .await;
        assert_eq!(created, DONE);
        self.created += 1;
        assert_eq!(self.cluster.running().count(), 3);
    }

    /// A connection that has introduced itself as a client.
    async fn intruder(&self, incarnation: u64) -> TcpStream {
        let mut stream = TcpStream::connect(self.leader()).await.unwrap();
        let greeting = greeting(incarnation, client(666));
        stream.write_all(&greeting).await.unwrap();
        stream
    }
}

#[tokio::test]
async fn garbage_is_closed() {
    let mut setting = Setting::new().await;
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"[..],
        &[0xff; 4096],
        &[0; 64],
    ] {
        let mut stream = TcpStream::connect(setting.leader()).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        assert_eq!(assert_closed(stream).await, []);
    }
    setting.assert_alive().await;
}

#[tokio::test]
async fn garbage_and_oversized_frames_after_a_handshake_are_closed() {
    let mut setting = Setting::new().await;
    let mut oversized = u32::MAX.to_be_bytes().to_vec();
    oversized.extend([0; 100]);
    for garbage in [frame(&[0xff; 100]), frame(&[]), oversized] {
        let mut stream = setting.intruder(1).await;
        stream.write_all(&garbage).await.unwrap();
        assert_closed(stream).await;
        setting.assert_alive().await;
    }
    let said = assert_closed(setting.intruder(2).await).await;
    assert!(String::from_utf8_lossy(&said).contains("another cluster"));
    setting.assert_alive().await;
}

/// Whoever says that it looks after the cluster is answered, in order, and cannot found what is
/// founded; what makes no sense costs the connection.
#[tokio::test]
async fn an_operator_that_means_ill_changes_nothing() {
    let mut setting = Setting::new().await;
    let founders = |generations: &[u64]| {
        let member = |(index, generation): (usize, &u64)| generation << 8 | index as u64;
        generations
            .iter()
            .enumerate()
            .map(member)
            .collect::<Vec<u64>>()
    };
    let mut too_many = founders(&[7; 256]);
    too_many.extend(founders(&[u64::MAX; 256]));
    for members in [
        Vec::new(),
        founders(&[1, 2, 3]),
        vec![u64::MAX; 3],
        too_many,
    ] {
        for order in [1u32, 2] {
            let mut stream = dial(setting.leader(), OPERATOR).await;
            let order = frame(&codec::encode(&(order, &members)));
            stream.write_all(&order).await.unwrap();
            stream.write_all(&frame(&[0xff; 9])).await.unwrap();
            // A greeting, an answer that refuses, and the end.
            assert!(assert_closed(stream).await.len() > 8);
            setting.assert_alive().await;
        }
    }
}

#[tokio::test]
async fn an_impostor_that_is_no_replica_is_closed() {
    let mut setting = Setting::new().await;
    let stream = dial(setting.leader(), (0u32, (9u8, 9u8))).await;
    let said = assert_closed(stream).await;
    assert!(String::from_utf8_lossy(&said).contains("p9r9 is no other replica"));
    setting.assert_alive().await;
}

#[tokio::test]
async fn silent_and_half_open_connections_cost_nothing() {
    let mut setting = Setting::new().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(setting.leader()).await.unwrap());
        let mut half = setting.intruder(1).await;
        // A frame that never ends.
        half.write_all(&[0, 0, 1, 0, 7]).await.unwrap();
        silent.push(half);
    }
    setting.assert_alive().await;
    // Nothing was said within the time for a handshake.
    assert_closed(silent.swap_remove(0)).await;
    setting.assert_alive().await;
}

#[tokio::test]
async fn large_values_arrive_and_too_large_ones_are_refused() {
    let setting = Setting::new().await;
    let (fits, exceeds) = (ObjectId::new(1, 1), ObjectId::new(1, 2));
    let value = Bytes::from(vec![7; ssmr_core::limits::MAX_VALUE - 8]);
    assert_eq!(
        setting.client.create::<Blobs>(fits, &value, None).await,
        DONE
    );
    assert_eq!(setting.client.access::<Blobs>(&fits).await, Ok(value));
    let value = Bytes::from(vec![7; ssmr_core::limits::MAX_VALUE + 1]);
    let refused = setting.client.create::<Blobs>(exceeds, &value, None).await;
    assert!(matches!(refused, Outcome::Refused(_)), "{refused:?}");
    assert_eq!(setting.client.lookup(exceeds).await, Outcome::NotFound);
}

#[tokio::test]
async fn a_request_at_every_bound_fits_a_frame() {
    let setting = Setting::new().await;
    let value = Bytes::from(vec![7; 2000]);
    let objects = (0..4096).map(|key| ObjectId::new(key, key));
    let request = objects.fold(Request::default(), |request, object| {
        let create = Request::create::<Blobs>(object, &value, None);
        request.and(object, create.intents()[0].1.clone())
    });
    assert_eq!(setting.client.execute(request).await.outcome, DONE);
    assert_eq!(
        setting
            .client
            .access::<Blobs>(&ObjectId::new(4095, 4095))
            .await,
        Ok(value)
    );
}
