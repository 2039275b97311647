//! What a service that nobody else uses would answer: the sequential specification that both checks
//! compare with.
//!
//! It knows nothing of partitions, plans or revisions. A move changes nothing that a client can
//! see, but needs its object.

use crate::history::History;
use crate::operation::{Action, Fate, Item};
use ssmr_core::application::{Operand, run};
use ssmr_core::{Application, Encoded};

/// What became of objects: their new values, `None` for a deleted one.
pub(crate) type Changes = Vec<(u32, Option<Encoded>)>;

/// The outcome of an operation on a state, and what it changes.
pub(crate) fn execute<A: Application>(
    history: &History<A>,
    operation: usize,
    value: impl Fn(u32) -> Option<Encoded>,
) -> (Fate, Changes) {
    let items = history.items(operation);
    match refusal(items, |object| value(object).is_some()) {
        Some(fate) => (fate, Vec::new()),
        None => {
            let (fate, mut changes) = access(history, operation, value);
            changes.extend(placements(history, items));
            (fate, changes)
        }
    }
}

/// Why a request would change nothing, if so. That something exists already is told before that
/// something does not.
fn refusal(items: &[Item], exists: impl Fn(u32) -> bool) -> Option<Fate> {
    let creates = |item: &Item| matches!(item.action, Action::Create(_));
    if items
        .iter()
        .any(|item| creates(item) && exists(item.object))
    {
        Some(Fate::AlreadyExists)
    } else if items
        .iter()
        .any(|item| item.needs_object() && !exists(item.object))
    {
        Some(Fate::NotFound)
    } else {
        None
    }
}

/// Runs the application on the objects that the operation reads or writes: whether it failed or
/// what it replied, and what is written.
pub(crate) fn access<A: Application>(
    history: &History<A>,
    operation: usize,
    value: impl Fn(u32) -> Option<Encoded>,
) -> (Fate, Changes) {
    let items = history.items(operation);
    let op = &history.operations[operation].op;
    if op.is_empty() || items.is_empty() {
        // A request without objects never reaches the service.
        return (Fate::Done(Encoded::new()), Vec::new());
    }
    let objects = history.objects.values();
    let operands = items
        .iter()
        .filter(|item| item.action.reads() || item.action.writes());
    let effect = run::<A>(
        op,
        operands.filter_map(|item| {
            Some(Operand {
                object: objects[item.object as usize],
                value: value(item.object)?,
                readable: item.action.reads(),
                writable: item.action.writes(),
            })
        }),
    );
    let Ok(effect) = effect else {
        return (Fate::Failed, Vec::new());
    };
    let number = |id| {
        items
            .binary_search_by_key(&id, |item| objects[item.object as usize])
            .ok()
    };
    let changes = effect
        .changed
        .into_iter()
        .filter_map(|(id, value)| Some((items[number(id)?].object, Some(value))));
    (Fate::Done(effect.reply), changes.collect())
}

/// What the operation creates and deletes if it takes effect.
pub(crate) fn placements<A: Application>(history: &History<A>, items: &[Item]) -> Changes {
    let place = |item: &Item| match item.action {
        Action::Create(value) => Some((item.object, Some(history.values[value as usize].clone()))),
        Action::Delete => Some((item.object, None)),
        _ => None,
    };
    items.iter().filter_map(place).collect()
}
