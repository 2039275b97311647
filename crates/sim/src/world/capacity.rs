//! What the machines can do in a second: an input costs CPU time and a message bandwidth, so
//! queues build up at a machine that is slow or has too much to do.
//!
//! A round of inputs takes its time: what comes meanwhile waits for the next round, and what the
//! round sends leaves at its end, one message after the other.

use super::pauses::Pause;
use super::{World, WorldEvent};
use rand::RngExt;
use serde::Serialize;
use ssmr_core::{LocalTime, Micros, ReplicaId, codec};

/// What a replica's machine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// CPU time of each input.
    pub(crate) input: Micros,
    /// CPU time of each command that is delivered, besides.
    pub(crate) delivery: Micros,
    /// How many bytes leave in a millisecond.
    pub(crate) bandwidth: u64,
}

impl Capacity {
    /// What an ordinary machine can do.
    pub(crate) const ORDINARY: Self = Self {
        input: 10,
        delivery: 40,
        bandwidth: 100_000,
    };
}

/// How a machine stands that can do so much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    capacity: Capacity,
    /// When what was sent so far has left.
    sent: LocalTime,
}

impl Work {
    /// A machine with nothing to do.
    pub(super) fn of(capacity: Capacity) -> Self {
        Self {
            capacity,
            sent: LocalTime::ZERO,
        }
    }

    /// How long a round takes.
    pub(super) fn time(&self, inputs: usize, deliveries: u64) -> Micros {
        inputs as u64 * self.capacity.input + deliveries * self.capacity.delivery
    }

    /// A message is sent at a moment. Returns how much later it has left.
    pub(super) fn send(&mut self, at: LocalTime, bytes: usize) -> Micros {
        let begins = self.sent.max(at);
        self.sent = begins + bytes as u64 * 1_000 / self.capacity.bandwidth;
        self.sent.since(at)
    }
}

impl World {
    /// From now on a replica's machine can do so much, and no more.
    pub(crate) fn limit(&mut self, id: ReplicaId, capacity: Capacity) {
        if let Some(member) = self.members.get_mut(&id) {
            member.work = Some(Work::of(capacity));
        }
    }

    /// A replica's machine becomes slow.
    pub(crate) fn burden(&mut self, id: ReplicaId) {
        let capacity = Capacity {
            input: self.rng.random_range(100..4_000),
            delivery: self.rng.random_range(100..8_000),
            bandwidth: self.rng.random_range(20..1_000),
        };
        self.report.slow_nodes += 1;
        self.lament(id, "has a slow machine");
        self.limit(id, capacity);
    }

    /// How long after the beginning of a round that takes so long one of its messages has left.
    pub(super) fn leaves(
        &mut self,
        id: ReplicaId,
        round: Micros,
        message: &impl Serialize,
    ) -> Micros {
        let end = self.now + round;
        let member = self.members.get_mut(&id);
        let work = member.and_then(|member| member.work.as_mut());
        work.map_or(0, |work| {
            let bytes = codec::encode(message).len();
            round + work.send(end, bytes)
        })
    }

    /// A replica handles a round of inputs for so long.
    pub(super) fn occupy(&mut self, id: ReplicaId, length: Micros) {
        if let Some(member) = self.members.get_mut(&id).filter(|_| length > 0) {
            member.pause = Pause::on();
            let start = member.start;
            self.schedule(length, WorldEvent::Wake(id, start));
        }
    }
}
