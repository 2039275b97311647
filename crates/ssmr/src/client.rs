//! The typed client: a service's operations as calls.

use crate::command::{self, Command, Creating, PerhapsStale, Plain, Question};
use crate::draw;
use crate::error::Error;
use crate::transaction::{Counters, Transaction, TransactionBuilder, TransactionCount};
use ssmr_core::client::{ClientSettings, Execution};
use ssmr_core::{
    Application, ClientId, Completion, Intent, ObjectId, Oracle, PartitionId, Reads, Request,
};
use ssmr_net::{CallError, ClientHandle, ClusterConfig, ConnectError, Connection, TrafficCount};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
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
    pub(crate) handle: ClientHandle,
    id: ClientId,
    pub(crate) transactions: Arc<Counters>,
    service: PhantomData<fn() -> A>,
}

impl<A: Application> Clone for Client<A> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            id: self.id,
            transactions: self.transactions.clone(),
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
    pub async fn connect(
        config: &ClusterConfig,
        oracle: impl Oracle,
    ) -> Result<Self, ConnectError> {
        Self::builder(config, oracle).connect().await
    }

    /// A client to be connected, with settings.
    pub fn builder(config: &ClusterConfig, oracle: impl Oracle) -> ClientBuilder<A> {
        ClientBuilder {
            parts: Parts {
                config: config.clone(),
                oracle: oracle.into_shared(),
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

    /// Runs an operation that may be told what is past. If it reads one object and writes none, and
    /// the strategy has a shared cache, the cache answers where it can: a round trip to it, and
    /// nothing that the object's owner has to do. What it tells the object was once; it need not be
    /// what the client itself has written last. All other operations run as by
    /// [`call`](Self::call), and so does this one where the cache does not know.
    ///
    /// A cache forgets what nobody renews after
    /// [ten seconds](ssmr_core::published::TTL_SECONDS). So where an owner cannot reach it, it
    /// tells what was stored last for so long at most, if it keeps to its protocol.
    pub fn read_stale(&self, op: &A::Op) -> Command<A, PerhapsStale<A::Reply>, Question> {
        let read = self.command(command::access::<A>(op), command::perhaps_stale::<A>);
        read.perhaps_stale()
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
        request: Result<Request, Error>,
        finish: fn(ssmr_net::Ended) -> Result<T, Error>,
    ) -> Command<A, T, S> {
        Command::new(&self.handle, request, finish)
    }

    /// Runs a transaction: reads, and then one command that depends on what was read, as one atomic
    /// step. For operations whose objects cannot be named before something else was read.
    ///
    /// The closure gets a [`Transaction`] to read by. At its end it hands one command to
    /// [`commit`](Transaction::commit), or none if there is nothing to do. The command takes effect
    /// only if nothing that was read has changed; otherwise the closure runs again, up to 100 times
    /// unless [`transaction`](Self::transaction) says otherwise. So it may run several times, and
    /// should have no effects of its own; calls that it makes by the client are no part of the
    /// transaction.
    ///
    /// ```
    /// # use ssmr::{Access, Application, Broker, Error, LocalCluster, ObjectId, Objects};
    /// # use serde::{Deserialize, Serialize};
    /// # struct Shelf;
    /// # #[derive(Clone, Debug, Serialize, Deserialize)]
    /// # enum Book { Pages(u64), SequelOf(ObjectId) }
    /// # #[derive(Clone, Debug, Serialize, Deserialize)]
    /// # enum Op { Read(ObjectId), Extend(ObjectId, u64) }
    /// # impl Application for Shelf {
    /// #     const NAME: &'static str = "shelf";
    /// #     type Object = Book;
    /// #     type Op = Op;
    /// #     type Reply = Option<ObjectId>;
    /// #     fn access(op: &Op) -> Access {
    /// #         match *op {
    /// #             Op::Read(book) => Access { reads: vec![book], writes: vec![] },
    /// #             Op::Extend(book, _) => Access { reads: vec![book], writes: vec![book] },
    /// #         }
    /// #     }
    /// #     fn execute(op: &Op, books: &mut Objects<Book>) -> Option<ObjectId> {
    /// #         match *op {
    /// #             Op::Read(book) => match books.get(book) {
    /// #                 Some(Book::SequelOf(first)) => Some(*first),
    /// #                 _ => None,
    /// #             },
    /// #             Op::Extend(book, more) => {
    /// #                 books.update(book, |book| if let Book::Pages(n) = book { *n += more });
    /// #                 None
    /// #             }
    /// #         }
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cluster = LocalCluster::<Shelf>::builder(Broker).replicas(1).start().await?;
    /// # let client = cluster.client().await?;
    /// # let (book, first) = (ObjectId::from("II"), ObjectId::from("I"));
    /// # client.create(book, &Book::SequelOf(first)).creating(first, &Book::Pages(7)).await?;
    /// // Add ten pages to a book, or to the first volume if it is a sequel.
    /// client
    ///     .transact(async |tx| {
    ///         let first = tx.read(&Op::Read(book)).await?;
    ///         let target = first.unwrap_or(book);
    ///         tx.commit(client.call(&Op::Extend(target, 10))).await
    ///     })
    ///     .await?;
    /// # cluster.shutdown().await;
    /// # Ok(()) }
    /// ```
    ///
    /// The guide's page on [transactions](crate::guide::transactions) says what happens to objects
    /// that do not exist, are deleted or move, how often it takes effect, and what dropping the
    /// future does.
    ///
    /// The closure returns a future (`async |tx| ..` or `|tx| async move { .. }`); it may refer to
    /// what is around it, but not change that. If it neither ends with a commit nor says so
    /// otherwise, the compiler has to be told its type of errors: `Ok::<_, Error>(..)`.
    ///
    /// # Errors
    /// - What the closure returns. If it has committed, that is returned as it is. If it has not,
    ///   it is returned only if what was read has held together.
    /// - [`Error::Conflict`], if what was read has changed at each attempt: nothing changed.
    /// - Whatever else keeps the reads from being checked.
    pub async fn transact<T, E, F, B>(&self, body: B) -> Result<T, E>
    where
        E: From<Error>,
        F: Future<Output = Result<T, E>>,
        B: FnMut(Transaction<A>) -> F,
    {
        self.transaction().run(body).await
    }

    /// A transaction to be run, with bounds of its own.
    pub fn transaction(&self) -> TransactionBuilder<A> {
        TransactionBuilder::new(self.clone())
    }

    /// How the transactions of this client and its clones went so far.
    #[must_use]
    pub fn transactions(&self) -> TransactionCount {
        self.transactions.count()
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
pub struct ClientBuilder<A> {
    parts: Parts,
    service: PhantomData<fn() -> A>,
}

/// What was said so far.
#[derive(Clone, Debug)]
struct Parts {
    config: ClusterConfig,
    oracle: Arc<dyn Oracle>,
    settings: ClientSettings,
    patience: Duration,
}

impl<A> Clone for ClientBuilder<A> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            service: PhantomData,
        }
    }
}

impl<A> fmt::Debug for ClientBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

impl<A: Application> ClientBuilder<A> {
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
        let drawn = draw::number().map_err(ConnectError::NoRandomness)?;
        let Parts {
            config,
            oracle,
            settings,
            patience,
        } = self.parts;
        let id = config.client_id(drawn)?;
        let handle = ClientHandle::connect::<A>(&config, id, oracle, settings, patience).await?;
        Ok(Client {
            handle,
            id,
            transactions: Arc::default(),
            service: PhantomData,
        })
    }
}
