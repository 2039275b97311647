//! From signals to verdict: a pure function, the same at every destination (rule R4).

use crate::answer::{Touch, Verdict};
use crate::command::{Command, Intent, Request};
use crate::id::{Encoded, GroupId, Hint, ObjectId, Revision};
use crate::multicast::{ObjectReport, ObjectStatus, Signal};

/// What the signals of all destinations say together of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finding {
    /// Its owner among the destinations, and its revision there.
    pub(crate) holder: Option<(GroupId, Revision)>,
    /// Its value, if it came along.
    pub(crate) value: Option<Encoded>,
    /// An authority says that it exists.
    present: bool,
    /// An authority says that it does not exist.
    absent: bool,
}

impl Finding {
    fn exists(&self) -> bool {
        self.holder.is_some() || self.present
    }
}

/// Joins the signals of all destinations: one finding per object of the request, in its order.
///
/// # Panics
/// If two groups claim to own an object, or an owner meets an authority that denies the object: invariant 3 is broken.
pub(crate) fn join<'a>(
    request: &Request,
    signals: impl Iterator<Item = (GroupId, &'a Signal)>,
) -> Vec<Finding> {
    let mut findings = vec![Finding::default(); request.intents().len()];
    for (group, signal) in signals {
        for report in &signal.reports {
            let place = request
                .intents()
                .binary_search_by_key(&report.object, |(object, _)| *object);
            let Ok(place) = place else { continue };
            let finding = &mut findings[place];
            match &report.status {
                ObjectStatus::Owned(revision, _) => {
                    let other = finding.holder.replace((group, *revision));
                    assert!(
                        other.is_none(),
                        "{} is owned by {group} and {other:?}",
                        report.object
                    );
                    finding.value = report.status.value().cloned();
                }
                ObjectStatus::Present => finding.present = true,
                ObjectStatus::Absent => finding.absent = true,
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

/// The verdict, and what is told of the objects that led to it.
pub(crate) fn decide(
    request: &Request,
    findings: &[Finding],
    expired: bool,
    everywhere: bool,
) -> (Verdict, Vec<Touch>) {
    if expired {
        return (Verdict::SessionExpired, Vec::new());
    }
    let pairs = || request.intents().iter().zip(findings);
    let existing = collect(pairs().filter(|((_, i), f)| is_create(i) && f.exists()));
    if !existing.is_empty() {
        return (Verdict::AlreadyExists, existing);
    }
    let absent = collect(pairs().filter(|((_, i), f)| !is_create(i) && f.absent));
    if !absent.is_empty() {
        return (Verdict::NotFound, absent);
    }
    let uncovered = pairs().find(|((_, intent), finding)| match intent {
        Intent::Create { .. } => false,
        Intent::Lookup => !finding.exists(),
        _ => finding.holder.is_none(),
    });
    match uncovered {
        None => (Verdict::Done, Vec::new()),
        Some(((object, _), finding)) => {
            assert!(
                !everywhere,
                "{object} is present and owned by nobody: {finding:?}"
            );
            (Verdict::Retry, Vec::new())
        }
    }
}

fn is_create(intent: &Intent) -> bool {
    matches!(intent, Intent::Create { .. })
}

/// Existence as the signals told it; where only existence is known the revision is the least one.
fn collect<'a>(pairs: impl Iterator<Item = (&'a (ObjectId, Intent), &'a Finding)>) -> Vec<Touch> {
    pairs
        .map(|((object, _), finding)| {
            let before = finding.exists().then(|| known_revision(finding));
            Touch {
                object: *object,
                before,
                after: before,
            }
        })
        .collect()
}

/// The revision at the owner, or the least one where only existence is known.
pub(crate) fn known_revision(finding: &Finding) -> Revision {
    finding
        .holder
        .map(|(_, revision)| revision)
        .unwrap_or_default()
}

/// How many bytes the reported values have that the command reads or moves.
pub(super) fn operand_bytes(command: &Command, reports: &[ObjectReport]) -> u64 {
    let wanted = |object| match command.request.intent(object) {
        Some(Intent::Move { .. }) => true,
        Some(intent) => intent.reads(),
        None => false,
    };
    let operands = reports.iter().filter(|report| wanted(report.object));
    operands.map(|report| report.status.size() as u64).sum()
}

/// The group that answers: of an executed command the least owner of an object that it accesses, else the least
/// destination. A pure function of the signals.
pub(super) fn answerer(command: &Command, findings: &[Finding], verdict: Verdict) -> GroupId {
    let owners =
        command
            .request
            .intents()
            .iter()
            .zip(findings)
            .filter_map(|((_, intent), finding)| {
                let accessed = intent.reads() || intent.writes();
                finding.holder.filter(|_| accessed).map(|(group, _)| group)
            });
    let least = owners.min().filter(|_| verdict == Verdict::Done);
    least
        .or(command.destinations.first())
        .unwrap_or_else(|| unreachable!("a command has a destination"))
}

/// Whether the client's plan was not the best one: it should learn where the objects are.
pub(super) fn worth_hints(command: &Command, verdict: Verdict) -> bool {
    let asks = || {
        command
            .request
            .intents()
            .iter()
            .any(|(_, intent)| matches!(intent, Intent::Lookup))
    };
    verdict == Verdict::Retry || command.id.attempt > 1 || asks()
}

/// Where the signals say that the objects are.
pub(super) fn hints(command: &Command, findings: &[Finding]) -> Vec<Hint> {
    let places = command.request.objects().zip(findings);
    places
        .filter_map(|(object, finding)| {
            let (group, revision) = finding.holder?;
            Some(Hint {
                object,
                owner: group.partition()?,
                epoch: revision.epoch,
            })
        })
        .collect()
}
