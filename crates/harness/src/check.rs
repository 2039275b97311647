//! What is checked after every run: the complete history is linearizable, and replicas agree.
//!
//! The checks of the history are those of [`ssmr_check`]; this is where they plug in. Invariant:
//! whoever completed a request has recorded it before the history is judged.

use crate::deploy::deployment::Deployment;
use crate::violation::RunViolation;
use ssmr_check::History;
use ssmr_core::{Application, ClientId, Completion, Intent, ObjectId, Outcome, ReplicaId, Request};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the replicas of a group have for meeting at the same place of their log.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long until they are looked at again. Nothing tells when a follower has applied something.
const PAUSE: Duration = Duration::from_millis(10);

/// Takes down what all clients of a run saw.
pub(crate) struct Recorder<A: Application>(Arc<Mutex<Record<A>>>);

struct Record<A: Application> {
    history: History<A>,
    /// The objects that somebody was told to have created.
    created: BTreeSet<ObjectId>,
}

impl<A: Application> Clone for Recorder<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Application> Default for Recorder<A> {
    fn default() -> Self {
        let (history, created) = Default::default();
        Self(Arc::new(Mutex::new(Record { history, created })))
    }
}

impl<A: Application> Recorder<A> {
    /// Adds a request that ended.
    pub(crate) fn record(&self, client: ClientId, request: &Request, completion: &Completion) {
        let mut record = self.lock();
        record.history.push(client, request, completion);
        if matches!(completion.outcome, Outcome::Done(_)) {
            let created = |(_, intent): &&(_, Intent)| matches!(intent, Intent::Create { .. });
            let created = request.intents().iter().filter(created);
            record.created.extend(created.map(|(object, _)| *object));
        }
    }

    /// The objects that somebody was told to have created, whatever became of them.
    pub(crate) fn created(&self) -> BTreeSet<ObjectId> {
        self.lock().created.clone()
    }

    /// How many commands were checked, or how they contradict linearizability.
    pub(crate) fn judge(&self) -> Result<usize, RunViolation> {
        let summary = self.lock().history.check();
        summary
            .map(|summary| summary.operations)
            .map_err(RunViolation::History)
    }

    fn lock(&self) -> MutexGuard<'_, Record<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks that the replicas of each group that applied the same prefix have the same state, but for
/// those that are `lost`.
///
/// # Errors
/// Which replicas differ, have failed, or do not catch up.
pub(crate) async fn agreement<D: Deployment>(
    cluster: &mut D,
    lost: &BTreeSet<ReplicaId>,
) -> Result<(), RunViolation> {
    let topology = cluster.config().topology;
    for group in topology.groups().iter() {
        let members = topology.members(group).filter(|id| !lost.contains(id));
        let members: Vec<ReplicaId> = members.collect();
        let met = tokio::time::timeout(PATIENCE, meet(cluster, &members)).await;
        met.unwrap_or(Err(RunViolation::NoAgreement(group)))?;
    }
    Ok(())
}

/// Compares the states of a group's replicas until all are at the same place.
async fn meet<D: Deployment>(cluster: &mut D, members: &[ReplicaId]) -> Result<(), RunViolation> {
    // Which state each place of the log leads to, and who said so.
    let mut states: BTreeMap<u64, (Option<u64>, ReplicaId)> = BTreeMap::new();
    loop {
        let mut places = Vec::new();
        for id in members {
            let status = cluster
                .inspect(*id)
                .await
                .ok_or(RunViolation::ReplicaFailed(*id))?;
            let applied = status.applied;
            let (digest, first) = *states.entry(applied).or_insert((status.digest, *id));
            if digest != status.digest {
                let other = *id;
                return Err(RunViolation::Diverged {
                    first,
                    other,
                    applied,
                });
            }
            places.push(applied);
        }
        if places.windows(2).all(|pair| pair[0] == pair[1]) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::threads::Threads;
    use crate::workload::contract::Workload;
    use crate::workload::kv::settings::{Distribution, Kv};
    use ssmr_check::ViolationKind;
    use ssmr_core::{
        Cost, LocalTime, LogicalClock, PartitionId, Revision, Timestamp, Topology, Touch,
    };
    use ssmr_net::{ClusterOptions, Leaders};
    use ssmr_strategy_static::Static;

    const KV: Kv = Kv {
        seed: 1,
        clients: 1,
        partitions: 1,
        keys: 10,
        distribution: Distribution::Uniform,
        object_size: 8,
        multi_objects: 1,
        percentages: [100, 0, 0, 0, 0, 0],
    };

    /// A create of key 0 that took effect at this time of all clocks.
    fn created(at: u64) -> Completion {
        let object = ObjectId::new(0, 0);
        let timestamp = Timestamp::new(LogicalClock(at), PartitionId(0).into());
        let after = Some(Revision {
            epoch: timestamp,
            version: 0,
        });
        let touched = vec![Touch {
            object,
            before: None,
            after,
        }];
        Completion {
            ticket: at,
            outcome: Outcome::Done(bytes::Bytes::new()),
            timestamp: Some(timestamp),
            touched,
            last_attempt: None,
            invoked: LocalTime::from_micros(at),
            completed: LocalTime::from_micros(at + 1),
            cost: Cost::default(),
        }
    }

    #[test]
    fn an_object_created_twice_is_a_violation() {
        let recorder = Recorder::<<Kv as Workload>::App>::default();
        recorder.record(ClientId(0), &KV.preload(0), &created(1));
        assert_eq!(recorder.judge(), Ok(1));
        assert_eq!(recorder.created(), [ObjectId::new(0, 0)].into());
        recorder.record(ClientId(1), &KV.preload(0), &created(3));
        let violation = recorder.judge().unwrap_err();
        let RunViolation::History(found) = &violation else {
            panic!("{violation}")
        };
        assert_eq!(found.kind, ViolationKind::Existence, "{violation}");
        let text = violation.to_string();
        assert!(text.starts_with("not linearizable"), "{text}");
    }

    #[tokio::test]
    async fn replicas_agree_unless_one_has_failed() {
        let topology = Topology::new(1, 3).unwrap();
        let options = ClusterOptions::new(topology, Static::new());
        let cluster = Threads::<<Kv as Workload>::App>::start(options, false).await;
        let mut cluster = cluster.unwrap();
        let ready = Leaders::complete(cluster.leaders(), topology.groups(), PATIENCE);
        ready.await.unwrap();
        let nobody = BTreeSet::new();
        assert_eq!(agreement(&mut cluster, &nobody).await, Ok(()));
        let one = topology.replicas().next().unwrap();
        cluster.kill(one).await;
        let problem = agreement(&mut cluster, &nobody).await.unwrap_err();
        assert_eq!(problem, RunViolation::ReplicaFailed(one));
        assert_eq!(agreement(&mut cluster, &[one].into()).await, Ok(()));
    }
}
