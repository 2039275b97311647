//! How surely a leader leads, for reads that are not logged: the read index and the lease (sections
//! 6.4 and 6.4.1 of Ongaro's thesis).
//!
//! A leader asks its followers to confirm it, and knows from the answers of a majority that no
//! later leader had been elected when it asked: one would have needed a vote of theirs, and they
//! would not have confirmed an older term after that. With its answer each follower promises,
//! besides, not to vote for an election timeout, but for whom the leader itself has asked to take
//! over: it has no lease from then on. The lease is a little shorter, for clocks that do
//! not run equally fast. It is asked for when reads come, and never else.

use crate::member::MemberId;
use crate::noraft_adapter::Consensus;
use crate::replication::Followers;
use std::time::Duration;

/// What a leader knows of its being the only one. Both are times of its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfirmedLeadership {
    /// No later leader had been elected at this moment: the read index.
    pub confirmed_at: Duration,
    /// None will be elected before this moment, if clocks run about equally fast: the lease. Zero
    /// for a leader that has asked another replica to take over.
    pub lease_until: Duration,
}

impl ConfirmedLeadership {
    /// The same for a leader that counts on no promise.
    pub(crate) fn without_lease(self) -> Self {
        Self {
            lease_until: Duration::ZERO,
            ..self
        }
    }
}

/// The least that moments differ by.
const STEP: Duration = Duration::from_micros(1);

/// The question that a leader has open.
#[derive(Debug, Default)]
pub(crate) struct ReadIndex {
    /// The moment for which this leader asked last to be confirmed.
    asked: Option<Duration>,
}

impl ReadIndex {
    /// The moment of what comes now: after that of every question that was asked, though the clock
    /// should stand still. A machine may be suspended just when its leader has asked.
    pub(crate) fn moment(&self, now: Duration) -> Duration {
        self.asked.map_or(now, |asked| now.max(asked + STEP))
    }

    /// The moment up to which a follower confirms: none that it was not asked for.
    pub(crate) fn confirmable(&self, asked: Duration) -> Option<Duration> {
        self.asked.map(|last| last.min(asked))
    }

    /// The moment for which to ask the others now, which is noted; `None` to ask nobody: while a
    /// question is open, and if this leader hears no majority, for followers that still hear it
    /// must be free to elect one that it can hear.
    pub(crate) fn ask(
        &mut self,
        now: Duration,
        consensus: &Consensus,
        followers: &Followers,
    ) -> Option<Duration> {
        let moment = self.moment(now);
        let unanswered = |at| confirmed_at(moment, consensus, followers) < Some(at);
        let open = self
            .asked
            .is_some_and(|at| unanswered(at) && now < at + followers.timing().heartbeat);
        let asks = consensus.is_leader() && !open && followers.include_quorum(now, consensus);
        if asks {
            self.asked = Some(moment);
        }
        asks.then_some(moment)
    }
}

/// How surely a leader leads. It needs to have committed an entry of its own: before, it does not
/// know what its predecessors had.
pub(crate) fn confirmed_leadership(
    moment: Duration,
    consensus: &Consensus,
    followers: &Followers,
) -> Option<ConfirmedLeadership> {
    let own = consensus.commit_term() == Some(consensus.term());
    if !consensus.is_leader() || !own {
        return None;
    }
    let confirmed_at = confirmed_at(moment, consensus, followers)?;
    Some(ConfirmedLeadership {
        confirmed_at,
        lease_until: confirmed_at + followers.timing().lease(),
    })
}

/// The last moment at which a majority is known to have followed this leader.
fn confirmed_at(
    moment: Duration,
    consensus: &Consensus,
    followers: &Followers,
) -> Option<Duration> {
    let of = |id: &MemberId| followers.get(*id).and_then(|known| known.confirmed);
    let others = consensus.others();
    let moments = others.iter().filter_map(of).chain([moment]);
    let by_majority = |moment: &Duration| {
        let confirms = |id| id == consensus.me() || of(&id).is_some_and(|at| at >= *moment);
        consensus.is_majority(confirms)
    };
    moments.filter(by_majority).max()
}
