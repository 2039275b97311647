//! How many commands were answered, by what they were and what came of them.
//!
//! Statistics, outside the ordered state: a replica counts what it answers while it leads.

use crate::answer::Verdict;
use crate::request::{Intent, Request};
use serde::{Deserialize, Serialize};

/// What a command is: the first of these that one of its intents is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CommandKind {
    /// It creates an object.
    Create,
    /// It deletes one.
    Delete,
    /// It moves one.
    Move,
    /// It changes one.
    Write,
    /// It reads some, in order.
    Read,
    /// It asks in order whether objects exist.
    Lookup,
    /// A read that is not ordered.
    Query,
}

impl CommandKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Delete,
        Self::Move,
        Self::Write,
        Self::Read,
        Self::Lookup,
        Self::Query,
    ];

    /// What an ordered command with this request is.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let kind = |(_, intent): &(_, Intent)| match intent {
            Intent::Create { .. } => Self::Create,
            Intent::Delete => Self::Delete,
            Intent::Move { .. } => Self::Move,
            Intent::Write | Intent::Update => Self::Write,
            Intent::Read => Self::Read,
            Intent::Lookup => Self::Lookup,
        };
        let first = request.intents().iter().map(kind).min();
        first.unwrap_or(Self::Read)
    }

    /// Its name: one lower-case word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Move => "move",
            Self::Write => "write",
            Self::Read => "read",
            Self::Lookup => "lookup",
            Self::Query => "query",
        }
    }
}

/// How many commands of each kind were answered with each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally([[u64; Verdict::ALL.len()]; CommandKind::ALL.len()]);

impl Tally {
    /// One more was answered.
    pub fn add(&mut self, kind: CommandKind, verdict: Verdict) {
        self.0[kind as usize][verdict as usize] += 1;
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self, kind: CommandKind, verdict: Verdict) -> u64 {
        self.0[kind as usize][verdict as usize]
    }

    /// How many there were of each kind with each verdict, those included that there were none of.
    pub fn iter(&self) -> impl Iterator<Item = (CommandKind, Verdict, u64)> {
        CommandKind::ALL.into_iter().flat_map(move |kind| {
            Verdict::ALL
                .into_iter()
                .map(move |verdict| (kind, verdict, self.count(kind, verdict)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ObjectId;

    #[test]
    fn a_command_is_what_the_strongest_of_its_intents_is() {
        let [x, y] = [1, 2].map(|key| ObjectId::new(key, key));
        assert_eq!(CommandKind::of(&Request::lookup(x)), CommandKind::Lookup);
        assert_eq!(CommandKind::of(&Request::delete(x)), CommandKind::Delete);
        assert_eq!(CommandKind::of(&Request::default()), CommandKind::Read);
        let both = Request::delete(y).and(x, Intent::Lookup);
        assert_eq!(CommandKind::of(&both), CommandKind::Delete);
    }

    #[test]
    fn kinds_and_verdicts_are_counted_apart() {
        let mut tally = Tally::default();
        for (place, kind) in CommandKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
            for (place, verdict) in Verdict::ALL.into_iter().enumerate() {
                assert_eq!(verdict as usize, place);
                tally.add(kind, verdict);
            }
        }
        tally.add(CommandKind::Move, Verdict::Retry);
        assert!(tally.iter().all(|(kind, verdict, count)| {
            let twice = (kind, verdict) == (CommandKind::Move, Verdict::Retry);
            count == if twice { 2 } else { 1 }
        }));
        assert_eq!(tally.iter().count(), 63);
    }
}
