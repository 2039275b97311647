//! What one replica counts of its own work: how long answers take, what it refuses, how long it
//! takes to store, what snapshots it makes.
//!
//! The event loop alone writes it, so it is plain numbers. Invariant: it remembers a bounded number
//! of commands that are not answered, the latest ones.

use crate::histogram::Histogram;
use crate::report::{Refusals, SnapshotReport};
use ssmr_core::replica::CommandKind;
use ssmr_core::two_generation_map::TwoGenerationMap;
use ssmr_core::{ClientMessage, CommandId, Defect, LocalTime, Micros, ServerMessage};
use std::time::Duration;

/// How many commands are remembered that were not answered.
const REMEMBERED: usize = 1 << 16;

const DEFECTS: [Defect; 6] = [
    Defect::ValueTooLarge,
    Defect::RequestTooLarge,
    Defect::TooManyObjects,
    Defect::OperandsTooLarge,
    Defect::NoSuchPartition,
    Defect::Malformed,
];

/// What one replica counts of its own work.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    /// When which commands came, if that is to be measured.
    arrivals: Option<TwoGenerationMap<CommandId, (LocalTime, CommandKind)>>,
    latencies: [Histogram; CommandKind::ALL.len()],
    refused: [u64; DEFECTS.len()],
    not_leader: u64,
    expired: u64,
    /// How long each round took to store.
    pub(super) stores: Histogram,
    pub(super) snapshots: SnapshotReport,
}

impl Recorder {
    /// Nothing is counted yet. Latencies are measured if they are wanted: that costs a look into a
    /// table for each command.
    pub(super) fn new(latencies: bool) -> Self {
        Self {
            arrivals: latencies.then(|| TwoGenerationMap::new(REMEMBERED)),
            ..Self::default()
        }
    }

    /// A client has sent this to the leader. What it sends again counts from the first time.
    pub(super) fn arrived(&mut self, now: LocalTime, message: &ClientMessage) {
        let Some(arrivals) = &mut self.arrivals else {
            return;
        };
        let (id, kind) = match message {
            ClientMessage::Submit(command) => (command.id, CommandKind::of(&command.request)),
            ClientMessage::Query(query) => (query.id, CommandKind::Query),
            ClientMessage::Consult(_) | ClientMessage::Hello | ClientMessage::Publish(_) => {
                return;
            }
        };
        if arrivals.peek(id).is_none() {
            arrivals.insert(id, (now, kind));
        }
    }

    /// This leaves for a client.
    pub(super) fn leaves(&mut self, now: LocalTime, message: &ServerMessage) {
        match message {
            ServerMessage::Answer { answer, .. } => {
                let Some(arrivals) = &mut self.arrivals else {
                    return;
                };
                if let Some((arrived, kind)) = arrivals.peek(answer.id) {
                    let took = Duration::from_micros(now.since(*arrived));
                    self.latencies[*kind as usize].add(took);
                    arrivals.remove(answer.id);
                }
            }
            ServerMessage::Refused { defect, .. } => {
                let place = DEFECTS.iter().position(|known| known == defect);
                place.into_iter().for_each(|place| self.refused[place] += 1);
            }
            ServerMessage::NotLeader { .. } => self.not_leader += 1,
            ServerMessage::Expired { .. } => self.expired += 1,
            ServerMessage::Consulted { .. }
            | ServerMessage::Time(_)
            | ServerMessage::Measured { .. } => {}
        }
    }

    /// A snapshot up to this entry was made, and encoded if somebody needed that.
    pub(super) fn snapshot_taken(&mut self, last_entry: u64, encoded: Option<(u64, Micros)>) {
        self.snapshots.taken += 1;
        self.snapshots.last_entry = last_entry;
        if let Some((bytes, duration_us)) = encoded {
            (self.snapshots.bytes, self.snapshots.duration_us) = (bytes, duration_us);
        }
    }

    /// How long answers took, of each kind that there was.
    pub(super) fn latencies(&self) -> Vec<(CommandKind, Histogram)> {
        let all = CommandKind::ALL.into_iter().zip(self.latencies);
        all.filter(|(_, histogram)| histogram.count() > 0).collect()
    }

    /// What was refused here, but for connections.
    pub(super) fn refusals(&self) -> Refusals {
        Refusals {
            requests: DEFECTS.into_iter().zip(self.refused).collect(),
            not_leader: self.not_leader,
            expired: self.expired,
            ..Refusals::default()
        }
    }
}
