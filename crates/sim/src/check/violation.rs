//! What a check reports when a history is not linearizable: the rule, the objects, the operations, and why.

use ssmr_core::ObjectId;
use std::fmt;

/// Which rule a history breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An answer does not fit its request: what it says it found and left is not what such a command does.
    Answer,
    /// A revision was replaced or left by two operations: a lost update or a double execution.
    Fork,
    /// A revision was found that no operation can have left, or left that cannot have been there.
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
            Self::Fork => "a revision has two successors or two origins",
            Self::Unexplained => "a revision has no origin",
            Self::Existence => "an object exists where it does not, or the other way round",
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
    /// The operations involved, described: client, request, times, outcome, revisions.
    pub operations: Vec<String>,
    /// What is wrong with them.
    pub explanation: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects: Vec<String> = self.objects.iter().map(ToString::to_string).collect();
        write!(
            f,
            "not linearizable: {} (objects: {})",
            self.fault,
            objects.join(", ")
        )?;
        write!(f, "\n  {}", self.explanation)?;
        for operation in &self.operations {
            write!(f, "\n  - {operation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}
