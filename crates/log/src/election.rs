//! Elections: when a replica loses patience with its leader, and pre-vote (section 9.6 of Ongaro's
//! thesis).
//!
//! A replica that cannot win disturbs nobody: it asks first, and only a majority of willing voters
//! makes it campaign. And who has heard of a leader within an election timeout votes for nobody,
//! unless that leader has asked somebody to take over, and has no lease since: that is what a
//! leader's lease rests on.

use crate::member::MemberId;
use crate::message::Body;
use crate::mix::mix;
use crate::noraft_adapter::Consensus;
use crate::record::LogPosition;
use crate::replication::Followers;
use crate::timing::Timing;
use std::collections::BTreeSet;
use std::time::Duration;

/// One replica's timers and votes.
#[derive(Debug)]
pub(crate) struct Election {
    /// A follower: when it loses patience. A leader: when the next heartbeat is due.
    deadline: Duration,
    /// When the leader was last heard of; `None` if there never was one.
    leader_heard: Option<Duration>,
    /// The term in which that was, if it was since this replica was started.
    leader_term: Option<u64>,
    /// Who would vote for this replica.
    pre_votes: BTreeSet<MemberId>,
    /// It may have promised something before it was started, and does not know when that was.
    vote_blocked_after_restart: bool,
    /// The replica that may try first when the group is founded.
    is_first: bool,
    /// State of the timers' random numbers.
    seed: u64,
    timing: Timing,
}

impl Election {
    /// Timers of replica `index` that start at time zero. The seed varies the time-outs.
    pub(crate) fn new(index: u8, seed: u64, vote_blocked_after_restart: bool) -> Self {
        let (is_first, timing) = (index == 0, Timing::default());
        Self {
            deadline: if is_first {
                Duration::ZERO
            } else {
                timing.timeout(mix(seed))
            },
            leader_heard: None,
            leader_term: None,
            pre_votes: BTreeSet::new(),
            vote_blocked_after_restart,
            is_first,
            seed,
            timing,
        }
    }

    /// The same timers, before they are used, with other lengths of time.
    pub(crate) fn with_timing(self, timing: Timing) -> Self {
        let deadline = match self.is_first {
            true => self.deadline,
            false => timing.timeout(mix(self.seed)),
        };
        Self {
            deadline,
            timing,
            ..self
        }
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        now >= self.deadline
    }

    /// Starts a follower's timer again.
    pub(crate) fn restart_timer(&mut self, now: Duration) {
        self.seed = mix(self.seed);
        let patience = if self.leader_heard.is_none() && self.is_first {
            self.timing.first_election
        } else {
            self.timing.timeout(self.seed)
        };
        self.deadline = now + patience;
    }

    /// Starts a leader's timer again. One that is due sooner stays: heartbeats find lost messages,
    /// under load too.
    pub(crate) fn restart_heartbeat(&mut self, now: Duration) {
        self.deadline = self.deadline.min(now + self.timing.heartbeat);
    }

    /// The next heartbeat is due in a while.
    pub(crate) fn heartbeat_sent(&mut self, now: Duration) {
        self.deadline = now + self.timing.heartbeat;
    }

    /// The leader of this term was heard of.
    pub(crate) fn hear_leader(&mut self, now: Duration, term: u64) {
        self.leader_heard = Some(now);
        self.leader_term = Some(term);
    }

    /// Whether the leader of this term was heard of.
    pub(crate) fn is_led_in(&self, term: u64) -> bool {
        self.leader_term == Some(term)
    }

    /// Whether the leader of this term was heard of within two election time-outs.
    pub(crate) fn hears_leader_of(&self, term: u64, now: Duration) -> bool {
        self.is_led_in(term) && self.heard_leader_since(now, 2 * self.timing.election)
    }

    /// Whether the leader was heard of no longer ago than this.
    fn heard_leader_since(&self, now: Duration, length: Duration) -> bool {
        self.leader_heard.is_some_and(|at| now < at + length)
    }

    /// Whether this replica's vote is bound: it leads and hears a majority, or it has heard of a
    /// leader just now.
    pub(crate) fn is_bound(
        &self,
        now: Duration,
        consensus: &Consensus,
        followers: &Followers,
    ) -> bool {
        consensus.is_leader() && followers.include_quorum(now, consensus)
            || self.heard_leader_since(now, self.timing.election)
    }

    /// Begins to ask whether an election could be won; `false` if this replica's vote does not
    /// count.
    pub(crate) fn start_pre_vote(&mut self, now: Duration, consensus: &Consensus) -> bool {
        self.restart_timer(now);
        let may_vote = consensus.may_vote();
        if may_vote {
            self.pre_votes = [consensus.me()].into();
        }
        may_vote
    }

    /// A member would vote for this replica in `term`. Returns whether that is of use still.
    pub(crate) fn on_pre_vote_granted(
        &mut self,
        from: MemberId,
        term: u64,
        consensus: &Consensus,
    ) -> bool {
        let useful = term == consensus.term() + 1 && !self.pre_votes.is_empty();
        if useful {
            self.pre_votes.insert(from);
        }
        useful
    }

    /// Whether an election can be won now: then the votes that were gathered are used up.
    pub(crate) fn take_majority(
        &mut self,
        now: Duration,
        consensus: &Consensus,
        followers: &Followers,
    ) -> bool {
        let willing = |id| self.pre_votes.contains(&id);
        // To campaign is to vote, for itself.
        let wins = !self.pre_votes.is_empty()
            && !self.is_bound(now, consensus, followers)
            && consensus.is_majority(willing);
        if wins {
            self.pre_votes.clear();
        }
        wins
    }

    /// The answer to a member that asks whether it could be elected in `term`, with a log that ends
    /// at `last`.
    pub(crate) fn on_pre_vote_call(
        &self,
        now: Duration,
        term: u64,
        last: LogPosition,
        consensus: &Consensus,
        followers: &Followers,
    ) -> Option<Body> {
        let own_term = consensus.term();
        let up_to_date = last >= consensus.last();
        let granted = !self.is_bound(now, consensus, followers) && up_to_date && term > own_term;
        // An asker with a lower term may be the only one with an electable log: it must learn the
        // term, or nobody wins.
        (granted || term <= own_term).then(|| Body::PreVoteReply {
            term: term.max(own_term),
            granted,
        })
    }

    /// The first thing that happens to a replica that comes back: what it promised when it was last
    /// up binds it still.
    pub(crate) fn unblock_vote_later(&mut self, now: Duration) {
        if std::mem::take(&mut self.vote_blocked_after_restart) {
            self.leader_heard = Some(now);
            self.restart_timer(now);
        }
    }
}
