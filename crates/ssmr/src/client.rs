//! The typed client: a service's operations as calls.

use crate::command::{self, Command, Creating, Plain, Question};
use crate::draw;
use ssmr_core::client::{ClientSettings, Execution};
use ssmr_core::{
    Application, ClientId, Completion, Intent, ObjectId, Oracle, PartitionId, Reads, Request,
};
use ssmr_net::{CallError, ClientHandle, ClusterConfig, ConnectError, Connection, TrafficCount};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// How long [`ClientBuilder::connect`] tries, unless it is told otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client of a service `A`.
///
/// It is a cheap handle: clones share connections, and any number of calls may be under way at
/// once. Calls that are under way at the same time take effect in any order. At most 1024 calls of
/// a client are under way, and 1024 more wait in its queue; whoever calls beyond that waits for a
/// place, so a client that calls faster than the cluster answers is slowed down and never runs out
/// of memory.
///
/// It ends with the last handle, or by [`shutdown`](Self::shutdown), or with its cluster. It lives
/// in the tokio runtime that it was connected in; calls may be awaited anywhere. See
/// [`guide::runtimes`](crate::guide::runtimes).
pub struct Client<A: Application> {
    handle: ClientHandle,
    id: ClientId,
    service: PhantomData<fn() -> A>,
}

impl<A: Application> Clone for Client<A> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            id: self.id,
            service: PhantomData,
        }
    }
}

impl<A: Application> fmt::Debug for Client<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({}, {:?})", A::NAME, self.id)
    }
}

impl<A: Application> Client<A> {
    /// Connects to a cluster: at least one replica of each group answers, and is of this service,
    /// strategy and topology.
    ///
    /// # Errors
    /// What differs, or which address is not reached within ten seconds.
    pub async fn connect<O: Oracle>(
        config: &ClusterConfig,
        oracle: O,
    ) -> Result<Self, ConnectError> {
        Self::builder(config, oracle).connect().await
    }

    /// A client to be connected, with settings.
    pub fn builder<O: Oracle>(config: &ClusterConfig, oracle: O) -> ClientBuilder<A, O> {
        ClientBuilder {
            parts: Parts {
                config: config.clone(),
                oracle,
                settings: ClientSettings::default(),
                patience: CONNECT_TIMEOUT,
            },
            service: PhantomData,
        }
    }

    /// The number by which the cluster knows it, drawn at random.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Creates an object, where the strategy wants it or [`at`](Command::at) a partition.
    pub fn create(&self, object: ObjectId, value: &A::Object) -> Command<A, (), Creating> {
        self.command::<_, Plain>(Ok(Request::default()), command::done)
            .creating(object, value)
    }

    /// Runs an operation on the objects that it declares.
    pub fn call(&self, op: &A::Op) -> Command<A, A::Reply, Plain> {
        self.command(command::access::<A>(op), command::replied::<A>)
    }

    /// Deletes an object.
    pub fn delete(&self, object: ObjectId) -> Command<A, (), Plain> {
        self.command(Ok(Request::delete(object)), command::done)
    }

    /// Moves an object to a partition, from wherever it is.
    pub fn move_to(&self, object: ObjectId, to: PartitionId) -> Command<A, (), Plain> {
        self.command(Ok(Request::relocate(object, to)), command::done)
    }

    /// Asks, in order, where an object is: the partition that owned it then, or later.
    pub fn locate(&self, object: ObjectId) -> Command<A, PartitionId, Question> {
        // Its owner takes part in a command that reads the object; without the owner it does not
        // end.
        let question = Request::default().and(object, Intent::Read);
        self.command(Ok(question), command::located)
    }

    /// Asks, in order, whether an object exists.
    pub fn exists(&self, object: ObjectId) -> Command<A, bool, Question> {
        self.command(Ok(Request::lookup(object)), command::exists)
    }

    fn command<T, S>(
        &self,
        request: Result<Request, crate::Error>,
        finish: fn(ssmr_net::Ended) -> Result<T, crate::Error>,
    ) -> Command<A, T, S> {
        Command::new(&self.handle, request, finish)
    }

    /// Executes a request that was put together by hand, and tells all that is known of how it
    /// ended.
    ///
    /// # Errors
    /// If the client was closed.
    pub async fn execute(&self, request: Request) -> Result<Completion, CallError> {
        self.handle.execute(request).await
    }

    /// How its connections stand: connected to which replica since when, or why not.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.handle.connections()
    }

    /// What it has sent to replicas and received from them so far.
    #[must_use]
    pub fn traffic(&self) -> TrafficCount {
        self.handle.traffic()
    }

    /// Takes no more calls, waits until those under way have ended, and closes the connections. All
    /// clones are closed with it: their calls end as [`Error::Closed`](crate::Error::Closed) from
    /// now on.
    pub async fn shutdown(&self) {
        self.handle.shutdown().await;
    }
}

/// A client to be connected.
#[must_use = "it connects when it is told to"]
pub struct ClientBuilder<A, O> {
    parts: Parts<O>,
    service: PhantomData<fn() -> A>,
}

/// What was said so far.
#[derive(Clone, Debug)]
struct Parts<O> {
    config: ClusterConfig,
    oracle: O,
    settings: ClientSettings,
    patience: Duration,
}

impl<A, O: Clone> Clone for ClientBuilder<A, O> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            service: PhantomData,
        }
    }
}

impl<A, O: fmt::Debug> fmt::Debug for ClientBuilder<A, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

impl<A: Application, O: Oracle> ClientBuilder<A, O> {
    /// How long to try to reach a replica of each group: 10 seconds unless it is said otherwise.
    pub fn connect_timeout(mut self, patience: Duration) -> Self {
        self.parts.patience = patience;
        self
    }

    /// How long a call may be under way before it ends as
    /// [`Error::Unknown`](crate::Error::Unknown): 30 seconds unless it is said otherwise. A call
    /// can have a [time-out](Command::timeout) of its own besides.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.parts.settings = self.parts.settings.with_deadline(deadline);
        self
    }

    /// How reads of objects that are together at one partition are answered: in order unless it is
    /// said otherwise.
    pub fn reads(mut self, reads: Reads) -> Self {
        self.parts.settings.reads = reads;
        self
    }

    /// Where operations on objects of several partitions execute.
    pub fn execution(mut self, execution: Execution) -> Self {
        self.parts.settings.execution = execution;
        self
    }

    /// All settings of the engine at once.
    pub fn settings(mut self, settings: ClientSettings) -> Self {
        self.parts.settings = settings;
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// What differs between this client and the cluster, or which address is not reached in time.
    pub async fn connect(self) -> Result<Client<A>, ConnectError> {
        let id = ClientId(draw::number().map_err(ConnectError::NoRandomness)?);
        let Parts {
            config,
            oracle,
            settings,
            patience,
        } = self.parts;
        let handle = ClientHandle::connect::<A, O>(&config, id, oracle, settings, patience).await?;
        Ok(Client {
            handle,
            id,
            service: PhantomData,
        })
    }
}
