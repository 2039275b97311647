//! What a check reports when a history is not linearizable: the rule, the objects, the operations, and why.

use crate::history::{Fate, History, Seen};
use ssmr_core::{Application, Encoded, ObjectId, Revision, codec};
use std::fmt;
use std::fmt::Debug;

/// Which rule a history breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An answer does not fit its request: what it says it found and left is not what such a command does.
    Answer,
    /// Two operations left the same revision, or replaced the same one: a lost update or a double execution.
    Fork,
    /// A revision was found that no operation can have left, or an operation took effect on some objects only.
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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer => "an answer does not fit its request",
            Self::Fork => "a revision has two origins or two successors",
            Self::Unexplained => "an effect without an operation, or part of one",
            Self::Existence => "an object exists where it must not, or the other way round",
            Self::Cycle => "the objects' orders and real time form a cycle",
            Self::Replay => "a sequential replay gives another outcome",
            Self::NotLinearizable => "no sequential order explains the outcomes",
        })
    }
}

/// Why a history is not linearizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule that it breaks.
    pub fault: Fault,
    /// The objects on which it does.
    pub objects: Vec<ObjectId>,
    /// The operations involved, described: number, client, times, request, outcome, revisions found and left.
    pub operations: Vec<String>,
    /// What is wrong with them.
    pub explanation: String,
}

impl Violation {
    pub(super) fn new<A: Application>(
        history: &History<A>,
        fault: Fault,
        objects: &[u32],
        operations: impl IntoIterator<Item = u32>,
        explanation: String,
    ) -> Self {
        let things = history.objects.things();
        let operations = operations.into_iter();
        Self {
            fault,
            objects: objects.iter().map(|&o| things[o as usize]).collect(),
            operations: operations.map(|o| describe(history, o)).collect(),
            explanation,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects: Vec<String> = self.objects.iter().map(ToString::to_string).collect();
        write!(f, "not linearizable: {}", self.fault)?;
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

/// One operation in one line: `#4 c1 [20..35 us] Add(..) [Update 0.7] = Done 5 at 9@p0; 0.7: 3@p0v1 -> 3@p0v2`.
fn describe<A: Application>(history: &History<A>, index: u32) -> String {
    let operation = &history.operations[index as usize];
    let object = |number: u32| history.objects.things()[number as usize];
    let items = history.items(index as usize);
    let aims: Vec<String> = items
        .iter()
        .map(|item| format!("{} {}", item.aim, object(item.object)))
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
        cut(aims.join(", ")),
        outcome::<A>(&operation.fate)
    );
    if !operation.answered {
        line += " (unanswered)";
    }
    if let Some(timestamp) = operation.timestamp {
        line += &format!(" at {timestamp:?}");
    }
    let told = items.iter().filter(|item| item.before != Seen::Untold);
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
pub(super) fn outcome<A: Application>(fate: &Fate) -> String {
    match fate {
        Fate::Done(reply) if reply.is_empty() => "Done".into(),
        Fate::Done(reply) => format!("Done {}", show::<A::Reply>(reply)),
        other => format!("{other:?}"),
    }
}

fn revision<A: Application>(history: &History<A>, seen: Seen) -> String {
    match seen {
        Seen::Untold => "?".into(),
        Seen::Absent => "absent".into(),
        Seen::At { epoch, version } => {
            let epoch = history.epochs.things()[epoch as usize];
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
