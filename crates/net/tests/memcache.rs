//! The embedded cache against the client library's whole repertoire. `SSMR_MEMCACHED=host:port`
//! runs the same against a real memcached.

use memcache::exp::{
    AsyncMemcache, AsyncMetaClient, Get, GetStatus, Meta, MutationStatus, Set, Ttl,
};
use ssmr_net::CacheServer;
use std::time::Duration;

/// An embedded server, or none where there is a real one, and its address.
fn server() -> (Option<CacheServer>, String) {
    if let Ok(real) = std::env::var("SSMR_MEMCACHED") {
        return (None, real);
    }
    let server = CacheServer::start("127.0.0.1:0".parse().unwrap(), 64 << 20).unwrap();
    let address = server.address().to_string();
    (Some(server), address)
}

#[tokio::test]
async fn the_high_level_client() {
    let (_server, address) = server();
    let cache = AsyncMemcache::connect([address]).await.unwrap();
    let minute = Ttl::secs(60);
    cache.delete("high:a").await.unwrap();
    assert_eq!(cache.get::<String>("high:a").await.unwrap(), None);
    assert!(cache.add("high:a", "one", minute).await.unwrap());
    assert!(!cache.add("high:a", "two", minute).await.unwrap());
    assert!(cache.replace("high:a", "three", minute).await.unwrap());
    cache.append("high:a", b"!", minute).await.unwrap();
    assert_eq!(
        cache.get::<String>("high:a").await.unwrap(),
        Some("three!".to_owned())
    );
    let touched = cache
        .get_and_touch::<String>("high:a", Ttl::secs(90))
        .await
        .unwrap();
    assert_eq!(touched, Some("three!".to_owned()));

    cache.set("high:n", 1u64, minute).await.unwrap();
    let add = |held: Option<u64>| held.unwrap_or(0) + 1;
    assert_eq!(cache.update("high:n", minute, add).await.unwrap(), 2);
    assert_eq!(cache.take::<u64>("high:n").await.unwrap(), Some(2));
    assert_eq!(cache.get::<u64>("high:n").await.unwrap(), None);

    let load = async || {
        let loading = async { Ok::<_, std::io::Error>("loaded".to_owned()) };
        cache
            .fetch::<String, _, _>("high:f", minute, loading)
            .await
            .unwrap()
    };
    cache.delete("high:f").await.unwrap();
    assert_eq!(load().await, "loaded");
    cache.set("high:f", "newer", minute).await.unwrap();
    assert_eq!(load().await, "newer");
    cache
        .invalidate("high:f", Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(load().await, "newer", "stale, while it is loaded again");

    let pairs = (0..100).map(|i| (format!("high:{i}"), i));
    cache.set_many(pairs, minute).await.unwrap();
    let keys: Vec<String> = (0..101).map(|i| format!("high:{i}")).collect();
    let found = cache.get_many::<u64, _>(keys.clone()).await.unwrap();
    assert_eq!(found.len(), 100);
    assert_eq!(found[&keys[42]], 42);
    cache.meta().noop().await.unwrap();
}

#[tokio::test]
async fn the_protocol_level_client() {
    let (_server, address) = server();
    let cache = AsyncMetaClient::connect(address).await.unwrap();
    cache.delete("low:a").send().await.unwrap();
    let held = cache.get("low:a").send().await.unwrap();
    assert_eq!(held.status, GetStatus::Miss);

    let stored = cache
        .set("low:a", "x")
        .client_flags(7)
        .return_cas()
        .send()
        .await
        .unwrap();
    let held = cache
        .get("low:a")
        .meta(Meta::NONE.cas().ttl().size())
        .send()
        .await
        .unwrap();
    assert_eq!(held.value.as_deref(), Some(&b"x"[..]));
    assert_eq!(
        (held.client_flags, held.item.cas, held.item.ttl),
        (Some(7), stored.cas, Some(-1))
    );

    let cas = stored.cas.unwrap();
    let first = cache
        .set("low:a", "y")
        .compare_cas(cas)
        .send()
        .await
        .unwrap();
    let second = cache
        .set("low:a", "z")
        .compare_cas(cas)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (first.status, second.status),
        (MutationStatus::Applied, MutationStatus::CasMismatch)
    );
    assert!(
        !cache
            .delete("low:a")
            .compare_cas(cas)
            .send()
            .await
            .unwrap()
            .applied()
    );
    assert!(cache.delete("low:a").send().await.unwrap().applied());

    // One round trip with hits, misses and stores mixed.
    let stores = (0..200).map(|i| Set::new(format!("low:{i}"), vec![i as u8; 1000]).into());
    let reads = (0..300).map(|i| Get::new(format!("low:{i}")).into());
    let results = cache.run_batch(stores.chain(reads)).await.unwrap();
    let hits = results
        .iter()
        .flatten()
        .filter_map(|result| result.as_get())
        .filter(|got| got.hit());
    assert_eq!((results.len(), hits.count()), (500, 200));
}
