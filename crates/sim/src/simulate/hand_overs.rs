//! When leaders hand over, and what happens to them meanwhile.
//!
//! Somebody may only be elected while another one still has a lease if a rule of hand-overs is
//! broken. So leaders hear nothing any more just when they have asked, or just when somebody is
//! asked late.

use super::Run;
use crate::options::Profile;
use rand::RngExt;
use ssmr_core::{LocalTime, Micros};

/// How late a request to take over comes: after its leader has gone on, or after others have led.
const LATE: std::ops::Range<Micros> = 100_000..1_500_000;
/// How long before a late request comes a leader is cut off.
const BEFORE: Micros = 10_000;

/// What is under way of it.
#[derive(Debug, Default)]
pub(super) struct HandOvers {
    /// Until when a leader is cut off from others.
    cut_until: Option<LocalTime>,
    /// When a late request comes.
    due: Option<LocalTime>,
}

impl Run {
    /// A leader hands over. Where nothing else strikes, leaders also hear nothing for a while.
    pub(super) fn hand_over_some(&mut self) {
        let leader = self.victim().and_then(|any| self.world.leader(any.group));
        let Some(leader) = leader else { return };
        let chance = self.world.chance();
        let late = match chance.random_range(0..2) {
            0 => chance.random_range(LATE),
            _ => 0,
        };
        let (kind, length) = (
            chance.random_range(0..4),
            chance.random_range(600_000..1_000_000),
        );
        // To whoever is best, or to one that is named.
        let to = chance.random_range(0..=self.options.replicas);
        let to = (to < self.options.replicas).then_some(to);
        if self.options.profile != Profile::HandOver {
            self.world.hand_over(leader, to, late, false);
            return;
        }
        let now = self.world.now();
        match self.hand_overs.cut_until {
            Some(until) if now < until => return,
            Some(_) => self.world.heal(false),
            None => {}
        }
        let is_due = |due: &mut LocalTime| *due <= now + BEFORE;
        self.hand_overs.cut_until = match kind {
            _ if self.hand_overs.due.take_if(is_due).is_some() => {
                self.world.sever(leader, true, false);
                Some(now + length)
            }
            0 => {
                self.world.hand_over(leader, to, 0, true);
                Some(now + length)
            }
            _ => {
                self.world.hand_over(leader, to, late, false);
                None
            }
        };
        if late > 0 && self.hand_overs.cut_until.is_none() {
            self.hand_overs.due = self.hand_overs.due.or(Some(now + late));
        }
        if let Some(due) = self.hand_overs.due {
            let before = LocalTime::from_micros(due.micros().saturating_sub(BEFORE));
            self.next_fault = self.next_fault.min(before.max(now));
        }
    }
}
