//! A client without types, with the requests that these tests make.

#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod raw;

use ssmr_core::client::ClientSettings;
use ssmr_core::{
    Application, ClientId, Completion, ObjectId, Oracle, Outcome, PartitionId, Request, codec,
};
use ssmr_net::{ClientHandle, ClusterConfig, TrafficCount};

/// A handle that is never closed.
pub(crate) struct Client(ClientHandle);

impl Client {
    pub(crate) fn start<A: Application>(
        config: &ClusterConfig,
        id: u64,
        oracle: impl Oracle,
        settings: ClientSettings,
    ) -> Self {
        let started = ClientHandle::start::<A>(config, ClientId(id), oracle, settings);
        Self(started.unwrap())
    }

    pub(crate) async fn execute(&self, request: Request) -> Completion {
        self.0.execute(request).await.unwrap()
    }

    pub(crate) async fn create<A: Application>(
        &self,
        object: ObjectId,
        value: &A::Object,
        at: Option<PartitionId>,
    ) -> Outcome {
        let request = Request::create::<A>(object, value, at);
        self.execute(request).await.outcome
    }

    pub(crate) async fn access<A: Application>(&self, op: &A::Op) -> Result<A::Reply, Outcome> {
        match self.execute(Request::access::<A>(op)).await.outcome {
            Outcome::Done(reply) => Ok(codec::decode(&reply).unwrap()),
            other => Err(other),
        }
    }

    pub(crate) async fn delete(&self, object: ObjectId) -> Outcome {
        self.execute(Request::delete(object)).await.outcome
    }

    pub(crate) async fn relocate(&self, object: ObjectId, to: PartitionId) -> Outcome {
        self.execute(Request::relocate(object, to)).await.outcome
    }

    pub(crate) async fn lookup(&self, object: ObjectId) -> Outcome {
        self.execute(Request::lookup(object)).await.outcome
    }

    pub(crate) fn traffic(&self) -> TrafficCount {
        self.0.traffic()
    }
}
