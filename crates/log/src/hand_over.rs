//! A leader that hands its leadership over (section 3.10 of Ongaro's thesis): it proposes nothing
//! more, waits until another voter has all of its log, and asks that one to campaign at once.
//!
//! ```text
//!   leader r0                       r1                       r2
//!     |  proposes nothing more      |                        |
//!     |---- what r1 lacks --------->|                        |
//!     |<--- Appended ---------------|                        |
//!     |---- TakeOver -------------->|  campaigns             |
//!     |<--- VoteCall, requested ----|---- VoteCall, req. --->|  both vote, though they have heard
//!     |---- VoteReply ------------->|                        |  of a leader just now
//!     |<--- Append, next term ------|  leads                 |
//! ```
//!
//! If that has not happened after an election timeout the leader goes on. But its request may
//! arrive at any time, and makes voters break what they have promised it.
//!
//! Invariant: from the moment at which it has asked somebody, a leader counts on no promise in that
//! term. What is requested of a follower concerns the term in which it follows whoever asked, so no
//! later leader's promises are broken.

use crate::member::MemberId;
use crate::membership::NEARLY;
use crate::noraft_adapter::Consensus;
use crate::replication::Followers;
use crate::timing::Timing;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

/// Why a replica does not hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandOverRefused {
    /// It does not lead its group.
    NotLeader,
    /// It has just been elected, or the group's members are changing: that passes.
    Unready,
    /// Nobody else votes in its group, or the replica that was named does not.
    NoVoter,
    /// No other voter, or not the one that was named, has nearly all of the log and has been heard
    /// of lately.
    Behind,
    /// It is handing over to another replica than the one that was named.
    UnderWay {
        /// The index of that replica.
        to: u8,
    },
}

impl fmt::Display for HandOverRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLeader => f.write_str("it does not lead its group"),
            Self::Unready => {
                f.write_str("it has just been elected, or the members of its group are changing")
            }
            Self::NoVoter => f.write_str("there is no such other voter in its group"),
            Self::Behind => f.write_str("whoever could take over is behind or silent"),
            Self::UnderWay { to } => write!(f, "it is handing over to replica {to} already"),
        }
    }
}

impl std::error::Error for HandOverRefused {}

/// Where one replica stands with handing over, or with taking over.
#[derive(Debug, Default)]
pub(crate) struct HandOver {
    under_way: Option<UnderWay>,
    /// This leader has asked somebody to campaign, in this term.
    has_asked: bool,
    /// The term in which this replica campaigned because its leader had asked it to.
    requested: Option<u64>,
}

/// A hand-over that has begun.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    to: MemberId,
    /// When the leader goes on if it still leads.
    until: Duration,
    /// When it asked last.
    asked: Option<Duration>,
}

impl HandOver {
    /// A term begins in which this replica leads.
    pub(crate) fn begin_term(&mut self) {
        *self = Self::default();
    }

    /// Whether one is under way, of this replica if it leads.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether this leader has asked somebody to campaign, in this term.
    pub(crate) fn has_asked(&self) -> bool {
        self.has_asked
    }

    /// Begins one: to the replica that is named, or to the voter that is best. Returns to whom.
    pub(crate) fn begin(
        &mut self,
        now: Duration,
        to: Option<u8>,
        consensus: &Consensus,
        followers: &Followers,
    ) -> Result<MemberId, HandOverRefused> {
        if !consensus.is_leader() {
            return Err(HandOverRefused::NotLeader);
        }
        if let Some(UnderWay { to: other, .. }) = self.under_way {
            let same = to.is_none_or(|index| index == other.index());
            let to = other.index();
            return same
                .then_some(other)
                .ok_or(HandOverRefused::UnderWay { to });
        }
        let to = successor(now, to, consensus, followers)?;
        self.under_way = Some(UnderWay {
            to,
            until: now + followers.timing().election,
            asked: None,
        });
        Ok(to)
    }

    /// Whom the leader has to ask now to campaign, which is noted; ends what takes too long.
    pub(crate) fn poll_request(
        &mut self,
        now: Duration,
        consensus: &Consensus,
        timing: Timing,
    ) -> Option<MemberId> {
        let goes_on = |under_way: &UnderWay| consensus.is_leader() && now < under_way.until;
        self.under_way = self.under_way.filter(goes_on);
        let under_way = self.under_way.as_mut()?;
        let last = consensus.last().index;
        // What it has proposed it also answers, unless other groups are waited for.
        let is_even = consensus.matched(under_way.to) == last && consensus.commit_index() == last;
        let is_due = under_way
            .asked
            .is_none_or(|at| now >= at + timing.heartbeat);
        (is_even && is_due).then(|| {
            under_way.asked = Some(now);
            self.has_asked = true;
            under_way.to
        })
    }

    /// This replica campaigns in a term because it was asked to.
    pub(crate) fn request(&mut self, term: u64) {
        self.requested = Some(term);
    }

    /// Whether this replica campaigns in that term because it was asked to.
    pub(crate) fn is_requested(&self, term: u64) -> bool {
        self.requested == Some(term)
    }
}

/// Who is to take over: of the voters that are nearly caught up one that spoke just now, then the
/// one that has most of the log.
fn successor(
    now: Duration,
    named: Option<u8>,
    consensus: &Consensus,
    followers: &Followers,
) -> Result<MemberId, HandOverRefused> {
    let own = consensus.commit_term() == Some(consensus.term());
    let members = consensus.settled_members().filter(|_| own);
    let mut voters = members.ok_or(HandOverRefused::Unready)?.voters;
    voters.retain(|id| *id != consensus.me() && named.is_none_or(|index| index == id.index()));
    if voters.is_empty() {
        return Err(HandOverRefused::NoVoter);
    }
    let last = consensus.last().index;
    let is_near = |id: &MemberId| consensus.matched(*id) + NEARLY >= last;
    let speaks = |id: &MemberId, within: Duration| {
        let heard = followers.get(*id).map(|follower| follower.heard);
        heard.is_some_and(|heard| now < heard + within)
    };
    let ready = voters
        .into_iter()
        .filter(|id| is_near(id) && speaks(id, followers.timing().election));
    let rank = |id: &MemberId| {
        let speaks = speaks(id, 2 * followers.timing().heartbeat);
        (speaks, consensus.matched(*id), Reverse(*id))
    };
    ready.max_by_key(rank).ok_or(HandOverRefused::Behind)
}
