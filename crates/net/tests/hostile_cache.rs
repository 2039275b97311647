//! A shared cache that lies: it answers with the right key and another value. It can cost time, and
//! nothing else: every sum is right.
//!
//! The liar stands between the cluster and a cache that works, and changes what that one says.

mod common;

use bytes::{Buf, BytesMut};
use common::Client;
use serde::{Deserialize, Serialize};
use ssmr_core::client::{ClientSettings, Execution};
use ssmr_core::{
    Access, Application, Hint, ObjectId, Objects, Oracle, Outcome, PartitionId, Topology, codec,
};
use ssmr_net::{CacheChoice, CacheServer, Cluster, ClusterOptions};
use ssmr_strategy_cache::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Counters that carry some weight: add to some, read others.
#[derive(Debug)]
struct Counters;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counter {
    number: u64,
    weight: [u64; 4],
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Add(Vec<ObjectId>, u64);

impl Application for Counters {
    const NAME: &'static str = "counters";
    type Object = Counter;
    type Op = Add;
    type Reply = u64;

    fn access(Add(objects, amount): &Add) -> Access {
        Access {
            reads: objects.clone(),
            writes: match amount {
                0 => Vec::new(),
                _ => objects.clone(),
            },
        }
    }

    fn execute(Add(objects, amount): &Add, counters: &mut Objects<Counter>) -> u64 {
        if *amount > 0 {
            for object in objects {
                counters.update(*object, |counter| counter.number += amount);
            }
        }
        let numbers = objects.iter().filter_map(|object| counters.get(*object));
        numbers.map(|counter| counter.number).sum()
    }
}

/// How it lies.
#[derive(Clone, Copy, Debug)]
enum Lie {
    /// With what was stored under another key.
    Other,
    /// With one bit changed.
    Flipped,
    /// Without the last byte.
    Shorter,
    /// With nothing.
    Empty,
    /// With places that objects never were in, from a time that has not come.
    Places,
}

const LIES: [Lie; 5] = [
    Lie::Other,
    Lie::Flipped,
    Lie::Shorter,
    Lie::Empty,
    Lie::Places,
];

/// What a liar says in place of a value. It remembers values.
fn forged(lie: Lie, value: &[u8], seen: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let hint = codec::decode::<Hint>(value).ok();
    let hint = hint.filter(|hint| codec::encode(hint) == value);
    match (lie, hint) {
        (Lie::Places, Some(hint)) => {
            let mut epoch = hint.epoch;
            epoch.clock.0 += 1 << 40;
            let owner = PartitionId(1 - hint.owner.0);
            codec::encode(&Hint {
                owner,
                epoch,
                ..hint
            })
            .to_vec()
        }
        (Lie::Places, None) | (_, Some(_)) => value.to_vec(),
        (Lie::Other, None) => {
            let other = seen.iter().rev().find(|other| *other != value);
            let other = other.cloned().unwrap_or_default();
            seen.push(value.to_vec());
            other
        }
        (Lie::Flipped, None) => {
            let mut value = value.to_vec();
            if let Some(byte) = value.first_mut() {
                *byte ^= 1;
            }
            value
        }
        (Lie::Shorter, None) => value[..value.len().saturating_sub(1)].to_vec(),
        (Lie::Empty, None) => Vec::new(),
    }
}

/// Between the cluster and a cache.
struct Liar {
    address: String,
    /// How many values it changed.
    lies: Arc<AtomicU64>,
}

impl Liar {
    async fn start(cache: String, lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let lies = Arc::new(AtomicU64::new(0));
        let told = lies.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&cache).await.unwrap();
                tokio::spawn(serve(client, server, lie, told.clone()));
            }
        });
        Self { address, lies }
    }
}

async fn serve(mut client: TcpStream, mut server: TcpStream, lie: Lie, lies: Arc<AtomicU64>) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let answers = async {
        let (mut input, mut seen) = (BytesMut::new(), Vec::new());
        while from_server
            .read_buf(&mut input)
            .await
            .is_ok_and(|length| length > 0)
        {
            while let Some(said) = answer(&mut input, lie, &mut seen, &lies) {
                if to_client.write_all(&said).await.is_err() {
                    return;
                }
            }
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = answers => {}
    }
}

/// The next answer, changed if it has a value: `VA LENGTH FLAGS`, the value, line ends.
fn answer(
    input: &mut BytesMut,
    lie: Lie,
    seen: &mut Vec<Vec<u8>>,
    lies: &AtomicU64,
) -> Option<Vec<u8>> {
    let end = input.windows(2).position(|end| end == b"\r\n")?;
    let line = String::from_utf8(input[..end].to_vec()).unwrap();
    let Some(length) = line.strip_prefix("VA ") else {
        return Some(input.split_to(end + 2).to_vec());
    };
    let (length, flags) = length.split_once(' ').unwrap_or((length, ""));
    let length: usize = length.parse().unwrap();
    if input.len() < end + 2 + length + 2 {
        return None;
    }
    input.advance(end + 2);
    let value = input.split_to(length + 2);
    let said = forged(lie, &value[..length], seen);
    lies.fetch_add(u64::from(said != value[..length]), Relaxed);
    let mut answer = format!("VA {} {flags}\r\n", said.len()).into_bytes();
    answer.extend(said);
    answer.extend(b"\r\n");
    Some(answer)
}

#[tokio::test]
async fn a_cache_that_lies_changes_no_sum() {
    const ROUNDS: u64 = 60;
    let topology = Topology::new(2, 3).unwrap();
    for lie in LIES {
        let cache = CacheServer::start("127.0.0.1:0".parse().unwrap(), 64 << 20).unwrap();
        let liar = Liar::start(cache.address().to_string(), lie).await;
        let servers = CacheChoice::Servers(vec![liar.address.clone()]);
        let oracle = Cache.into_shared();
        let options = ClusterOptions::new(topology, oracle.clone()).with_cache(servers);
        let cluster = Cluster::start::<Counters>(options).unwrap();
        cluster.ready(Duration::from_secs(20)).await.unwrap();
        let client = |id, execution| {
            let settings = ClientSettings::default().with_execution(execution);
            Client::start::<Counters>(cluster.config(), id, oracle.clone(), settings)
        };
        let objects: Vec<ObjectId> = (0..4).map(|key| ObjectId::new(key, key)).collect();
        let first = client(1, Execution::Exchange);
        for (place, object) in objects.iter().enumerate() {
            let at = Some(PartitionId(place as u8 % 2));
            let zero = Counter::default();
            let created = first.create::<Counters>(*object, &zero, at).await;
            assert_eq!(created, Outcome::Done(bytes::Bytes::new()));
        }
        let mut sum = 0;
        for round in 0..ROUNDS {
            // Who knows nothing asks the cache where objects are.
            let execution = match round % 4 {
                0 => Execution::Gather,
                _ => Execution::Exchange,
            };
            // Apart again, wherever they were gathered.
            for (place, object) in objects.iter().enumerate() {
                let to = PartitionId(place as u8 % 2);
                let moved = first.relocate(*object, to).await;
                assert_eq!(moved, Outcome::Done(bytes::Bytes::new()), "{lie:?}");
            }
            let client = client(2 + round, execution);
            sum += 4;
            assert_eq!(
                client.access::<Counters>(&Add(objects.clone(), 1)).await,
                Ok(sum),
                "{lie:?}, round {round}"
            );
            let twice = client.access::<Counters>(&Add(objects.clone(), 0)).await;
            assert_eq!(twice, Ok(sum), "{lie:?}, round {round}");
        }
        assert!(liar.lies.load(Relaxed) >= ROUNDS / 2, "{lie:?}: it lies");
        let mut hits = 0;
        for id in topology.replicas() {
            let status = cluster.status(id).await.expect("it runs");
            hits += status.counters.cache_hits;
        }
        match lie {
            Lie::Places => assert!(hits > 0, "its values are true"),
            _ => assert_eq!(hits, 0, "{lie:?}"),
        }
    }
}
