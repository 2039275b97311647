//! A real memcached that does not take a value: it says so, and nothing of what is behind in the
//! batch. The value counts as not kept, what is asked for is answered, and the server is not left
//! alone.

use super::*;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A memcached that ends with the test.
struct Memcached {
    child: Child,
    name: String,
}

impl Drop for Memcached {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port that it writes down once it listens.
fn port(told: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(told).ok()?;
    text.strip_prefix("TCP INET: ")?.trim().parse().ok()
}

/// `None` where there is none. CI installs it, so there it must be.
async fn memcached(flags: &[&str]) -> Option<Memcached> {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("port");
    let mut command = Command::new("memcached");
    command
        .args([
            "-l",
            "127.0.0.1",
            "-p",
            "-1",
            "-U",
            "0",
            "-t",
            "1",
            "-u",
            "root",
        ])
        .args(flags)
        .env("MEMCACHED_PORT_FILENAME", &told)
        .stdin(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "memcached is missing");
        eprintln!("memcached is missing: nothing is tested with it");
        return None;
    };
    loop {
        if let Some(port) = port(&told) {
            let name = format!("127.0.0.1:{port}");
            return Some(Memcached { child, name });
        }
        assert_eq!(child.try_wait().unwrap(), None, "memcached has ended");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_is_too_large_for_a_server_is_not_kept_and_nothing_more() {
    let Some(server) = memcached(&["-I", "512k"]).await else {
        return;
    };
    let mut cache = Setting::new(vec![server.name.clone()]);
    cache.set("small", Bytes::from_static(b"there"));
    assert_eq!(cache.get("small").await, Found::Hit("there".into()));
    for _ in 0..3 {
        cache.set("large", Bytes::from(vec![7; 700_000]));
        let small = Bytes::from_static(b"small");
        let refused = cache.client.call(CacheCall::Get { key: small });
        assert_eq!(refused, None);
        let [kept, found] = [cache.replies.recv().await, cache.replies.recv().await];
        let kept = kept.unwrap();
        assert_eq!((&kept.key[..], kept.found), (&b"large"[..], Found::Miss));
        assert_eq!(found.unwrap().found, Found::Hit("there".into()));
    }
    let status = status(&server.name);
    assert_eq!((status.openings, status.errors), (0, 0), "{status:?}");
}

/// With `-M` it answers that it is out of memory, in place of throwing out what it has.
#[tokio::test]
async fn a_server_that_is_full_goes_on_being_asked() {
    let Some(server) = memcached(&["-m", "2", "-M"]).await else {
        return;
    };
    let mut cache = Setting::new(vec![server.name.clone()]);
    cache.set("small", Bytes::from_static(b"there"));
    assert_eq!(cache.get("small").await, Found::Hit("there".into()));
    // A busy machine may be slow to answer, which is told apart from errors.
    let (mut refused, mut number) = (0, 0);
    while refused < 10 {
        number += 1;
        assert!(number < 10_000, "it takes whatever comes");
        let key = Bytes::from(format!("large{number}"));
        let value = Bytes::from(vec![7; 10_000]);
        let _ = cache.client.call(CacheCall::Set { key, value });
        let small = Bytes::from_static(b"small");
        if cache.client.call(CacheCall::Get { key: small }).is_some() {
            continue;
        }
        let mut reply = cache.replies.recv().await.unwrap();
        let is_refused = reply.found == Found::Miss;
        if reply.key.starts_with(b"large") {
            reply = cache.replies.recv().await.unwrap();
        }
        refused += u32::from(is_refused && reply.found == Found::Hit("there".into()));
    }
    let status = status(&server.name);
    assert_eq!(status.errors, 0, "{status:?}");
}
