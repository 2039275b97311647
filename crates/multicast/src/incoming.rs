//! The receiving end of one link at the leader: items in order, waiting for their values and for a
//! log entry.
//!
//! Nothing of it is state. Items arrive in any way the network likes and leave in order, each once
//! for this leader; what the log then accepts is decided when the entry applies.

use crate::link::{Item, Readiness, WireValue};
use ssmr_core::{LocalTime, Micros, ValueCodec};
use std::collections::VecDeque;

/// How long to wait for items that were asked for before asking again; twice as long after each
/// time in vain, up to [`LONGEST_PULL`].
const PULL: Micros = 50_000;
/// See [`PULL`].
const LONGEST_PULL: Micros = 16 * PULL;

/// Items that are to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The replica of the sending group that is to send them.
    pub(crate) from: u8,
    /// The number of the last one that is not wanted.
    pub(crate) after: u64,
    /// With all their values.
    pub(crate) in_full: bool,
}

/// Items of one link that are not proposed yet.
#[derive(Debug, Default)]
pub(crate) struct IncomingLink {
    /// The number of the last item that was proposed.
    proposed: u64,
    /// The replica that they come from.
    source: u8,
    /// The items after it, without a gap.
    waiting: VecDeque<Item<WireValue>>,
    /// For so many of them, from the first on, the codec has been asked for their values.
    asked: usize,
    /// The value of the item behind those that wait cannot be found here: its sender must send it
    /// in full.
    stuck: bool,
    /// The number of the last item that has come without what is before it, and was not kept.
    beyond: u64,
    pulled: Option<LocalTime>,
    /// How often items were asked for since some came.
    pulls: u32,
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

    /// The number of the item that comes behind those that wait.
    fn next(&self) -> u64 {
        self.proposed + self.waiting.len() as u64 + 1
    }

    /// Takes items from a replica of the sending group; the first has number `first`.
    pub(crate) fn take(&mut self, from: u8, first: u64, items: Vec<Item<WireValue>>) {
        self.source = from;
        let next = self.next();
        if first > next {
            self.beyond = self.beyond.max(first);
            return;
        }
        let known = (next - first) as usize;
        if known > 0 {
            // The sender repeats itself: perhaps it has missed an acknowledgement.
            self.acknowledge = true;
        }
        if items.len() > known {
            self.waiting.extend(items.into_iter().skip(known));
            self.stuck = false;
            (self.pulled, self.pulls) = (None, 0);
        }
    }

    /// Takes out the items whose values are there, in order, with the number of the first: as many
    /// as fit one batch.
    ///
    /// The codec is asked for the values of all items that wait, so that one round trip to a cache
    /// serves them all.
    pub(crate) fn take_ready(
        &mut self,
        now: LocalTime,
        values: &mut dyn ValueCodec,
        batch_bytes: usize,
    ) -> (u64, Vec<Item>) {
        while self.asked < self.waiting.len() {
            let readiness = self.waiting[self.asked].unpack(now, values);
            if readiness == Readiness::Missing {
                self.give_up_from(self.asked);
            } else {
                self.asked += 1;
            }
        }
        let first = self.proposed + 1;
        let (mut ready, mut bytes) = (Vec::new(), 0);
        while let Some(item) = self.waiting.front_mut().filter(|_| bytes < batch_bytes) {
            match item.unpack(now, values) {
                Readiness::Ready => {}
                Readiness::Waiting => break,
                Readiness::Missing => {
                    self.give_up_from(0);
                    break;
                }
            }
            let item = self.waiting.pop_front().and_then(Item::into_full);
            let item = item.unwrap_or_else(|| unreachable!("its values are there"));
            self.asked -= 1;
            bytes += item.size();
            ready.push(item);
        }
        self.proposed += ready.len() as u64;
        (first, ready)
    }

    /// An item's value cannot be found: it has to come again, and what is behind it too.
    fn give_up_from(&mut self, place: usize) {
        self.waiting.truncate(place);
        self.asked = self.asked.min(place);
        self.stuck = true;
    }

    /// Whom to ask now for items, if anybody.
    pub(crate) fn wants_again(&mut self, now: LocalTime, round_trip: Micros) -> Option<Wanted> {
        let patience = (PULL << self.pulls.min(16)).min(LONGEST_PULL);
        let due = self
            .pulled
            .is_none_or(|at| now >= at + patience + round_trip);
        let gap = self.next() <= self.beyond;
        (due && (self.stuck || gap)).then(|| {
            (self.pulled, self.pulls) = (Some(now), self.pulls + 1);
            Wanted {
                from: self.source,
                after: self.next() - 1,
                in_full: self.stuck,
            }
        })
    }

    /// The items up to number `received` are logged: tell the sender at the next occasion. Entries
    /// of an earlier leader may have brought more of them than this leader has proposed.
    pub(crate) fn logged(&mut self, received: u64) {
        let ahead = received.saturating_sub(self.proposed) as usize;
        let gone = ahead.min(self.waiting.len());
        self.waiting.drain(..gone);
        self.asked = self.asked.saturating_sub(gone);
        self.proposed = self.proposed.max(received);
        self.acknowledge = true;
    }

    /// Whether an acknowledgement is to be sent now.
    pub(crate) fn acknowledgement_due(&mut self) -> bool {
        std::mem::take(&mut self.acknowledge)
    }
}
