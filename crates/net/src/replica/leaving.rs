//! How a replica ends. One that is shut down in order hands its leadership over first, lest its
//! group wait for an election time-out; it ends without that if nobody takes over soon. One that
//! ends with its whole cluster tells its clients.

use super::event_loop::EventLoop;
use super::input::{Leaving, LoopInput};
use ssmr_core::{LocalTime, Micros};
use ssmr_log::HandOverRefused;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// How long a leader may take to hand over, on a local network.
const PATIENCE: Micros = 1_000_000;
/// How many round trips of a wide one it may take longer: as many as the log waits longer.
const ROUND_TRIPS: Micros = 5;

/// How long clients may take to read that the cluster has been shut down.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

impl EventLoop {
    /// It is to end: begins to hand over if it leads and ends in order.
    pub(super) fn begin_to_leave(&mut self) {
        let hands_over = self.switches.hands_over.load(Relaxed);
        let now = self.clock.now();
        let patience = PATIENCE + ROUND_TRIPS * self.round_trip;
        let until = (hands_over && self.replica.is_leader()).then(|| now + patience);
        self.leaving = Some(Leaving { until });
        if until.is_some() {
            self.try_to_hand_over(now);
        }
    }

    /// Whether it may end: nobody has to take over, or somebody has, or has not in time.
    pub(super) fn has_left(&mut self) -> bool {
        let Some(Leaving { until }) = self.leaving else {
            return false;
        };
        let now = self.clock.now();
        if until.is_none_or(|until| now >= until) {
            return true;
        }
        let log = self.replica.multicast().log();
        if !log.is_leader() {
            // Its own vote may have been needed: it has arrived if another one leads.
            return log.is_led();
        }
        if !log.is_handing_over() {
            self.try_to_hand_over(now);
        }
        false
    }

    /// Begins to hand over. If nobody can take over it waits for nobody; what passes is tried again
    /// with the next round.
    fn try_to_hand_over(&mut self, now: LocalTime) {
        match self.hand_over(now, None) {
            Ok(_) | Err(HandOverRefused::Unready | HandOverRefused::UnderWay { .. }) => {}
            Err(_) => self.leaving = Some(Leaving { until: None }),
        }
    }

    /// Tells clients that the cluster has been shut down, and waits a moment until it is written.
    pub(super) async fn say_farewell(mut self) {
        self.clients.end();
        let written = async {
            while !self.clients.is_empty() {
                match self.inbox.recv().await {
                    Some(LoopInput::Disconnected(client, connection)) => {
                        self.clients.left(client, connection);
                    }
                    Some(LoopInput::Connected(client, connection, mailbox)) => {
                        mailbox.end();
                        self.clients.came(client, connection, mailbox);
                    }
                    Some(_) => {}
                    None => return,
                }
            }
        };
        // Whoever does not read finds out by itself.
        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, written).await;
    }
}
