//! What comes back: verdicts and answers of the replicas, outcomes and completions for the user.

use crate::command::CommandId;
use crate::id::{Encoded, Hint, ObjectId, Revision, Timestamp};
use crate::request::Defect;
use crate::time::{LocalTime, LogTime};
use serde::{Deserialize, Serialize};

/// What all destinations of a command conclude from its signals, unanimously (rule R4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// It took effect.
    Done,
    /// An object that it creates exists: nothing changed.
    AlreadyExists,
    /// An object that it needs does not exist: nothing changed.
    NotFound,
    /// Its plan was stale: nothing changed, another attempt may follow.
    Retry,
    /// A group had forgotten its session: nothing changed by this attempt.
    SessionExpired,
    /// What it reads or moves is larger than [`MAX_OPERANDS`](crate::limits::MAX_OPERANDS): nothing
    /// changed.
    TooLarge,
    /// An object is not as it expects it, at some revision or absent: nothing changed.
    Changed,
    /// It took its place, but the service panicked: the operation changed nothing. What the command
    /// creates, deletes and moves besides took effect. Known where the operation ran.
    Failed,
    /// It took its place once, and its answer was too much to keep until it was asked for again
    /// ([`SESSION_ANSWERS`](crate::limits::SESSION_ANSWERS)). No signals lead to it.
    Forgotten,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::AlreadyExists,
        Self::NotFound,
        Self::Retry,
        Self::SessionExpired,
        Self::TooLarge,
        Self::Changed,
        Self::Failed,
        Self::Forgotten,
    ];

    /// Its name: lower-case words with underscores between them.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadyExists => "already_exists",
            Self::NotFound => "not_found",
            Self::Retry => "retry",
            Self::SessionExpired => "session_expired",
            Self::TooLarge => "too_large",
            Self::Changed => "changed",
            Self::Failed => "failed",
            Self::Forgotten => "forgotten",
        }
    }
}

/// An object as a command found it and left it; `None` where it did not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// What the command names.
    pub object: ObjectId,
    /// Its revision before.
    pub before: Option<Revision>,
    /// Its revision after.
    pub after: Option<Revision>,
}

/// The outcome of one attempt, as a group records it and tells the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Which attempt.
    pub id: CommandId,
    /// The verdict.
    pub verdict: Verdict,
    /// The application's encoded reply; empty unless an operation ran.
    pub reply: Encoded,
    /// The final timestamp: where in the total order it happened. Without a place in it, the clock
    /// of the group then.
    pub timestamp: Timestamp,
    /// The objects whose state the signals told, ascending. With [`Verdict::NotFound`]: those known
    /// to be absent.
    pub touched: Vec<Touch>,
}

/// How a request ended, for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect; the application's encoded reply, empty unless an operation ran.
    Done(Encoded),
    /// An object that it creates exists already: nothing changed.
    AlreadyExists,
    /// An object that it needs does not exist: nothing changed.
    NotFound,
    /// An object is not as it expects it, at some revision or absent: nothing changed.
    Changed,
    /// The service panicked on it: the operation changed nothing.
    Failed,
    /// The strategy cannot do it by design (a move under static placement): nothing changed.
    Unsupported,
    /// It breaks a bound: nothing changed.
    Refused(Defect),
    /// It outlived its session or its deadline: it took effect once or not at all.
    Unknown,
}

impl Outcome {
    /// Whether the service decided: done, failed, already exists, not found or changed.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        matches!(
            self,
            Self::Done(_) | Self::Failed | Self::AlreadyExists | Self::NotFound | Self::Changed
        )
    }
}

/// A request that ended, with what it took.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The ticket that [`ClientEngine::submit`](crate::client::ClientEngine::submit) gave out.
    pub ticket: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The last attempt's place in the total order, if it was ordered.
    pub timestamp: Option<Timestamp>,
    /// What it touched, if it was ordered.
    pub touched: Vec<Touch>,
    /// The last attempt that was sent, for attributing what an unanswered command wrote; `None` if
    /// none was, or if it was answered with what changes nothing, and no other followed.
    pub last_attempt: Option<CommandId>,
    /// When it was submitted.
    pub invoked: LocalTime,
    /// When it ended.
    pub completed: LocalTime,
    /// What it cost.
    pub cost: Cost,
}

/// What one request cost, for the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Retries, those of the moves that `gather` made for it included.
    pub retries: u32,
    /// 1 if it had to be sent to all groups.
    pub fallbacks: u32,
    /// Destination groups, summed over its attempts.
    pub groups: u32,
    /// Moves made for it, and 1 if it is a move itself.
    pub moves: u32,
    /// Unordered questions to an oracle.
    pub oracle_consults: u32,
    /// Hints that the shared cache had.
    pub cache_hits: u32,
    /// Hints that the shared cache did not have.
    pub cache_misses: u32,
    /// Whether its last attempt went to more than one partition.
    pub multi_partition: bool,
    /// Whether it was answered without being ordered.
    pub unordered: bool,
    /// Whether the shared cache answered it: with what the object was, perhaps not with what it is.
    pub stale: bool,
    /// Published values that the shared cache did not have, or that were none of an owner's.
    pub stale_misses: u32,
    /// How long its last attempt took at the group that answered it, if the group measures that.
    pub stages: Option<Stages>,
}

/// Where the time of an attempt went at the group that answered it, by the clock of the replica
/// that did; in microseconds, at most an hour each.
///
/// What is left of the time that a client saw went into sending both ways, look-ups and earlier
/// attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// From its arrival to its place in the order, or to its answer if it is not ordered.
    pub order_us: u32,
    /// From its place in the order until it executed: for earlier commands on the same objects, and
    /// for what other groups had to say.
    pub wait_us: u32,
    /// The step in which it executed. If others did in the same step, an equal part of it.
    pub execute_us: u32,
}

/// What a replica tells a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The outcome of an attempt. Hints are added afresh and are not recorded.
    Answer {
        /// The recorded outcome; shared, for a repeat is answered with the same.
        answer: std::sync::Arc<Answer>,
        /// Where the answering group believes the objects to be.
        hints: Vec<Hint>,
        /// The group's log time.
        time: LogTime,
    },
    /// The answer to a consultation: what is known of the objects asked for, with those that the
    /// group knows nothing of.
    Consulted {
        /// Hints.
        hints: Vec<Hint>,
        /// Objects of which the group knows nothing.
        unknown: Vec<ObjectId>,
    },
    /// The answer to a greeting: the group's log time.
    Time(LogTime),
    /// Somebody else leads this group.
    NotLeader {
        /// Who leads it, as far as is known.
        leader: Option<u8>,
    },
    /// The attempt breaks a bound of configuration and command alone.
    Refused {
        /// Which attempt.
        id: CommandId,
        /// The bound that it breaks.
        defect: Defect,
    },
    /// The attempt's session is too old here, and the attempt was not logged.
    Expired {
        /// Which attempt.
        id: CommandId,
        /// The group's log time: the next session starts from it.
        time: LogTime,
    },
    /// Comes right before the answer to an attempt or query, where replicas measure.
    Measured {
        /// Which one.
        id: CommandId,
        /// Where its time went.
        stages: Stages,
    },
}

/// What a client asks a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// Hand in a command to be multicast.
    Submit(std::sync::Arc<crate::command::Command>),
    /// Answer this without ordering it, or decline with [`Verdict::Retry`].
    Query(std::sync::Arc<crate::read::Query>),
    /// Where are these objects? Unordered: the answer is a hint. At most
    /// [`MAX_OBJECTS`](crate::limits::MAX_OBJECTS) of them, or there is none.
    Consult(Vec<ObjectId>),
    /// What time is it in this group's log?
    Hello,
    /// Somebody reads [published values](crate::published), that of this object among them. If the
    /// group owns the object its leader stores it, and the leader publishes each change of its
    /// objects for [a while](crate::published::INTEREST_US). It is never answered.
    Publish(ObjectId),
}
