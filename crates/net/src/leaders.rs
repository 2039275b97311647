//! Who leads which group, as far as the replicas themselves believe.
//!
//! It decides nothing: it tells people, tests and harnesses. Two replicas of a group may both
//! believe; the later one is right.

use crate::error::NetError;
use ssmr_core::{GroupId, Groups, LocalTime, ReplicaId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Which replicas believe that they lead their group, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaders(BTreeMap<ReplicaId, LocalTime>);

impl Leaders {
    /// Notes that a replica leads since then, or that it does not lead. Returns whether that is
    /// news.
    pub fn note(&mut self, id: ReplicaId, since: Option<LocalTime>) -> bool {
        match since {
            Some(since) => self.0.insert(id, since).is_none(),
            None => self.0.remove(&id).is_some(),
        }
    }

    /// The replica of a group that began to lead last.
    #[must_use]
    pub fn of(&self, group: GroupId) -> Option<ReplicaId> {
        let members = self.0.iter().filter(|(id, _)| id.group == group);
        members.max_by_key(|(_, since)| **since).map(|(id, _)| *id)
    }

    /// Waits until each of these groups has a leader.
    ///
    /// # Errors
    /// If one has none after `patience`.
    pub async fn complete(
        mut listener: watch::Receiver<Self>,
        groups: Groups,
        patience: Duration,
    ) -> Result<(), NetError> {
        let leaderless = |leaders: &Self| groups.iter().find(|group| leaders.of(*group).is_none());
        let all_led = listener.wait_for(|leaders| leaderless(leaders).is_none());
        // It ends without all of them too when every replica is gone.
        let _ = tokio::time::timeout(patience, all_led).await;
        match leaderless(&listener.borrow()) {
            None => Ok(()),
            Some(group) => Err(NetError::NoLeader {
                group,
                waited: patience,
            }),
        }
    }
}

/// A replica's entry among the leaders. It goes with the thread that holds it, however that ends.
#[derive(Debug)]
pub(crate) struct LeaderEntry {
    id: ReplicaId,
    leaders: Arc<watch::Sender<Leaders>>,
}

impl LeaderEntry {
    /// The entry of `id`, which does not lead yet.
    pub(crate) fn new(id: ReplicaId, leaders: Arc<watch::Sender<Leaders>>) -> Self {
        Self { id, leaders }
    }

    /// Publishes that the replica leads since `since`, or that it does not lead.
    pub(crate) fn publish(&self, since: Option<LocalTime>) {
        self.leaders
            .send_if_modified(|leaders| leaders.note(self.id, since));
    }
}

impl Drop for LeaderEntry {
    fn drop(&mut self) {
        self.publish(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::PartitionId;

    #[test]
    fn the_later_of_two_is_right_until_it_resigns() {
        let group = GroupId::from(PartitionId(0));
        let [old, new] = [0, 1].map(|index| ReplicaId { group, index });
        let at = |micros| Some(LocalTime::from_micros(micros));
        let mut leaders = Leaders::default();
        assert_eq!(leaders.of(group), None);
        assert!(leaders.note(old, at(5)) && leaders.note(new, at(7)));
        assert_eq!(leaders.of(group), Some(new));
        assert_eq!(leaders.of(GroupId::ORACLE), None);
        assert!(leaders.note(new, None) && !leaders.note(new, None));
        assert_eq!(leaders.of(group), Some(old));
    }
}
