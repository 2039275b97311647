//! The clocks of the machines: each replica's runs at a rate of its own, may stand still and may
//! jump. Its timers run by it.
//!
//! The world's time is the real time, which no replica sees.

use super::{Member, World};
use rand::RngExt;
use ssmr_core::multicast::ConfirmedReads;
use ssmr_core::{GroupId, LocalTime, Micros, ReplicaId};

/// How fast a clock that is right runs, in thousandths.
const RIGHT: u64 = 1_000;
/// How fast the slowest clock runs, and the fastest one: as far apart as leases allow, for a lease
/// is four fifths of what followers promise.
const SLOWEST: u64 = 900;
const FASTEST: u64 = SLOWEST * 5 / 4;

/// One machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct MachineClock {
    /// The real time when its rate changed last, and what it showed then.
    since: LocalTime,
    shown: LocalTime,
    /// How fast it runs, in thousandths; 0 while it stands still.
    rate: u64,
    /// The rate at which it goes on when its machine is resumed.
    resumes_at: u64,
}

impl MachineClock {
    /// A clock that shows the real time.
    pub(super) fn new() -> Self {
        Self {
            since: LocalTime::ZERO,
            shown: LocalTime::ZERO,
            rate: RIGHT,
            resumes_at: RIGHT,
        }
    }

    /// What it shows at a moment of the real time.
    pub(super) fn at(&self, real: LocalTime) -> LocalTime {
        self.shown + real.since(self.since) * self.rate / RIGHT
    }

    /// How long it really takes until so much has passed on it.
    fn until(&self, passed: Micros) -> Micros {
        (passed * RIGHT).div_ceil(self.rate.max(1))
    }

    fn set_rate(&mut self, real: LocalTime, rate: u64) {
        self.shown = self.at(real);
        (self.since, self.rate) = (real, rate);
    }

    /// Its machine is suspended: it stands still.
    pub(super) fn suspend(&mut self, real: LocalTime) {
        self.resumes_at = self.rate;
        self.set_rate(real, 0);
    }

    /// Its machine runs, perhaps again.
    pub(super) fn resume(&mut self, real: LocalTime) {
        if self.rate == 0 {
            self.set_rate(real, self.resumes_at);
        }
    }

    fn jump(&mut self, by: Micros) {
        self.shown += by;
    }
}

impl World {
    /// What a replica's clock shows.
    pub(super) fn clock_of(&self, id: ReplicaId) -> LocalTime {
        let member = self.members.get(&id);
        member.map_or(self.now, |member| member.clock.at(self.now))
    }

    /// How long it really takes until so much has passed on a replica's clock.
    pub(super) fn real_length(&self, id: ReplicaId, passed: Micros) -> Micros {
        let member = self.members.get(&id);
        member.map_or(passed, |member| member.clock.until(passed))
    }

    /// A replica's machine clock jumps ahead.
    pub(crate) fn jump_ahead(&mut self, id: ReplicaId, by: Micros) {
        self.note(|| format!("the clock of a replica of {} jumps ahead", id.group));
        if let Some(member) = self.members.get_mut(&id) {
            member.clock.jump(by);
            self.report.jumps += 1;
        }
    }

    /// Whether a majority has just confirmed that a replica leads: its lease ends as late as can
    /// be.
    pub(crate) fn has_fresh_lease(&self, id: ReplicaId) -> bool {
        self.members.get(&id).is_some_and(|member| {
            let now = member.clock.at(self.now);
            let known = member.replica.multicast().confirmed_leadership(now);
            known.is_some_and(|known| now.since(known.confirmed_at) < 5_000)
        })
    }

    /// The clocks of a group's machines run at other rates from now on: any, or those under which a
    /// leader counts longest on what its followers forget soonest.
    pub(crate) fn drift(&mut self, group: GroupId) {
        let leader = self.leader(group);
        let worst = self.rng.random_range(0..4) > 0;
        let living: Vec<ReplicaId> = self.living(group).collect();
        self.note(|| format!("the clocks of {group} run at other rates"));
        for id in living {
            let rate = match worst {
                true if leader == Some(id) => SLOWEST,
                true => FASTEST,
                false => self.rng.random_range(SLOWEST..=FASTEST),
            };
            let runs = |member: &&mut Member| member.clock.rate > 0;
            if let Some(member) = self.members.get_mut(&id).filter(runs) {
                member.clock.set_rate(self.now, rate);
                self.report.drifts += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_goes_on_from_what_it_showed_whatever_its_rate() {
        let real = LocalTime::from_micros;
        let mut clock = MachineClock::new();
        assert_eq!(clock.at(real(7_777)), real(7_777));
        clock.set_rate(real(10_000), SLOWEST);
        assert_eq!(clock.at(real(20_000)), real(19_000));
        assert_eq!(clock.until(9_000), 10_000);
        clock.jump(500);
        clock.suspend(real(20_000));
        assert_eq!(clock.at(real(90_000)), real(19_500));
        clock.resume(real(90_000));
        assert_eq!(clock.at(real(100_000)), real(28_500));
    }
}
