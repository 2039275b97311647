//! What objects were, one value after the other, as the replay of the witnessed check tells: for
//! reads that may be stale.

use super::replay;
use crate::history::History;
use crate::operation::Observed;
use ssmr_core::{Application, Encoded, Micros, Revision};
use std::collections::BTreeMap;

/// One change of an object: a create, a write or a delete.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// What the object was then; `None` if it was deleted, or if that is open.
    pub(crate) after: Option<Revision>,
    /// Its value; `None` if it was deleted, or if that is open.
    pub(crate) value: Option<Encoded>,
    /// Whether it depends on what was not answered, and may be more than one change.
    pub(crate) is_open: bool,
    /// When it was asked for.
    pub(crate) invoked: Micros,
    /// When it was certainly over.
    pub(crate) answered: Micros,
}

/// The changes of one object, in the order in which they took effect.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    changes: Vec<Change>,
    /// The revisions that changes left, ascending, and where these are.
    revisions: Vec<(Revision, usize)>,
    /// The first acknowledgement of each change and those behind it.
    first_answers: Vec<Micros>,
}

impl Timeline {
    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether anything in it depends on what was not answered.
    pub(crate) fn is_open(&self) -> bool {
        self.changes.iter().any(|change| change.is_open)
    }

    /// The last change that left this revision, or an earlier one.
    pub(crate) fn last_at(&self, revision: Revision) -> Option<usize> {
        let is_not_later = |(after, _): &(Revision, usize)| *after <= revision;
        let count = self.revisions.partition_point(is_not_later);
        Some(self.revisions[count.checked_sub(1)?].1)
    }

    /// The last change that had been acknowledged by then.
    pub(crate) fn newest_acknowledged(&self, by: Micros) -> Option<usize> {
        self.first_answers
            .partition_point(|at| *at <= by)
            .checked_sub(1)
    }

    /// When a change behind this one was acknowledged first; `None` if there is none.
    pub(crate) fn superseded_by(&self, place: usize) -> Option<Micros> {
        self.first_answers.get(place + 1).copied()
    }
}

/// The timelines of the objects that stale reads name.
#[derive(Debug, Default)]
pub(crate) struct Timelines(BTreeMap<u32, Timeline>);

impl Timelines {
    /// Those of a history; `None` if it is not linearizable.
    pub(crate) fn of<A: Application>(history: &History<A>) -> Option<Self> {
        let objects = history
            .stale
            .iter()
            .map(|read| (read.object, Timeline::default()));
        let mut timelines = Self(objects.collect());
        super::replay_with(history, &mut timelines).ok()?;
        for timeline in timelines.0.values_mut() {
            let left = timeline.changes.iter().enumerate();
            let left = left.filter_map(|(place, change)| Some((change.after?, place)));
            timeline.revisions = left.collect();
            let mut first = Micros::MAX;
            let answers = timeline.changes.iter().rev().map(|change| {
                first = first.min(change.answered);
                first
            });
            timeline.first_answers = answers.collect();
            timeline.first_answers.reverse();
        }
        Some(timelines)
    }

    pub(crate) fn of_object(&self, object: u32) -> Option<&Timeline> {
        self.0.get(&object)
    }

    /// Nobody knows what has become of an object, nor in how many steps.
    pub(super) fn open(&mut self, object: u32) {
        if let Some(timeline) = self.0.get_mut(&object) {
            timeline.changes.push(Change {
                after: None,
                value: None,
                is_open: true,
                invoked: 0,
                answered: Micros::MAX,
            });
        }
    }

    /// An operation was replayed, and left this.
    pub(super) fn note<A: Application>(
        &mut self,
        history: &History<A>,
        operation: u32,
        slots: &[replay::Slot],
    ) {
        if self.0.is_empty() {
            return;
        }
        let items = history.items(operation as usize).iter();
        for item in items.filter(|item| item.may_have_changed()) {
            let Some(timeline) = self.0.get_mut(&item.object) else {
                continue;
            };
            let after = match item.after {
                Observed::At { epoch, version } => Some(Revision {
                    epoch: history.epochs.values()[epoch as usize],
                    version: version.into(),
                }),
                Observed::Untold | Observed::Absent => None,
            };
            let (value, is_absent) = match &slots[item.object as usize] {
                replay::Slot::Value(value) => (Some(value.clone()), false),
                replay::Slot::Absent => (None, true),
                replay::Slot::Open => (None, false),
            };
            let is_deleted = is_absent && item.after == Observed::Absent;
            timeline.changes.push(Change {
                is_open: !is_deleted && (value.is_none() || after.is_none()),
                after,
                value,
                invoked: history.operations[operation as usize].invoked,
                answered: history.answered_at(operation as usize),
            });
        }
    }
}
