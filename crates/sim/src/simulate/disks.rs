//! Faults of data folders and what they are on.

use super::Run;
use rand::RngExt;

impl Run {
    /// Something happens to a disk or its machine, or all work again.
    pub(super) fn strike_disks(&mut self) {
        let fault = self.world.chance().random_range(0..16);
        if fault >= 11 {
            self.world.heal_disks();
            return self.world.start_all();
        }
        if fault == 10 {
            return self.world.black_out();
        }
        let Some(victim) = self.victim() else { return };
        match fault {
            0..3 => self.world.tear_next(victim),
            3 => self.world.crash(victim),
            4 => self.world.restart(victim),
            5 => self.world.fail_sync(victim),
            6 => self.world.fill_disk(victim),
            7 => self.world.slow_disk(victim),
            8 => self.world.wipe(victim),
            _ => self.world.mix_up(victim),
        }
    }
}
