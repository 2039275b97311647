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
use crate::mix::mix;
use crate::noraft_adapter::Consensus;
use crate::timing::Timing;
use std::time::Duration;

/// How many entries a learner may lack when it becomes a voter, and a voter that is to lead.
pub(crate) const NEARLY: u64 = 64;
/// How much later than the generation in which the group knows a replica its next one may be.
const GENERATION_LEAD: u64 = 1 << 40;

/// A replica that is no member asks now and then to be taken in: the leader will do it.
#[derive(Debug, Default)]
pub(crate) struct Joining {
    /// When it asked last.
    asked: Duration,
}

impl Joining {
    /// Whether to ask now: the question is noted as asked.
    pub(crate) fn asks(&mut self, now: Duration, consensus: &Consensus, timing: Timing) -> bool {
        let asks = !consensus.is_member(consensus.me()) && now >= self.asked + timing.election;
        if asks {
            self.asked = now;
        }
        asks
    }
}

/// What became of a wish to be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// Something was proposed.
    Proposed,
    /// This replica cannot do it now.
    Unready,
    /// Not in this generation, but in one after the one that the group knows.
    Later { after: u64 },
}

/// A replica in a new generation wants to be taken in: proposes it as a learner, and what it was
/// before without a vote.
pub(crate) fn on_join(consensus: &mut Consensus, from: MemberId) -> Joined {
    let members = consensus.members();
    let same = members.all().filter(|other| other.index() == from.index());
    let generations: Vec<MemberId> = same.collect();
    if !is_settled(consensus) || generations.contains(&from) {
        return Joined::Unready;
    }
    let known = generations.iter().max().copied();
    let after = known.map_or(0, MemberId::generation);
    if !is_credible(from.generation(), after) {
        return Joined::Later { after };
    }
    let mut next = if generations.iter().any(|old| members.voters.contains(old)) {
        consensus.joint(&[], &generations)
    } else {
        members
    };
    next.learners.retain(|other| !generations.contains(other));
    next.learners.insert(from);
    if consensus.propose_members(&next) {
        Joined::Proposed
    } else {
        Joined::Unready
    }
}

/// Whether a replica that the group knows in generation `after` may be in this one. One that is
/// further on than this is not believed: it would leave no generations to the real replica.
fn is_credible(generation: u64, after: u64) -> bool {
    after < generation && generation - after <= GENERATION_LEAD
}

/// A generation after `after` for a replica whose own is not the right one; `None` if it is, or if
/// there is none.
///
/// It must not be one that this replica has had and forgotten. So it is spread by the present one,
/// which is different after each start, over many more than a replica will ever have.
pub(crate) fn generation_after(after: u64, me: MemberId) -> Option<u64> {
    let spread = mix(me.generation()) % (GENERATION_LEAD / 2);
    let next = after.checked_add(1 + spread)?;
    let right = is_credible(me.generation(), after);
    (!right && next < MemberId::LAST_GENERATION - GENERATION_LEAD).then_some(next)
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
