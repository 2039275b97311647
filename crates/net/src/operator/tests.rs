use super::*;
use crate::addresses::{Listeners, listen};
use crate::replica::{ReplicaOptions, ReplicaThread};
use ssmr_core::{Access, Objects, PartitionId};
use ssmr_log::FoundingRefused;
use ssmr_strategy_global::Global;
use std::net::{Ipv4Addr, TcpListener};

/// Nothing is done with its objects.
struct Things;

impl Application for Things {
    const NAME: &'static str = "things";
    type Object = u8;
    type Op = u8;
    type Reply = ();

    fn access(_: &u8) -> Access {
        Access::default()
    }

    fn execute(_: &u8, _: &mut Objects<u8>) {}
}

/// Replicas of two groups of three, all in memory. Those that run do so with the same options each
/// time.
struct Replicas {
    config: ClusterConfig,
    running: BTreeMap<ReplicaId, ReplicaThread>,
    operator: Operator,
}

fn replica(partition: u8, index: u8) -> ReplicaId {
    let group = PartitionId(partition).into();
    ReplicaId { group, index }
}

impl Replicas {
    /// With none of them running, and their ports, which are taken until they start.
    fn new() -> (Self, Listeners) {
        let topology = Topology::new(2, 3).unwrap();
        let listeners = listen(&topology, Ipv4Addr::LOCALHOST.into(), None).unwrap();
        let addresses = listeners.iter().map(|(id, (address, _))| (*id, *address));
        let config = ClusterConfig::new(topology, 1, addresses);
        let operator = Operator::new::<Things>(&config, Global).unwrap();
        let running = BTreeMap::new();
        let replicas = Self {
            config,
            running,
            operator,
        };
        (replicas, listeners)
    }

    fn all_running() -> Self {
        let (mut replicas, listeners) = Self::new();
        for (id, (_, listener)) in listeners {
            replicas.start(id, listener);
        }
        replicas
    }

    fn start(&mut self, id: ReplicaId, listener: TcpListener) {
        let options = ReplicaOptions::new(id, self.config.clone(), Global);
        let started = ReplicaThread::start::<Things>(options, listener);
        self.running.insert(id, started.unwrap());
    }

    /// It forgets everything and comes back, by the same command line as it were.
    fn start_again(&mut self, id: ReplicaId) {
        self.running.remove(&id);
        let listener = self.config.addresses[&id].listen().unwrap();
        self.start(id, listener);
    }

    async fn status(&self, id: ReplicaId) -> ReplicaStatus {
        self.operator.status(id).await.unwrap()
    }

    /// Waits until a replica is as it should be.
    async fn until(&self, id: ReplicaId, wanted: impl Fn(&ReplicaStatus) -> bool) -> ReplicaStatus {
        let asked = async {
            loop {
                let status = self.status(id).await;
                if wanted(&status) {
                    return status;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, asked).await.expect("it becomes so")
    }
}

fn groups(partitions: &[u8]) -> Vec<GroupId> {
    let partitions = partitions.iter().copied();
    partitions
        .map(|partition| PartitionId(partition).into())
        .collect()
}

#[tokio::test]
async fn a_cluster_is_founded_once_and_once_more_changes_nothing() {
    let replicas = Replicas::all_running();
    let waiting = replicas.status(replica(0, 1)).await;
    assert!(!waiting.is_member && !waiting.is_voter && waiting.leader.is_none());
    assert_eq!((waiting.holding, waiting.term), (Holding::Nothing, 0));
    assert!(waiting.member.generation() > 0);

    let founded = replicas.operator.found().await.unwrap();
    let (now, before) = (groups(&[0, 1]), groups(&[]));
    assert_eq!((founded.groups, founded.before), (now, before));
    let mut settled = Vec::new();
    for id in replicas.config.topology.replicas() {
        let status = replicas.until(id, |status| status.is_voter).await;
        assert!(matches!(status.holding, Holding::Founding(_)), "{status:?}");
        settled.push(status.member);
    }
    for again in [
        replicas.operator.found().await.unwrap(),
        replicas.operator.found_if_new().await.unwrap(),
    ] {
        assert_eq!((again.groups, again.before), (groups(&[]), groups(&[0, 1])));
    }
    for (id, member) in replicas.config.topology.replicas().zip(settled) {
        assert_eq!(replicas.status(id).await.member, member);
    }
}

#[tokio::test]
async fn a_founding_waits_for_everybody() {
    let (mut replicas, mut listeners) = Replicas::new();
    let last = replica(1, 2);
    let (_, late) = listeners.remove(&last).unwrap();
    for (id, (_, listener)) in listeners {
        replicas.start(id, listener);
    }
    // Its port is there, but nobody answers.
    let hurried = replicas
        .operator
        .clone()
        .with_patience(Duration::from_millis(50));
    let error = hurried.found().await.unwrap_err();
    assert!(matches!(error, FoundError::Connect(_)), "{error}");
    assert!(error.to_string().contains("p1r2 at "), "{error}");
    assert_eq!(
        replicas.status(replica(0, 0)).await.holding,
        Holding::Nothing
    );

    let patient = replicas.operator.clone();
    let founding = tokio::spawn(async move { patient.found().await });
    replicas.start(last, late);
    assert_eq!(founding.await.unwrap().unwrap().groups, groups(&[0, 1]));
}

#[tokio::test]
async fn a_founding_that_was_interrupted_is_completed() {
    let replicas = Replicas::all_running();
    let mut survey = replicas.operator.survey().await.unwrap();
    survey.due.truncate(1);
    let interrupted = replicas.operator.carry_out(survey).await.unwrap();
    assert_eq!(interrupted.groups, groups(&[0]));
    assert_eq!(
        replicas.status(replica(1, 0)).await.holding,
        Holding::Nothing
    );
    let completed = replicas.operator.found().await.unwrap();
    assert_eq!(
        (completed.groups, completed.before),
        (groups(&[1]), groups(&[0]))
    );
}

#[tokio::test]
async fn one_that_forgets_before_it_is_founded_makes_no_founder() {
    let mut replicas = Replicas::all_running();
    let survey = replicas.operator.survey().await.unwrap();
    let former = replicas.status(replica(1, 2)).await.member;
    replicas.start_again(replica(1, 2));
    let error = replicas.operator.carry_out(survey).await.unwrap_err();
    let present = replicas.status(replica(1, 2)).await.member;
    assert!(present > former);
    match error {
        FoundError::Refused { replica: by, why } => {
            assert_eq!(by, replica(1, 2));
            assert_eq!(why, FoundingRefused::OtherGeneration(present.generation()));
        }
        other => panic!("{other}"),
    }
    for id in replicas.config.topology.replicas() {
        assert_eq!(replicas.status(id).await.holding, Holding::Nothing);
    }
    assert_eq!(
        replicas.operator.found().await.unwrap().groups,
        groups(&[0, 1])
    );
}

/// The fault that founding is for: in memory, started again by the same command line, a replica
/// must not vote as the voter that it was.
#[tokio::test]
async fn started_again_with_nothing_it_is_another_member_and_is_taken_in() {
    let mut replicas = Replicas::all_running();
    replicas.operator.found().await.unwrap();
    let id = replica(0, 2);
    let former = replicas.until(id, |status| status.is_voter).await.member;
    replicas.start_again(id);
    let back = replicas.status(id).await;
    assert!(back.member > former && !back.is_voter, "{back:?}");
    let filled = replicas.until(id, |status| status.is_voter).await;
    assert_eq!(filled.member, back.member);

    // Its group is no new one, and neither is the cluster.
    let error = replicas.operator.found().await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, FoundError::Holds { .. }), "{text}");
    assert!(
        text.starts_with("group p0 cannot be founded: its replica p0r"),
        "{text}"
    );
    let nothing = replicas.operator.found_if_new().await.unwrap();
    assert_eq!(nothing, Founded::default());
}

#[tokio::test]
async fn a_group_that_was_lost_does_not_begin_anew_beside_others() {
    let mut replicas = Replicas::all_running();
    replicas.operator.found().await.unwrap();
    // One of the other group is filled, so that it holds more than a founding.
    replicas
        .until(replica(1, 2), |status| status.is_voter)
        .await;
    replicas.start_again(replica(1, 2));
    replicas
        .until(replica(1, 2), |status| status.is_voter)
        .await;
    // None of the group answers the others before all have forgotten.
    for index in 0..3 {
        replicas.running.remove(&replica(0, index));
    }
    for index in 0..3 {
        replicas.start_again(replica(0, index));
    }
    let error = replicas.operator.found_if_new().await.unwrap_err();
    assert!(matches!(error, FoundError::Lost { .. }), "{error}");
    assert!(
        error.to_string().contains("group p0 holds nothing"),
        "{error}"
    );
    assert!(replicas.operator.found().await.is_err());
    assert_eq!(
        replicas.status(replica(0, 0)).await.holding,
        Holding::Nothing
    );
}

#[tokio::test]
async fn who_watches_a_replica_hears_of_it_again_after_it_was_down() {
    let mut replicas = Replicas::all_running();
    let id = replica(1, 2);
    let (heard, mut statuses) = tokio::sync::mpsc::unbounded_channel();
    let operator = replicas.operator.clone();
    let watching = tokio::spawn(async move {
        let every = Duration::from_millis(1);
        operator
            .watch(id, every, |status| drop(heard.send(status)))
            .await
    });
    let first = statuses.recv().await.unwrap();
    replicas.start_again(id);
    let newer = async {
        while let Some(status) = statuses.recv().await {
            if status.member.generation() > first.member.generation() {
                return;
            }
        }
    };
    timeout(PATIENCE, newer)
        .await
        .expect("it is heard of again");
    watching.abort();
    let nobody = replicas.operator.watch(replica(2, 0), PATIENCE, |_| {});
    assert!(matches!(nobody.await, Err(ConfigError::NoAddress(_))));
}

#[tokio::test]
async fn a_replica_that_is_silent_is_tried_again() {
    let (replicas, _listeners) = Replicas::new();
    let id = replica(0, 0);
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let mut config = replicas.config.clone();
    let address = silent.local_addr().unwrap();
    config.addresses.insert(id, address.into());
    let operator = Operator::new::<Things>(&config, Global).unwrap();
    let operator = operator.with_patience(Duration::from_millis(50));
    let watching = tokio::spawn(async move {
        let every = Duration::from_millis(1);
        operator
            .watch(id, every, |_| panic!("it says nothing"))
            .await
    });
    // They are kept open, and nothing is said.
    let mut dialled = Vec::new();
    while dialled.len() < 3 {
        let next = timeout(PATIENCE, silent.accept()).await;
        dialled.push(next.expect("it is tried again").unwrap());
    }
    watching.abort();
    assert!(watching.await.unwrap_err().is_cancelled());
}
