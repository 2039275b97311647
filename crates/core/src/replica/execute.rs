//! What an executed command computes: the application's operation on the values that the signals
//! brought. Nothing is stored here.

use super::verdict::{Decision, Finding};
use crate::application::{Application, Effect, Operand, run};
use crate::command::Command;
use crate::id::{GroupId, ObjectId};
use crate::request::Intent;

/// What an operation computed at one group.
#[derive(Debug)]
pub(super) enum Computed {
    /// The application's encoded reply, empty where nothing ran, and the new values of objects that
    /// this group owns.
    Done(Effect),
    /// The service panicked on values that all partitions read: nothing is written anywhere.
    Failed,
}

/// Runs the application's operation, if it changes something that `group` owns or the answer is due
/// there.
pub(super) fn execute<A: Application>(
    group: GroupId,
    command: &Command,
    decision: &Decision,
) -> Computed {
    let request = &command.request;
    let pairs = || request.intents().iter().zip(&decision.findings);
    let writes_here = pairs().any(|((_, intent), f)| intent.writes() && f.is_owned_by(group));
    if request.op.is_empty() || !(writes_here || decision.answerer == group) {
        return Computed::Done(Effect::default());
    }
    let operands =
        pairs().filter_map(|((object, intent), finding)| operand(group, *object, intent, finding));
    let Ok(mut effect) = run::<A>(&request.op, operands) else {
        return Computed::Failed;
    };
    let is_owned = |object| {
        let place = request.place(object);
        place.is_some_and(|place| decision.findings[place].is_owned_by(group))
    };
    effect.changed.retain(|(object, _)| is_owned(*object));
    Computed::Done(effect)
}

/// An object as the operation sees it at `group`: one that is read is visible everywhere, one that
/// is only written at its owner alone.
fn operand(
    group: GroupId,
    object: ObjectId,
    intent: &Intent,
    finding: &Finding,
) -> Option<Operand> {
    let (readable, writable) = (intent.reads(), intent.writes());
    let visible = readable || (writable && finding.is_owned_by(group));
    let value = finding.value.clone().filter(|_| visible)?;
    Some(Operand {
        object,
        value,
        readable,
        writable,
    })
}
