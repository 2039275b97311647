//! Executes calls to the shared cache in the background, in batches: one round trip carries all
//! that has gathered.
//!
//! Keys are spread over the servers by rendezvous hashing. A server that is slow or away costs a
//! short time-out, after which its gets are answered with "down" and its sets are forgotten. The
//! queue is bounded in calls and in bytes; beyond it gets are refused at once and sets are dropped.

use super::batch::{Batch, down};
use memcache::exp::AsyncMetaClient;
use ssmr_core::{CacheCall, CacheReply};
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
    /// Before each key: clusters that share a cache must not meet each other's entries.
    prefix: String,
}

impl CacheClient {
    /// Starts the background task; answers go to `replies`. To be called within a tokio runtime.
    /// Without servers every call is refused. What is stored in one incarnation of a cluster is not
    /// found in another.
    pub(crate) fn start<I>(servers: Vec<String>, incarnation: u64, replies: mpsc::Sender<I>) -> Self
    where
        I: From<CacheReply> + Send + 'static,
    {
        let (calls, queue) = mpsc::channel(CALLS);
        let bytes = Arc::new(AtomicUsize::new(0));
        let prefix = format!("{incarnation:x}:");
        if !servers.is_empty() {
            let work = serve(servers, queue, bytes.clone(), prefix.len(), replies);
            tokio::spawn(work);
        }
        Self {
            calls,
            bytes,
            prefix,
        }
    }

    /// Takes a call, or drops it. A get that cannot be taken is answered at once.
    pub(crate) fn call(&self, call: CacheCall) -> Option<CacheReply> {
        let size = size(&call);
        if size > 0 && self.bytes.load(Relaxed) + size > BYTES {
            return None;
        }
        self.bytes.fetch_add(size, Relaxed);
        let refused = self.calls.try_send(self.prefixed(call)).err()?.into_inner();
        self.bytes.fetch_sub(size, Relaxed);
        let CacheCall::Get { key } = refused else {
            return None;
        };
        Some(down(key.slice(self.prefix.len()..)))
    }

    /// The call with this cluster's key.
    fn prefixed(&self, mut call: CacheCall) -> CacheCall {
        let (CacheCall::Get { key } | CacheCall::Set { key, .. } | CacheCall::Publish { key, .. }) =
            &mut call;
        *key = [self.prefix.as_bytes(), key].concat().into();
        call
    }
}

/// The bytes of a call that count against the bound.
fn size(call: &CacheCall) -> usize {
    match call {
        CacheCall::Set { value, .. } => value.len(),
        _ => 0,
    }
}

/// Takes batch after batch until nobody can call any more, or wants an answer.
async fn serve<I: From<CacheReply>>(
    servers: Vec<String>,
    mut queue: mpsc::Receiver<CacheCall>,
    bytes: Arc<AtomicUsize>,
    prefix: usize,
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
        for mut reply in batch.run(connected.as_ref()).await {
            reply.key = reply.key.slice(prefix..);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{CacheServer, MAX_ITEM};
    use bytes::Bytes;
    use ssmr_core::{Found, Hint, LogicalClock, ObjectId, PartitionId, Timestamp, codec};

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
            let client = CacheClient::start(servers, incarnation, sender);
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
