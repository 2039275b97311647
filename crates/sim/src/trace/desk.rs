//! What can be seen of one group from between its multicast and its engine: which attempts it delivers, what it signals,
//! and when it comes to which verdict.

use super::{Happening, Step};
use ssmr_core::limits::MAX_OPERANDS;
use ssmr_core::multicast::Standing;
use ssmr_core::{
    Command, CommandId, Delivery, Event, GroupId, Intent, ObjectId, Signal, Timestamp, Verdict,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An attempt that the group has not concluded.
#[derive(Debug, Default)]
struct Pending {
    delivered: Option<(Arc<Command>, Timestamp)>,
    signals: BTreeMap<GroupId, Signal>,
}

impl Pending {
    /// The verdict, if all destinations have signalled.
    fn verdict(&self) -> Option<Verdict> {
        let (command, _) = self.delivered.as_ref()?;
        let mut all = command.destinations.iter();
        all.all(|group| self.signals.contains_key(&group))
            .then(|| decide(command, &self.signals))
    }
}

/// What one group has under way.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// What was delivered: an attempt, or a group's signal for it.
    seen: BTreeSet<(CommandId, Option<GroupId>)>,
    pending: BTreeMap<CommandId, Pending>,
}

impl Desk {
    /// What a delivery led to, unless another replica of the group has shown it already.
    pub(super) fn look_through(
        &mut self,
        group: GroupId,
        step: Step,
    ) -> Vec<(Option<CommandId>, Happening)> {
        let mut lines = Vec::new();
        let mut touched = BTreeSet::new();
        match step.delivery {
            Delivery::Command {
                command,
                timestamp,
                expired,
            } if self.seen.insert((command.id, None)) => {
                let delivered = Happening::Delivered {
                    at: group,
                    timestamp,
                    expired,
                };
                lines.push((Some(command.id), delivered));
                touched.insert(command.id);
                let pending = self.pending.entry(command.id).or_default();
                pending.delivered = Some((command, timestamp));
            }
            Delivery::Signal { from, signal } if self.seen.insert((signal.command, Some(from))) => {
                touched.insert(signal.command);
                self.pending(signal.command).signals.insert(from, signal);
            }
            _ => return lines,
        }
        for (to, signal) in step.signals {
            let id = signal.command;
            touched.insert(id);
            self.pending(id).signals.insert(group, signal.clone());
            let from = group;
            lines.push((Some(id), Happening::Signalled { from, to, signal }));
        }
        touched.extend(step.answers.iter().map(|(answer, _)| answer.id));
        let mut effects = step.events;
        for (id, command, said) in self.conclude(touched, &step.answers) {
            let (verdict, against) = said;
            let effects = match verdict {
                Verdict::Done => take_effects(&mut effects, &command),
                _ => Vec::new(),
            };
            let concluded = Happening::Concluded {
                at: group,
                verdict,
                effects,
                against,
            };
            lines.push((Some(id), concluded));
        }
        if !effects.is_empty() {
            lines.push((None, Happening::Acted { at: group, effects }));
        }
        lines.extend(step.answers.into_iter().map(|(answer, hints)| {
            let (id, at) = (Some(answer.id), group);
            (id, Happening::Answered { at, answer, hints })
        }));
        lines
    }

    fn pending(&mut self, id: CommandId) -> &mut Pending {
        self.pending.entry(id).or_default()
    }

    /// Those of some attempts that have come to their verdict, in the order of their timestamps; with what the signals say,
    /// where that is another one.
    fn conclude(
        &mut self,
        touched: BTreeSet<CommandId>,
        answers: &[(Arc<ssmr_core::Answer>, Vec<ssmr_core::Hint>)],
    ) -> Vec<(CommandId, Arc<Command>, (Verdict, Option<Verdict>))> {
        let mut concluded = Vec::new();
        for id in touched {
            let answer = answers.iter().find(|(answer, _)| answer.id == id);
            let answered = answer.map(|(answer, _)| answer.verdict);
            let derived = self.pending(id).verdict();
            let Some(verdict) = answered.or(derived) else {
                continue;
            };
            let against = derived.filter(|derived| *derived != verdict);
            let delivered = self.pending.remove(&id).and_then(|p| p.delivered);
            concluded
                .extend(delivered.map(|(command, at)| (at, (id, command, (verdict, against)))));
        }
        concluded.sort_by_key(|(at, _)| *at);
        concluded.into_iter().map(|(_, what)| what).collect()
    }
}

/// Takes the effects of one command, which come before those of later ones: one for each object at most.
fn take_effects(events: &mut Vec<Event>, command: &Command) -> Vec<Event> {
    let mut taken: BTreeSet<ObjectId> = BTreeSet::new();
    let mine = |event: &mut Event| {
        command.request.intent(event.object).is_some() && taken.insert(event.object)
    };
    events.extract_if(.., mine).collect()
}

/// What the signals of all destinations say together: section "one shape of command" of the protocol, once more and
/// independently of the engine.
fn decide(command: &Command, signals: &BTreeMap<GroupId, Signal>) -> Verdict {
    let says = |object: ObjectId, what: fn(&Standing) -> bool| {
        let reports = signals.values().flat_map(|signal| &signal.reports);
        reports
            .filter(|report| report.object == object)
            .any(|report| what(&report.standing))
    };
    let owned = |object| says(object, |standing| matches!(standing, Standing::Has(..)));
    let exists = |object| says(object, |standing| *standing != Standing::Absent);
    let absent = |object| says(object, |standing| *standing == Standing::Absent);
    let intents = || command.request.intents().iter();
    let creates = |intent: &Intent| matches!(intent, Intent::Create { .. });
    let covered = |(object, intent): &(ObjectId, Intent)| match intent {
        Intent::Create { .. } => true,
        Intent::Lookup => exists(*object),
        _ => owned(*object),
    };
    if signals.values().any(|signal| signal.expired) {
        Verdict::SessionExpired
    } else if intents().any(|(object, intent)| creates(intent) && exists(*object)) {
        Verdict::AlreadyExists
    } else if intents().any(|(object, intent)| !creates(intent) && absent(*object)) {
        Verdict::NotFound
    } else if !intents().all(covered) {
        Verdict::Retry
    } else if signals.values().map(|s| s.operand_bytes).sum::<u64>() > MAX_OPERANDS {
        Verdict::TooLarge
    } else {
        Verdict::Done
    }
}
