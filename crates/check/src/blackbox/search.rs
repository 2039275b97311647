//! The search for one set of connected objects: depth first, with an explicit stack and exact
//! memoisation.

use crate::history::History;
use crate::operation::{Action, Fate, Item, Observed};
use crate::spec;
use rustc_hash::{FxHashMap, FxHashSet};
use ssmr_core::{Application, Encoded, Micros};
use std::collections::BTreeMap;

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Order,
    Nothing,
    Undecided,
}

/// One set of connected objects and its operations.
pub(super) struct Search<'a, A: Application> {
    history: &'a History<A>,
    /// In the order of their invocations.
    calls: Vec<Call>,
    /// The place of each object in the state.
    places: FxHashMap<u32, usize>,
    /// Values by number; 0 stands for an object that does not exist.
    values: Vec<Option<Versioned>>,
    numbers: FxHashMap<Versioned, u32>,
    /// Whether versions are counted: only where some operation expects one.
    counts_versions: bool,
}

/// A value, and how often it was written since it was created.
type Versioned = (Encoded, u32);

#[derive(Clone, Copy)]
struct Call {
    operation: usize,
    invoked: Micros,
    /// Never, if the client was not told.
    completed: Micros,
    /// Whatever the state, it changes nothing if its outcome is the one told.
    inert: bool,
}

impl Call {
    fn answered(&self) -> bool {
        self.completed < Micros::MAX
    }
}

/// One operation linearized.
struct Step {
    call: usize,
    /// Its place among the candidates that there were.
    rank: usize,
    /// Places in the state, and what is to be swapped with what is there: once to do it, once more
    /// to undo it.
    delta: Vec<(usize, u32)>,
}

/// Where the search stands: which calls are linearized (a bit each), and the state after them.
struct Position {
    taken: Vec<u32>,
    state: Vec<u32>,
    /// Answered calls that are not taken.
    open: usize,
}

impl Position {
    fn has(&self, call: usize) -> bool {
        self.taken[call / 32] & (1 << (call % 32)) != 0
    }

    /// Does a step, or undoes it.
    fn flip(&mut self, step: &mut Step) {
        self.taken[step.call / 32] ^= 1 << (step.call % 32);
        for (place, value) in &mut step.delta {
            std::mem::swap(&mut self.state[*place], value);
        }
    }

    fn key(&self) -> Box<[u32]> {
        self.taken.iter().chain(&self.state).copied().collect()
    }
}

impl<'a, A: Application> Search<'a, A> {
    pub(super) fn new(history: &'a History<A>, operations: &[u32]) -> Self {
        let call = |&operation: &u32| {
            let operation = operation as usize;
            Call {
                operation,
                invoked: history.operations[operation].invoked,
                completed: history.answered_at(operation),
                inert: history.operations[operation].answered && inert(history, operation),
            }
        };
        let mut calls: Vec<Call> = operations.iter().map(call).collect();
        calls.sort_by_key(|call| (call.invoked, call.completed));
        let mut places = FxHashMap::default();
        for item in calls.iter().flat_map(|call| history.items(call.operation)) {
            let next = places.len();
            places.entry(item.object).or_insert(next);
        }
        let (values, numbers) = (vec![None], FxHashMap::default());
        let expects = |call: &Call| {
            let mut items = history.items(call.operation).iter();
            items.any(|item| item.expected != Observed::Untold)
        };
        Self {
            counts_versions: calls.iter().any(expects),
            history,
            calls,
            places,
            values,
            numbers,
        }
    }

    /// Searches the history as it was known at time `until`, executing at most so many operations.
    pub(super) fn run(&mut self, until: Micros, mut steps: u64) -> Found {
        let known = |call: &Call| match call.completed <= until {
            true => *call,
            false => Call {
                completed: Micros::MAX,
                inert: false,
                ..*call
            },
        };
        let calls = self.calls.iter().take_while(|call| call.invoked <= until);
        let calls: Vec<Call> = calls.map(known).collect();
        let mut now = Position {
            taken: vec![0; calls.len().div_ceil(32)],
            state: vec![0; self.places.len()],
            open: calls.iter().filter(|call| call.answered()).count(),
        };
        let (mut stack, mut seen): (Vec<Step>, _) = (Vec::new(), FxHashSet::default());
        let mut rank = 0;
        while now.open > 0 {
            if let Some(mut step) = self.next(&calls, &now, rank, &mut steps) {
                now.open -= usize::from(calls[step.call].answered());
                now.flip(&mut step);
                stack.push(step);
                // A position met before leads nowhere: go straight back from it.
                rank = if seen.insert(now.key()) {
                    0
                } else {
                    usize::MAX
                };
            } else if steps == 0 {
                return Found::Undecided;
            } else if let Some(mut step) = stack.pop() {
                now.open += usize::from(calls[step.call].answered());
                now.flip(&mut step);
                // There is no point in trying another instead of an inert one.
                rank = if calls[step.call].inert {
                    usize::MAX
                } else {
                    step.rank + 1
                };
            } else {
                return Found::Nothing;
            }
        }
        Found::Order
    }

    /// The next call that real time allows and whose outcome fits: an inert one if there is one,
    /// else the first of at least this rank. Also `None` if the steps run out.
    fn next(
        &mut self,
        calls: &[Call],
        now: &Position,
        least: usize,
        steps: &mut u64,
    ) -> Option<Step> {
        if least == usize::MAX {
            return None;
        }
        let mut first = None;
        for (rank, (_, call)) in candidates(calls, now).into_iter().enumerate().skip(least) {
            *steps = steps.checked_sub(1)?;
            let Some(delta) = self.execute(&calls[call], now) else {
                continue;
            };
            let step = Step { call, rank, delta };
            if calls[call].inert {
                return Some(step);
            }
            first = first.or(Some(step));
            if least > 0 {
                // An inert one was looked for when this position was reached.
                break;
            }
        }
        first
    }

    /// What a call changes if it is linearized now; `None` if its outcome would be another one, or
    /// nobody would notice.
    fn execute(&mut self, call: &Call, now: &Position) -> Option<Vec<(usize, u32)>> {
        let held = |object| self.values[now.state[self.places[&object]] as usize].as_ref();
        let value = |object| held(object).map(|(value, _)| value.clone());
        let (fate, changes) = spec::execute(self.history, call.operation, value);
        let told = &self.history.operations[call.operation].fate;
        let items = self.history.items(call.operation);
        if fate.took_place() {
            if call.answered() && *told == Fate::Changed {
                // Without moves in sight, whether an object has changed cannot be told from
                // outside.
                return Some(Vec::new());
            }
            let version = |object| held(object).map(|(_, version)| *version);
            let as_expected = |item: &Item| match item.expected {
                Observed::At {
                    version: wanted, ..
                } => version(item.object) == Some(wanted),
                Observed::Absent => version(item.object).is_none(),
                Observed::Untold => true,
            };
            if !items.iter().all(as_expected) {
                return None;
            }
        }
        if call.answered() && fate != *told {
            return None;
        }
        let states = self.states_after(now, items, &fate, changes);
        let mut delta: Vec<(usize, u32)> = states
            .into_iter()
            .map(|(object, state)| (self.places[&object], self.number(state)))
            .collect();
        delta.retain(|&(place, value)| now.state[place] != value);
        (call.answered() || !delta.is_empty()).then_some(delta)
    }

    /// The objects that an operation changes as it leaves them.
    fn states_after(
        &self,
        now: &Position,
        items: &[Item],
        fate: &Fate,
        changes: spec::Changes,
    ) -> Vec<(u32, Option<Versioned>)> {
        let mut states: BTreeMap<u32, Option<Versioned>> = BTreeMap::new();
        for (object, value) in changes {
            states.insert(object, value.map(|value| (value, 0)));
        }
        let written = items.iter().filter(|item| item.action.writes());
        if self.counts_versions && matches!(fate, Fate::Done(_)) {
            for item in written {
                let held = &self.values[now.state[self.places[&item.object]] as usize];
                let Some((old, version)) = held else { continue };
                let state = states
                    .entry(item.object)
                    .or_insert_with(|| Some((old.clone(), 0)));
                if let Some((_, count)) = state {
                    *count = version + 1;
                }
            }
        }
        states.into_iter().collect()
    }

    fn number(&mut self, value: Option<Versioned>) -> u32 {
        let Some(value) = value else { return 0 };
        *self.numbers.entry(value).or_insert_with_key(|value| {
            self.values.push(Some(value.clone()));
            self.values.len() as u32 - 1
        })
    }
}

/// Whether an operation changes nothing in any state in which its outcome is the one told.
fn inert<A: Application>(history: &History<A>, operation: usize) -> bool {
    let mut items = history.items(operation).iter();
    match &history.operations[operation].fate {
        Fate::AlreadyExists | Fate::NotFound | Fate::Changed | Fate::Nothing => true,
        Fate::Failed => items.all(|item| !item.action.creates() && item.action != Action::Delete),
        Fate::Done(_) => {
            items.all(|item| matches!(item.action, Action::Read | Action::Move | Action::Lookup))
        }
        Fate::Unknown => false,
    }
}

/// The calls that may be linearized next: those invoked before the earliest answer among those not
/// taken. The most urgent come first, those that need not be linearized at all last.
fn candidates(calls: &[Call], now: &Position) -> Vec<(Micros, usize)> {
    let mut horizon = Micros::MAX;
    let mut candidates = Vec::new();
    for (place, call) in calls
        .iter()
        .enumerate()
        .filter(|(place, _)| !now.has(*place))
    {
        if call.invoked > horizon {
            break;
        }
        horizon = horizon.min(call.completed);
        candidates.push((call.completed, place));
    }
    candidates.sort_unstable();
    candidates
}
