//! Copies of a replica's whole state, which take the place of its log's oldest entries.

use super::{GroupMulticast, since_start};
use crate::snapshots::{Capture, Captured};
use ssmr_core::LocalTime;
use ssmr_core::multicast::{Outbox, Snapshots};
use ssmr_core::snapshot::StatePart;

impl Snapshots for GroupMulticast {
    type Capture = Capture;
    type Captured = Captured;

    fn capture(&mut self, partition: &dyn Fn() -> StatePart) -> Option<Capture> {
        let wanted = self.log.wants_snapshot();
        self.snapshots.begin(wanted).then(|| {
            let cut = self.log.cut(self.applied);
            Capture::new(cut, wanted, self.order.image(), partition())
        })
    }

    fn on_captured(&mut self, now: LocalTime, captured: Captured, out: &mut Outbox<Self>) {
        self.snapshots.end();
        self.log
            .compact(captured.last, self.snapshots.log_bytes / 2);
        if let Some(snapshot) = captured.snapshot {
            let time = since_start(now);
            self.log.offer(time, snapshot, &mut self.outbox);
            self.drain_log(out);
        }
    }
}
