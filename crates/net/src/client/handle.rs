//! The client that users embed: a cloneable handle to a [`Pipeline`] in a task of its own.
//!
//! Each call waits for its own request; calls of clones and of concurrent tasks travel together. It holds no state but
//! the way to the task, which ends with the last handle.

use super::pipeline::Pipeline;
use crate::clock::Clock;
use crate::config::ClusterConfig;
use crate::error::NetError;
use crate::traffic::{Traffic, TrafficCount};
use rustc_hash::FxHashMap;
use ssmr_core::client::ClientSettings;
use ssmr_core::{
    Application, ClientId, Completion, ObjectId, Oracle, Outcome, PartitionId, Request, codec,
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// How many requests may wait for the task; callers beyond wait their turn.
const QUEUE: usize = 1024;

/// A request on its way to the task, and the way back.
type Call = (Request, oneshot::Sender<Completion>);

/// A client of a cluster.
#[derive(Clone, Debug)]
pub struct Client {
    calls: mpsc::Sender<Call>,
    traffic: Arc<Traffic>,
}

impl Client {
    /// A client with an id that no other client ever uses. To be called within a tokio runtime; replicas are connected to
    /// when there is something to tell them.
    ///
    /// # Errors
    /// If the configuration lacks an address.
    pub fn connect<O: Oracle>(
        config: &ClusterConfig,
        id: ClientId,
        oracle: O,
        settings: ClientSettings,
    ) -> Result<Self, NetError> {
        let pipeline = Pipeline::new(config, id, oracle, settings, Clock::start())?;
        let traffic = pipeline.counters();
        let (calls, called) = mpsc::channel(QUEUE);
        tokio::spawn(serve(pipeline, called));
        Ok(Self { calls, traffic })
    }

    /// Executes a request. It always completes: at the latest at the deadline of the settings, as
    /// [`Outcome::Unknown`].
    ///
    /// # Panics
    /// If the runtime that the client was connected in is gone.
    pub async fn execute(&self, request: Request) -> Completion {
        let (answer, answered) = oneshot::channel();
        let sent = self.calls.send((request, answer)).await;
        sent.expect("the client's runtime is running");
        answered.await.expect("the client's runtime is running")
    }

    /// Creates an object, at partition `at` if the strategy leaves the choice.
    pub async fn create<A: Application>(
        &self,
        object: ObjectId,
        value: &A::Object,
        at: Option<PartitionId>,
    ) -> Outcome {
        self.execute(Request::create::<A>(object, value, at))
            .await
            .outcome
    }

    /// Runs an operation on the objects that it declares.
    ///
    /// # Errors
    /// How it ended, if not with a reply. `Outcome::Done` here means that the reply is not one of this application.
    pub async fn access<A: Application>(&self, op: &A::Op) -> Result<A::Reply, Outcome> {
        match self.execute(Request::access::<A>(op)).await.outcome {
            Outcome::Done(reply) => codec::decode(&reply).map_err(|_| Outcome::Done(reply)),
            other => Err(other),
        }
    }

    /// Deletes an object.
    pub async fn delete(&self, object: ObjectId) -> Outcome {
        self.execute(Request::delete(object)).await.outcome
    }

    /// Moves an object to a partition, from wherever it is.
    pub async fn relocate(&self, object: ObjectId, to: PartitionId) -> Outcome {
        self.execute(Request::relocate(object, to)).await.outcome
    }

    /// Asks, in order, whether an object exists.
    pub async fn lookup(&self, object: ObjectId) -> Outcome {
        self.execute(Request::lookup(object)).await.outcome
    }

    /// What it has sent to replicas and received from them so far.
    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.traffic.count()
    }
}

/// Serves calls until the last handle is gone.
async fn serve<O: Oracle>(mut pipeline: Pipeline<O>, mut called: mpsc::Receiver<Call>) {
    let mut calls = Vec::with_capacity(QUEUE);
    let mut waiting: FxHashMap<u64, oneshot::Sender<Completion>> = FxHashMap::default();
    loop {
        tokio::select! {
            count = called.recv_many(&mut calls, QUEUE) => {
                if count == 0 {
                    return;
                }
                for (request, answer) in calls.drain(..) {
                    waiting.insert(pipeline.submit(request), answer);
                }
            }
            completion = pipeline.next() => {
                if let Some(answer) = waiting.remove(&completion.ticket) {
                    // Whoever asked may have stopped waiting.
                    let _ = answer.send(completion);
                }
            }
        }
    }
}
