//! First: does each answer, on its own, say what such a command does?
//!
//! The rest of the witnessed check believes what passes here: that a write leaves the next version, a create begins an
//! epoch with its own timestamp, and so on. It compares no two operations.

use super::super::violation::{Fault, Violation};
use crate::history::{Aim, Fate, History, Item, Operation, Seen};
use ssmr_core::{Application, Timestamp};

/// Finds the first answer that does not fit its request.
pub(super) fn check<A: Application>(history: &History<A>) -> Result<(), Violation> {
    for (index, operation) in history.operations.iter().enumerate() {
        let items = history.items(index);
        if let Some(misfit) = misfit(history, operation, items) {
            let objects: Vec<u32> = misfit.0.into_iter().collect();
            let explanation = format!("#{index}: {}", misfit.1);
            let index = [index as u32];
            return Err(Violation::new(
                history,
                Fault::Answer,
                &objects,
                index,
                explanation,
            ));
        }
    }
    Ok(())
}

/// What is wrong with an answer, and on which object.
type Misfit = (Option<u32>, &'static str);

fn misfit<A: Application>(
    history: &History<A>,
    operation: &Operation,
    items: &[Item],
) -> Option<Misfit> {
    if operation.strays {
        return Some((None, "its answer tells of an object that it does not name"));
    }
    if items.is_empty() || matches!(operation.fate, Fate::Nothing | Fate::Unknown) {
        return None;
    }
    let Some(timestamp) = operation.timestamp else {
        return Some((None, "it was decided without a place in the order"));
    };
    let creates = |item: &Item| matches!(item.aim, Aim::Create(_));
    let told = |item: &&Item| item.before != Seen::Untold;
    match operation.fate {
        Fate::Done(_) => items.iter().find_map(|item| {
            let fault = effect(history.epochs.things(), timestamp, item)?;
            Some((Some(item.object), fault))
        }),
        Fate::AlreadyExists => {
            let fits = |item: &Item| creates(item) && matches!(item.before, Seen::At { .. });
            match items.iter().filter(told).find(|item| !fits(item)) {
                Some(item) => Some((
                    Some(item.object),
                    "this is not an existing object to create",
                )),
                None if items.iter().any(|item| told(&item)) => None,
                None => Some((None, "it does not tell what exists already")),
            }
        }
        _ => {
            let fits = |item: &Item| !creates(item) && item.before == Seen::Absent;
            match items.iter().filter(told).find(|item| !fits(item)) {
                Some(item) => Some((Some(item.object), "this is not an absent object it needs")),
                None if items.iter().any(|item| told(&item)) => None,
                None => Some((None, "it does not tell what is absent")),
            }
        }
    }
}

/// What is wrong with the effect of an executed command on one object.
fn effect(epochs: &[Timestamp], timestamp: Timestamp, item: &Item) -> Option<&'static str> {
    let epoch_of = |number: u32| epochs[number as usize];
    let fresh = |epoch: u32| epoch_of(epoch) == timestamp;
    match (item.aim, item.before, item.after) {
        (_, Seen::Untold, _) => Some("it took effect without telling on what"),
        (Aim::Create(_), Seen::Absent, Seen::At { epoch, version: 0 }) if fresh(epoch) => None,
        (Aim::Create(_), ..) => Some("a create must find nothing and leave version 0 of its epoch"),
        (_, Seen::Absent, _) => Some("it took effect on an object that did not exist"),
        (Aim::Delete, _, Seen::Absent) => None,
        (Aim::Delete, ..) => Some("a delete must leave nothing"),
        (Aim::Read | Aim::Lookup | Aim::Move, found, left) if found == left => None,
        (Aim::Read | Aim::Lookup, ..) => Some("a read must leave what it found"),
        (
            Aim::Write | Aim::Update,
            Seen::At { epoch, version },
            Seen::At {
                epoch: same,
                version: next,
            },
        ) if epoch == same && next == version + 1 => None,
        (Aim::Write | Aim::Update, ..) => Some("a write must leave the next version"),
        (
            Aim::Move,
            Seen::At {
                epoch: old,
                version,
            },
            Seen::At {
                epoch,
                version: same,
            },
        ) if same == version && fresh(epoch) && epoch_of(old) < timestamp => None,
        (Aim::Move, ..) => Some("a move must keep the version and begin its own, later epoch"),
    }
}
