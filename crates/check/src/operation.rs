//! One operation of a history as the checks see it: what was intended, what the answer told.

use ssmr_core::{ClientId, Encoded, Intent, Micros, Timestamp};
use std::fmt;

/// One request and how it ended.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) client: ClientId,
    pub(crate) invoked: Micros,
    pub(crate) completed: Micros,
    /// The encoded operation of the application; empty if the request has none.
    pub(crate) op: Encoded,
    /// Whether the client was told the fate; if not, it was attributed later or is unknown.
    pub(crate) answered: bool,
    pub(crate) fate: Fate,
    /// Where the answer places it in the total order.
    pub(crate) timestamp: Option<Timestamp>,
    /// Whether its outcome was recorded without timestamp and revisions, by choice.
    pub(crate) unwitnessed: bool,
    /// The answer told something of an object that the request does not name.
    pub(crate) tells_of_others: bool,
    /// Where its items begin; they end where those of the next operation begin.
    pub(crate) first_item: usize,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It took effect, with this reply.
    Done(Encoded),
    /// It took effect but for its operation, on which the service panicked.
    Failed,
    /// An object was not at the revision that it expects.
    Changed,
    /// An object to create existed.
    AlreadyExists,
    /// An object that it needs did not exist.
    NotFound,
    /// It had no effect and says nothing of the state.
    Nothing,
    /// It took effect once, or not at all.
    Unknown,
}

impl Fate {
    /// Whether what it creates, deletes and moves took effect.
    pub(crate) fn took_place(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed)
    }
}

/// One object that an operation names: what was intended, and what the answer told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// The number of the object.
    pub(crate) object: u32,
    pub(crate) action: Action,
    /// What the request expects: a revision, or that it is absent; untold if nothing.
    pub(crate) expected: Observed,
    /// What the operation found.
    pub(crate) before: Observed,
    /// What it left.
    pub(crate) after: Observed,
}

impl Item {
    /// Whether the operation changed the object, as far as the answer tells: a move did not.
    pub(crate) fn may_have_changed(&self) -> bool {
        let version = |seen| match seen {
            Observed::At { version, .. } => Some(version),
            Observed::Untold | Observed::Absent => None,
        };
        let is_told = self.before != Observed::Untold && self.after != Observed::Untold;
        let places = matches!(self.action, Action::Create(_) | Action::Delete);
        match is_told {
            true => version(self.before) != version(self.after),
            false => places || self.action.writes(),
        }
    }

    /// Whether the operation takes effect only where the object exists.
    pub(crate) fn needs_object(&self) -> bool {
        !self.action.creates() && self.expected != Observed::Absent
    }
}

/// An [`Intent`] in little space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// With the number of its value.
    Create(u32),
    Delete,
    Read,
    Write,
    Update,
    Move,
    Lookup,
}

impl Action {
    /// The action of an intent; `number` numbers the value of a create.
    pub(crate) fn of(intent: &Intent, number: impl FnOnce(&Encoded) -> u32) -> Self {
        match intent {
            Intent::Create { value, .. } => Self::Create(number(value)),
            Intent::Delete => Self::Delete,
            Intent::Read => Self::Read,
            Intent::Write => Self::Write,
            Intent::Update => Self::Update,
            Intent::Move { .. } => Self::Move,
            Intent::Lookup => Self::Lookup,
        }
    }

    /// Whether the outcome may depend on the value.
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Update)
    }

    /// Whether the application may change the value.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Update)
    }

    /// Whether the object must be absent.
    pub(crate) fn creates(self) -> bool {
        matches!(self, Self::Create(_))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create(_) => "create",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Write => "write",
            Self::Update => "update",
            Self::Move => "move",
            Self::Lookup => "lookup",
        })
    }
}

/// What an answer told of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// Nothing.
    Untold,
    /// It did not exist.
    Absent,
    /// It existed at this revision.
    At {
        /// The number of the epoch.
        epoch: u32,
        version: u32,
    },
}
