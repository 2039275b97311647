//! One look at a cluster: what each replica told, and what happened since the look before.
//!
//! Invariant: a rate is that of one replica between two of its own reports; one that was started
//! again meanwhile has none.

use serde::Serialize;
use ssmr_core::ReplicaId;
use ssmr_net::{HotObjects, ReplicaReport};
use std::collections::BTreeMap;

/// What a replica told, or why it did not.
pub(crate) type Told = BTreeMap<ReplicaId, Result<ReplicaReport, String>>;

/// How a cluster is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Look {
    /// Each replica.
    pub(crate) replicas: Vec<Row>,
    /// The objects that are named the most, the hottest first.
    pub(crate) hottest: Vec<Hot>,
}

/// How a replica is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    /// Which one.
    pub(crate) replica: String,
    /// Why it does not answer; all else is missing then.
    pub(crate) problem: Option<String>,
    /// What it told.
    #[serde(flatten)]
    pub(crate) told: Option<Facts>,
}

/// What a replica told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Facts {
    pub(crate) leads: bool,
    pub(crate) votes: bool,
    pub(crate) hears_leader: bool,
    pub(crate) term: u64,
    pub(crate) committed: u64,
    pub(crate) applied: u64,
    /// Commands that were delivered to it.
    pub(crate) commands_per_s: Option<f64>,
    /// All that waits within it.
    pub(crate) queue: u64,
    pub(crate) objects: u64,
    pub(crate) object_bytes: u64,
    pub(crate) log_bytes: u64,
    pub(crate) snapshot_bytes: u64,
    /// Values found in the shared cache, of those looked for since the look before.
    pub(crate) cache_hit_ratio: Option<f64>,
}

/// An object that is named often.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Hot {
    pub(crate) object: String,
    /// Whose leader counted it.
    pub(crate) group: String,
    /// Its part of all that was named there: at least, and at most.
    pub(crate) share: [f64; 2],
}

impl Look {
    /// What these told, and before.
    pub(crate) fn new(now: &Told, before: &Told, hottest: Vec<Hot>) -> Self {
        let row = |(id, told): (&ReplicaId, &Result<ReplicaReport, String>)| {
            let earlier = before.get(id).and_then(|earlier| earlier.as_ref().ok());
            Row {
                replica: id.to_string(),
                problem: told.as_ref().err().cloned(),
                told: told.as_ref().ok().map(|now| Facts::new(now, earlier)),
            }
        };
        Self {
            replicas: now.iter().map(row).collect(),
            hottest,
        }
    }

    /// Whether all replicas answered.
    pub(crate) fn is_whole(&self) -> bool {
        self.replicas.iter().all(|row| row.problem.is_none())
    }
}

impl Facts {
    fn new(now: &ReplicaReport, before: Option<&ReplicaReport>) -> Self {
        let (status, queues) = (&now.status, &now.queues);
        let waiting = [
            queues.inputs,
            queues.held_back,
            queues.uncommitted,
            queues.undelivered,
            queues.reads,
            status.unfinished,
        ];
        // One that was started again has counted from nothing.
        let before = before.filter(|before| before.status.uptime_us < status.uptime_us);
        let rate = |before: &ReplicaReport| {
            let before_that = before.status.counters.delivered;
            let delivered = status.counters.delivered.saturating_sub(before_that);
            delivered as f64 * 1e6 / (status.uptime_us - before.status.uptime_us) as f64
        };
        let ratio = |before: &ReplicaReport| {
            let (now, before) = (&status.counters, &before.status.counters);
            let hits = now.cache_hits.saturating_sub(before.cache_hits);
            let all = hits + now.cache_misses.saturating_sub(before.cache_misses);
            (all > 0).then(|| hits as f64 / all as f64)
        };
        Self {
            leads: status.is_leader,
            votes: status.is_voter,
            hears_leader: status.hears_leader,
            term: status.term,
            committed: status.committed,
            applied: status.applied,
            commands_per_s: before.map(rate),
            queue: waiting.iter().sum(),
            objects: status.objects,
            object_bytes: status.object_bytes,
            log_bytes: now.log.bytes,
            snapshot_bytes: now.snapshots.bytes,
            cache_hit_ratio: before.and_then(ratio),
        }
    }
}

/// The hottest of what leaders counted, so many at most.
pub(crate) fn hottest(counted: &[(ReplicaId, HotObjects)], most: usize) -> Vec<Hot> {
    let of_leader = |(leader, counted): &(ReplicaId, HotObjects)| {
        let (group, total) = (leader.group.to_string(), counted.total.max(1) as f64);
        let objects = counted.objects.clone().into_iter();
        objects.map(move |hot| Hot {
            object: hot.object.to_string(),
            group: group.clone(),
            share: [hot.at_least as f64 / total, hot.at_most as f64 / total],
        })
    };
    let mut all: Vec<Hot> = counted.iter().flat_map(of_leader).collect();
    // What may be as hot as it seems only because its counter was another's comes last.
    let heat = |hot: &Hot| (hot.share[0], hot.share[1]);
    all.sort_by(|one, other| {
        heat(other)
            .partial_cmp(&heat(one))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    all.truncate(most);
    all
}
