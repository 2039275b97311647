//! The receiving end of one link at the leader: items in order, waiting for their values and for a log entry.
//!
//! Nothing of it is state. Items arrive in any way the network likes and leave in order, each once for this leader; what
//! the log then accepts is decided when the entry applies.

use crate::Item;
use crate::group::BATCH_BYTES;
use ssmr_core::Micros;
use ssmr_core::multicast::Carrier;
use ssmr_core::oracle::Unpacked;
use std::collections::VecDeque;

/// How long to wait for values that were asked for in full before asking again.
const PULL: Micros = 50_000;

/// Items of one link that are not proposed yet.
#[derive(Debug, Default)]
pub(crate) struct IncomingLink {
    /// The number of the last item that was proposed.
    proposed: u64,
    /// The replica that they come from.
    source: u8,
    /// The items after it, without a gap.
    waiting: VecDeque<Item>,
    /// The first waiting item's value cannot be found here: its sender must send it in full.
    stuck: bool,
    pulled: Option<Micros>,
    acknowledge: bool,
}

impl IncomingLink {
    /// Starts after item number `received`.
    pub(crate) fn reset(&mut self, received: u64) {
        *self = Self {
            proposed: received,
            ..Self::default()
        };
    }

    /// Takes items from a replica of the sending group; the first has number `first`.
    pub(crate) fn take(&mut self, from: u8, first: u64, items: Vec<Item>) {
        self.source = from;
        let next = self.proposed + self.waiting.len() as u64 + 1;
        if first > next {
            return;
        }
        let known = (next - first) as usize;
        if known > 0 {
            // The sender repeats itself: perhaps it has missed an acknowledgement.
            self.acknowledge = true;
        }
        self.waiting.extend(items.into_iter().skip(known));
    }

    /// Takes out the items whose values are there, in order, with the number of the first: as many as fit one batch.
    pub(crate) fn take_ready(&mut self, carrier: &mut dyn Carrier) -> (u64, Vec<Item>) {
        let first = self.proposed + 1;
        let (mut ready, mut missing, mut bytes) = (Vec::new(), false, 0);
        while let Some(item) = self.waiting.front_mut().filter(|_| bytes < BATCH_BYTES) {
            let state = match item {
                Item::Signal(signal) => carrier.unpack(signal),
                Item::Timestamp { .. } => Unpacked::Ready,
            };
            match state {
                Unpacked::Ready => {
                    bytes += item.size();
                    ready.extend(self.waiting.pop_front());
                }
                Unpacked::Waiting => break,
                Unpacked::Missing => {
                    self.waiting.clear();
                    missing = true;
                    break;
                }
            }
        }
        if !ready.is_empty() {
            self.stuck = false;
            self.pulled = None;
        }
        self.stuck |= missing;
        self.proposed += ready.len() as u64;
        (first, ready)
    }

    /// Whom to ask now for items in full, if anybody, and after which number they are wanted.
    pub(crate) fn wants_in_full(&mut self, now: Micros) -> Option<(u8, u64)> {
        let due = self.stuck && self.pulled.is_none_or(|at| now >= at + PULL);
        due.then(|| {
            self.pulled = Some(now);
            (self.source, self.proposed)
        })
    }

    /// The items up to number `received` are logged: tell the sender at the next occasion. Entries of an earlier leader may
    /// have brought more of them than this leader has proposed.
    pub(crate) fn logged(&mut self, received: u64) {
        let ahead = received.saturating_sub(self.proposed) as usize;
        self.waiting.drain(..ahead.min(self.waiting.len()));
        self.proposed = self.proposed.max(received);
        self.acknowledge = true;
    }

    /// Whether an acknowledgement is to be sent now.
    pub(crate) fn acknowledgement_due(&mut self) -> bool {
        std::mem::take(&mut self.acknowledge)
    }
}
