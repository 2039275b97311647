//! How surely a replica leads, for reads that are not ordered: what its log knows of that, and the
//! mutants that believe more.

use super::{GroupMulticast, since_start};
use crate::batch::MAX_ELAPSED;
use ssmr_core::LocalTime;
use ssmr_core::multicast::{ConfirmedLeadership, ConfirmedReads, Outbox};
use ssmr_core::mutant::{self, Mutant};
use std::time::Duration;

/// A moment of this machine's clock, in the order's words.
fn local(moment: Duration) -> LocalTime {
    LocalTime::from_micros(moment.as_micros() as u64)
}

impl ConfirmedReads for GroupMulticast {
    fn confirmed_leadership(&self, now: LocalTime) -> Option<ConfirmedLeadership> {
        if mutant::is_active(Mutant::UnconfirmedReads) {
            return self.log.is_leader().then_some(ConfirmedLeadership {
                confirmed_at: now,
                lease_until: now,
            });
        }
        let known = self.log.confirmed_leadership(since_start(now))?;
        let mut lease_until = local(known.lease_until);
        if mutant::is_active(Mutant::LongLeases) {
            lease_until += 4 * MAX_ELAPSED;
        }
        let confirmed_at = local(known.confirmed_at);
        if mutant::is_active(Mutant::LeaseKept) {
            // As long as any lease.
            lease_until = lease_until.max(confirmed_at + 400_000);
        }
        if mutant::is_active(Mutant::LeaseWithoutMargin) {
            // A lease is four fifths of a promise.
            lease_until += lease_until.since(confirmed_at) / 4;
        }
        Some(ConfirmedLeadership {
            confirmed_at,
            lease_until,
        })
    }

    fn read_moment(&self, now: LocalTime) -> LocalTime {
        local(self.log.read_moment(since_start(now)))
    }

    fn confirm_leadership(&mut self, now: LocalTime, out: &mut Outbox<Self>) {
        let time = since_start(now);
        self.log.confirm_leadership(time, &mut self.outbox);
        self.drain_log(out);
    }
}
