//! From signals to verdict: a pure function, the same at every destination (rule R4).
//!
//! Nothing but a command and the signals of its destinations goes in; nothing of this group's state
//! does. In this order:
//!
//! | what the signals say | verdict |
//! | --- | --- |
//! | a destination had forgotten the session | `SessionExpired` |
//! | an object to be created exists | `AlreadyExists` |
//! | an authority denies an object that is needed | `NotFound` |
//! | nobody owns an object that is needed, or knows of one that is asked for | `Retry` |
//! | an object is not at the revision, or not as absent, as it is expected | `Changed` |
//! | the values to be read or moved are too large together | `TooLarge` |
//! | else | `Done` |

use crate::answer::{Touch, Verdict};
use crate::command::Command;
use crate::id::{Encoded, GroupId, Groups, ObjectId, Revision};
use crate::limits::MAX_FAN_OUT;
use crate::mutant::{self, Mutant};
use crate::request::{Expected, Intent, Request};
use crate::signal::{ObjectReport, ObjectStatus, Signal};

/// What all destinations of a command conclude from its signals.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) verdict: Verdict,
    /// The objects that led to it, where something other than execution did.
    pub(crate) touched: Vec<Touch>,
    /// One for each object of the request, in its order.
    pub(crate) findings: Vec<Finding>,
    /// The group that answers the client.
    pub(crate) answerer: GroupId,
}

/// What the signals of all destinations say together of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finding {
    /// Its owner among the destinations, and its revision there.
    pub(crate) owner: Option<(GroupId, Revision)>,
    /// Its value, if it came along.
    pub(crate) value: Option<Encoded>,
    /// An authority says that it exists.
    present: bool,
    /// An authority says that it does not exist.
    absent: bool,
}

impl Finding {
    /// Whether an owner or an authority says that it exists.
    pub(crate) fn exists(&self) -> bool {
        self.owner.is_some() || self.present
    }

    /// Whether this group owns the object.
    pub(crate) fn is_owned_by(&self, group: GroupId) -> bool {
        self.owner.is_some_and(|(owner, _)| owner == group)
    }

    /// The revision at the owner, or the least one where only existence is known.
    pub(crate) fn revision(&self) -> Revision {
        self.owner.map(|(_, revision)| revision).unwrap_or_default()
    }
}

/// Decides from the signals that are given: of all destinations, the own one included. Values of
/// more than `max_operands` bytes together are refused.
///
/// # Panics
/// If two groups claim to own an object, or an owner meets an authority that denies the object:
/// invariant 3 is broken.
pub(crate) fn decide<'a>(
    command: &Command,
    signals: impl Iterator<Item = &'a (GroupId, Signal)> + Clone,
    max_operands: u64,
) -> Decision {
    let request = &command.request;
    let findings = join(request, signals.clone());
    let (verdict, touched) = judge(command, &findings, signals, max_operands);
    let answerer = answerer(command, &findings, verdict);
    Decision {
        verdict,
        touched,
        findings,
        answerer,
    }
}

/// Joins the signals: one finding for each object of the request, in its order.
fn join<'a>(
    request: &Request,
    signals: impl Iterator<Item = &'a (GroupId, Signal)>,
) -> Vec<Finding> {
    let mut findings = vec![Finding::default(); request.intents().len()];
    for (group, signal) in signals {
        for report in &signal.reports {
            if let Some(place) = request.place(report.object) {
                findings[place].add(*group, report);
            }
        }
    }
    for (finding, object) in findings.iter().zip(request.objects()) {
        assert!(
            !(finding.exists() && finding.absent),
            "an authority denies {object}, which exists: {finding:?}"
        );
    }
    findings
}

impl Finding {
    fn add(&mut self, group: GroupId, report: &ObjectReport) {
        match &report.status {
            ObjectStatus::Owned(revision, value) => {
                let other = self.owner.replace((group, *revision));
                let object = report.object;
                assert!(
                    other.is_none(),
                    "{object} is owned by {group} and {other:?}"
                );
                self.value.clone_from(value);
            }
            ObjectStatus::Present => self.present = true,
            ObjectStatus::Absent => self.absent = true,
        }
    }
}

/// The verdict, and the objects that led to it.
fn judge<'a>(
    command: &Command,
    findings: &[Finding],
    signals: impl Iterator<Item = &'a (GroupId, Signal)> + Clone,
    max_operands: u64,
) -> (Verdict, Vec<Touch>) {
    let request = &command.request;
    if signals.clone().any(|(_, signal)| signal.expired) {
        return (Verdict::SessionExpired, Vec::new());
    }
    let pairs = || request.intents().iter().zip(findings);
    let existing = touches(pairs().filter(|((_, i), f)| is_create(i) && f.exists()));
    if !existing.is_empty() {
        return (Verdict::AlreadyExists, existing);
    }
    let expected = |object| request.expected_of(object);
    let absent = touches(pairs().filter(|((object, intent), finding)| {
        let needed = !is_create(intent) && expected(*object) != Some(Expected::Absent);
        needed && finding.absent
    }));
    if !absent.is_empty() {
        return (Verdict::NotFound, absent);
    }
    let is_covered = |((_, intent), finding): (&(ObjectId, Intent), &Finding)| match intent {
        Intent::Create { .. } => true,
        Intent::Lookup => finding.exists() || finding.absent,
        _ => finding.owner.is_some(),
    };
    if !pairs().all(is_covered) {
        return (Verdict::Retry, Vec::new());
    }
    let changed = touches(pairs().filter(|((object, _), finding)| {
        expected(*object).is_some_and(|expected| match expected {
            Expected::At(revision) => revision != finding.revision(),
            Expected::Absent => finding.exists(),
        })
    }));
    if !changed.is_empty() && !mutant::is_active(Mutant::IgnoredExpectations) {
        return (Verdict::Changed, changed);
    }
    let bytes: u64 = signals.map(|(_, signal)| signal.operand_bytes).sum();
    if bytes > most_operands(command.destinations, max_operands) {
        return (Verdict::TooLarge, Vec::new());
    }
    (Verdict::Done, Vec::new())
}

fn is_create(intent: &Intent) -> bool {
    matches!(intent, Intent::Create { .. })
}

/// Existence as the signals told it; where only existence is known the revision is the least one.
fn touches<'a>(pairs: impl Iterator<Item = (&'a (ObjectId, Intent), &'a Finding)>) -> Vec<Touch> {
    pairs
        .map(|((object, _), finding)| {
            let before = finding.exists().then(|| finding.revision());
            Touch {
                object: *object,
                before,
                after: before,
            }
        })
        .collect()
}

/// How many bytes the values may have together that a command to these groups reads or moves, where
/// one to a single group may use `max_operands`. Each group that owns some sends them to each other
/// one.
pub(super) fn most_operands(destinations: Groups, max_operands: u64) -> u64 {
    let others = destinations.len().saturating_sub(1).max(1) as u64;
    max_operands.min(MAX_FAN_OUT / others)
}

/// How many bytes the reported values have that the command reads or moves.
pub(super) fn operand_bytes(command: &Command, reports: &[ObjectReport]) -> u64 {
    let is_operand = |object| match command.request.intent(object) {
        Some(Intent::Move { .. }) => true,
        Some(intent) => intent.reads(),
        None => false,
    };
    let operands = reports.iter().filter(|report| is_operand(report.object));
    operands.map(|report| report.status.size() as u64).sum()
}

/// The group that answers: of an executed command the least owner of an object that it accesses,
/// else the least destination.
fn answerer(command: &Command, findings: &[Finding], verdict: Verdict) -> GroupId {
    let pairs = command.request.intents().iter().zip(findings);
    let owners = pairs.filter_map(|((_, intent), finding)| {
        let accessed = intent.reads() || intent.writes();
        finding.owner.filter(|_| accessed).map(|(group, _)| group)
    });
    let least = owners.min().filter(|_| verdict == Verdict::Done);
    least
        .or(command.destinations.first())
        .unwrap_or_else(|| unreachable!("a command has a destination"))
}
