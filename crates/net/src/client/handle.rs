//! A cloneable handle to a [`Pipeline`] in a task of its own.
//!
//! Each call waits for its own request; calls of clones and of concurrent tasks travel together. It
//! knows requests, not the service's types. The task ends with the last handle, when it is told to,
//! or when the cluster was shut down.
//!
//! Invariant: a call that ends as [`CallError::Closed`] has had no effect and never will.

use super::pipeline::Pipeline;
use crate::clock::Clock;
use crate::config::ClusterConfig;
use crate::connection::{Connection, ConnectionStates};
use crate::error::ConnectError;
use crate::link::Dialling;
use crate::traffic::{Traffic, TrafficCount};
use rustc_hash::FxHashMap;
use ssmr_core::client::ClientSettings;
use ssmr_core::{Application, ClientId, Completion, ObjectId, Oracle, PartitionId, Request};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

/// How many requests may be under way, and how many more may wait for the task; callers beyond wait
/// their turn.
const QUEUE: usize = 1024;

/// Why a call has no completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The client or the cluster was shut down before the request was sent: it has no effect.
    #[error("the client is closed")]
    Closed,
    /// The client or the cluster was shut down while the request was under way: it took effect once
    /// or not at all.
    #[error("the client was closed while the request was under way")]
    Abandoned,
    /// The caller's own time-out has passed.
    #[error("no answer in time")]
    TimedOut {
        /// The request is under way: it takes effect once or not at all. Otherwise it has no
        /// effect.
        under_way: bool,
    },
}

/// How a request ended, and what the client knows besides.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub completion: Completion,
    /// The partition that owned the first of its objects then, or later; a hint if the request did
    /// not read it.
    pub owner: Option<PartitionId>,
    /// Whether it may have taken effect although its outcome is unknown.
    pub may_have_executed: bool,
}

/// A request on its way to the task, and the way back.
struct Call {
    request: Request,
    /// Whether the shared cache may answer it with what is past.
    may_be_stale: bool,
    answer: oneshot::Sender<Result<Ended, CallError>>,
}

/// A client of a cluster.
#[derive(Clone, Debug)]
pub struct ClientHandle {
    calls: mpsc::Sender<Call>,
    states: watch::Receiver<ConnectionStates>,
    traffic: Arc<Traffic>,
    /// Where the task runs, and has its timers.
    runtime: Handle,
    closing: Arc<watch::Sender<bool>>,
    /// The sender is gone when the task has ended.
    ended: watch::Receiver<()>,
}

impl ClientHandle {
    /// A client with an id that no other client ever uses. It begins at once, and connects to
    /// replicas when there is something to tell them.
    ///
    /// # Errors
    /// If the configuration does not fit the strategy, or if this is no tokio runtime.
    pub fn start<A: Application>(
        config: &ClusterConfig,
        id: ClientId,
        oracle: impl Oracle,
        settings: ClientSettings,
    ) -> Result<Self, ConnectError> {
        Self::spawn::<A>(config, id, oracle, settings, Dialling::WhenNeeded)
    }

    /// A client with an id that no other client ever uses, connected to at least one replica of
    /// each group. It stays connected to all replicas that it can reach.
    ///
    /// # Errors
    /// If the configuration does not fit the strategy, if this is no tokio runtime, as soon as no
    /// replica of some group is of this cluster, service, strategy and topology, or if some group
    /// is not reached in time.
    pub async fn connect<A: Application>(
        config: &ClusterConfig,
        id: ClientId,
        oracle: impl Oracle,
        settings: ClientSettings,
        patience: Duration,
    ) -> Result<Self, ConnectError> {
        let client = Self::spawn::<A>(config, id, oracle, settings, Dialling::Always)?;
        let mut states = client.states.clone();
        let settled = states.wait_for(|states| states.usable().is_some());
        // Without connections to tell anything there is nothing to wait for.
        let _ = tokio::time::timeout(patience, settled).await;
        let states = client.states.borrow();
        match states.usable() {
            Some(usable) => usable?,
            None => states.first_failure().map_or(Ok(()), Err)?,
        }
        drop(states);
        Ok(client)
    }

    fn spawn<A: Application>(
        config: &ClusterConfig,
        id: ClientId,
        oracle: impl Oracle,
        settings: ClientSettings,
        dialling: Dialling,
    ) -> Result<Self, ConnectError> {
        let runtime = Handle::try_current();
        let runtime = runtime.map_err(|_| ConnectError::NoRuntime)?;
        let mut pipeline = Pipeline::new::<A>(config, id, oracle, settings, Clock::start())?;
        if dialling == Dialling::Always {
            pipeline.dial_all();
        }
        let (traffic, states) = (pipeline.counters(), pipeline.states());
        let (calls, called) = mpsc::channel(QUEUE);
        let (closing, closed) = watch::channel(false);
        let (running, ended) = watch::channel(());
        let service = Service {
            pipeline,
            called,
            waiting: FxHashMap::default(),
            states: states.clone(),
            closing: closed,
        };
        runtime.spawn(async move {
            service.serve().await;
            drop(running);
        });
        Ok(Self {
            calls,
            states,
            traffic,
            runtime,
            closing: Arc::new(closing),
            ended,
        })
    }

    /// Executes a request. It completes at the latest at the deadline of the settings, as
    /// [`Outcome::Unknown`](ssmr_core::Outcome::Unknown), not counting the time that it waits for
    /// its turn: at most 1024 requests of a client are under way, and 1024 more wait.
    ///
    /// Whoever stops waiting does not stop the request: once it is under way it goes on, and takes
    /// effect at most once.
    ///
    /// # Errors
    /// If the client was closed.
    pub async fn execute(&self, request: Request) -> Result<Completion, CallError> {
        let ended = self.within(None, request, false).await;
        ended.map(|ended| ended.completion)
    }

    /// The same, with a time-out of the caller's own.
    ///
    /// # Errors
    /// If the client was closed, or the time is over.
    pub async fn execute_within(
        &self,
        request: Request,
        limit: Option<Duration>,
    ) -> Result<Ended, CallError> {
        self.within(limit, request, false).await
    }

    /// The same; but a read of a single object may be answered by the shared cache, with what is
    /// past. Its [cost](ssmr_core::answer::Cost::stale) tells.
    ///
    /// # Errors
    /// If the client was closed, or the time is over.
    pub async fn execute_stale(
        &self,
        request: Request,
        limit: Option<Duration>,
    ) -> Result<Ended, CallError> {
        self.within(limit, request, true).await
    }

    async fn within(
        &self,
        limit: Option<Duration>,
        request: Request,
        may_be_stale: bool,
    ) -> Result<Ended, CallError> {
        let mut under_way = false;
        let Some(limit) = limit else {
            return self.call(request, may_be_stale, &mut under_way).await;
        };
        // The timer is the client's, so that callers need no runtime of their own.
        let timer = {
            let _entered = self.runtime.enter();
            tokio::time::sleep(limit)
        };
        tokio::select! {
            biased;
            ended = self.call(request, may_be_stale, &mut under_way) => return ended,
            () = timer => {}
        }
        Err(CallError::TimedOut { under_way })
    }

    /// Notes in `under_way` when the task has the request.
    async fn call(
        &self,
        request: Request,
        may_be_stale: bool,
        under_way: &mut bool,
    ) -> Result<Ended, CallError> {
        let (answer, answered) = oneshot::channel();
        let call = Call {
            request,
            may_be_stale,
            answer,
        };
        let sent = self.calls.send(call).await;
        sent.map_err(|_| CallError::Closed)?;
        *under_way = true;
        // Without an answer the task is gone, and its runtime with it.
        answered.await.unwrap_or(Err(CallError::Abandoned))
    }

    /// How its connections stand.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.states.borrow().list()
    }

    /// Takes no more calls, waits for those under way, and closes the connections. Calls of clones
    /// end as [`CallError::Closed`] from now on.
    pub async fn shutdown(&self) {
        self.closing.send_replace(true);
        // Nothing is ever sent there: it ends when the sender is gone.
        let _ = self.ended.clone().changed().await;
    }

    /// What it has sent to replicas and received from them so far.
    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.traffic.count()
    }
}

/// A call that was submitted.
struct Waiting {
    /// The first object of its request.
    object: Option<ObjectId>,
    answer: oneshot::Sender<Result<Ended, CallError>>,
}

/// What the task reacts to.
enum Event {
    /// So many calls have come; 0 if no more will come.
    Called(usize),
    Completed(Completion),
    /// The client is to be closed.
    Closing,
    /// The cluster was shut down.
    ShutDown,
}

/// The task behind the handles.
struct Service {
    pipeline: Pipeline,
    called: mpsc::Receiver<Call>,
    waiting: FxHashMap<u64, Waiting>,
    states: watch::Receiver<ConnectionStates>,
    closing: watch::Receiver<bool>,
}

impl Service {
    /// Serves calls until the last handle is gone, the client is closed, or the cluster is shut
    /// down.
    async fn serve(mut self) {
        let mut calls = Vec::with_capacity(QUEUE);
        let mut is_open = true;
        while is_open || !self.waiting.is_empty() {
            let room = QUEUE.saturating_sub(self.pipeline.outstanding());
            let event = tokio::select! {
                count = self.called.recv_many(&mut calls, room), if is_open && room > 0 => {
                    Event::Called(count)
                }
                completion = self.pipeline.next() => Event::Completed(completion),
                _ = self.closing.wait_for(|closing| *closing), if !self.called.is_closed() => {
                    Event::Closing
                }
                _ = self.states.wait_for(|states| states.is_shut_down) => Event::ShutDown,
            };
            match event {
                // Every handle is gone, or it was closed and nothing is left in the queue.
                Event::Called(0) => is_open = false,
                Event::Called(_) => calls.drain(..).for_each(|call| self.submit(call)),
                Event::Completed(completion) => self.complete(&completion),
                Event::Closing => self.called.close(),
                Event::ShutDown => return self.abandon(),
            }
        }
    }

    fn submit(&mut self, call: Call) {
        if call.answer.is_closed() {
            // Whoever asked has stopped waiting in time.
            return;
        }
        let object = call.request.objects().next();
        let ticket = match call.may_be_stale {
            true => self.pipeline.submit_stale(call.request),
            false => self.pipeline.submit(call.request),
        };
        let answer = call.answer;
        self.waiting.insert(ticket, Waiting { object, answer });
    }

    fn complete(&mut self, completion: &Completion) {
        if let Some(Waiting { object, answer }) = self.waiting.remove(&completion.ticket) {
            let ended = Ended {
                completion: completion.clone(),
                owner: object.and_then(|object| self.pipeline.believed_owner(object)),
                may_have_executed: completion.last_attempt.is_some(),
            };
            // Whoever asked may have stopped waiting.
            let _ = answer.send(Ok(ended));
        }
    }

    /// Nobody will answer any more.
    fn abandon(mut self) {
        self.called.close();
        while let Ok(call) = self.called.try_recv() {
            let _ = call.answer.send(Err(CallError::Closed));
        }
        for (ticket, Waiting { answer, .. }) in self.waiting.drain() {
            let stand = self.pipeline.abandoned(ticket);
            let error = if stand.last_attempt.is_some() {
                CallError::Abandoned
            } else {
                CallError::Closed
            };
            let _ = answer.send(Err(error));
        }
    }
}
