//! When leaders are deposed, processes pause, machines grow slow, and clients are cut off.

use super::Run;
use crate::world::Capacity;
use rand::RngExt;
use ssmr_core::{ClientId, Reads, ReplicaId};

impl Run {
    /// Cuts a leader off from its group, until after another one was elected.
    pub(super) fn depose_some(&mut self) {
        if let Some(until) = self.deposed {
            if self.world.now() < until {
                return;
            }
            self.world.heal(false);
        }
        let victim = self.victim().and_then(|any| self.world.leader(any.group));
        if self.options.profile.drifts() && self.awaits_lease(victim) {
            self.deposed = None;
            return;
        }
        self.deposed = victim.map(|leader| {
            let drifts = self.options.profile.drifts();
            let (speaks, hears) = match self.world.chance().random_range(0..4) {
                _ if drifts => (false, false),
                0 => (true, false),
                1 => (false, true),
                _ => (false, false),
            };
            if drifts {
                self.world.drift(leader.group);
            }
            self.world.sever(leader, speaks, hears);
            let longest = if drifts { 900_000 } else { 2_500_000 };
            self.world.now() + self.world.chance().random_range(600_000..longest)
        });
    }

    /// Whether to wait a little for a leader's lease to be renewed, which then lasts longest.
    fn awaits_lease(&mut self, leader: Option<ReplicaId>) -> bool {
        let fresh = leader.is_some_and(|id| self.world.has_fresh_lease(id));
        let waits = !fresh && self.world.chance().random_range(0..500) > 0;
        if waits {
            self.next_fault = self.world.now() + 1_000;
        }
        waits
    }

    /// A replica, rather a leader, or a client does nothing for a while. Leases rely on clocks that
    /// go on.
    pub(super) fn pause_some(&mut self) {
        let stands_still = self.options.possible_reads() != Reads::Lease;
        let (kind, length) = {
            let chance = self.world.chance();
            (
                chance.random_range(0..8),
                chance.random_range(50_000..3_000_000),
            )
        };
        match kind {
            0..5 => {
                let leader = self.victim().and_then(|any| self.world.leader(any.group));
                let suspended = stands_still && kind == 0;
                if let Some(id) = leader {
                    match self.options.possible_reads() {
                        Reads::Ordered => self.world.pause(id, length, suspended),
                        _ => self.world.pause_when_it_asks(id, length, suspended),
                    }
                }
            }
            5 => {
                let any = self.victim();
                any.into_iter()
                    .for_each(|id| self.world.pause(id, length, stands_still));
            }
            6 => {
                let any = self.any_client();
                any.into_iter()
                    .for_each(|id| self.world.send_to_sleep(id, length));
            }
            _ => {}
        }
    }

    /// A machine becomes slow, or one is as fast as any other again.
    pub(super) fn burden_some(&mut self) {
        let slow = self.world.chance().random_range(0..2) == 0;
        if let Some(id) = self.victim() {
            match slow {
                true => self.world.burden(id),
                false => self.world.limit(id, Capacity::ORDINARY),
            }
        }
    }

    /// Cuts a client off from replicas, or lets all reach each other.
    pub(super) fn cut_some_clients(&mut self) {
        match self.world.chance().random_range(0..3) {
            0 => self.world.heal(false),
            _ => {
                let any = self.any_client();
                any.into_iter().for_each(|id| self.world.isolate_client(id));
            }
        }
    }

    pub(super) fn any_client(&mut self) -> Option<ClientId> {
        let count = self.clients.len().max(1);
        let place = self.world.chance().random_range(0..count);
        self.clients.keys().nth(place).copied()
    }
}
