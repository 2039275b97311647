//! One call on its way: put together by builders, sent when it is awaited.
//!
//! Nothing is sent before. Values are encoded as they are handed in; one that cannot be encoded is
//! an error of the awaited call, like any other.

use crate::error::{Error, reply};
use ssmr_core::codec::{self, EncodeError};
use ssmr_core::{
    Application, Completion, Encoded, Intent, ObjectId, PartitionId, Request, Revision,
};
use ssmr_net::{ClientHandle, Ended};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

/// A command that creates nothing (yet).
#[derive(Debug)]
pub enum Plain {}

/// A command whose last part was the creation of an object: it can be said where.
#[derive(Debug)]
pub enum Creating {}

/// A question, to which nothing can be added.
#[derive(Debug)]
pub enum Question {}

/// A call to a service `A` that has not been sent yet, and ends as a `T`. Await it.
///
/// Dropping it before it is awaited does nothing. Dropping the future while it is being awaited
/// leaves the call to itself: if it is not under way yet it never will be; else it goes on and
/// takes effect at most once, and nobody is told.
#[must_use = "a command is sent when it is awaited"]
pub struct Command<A: Application, T, S> {
    client: ClientHandle,
    request: Result<Request, Error>,
    may_be_stale: bool,
    /// The object that was named last as one to be created.
    last: Option<Creation>,
    limit: Option<Duration>,
    finish: fn(Ended) -> Result<T, Error>,
    types: PhantomData<fn() -> (A, S)>,
}

#[derive(Debug)]
struct Creation {
    object: ObjectId,
    value: Encoded,
    at: Option<PartitionId>,
}

impl Creation {
    fn add_to(self, request: Request) -> Request {
        let Self { object, value, at } = self;
        request.and(object, Intent::Create { at, value })
    }
}

impl<A: Application, T, S> fmt::Debug for Command<A, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("request", &self.request)
            .field("last", &self.last)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A command without the client that it was made by.
type Parts<T> = (
    Result<Request, Error>,
    Option<Duration>,
    fn(Ended) -> Result<T, Error>,
);

impl<A: Application, T, S> Command<A, T, S> {
    pub(crate) fn new(
        client: &ClientHandle,
        request: Result<Request, Error>,
        finish: fn(Ended) -> Result<T, Error>,
    ) -> Self {
        Self {
            client: client.clone(),
            request,
            may_be_stale: false,
            last: None,
            limit: None,
            finish,
            types: PhantomData,
        }
    }

    /// Waits at most for so long, including the time in the client's queue. Then the call ends as
    /// [`Error::Unknown`], and goes on by itself if it is under way.
    ///
    /// Without this it ends at the latest at the client's
    /// [deadline](crate::ClientBuilder::deadline), counted from when it is under way.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The shared cache may answer it with what is past.
    pub(crate) fn perhaps_stale(self) -> Self {
        let may_be_stale = true;
        Self {
            may_be_stale,
            ..self
        }
    }

    fn into<R>(self) -> Command<A, T, R> {
        Command {
            client: self.client,
            request: self.request,
            may_be_stale: self.may_be_stale,
            last: self.last,
            limit: self.limit,
            finish: self.finish,
            types: PhantomData,
        }
    }

    /// The last creation becomes part of the request.
    fn settle(&mut self) {
        if let (Some(last), Ok(request)) = (self.last.take(), &mut self.request) {
            *request = last.add_to(std::mem::take(request));
        }
    }

    fn create(mut self, object: ObjectId, value: &A::Object) -> Command<A, T, Creating> {
        self.settle();
        match encode(value) {
            Ok(value) => {
                let at = None;
                self.last = Some(Creation { object, value, at });
            }
            Err(error) => self.request = self.request.and(Err(error)),
        }
        self.into()
    }

    /// What it asks for, how long it may take, and what its end means.
    pub(crate) fn into_parts(mut self) -> Parts<T> {
        self.settle();
        (self.request, self.limit, self.finish)
    }

    async fn run(self) -> Result<T, Error> {
        let (client, may_be_stale) = (self.client.clone(), self.may_be_stale);
        let (request, limit, finish) = self.into_parts();
        let ended = match may_be_stale {
            true => client.execute_stale(request?, limit).await?,
            false => client.execute_within(request?, limit).await?,
        };
        finish(ended)
    }
}

impl<A: Application, T> Command<A, T, Plain> {
    /// Creates an object in the same atomic command: all of it happens, or nothing. If the object
    /// exists already the command ends as [`Error::AlreadyExists`].
    ///
    /// An operation of the command does not see objects that are created beside it: it runs on what
    /// existed before.
    pub fn creating(self, object: ObjectId, value: &A::Object) -> Command<A, T, Creating> {
        self.create(object, value)
    }
}

impl<A: Application, T> Command<A, T, Creating> {
    /// Creates the last object at this partition, if the strategy leaves the choice.
    pub fn at(mut self, partition: PartitionId) -> Self {
        if let Some(last) = &mut self.last {
            last.at = Some(partition);
        }
        self
    }

    /// Creates one more object in the same atomic command.
    pub fn creating(self, object: ObjectId, value: &A::Object) -> Self {
        self.create(object, value)
    }
}

impl<A: Application, T: 'static, S: 'static> IntoFuture for Command<A, T, S> {
    type Output = Result<T, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The bytes of an operation or a value.
pub(crate) fn encode<T: serde::Serialize>(value: &T) -> Result<Encoded, Error> {
    codec::try_encode(value).map_err(|error: EncodeError| Error::Unencodable(error.to_string()))
}

/// The request that runs an operation.
pub(crate) fn access<A: Application>(op: &A::Op) -> Result<Request, Error> {
    let encoded = encode(op)?;
    if encoded.is_empty() {
        let problem = "an operation that is encoded as nothing cannot be told from none";
        return Err(Error::Unencodable(problem.to_owned()));
    }
    Ok(Request::declare(A::access(op), encoded))
}

/// How a command ends that has no reply.
pub(crate) fn done(ended: Ended) -> Result<(), Error> {
    reply(ended).map(drop)
}

/// How an operation ends.
pub(crate) fn replied<A: Application>(ended: Ended) -> Result<A::Reply, Error> {
    codec::decode(&reply(ended)?).map_err(|_| Error::Undecodable)
}

/// A reply that may tell what is past, and whether it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerhapsStale<T> {
    /// The reply.
    pub reply: T,
    /// The revision of which it tells, if the shared cache answered: an earlier one, perhaps.
    /// `None` if the object's owner answered, as always.
    pub stale: Option<Revision>,
}

/// How a read ends that may be stale.
pub(crate) fn perhaps_stale<A: Application>(ended: Ended) -> Result<PerhapsStale<A::Reply>, Error> {
    let Completion { cost, touched, .. } = &ended.completion;
    let revision = touched.first().and_then(|touch| touch.after);
    let stale = revision.filter(|_| cost.stale);
    let reply = replied::<A>(ended)?;
    Ok(PerhapsStale { reply, stale })
}

/// How a question for existence ends.
pub(crate) fn exists(ended: Ended) -> Result<bool, Error> {
    match done(ended) {
        Ok(()) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// How a question for a place ends.
pub(crate) fn located(ended: Ended) -> Result<PartitionId, Error> {
    let owner = ended.owner;
    done(ended)?;
    owner.ok_or(Error::Unknown {
        may_have_executed: false,
    })
}
