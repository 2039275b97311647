//! The way to one cache server: a bounded queue, and a task that sends what has gathered in it, one
//! batch after the other.
//!
//! Invariant: what becomes of one server does not hold up the others, and every get is answered
//! within a few time-outs.

use super::batch::{Batch, Exchange, NewerHints, Outcome};
use super::breaker::{Admission, LOOKUP};
use super::health::{Failure, Health};
use memcache::exp::AsyncMetaClient;
use ssmr_core::{CacheCall, CacheReply};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// How many calls may wait, and how many go in one batch.
pub(super) const CALLS: usize = 512;

/// How many bytes of values may wait or be under way.
const BYTES: usize = 16 << 20;

/// Something for the task to do.
enum Job {
    Call(CacheCall),
    /// See whether the server answers again.
    Probe,
}

/// The way to one server. The task ends with it.
#[derive(Debug)]
pub(super) struct Lane {
    health: Arc<Health>,
    jobs: mpsc::Sender<Job>,
    bytes: Arc<AtomicUsize>,
}

impl Lane {
    /// Starts the task; `answer` gets the replies. To be called within a tokio runtime.
    pub(super) fn start<I>(server: &str, prefix: usize, replies: mpsc::Sender<I>) -> Self
    where
        I: From<CacheReply> + Send + 'static,
    {
        let (jobs, queue) = mpsc::channel(CALLS);
        let (health, bytes) = (Health::of(server), Arc::new(AtomicUsize::new(0)));
        let task = Task {
            health: health.clone(),
            bytes: bytes.clone(),
            connected: None,
            prefix,
            replies,
        };
        tokio::spawn(task.run(queue));
        Self {
            health,
            jobs,
            bytes,
        }
    }

    /// Takes a call. One that cannot be taken comes back.
    pub(super) fn take(&self, call: CacheCall) -> Result<(), CacheCall> {
        match self.health.admit() {
            Admission::Granted => {}
            Admission::Refused => return Err(call),
            Admission::Probe => {
                // If the queue is full, another one will be tried.
                let _ = self.jobs.try_send(Job::Probe);
                return Err(call);
            }
        }
        let size = size(&call);
        let has_room = self.bytes.fetch_add(size, Relaxed) + size <= BYTES;
        let refused = match has_room.then(|| self.jobs.try_reserve()) {
            Some(Ok(place)) => {
                place.send(Job::Call(call));
                return Ok(());
            }
            Some(Err(_)) | None => call,
        };
        self.bytes.fetch_sub(size, Relaxed);
        self.health.refused();
        Err(refused)
    }
}

/// The bytes of a call that count against the bound.
fn size(call: &CacheCall) -> usize {
    match call {
        CacheCall::Set { value, .. } | CacheCall::Renew { value, .. } => value.len(),
        CacheCall::Get { .. } | CacheCall::Publish { .. } => 0,
    }
}

/// The task at the other end of a lane's queue.
struct Task<I> {
    health: Arc<Health>,
    bytes: Arc<AtomicUsize>,
    connected: Option<AsyncMetaClient>,
    /// How many bytes of each key are the cluster's.
    prefix: usize,
    replies: mpsc::Sender<I>,
}

impl<I: From<CacheReply>> Task<I> {
    /// Takes batch after batch until nobody can call any more, or wants an answer.
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let (mut jobs, mut calls) = (Vec::with_capacity(CALLS), Vec::with_capacity(CALLS));
        while queue.recv_many(&mut jobs, CALLS).await > 0 {
            let mut probe = false;
            for job in jobs.drain(..) {
                match job {
                    Job::Call(call) => calls.push(call),
                    Job::Probe => probe = true,
                }
            }
            let taken: usize = calls.iter().map(size).sum();
            let is_wanted = self.serve(&mut calls).await;
            self.bytes.fetch_sub(taken, Relaxed);
            if !is_wanted {
                return;
            }
            if probe {
                self.probe().await;
            }
        }
    }

    /// Runs calls. Returns whether anybody wants the answers.
    async fn serve(&mut self, calls: &mut Vec<CacheCall>) -> bool {
        let batch = Batch::from(calls);
        let mut exchange = match self.health.is_asked() && !batch.is_empty() {
            true => self.exchange(&batch).await,
            // The breaker has opened since they were taken.
            false => Exchange::default(),
        };
        for mut reply in batch.replies(&mut exchange, &self.health) {
            reply.key = reply.key.slice(self.prefix..);
            if self.replies.send(reply.into()).await.is_err() {
                return false;
            }
        }
        self.publish(batch.newer_hints(&exchange)).await;
        true
    }

    /// Sends what a batch asks first, and waits for the answers.
    async fn exchange(&mut self, batch: &Batch) -> Exchange {
        self.ask(batch.bytes(), async |cache| batch.exchange(cache).await)
            .await
    }

    /// Stores hints, each on the condition that nobody else was faster. Who was not tries once
    /// more, then lets it be: a hint that is not stored costs somebody a consultation.
    async fn publish(&mut self, mut newer: NewerHints) {
        for _ in 0..2 {
            if newer.is_empty() || !self.health.is_asked() {
                return;
            }
            let stored = self.ask(0, async |cache| newer.store(cache).await).await;
            newer = stored.contested;
        }
    }

    /// Has the server asked something with values of so many bytes, and waits as long as it may
    /// take.
    async fn ask<T: Outcome>(
        &mut self,
        bytes: usize,
        ask: impl AsyncFnOnce(&AsyncMetaClient) -> T,
    ) -> T {
        let asked = Instant::now();
        let answered = timeout(self.health.patience(bytes), async {
            if self.connected.is_none() {
                self.connected = connect(self.health.server()).await;
            }
            let outcome = ask(self.connected.as_ref()?).await;
            (!outcome.is_broken()).then_some(outcome)
        });
        let failure = match answered.await {
            Ok(Some(outcome)) => {
                self.health.settle(asked, Ok(()));
                return outcome;
            }
            Ok(None) => Failure::Broken,
            Err(_) => Failure::TimedOut,
        };
        self.health.settle(asked, Err(failure));
        T::default()
    }

    /// Sees whether the server answers again, perhaps at another address: its name is looked up
    /// anew, which may take longer than an answer.
    async fn probe(&mut self) {
        let connected = timeout(LOOKUP, connect(self.health.server())).await;
        self.connected = connected.ok().flatten().or(self.connected.take());
        self.ask(0, async |cache| Probe {
            failed: cache.noop().await.is_err(),
        })
        .await;
    }
}

/// Looks the server's name up; connections are made when they are needed.
async fn connect(server: &str) -> Option<AsyncMetaClient> {
    let connected = AsyncMetaClient::connect(server).await;
    if let Err(error) = &connected {
        tracing::debug!(%server, %error, "a cache server has no address");
    }
    connected.ok()
}

/// What a probe tells.
#[derive(Default)]
struct Probe {
    failed: bool,
}

impl Outcome for Probe {
    fn is_broken(&self) -> bool {
        self.failed
    }
}
