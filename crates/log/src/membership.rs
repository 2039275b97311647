//! Who takes part: replicas that lost what they had stored come back as new members.
//!
//! Such a replica must not vote under its old name, for it has forgotten what it promised. It
//! begins a new generation and asks to be taken in; the leader strikes the old generation off the
//! voters and adds the new one as a learner (one change, by joint consensus: section 6 of Ongaro
//! and Ousterhout, 2014), fills it, and makes it a voter when it has caught up.
//!
//! ```text
//!   r2/7 (new generation)        leader r0                              voters        learners
//!     |------ Join --------->|                                     r0 r1 r2      -
//!     |                      | log: joint {r0 r1 r2}, {r0 r1}      r0 r1         r2/7
//!     |<----- entries -------|
//!     |------ Appended ----->| caught up: joint {r0 r1}, {.. r2/7} r0 r1 r2/7    -
//! ```
//!
//! Invariant: one change at a time, each begun only when the one before is committed and the leader
//! has committed an entry of its own term.

use crate::member::MemberId;
use crate::noraft_adapter::Consensus;
use crate::timing::ELECTION;
use std::time::Duration;

/// How many entries a learner may lack when it becomes a voter.
const NEARLY: u64 = 64;

/// A replica that is no member asks now and then to be taken in: the leader will do it.
#[derive(Debug, Default)]
pub(crate) struct Joining {
    /// When it asked last.
    asked: Duration,
}

impl Joining {
    /// Whether to ask now: the question is noted as asked.
    pub(crate) fn asks(&mut self, now: Duration, consensus: &Consensus) -> bool {
        let asks = !consensus.is_member(consensus.me()) && now >= self.asked + ELECTION;
        if asks {
            self.asked = now;
        }
        asks
    }
}

/// A replica in a new generation wants to be taken in: proposes it as a learner, and what it was
/// before without a vote. Returns whether something was proposed.
pub(crate) fn on_join(consensus: &mut Consensus, from: MemberId) -> bool {
    let members = consensus.members();
    let same = members.all().filter(|other| other.index() == from.index());
    let generations: Vec<MemberId> = same.collect();
    if generations.iter().any(|other| *other >= from) || !is_settled(consensus) {
        return false;
    }
    let mut next = if generations.iter().any(|old| members.voters.contains(old)) {
        consensus.joint(&[], &generations)
    } else {
        members
    };
    next.learners.retain(|other| !generations.contains(other));
    next.learners.insert(from);
    consensus.propose_members(&next)
}

/// Proposes a learner that has caught up as a voter, if there is one. Returns whether something was
/// proposed.
pub(crate) fn promote(consensus: &mut Consensus) -> bool {
    let last = consensus.last().index;
    let ready = |id: &MemberId| consensus.matched(*id) + NEARLY >= last;
    let learner = consensus.learners().find(ready);
    let Some(learner) = learner.filter(|_| is_settled(consensus)) else {
        return false;
    };
    let next = consensus.joint(&[learner], &[]);
    consensus.propose_members(&next)
}

/// Whether the members are those of a committed entry, and this leader has committed an entry of
/// its own.
fn is_settled(consensus: &Consensus) -> bool {
    let own = consensus.commit_term() == Some(consensus.term());
    consensus.is_leader() && own && consensus.settled_members().is_some()
}
