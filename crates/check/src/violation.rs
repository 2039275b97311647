//! What a check reports when a history is not linearizable: the rule, the objects, the operations,
//! and why. It finds nothing itself.

use crate::history::History;
use crate::operation::{Fate, Observed};
use serde::{Deserialize, Serialize};
use ssmr_core::{Application, Encoded, ObjectId, Revision, codec};
use std::fmt;
use std::fmt::Debug;

/// Which rule a history breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ViolationKind {
    /// An answer does not fit its request: what it says it found and left is not what such a
    /// command does.
    Answer(Misfit),
    /// Two operations left the same revision, or replaced the same one: a lost update or a double
    /// execution.
    Fork,
    /// A revision was found that no operation can have left, or an operation took effect on some
    /// objects only.
    Unexplained,
    /// An object was called present where it did not exist, or absent where it did.
    Existence,
    /// The orders of the objects and real time contradict each other.
    Cycle,
    /// The sequential replay of the order gives another outcome.
    Replay,
    /// No order of the operations explains what the clients saw.
    NotLinearizable,
}

impl fmt::Display for ViolationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer(_) => "an answer does not fit its request",
            Self::Fork => "a revision has two origins or two successors",
            Self::Unexplained => "an effect without an operation, or part of one",
            Self::Existence => "an object exists where it must not, or the other way round",
            Self::Cycle => "the objects' orders and real time form a cycle",
            Self::Replay => "a sequential replay gives another outcome",
            Self::NotLinearizable => "no sequential order explains the outcomes",
        })
    }
}

/// What is wrong with a single answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Misfit {
    /// It was recorded by [`History::observe`], without timestamp and revisions.
    Unwitnessed,
    /// It has no timestamp.
    Unordered,
    /// It tells of an object that the request does not name.
    OtherObject,
    /// It does not tell of an object on which the command took effect.
    UntoldObject,
    /// A create found something, or did not leave version 0 of its own epoch.
    Create,
    /// The command took effect on an object that did not exist.
    Absent,
    /// A delete left something.
    Delete,
    /// A read left something else than it found.
    Read,
    /// A write did not leave the next version.
    Write,
    /// A move changed the version, or did not begin its own, later epoch.
    Move,
    /// `AlreadyExists` without an object that exists.
    NothingExists,
    /// `AlreadyExists` told of something else than an existing object to create.
    NotToCreate,
    /// `NotFound` without an object that is absent.
    NothingAbsent,
    /// `NotFound` told of something else than an absent object that is needed.
    NotNeeded,
    /// The command took effect on an object that was not as it expects.
    Unexpected,
    /// `Changed` without an object that is not as expected.
    NothingChanged,
    /// `Changed` told of an object that is as expected, or of which nothing was expected.
    NotChanged,
    /// The service panicked, and something was written.
    FailedWrite,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unwitnessed => {
                "its outcome was recorded without timestamp and revisions: only the black-box \
                 check can judge it"
            }
            Self::Unordered => "it was decided without a place in the order",
            Self::OtherObject => "its answer tells of an object that it does not name",
            Self::UntoldObject => "it took effect without telling on what",
            Self::Create => "a create must find nothing and leave version 0 of its epoch",
            Self::Absent => "it took effect on an object that did not exist",
            Self::Delete => "a delete must leave nothing",
            Self::Read => "a read must leave what it found",
            Self::Write => "a write must leave the next version",
            Self::Move => "a move must keep the version and begin its own, later epoch",
            Self::NothingExists => "it does not tell what exists already",
            Self::NotToCreate => "this is not an existing object to create",
            Self::NothingAbsent => "it does not tell what is absent",
            Self::NotNeeded => "this is not an absent object it needs",
            Self::Unexpected => "it took effect on an object that is not as it expects",
            Self::NothingChanged => "it does not tell what has changed",
            Self::NotChanged => "this is not an object that has changed",
            Self::FailedWrite => "an operation that failed must write nothing",
        })
    }
}

/// Why a history is not linearizable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The rule that it breaks.
    pub kind: ViolationKind,
    /// The objects on which it does.
    pub objects: Vec<ObjectId>,
    /// The operations involved, described: number, client, times, request, outcome, revisions found
    /// and left.
    pub operations: Vec<String>,
    /// What is wrong with them.
    pub explanation: String,
}

impl Violation {
    /// A violation on objects and by operations that are given by number.
    pub(crate) fn new<A: Application>(
        history: &History<A>,
        kind: ViolationKind,
        objects: &[u32],
        operations: impl IntoIterator<Item = u32>,
        explanation: String,
    ) -> Self {
        let ids = history.objects.values();
        let operations = operations.into_iter();
        Self {
            kind,
            objects: objects.iter().map(|&o| ids[o as usize]).collect(),
            operations: operations.map(|o| describe(history, o)).collect(),
            explanation,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects: Vec<String> = self.objects.iter().map(ToString::to_string).collect();
        write!(f, "not linearizable: {}", self.kind)?;
        write!(
            f,
            " (objects: {})\n  {}",
            objects.join(", "),
            self.explanation
        )?;
        for operation in &self.operations {
            write!(f, "\n  {operation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}

/// What both checks together found in one history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rejection {
    /// The witnessed check found a violation, the black-box check none: it knows less.
    Witnessed(Violation),
    /// The black-box check found a violation that the witnessed check missed: one of them is wrong.
    BlackBox(Violation),
    /// Both found one.
    Both {
        /// The witnessed check's.
        witnessed: Box<Violation>,
        /// The black-box check's.
        black_box: Box<Violation>,
    },
}

impl Rejection {
    /// The violations, the witnessed check's first.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        let (first, second) = match self {
            Self::Witnessed(violation) | Self::BlackBox(violation) => (violation, None),
            Self::Both {
                witnessed,
                black_box,
            } => (&**witnessed, Some(&**black_box)),
        };
        std::iter::once(first).chain(second)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Witnessed(violation) => write!(f, "witnessed: {violation}"),
            Self::BlackBox(violation) => write!(f, "black-box: {violation}"),
            Self::Both {
                witnessed,
                black_box,
            } => write!(f, "witnessed: {witnessed}\nblack-box: {black_box}"),
        }
    }
}

impl std::error::Error for Rejection {}

/// Describes an operation in one line: `#4 c1 [20..35 us] Add(..) [Update 0.7] = Done 5 at 9@p0;
/// 0.7: 3@p0v1 -> 3@p0v2`.
fn describe<A: Application>(history: &History<A>, index: u32) -> String {
    let operation = &history.operations[index as usize];
    let object = |number: u32| history.objects.values()[number as usize];
    let items = history.items(index as usize);
    let actions: Vec<String> = items
        .iter()
        .map(|item| format!("{} {}", item.action, object(item.object)))
        .collect();
    let completed = if operation.answered {
        operation.completed.to_string()
    } else {
        "?".into()
    };
    let mut line = format!(
        "#{index} {:?} [{}..{completed} us] ",
        operation.client, operation.invoked
    );
    if !operation.op.is_empty() {
        line += &show::<A::Op>(&operation.op);
        line += " ";
    }
    line += &format!(
        "[{}] = {}",
        cut(actions.join(", ")),
        outcome::<A>(&operation.fate)
    );
    if !operation.answered {
        line += " (unanswered)";
    }
    if let Some(timestamp) = operation.timestamp {
        line += &format!(" at {timestamp:?}");
    }
    let told = items.iter().filter(|item| item.before != Observed::Untold);
    let touched: Vec<String> = told
        .map(|item| {
            let (before, after) = (
                revision(history, item.before),
                revision(history, item.after),
            );
            format!("; {}: {before} -> {after}", object(item.object))
        })
        .collect();
    line + &cut(touched.concat())
}

/// An outcome with its reply, decoded if it can be.
pub(crate) fn outcome<A: Application>(fate: &Fate) -> String {
    match fate {
        Fate::Done(reply) if reply.is_empty() => "Done".into(),
        Fate::Done(reply) => format!("Done {}", show::<A::Reply>(reply)),
        other => format!("{other:?}"),
    }
}

fn revision<A: Application>(history: &History<A>, seen: Observed) -> String {
    match seen {
        Observed::Untold => "?".into(),
        Observed::Absent => "absent".into(),
        Observed::At { epoch, version } => {
            let epoch = history.epochs.values()[epoch as usize];
            format!(
                "{:?}",
                Revision {
                    epoch,
                    version: version.into()
                }
            )
        }
    }
}

fn show<T: serde::de::DeserializeOwned + Debug>(bytes: &Encoded) -> String {
    cut(codec::decode::<T>(bytes).map_or_else(|_| format!("{bytes:?}"), |t| format!("{t:?}")))
}

/// A post with a thousand followers must not hide the point.
fn cut(text: String) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
