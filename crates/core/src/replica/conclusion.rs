//! From signals to answer: what a command leads to, as far as its signals say it. A pure function,
//! so a leader may ask before the signals are logged ([`early`](super::early)) and gets the same as
//! when they are.

use super::execute::{Computed, execute};
use super::partition::Reply;
use super::verdict::{Decision, Finding, decide};
use crate::answer::{Answer, Touch, Verdict};
use crate::application::Application;
use crate::command::Command;
use crate::id::{Encoded, GroupId, Revision, Timestamp};
use crate::request::Intent;
use crate::signal::Signal;
use std::sync::Arc;

/// What a command leads to at one group.
#[derive(Debug)]
pub(super) struct Conclusion {
    pub(super) verdict: Verdict,
    pub(super) decision: Decision,
    /// The objects that it touches, with their revisions before and after.
    pub(super) touched: Vec<Touch>,
    /// What the operation computed, if the command takes effect.
    pub(super) computed: Option<Computed>,
}

/// Concludes from the signals of all destinations what a command with this final timestamp leads
/// to at `group`.
///
/// # Panics
/// As [`decide`].
pub(super) fn conclude<A: Application>(
    group: GroupId,
    command: &Command,
    timestamp: Timestamp,
    signals: &[(GroupId, Signal)],
    max_operands: u64,
) -> Conclusion {
    let mut decision = decide(command, signals, max_operands);
    let touched = std::mem::take(&mut decision.touched);
    if decision.verdict != Verdict::Done {
        return Conclusion {
            verdict: decision.verdict,
            decision,
            touched,
            computed: None,
        };
    }
    let computed = execute::<A>(group, command, &decision);
    let has_failed = matches!(computed, Computed::Failed);
    let pairs = command.request.intents().iter().zip(&decision.findings);
    let touched = pairs.map(|((object, intent), finding)| {
        let (before, after) = revisions(intent, finding, timestamp, has_failed);
        let object = *object;
        Touch {
            object,
            before,
            after,
        }
    });
    Conclusion {
        verdict: if has_failed {
            Verdict::Failed
        } else {
            Verdict::Done
        },
        touched: touched.collect(),
        computed: Some(computed),
        decision,
    }
}

/// An object's revision before and after a command that takes effect. A placement begins an epoch,
/// which is the command's timestamp.
fn revisions(
    intent: &Intent,
    finding: &Finding,
    epoch: Timestamp,
    has_failed: bool,
) -> (Option<Revision>, Option<Revision>) {
    let owned = finding.owner.map(|(_, revision)| revision);
    match intent {
        Intent::Create { .. } => (owned, Some(Revision { epoch, version: 0 })),
        Intent::Delete => (owned, None),
        Intent::Move { to } if finding.is_owned_by((*to).into()) => (owned, owned),
        Intent::Move { .. } => {
            let old = finding.revision();
            (owned, Some(Revision { epoch, ..old }))
        }
        Intent::Write | Intent::Update if has_failed => (owned, owned),
        Intent::Write | Intent::Update => (owned, owned.map(Revision::written)),
        Intent::Read => (owned, owned),
        Intent::Lookup => {
            let found = finding.exists().then(|| finding.revision());
            (found, found)
        }
    }
}

impl Conclusion {
    /// The answer, which is the answering group's to give.
    pub(super) fn reply(&self, command: &Arc<Command>, timestamp: Timestamp) -> Reply {
        let reply = match &self.computed {
            Some(Computed::Done(effect)) => effect.reply.clone(),
            Some(Computed::Failed) | None => Encoded::new(),
        };
        Reply {
            answer: Arc::new(Answer {
                id: command.id,
                verdict: self.verdict,
                reply,
                timestamp,
                touched: self.touched.clone(),
            }),
            command: command.clone(),
            hints: self.decision.hints(command, self.verdict),
        }
    }
}
