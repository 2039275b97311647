//! When a replica captures its state, and how it starts over from a snapshot.
//!
//! The multicast's part of a snapshot is the [`Order`](crate::order::Order), links included. A leader's duties are not in
//! it: whatever is lost with a leader is sent again by somebody.

use crate::group::GroupMulticast;
use crate::log::{Cut, GroupLog};
use ssmr_core::snapshot::{Capture, Snapshot};

/// After how many bytes of log a snapshot is due, unless somebody wants it otherwise.
pub const LOG_BYTES: usize = 32 << 20;

/// What one replica's part in a group is made with.
#[derive(Clone, Copy, Debug)]
pub struct MulticastSettings {
    /// Varies the election timeouts: replicas of one group need different ones, or they split every vote.
    pub seed: u64,
    /// After how many bytes of log a snapshot is due. Twice as many are in memory at most, but for what is not applied yet.
    pub log_bytes: usize,
}

impl Default for MulticastSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            log_bytes: LOG_BYTES,
        }
    }
}

/// When the next snapshot is due.
#[derive(Debug)]
pub(super) struct Snapshots {
    /// After so many bytes of log.
    pub(super) log_bytes: usize,
    /// So many were applied since the last one.
    pub(super) applied_bytes: usize,
    /// One is being encoded and stored.
    pub(super) under_way: bool,
}

impl Snapshots {
    pub(super) fn after(log_bytes: usize) -> Self {
        Self {
            log_bytes,
            applied_bytes: 0,
            under_way: false,
        }
    }
}

impl<L: GroupLog> GroupMulticast<L> {
    /// The log does not tell one by one what was agreed on, but what it has led to.
    pub(super) fn start_over(&mut self, snapshot: &Snapshot) {
        let Some((order, partition)) = snapshot.parts() else {
            panic!("{snapshot:?} of {} has no parts", self.id.group);
        };
        self.applied = snapshot.last.0;
        self.snapshots.applied_bytes = 0;
        self.order.restore(&order, partition);
        // The only replica of a group may lead it already: its links go on where the snapshot's stand.
        for (&group, peer) in &mut self.peers {
            peer.begin(group, self.order.links());
        }
    }

    /// A copy of the state, if one is due and none is under way.
    pub(super) fn take_capture(&mut self) -> Option<Capture> {
        let wanted = self.log.wants_snapshot();
        let due = wanted || self.snapshots.applied_bytes >= self.snapshots.log_bytes;
        if !due || self.snapshots.under_way {
            return None;
        }
        self.snapshots.applied_bytes = 0;
        self.snapshots.under_way = true;
        let Cut {
            last,
            members,
            tail,
        } = self.log.cut(self.applied);
        Some(Capture::new(
            last,
            members,
            tail,
            wanted,
            self.order.image(),
        ))
    }
}
