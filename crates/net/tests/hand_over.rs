//! Leaders that hand over under load: clients see no error, and groups wait for no election
//! time-out.

mod common;

use common::Client;
use common::raw::{Blobs, PATIENCE};
use ssmr_core::client::ClientSettings;
use ssmr_core::{GroupId, ObjectId, Outcome, PartitionId, Reads, ReplicaId, Request, Topology};
use ssmr_net::{Cluster, ClusterOptions, HandOverError, HandOverRefused, Operator, ReplicaStatus};
use ssmr_strategy_global::Global;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use tokio::task::JoinSet;

/// How many clients work at once.
const CLIENTS: u64 = 4;

async fn cluster(partitions: u8, replicas: u8) -> (Cluster, Operator) {
    let topology = Topology::new(partitions, replicas).unwrap();
    let cluster = Cluster::start::<Blobs>(ClusterOptions::new(topology, Global)).unwrap();
    cluster.ready(PATIENCE).await.unwrap();
    let operator = Operator::new::<Blobs>(cluster.config(), Global).unwrap();
    (cluster, operator.with_patience(PATIENCE))
}

fn group(partition: u8) -> GroupId {
    PartitionId(partition).into()
}

/// Clients that create, read and delete until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    clients: JoinSet<u64>,
}

impl Load {
    fn start(cluster: &Cluster) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for id in 1..=CLIENTS {
            let reads = Reads::ALL[id as usize % Reads::ALL.len()];
            let settings = ClientSettings::default().with_reads(reads);
            let client = Client::start::<Blobs>(cluster.config(), id, Global, settings);
            clients.spawn(work(client, id, stop.clone()));
        }
        Self { stop, clients }
    }

    /// Returns how many requests each client made, all of which took effect.
    async fn stop(mut self) -> Vec<u64> {
        self.stop.store(true, Relaxed);
        let mut done = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            done.push(client.expect("it has met no error"));
        }
        done
    }
}

async fn work(client: Client, id: u64, stop: Arc<AtomicBool>) -> u64 {
    let mut done = 0;
    for key in 0.. {
        if stop.load(Relaxed) {
            break;
        }
        // Objects of all groups.
        let object = ObjectId::new(id << 32 | key, key);
        let at = Some(PartitionId((key % 2) as u8));
        let value = bytes::Bytes::from(vec![id as u8; 100]);
        let created = client.create::<Blobs>(object, &value, at).await;
        assert!(matches!(created, Outcome::Done(_)), "{created:?}");
        let read = client.execute(Request::access::<Blobs>(&object)).await;
        assert!(matches!(read.outcome, Outcome::Done(_)), "{read:?}");
        let deleted = client.delete(object).await;
        assert!(matches!(deleted, Outcome::Done(_)), "{deleted:?}");
        done += 3;
    }
    done
}

async fn statuses(operator: &Operator, group: GroupId, count: u8) -> Vec<ReplicaStatus> {
    let mut all = Vec::new();
    for index in 0..count {
        all.push(operator.status(ReplicaId { group, index }).await.unwrap());
    }
    all
}

#[tokio::test]
async fn hand_overs_in_a_row_cost_no_election_time_out_and_no_client_an_error() {
    let (cluster, operator) = cluster(2, 3).await;
    let load = Load::start(&cluster);
    let p0 = group(0);
    let term = |all: &[ReplicaStatus]| all.iter().map(|it| it.term).max().unwrap();
    let before = term(&statuses(&operator, p0, 3).await);
    let mut hand_overs = 0;
    for round in 0..12 {
        let leader = cluster.leader_of(p0).unwrap();
        let index = (leader.index + 1 + round % 2) % 3;
        let to = ReplicaId { group: p0, index };
        operator.hand_over_to(to).await.unwrap();
        hand_overs += 1;
        let led = operator.status(to).await.unwrap();
        assert!(led.is_leader, "{led:?}");
    }
    // Each gave the leadership to the replica that was named, in the next term: one that had been
    // elected by a time-out would have been any.
    assert_eq!(term(&statuses(&operator, p0, 3).await), before + hand_overs);
    let done = load.stop().await;
    assert!(done.iter().all(|count| *count > 0), "{done:?}");
}

#[tokio::test]
async fn a_leader_that_is_shut_down_in_order_has_a_successor_when_it_has_ended() {
    let (mut cluster, operator) = cluster(2, 3).await;
    let load = Load::start(&cluster);
    let p0 = group(0);
    for _ in 0..3 {
        let leader = cluster.leader_of(p0).unwrap();
        assert!(cluster.shut_down_replica(leader).await);
        let next = cluster.leader_of(p0).expect("nobody has to be waited for");
        assert_ne!(next, leader);
        assert!(cluster.restart_replica(leader).unwrap());
        let filled = async {
            while !operator.status(leader).await.unwrap().is_voter {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, filled)
            .await
            .expect("it is a voter again");
    }
    let done = load.stop().await;
    assert!(done.iter().all(|count| *count > 0), "{done:?}");
}

#[tokio::test]
async fn a_leader_ends_though_nobody_takes_over() {
    let (mut cluster, _) = cluster(1, 3).await;
    let leader = cluster.leader_of(group(0)).unwrap();
    let others = (0..3).filter(|index| *index != leader.index);
    for index in others {
        assert!(cluster.stop_replica(ReplicaId { index, ..leader }));
    }
    let ended = cluster.shut_down_replica(leader);
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    assert_eq!(ended, Ok(true));
}

#[tokio::test]
async fn an_operator_is_told_why_nobody_leads_but_who_did() {
    let (mut cluster, operator) = cluster(1, 3).await;
    let leader = cluster.leader_of(group(0)).unwrap();
    let hurried = operator
        .clone()
        .with_patience(std::time::Duration::from_secs(1));
    let stranger = ReplicaId { index: 3, ..leader };
    let error = operator.hand_over_to(stranger).await.unwrap_err();
    assert!(matches!(error, HandOverError::Connect(_)), "{error}");
    // That one leads already.
    operator.hand_over_to(leader).await.unwrap();
    let gone = ReplicaId {
        index: (leader.index + 1) % 3,
        ..leader
    };
    cluster.stop_replica(gone);
    let error = hurried.hand_over_to(gone).await.unwrap_err();
    let behind = |error: &HandOverError| match error {
        HandOverError::NotTaken { to, .. } => *to == gone,
        HandOverError::Refused { why, .. } => *why == HandOverRefused::Behind,
        _ => false,
    };
    assert!(behind(&error), "{error}");
    // The one that is left takes over.
    let next = operator.hand_over(group(0)).await.unwrap();
    assert!(next != leader && next != gone);

    let (_alone, operator) = self::cluster(1, 1).await;
    let error = operator.hand_over(group(0)).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("p0r0 does not hand over: there is no such other voter"),
        "{text}"
    );
}
