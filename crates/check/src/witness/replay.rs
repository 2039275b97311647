//! Replays all operations, one after the other, and compares outcomes: replies byte for byte.
//!
//! The last step of the witnessed check. The revisions say who follows whom, this says that each
//! saw what it should have.

use super::graph::Graph;
use super::timelines::Timelines;
use super::unanswered::Suspects;
use crate::history::History;
use crate::operation::Fate;
use crate::spec;
use crate::summary::Summary;
use crate::violation::{Violation, ViolationKind, outcome};
use ssmr_core::{Application, Encoded, Micros};

/// An object during the replay.
#[derive(Clone)]
pub(super) enum Slot {
    Absent,
    Value(Encoded),
    /// It depends on unanswered operations that nobody attributed.
    Open,
}

struct Replay<'a, A: Application> {
    history: &'a History<A>,
    suspects: &'a Suspects,
    graph: &'a Graph,
    /// By when each operation has taken effect.
    bounds: &'a [Micros],
    slots: Vec<Slot>,
    /// Who changed each object last, to explain.
    writers: Vec<Option<u32>>,
    timelines: &'a mut Timelines,
    summary: Summary,
}

/// Replays the operations in this order. Each has taken effect by the time in `bounds`. What
/// becomes of objects is noted in `timelines`.
pub(super) fn check<A: Application>(
    history: &History<A>,
    suspects: &Suspects,
    graph: &Graph,
    order: &[u32],
    bounds: &[Micros],
    timelines: &mut Timelines,
) -> Result<Summary, Violation> {
    let count = history.objects.values().len();
    let mut replay = Replay {
        history,
        suspects,
        graph,
        bounds,
        slots: vec![Slot::Absent; count],
        writers: vec![None; count],
        timelines,
        summary: Summary::of(history),
    };
    for &node in order {
        match graph.as_gap(node) {
            Some(gap) if gap.opaque => {
                replay.slots[gap.object as usize] = Slot::Open;
                replay.timelines.open(gap.object);
            }
            Some(_) => {}
            None => replay.operation(node)?,
        }
    }
    Ok(replay.summary)
}

impl<A: Application> Replay<'_, A> {
    fn operation(&mut self, index: u32) -> Result<(), Violation> {
        let operation = &self.history.operations[index as usize];
        match &operation.fate {
            Fate::Nothing => {}
            Fate::Unknown => {
                let graph = self.graph;
                self.believe(index, |object| graph.pinned.contains(&(index, object)));
            }
            // What it found is a matter of revisions, which are compared already.
            Fate::Changed => self.summary.replayed += 1,
            fate if self.certain(index) => {
                let (replayed, changes) =
                    spec::execute(self.history, index as usize, |object| self.value(object));
                if replayed != *fate {
                    return Err(self.differs(index, &replayed));
                }
                self.summary.replayed += 1;
                self.apply(index, changes);
            }
            fate => {
                self.summary.unjudged += 1;
                if fate.took_place() {
                    self.believe(index, |_| true);
                }
            }
        }
        // What was refused in order changed nothing, and its answer tells of no revision.
        if operation.fate.took_place() || operation.fate == Fate::Unknown {
            self.timelines.note(self.history, index, &self.slots);
        }
        Ok(())
    }

    /// Carries out an operation where it took effect, as far as that is known. Unless all that it
    /// accessed is known, and when it did, what it wrote is open.
    fn believe(&mut self, index: u32, took_effect: impl Fn(u32) -> bool) {
        let items = self.history.items(index as usize);
        let mut accessed = items
            .iter()
            .filter(|item| item.action.reads() || item.action.writes());
        let clear = accessed.all(|item| self.known(index, item.object) && took_effect(item.object));
        let mut changes = spec::placements(self.history, items);
        if clear {
            let value = |object| self.value(object);
            changes.extend(spec::access(self.history, index as usize, value).1);
        }
        changes.retain(|(object, _)| took_effect(*object));
        self.apply(index, changes);
        let written = items
            .iter()
            .filter(|item| item.action.writes() && took_effect(item.object));
        if !clear {
            written.for_each(|item| self.slots[item.object as usize] = Slot::Open);
        }
    }

    /// Whether everything that the outcome depends on is known.
    fn certain(&self, index: u32) -> bool {
        let mut items = self.history.items(index as usize).iter();
        items.all(|item| self.known(index, item.object))
    }

    /// Whether an object's existence and value are known to an operation. Where an unanswered one
    /// may have created or deleted it before, what looks like a move or one write may be more.
    fn known(&self, index: u32, object: u32) -> bool {
        let open = matches!(self.slots[object as usize], Slot::Open);
        let bound = self.bounds[index as usize];
        !open && !self.suspects.existence_in_doubt(object, bound)
    }

    fn value(&self, object: u32) -> Option<Encoded> {
        match &self.slots[object as usize] {
            Slot::Value(value) => Some(value.clone()),
            Slot::Absent | Slot::Open => None,
        }
    }

    fn apply(&mut self, index: u32, changes: spec::Changes) {
        for (object, value) in changes {
            self.slots[object as usize] = value.map_or(Slot::Absent, Slot::Value);
            self.writers[object as usize] = Some(index);
        }
    }

    fn differs(&self, index: u32, replayed: &Fate) -> Violation {
        let objects: Vec<u32> = self
            .history
            .items(index as usize)
            .iter()
            .map(|item| item.object)
            .collect();
        let mut involved: Vec<u32> = objects
            .iter()
            .filter_map(|&object| self.writers[object as usize])
            .collect();
        involved.sort_unstable();
        involved.dedup();
        involved.truncate(8);
        let explanation = format!(
            "#{index} was told {}, but after the others before it the outcome is {}",
            outcome::<A>(&self.history.operations[index as usize].fate),
            outcome::<A>(replayed),
        );
        involved.push(index);
        Violation::new(
            self.history,
            ViolationKind::Replay,
            &objects,
            involved,
            explanation,
        )
    }
}
