//! What can be found wrong after a run: with the history, with the replicas, or with the objects.

use ssmr_check::Violation;
use ssmr_core::{GroupId, ObjectId, Outcome, ReplicaId};
use std::fmt;

/// A violation that a check after a run found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RunViolation {
    /// What the clients saw is not linearizable.
    History(Violation),
    /// Two replicas applied the same entries and differ.
    Diverged {
        /// Who was looked at first.
        first: ReplicaId,
        /// Who differs from it.
        other: ReplicaId,
        /// How many entries both applied.
        applied: u64,
    },
    /// A replica has failed.
    ReplicaFailed(ReplicaId),
    /// The replicas of a group did not come to the same place of their log in time.
    NoAgreement(GroupId),
    /// The reads at the end could not begin.
    AuditFailed(String),
    /// An object could not be read at the end.
    Unreadable {
        /// What was created and read in vain.
        object: ObjectId,
        /// How the read ended.
        outcome: Outcome,
    },
}

impl fmt::Display for RunViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::History(violation) => write!(f, "{violation}"),
            Self::Diverged {
                first,
                other,
                applied,
            } => write!(
                f,
                "replicas {first} and {other} of {} differ after the same {applied} entries",
                first.group
            ),
            Self::ReplicaFailed(id) => write!(f, "replica {id} has failed"),
            Self::NoAgreement(group) => {
                write!(f, "the replicas of {group} do not come to the same state")
            }
            Self::AuditFailed(error) => f.write_str(error),
            Self::Unreadable { object, outcome } => {
                write!(f, "object {object} cannot be read at the end: {outcome:?}")
            }
        }
    }
}

impl std::error::Error for RunViolation {}
