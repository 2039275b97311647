//! When which fault strikes, and whom; those that need more than a few lines are beside this file.

use super::Run;
use crate::options::Profile;
use rand::RngExt;
use ssmr_core::{GroupId, Micros, ReplicaId};

/// How often a fault may strike.
const FAULT_INTERVAL: Micros = 150_000;

impl Run {
    /// Now and then, something of what the profile holds.
    pub(super) fn strike(&mut self) {
        if self.world.now() < self.next_fault {
            return;
        }
        let wait = self
            .world
            .chance()
            .random_range(FAULT_INTERVAL / 4..2 * FAULT_INTERVAL);
        self.next_fault = self.world.now() + wait;
        let profile = self.options.profile;
        if profile.cuts() || profile.slows() {
            self.disturb();
        }
        if profile.deposes() {
            self.depose_some();
        }
        if profile.hands_over() {
            self.hand_over_some();
        }
        if profile.stops() {
            self.stop_some();
        }
        if profile.crashes() {
            self.crash_some();
        }
        if profile.wipes() {
            self.wipe_some();
        }
        if self.options.jumps() {
            self.jump_some();
        }
        if profile.kills_clients() {
            self.kill_some();
        }
        if profile.pauses() {
            self.pause_some();
        }
        if profile.is_busy() {
            self.burden_some();
        }
        if profile.cuts_clients() {
            self.cut_some_clients();
        }
        if profile.hurts_cache() {
            self.world.hurt_cache();
        }
        if profile.has_folders() {
            self.strike_disks();
        }
        if profile == Profile::Expiry {
            self.strike_sessions();
        }
        if let Some(hostile) = &mut self.hostile {
            let conflicts = (0..4).map(|_| hostile.strike(&mut self.world));
            self.world.report.conflicts += conflicts.sum::<u64>();
        }
    }

    /// Cuts or slows a replica, or lets everything recover.
    fn disturb(&mut self) {
        let profile = self.options.profile;
        let Some(victim) = self.victim() else { return };
        match self.world.chance().random_range(0..3) {
            0 => self.world.heal(false),
            1 if profile.cuts() => self.world.isolate(victim),
            _ if profile.slows() => self.world.slow_down(victim),
            _ => {}
        }
    }

    /// Stops a replica where a majority of its group stays.
    fn stop_some(&mut self) {
        let Some(victim) = self.victim() else { return };
        let living = self.world.remaining(victim.group);
        let spare = living > usize::from(self.options.replicas) / 2 + 1;
        let spare = spare && (!self.options.profile.forgets() || self.world.can_forget(victim));
        if spare && self.world.chance().random_range(0..4) == 0 {
            self.world.stop(victim);
        }
    }

    /// Crashes a replica, or brings all that are down back.
    fn crash_some(&mut self) {
        match self.world.chance().random_range(0..5) {
            0 => self
                .victim()
                .into_iter()
                .for_each(|id| self.world.crash(id)),
            1 => self
                .victim()
                .into_iter()
                .for_each(|id| self.world.tear_next(id)),
            2 => self.world.start_all(),
            _ => {}
        }
    }

    /// A replica loses what it had stored, or one of a group whose members are just changing, or
    /// all that are down come back.
    fn wipe_some(&mut self) {
        match self.world.chance().random_range(0..4) {
            0 => self.victim().into_iter().for_each(|id| self.world.wipe(id)),
            1 => {
                let changing = self.world.changing();
                if !changing.is_empty() {
                    let place = self.world.chance().random_range(0..changing.len());
                    self.world.wipe(changing[place]);
                }
            }
            _ => self.world.start_all(),
        }
    }

    /// A machine's clock jumps ahead.
    fn jump_some(&mut self) {
        let by = 10_u64.pow(self.world.chance().random_range(3..12));
        if self.world.chance().random_range(0..3) == 0 {
            self.victim()
                .into_iter()
                .for_each(|id| self.world.jump_ahead(id, by));
        }
    }

    fn kill_some(&mut self) {
        if self.clients.len() < 2 || self.world.chance().random_range(0..6) != 0 {
            return;
        }
        let Some(victim) = self.any_client() else {
            return;
        };
        self.clients.remove(&victim);
        self.world.kill(victim);
    }

    /// A living replica, rather often a leader; `None` if the group that was drawn has none.
    pub(super) fn victim(&mut self) -> Option<ReplicaId> {
        let groups: Vec<GroupId> = self.world.topology.groups().iter().collect();
        let place = self.world.chance().random_range(0..groups.len());
        let living: Vec<ReplicaId> = self.world.living(groups[place]).collect();
        let leader = self.world.leader(groups[place]);
        if living.is_empty() {
            return None;
        }
        let any = living[self.world.chance().random_range(0..living.len())];
        let lead = self.world.chance().random_range(0..2) == 0;
        leader.filter(|_| lead).or(Some(any))
    }
}
