//! From signals to answer: what a command leads to, as far as its signals say it. A pure function,
//! so a leader may ask before the signals are logged ([`early`](super::early)) and gets the same as
//! when they are.

use super::execute::{Computed, execute};
use super::partition::Reply;
use super::verdict::{Decision, Finding};
use crate::answer::{Answer, Touch, Verdict};
use crate::application::Application;
use crate::command::Command;
use crate::hints;
use crate::id::{Encoded, GroupId, Hint, Revision, Timestamp};
use crate::request::Intent;
use std::sync::Arc;

/// What a command leads to at one group.
#[derive(Debug)]
pub(super) struct Conclusion {
    /// What the signals say, or that the service failed.
    verdict: Verdict,
    /// The objects that it touches, with their revisions before and after.
    touched: Vec<Touch>,
    /// One for each object of the request, in its order.
    pub(super) findings: Vec<Finding>,
    /// What the operation computed, if the command takes effect.
    pub(super) computed: Option<Computed>,
}

/// Carries out at `group` what was decided of a command with this final timestamp, but stores
/// nothing.
pub(super) fn carry_out<A: Application>(
    group: GroupId,
    command: &Command,
    timestamp: Timestamp,
    decision: Decision,
) -> Conclusion {
    if decision.verdict != Verdict::Done {
        return Conclusion {
            verdict: decision.verdict,
            touched: decision.touched,
            findings: decision.findings,
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
        findings: decision.findings,
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
            hints: self.hints(command),
        }
    }

    /// Where the signals say that the objects are, if the client's plan was not the best one: then
    /// it should learn.
    fn hints(&self, command: &Command) -> Vec<Hint> {
        let mut intents = command.request.intents().iter();
        let asks = intents.any(|(_, intent)| matches!(intent, Intent::Lookup));
        if self.verdict != Verdict::Retry && command.id.attempt <= 1 && !asks {
            return Vec::new();
        }
        let places = command.request.objects().zip(&self.findings);
        places
            .filter_map(|(object, finding)| {
                let (group, revision) = finding.owner?;
                hints::of_owner(object, group, revision)
            })
            .collect()
    }
}
