//! Transactions: what is read decides what is written, and nobody sees the steps between.
//!
//! ```text
//!   read ... read    commands (or queries) of their own, that tell revisions
//!   commit           one command, that expects what was read at these revisions
//!   Changed          it had no effect: the closure runs again
//! ```
//!
//! Nothing is locked. Invariants: once a commit was sent, the closure does not run again unless the
//! cluster has said that the commit had no effect; and no result leaves that was computed from
//! reads which never held together.

mod progress;

use crate::client::Client;
use crate::command::{self, Command};
use crate::error::Error;
use progress::{Calls, Progress, without_effect};
use ssmr_core::{Application, Intent, ObjectId, Request};
use ssmr_net::{Clock, Ended};
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a transaction is tried, unless it is told otherwise.
const ATTEMPTS: u32 = 100;

/// How a client's transactions went so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionCount {
    /// Attempts that were begun: runs of a closure.
    pub attempts: u64,
    /// Attempts of those that ended because somebody else had changed what they had read.
    pub conflicts: u64,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    attempts: AtomicU64,
    conflicts: AtomicU64,
}

impl Counters {
    pub(crate) fn count(&self) -> TransactionCount {
        TransactionCount {
            attempts: self.attempts.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
        }
    }
}

/// A transaction to be run: see [`Client::transaction`].
#[must_use = "it runs when it is told to"]
pub struct TransactionBuilder<A: Application> {
    client: Client<A>,
    attempts: u32,
    limit: Option<Duration>,
}

impl<A: Application> Clone for TransactionBuilder<A> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            ..*self
        }
    }
}

impl<A: Application> fmt::Debug for TransactionBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionBuilder")
            .field("client", &self.client)
            .field("attempts", &self.attempts)
            .field("limit", &self.limit)
            .finish()
    }
}

impl<A: Application> TransactionBuilder<A> {
    pub(crate) fn new(client: Client<A>) -> Self {
        Self {
            client,
            attempts: ATTEMPTS,
            limit: None,
        }
    }

    /// How often the closure runs at most: 100 times unless it is said otherwise, and at least
    /// once.
    pub fn attempts(mut self, most: u32) -> Self {
        self.attempts = most.max(1);
        self
    }

    /// How long all attempts together may take. Then the call that is under way ends as
    /// [`Error::Unknown`], and so does every later one, without being sent. The closure's own
    /// waiting is not cut short.
    ///
    /// Without this each call ends at the latest at the client's
    /// [deadline](crate::ClientBuilder::deadline), and there is no limit to the whole.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Runs it: see [`Client::transact`].
    ///
    /// # Errors
    /// See [`Client::transact`].
    pub async fn run<T, E, F, B>(self, mut body: B) -> Result<T, E>
    where
        E: From<Error>,
        F: Future<Output = Result<T, E>>,
        B: FnMut(Transaction<A>) -> F,
    {
        let clock = Clock::start();
        let counters = &self.client.transactions;
        for attempt in 1..=self.attempts {
            let calls = Calls {
                client: self.client.handle.clone(),
                clock,
                limit: self.limit,
            };
            let progress = Arc::new(Mutex::new(Progress::default()));
            counters.attempts.fetch_add(1, Ordering::Relaxed);
            let result = body(Transaction {
                calls: calls.clone(),
                attempt,
                progress: progress.clone(),
                service: PhantomData,
            })
            .await;
            let end = std::mem::replace(&mut *lock(&progress), Progress::over());
            if end.holds(&calls, result.is_ok()).await? {
                return result;
            }
            counters.conflicts.fetch_add(1, Ordering::Relaxed);
        }
        let attempts = self.attempts;
        Err(Error::Conflict { attempts }.into())
    }
}

/// One attempt at a transaction: reads, and at most one commit, which ends it.
///
/// Reads may be under way at once. What they tell is noted when they end.
pub struct Transaction<A: Application> {
    calls: Calls,
    attempt: u32,
    progress: Arc<Mutex<Progress>>,
    service: PhantomData<fn() -> A>,
}

impl<A: Application> fmt::Debug for Transaction<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("attempt", &self.attempt)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl<A: Application> Transaction<A> {
    /// Which attempt it is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Runs an operation that only reads, as the client's [`reads`](crate::ClientBuilder::reads)
    /// say.
    ///
    /// # Errors
    /// Like [`Client::call`], but that [`Error::Unknown`] never means an effect. Besides:
    /// - [`Error::NotARead`], if the operation declares that it writes: nothing was sent.
    /// - [`Error::NotFound`], if one of its objects does not exist. The attempt can go on.
    /// - [`Error::Changed`], if what was read before is known to have changed: this attempt can
    ///   come to nothing any more, and there will be another one.
    pub fn read(
        &self,
        op: &A::Op,
    ) -> impl Future<Output = Result<A::Reply, Error>> + Send + use<'_, A> {
        let request = command::access::<A>(op);
        async move { self.ask(request?, command::replied::<A>).await }
    }

    /// Asks whether an object exists.
    ///
    /// # Errors
    /// Like [`read`](Self::read), but for `NotFound`.
    pub async fn exists(&self, object: ObjectId) -> Result<bool, Error> {
        // Its owner takes part in a command that reads it, and tells its revision.
        let request = Request::default().and(object, Intent::Read);
        self.ask(request, command::exists).await
    }

    async fn ask<T>(
        &self,
        request: Request,
        finish: fn(Ended) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let reads = |(_, intent): &(_, Intent)| matches!(intent, Intent::Read);
        if !request.intents().iter().all(reads) {
            return Err(Error::NotARead);
        }
        lock(&self.progress).check()?;
        let ended = self.calls.execute(request, None).await;
        lock(&self.progress).heard(ended.as_ref().ok())?;
        ended.and_then(finish).map_err(without_effect)
    }

    /// Sends the command that the transaction comes to, and so ends it: it takes effect if all that
    /// was read is still as it was read, and else not at all. What was found absent must be absent
    /// still.
    ///
    /// The command may do whatever one command can: run an operation, and create objects beside it.
    /// The operation may read again what the transaction has read; what it reads besides is not
    /// expected to be anything.
    ///
    /// # Errors
    /// Like the command by itself. With [`Error::Changed`] the transaction runs again, whatever the
    /// closure makes of the error.
    pub async fn commit<T, S>(self, command: Command<A, T, S>) -> Result<T, Error> {
        let (request, limit, finish) = command.into_parts();
        let request = {
            let mut progress = lock(&self.progress);
            progress.commit(request?)?
        };
        let ended = self.calls.execute(request, limit).await?;
        lock(&self.progress).decided(&ended)?;
        finish(ended)
    }
}

/// Nothing panics while it holds the lock.
fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
