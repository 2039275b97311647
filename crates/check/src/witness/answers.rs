//! First: does each answer, on its own, say what such a command does?
//!
//! The rest of the witnessed check believes what passes here: that a write leaves the next version,
//! a create begins an epoch with its own timestamp, and so on. It compares no two operations.

use crate::history::History;
use crate::operation::{Action, Fate, Item, Observed, Operation};
use crate::violation::{Misfit, Violation, ViolationKind};
use ssmr_core::{Application, Timestamp};

/// Finds the first answer that does not fit its request.
pub(super) fn check<A: Application>(history: &History<A>) -> Result<(), Violation> {
    for (index, operation) in history.operations.iter().enumerate() {
        let found = misfit(history, operation, history.items(index));
        if let Err(Found { misfit, object }) = found {
            let explanation = format!("#{index}: {misfit}");
            return Err(Violation::new(
                history,
                ViolationKind::Answer(misfit),
                object.as_slice(),
                [index as u32],
                explanation,
            ));
        }
    }
    Ok(())
}

/// What is wrong with an answer, and on which object if it is one's.
struct Found {
    misfit: Misfit,
    object: Option<u32>,
}

impl Found {
    fn on(misfit: Misfit, item: &Item) -> Self {
        let object = Some(item.object);
        Self { misfit, object }
    }
}

impl From<Misfit> for Found {
    fn from(misfit: Misfit) -> Self {
        let object = None;
        Self { misfit, object }
    }
}

fn misfit<A: Application>(
    history: &History<A>,
    operation: &Operation,
    items: &[Item],
) -> Result<(), Found> {
    if operation.tells_of_others {
        return Err(Misfit::OtherObject.into());
    }
    if items.is_empty() || matches!(operation.fate, Fate::Nothing | Fate::Unknown) {
        return Ok(());
    }
    let Some(timestamp) = operation.timestamp else {
        return Err(if operation.unwitnessed {
            Misfit::Unwitnessed.into()
        } else {
            Misfit::Unordered.into()
        });
    };
    match operation.fate {
        Fate::Done(_) | Fate::Failed => items.iter().try_for_each(|item| {
            let failed = operation.fate == Fate::Failed;
            let misfit = effect(history.epochs.values(), timestamp, item, failed);
            misfit.map_or(Ok(()), |misfit| Err(Found::on(misfit, item)))
        }),
        Fate::AlreadyExists => {
            let fits =
                |item: &Item| item.action.creates() && matches!(item.before, Observed::At { .. });
            refusal(items, fits, Misfit::NotToCreate, Misfit::NothingExists)
        }
        Fate::Changed => {
            let fits = |item: &Item| {
                let expects = item.expected != Observed::Untold && item.expected != item.before;
                expects && item.before == item.after && matches!(item.before, Observed::At { .. })
            };
            refusal(items, fits, Misfit::NotChanged, Misfit::NothingChanged)
        }
        _ => {
            let fits = |item: &Item| item.needs_object() && item.before == Observed::Absent;
            refusal(items, fits, Misfit::NotNeeded, Misfit::NothingAbsent)
        }
    }
}

/// Demands that a refused command tells of at least one object, and that all it tells of fit.
fn refusal(
    items: &[Item],
    fits: impl Fn(&Item) -> bool,
    wrong: Misfit,
    none: Misfit,
) -> Result<(), Found> {
    let mut told = items
        .iter()
        .filter(|item| item.before != Observed::Untold)
        .peekable();
    if told.peek().is_none() {
        return Err(none.into());
    }
    let misfit = told.find(|item| !fits(item));
    misfit.map_or(Ok(()), |item| Err(Found::on(wrong, item)))
}

/// What is wrong with the effect of an executed command, whose operation perhaps failed, on one
/// object.
fn effect(epochs: &[Timestamp], timestamp: Timestamp, item: &Item, failed: bool) -> Option<Misfit> {
    let epoch_of = |number: u32| epochs[number as usize];
    let fresh = |epoch: u32| epoch_of(epoch) == timestamp;
    match (item.action, item.before, item.after) {
        (_, Observed::Untold, _) => Some(Misfit::UntoldObject),
        _ if item.expected != Observed::Untold && item.expected != item.before => {
            Some(Misfit::Unexpected)
        }
        (Action::Write | Action::Update, before @ Observed::At { .. }, after) if failed => {
            (before != after).then_some(Misfit::FailedWrite)
        }
        (Action::Create(_), Observed::Absent, Observed::At { epoch, version: 0 })
            if fresh(epoch) =>
        {
            None
        }
        (Action::Create(_), ..) => Some(Misfit::Create),
        (Action::Lookup, Observed::Absent, Observed::Absent) if !item.needs_object() => None,
        (_, Observed::Absent, _) => Some(Misfit::Absent),
        (Action::Delete, _, Observed::Absent) => None,
        (Action::Delete, ..) => Some(Misfit::Delete),
        (Action::Read | Action::Lookup | Action::Move, before, after) if before == after => None,
        (Action::Read | Action::Lookup, ..) => Some(Misfit::Read),
        (
            Action::Write | Action::Update,
            Observed::At { epoch, version },
            Observed::At {
                epoch: same,
                version: next,
            },
        ) if epoch == same && next == version + 1 => None,
        (Action::Write | Action::Update, ..) => Some(Misfit::Write),
        (
            Action::Move,
            Observed::At {
                epoch: old,
                version,
            },
            Observed::At {
                epoch,
                version: same,
            },
        ) if same == version && fresh(epoch) && epoch_of(old) < timestamp => None,
        (Action::Move, ..) => Some(Misfit::Move),
    }
}
