//! The states of one object, in the order that their revisions give, and what precedes what for it.
//!
//! A state is a revision: at most one operation leaves it, any number find it and leave it as it
//! is, and at most one replaces it. Writers are thus totally ordered, and readers stand between two
//! of them. A lost update shows as two operations that replace one revision, a double execution as
//! a revision that no operation left.

use super::graph::Graph;
use super::index::{Place, Revisions, version};
use super::unanswered::{Candidates, End, Hidden, Suspects};
use crate::history::History;
use crate::operation::{Action, Fate};
use crate::violation::{Violation, ViolationKind};
use ssmr_core::Application;

/// The states that an object went through.
pub(super) struct StateLine<'a, A: Application> {
    history: &'a History<A>,
    revisions: &'a Revisions,
    object: u32,
    states: Vec<State>,
}

struct State {
    /// Its revision, as [`Revisions::key`].
    key: u64,
    /// Who left it, and the revision before that.
    origin: Option<(u32, Option<u64>)>,
    readers: Vec<u32>,
    /// Who replaced it, and the revision after that.
    successor: Option<(u32, Option<u64>)>,
}

impl State {
    /// Some operation that saw it, to show.
    fn witness(&self) -> Option<u32> {
        let (origin, successor) = (self.origin.map(|o| o.0), self.successor.map(|s| s.0));
        self.readers.first().copied().or(successor).or(origin)
    }
}

/// What one operation says of one state. Sorted by state, then by role.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mention {
    /// The state, as [`Revisions::key`].
    key: u64,
    role: Role,
    operation: u32,
}

/// What an operation did to a state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Left { before: Option<u64> },
    Read,
    Replaced { after: Option<u64> },
}

impl<'a, A: Application> StateLine<'a, A> {
    /// Finds the states that operations mention at `places`.
    pub(super) fn of(
        history: &'a History<A>,
        revisions: &'a Revisions,
        object: u32,
        places: &[Place],
    ) -> Result<Self, Violation> {
        let mut mentions: Vec<Mention> = Vec::with_capacity(places.len());
        for &Place { operation, item } in places {
            let item = &history.items(operation as usize)[item as usize];
            let fate = &history.operations[operation as usize].fate;
            let told = fate.took_place() || *fate == Fate::Changed;
            if item.action == Action::Lookup || !told {
                continue;
            }
            let (before, after) = (revisions.key(item.before), revisions.key(item.after));
            let mut mention = |key: Option<u64>, role| {
                mentions.extend(key.map(|key| Mention {
                    key,
                    role,
                    operation,
                }));
            };
            if before == after {
                mention(before, Role::Read);
            } else {
                mention(before, Role::Replaced { after });
                mention(after, Role::Left { before });
            }
        }
        mentions.sort_unstable();
        let mut line = Self {
            history,
            revisions,
            object,
            states: Vec::new(),
        };
        for state in mentions.chunk_by(|a, b| a.key == b.key) {
            line.add(state)?;
        }
        Ok(line)
    }

    /// Adds the state that all these mention.
    fn add(&mut self, mentions: &[Mention]) -> Result<(), Violation> {
        let key = mentions[0].key;
        let mut state = State {
            key,
            origin: None,
            readers: Vec::new(),
            successor: None,
        };
        for &Mention {
            role, operation, ..
        } in mentions
        {
            let (other, what) = match role {
                Role::Read => {
                    state.readers.push(operation);
                    continue;
                }
                Role::Left { before } => (state.origin.replace((operation, before)), "left"),
                Role::Replaced { after } => {
                    (state.successor.replace((operation, after)), "replaced")
                }
            };
            if let Some((other, _)) = other {
                let why = format!(
                    "both #{other} and #{operation} {what} {}: \
                     an update is lost or was executed twice",
                    self.name(key)
                );
                return Err(self.violation(ViolationKind::Fork, [other, operation], why));
            }
        }
        self.states.push(state);
        Ok(())
    }

    /// Adds what precedes what to the graph.
    pub(super) fn connect(&self, suspects: &Suspects, graph: &mut Graph) -> Result<End, Violation> {
        let hidden = self.hidden()?;
        let total = hidden.iter().fold(Hidden::default(), |sum, h| sum.plus(*h));
        let candidates = suspects.of_object(self.object);
        self.explain(&hidden, total, candidates)?;
        let mut front: Vec<u32> = Vec::new();
        let advance = |graph: &mut Graph, front: &mut Vec<u32>, node: u32| {
            graph.edges(front, node, self.object);
            front.clear();
            front.push(node);
        };
        for (state, hidden) in self.states.iter().zip(hidden) {
            if hidden != Hidden::default() {
                let author = candidates.and_then(|c| c.author(hidden, total));
                graph
                    .pinned
                    .extend(author.map(|author| (author, self.object)));
                let opaque = hidden.count() > 0;
                let node = author.unwrap_or_else(|| graph.gap(self.object, opaque));
                advance(graph, &mut front, node);
            }
            if let Some((origin, _)) = state.origin {
                advance(graph, &mut front, origin);
            }
            for &reader in &state.readers {
                graph.edges(&front, reader, self.object);
            }
            if !state.readers.is_empty() {
                front.clone_from(&state.readers);
            }
            if let Some((successor, _)) = state.successor {
                advance(graph, &mut front, successor);
            }
        }
        let last = self.states.last();
        let alive = last.is_some_and(|state| state.successor.is_none());
        Ok(End {
            alive,
            front,
            hidden: total,
        })
    }

    /// The transitions to each state that no operation of known fate made.
    fn hidden(&self) -> Result<Vec<Hidden>, Violation> {
        let mut before: Option<&State> = None;
        let mut all = Vec::with_capacity(self.states.len());
        for state in &self.states {
            let replaced = before.and_then(|before| before.successor);
            if let Some((writer, Some(after))) =
                replaced.filter(|(_, after)| *after != Some(state.key))
            {
                return Err(self.skipped(before, writer, after, state));
            }
            // What was there just before this state's origin, or before the state itself if it has
            // none.
            let now = before
                .filter(|_| replaced.is_none())
                .map(|before| before.key);
            all.push(match (replaced, state.origin, now) {
                (Some((_, Some(_))), ..) => Hidden::default(),
                (_, Some((_, None)), now) => Hidden::deletion(now.is_some()),
                (_, Some((writer, Some(before))), _) => {
                    unreachable!("#{writer} is not the successor of {before}, which it found")
                }
                (_, None, Some(now)) => Hidden::between(version(now), version(state.key)),
                (_, None, None) => Hidden::creation(version(state.key)),
            });
            before = Some(state);
        }
        Ok(all)
    }

    /// Demands that unanswered operations could have made all hidden transitions.
    fn explain(
        &self,
        hidden: &[Hidden],
        total: Hidden,
        candidates: Option<&Candidates>,
    ) -> Result<(), Violation> {
        let Some((count, lack)) = total.beyond(candidates) else {
            return Ok(());
        };
        let place = hidden
            .iter()
            .position(|hidden| count(*hidden) > 0)
            .unwrap_or_default();
        let (state, before) = (
            &self.states[place],
            place.checked_sub(1).map(|b| &self.states[b]),
        );
        let shown = before.and_then(|before| before.successor.map(|s| s.0).or(before.witness()));
        let operations = shown.into_iter().chain(state.witness());
        let last = before.map_or("it did not exist".into(), |before| match before.successor {
            Some(_) => format!("{} was deleted", self.name(before.key)),
            None => format!("it was at {}", self.name(before.key)),
        });
        let why = format!(
            "revision {} needs {} by operations that nobody knows of: before it, {last}; {lack}",
            self.name(state.key),
            hidden[place],
        );
        Err(self.violation(ViolationKind::Unexplained, operations, why))
    }

    fn skipped(&self, from: Option<&State>, writer: u32, after: u64, seen: &State) -> Violation {
        let before = from.map_or("nothing".into(), |from| self.name(from.key));
        let why = format!(
            "#{writer} replaced {before} by {}, but {} lies between them: an update is lost",
            self.name(after),
            self.name(seen.key)
        );
        self.violation(
            ViolationKind::Fork,
            seen.witness().into_iter().chain([writer]),
            why,
        )
    }

    fn name(&self, key: u64) -> String {
        format!("{:?}", self.revisions.revision(self.history, key))
    }

    fn violation(
        &self,
        kind: ViolationKind,
        operations: impl IntoIterator<Item = u32>,
        why: String,
    ) -> Violation {
        Violation::new(self.history, kind, &[self.object], operations, why)
    }
}
