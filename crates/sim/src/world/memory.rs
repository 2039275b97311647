//! Which replicas a group can do without: the assumption under which it goes on.
//!
//! A replica that loses what it had stored, or never comes back, is a voter less for good. A group
//! goes on as long as a majority of the voters remember, by every list of members that whoever
//! leads may go by: the last one that is committed and those proposed behind it, in anybody's log;
//! during a change a majority of the old voters and of the new ones. It need not be whole, nor at
//! rest.

use super::World;
use ssmr_core::{GroupId, ReplicaId};
use ssmr_log::{MemberId, Members};
use std::collections::BTreeSet;

impl World {
    /// Whether a group goes on, sooner or later, if this replica forgets all that it has stored, or
    /// never comes back.
    pub(crate) fn can_forget(&self, id: ReplicaId) -> bool {
        let mut remembering = self.remembering(id.group);
        remembering.retain(|member| member.index() != id.index);
        let possible = self.possible_members(id.group);
        let holds = |voters: &BTreeSet<MemberId>| {
            voters.is_empty() || 2 * voters.intersection(&remembering).count() > voters.len()
        };
        let agreed = |members: &Members| holds(&members.voters) && holds(&members.next_voters);
        !possible.is_empty() && possible.iter().all(agreed)
    }

    /// Whether somebody is not the voter that it is to be.
    pub(super) fn is_changing(&self, group: GroupId) -> bool {
        let remembering = self.remembering(group);
        let settled = |members: &Members| {
            let others = members.next_voters.is_empty() && members.learners.is_empty();
            others && members.voters.is_subset(&remembering)
        };
        let possible = self.possible_members(group);
        let is_one = possible.windows(2).all(|two| two[0] == two[1]);
        !is_one || !possible.iter().all(settled)
    }

    /// The replicas of all groups whose members are just changing.
    pub(crate) fn changing(&self) -> Vec<ReplicaId> {
        let groups = self.topology.groups();
        let changing = groups.iter().filter(|group| self.is_changing(*group));
        changing
            .flat_map(|group| self.topology.members(group))
            .collect()
    }

    /// The replicas of a group that have not forgotten and will not stay away, each in its present
    /// generation.
    fn remembering(&self, group: GroupId) -> BTreeSet<MemberId> {
        let all = self.topology.members(group);
        let staying = all.filter(|id| !self.stopped.contains(id));
        let present = staying.filter_map(|id| {
            let generation = self.disks.get(&id).map_or(Some(0), super::Disk::generation);
            Some(MemberId::new(id.index, generation?))
        });
        present.collect()
    }

    /// The lists of members that whoever leads the group may go by; none if it has agreed on none.
    fn possible_members(&self, group: GroupId) -> Vec<Members> {
        let known = self.topology.members(group).filter_map(|id| {
            let running = self.members.get(&id);
            let told = running.map(|member| member.replica.multicast().log().possible_members());
            told.or_else(|| self.left.get(&id).cloned())
        });
        let known: Vec<Vec<(u64, Members)>> = known.filter(|lists| !lists.is_empty()).collect();
        let committed = known.iter().map(|lists| lists[0].0).max();
        let lists = known.into_iter().flatten();
        let possible = lists.filter(|(index, _)| Some(*index) >= committed);
        possible.map(|(_, members)| members).collect()
    }
}
