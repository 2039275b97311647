//! What a simulation did: counters that show that it was not vacuous.

use serde::{Deserialize, Serialize};
use ssmr_core::{Completion, Outcome};
use std::fmt;

/// Counters of one or more simulations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulationReport {
    /// Events.
    pub steps: u64,
    /// Requests that took effect.
    pub done: u64,
    /// Requests on which the service panicked.
    pub failed: u64,
    /// Requests that expected another revision than there was.
    pub changed: u64,
    /// Requests that found an object existing or missing.
    pub refused: u64,
    /// Requests that the strategy does not support.
    pub unsupported: u64,
    /// Requests whose client died.
    pub unknown: u64,
    /// Retries.
    pub retries: u64,
    /// Requests that went to all groups.
    pub fallbacks: u64,
    /// Moves.
    pub moves: u64,
    /// Reads that were answered without being ordered.
    pub unordered: u64,
    /// Commands delivered.
    pub delivered: u64,
    /// Commands delivered by several groups.
    pub multi_group: u64,
    /// Replicas stopped.
    pub stops: u64,
    /// Replicas that crashed and came back.
    pub crashes: u64,
    /// Writes that a crash cut short.
    pub torn: u64,
    /// Replicas that lost what they had stored and came back as new members.
    pub wipes: u64,
    /// Snapshots made and stored.
    pub snapshots: u64,
    /// Replicas that started over from a snapshot, their own or another one's.
    pub restores: u64,
    /// Clocks that jumped.
    pub jumps: u64,
    /// Replicas cut off.
    pub cuts: u64,
    /// Clients that died.
    pub deaths: u64,
    /// Pairs of commands with one name and different contents that a hostile client handed in.
    #[serde(default)]
    pub conflicts: u64,
    /// Messages lost.
    pub lost: u64,
    /// Messages doubled.
    pub doubled: u64,
    /// Hits in the shared cache.
    pub cache_hits: u64,
    /// Misses in the shared cache.
    pub cache_misses: u64,
    /// Operations that the black-box check gave up on.
    pub undecided: u64,
}

impl SimulationReport {
    /// Counts a completion.
    pub(crate) fn count(&mut self, completion: &Completion) {
        let counter = match completion.outcome {
            Outcome::Done(_) => &mut self.done,
            Outcome::Failed => &mut self.failed,
            Outcome::Changed => &mut self.changed,
            Outcome::AlreadyExists | Outcome::NotFound => &mut self.refused,
            Outcome::Unsupported | Outcome::Refused(_) => &mut self.unsupported,
            Outcome::Unknown => &mut self.unknown,
        };
        *counter += 1;
        self.retries += u64::from(completion.cost.retries);
        self.fallbacks += u64::from(completion.cost.fallbacks);
        self.moves += u64::from(completion.cost.moves);
        self.unordered += u64::from(completion.cost.unordered);
    }

    fn pairs(&mut self) -> [(&'static str, &mut u64); 28] {
        [
            ("steps", &mut self.steps),
            ("done", &mut self.done),
            ("failed", &mut self.failed),
            ("changed", &mut self.changed),
            ("refused", &mut self.refused),
            ("unsupported", &mut self.unsupported),
            ("unknown", &mut self.unknown),
            ("retries", &mut self.retries),
            ("fallbacks", &mut self.fallbacks),
            ("moves", &mut self.moves),
            ("unordered", &mut self.unordered),
            ("delivered", &mut self.delivered),
            ("multi_group", &mut self.multi_group),
            ("stops", &mut self.stops),
            ("crashes", &mut self.crashes),
            ("torn", &mut self.torn),
            ("wipes", &mut self.wipes),
            ("snapshots", &mut self.snapshots),
            ("restores", &mut self.restores),
            ("jumps", &mut self.jumps),
            ("cuts", &mut self.cuts),
            ("deaths", &mut self.deaths),
            ("conflicts", &mut self.conflicts),
            ("lost", &mut self.lost),
            ("doubled", &mut self.doubled),
            ("cache_hits", &mut self.cache_hits),
            ("cache_misses", &mut self.cache_misses),
            ("undecided", &mut self.undecided),
        ]
    }

    /// Adds another simulation's counters.
    pub fn add(&mut self, mut other: Self) {
        for ((_, sum), (_, count)) in self.pairs().into_iter().zip(other.pairs()) {
            *sum += *count;
        }
    }
}

impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut copy = *self;
        let shown: Vec<String> = copy
            .pairs()
            .map(|(name, count)| format!("{name} {count}"))
            .into();
        write!(f, "{}", shown.join(", "))
    }
}
