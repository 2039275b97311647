//! The black-box check: searches for a sequential order that explains what the clients saw,
//! believing nothing else.
//!
//! Wing and Gong's search (1993) with Lowe's memoisation of (operations linearized, state) (2017),
//! for each set of connected objects by itself, as Horn and Kroening (2015) do for single ones. Two
//! departures: an operation that can change nothing (a read, say) is taken at once if its outcome
//! fits, without alternatives, for taking it earlier never harms what can follow; and states are
//! compared in full, not by hash. The problem is NP-complete: beyond [`STEPS`] it gives up.
//!
//! It never looks at timestamps, revisions or what the groups recorded. An operation whose client
//! was not told its outcome may take effect at any time after its invocation, or never.

mod search;

use crate::history::History;
use crate::operation::Fate;
use crate::summary::Summary;
use crate::violation::{Violation, ViolationKind};
use search::{Found, Search};
use ssmr_core::{Application, Micros};
use std::collections::BTreeMap;

/// How many operations the search for one set of connected objects may execute.
const STEPS: u64 = 500_000;

/// How many operations before the one that cannot be explained are shown.
const SHOWN: usize = 10;

/// Runs the black-box check.
pub(crate) fn check<A: Application>(history: &History<A>) -> Result<Summary, Violation> {
    let mut summary = Summary::of(history);
    let components = components(history);
    summary.components = components.len();
    for operations in components.values() {
        let mut search = Search::new(history, operations);
        match search.run(Micros::MAX, STEPS) {
            Found::Order => {}
            Found::Nothing => return Err(explain(history, &mut search, operations)),
            Found::Undecided => summary.undecided += 1,
        }
    }
    Ok(summary)
}

/// The operations that matter, by a representative of the objects that they connect.
fn components<A: Application>(history: &History<A>) -> BTreeMap<u32, Vec<u32>> {
    let mut parents: Vec<u32> = (0..history.objects.values().len() as u32).collect();
    let matters = |operation: u32| {
        let fate = &history.operations[operation as usize].fate;
        let answered = history.operations[operation as usize].answered;
        !(answered && *fate == Fate::Nothing)
    };
    let operations = (0..history.len() as u32).filter(|&operation| matters(operation));
    for operation in operations.clone() {
        for pair in history.items(operation as usize).windows(2) {
            let (a, b) = (
                root(&mut parents, pair[0].object),
                root(&mut parents, pair[1].object),
            );
            parents[a.max(b) as usize] = a.min(b);
        }
    }
    let mut components: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for operation in operations {
        if let Some(item) = history.items(operation as usize).first() {
            components
                .entry(root(&mut parents, item.object))
                .or_default()
                .push(operation);
        }
    }
    components
}

/// The representative of an object's set; halves the path to it (Tarjan's union-find).
fn root(parents: &mut [u32], mut object: u32) -> u32 {
    while parents[object as usize] != object {
        parents[object as usize] = parents[parents[object as usize] as usize];
        object = parents[object as usize];
    }
    object
}

/// Finds the earliest answer by which the history is wrong: linearizable histories are closed under
/// prefixes.
fn explain<A: Application>(
    history: &History<A>,
    search: &mut Search<'_, A>,
    operations: &[u32],
) -> Violation {
    let answer = |&operation: &u32| history.answered_at(operation as usize);
    let mut ends: Vec<Micros> = operations
        .iter()
        .map(answer)
        .filter(|&t| t < Micros::MAX)
        .collect();
    ends.sort_unstable();
    let wrong = ends.partition_point(|&until| search.run(until, STEPS) != Found::Nothing);
    let until = ends[wrong.min(ends.len() - 1)];
    let mut before: Vec<u32> = operations
        .iter()
        .copied()
        .filter(|o| history.operations[*o as usize].invoked <= until)
        .collect();
    before.sort_by_key(|operation| answer(operation).min(until));
    let culprit = before
        .iter()
        .copied()
        .find(|operation| answer(operation) == until);
    let culprit = culprit.unwrap_or_default();
    let items = history.items(culprit as usize);
    let objects: Vec<u32> = items.iter().map(|item| item.object).collect();
    let shares = |operation: &u32| {
        history
            .items(*operation as usize)
            .iter()
            .any(|item| objects.contains(&item.object))
    };
    let count = before.len() - 1;
    before.retain(|operation| *operation != culprit && shares(operation));
    let shown = before.split_off(before.len().saturating_sub(SHOWN));
    let explanation = format!(
        "no order of the {count} operations invoked up to {until} us explains #{culprit}, \
         the last below; before it, the latest that share an object with it"
    );
    let operations = shown.into_iter().chain([culprit]);
    Violation::new(
        history,
        ViolationKind::NotLinearizable,
        &objects,
        operations,
        explanation,
    )
}
