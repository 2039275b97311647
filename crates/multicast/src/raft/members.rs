//! Who takes part: replicas that lost what they had stored come back as new members.
//!
//! Such a replica must not vote under its old name, for it has forgotten what it promised. It begins a new generation and asks
//! to be taken in; the leader strikes the old generation off the voters and adds the new one as a learner (one change, by joint
//! consensus: section 6 of Ongaro and Ousterhout, 2014), fills it, and makes it a voter when it has caught up.
//!
//! ```text
//!   r2/7 (new generation)        leader r0                              voters        learners
//!     |------ Join --------->|                                     r0 r1 r2      -
//!     |                      | log: joint {r0 r1 r2}, {r0 r1}      r0 r1         r2/7
//!     |<----- entries -------|
//!     |------ Appended ----->| caught up: joint {r0 r1}, {.. r2/7} r0 r1 r2/7    -
//! ```
//!
//! Invariant: one change at a time, each begun only when the one before is committed and the leader has committed an entry
//! of its own term.

use super::{Body, ELECTION, RaftLog, RaftMessage, position};
use crate::log::{GroupLog, LogOutbox};
use noraft::{ClusterConfig, NodeId};
use ssmr_core::LocalTime;
use ssmr_core::log::{MemberId, Members};

/// How many entries a learner may lack when it becomes a voter.
const NEARLY: u64 = 64;

impl RaftLog {
    /// Who takes part as far as it is committed, unless a change is under way.
    #[must_use]
    pub fn settled_members(&self) -> Option<Members> {
        let (_, config) = self
            .node
            .log()
            .get_position_and_config(self.node.commit_index())?;
        (config == self.node.config() && !config.is_joint_consensus()).then(|| members(config))
    }

    /// Whether this replica's vote counts.
    pub(super) fn may_vote(&self) -> bool {
        let config = self.node.config();
        config.voters.contains(&self.node.id()) || config.new_voters.contains(&self.node.id())
    }

    /// Whether those of whom `has` is true are a majority: of the voters, and during a change of the next ones too.
    pub(super) fn is_majority(&self, has: impl Fn(MemberId) -> bool) -> bool {
        let config = self.node.config();
        [&config.voters, &config.new_voters]
            .into_iter()
            .filter(|voters| !voters.is_empty())
            .all(|voters| {
                let count = voters.iter().filter(|id| has(id.get().into())).count();
                count > voters.len() / 2
            })
    }

    /// The other members; of a replica that is there in two generations only the later one.
    pub(super) fn others(&self) -> Vec<MemberId> {
        let config = self.node.config();
        let nodes = config.unique_nodes().filter(|id| *id != self.node.id());
        let all: Vec<MemberId> = nodes.map(|id| id.get().into()).collect();
        let superseded = |id: &MemberId| {
            all.iter()
                .any(|other| other.index() == id.index() && other > id)
        };
        all.iter().filter(|id| !superseded(id)).copied().collect()
    }

    /// A replica that is no member tells everybody now and then: the leader will take it in.
    pub(super) fn ask_to_join(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        if self.node.config().contains(self.node.id()) || now < self.asked + ELECTION {
            return;
        }
        self.asked = now;
        let others = (0..self.count).filter(|index| *index != self.me.index());
        others.for_each(|index| self.tell(MemberId::new(index, 0), Body::Join, out));
    }

    /// A replica in a new generation wants to be taken in: it becomes a learner, and what it was before has no vote any more.
    pub(super) fn on_join(
        &mut self,
        now: LocalTime,
        from: MemberId,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let config = self.node.config();
        let id = NodeId::new(from.number());
        let same = |other: &NodeId| MemberId::from(other.get()).index() == from.index();
        let generations: Vec<NodeId> = config.unique_nodes().filter(same).collect();
        if generations.iter().any(|other| *other >= id) || !self.is_settled() {
            return;
        }
        let mut next = if generations.iter().any(|old| config.voters.contains(old)) {
            config.to_joint_consensus(&[], &generations)
        } else {
            config.clone()
        };
        next.non_voters.retain(|other| !generations.contains(other));
        next.non_voters.insert(id);
        self.change(now, next, out);
    }

    /// A learner that has caught up becomes a voter.
    pub(super) fn promote(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        let last = self.last().0;
        let ready = |id: &&NodeId| self.matched(id.get().into()) + NEARLY >= last;
        let learner = self.node.config().non_voters.iter().find(ready).copied();
        if let Some(learner) = learner.filter(|_| self.is_settled()) {
            let next = self.node.config().to_joint_consensus(&[learner], &[]);
            self.change(now, next, out);
        }
    }

    fn change(&mut self, now: LocalTime, to: ClusterConfig, out: &mut LogOutbox<RaftMessage>) {
        if !self.node.propose_config(to).is_invalid() {
            self.drain(now, &[], out);
        }
    }

    /// Whether the members are those of a committed entry, and this leader has committed an entry of its own.
    fn is_settled(&self) -> bool {
        let (log, commit) = (self.node.log(), self.node.commit_index());
        let committed = log.get_position_and_config(commit);
        let settled = committed.is_some_and(|(at, config)| {
            position(at).1 == self.term() && config == self.node.config()
        });
        self.is_leader() && settled && !self.node.config().is_joint_consensus()
    }
}

pub(super) fn members(config: &ClusterConfig) -> Members {
    let ids = |nodes: &std::collections::BTreeSet<NodeId>| {
        nodes.iter().map(|id| MemberId::from(id.get())).collect()
    };
    Members {
        voters: ids(&config.voters),
        next_voters: ids(&config.new_voters),
        learners: ids(&config.non_voters),
    }
}

pub(super) fn config(members: &Members) -> ClusterConfig {
    let nodes = |ids: &std::collections::BTreeSet<MemberId>| {
        ids.iter().map(|id| NodeId::new(id.number())).collect()
    };
    ClusterConfig {
        voters: nodes(&members.voters),
        new_voters: nodes(&members.next_voters),
        non_voters: nodes(&members.learners),
    }
}
