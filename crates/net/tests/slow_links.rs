//! Replicas on a network that is slow for what is large: leaders go on leading.

mod common;

use bytes::Bytes;
use common::raw::{Blobs, PATIENCE, topology};
use ssmr_core::client::ClientSettings;
use ssmr_core::{ObjectId, Outcome, ReplicaId, Request};
use ssmr_net::{ClusterConfig, Operator, ReplicaOptions, ReplicaStatus, ReplicaThread, listen};
use ssmr_strategy_global::Global;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How many bytes a connection through a slow link carries in [`PAUSE`]: 512 KiB in a second.
const STEP: usize = 8 << 10;
const PAUSE: Duration = Duration::from_millis(16);

/// What a connection has carried before it becomes slow.
const FAST: usize = 64 << 10;

/// Passes connections on to `to`, slowly. Counts the bytes.
async fn slow_link(to: SocketAddr, carried: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(to).await else {
                continue;
            };
            far.set_nodelay(true).unwrap();
            let (mut near_reader, mut near_writer) = near.into_split();
            let (mut far_reader, mut far_writer) = far.into_split();
            let carried = carried.clone();
            tokio::spawn(async move {
                let (mut bytes, mut own) = (vec![0; STEP], 0);
                while let Ok(count @ 1..) = near_reader.read(&mut bytes).await {
                    carried.fetch_add(count, Relaxed);
                    own += count;
                    if far_writer.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                    if own > FAST {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            });
            tokio::spawn(async move {
                let _ = tokio::io::copy(&mut far_reader, &mut near_writer).await;
            });
        }
    });
    address
}

async fn statuses(replicas: &[ReplicaThread]) -> Vec<ReplicaStatus> {
    let mut statuses = Vec::new();
    for replica in replicas {
        statuses.push(replica.status().await.unwrap());
    }
    statuses
}

/// A value takes each follower several times as long as an election: the leader stays, and sends
/// hardly more than once what takes so long.
#[tokio::test]
async fn leaders_are_heard_past_large_values() {
    let listeners = listen(&topology(), Ipv4Addr::LOCALHOST.into(), None).unwrap();
    let addresses = listeners.iter().map(|(id, (address, _))| (*id, *address));
    let config = ClusterConfig::new(topology(), 1, addresses);
    let carried = Arc::new(AtomicUsize::new(0));
    let mut replicas = Vec::new();
    for (id, (_, listener)) in listeners {
        let mut seen = config.clone();
        let others = |other: &&ReplicaId| **other != id;
        for other in config.addresses.keys().filter(others) {
            let through =
                slow_link(config.addresses[other].address().unwrap(), carried.clone()).await;
            seen.addresses.insert(*other, through.into());
        }
        let options = ReplicaOptions::new(id, seen, Global);
        replicas.push(ReplicaThread::start::<Blobs>(options, listener).unwrap());
    }
    let operator = Operator::new::<Blobs>(&config, Global).unwrap();
    operator.found().await.unwrap();
    let settings = ClientSettings::default();
    let client = common::Client::start::<Blobs>(&config, 1, Global, settings);
    let empty = Bytes::new();
    let small = client.create::<Blobs>(ObjectId::new(0, 0), &empty, None);
    let small = tokio::time::timeout(PATIENCE, small).await.unwrap();
    assert_eq!(small, Outcome::Done(Bytes::new()));
    let before: Vec<u64> = statuses(&replicas).await.iter().map(|it| it.term).collect();

    let value = Bytes::from(vec![7; 1_000_000]);
    let carried_before = carried.load(Relaxed);
    let request = (1..=2).fold(Request::default(), |request, key| {
        let object = ObjectId::new(key, key);
        let create = Request::create::<Blobs>(object, &value, None);
        request.and(object, create.intents()[0].1.clone())
    });
    let large = client.execute(request).await.outcome;
    assert_eq!(large, Outcome::Done(Bytes::new()));
    let after: Vec<u64> = statuses(&replicas).await.iter().map(|it| it.term).collect();
    assert_eq!(after, before, "somebody else was elected meanwhile");
    let sent = carried.load(Relaxed) - carried_before;
    assert!(sent >= 2_000_000, "{sent}");
}
