//! The shared cache: a client for memcached servers, and an embedded server that speaks memcached's
//! protocols.
//!
//! A cache may lose, delay or forget anything. Nobody's answer depends on it (see the cache
//! strategy); its calls run beside the event loops, never within them.

mod batch;
mod breaker;
mod client;
mod far;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod health;
mod lane;
mod meta;
mod protocol;
mod server;
mod store;
mod words;

pub use breaker::BreakerState;
pub(crate) use far::FarCache;
pub use health::{CacheServerStatus, cache_servers};
pub use server::CacheServer;

/// The longest key, in bytes, as with memcached.
const MAX_KEY: usize = 250;

/// The largest item, in bytes, as with memcached: key, value and the server's own bookkeeping.
const MAX_ITEM: usize = 1 << 20;

/// What the server may add to key and value.
const ITEM_OVERHEAD: usize = 128;

/// Whether `key` can be sent as it is: not empty, not too long, no spaces and no control
/// characters.
fn is_key(key: &[u8]) -> bool {
    let plain = |byte: &u8| *byte > b' ' && *byte != 0x7f;
    !key.is_empty() && key.len() <= MAX_KEY && key.iter().all(plain)
}
