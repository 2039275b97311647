//! What can be seen of one group from between its multicast and its engine: which attempts it
//! delivers, what it signals, and when it comes to which verdict.

use super::{Happening, Step};
use ssmr_core::ObjectStatus;
use ssmr_core::limits::MAX_OPERANDS;
use ssmr_core::{
    Answer, Command, CommandId, Delivery, Expected, GroupId, Hint, Intent, MessageId, ObjectEvent,
    ObjectId, Signal, Timestamp, Verdict,
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
pub(super) struct GroupView {
    /// What was delivered: an attempt, or a group's signal for it.
    seen: BTreeSet<(MessageId, Option<GroupId>)>,
    pending: BTreeMap<MessageId, Pending>,
    /// Attempts that were answered before they were concluded.
    answered: BTreeSet<CommandId>,
}

/// A line of the trace, and the attempt that it is about.
type Line = (Option<CommandId>, Happening);

/// An attempt that has come to its verdict; with what the signals say, where that is another one.
struct Concluded {
    command: Arc<Command>,
    timestamp: Timestamp,
    verdict: Verdict,
    against: Option<Verdict>,
}

impl GroupView {
    /// What a delivery led to, unless another replica of the group has shown it already.
    pub(super) fn look_through(&mut self, group: GroupId, step: Step) -> Vec<Line> {
        let mut lines = Vec::new();
        let Some(delivery) = step.delivery else {
            self.answer(group, step.answers, &mut lines);
            return lines;
        };
        let Some(id) = self.take_in(group, delivery, &mut lines) else {
            return lines;
        };
        let mut touched = BTreeSet::from([id]);
        for (to, signal) in step.signals {
            let (id, from) = (signal.message, group);
            touched.insert(id);
            self.pending(id).signals.insert(group, signal.clone());
            lines.push((Some(id.command), Happening::Signalled { from, to, signal }));
        }
        let answered = |id: &&MessageId| step.answers.iter().any(|(a, _)| a.id == id.command);
        touched.extend(self.pending.keys().filter(answered));
        let mut events = step.events;
        for concluded in self.conclude(touched, &step.answers) {
            let (id, verdict) = (concluded.command.id, concluded.verdict);
            let effects = match verdict {
                Verdict::Done | Verdict::Failed => take_effects(&mut events, &concluded.command),
                _ => Vec::new(),
            };
            let what = Happening::Concluded {
                at: group,
                verdict,
                effects,
                against: concluded.against,
            };
            lines.push((Some(id), what));
        }
        if !events.is_empty() {
            let (at, effects) = (group, events);
            lines.push((None, Happening::Acted { at, effects }));
        }
        self.answer(group, step.answers, &mut lines);
        lines
    }

    /// Attempts are answered, those again that were answered early.
    fn answer(
        &mut self,
        at: GroupId,
        answers: Vec<(Arc<Answer>, Vec<Hint>)>,
        lines: &mut Vec<Line>,
    ) {
        for (answer, hints) in answers {
            let id = answer.id;
            if self.answered.insert(id) {
                lines.push((Some(id), Happening::Answered { at, answer, hints }));
            }
        }
    }

    /// Takes note of a delivery. Returns the attempt that it is about, if it is new.
    fn take_in(
        &mut self,
        at: GroupId,
        delivery: Delivery,
        lines: &mut Vec<Line>,
    ) -> Option<MessageId> {
        match delivery {
            Delivery::Command {
                command,
                timestamp,
                expired,
            } => {
                let id = command.message_id();
                self.seen.insert((id, None)).then(|| {
                    let delivered = Happening::Delivered {
                        at,
                        timestamp,
                        expired,
                    };
                    lines.push((Some(id.command), delivered));
                    self.pending(id).delivered = Some((command, timestamp));
                    id
                })
            }
            Delivery::Signal { from, signal } => {
                let id = signal.message;
                self.seen.insert((id, Some(from))).then(|| {
                    lines.push((Some(id.command), Happening::Heard { at, from }));
                    self.pending(id).signals.insert(from, signal);
                    id
                })
            }
            Delivery::SessionEnded(_) | Delivery::Restore(_) => None,
        }
    }

    fn pending(&mut self, id: MessageId) -> &mut Pending {
        self.pending.entry(id).or_default()
    }

    /// Those of some attempts that have come to their verdict, in the order of their timestamps.
    fn conclude(
        &mut self,
        touched: BTreeSet<MessageId>,
        answers: &[(Arc<Answer>, Vec<Hint>)],
    ) -> Vec<Concluded> {
        let mut all = Vec::new();
        for id in touched {
            let answer = answers.iter().find(|(answer, _)| answer.id == id.command);
            let answered = answer.map(|(answer, _)| answer.verdict);
            let derived = self.pending(id).verdict();
            let Some(verdict) = answered.or(derived) else {
                continue;
            };
            let delivered = self.pending.remove(&id).and_then(|p| p.delivered);
            all.extend(delivered.map(|(command, timestamp)| Concluded {
                command,
                timestamp,
                verdict,
                // That the service panicked no signal can say.
                against:
                    derived.filter(|derived| *derived != verdict && verdict != Verdict::Failed),
            }));
        }
        all.sort_by_key(|concluded| concluded.timestamp);
        all
    }
}

/// Takes the effects of one command, which come before those of later ones: one for each object at
/// most.
fn take_effects(events: &mut Vec<ObjectEvent>, command: &Command) -> Vec<ObjectEvent> {
    let mut taken: BTreeSet<ObjectId> = BTreeSet::new();
    let mine = |event: &mut ObjectEvent| {
        command.request.intent(event.object).is_some() && taken.insert(event.object)
    };
    events.extract_if(.., mine).collect()
}

/// What the signals of all destinations say together: section "one shape of command" of the
/// protocol, once more and independently of the engine.
fn decide(command: &Command, signals: &BTreeMap<GroupId, Signal>) -> Verdict {
    let says = |object: ObjectId, what: fn(&ObjectStatus) -> bool| {
        let reports = signals.values().flat_map(|signal| &signal.reports);
        reports
            .filter(|report| report.object == object)
            .any(|report| what(&report.status))
    };
    let owned = |object| says(object, |status| matches!(status, ObjectStatus::Owned(..)));
    let exists = |object| says(object, |status| *status != ObjectStatus::Absent);
    let absent = |object| says(object, |status| *status == ObjectStatus::Absent);
    let request = &command.request;
    let changed = |(object, expected): &(ObjectId, Expected)| match expected {
        Expected::Absent => exists(*object),
        Expected::At(expected) => {
            let reports = signals.values().flat_map(|signal| &signal.reports);
            let mut reports = reports.filter(|report| report.object == *object);
            reports.any(
                |report| matches!(report.status, ObjectStatus::Owned(at, _) if at != *expected),
            )
        }
    };
    let needed = |(object, intent): &(ObjectId, Intent)| {
        let to_be_absent = matches!(intent, Intent::Create { .. })
            || request.expected_of(*object) == Some(Expected::Absent);
        !to_be_absent
    };
    let intents = || request.intents().iter();
    let creates = |intent: &Intent| matches!(intent, Intent::Create { .. });
    let covered = |(object, intent): &(ObjectId, Intent)| match intent {
        Intent::Create { .. } => true,
        Intent::Lookup => exists(*object) || absent(*object),
        _ => owned(*object),
    };
    if signals.values().any(|signal| signal.expired) {
        Verdict::SessionExpired
    } else if intents().any(|(object, intent)| creates(intent) && exists(*object)) {
        Verdict::AlreadyExists
    } else if intents().any(|named| needed(named) && absent(named.0)) {
        Verdict::NotFound
    } else if !intents().all(covered) {
        Verdict::Retry
    } else if request.expected().iter().any(changed) {
        Verdict::Changed
    } else if signals.values().map(|s| s.operand_bytes).sum::<u64>() > MAX_OPERANDS {
        Verdict::TooLarge
    } else {
        Verdict::Done
    }
}
