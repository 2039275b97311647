//! Faults that outlast sessions and calls.

use super::Run;
use rand::RngExt;
use ssmr_core::ClientId;

impl Run {
    /// Clients fall asleep, and groups cannot be reached.
    pub(super) fn strike_sessions(&mut self) {
        self.lull();
        self.cut_some_out();
    }

    /// A client sleeps: for less than a call lives, or for longer than a session does.
    fn lull(&mut self) {
        if self.clients.is_empty() || self.world.chance().random_range(0..3) > 0 {
            return;
        }
        let place = self.world.chance().random_range(0..self.clients.len());
        let victim: Option<ClientId> = self.clients.keys().nth(place).copied();
        let ttl = self.options.profile.session_ttl();
        let longest = [ttl / 10, ttl / 2, 2 * ttl][self.world.chance().random_range(0..3usize)];
        let time = self.world.chance().random_range(0..longest);
        victim
            .into_iter()
            .for_each(|id| self.world.send_to_sleep(id, time));
    }

    /// A group cannot be reached, until it has been for long enough.
    fn cut_some_out(&mut self) {
        if let Some(until) = self.deposed {
            if self.world.now() < until {
                return;
            }
            self.world.heal(false);
            self.world.start_all();
        }
        let victim = self
            .victim()
            .filter(|_| self.world.chance().random_range(0..8) == 0);
        let ttl = self.options.profile.session_ttl();
        self.deposed = victim.map(|any| {
            self.world.cut_out(any.group);
            self.world.now() + self.world.chance().random_range(0..2 * ttl)
        });
    }
}
