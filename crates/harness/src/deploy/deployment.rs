//! A running cluster, as whoever measures, checks or breaks it sees it.
//!
//! Threads and processes cannot be told apart, but for what breaking means: a thread is stopped, a
//! process is killed. What somebody else runs is not broken from here.

use super::caches::Caches;
use crate::settings::names::DurabilityName;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use ssmr_core::{Micros, ReplicaId};
use ssmr_net::{ClusterConfig, Cut, Leaders, Operator, ReplicaStatus, TrafficCount};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{AddAssign, Sub};
use tokio::sync::watch;

/// A running cluster. Dropping it ends it.
pub(crate) trait Deployment {
    /// What clients need to take part.
    fn config(&self) -> &ClusterConfig;

    /// Who leads which group, as it changes.
    fn leaders(&self) -> watch::Receiver<Leaders>;

    /// The replicas that run, whether they answer or not.
    fn running(&mut self) -> BTreeSet<ReplicaId>;

    /// What a replica says of itself; `None` if it does not run. Cancel safe.
    async fn status(&mut self, id: ReplicaId) -> Option<Status>;

    /// The same with the digest of its state, which holds the replica up.
    async fn inspect(&mut self, id: ReplicaId) -> Option<Status>;

    /// What the cluster has cost so far, replicas included that run no more.
    async fn tally(&mut self) -> Tally;

    /// Whom to ask of a cluster that others may use at the same time: its replicas do not come to
    /// rest when this run is over.
    fn shared(&self) -> Option<&Operator> {
        None
    }

    /// Ends a replica without warning.
    async fn kill(&mut self, id: ReplicaId);

    /// Starts a replica that was killed, with what it had stored, or to be filled by the others. It
    /// may take a while until it answers.
    fn restart(&mut self, id: ReplicaId) -> Result<()>;

    /// Stops a replica's process where it is, or lets it go on. Threads cannot be stopped: nothing
    /// happens.
    fn pause(&mut self, id: ReplicaId, still: bool);

    /// Cuts a replica off from others, or joins it to them again. Nothing happens if it does not
    /// run.
    fn cut(&mut self, id: ReplicaId, cut: Cut, off: bool);

    /// The shared caches.
    fn caches(&mut self) -> &mut Caches;

    /// The processes of the replicas that have one of their own, as they change.
    fn process_ids(&self) -> watch::Receiver<ProcessIds>;
}

/// The process of each replica that has one of its own.
pub(crate) type ProcessIds = BTreeMap<ReplicaId, u32>;

/// Whether one of so many replicas that was killed can be started again: what it kept in memory
/// only the others know.
pub(crate) fn comes_back(durability: DurabilityName, replicas: u8) -> bool {
    durability != DurabilityName::Memory || replicas > 1
}

/// A replica at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The digest of its state, if that was asked for: equal at replicas of a group that applied
    /// the same entries.
    pub(crate) digest: Option<u64>,
    /// The last entry of its group's log that it has applied.
    pub(crate) applied: u64,
    /// Whether it takes full part, and is not being filled after it lost its memory.
    pub(crate) is_voter: bool,
    /// Values that it found in the shared cache.
    pub(crate) value_hits: u64,
    /// Values that it did not find there.
    pub(crate) value_misses: u64,
}

impl From<ReplicaStatus> for Status {
    fn from(status: ReplicaStatus) -> Self {
        let ReplicaStatus {
            digest,
            counters,
            applied,
            is_voter,
            ..
        } = status;
        Self {
            digest,
            applied,
            is_voter,
            value_hits: counters.cache_hits,
            value_misses: counters.cache_misses,
        }
    }
}

/// What a cluster, or one process of it, has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// What its replicas have sent and received.
    pub(crate) traffic: TrafficCount,
    /// Values that they found in the shared cache.
    pub(crate) value_hits: u64,
    /// Values that they did not find there.
    pub(crate) value_misses: u64,
    /// Processor time, of this process too.
    pub(crate) processor_us: Micros,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.traffic += other.traffic;
        self.value_hits += other.value_hits;
        self.value_misses += other.value_misses;
        self.processor_us += other.processor_us;
    }
}

impl Sub for Tally {
    type Output = Self;

    /// What it has cost since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            traffic: self.traffic - earlier.traffic,
            value_hits: self.value_hits - earlier.value_hits,
            value_misses: self.value_misses - earlier.value_misses,
            processor_us: self.processor_us - earlier.processor_us,
        }
    }
}
