//! Which invariant a simulation violated, and how. It finds nothing itself.

use serde::{Deserialize, Serialize};
use ssmr_check::{NeverHeld, Rejection};
use ssmr_core::{Answer, CommandId, GroupId, Groups, ObjectId, Timestamp};
use std::fmt;

/// The kinds of invariants that are checked in every simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Replicas of a group that applied the same entries have the same state.
    Agreement,
    /// All groups deliver the commands on each object in one order, and none is missing.
    Order,
    /// An object is owned once.
    Ownership,
    /// An attempt has one answer, whoever gives it and when.
    Answers,
    /// Every request ends, once faults are over.
    Progress,
    /// The witnessed check passes.
    Witnessed,
    /// The black-box check passes.
    BlackBox,
    /// What a shared cache answers alone was true once.
    OnceTrue,
    /// What is stored can be opened again, whatever happened that storage must survive.
    Storage,
    /// No assertion inside fails.
    Assertion,
}

/// One violation of an invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvariantViolation {
    /// Two replicas of a group differ.
    Agreement {
        /// Where it was seen.
        group: GroupId,
        /// After how many entries of its log.
        applied: u64,
        /// The digest of the state of whoever got there first.
        first: u64,
        /// The digest of the other one's.
        other: u64,
    },
    /// Deliveries are out of order or missing.
    Order(OrderViolation),
    /// An object has two owners.
    Ownership {
        /// What two groups claim to own.
        object: ObjectId,
        /// The one.
        owner: GroupId,
        /// The other.
        other: GroupId,
    },
    /// Clients were told two answers to one attempt.
    Answers {
        /// The attempt.
        id: CommandId,
        /// What was told first.
        first: Box<Answer>,
        /// The other answer.
        other: Box<Answer>,
    },
    /// Something does not end.
    Progress(Stall),
    /// The history of what clients saw is not linearizable.
    NotLinearizable(Rejection),
    /// A read that may be stale was told what was never true.
    NeverHeld(NeverHeld),
    /// A data folder does not open: of which replica, and why.
    Storage(String),
    /// An assertion inside failed, with this message.
    Assertion(String),
}

/// What is wrong with the order of deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderViolation {
    /// Groups deliver a command at different final timestamps.
    TwoTimestamps {
        /// The attempt that was delivered.
        id: CommandId,
        /// The timestamp at which it was delivered first.
        first: Timestamp,
        /// The other one.
        other: Timestamp,
    },
    /// A group delivered a command that is not for it.
    NotDestination {
        /// Where it was seen.
        group: GroupId,
        /// The attempt that was delivered.
        id: CommandId,
    },
    /// Replicas of a group delivered different commands at the same place.
    TwoSequences {
        /// Where it was seen.
        group: GroupId,
        /// The place in its sequence of deliveries.
        place: usize,
        /// The command that was delivered first.
        first: (CommandId, Timestamp),
        /// The other one.
        other: CommandId,
    },
    /// A group delivered a command on an object after one with a greater or the same timestamp.
    Backwards {
        /// Where it was seen.
        group: GroupId,
        /// What both name.
        object: ObjectId,
        /// The attempt that was delivered.
        id: CommandId,
        /// Its timestamp.
        timestamp: Timestamp,
        /// What the group delivered on that object just before.
        last: (CommandId, Timestamp),
    },
    /// Once all is quiet, a command was not delivered by just its destinations.
    Incomplete {
        /// The attempt that was delivered.
        id: CommandId,
        /// Its destinations.
        destinations: Groups,
        /// Who delivered it.
        delivered_by: Groups,
    },
}

/// What does not end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stall {
    /// No event is left to happen.
    NoEvents,
    /// More happens than in any simulation that ends: a storm of messages.
    Endless {
        /// How many events there were.
        steps: u64,
    },
    /// Requests are unanswered long after all faults have healed.
    Requests {
        /// How everybody stands.
        state: String,
    },
    /// The reads of all objects at the end are unanswered.
    Audit,
    /// A group keeps answers of sessions that have expired.
    Sessions {
        /// Where it was seen.
        group: GroupId,
        /// How many sessions.
        sessions: usize,
    },
    /// A group still has commands in its queues once all is quiet.
    Queues {
        /// Where it was seen.
        group: GroupId,
        /// How many commands.
        unfinished: usize,
    },
}

impl InvariantViolation {
    /// Whether it is one only if it lasts: something is still under way.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Order(OrderViolation::Incomplete { .. })
                | Self::Progress(Stall::Queues { .. } | Stall::Sessions { .. })
        )
    }

    /// The invariant that is violated.
    #[must_use]
    pub fn invariant(&self) -> Invariant {
        match self {
            Self::Agreement { .. } => Invariant::Agreement,
            Self::Order(_) => Invariant::Order,
            Self::Ownership { .. } => Invariant::Ownership,
            Self::Answers { .. } => Invariant::Answers,
            Self::Progress(_) => Invariant::Progress,
            Self::NotLinearizable(Rejection::BlackBox(_)) => Invariant::BlackBox,
            Self::NotLinearizable(_) => Invariant::Witnessed,
            Self::NeverHeld(_) => Invariant::OnceTrue,
            Self::Storage(_) => Invariant::Storage,
            Self::Assertion(_) => Invariant::Assertion,
        }
    }

    /// Whether the violation is about this object. Of a failed assertion only the message is
    /// known, so the object's id is looked for in it.
    #[must_use]
    pub fn concerns(&self, object: ObjectId) -> bool {
        match self {
            Self::Order(OrderViolation::Backwards { object: named, .. }) => *named == object,
            Self::Agreement { .. } | Self::Order(_) | Self::Progress(_) | Self::Storage(_) => false,
            Self::Ownership { object: owned, .. } => *owned == object,
            Self::Answers { first, other, .. } => {
                let mut touched = first.touched.iter().chain(&other.touched);
                touched.any(|touch| touch.object == object)
            }
            Self::NeverHeld(never) => never.object == object,
            Self::NotLinearizable(rejection) => {
                let mut violations = rejection.violations();
                violations.any(|violation| violation.objects.contains(&object))
            }
            Self::Assertion(message) => {
                let id = object.to_string();
                let mut words = message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
                words.any(|word| word.trim_end_matches('.') == id)
            }
        }
    }
}

impl fmt::Display for InvariantViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreement {
                group,
                applied,
                first,
                other,
            } => write!(
                f,
                "agreement: replicas of {group} differ after entry {applied}: \
                 {first:x} and {other:x}"
            ),
            Self::Order(violation) => write!(f, "order: {violation}"),
            Self::Ownership {
                object,
                owner,
                other,
            } => write!(f, "ownership: {object} is owned by {owner} and by {other}"),
            Self::Answers { id, first, other } => {
                write!(
                    f,
                    "answers: {id:?} is answered with {first:?} and {other:?}"
                )
            }
            Self::Progress(stall) => write!(f, "progress: {stall}"),
            Self::NotLinearizable(rejection) => write!(f, "{rejection}"),
            Self::NeverHeld(never) => write!(f, "{never}"),
            Self::Storage(message) => write!(f, "storage: {message}"),
            Self::Assertion(message) => write!(f, "assertion: {message}"),
        }
    }
}

impl std::error::Error for InvariantViolation {}

impl fmt::Display for OrderViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoTimestamps { id, first, other } => {
                write!(f, "{id:?} is final at {first:?} and at {other:?}")
            }
            Self::NotDestination { group, id } => {
                write!(f, "{group} delivered {id:?}, which is not for it")
            }
            Self::TwoSequences {
                group,
                place,
                first,
                other,
            } => write!(
                f,
                "{group} delivered {other:?} and {first:?} as number {place}"
            ),
            Self::Backwards {
                group,
                object,
                id,
                timestamp,
                last,
            } => write!(
                f,
                "{group} delivered {id:?} at {timestamp:?} after {last:?} on {object}"
            ),
            Self::Incomplete {
                id,
                destinations,
                delivered_by,
            } => write!(
                f,
                "{id:?} is for {destinations:?} and was delivered by {delivered_by:?}"
            ),
        }
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEvents => write!(f, "nothing happens any more"),
            Self::Endless { steps } => write!(f, "after {steps} events there is no end"),
            Self::Requests { state } => write!(
                f,
                "requests are unanswered long after all faults have healed{state}"
            ),
            Self::Audit => write!(f, "the audit is not answered"),
            Self::Sessions { group, sessions } => {
                write!(
                    f,
                    "{group} keeps answers of {sessions} sessions that have expired"
                )
            }
            Self::Queues { group, unfinished } => {
                write!(f, "{group} has {unfinished} unfinished commands")
            }
        }
    }
}

impl From<OrderViolation> for InvariantViolation {
    fn from(violation: OrderViolation) -> Self {
        Self::Order(violation)
    }
}

impl From<Stall> for InvariantViolation {
    fn from(stall: Stall) -> Self {
        Self::Progress(stall)
    }
}

impl From<Rejection> for InvariantViolation {
    fn from(rejection: Rejection) -> Self {
        Self::NotLinearizable(rejection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_is_about_the_objects_in_its_message() {
        let violation = InvariantViolation::Assertion("0.7 moved here, not a.1.".into());
        assert!(violation.concerns(ObjectId::new(0, 7)));
        assert!(violation.concerns(ObjectId::new(10, 1)));
        assert!(!violation.concerns(ObjectId::new(0, 1)));
    }

    #[test]
    fn an_owner_too_many_is_about_the_object_alone() {
        let violation = InvariantViolation::Ownership {
            object: ObjectId::new(0, 7),
            owner: GroupId::ORACLE,
            other: ssmr_core::PartitionId(1).into(),
        };
        assert!(violation.concerns(ObjectId::new(0, 7)));
        assert!(!violation.concerns(ObjectId::new(0, 1)));
        let text = "ownership: 0.7 is owned by oracle and by p1";
        assert_eq!(violation.to_string(), text);
    }
}
