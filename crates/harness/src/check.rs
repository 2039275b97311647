//! What is checked after every run: the complete history is linearizable, and replicas agree.
//!
//! The checks themselves are the simulator's; this is where they plug in. Invariant: whoever completed a request has
//! recorded it before the history is judged.

use ssmr_core::{Application, ClientId, Completion, GroupId, Oracle, ReplicaId, Request};
use ssmr_net::Cluster;
use ssmr_sim::history::History;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the replicas of a group have for meeting at the same place of their log.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long until they are looked at again. Nothing tells when a follower has applied something.
const PAUSE: Duration = Duration::from_millis(10);

/// Takes down what all clients of a run saw.
pub(crate) struct Recorder<A: Application>(Arc<Mutex<History<A>>>);

impl<A: Application> Clone for Recorder<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Application> Default for Recorder<A> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<A: Application> Recorder<A> {
    /// Adds a request that ended.
    pub(crate) fn record(&self, client: ClientId, request: &Request, completion: &Completion) {
        self.history().push(client, request, completion);
    }

    /// How many commands were checked, or how they contradict linearizability.
    pub(crate) fn judge(&self) -> Result<usize, String> {
        let summary = self.history().check();
        summary
            .map(|summary| summary.operations)
            .map_err(|violation| violation.to_string())
    }

    fn history(&self) -> std::sync::MutexGuard<'_, History<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks that the replicas of each group that applied the same prefix have the same state.
///
/// # Errors
/// Which replicas differ, have failed, or do not catch up.
pub(crate) async fn agreement<A: Application, O: Oracle>(
    cluster: &Cluster<A, O>,
) -> Result<(), String> {
    let layout = cluster.config().layout;
    for group in layout.groups().iter() {
        let members: Vec<ReplicaId> = layout.members(group).collect();
        let met = tokio::time::timeout(PATIENCE, meet(cluster, group, &members)).await;
        met.unwrap_or_else(|_| {
            Err(format!(
                "the replicas of {group} do not come to the same state"
            ))
        })?;
    }
    Ok(())
}

/// Compares the states of a group's replicas until all are at the same place.
async fn meet<A: Application, O: Oracle>(
    cluster: &Cluster<A, O>,
    group: GroupId,
    members: &[ReplicaId],
) -> Result<(), String> {
    // Which state each place of the log leads to, and who said so.
    let mut states: BTreeMap<u64, (u64, ReplicaId)> = BTreeMap::new();
    loop {
        let mut places = Vec::new();
        for id in members {
            let status = cluster
                .status(*id)
                .await
                .ok_or_else(|| format!("replica {id} has failed"))?;
            let applied = status.counters.applied;
            let (digest, other) = *states.entry(applied).or_insert((status.digest, *id));
            if digest != status.digest {
                return Err(format!(
                    "replicas {other} and {id} of {group} differ after the same {applied} deliveries"
                ));
            }
            places.push(applied);
        }
        if places.windows(2).all(|pair| pair[0] == pair[1]) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
