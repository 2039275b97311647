//! How a call can end, other than with what was asked for.

use bytes::Bytes;
use ssmr_core::{Defect, Outcome};
use ssmr_net::{CallError, Ended};

/// Why a call did not do what it was asked to. All but [`Unknown`](Self::Unknown) are certain: what
/// they say about effects is so at every replica and for ever.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An object that is to be created exists already: nothing changed.
    #[error("an object that is to be created exists already")]
    AlreadyExists,
    /// An object that is needed does not exist: nothing changed.
    #[error("an object that is needed does not exist")]
    NotFound,
    /// The strategy cannot do it by design, such as a move under static placement: nothing changed.
    #[error("the cluster's strategy cannot do that")]
    Unsupported,
    /// It is larger than a bound of [`limits`](crate::limits) allows: nothing changed.
    #[error("{0}")]
    TooLarge(Defect),
    /// The cluster cannot do it whatever the state, such as creating at a partition that does not
    /// exist: nothing changed.
    #[error("{0}")]
    Refused(Defect),
    /// The operation ran, and the reply is not one of this service: its types have changed without
    /// its version.
    #[error("the reply cannot be decoded: the service's types differ here and there")]
    Undecodable,
    /// An operation or a value cannot be encoded: nothing was sent.
    #[error("{0}")]
    Unencodable(String),
    /// The service panicked on the operation, at every replica alike: the operation changed
    /// nothing. Objects that were to be created or deleted in the same command are.
    #[error("the service failed on the operation")]
    Failed,
    /// An object that was expected at some revision has another one, or one that was expected to be
    /// absent exists: nothing changed. Within a
    /// [transaction](crate::Client::transact) it means that there will be another attempt.
    #[error("an object has changed meanwhile")]
    Changed,
    /// Others changed what a transaction had read, at each of its attempts: nothing changed.
    #[error("others changed what the transaction had read, {attempts} times")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// An operation by which a transaction was to read declares that it writes: nothing was sent.
    #[error("an operation by which a transaction reads declares that it writes")]
    NotARead,
    /// Nobody knows (yet): no answer came in time.
    #[error("the outcome is unknown: {}", unknown(*may_have_executed))]
    Unknown {
        /// It took effect once or not at all, or will. Otherwise it certainly has no effect and
        /// never will.
        may_have_executed: bool,
    },
    /// The client or the cluster was shut down before the call was sent: nothing changed.
    #[error("the client is closed")]
    Closed,
}

fn unknown(may_have_executed: bool) -> &'static str {
    if may_have_executed {
        "it took effect once or not at all"
    } else {
        "it had no effect"
    }
}

/// The reply of a call that ended, or why there is none.
pub(crate) fn reply(ended: Ended) -> Result<Bytes, Error> {
    match ended.completion.outcome {
        Outcome::Done(reply) => Ok(reply),
        Outcome::AlreadyExists => Err(Error::AlreadyExists),
        Outcome::NotFound => Err(Error::NotFound),
        Outcome::Changed => Err(Error::Changed),
        Outcome::Failed => Err(Error::Failed),
        Outcome::Unsupported => Err(Error::Unsupported),
        Outcome::Refused(defect) => Err(match defect {
            Defect::NoSuchPartition | Defect::Malformed => Error::Refused(defect),
            _ => Error::TooLarge(defect),
        }),
        Outcome::Unknown => Err(Error::Unknown {
            may_have_executed: ended.may_have_executed,
        }),
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Closed => Self::Closed,
            CallError::TimedOut { under_way } => Self::Unknown {
                may_have_executed: under_way,
            },
            _ => Self::Unknown {
                may_have_executed: true,
            },
        }
    }
}
