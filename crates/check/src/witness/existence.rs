//! What is told of an object's existence without a revision: lookups, `NotFound` and
//! `AlreadyExists`.
//!
//! Who tells of an object's existence is an authority, which delivers all its creates and deletes,
//! or the owner, which delivers the create or move that made it the owner. So these commands are
//! delivered in the order of their final timestamps, and are ordered by comparing them. They are
//! not ordered against plain writes, which they need not meet.

use super::graph::Graph;
use super::index::Place;
use super::unanswered::Suspects;
use crate::history::History;
use crate::operation::{Action, Fate, Item, Observed};
use crate::violation::{Violation, ViolationKind};
use ssmr_core::{Application, Timestamp};

/// What one operation tells of the object's existence. Sorted by timestamp.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    timestamp: Timestamp,
    mark: Mark,
    operation: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Created,
    Deleted,
    Present,
    Absent,
}

/// Places what is told of one object's existence between its creates and deletes.
pub(super) fn check<A: Application>(
    history: &History<A>,
    suspects: &Suspects,
    object: u32,
    places: &[Place],
    graph: &mut Graph,
) -> Result<(), Violation> {
    let mut claims: Vec<Claim> = Vec::new();
    for &Place { operation, item } in places {
        let item = &history.items(operation as usize)[item as usize];
        let told = &history.operations[operation as usize];
        let mark = mark(&told.fate, item).zip(told.timestamp);
        claims.extend(mark.map(|(mark, timestamp)| Claim {
            timestamp,
            mark,
            operation,
        }));
    }
    claims.sort_unstable();
    let mut alive = false;
    let mut change: Option<u32> = None;
    let mut told: Vec<u32> = Vec::new();
    for Claim {
        mark, operation, ..
    } in claims
    {
        // A create needs the object absent, a delete present; which is also what the last change
        // must have left.
        let needed = matches!(mark, Mark::Deleted | Mark::Present);
        let end = history.answered_at(operation as usize);
        if needed != alive && !suspects.existence_in_doubt(object, end) {
            return Err(misplaced(history, object, change, mark, operation));
        }
        match mark {
            Mark::Present | Mark::Absent => {
                graph.edges(change.as_slice(), operation, object);
                told.push(operation);
            }
            Mark::Created | Mark::Deleted => {
                graph.edges(&told, operation, object);
                told.clear();
                alive = mark == Mark::Created;
                change = Some(operation);
            }
        }
    }
    Ok(())
}

/// What an operation of this fate tells of, or does to, an item's existence.
fn mark(fate: &Fate, item: &Item) -> Option<Mark> {
    match (fate, item.action) {
        (Fate::Done(_) | Fate::Failed, Action::Create(_)) => Some(Mark::Created),
        (Fate::Done(_) | Fate::Failed, Action::Delete) => Some(Mark::Deleted),
        (Fate::Done(_) | Fate::Failed, Action::Lookup) if item.needs_object() => {
            Some(Mark::Present)
        }
        (Fate::Done(_) | Fate::Failed, Action::Lookup) => Some(Mark::Absent),
        (Fate::Changed, Action::Lookup) if item.before != Observed::Untold => Some(Mark::Present),
        (Fate::AlreadyExists, _) if item.before != Observed::Untold => Some(Mark::Present),
        // That something to create exists would have been told first.
        (Fate::NotFound, Action::Create(_)) => Some(Mark::Absent),
        (Fate::NotFound, _) if item.before != Observed::Untold => Some(Mark::Absent),
        _ => None,
    }
}

fn misplaced<A: Application>(
    history: &History<A>,
    object: u32,
    change: Option<u32>,
    mark: Mark,
    operation: u32,
) -> Violation {
    let told = match mark {
        Mark::Created => "created it",
        Mark::Deleted => "deleted it",
        Mark::Present => "was told that it exists",
        Mark::Absent => "was told that it does not exist",
    };
    let last = match (change, mark) {
        (None, _) => "nobody had created it".to_owned(),
        (Some(change), Mark::Created | Mark::Absent) => format!("#{change} had created it"),
        (Some(change), _) => format!("#{change} had deleted it"),
    };
    let explanation = format!("in the order of final timestamps {last} when #{operation} {told}");
    let operations = change.into_iter().chain([operation]);
    Violation::new(
        history,
        ViolationKind::Existence,
        &[object],
        operations,
        explanation,
    )
}
