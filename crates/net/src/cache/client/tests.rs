//! The client against embedded servers, silent ones, and a real memcached where there is one.

use super::*;
use crate::cache::lane::CALLS;
use crate::cache::{BreakerState, CacheServer, CacheServerStatus, MAX_ITEM, cache_servers};
use bytes::Bytes;
use ssmr_core::{Found, Hint, LogicalClock, ObjectId, PartitionId, Timestamp, codec};
use std::time::Duration;

mod without_room;

struct Setting {
    client: CacheClient,
    replies: mpsc::Receiver<CacheReply>,
}

impl Setting {
    fn new(servers: Vec<String>) -> Self {
        Self::of_cluster(7, servers)
    }

    fn of_cluster(incarnation: u64, servers: Vec<String>) -> Self {
        let (sender, replies) = mpsc::channel(8);
        let client = CacheClient::start(servers, incarnation, &sender);
        Self { client, replies }
    }

    async fn get(&mut self, key: &'static str) -> Found {
        let key = Bytes::from_static(key.as_bytes());
        let refused = self.client.call(CacheCall::Get { key: key.clone() });
        let reply = match refused {
            Some(reply) => reply,
            None => self.replies.recv().await.unwrap(),
        };
        assert_eq!(reply.key, key);
        reply.found
    }

    fn set(&self, key: &'static str, value: Bytes) {
        let key = Bytes::from_static(key.as_bytes());
        assert_eq!(self.client.call(CacheCall::Set { key, value }), None);
    }

    fn publish(&self, key: &'static str, hint: Hint) {
        let key = Bytes::from_static(key.as_bytes());
        assert_eq!(self.client.call(CacheCall::Publish { key, hint }), None);
    }
}

fn hint(ts: u64) -> Hint {
    Hint {
        object: ObjectId::new(1, 2),
        owner: PartitionId(ts as u8),
        epoch: Timestamp::new(LogicalClock(ts), PartitionId(0).into()),
    }
}

/// What this process knows of a server.
fn status(server: &str) -> CacheServerStatus {
    let mut known = cache_servers().into_iter();
    known.find(|status| status.server == server).unwrap()
}

fn server() -> CacheServer {
    CacheServer::start("127.0.0.1:0".parse().unwrap(), 64 << 20).unwrap()
}

/// `SSMR_MEMCACHED=host:port` runs these tests against a real memcached as well.
fn servers(embedded: &CacheServer) -> Vec<Vec<String>> {
    let real = std::env::var("SSMR_MEMCACHED").ok();
    let embedded = vec![embedded.address().to_string()];
    [embedded]
        .into_iter()
        .chain(real.map(|real| vec![real]))
        .collect()
}

#[tokio::test]
async fn values_come_back_and_large_ones_too() {
    let embedded = server();
    for servers in servers(&embedded) {
        let mut cache = Setting::new(servers);
        assert_eq!(cache.get("client-test:a").await, Found::Miss);
        cache.set("client-test:a", Bytes::from_static(b"one\r\ntwo"));
        let large = Bytes::from(vec![7; MAX_ITEM - 1024]);
        cache.set("client-test:large", large.clone());
        cache.set("client-test:empty", Bytes::new());
        assert_eq!(
            cache.get("client-test:a").await,
            Found::Hit("one\r\ntwo".into())
        );
        assert_eq!(cache.get("client-test:large").await, Found::Hit(large));
        assert_eq!(
            cache.get("client-test:empty").await,
            Found::Hit(Bytes::new())
        );
        assert_eq!(cache.get("client-test no key").await, Found::Miss);
    }
}

#[tokio::test]
async fn only_newer_hints_replace_a_hint() {
    let embedded = server();
    for servers in servers(&embedded) {
        let mut cache = Setting::new(servers);
        for (published, held) in [(5, 5), (4, 5), (6, 6), (6, 6), (1, 6)] {
            cache.publish("client-test:l", hint(published));
            // A get of the same batch may overtake the hint; the batch after it cannot.
            cache.get("client-test:l").await;
            let found = cache.get("client-test:l").await;
            assert_eq!(found, Found::Hit(codec::encode(&hint(held))));
        }
    }
}

#[tokio::test]
async fn clusters_that_share_a_cache_do_not_meet() {
    let server = server();
    let servers = vec![server.address().to_string()];
    let mut yesterday = Setting::of_cluster(7, servers.clone());
    let mut today = Setting::of_cluster(8, servers);
    yesterday.set("a", Bytes::from_static(b"old"));
    yesterday.publish("l", hint(5));
    assert_eq!(yesterday.get("a").await, Found::Hit("old".into()));
    assert_eq!(today.get("a").await, Found::Miss);
    assert_eq!(today.get("l").await, Found::Miss);
}

#[tokio::test]
async fn racing_publishers_leave_the_newest_hint() {
    let embedded = server();
    let servers = vec![embedded.address().to_string()];
    let mut caches: Vec<_> = (0..4).map(|_| Setting::new(servers.clone())).collect();
    for round in 0..50 {
        for (place, cache) in caches.iter_mut().enumerate() {
            cache.publish("l", hint(4 * round + place as u64));
        }
        for cache in &mut caches {
            cache.get("l").await;
        }
    }
    // One retry suffices for two publishers; of four, the newest may lose twice. What is left
    // is a hint.
    let Found::Hit(bytes) = caches[0].get("l").await else {
        panic!("a hint is there");
    };
    assert!(codec::decode::<Hint>(&bytes).unwrap().epoch > hint(190).epoch);
}

#[tokio::test]
async fn no_server_a_dead_one_and_a_silent_one_are_down() {
    assert_eq!(Setting::new(Vec::new()).get("a").await, Found::Down);

    let mut dead = server();
    let address = dead.address().to_string();
    dead.stop();
    assert_eq!(Setting::new(vec![address]).get("a").await, Found::Down);

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut cache = Setting::new(vec![address]);
    let waited = tokio::time::timeout(Duration::from_secs(1), cache.get("a")).await;
    assert_eq!(waited, Ok(Found::Down));
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let mut first = server();
    let address = first.address();
    let mut cache = Setting::new(vec![address.to_string()]);
    cache.set("a", Bytes::from_static(b"1"));
    assert_eq!(cache.get("a").await, Found::Hit("1".into()));
    first.stop();
    assert_eq!(cache.get("a").await, Found::Down);
    let _second = CacheServer::start(address, 1 << 20).unwrap();
    assert_eq!(cache.get("a").await, Found::Miss);
}

#[tokio::test]
async fn keys_are_spread_over_the_servers() {
    let (one, two) = (server(), server());
    let both = vec![one.address().to_string(), two.address().to_string()];
    let mut cache = Setting::new(both);
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    for key in keys {
        cache.set(key, Bytes::from_static(b"x"));
    }
    let mut alone = Setting::new(vec![one.address().to_string()]);
    let mut here = 0;
    for key in keys {
        assert_eq!(cache.get(key).await, Found::Hit("x".into()));
        here += usize::from(alone.get(key).await != Found::Miss);
    }
    assert!(0 < here && here < keys.len());
}

#[tokio::test]
async fn a_full_queue_refuses_what_is_beyond_it() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cache = Setting::new(vec![silent.local_addr().unwrap().to_string()]);
    let get = || CacheCall::Get { key: "a".into() };
    let refused = (0..2 * CALLS)
        .filter_map(|_| cache.client.call(get()))
        .count();
    assert_eq!(refused, CALLS);

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cache = Setting::new(vec![silent.local_addr().unwrap().to_string()]);
    let set = || CacheCall::Set {
        key: "b".into(),
        value: Bytes::from_static(&[0; 1 << 19]),
    };
    let refused = (0..40).filter_map(|_| cache.client.call(set()));
    assert_eq!(refused.count(), 8, "16 MiB wait");
}

/// A server that stands still costs its own keys some time-outs, then nothing; the other servers'
/// keys never notice; it is used again when it goes on.
#[tokio::test]
async fn a_silent_server_costs_its_own_keys_and_only_until_its_breaker_opens() {
    let (one, two) = (server(), server());
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let name = address.to_string();
    let servers = vec![
        one.address().to_string(),
        name.clone(),
        two.address().to_string(),
    ];
    let mut cache = Setting::new(servers.clone());
    let keys: Vec<&'static str> = (0..32).map(|n| &*format!("k{n}").leak()).collect();
    let prefixed = |key: &str| format!("7:{key}");
    let is_its = |key: &&&str| {
        let server = Rendezvous::new().route(prefixed(key).as_bytes(), &servers);
        servers[server] == name
    };
    let (its, others): (Vec<&str>, Vec<&str>) = keys.iter().partition(is_its);
    assert!(!its.is_empty() && !others.is_empty());
    // The first to be asked is the one that does not answer.
    let key = Bytes::from_static(its[0].as_bytes());
    assert_eq!(cache.client.call(CacheCall::Get { key }), None);
    for key in &others {
        assert_eq!(cache.get(key).await, Found::Miss);
        cache.set(key, Bytes::from_static(b"x"));
        assert_eq!(cache.get(key).await, Found::Hit("x".into()));
    }
    assert_eq!(status(&name).state, BreakerState::Closed);
    assert_eq!(cache.replies.recv().await.unwrap().found, Found::Down);
    while status(&name).state == BreakerState::Closed {
        assert_eq!(cache.get(its[0]).await, Found::Down);
    }
    let opened = status(&name);
    assert_eq!((opened.timeouts, opened.openings), (3, 1));
    assert_eq!((opened.hits, opened.misses, opened.errors), (0, 0, 0));
    for key in &its {
        let key = Bytes::from_static(key.as_bytes());
        let set = CacheCall::Set {
            key: key.clone(),
            value: Bytes::new(),
        };
        let found = Found::Down;
        let down = Some(CacheReply {
            key: key.clone(),
            found,
        });
        // At once, and whoever stores something is told too.
        assert_eq!(cache.client.call(CacheCall::Get { key }), down);
        assert_eq!(cache.client.call(set), down);
    }
    assert!(status(&name).refused >= 2 * its.len() as u64);
    // Another client of this process need not find out.
    let another = Setting::new(servers.clone());
    let key = Bytes::from_static(its[0].as_bytes());
    assert!(another.client.call(CacheCall::Get { key }).is_some());

    drop(silent);
    let _awake = CacheServer::start(address, 1 << 20).unwrap();
    while status(&name).state != BreakerState::Closed {
        assert_eq!(cache.get(its[0]).await, Found::Down);
        tokio::task::yield_now().await;
    }
    assert_eq!(cache.get(its[0]).await, Found::Miss);
    assert_eq!(status(&name).openings, 1);
}

/// A server that has no room for a value says so: that is no failure of the server.
#[tokio::test]
async fn a_value_that_is_too_large_is_not_stored_and_the_server_is_not_blamed() {
    let embedded = server();
    let name = embedded.address().to_string();
    let mut cache = Setting::new(vec![name.clone()]);
    for _ in 0..5 {
        cache.set("large", Bytes::from(vec![7; MAX_ITEM]));
        let told = cache.replies.recv().await.unwrap();
        assert_eq!((&told.key[..], told.found), (&b"large"[..], Found::Miss));
    }
    assert_eq!(cache.get("large").await, Found::Miss);
    let status = status(&name);
    assert_eq!((status.state, status.errors), (BreakerState::Closed, 0));
    assert_eq!((status.hits, status.misses), (0, 1));
}

/// Whoever has the cluster's connection may say anything: it is a server that does not work.
#[tokio::test]
async fn a_server_that_talks_nonsense_is_left_alone() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    let talk = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let nonsense = b"VA 1 O0 k\r\nabc\r\nVA 9999999999\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, nonsense).await;
        }
    };
    let mut cache = Setting::new(vec![name.clone()]);
    let ask = async {
        while status(&name).state == BreakerState::Closed {
            assert_eq!(cache.get("a").await, Found::Down);
        }
    };
    tokio::select! {
        () = talk => {}
        () = ask => {}
    }
    assert_eq!(status(&name).openings, 1);
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let started = CacheServer::start(taken.local_addr().unwrap(), 1 << 20);
    assert!(matches!(started, Err(crate::NetError::Bind { .. })));
}
