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

mod read_set;

use crate::client::Client;
use crate::command::{self, Command};
use crate::error::{Error, reply};
use read_set::ReadSet;
use ssmr_core::{Application, Intent, ObjectId, Outcome, Request};
use ssmr_net::{ClientHandle, Clock, Ended};
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
#[derive(Clone, Debug)]
pub struct TransactionBuilder<A: Application> {
    client: Client<A>,
    attempts: u32,
    limit: Option<Duration>,
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
            progress.check()?;
            let request = progress.reads.expected_by(request?)?;
            // From here on the command may be under way, even if nobody waits for its end.
            progress.stage = Stage::Sent;
            request
        };
        let ended = self.calls.execute(request, limit).await?;
        lock(&self.progress).decided(&ended)?;
        finish(ended)
    }
}

/// How the calls of all attempts are made.
#[derive(Clone)]
struct Calls {
    client: ClientHandle,
    /// It started when the first attempt did.
    clock: Clock,
    limit: Option<Duration>,
}

impl Calls {
    /// Executes a request, unless the time is over.
    async fn execute(&self, request: Request, limit: Option<Duration>) -> Result<Ended, Error> {
        let passed = Duration::from_micros(self.clock.now().micros());
        let left = self.limit.map(|all| all.saturating_sub(passed));
        if left.is_some_and(|left| left.is_zero()) {
            let may_have_executed = false;
            return Err(Error::Unknown { may_have_executed });
        }
        let limit = left.into_iter().chain(limit).min();
        Ok(self.client.execute_within(request, limit).await?)
    }
}

/// How far an attempt is.
#[derive(Debug, Default)]
struct Progress {
    stage: Stage,
    reads: ReadSet,
    /// How many commands have told something: what one tells holds together by itself.
    told: u32,
    /// Some read has not been answered.
    unanswered: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing has had an effect.
    #[default]
    Reading,
    /// What was read does not hold any more.
    Conflict,
    /// The commit was sent, and is not known to have had no effect.
    Sent,
    /// The closure has ended. Only a handle that it left somewhere finds this.
    Over,
}

impl Progress {
    fn over() -> Self {
        Self {
            stage: Stage::Over,
            ..Self::default()
        }
    }

    /// Whether there is any sense in going on.
    fn check(&self) -> Result<(), Error> {
        match self.stage {
            Stage::Reading => Ok(()),
            Stage::Conflict | Stage::Sent | Stage::Over => Err(Error::Changed),
        }
    }

    /// A read has ended.
    fn heard(&mut self, ended: Option<&Ended>) -> Result<(), Error> {
        let completion = ended.map(|ended| &ended.completion);
        match completion.filter(|completion| completion.outcome != Outcome::Unknown) {
            None => self.unanswered = true,
            Some(completion) => {
                self.told += 1;
                if !self.reads.add(&completion.touched) && self.stage == Stage::Reading {
                    self.stage = Stage::Conflict;
                }
            }
        }
        self.check()
    }

    /// The commit has ended.
    fn decided(&mut self, ended: &Ended) -> Result<(), Error> {
        match &ended.completion.outcome {
            Outcome::Done(_) | Outcome::Failed | Outcome::Unknown => {}
            Outcome::Changed => self.stage = Stage::Conflict,
            // Nothing was changed, perhaps only because what was read has passed.
            Outcome::AlreadyExists
            | Outcome::NotFound
            | Outcome::Unsupported
            | Outcome::Refused(_) => {
                self.told += 1;
                let fits = self.reads.fits_existence(&ended.completion.touched);
                self.stage = if fits {
                    Stage::Reading
                } else {
                    Stage::Conflict
                };
            }
        }
        if self.stage == Stage::Conflict {
            return Err(Error::Changed);
        }
        Ok(())
    }

    /// Whether the closure's result counts. One that was computed without an effect is returned
    /// only if what was read has held together.
    async fn holds(self, calls: &Calls, ok: bool) -> Result<bool, Error> {
        match self.stage {
            Stage::Conflict => return Ok(false),
            Stage::Sent | Stage::Over => return Ok(true),
            Stage::Reading => {}
        }
        let gave_up = self.unanswered && !ok;
        if self.told <= 1 || gave_up {
            return Ok(true);
        }
        let ended = calls.execute(self.reads.question(), None).await;
        match reply(ended.map_err(without_effect)?) {
            Ok(_) => Ok(true),
            Err(Error::Changed | Error::NotFound) => Ok(false),
            Err(error) => Err(without_effect(error)),
        }
    }
}

/// The error of a command that only reads.
fn without_effect(error: Error) -> Error {
    match error {
        Error::Unknown { .. } => Error::Unknown {
            may_have_executed: false,
        },
        error => error,
    }
}

/// Nothing panics while it holds the lock.
fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
