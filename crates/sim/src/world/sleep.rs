//! Clients that sleep, and groups that others cannot reach for long.

use super::World;
use crate::network::Seat;
use rand::RngExt;
use ssmr_core::{ClientId, GroupId, LocalTime, Micros};

impl World {
    /// A client's process does nothing for a while: what reaches it meanwhile waits.
    pub(crate) fn send_to_sleep(&mut self, id: ClientId, time: Micros) {
        self.note(|| format!("{id:?} sleeps for {} ms", time / 1000));
        self.report.sleeps += 1;
        self.asleep.insert(id, self.now + time);
    }

    /// When the last client wakes up that sleeps now.
    pub(crate) fn all_awake_at(&self) -> LocalTime {
        self.asleep.values().copied().max().unwrap_or(self.now)
    }

    /// A group is down as a whole, or cannot hear and be heard by the others.
    pub(crate) fn cut_out(&mut self, group: GroupId) {
        self.report.cuts += 1;
        if self.rng.random() {
            let members: Vec<_> = self.living(group).collect();
            return members.into_iter().for_each(|id| self.crash(id));
        }
        self.note(|| format!("{group} is cut off from other groups"));
        let (inside, outside): (Vec<_>, Vec<_>) =
            self.topology.replicas().partition(|id| id.group == group);
        for &inner in &inside {
            for &outer in &outside {
                let (inner, outer) = (Seat::Replica(inner), Seat::Replica(outer));
                self.network.cut(inner, outer);
                self.network.cut(outer, inner);
            }
        }
    }
}
