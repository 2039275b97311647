//! What a simulation did: counters that show that it was not vacuous.

use serde::{Deserialize, Serialize};
use ssmr_core::{Completion, Defect, Outcome};
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
    /// Requests whose client died, or never learned what became of them.
    pub unknown: u64,
    /// Retries.
    pub retries: u64,
    /// Requests that went to all groups.
    pub fallbacks: u64,
    /// Moves.
    pub moves: u64,
    /// Reads that were answered without being ordered.
    pub unordered: u64,
    /// Reads that the shared cache answered alone.
    #[serde(default)]
    pub stale: u64,
    /// Of these, how many were told of a version that was not the newest one.
    #[serde(default)]
    pub outdated: u64,
    /// Commands delivered.
    pub delivered: u64,
    /// Commands delivered by several groups.
    pub multi_group: u64,
    /// Replicas stopped.
    pub stops: u64,
    /// Groups that lost their majority for good.
    #[serde(default)]
    pub dead_groups: u64,
    /// Requests that did not concern a dead group, after it had died.
    #[serde(default)]
    pub without_dead: u64,
    /// Dead groups to which a hint sent a client that wanted something else.
    #[serde(default)]
    pub misled: u64,
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
    /// Clocks that began to run at another rate.
    #[serde(default)]
    pub drifts: u64,
    /// Replicas and clients that were paused or suspended.
    #[serde(default)]
    pub pauses: u64,
    /// Machines that became slow.
    #[serde(default)]
    pub slow_nodes: u64,
    /// Events that waited for a replica which was busy or paused.
    #[serde(default)]
    pub queued: u64,
    /// Leaders that began to hand over.
    #[serde(default)]
    pub hand_overs: u64,
    /// Requests of leaders to take over that came late.
    #[serde(default)]
    pub late_requests: u64,
    /// Votes that were asked for because a leader had asked for it.
    #[serde(default)]
    pub requested_votes: u64,
    /// Replicas cut off.
    pub cuts: u64,
    /// Clients cut off.
    #[serde(default)]
    pub client_cuts: u64,
    /// Clients that died.
    pub deaths: u64,
    /// Pairs of commands with one name and different contents that a hostile client handed in.
    #[serde(default)]
    pub conflicts: u64,
    /// Wipes while the members of the group were changing.
    #[serde(default)]
    pub wipes_in_change: u64,
    /// Machines that went down with what their disks had not been given.
    #[serde(default)]
    pub power_failures: u64,
    /// Writes of which a power failure left nothing.
    #[serde(default)]
    pub lost_writes: u64,
    /// Writes of which a power failure left later parts without earlier ones.
    #[serde(default)]
    pub reordered_writes: u64,
    /// Names given or taken away of which the disk knew nothing after a power failure.
    #[serde(default)]
    pub lost_names: u64,
    /// Syncs that failed.
    #[serde(default)]
    pub failed_syncs: u64,
    /// Writes for which there was no room.
    #[serde(default)]
    pub full_disks: u64,
    /// Writes that took so long that the replica kept others waiting.
    #[serde(default)]
    pub slow_writes: u64,
    /// Replicas that stopped because they could not store.
    #[serde(default)]
    pub failed_writes: u64,
    /// Data folders that could not be opened for as long as their disk failed.
    #[serde(default)]
    pub failed_openings: u64,
    /// Data folders that were found without all that was acknowledged, and set aside.
    #[serde(default)]
    pub lost_memories: u64,
    /// Replicas that were started with another one's data folder.
    #[serde(default)]
    pub mixed_up: u64,
    /// Times that a client's process did nothing for a while.
    #[serde(default)]
    pub sleeps: u64,
    /// Answers to requests that had ended as unknown.
    #[serde(default)]
    pub late_answers: u64,
    /// Commands that a group refused because their session had expired.
    #[serde(default)]
    pub expired: u64,
    /// Log entries that carried as much as one may.
    #[serde(default)]
    pub full_batches: u64,
    /// Snapshots for others that one message could not carry.
    #[serde(default)]
    pub sent_in_pieces: u64,
    /// Commands that were refused for what they read or move.
    #[serde(default)]
    pub too_large: u64,
    /// Messages lost.
    pub lost: u64,
    /// Messages doubled.
    pub doubled: u64,
    /// Copies of messages that came long after.
    #[serde(default)]
    pub late: u64,
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
            Outcome::Refused(Defect::OperandsTooLarge) => &mut self.too_large,
            Outcome::Unsupported | Outcome::Refused(_) => &mut self.unsupported,
            Outcome::Unknown => &mut self.unknown,
        };
        *counter += 1;
        self.retries += u64::from(completion.cost.retries);
        self.fallbacks += u64::from(completion.cost.fallbacks);
        self.moves += u64::from(completion.cost.moves);
        self.unordered += u64::from(completion.cost.unordered);
        self.stale += u64::from(completion.cost.stale);
    }

    fn pairs(&mut self) -> [(&'static str, &mut u64); 60] {
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
            ("stale", &mut self.stale),
            ("outdated", &mut self.outdated),
            ("delivered", &mut self.delivered),
            ("multi_group", &mut self.multi_group),
            ("stops", &mut self.stops),
            ("dead_groups", &mut self.dead_groups),
            ("without_dead", &mut self.without_dead),
            ("misled", &mut self.misled),
            ("crashes", &mut self.crashes),
            ("torn", &mut self.torn),
            ("wipes", &mut self.wipes),
            ("snapshots", &mut self.snapshots),
            ("restores", &mut self.restores),
            ("jumps", &mut self.jumps),
            ("drifts", &mut self.drifts),
            ("pauses", &mut self.pauses),
            ("slow_nodes", &mut self.slow_nodes),
            ("queued", &mut self.queued),
            ("hand_overs", &mut self.hand_overs),
            ("late_requests", &mut self.late_requests),
            ("requested_votes", &mut self.requested_votes),
            ("cuts", &mut self.cuts),
            ("client_cuts", &mut self.client_cuts),
            ("deaths", &mut self.deaths),
            ("conflicts", &mut self.conflicts),
            ("wipes_in_change", &mut self.wipes_in_change),
            ("power_failures", &mut self.power_failures),
            ("lost_writes", &mut self.lost_writes),
            ("reordered_writes", &mut self.reordered_writes),
            ("lost_names", &mut self.lost_names),
            ("failed_syncs", &mut self.failed_syncs),
            ("full_disks", &mut self.full_disks),
            ("slow_writes", &mut self.slow_writes),
            ("failed_writes", &mut self.failed_writes),
            ("failed_openings", &mut self.failed_openings),
            ("lost_memories", &mut self.lost_memories),
            ("mixed_up", &mut self.mixed_up),
            ("sleeps", &mut self.sleeps),
            ("late_answers", &mut self.late_answers),
            ("expired", &mut self.expired),
            ("full_batches", &mut self.full_batches),
            ("sent_in_pieces", &mut self.sent_in_pieces),
            ("too_large", &mut self.too_large),
            ("lost", &mut self.lost),
            ("doubled", &mut self.doubled),
            ("late", &mut self.late),
            ("cache_hits", &mut self.cache_hits),
            ("cache_misses", &mut self.cache_misses),
            ("undecided", &mut self.undecided),
        ]
    }

    /// Each counter by its name.
    #[must_use]
    pub fn counters(mut self) -> [(&'static str, u64); 60] {
        self.pairs().map(|(name, count)| (name, *count))
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
        let shown: Vec<String> = self
            .counters()
            .map(|(name, count)| format!("{name} {count}"))
            .into();
        write!(f, "{}", shown.join(", "))
    }
}
