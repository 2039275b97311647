//! What this process knows of each cache server that it uses: whether it answers, and what came of
//! asking it.
//!
//! All replicas and clients of a process share it, so that one of them that has waited in vain
//! spares the others the same. Invariant: opening and closing a breaker is told in the log, by the
//! server's name, once for the process.

use super::breaker::{Admission, Breaker, BreakerState, Change, time_of};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// The servers in use. Those that nobody uses any more are forgotten.
static SERVERS: Mutex<BTreeMap<String, Weak<Health>>> = Mutex::new(BTreeMap::new());

/// How a cache server has done, as this process sees it. All counts are since it was first used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheServerStatus {
    /// Its name, as `host:port`.
    pub server: String,
    /// How it is treated now.
    pub state: BreakerState,
    /// Values and places that it had.
    pub hits: u64,
    /// Values and places that it did not have.
    pub misses: u64,
    /// Batches of calls that it did not answer in time.
    pub timeouts: u64,
    /// Batches of calls that failed otherwise: no connection, a broken one, or nonsense.
    pub errors: u64,
    /// Calls that were not sent to it, for it was left alone or too much waited for it already.
    pub refused: u64,
    /// How often its breaker opened.
    pub openings: u64,
    /// The mean time of a batch of calls, once one was answered.
    pub round_trip: Option<Duration>,
}

/// The cache servers that replicas and clients in this process use now, by name.
#[must_use]
pub fn cache_servers() -> Vec<CacheServerStatus> {
    let servers = lock(&SERVERS);
    let used = servers.values().filter_map(Weak::upgrade);
    used.map(|health| health.status()).collect()
}

/// How a call, or several that travelled together, have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No answer in time.
    TimedOut,
    /// Anything else.
    Broken,
}

/// One server, as this process sees it.
#[derive(Debug)]
pub(super) struct Health {
    server: String,
    breaker: Mutex<Breaker>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    timeouts: AtomicU64,
    errors: AtomicU64,
    refused: AtomicU64,
    openings: AtomicU64,
}

impl Health {
    /// That of a server of this name, which others in this process may use already.
    pub(super) fn of(server: &str) -> Arc<Self> {
        let mut servers = lock(&SERVERS);
        servers.retain(|_, health| health.strong_count() > 0);
        let known = servers.get(server).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let health = Arc::new(Self {
                server: server.to_owned(),
                breaker: Mutex::default(),
                counts: Counts::default(),
            });
            servers.insert(server.to_owned(), Arc::downgrade(&health));
            health
        })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Whether the server may be asked something now.
    pub(super) fn admit(&self) -> Admission {
        let admission = lock(&self.breaker).admit(Instant::now());
        if admission != Admission::Granted {
            self.refused();
        }
        admission
    }

    /// Whether the server is asked at all.
    pub(super) fn is_asked(&self) -> bool {
        lock(&self.breaker).state() == BreakerState::Closed
    }

    /// How long it may take to answer when it is sent values of so many bytes.
    pub(super) fn patience(&self, bytes: usize) -> Duration {
        lock(&self.breaker).patience() + time_of(bytes)
    }

    /// A call was not sent.
    pub(super) fn refused(&self) {
        self.counts.refused.fetch_add(1, Relaxed);
    }

    /// A get was answered.
    pub(super) fn found(&self, hit: bool) {
        let counts = &self.counts;
        let count = if hit { &counts.hits } else { &counts.misses };
        count.fetch_add(1, Relaxed);
    }

    /// What was asked at `asked` is answered, or has failed.
    pub(super) fn settle(&self, asked: Instant, outcome: Result<(), Failure>) {
        let mut breaker = lock(&self.breaker);
        let now = Instant::now();
        let change = match outcome {
            Ok(()) => breaker.answered(asked, now),
            Err(failure) => {
                let counts = &self.counts;
                let count = match failure {
                    Failure::TimedOut => &counts.timeouts,
                    Failure::Broken => &counts.errors,
                };
                count.fetch_add(1, Relaxed);
                breaker.failed(asked, now)
            }
        };
        drop(breaker);
        if let Some(change) = change {
            self.tell(change);
        }
    }

    fn tell(&self, change: Change) {
        let server = &self.server;
        match change {
            Change::Opened(pause) => {
                self.counts.openings.fetch_add(1, Relaxed);
                tracing::info!(%server, ?pause, "a cache server does not answer: left alone");
            }
            Change::StaysOpen(pause) => {
                tracing::debug!(%server, ?pause, "a cache server still does not answer");
            }
            Change::Closed => tracing::info!(%server, "a cache server answers again: used again"),
        }
    }

    fn status(&self) -> CacheServerStatus {
        let breaker = lock(&self.breaker);
        let counts = &self.counts;
        CacheServerStatus {
            server: self.server.clone(),
            state: breaker.state(),
            hits: counts.hits.load(Relaxed),
            misses: counts.misses.load(Relaxed),
            timeouts: counts.timeouts.load(Relaxed),
            errors: counts.errors.load(Relaxed),
            refused: counts.refused.load(Relaxed),
            openings: counts.openings.load(Relaxed),
            round_trip: breaker.round_trip(),
        }
    }
}

/// What is in it is whole at any time, also where somebody panicked who held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
