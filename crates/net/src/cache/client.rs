//! Executes calls to the shared cache in the background, in batches: one round trip carries all that has gathered.
//!
//! Keys are spread over the servers by rendezvous hashing. A server that is slow or away costs a short time-out, after
//! which its gets are answered with "down" and its sets are forgotten. The queue is bounded in calls and in bytes; beyond
//! it gets are refused at once and sets are dropped.

use super::{ITEM_OVERHEAD, MAX_ITEM, is_key};
use bytes::Bytes;
use memcache::exp::{AsyncMetaClient, Get, Meta, MutationStatus, Op, OpResult, Set};
use ssmr_core::{CacheCall, CacheReply, Found, Hint, codec};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a server may take to be connected to, and to answer a batch.
const TIMEOUT: Duration = Duration::from_millis(20);

/// How many calls may wait, and how many go in one batch.
const CALLS: usize = 512;

/// How many bytes of values may wait or be under way.
const BYTES: usize = 16 << 20;

/// A way to the shared cache. The background task ends with it.
#[derive(Debug)]
pub(crate) struct CacheClient {
    calls: mpsc::Sender<CacheCall>,
    bytes: Arc<AtomicUsize>,
}

impl CacheClient {
    /// Starts the background task; answers go to `replies`. To be called within a tokio runtime. Without servers every
    /// call is refused.
    pub(crate) fn start<I>(servers: Vec<String>, replies: mpsc::Sender<I>) -> Self
    where
        I: From<CacheReply> + Send + 'static,
    {
        let (calls, queue) = mpsc::channel(CALLS);
        let bytes = Arc::new(AtomicUsize::new(0));
        if !servers.is_empty() {
            tokio::spawn(serve(servers, queue, bytes.clone(), replies));
        }
        Self { calls, bytes }
    }

    /// Takes a call, or drops it. A get that cannot be taken is answered at once.
    pub(crate) fn call(&self, call: CacheCall) -> Option<CacheReply> {
        let size = size(&call);
        if size > 0 && self.bytes.load(Relaxed) + size > BYTES {
            return None;
        }
        self.bytes.fetch_add(size, Relaxed);
        let refused = self.calls.try_send(call).err()?.into_inner();
        self.bytes.fetch_sub(size, Relaxed);
        let CacheCall::Get { key } = refused else {
            return None;
        };
        Some(down(key))
    }
}

/// The bytes of a call that count against the bound.
fn size(call: &CacheCall) -> usize {
    match call {
        CacheCall::Set { value, .. } => value.len(),
        _ => 0,
    }
}

fn down(key: Bytes) -> CacheReply {
    let found = Found::Down;
    CacheReply { key, found }
}

/// Takes batch after batch until nobody can call any more, or wants an answer.
async fn serve<I: From<CacheReply>>(
    servers: Vec<String>,
    mut queue: mpsc::Receiver<CacheCall>,
    bytes: Arc<AtomicUsize>,
    replies: mpsc::Sender<I>,
) {
    let mut calls = Vec::with_capacity(CALLS);
    let mut connected = None;
    while queue.recv_many(&mut calls, CALLS).await > 0 {
        let taken: usize = calls.iter().map(size).sum();
        let batch = Batch::from(&mut calls);
        if connected.is_none() {
            connected = connect(&servers).await;
        }
        for reply in batch.run(connected.as_ref()).await {
            if replies.send(reply.into()).await.is_err() {
                return;
            }
        }
        bytes.fetch_sub(taken, Relaxed);
    }
}

/// Resolves the servers' names; connections are made when they are needed.
async fn connect(servers: &[String]) -> Option<AsyncMetaClient> {
    let builder = AsyncMetaClient::builder()
        .connect_timeout(Some(TIMEOUT))
        .io_timeout(Some(TIMEOUT));
    let connecting = builder.connect_multiple_async(servers.iter().map(String::as_str));
    match tokio::time::timeout(TIMEOUT, connecting).await {
        Ok(Ok(client)) => Some(client),
        Ok(Err(error)) => {
            tracing::warn!(?servers, %error, "a cache server has no address");
            None
        }
        Err(_) => None,
    }
}

/// Calls that travel together.
#[derive(Debug, Default)]
struct Batch {
    gets: Vec<Bytes>,
    sets: Vec<(Bytes, Bytes)>,
    /// The newest hint for each key.
    hints: BTreeMap<Bytes, Hint>,
    /// Gets of what can be no key.
    refused: Vec<Bytes>,
}

impl Batch {
    /// Sorts calls by kind. What a server would refuse is left out: it would fail its neighbours too.
    fn from(calls: &mut Vec<CacheCall>) -> Self {
        let mut batch = Self::default();
        for call in calls.drain(..) {
            match call {
                CacheCall::Get { key } if is_key(&key) => batch.gets.push(key),
                CacheCall::Get { key } => batch.refused.push(key),
                CacheCall::Set { key, value } => {
                    if is_key(&key) && key.len() + value.len() + ITEM_OVERHEAD <= MAX_ITEM {
                        batch.sets.push((key, value));
                    }
                }
                CacheCall::Publish { key, hint } if is_key(&key) => {
                    let newest = batch.hints.entry(key).or_insert(hint);
                    if newest.epoch < hint.epoch {
                        *newest = hint;
                    }
                }
                CacheCall::Publish { .. } => {}
            }
        }
        batch
    }

    /// Runs all of it: values and hints are read and values stored in one round trip, newer hints stored in a second.
    async fn run(mut self, cache: Option<&AsyncMetaClient>) -> Vec<CacheReply> {
        let mut replies: Vec<_> = std::mem::take(&mut self.refused)
            .into_iter()
            .map(down)
            .collect();
        let sets = self.sets.iter();
        let mut operations: Vec<Op> = sets
            .map(|(key, value)| Set::new(key, value).into())
            .collect();
        let sets = operations.len();
        operations.extend(self.gets.iter().map(|key| Get::new(key).into()));
        operations.extend(self.hints.keys().map(read_hint));
        let mut results = run(cache, operations).await.into_iter().skip(sets);
        for key in self.gets {
            let found = found(results.next().flatten());
            replies.push(CacheReply { key, found });
        }
        if let Some(cache) = cache {
            let contested = publish(cache, self.hints, results).await;
            let operations = contested.keys().map(read_hint).collect();
            let results = run(Some(cache), operations).await.into_iter();
            publish(cache, contested, results).await;
        }
        replies
    }
}

/// Runs operations; `None` for each that failed.
async fn run(cache: Option<&AsyncMetaClient>, operations: Vec<Op>) -> Vec<Option<OpResult>> {
    let count = operations.len();
    match cache {
        Some(cache) if count > 0 => match cache.run_batch(operations).await {
            Ok(results) => results.into_iter().map(Result::ok).collect(),
            Err(error) => {
                tracing::debug!(%error, "a batch to the cache was not sent");
                vec![None; count]
            }
        },
        _ => vec![None; count],
    }
}

fn found(result: Option<OpResult>) -> Found {
    match result {
        Some(OpResult::Get(got)) => got
            .value
            .map_or(Found::Miss, |value| Found::Hit(value.into())),
        _ => Found::Down,
    }
}

fn read_hint(key: &Bytes) -> Op {
    Get::new(key).meta(Meta::NONE.cas()).into()
}

/// Stores the hints that are newer than what was read under their keys. Returns those whose key was changed meanwhile.
async fn publish(
    cache: &AsyncMetaClient,
    hints: BTreeMap<Bytes, Hint>,
    read: impl Iterator<Item = Option<OpResult>>,
) -> BTreeMap<Bytes, Hint> {
    let mut newer = Vec::new();
    for ((key, hint), result) in hints.into_iter().zip(read) {
        let Some(OpResult::Get(got)) = result else {
            continue;
        };
        let held = got
            .value
            .and_then(|bytes| codec::decode::<Hint>(&bytes).ok());
        if held.is_some_and(|held| held.epoch >= hint.epoch) {
            continue;
        }
        let store = Set::new(&key, codec::encode(&hint));
        let store = match got.item.cas {
            Some(cas) => store.compare_cas(cas),
            None => store.add(),
        };
        newer.push((key, hint, store));
    }
    let operations = newer.iter().map(|(_, _, store)| store.clone().into());
    let results = run(Some(cache), operations.collect()).await;
    let contested = newer
        .into_iter()
        .zip(results)
        .filter(|(_, result)| lost(result.as_ref()));
    contested.map(|((key, hint, _), _)| (key, hint)).collect()
}

/// Whether somebody else was faster.
fn lost(result: Option<&OpResult>) -> bool {
    matches!(result, Some(OpResult::Mutation(done)) if done.status != MutationStatus::Applied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::CacheServer;
    use ssmr_core::{ObjectId, PartitionId, Timestamp};

    struct Setting {
        client: CacheClient,
        replies: mpsc::Receiver<CacheReply>,
    }

    impl Setting {
        fn new(servers: Vec<String>) -> Self {
            let (sender, replies) = mpsc::channel(8);
            let client = CacheClient::start(servers, sender);
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
            epoch: Timestamp::new(ts, PartitionId(0).into()),
        }
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
            cache.set("client-test:too-large", Bytes::from(vec![7; MAX_ITEM]));
            cache.set("client-test:empty", Bytes::new());
            assert_eq!(
                cache.get("client-test:a").await,
                Found::Hit("one\r\ntwo".into())
            );
            assert_eq!(cache.get("client-test:large").await, Found::Hit(large));
            assert_eq!(cache.get("client-test:too-large").await, Found::Miss);
            assert_eq!(
                cache.get("client-test:empty").await,
                Found::Hit(Bytes::new())
            );
            assert_eq!(cache.get("client-test no key").await, Found::Down);
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
        // One retry suffices for two publishers; of four, the newest may lose twice. What is left is a hint.
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
    async fn a_full_queue_refuses_gets_and_drops_sets() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cache = Setting::new(vec![silent.local_addr().unwrap().to_string()]);
        let get = || CacheCall::Get { key: "a".into() };
        let refused = (0..2 * CALLS)
            .filter_map(|_| cache.client.call(get()))
            .count();
        assert_eq!(refused, CALLS);
        cache.set("b", Bytes::from(vec![0; 1 << 19]));
    }
}
