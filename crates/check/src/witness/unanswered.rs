//! Operations that were neither answered nor attributed: what they may have done, and what they
//! must have done.
//!
//! It does not search for the best assignment: see the module above for what is checked and what is
//! left open. The black-box check does search.

use super::graph::Graph;
use crate::history::History;
use crate::operation::{Action, Fate};
use crate::violation::{Violation, ViolationKind};
use ssmr_core::{Application, Micros};
use std::collections::BTreeMap;
use std::fmt;

/// Transitions of one object that no operation of known fate made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    creates: usize,
    writes: usize,
    deletes: usize,
    moved: bool,
}

impl Hidden {
    /// From existing at one version to existing at another: the least that can have happened.
    pub(super) fn between(from: u64, to: u64) -> Self {
        match to.checked_sub(from) {
            Some(writes) => Self {
                writes: writes as usize,
                moved: true,
                ..Self::default()
            },
            None => Self {
                deletes: 1,
                ..Self::creation(to)
            },
        }
    }

    /// From not existing to existing at a version.
    pub(super) fn creation(version: u64) -> Self {
        Self {
            creates: 1,
            writes: version as usize,
            ..Self::default()
        }
    }

    /// A delete, if there must have been one.
    pub(super) fn deletion(needed: bool) -> Self {
        Self {
            deletes: needed.into(),
            ..Self::default()
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            creates: self.creates + other.creates,
            writes: self.writes + other.writes,
            deletes: self.deletes + other.deletes,
            moved: self.moved || other.moved,
        }
    }

    /// How many of them a client can see: all but moves.
    pub(super) fn count(self) -> usize {
        self.creates + self.writes + self.deletes
    }

    /// The kind of transition that the candidates are too few for, if there is one: how many of a
    /// kind there are in given transitions, and an explanation.
    pub(super) fn beyond(self, candidates: Option<&Candidates>) -> Option<(Count, String)> {
        let none = Candidates::default();
        let Candidates {
            creates,
            writes,
            deletes,
            ..
        } = candidates.unwrap_or(&none);
        let kinds: [(&str, Count, usize); 3] = [
            ("create", |hidden| hidden.creates, creates.len()),
            ("write", |hidden| hidden.writes, writes.len()),
            ("delete", |hidden| hidden.deletes, deletes.len()),
        ];
        let (kind, count, had) = kinds
            .into_iter()
            .find(|(_, count, had)| count(self) > *had)?;
        let needed = count(self);
        let text = format!(
            "{needed} such {kind}(s) of the object needed, \
             {had} unanswered operation(s) to choose from"
        );
        Some((count, text))
    }
}

/// How many transitions of one kind there are.
type Count = fn(Hidden) -> usize;

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.deletes, "delete"),
            (self.creates, "create"),
            (self.writes, "write"),
        ];
        let needed = kinds.iter().filter(|(count, _)| *count > 0);
        let names: Vec<String> = needed
            .map(|(count, kind)| format!("{count} {kind}"))
            .collect();
        f.write_str(&names.join(" and "))
    }
}

/// The operations of unknown fate that may have changed an object.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    creates: Vec<u32>,
    writes: Vec<u32>,
    deletes: Vec<u32>,
    /// When the first of the creates and deletes was invoked: until then they changed nothing.
    doubted_from: Option<Micros>,
}

impl Candidates {
    /// The one operation that must have made a hidden transition, if it is the only one of its kind
    /// and there is only one candidate.
    pub(super) fn author(&self, hidden: Hidden, total: Hidden) -> Option<u32> {
        let (list, total) = match hidden {
            _ if hidden.count() != 1 => return None,
            Hidden { creates: 1, .. } => (&self.creates, total.creates),
            Hidden { writes: 1, .. } => (&self.writes, total.writes),
            _ => (&self.deletes, total.deletes),
        };
        list.first()
            .copied()
            .filter(|_| total == 1 && list.len() == 1)
    }

    /// Whether the object's existence is ever in doubt.
    fn existence_in_doubt(&self) -> bool {
        self.doubted_from.is_some()
    }

    /// An operation that was invoked then may have created or deleted the object.
    fn doubt(&mut self, invoked: Micros) {
        let from = self.doubted_from.unwrap_or(Micros::MAX);
        self.doubted_from = Some(from.min(invoked));
    }
}

/// The candidates for each object that has any.
pub(super) struct Suspects(BTreeMap<u32, Candidates>);

impl Suspects {
    pub(super) fn of<A: Application>(history: &History<A>) -> Self {
        let mut all: BTreeMap<u32, Candidates> = BTreeMap::new();
        let operations = (0..).zip(&history.operations);
        for (operation, told) in operations.filter(|(_, o)| o.fate == Fate::Unknown) {
            for item in history.items(operation as usize) {
                let candidates = all.entry(item.object).or_default();
                match item.action {
                    Action::Create(_) => {
                        candidates.creates.push(operation);
                        candidates.doubt(told.invoked);
                    }
                    Action::Delete => {
                        candidates.deletes.push(operation);
                        candidates.doubt(told.invoked);
                    }
                    Action::Write | Action::Update => candidates.writes.push(operation),
                    Action::Read | Action::Move | Action::Lookup => {}
                }
            }
        }
        Self(all)
    }

    pub(super) fn of_object(&self, object: u32) -> Option<&Candidates> {
        self.0.get(&object)
    }

    /// Whether an operation of unknown fate may have created or deleted the object before another
    /// one that was over by `end`: what ended before it was invoked, it cannot have changed.
    pub(super) fn existence_in_doubt(&self, object: u32, end: Micros) -> bool {
        let from = self.of_object(object).and_then(|c| c.doubted_from);
        from.is_some_and(|from| end >= from)
    }
}

/// How the known line of an object's states ends.
pub(super) struct End {
    /// The object exists in the last state.
    pub(super) alive: bool,
    /// The operations that a later change must follow.
    pub(super) front: Vec<u32>,
    /// All its hidden transitions.
    pub(super) hidden: Hidden,
}

/// The ends of objects that have candidates.
pub(super) type Ends = BTreeMap<u32, End>;

/// Sees to it that operations that must have taken effect on one object do so on the others that
/// they write: where nobody found such a write, it comes after everything known.
pub(super) fn settle<A: Application>(
    history: &History<A>,
    suspects: &Suspects,
    ends: &Ends,
    graph: &mut Graph,
) -> Result<(), Violation> {
    let mut certain: Vec<u32> = graph
        .pinned
        .iter()
        .map(|&(operation, _)| operation)
        .collect();
    certain.dedup();
    for operation in certain {
        for item in history.items(operation as usize) {
            let object = item.object;
            let (Some(candidates), Some(end)) = (suspects.of_object(object), ends.get(&object))
            else {
                continue;
            };
            let placed = graph.pinned.contains(&(operation, object));
            if placed
                || !item.action.writes()
                || candidates.existence_in_doubt()
                || end.hidden.writes > 0
            {
                continue;
            }
            if !end.alive {
                let why = format!(
                    "#{operation} was not answered, but nothing else explains its effect on \
                     another object; on this one it cannot have taken effect, for it does not \
                     exist"
                );
                let objects = [object];
                return Err(Violation::new(
                    history,
                    ViolationKind::Unexplained,
                    &objects,
                    [operation],
                    why,
                ));
            }
            graph.edges(&end.front, operation, object);
            if candidates.writes.len() == 1 {
                graph.pinned.insert((operation, object));
            }
        }
    }
    Ok(())
}
