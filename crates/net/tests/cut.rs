//! A replica that is cut off from the others: they go on without it, and it joins them again.

mod common;

use common::Client;
use ssmr_core::client::ClientSettings;
use ssmr_core::{
    Access, Application, ClientId, ObjectId, Objects, Outcome, PartitionId, ReplicaId, Request,
    Topology, Verdict,
};
use ssmr_net::{Cluster, ClusterOptions, Cut, Pipeline};
use ssmr_strategy_static::Static;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Objects that exist and do nothing.
#[derive(Debug)]
struct Things;

impl Application for Things {
    const NAME: &'static str = "things";
    type Object = u64;
    type Op = ();
    type Reply = ();

    fn access((): &()) -> Access {
        Access::default()
    }

    fn execute((): &(), _objects: &mut Objects<u64>) {}
}

async fn create(client: &Client, key: u64) {
    let request = Request::create::<Things>(ObjectId::new(key, 0), &key, None);
    let outcome = client.execute(request).await.outcome;
    assert!(matches!(outcome, Outcome::Done(_)), "{key}: {outcome:?}");
}

/// A founded cluster with its leaders, and a client.
async fn started(topology: Topology) -> (Cluster, Client) {
    let oracle = Static::new();
    let cluster = Cluster::start::<Things>(ClusterOptions::new(topology, oracle)).unwrap();
    cluster.ready(PATIENCE).await.unwrap();
    let settings = ClientSettings::default();
    let client = Client::start::<Things>(cluster.config(), 1, oracle, settings);
    (cluster, client)
}

async fn applied(cluster: &Cluster, id: ReplicaId) -> u64 {
    cluster.status(id).await.unwrap().applied
}

#[tokio::test]
async fn the_others_go_on_and_it_catches_up_when_the_cut_is_over() {
    let (mut cluster, client) = started(Topology::new(1, 3).unwrap()).await;
    create(&client, 1).await;

    let group = PartitionId(0).into();
    let old = cluster.leader_of(group).unwrap();
    cluster.faults().cut_replica(old, Cut::Peers, true);
    let mut leaders = cluster.leaders();
    let others = leaders.wait_for(|leaders| leaders.of(group).is_some_and(|new| new != old));
    tokio::time::timeout(PATIENCE, others)
        .await
        .expect("nobody else leads")
        .unwrap();
    create(&client, 2).await;
    let new = cluster.leader_of(group).unwrap();
    assert!(applied(&cluster, old).await < applied(&cluster, new).await);

    cluster.faults().cut_replica(old, Cut::Peers, false);
    let caught_up = async {
        while applied(&cluster, old).await < applied(&cluster, new).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, caught_up)
        .await
        .expect("it does not catch up");
    let digest = async |id: ReplicaId| cluster.inspect(id).await.unwrap().digest;
    assert_eq!(digest(old).await, digest(new).await);
    create(&client, 3).await;
}

#[tokio::test]
async fn what_waits_for_a_partition_that_is_gone_is_part_of_the_digest() {
    let topology = Topology::new(2, 1).unwrap();
    let (mut cluster, client) = started(topology).await;
    let at = |partition| {
        let mut keys = (0..).map(|key| ObjectId::new(key, 0));
        let here = keys.find(|object| topology.home(*object) == PartitionId(partition));
        here.unwrap()
    };
    let create = |object| Request::create::<Things>(object, &0, None);
    let both = create(at(0)).and(at(1), create(at(1)).intents()[0].1.clone());
    let ids: Vec<ReplicaId> = topology.replicas().collect();
    cluster.stop_replica(ids[1]);
    let digest = async || cluster.inspect(ids[0]).await.unwrap().digest;
    let before = digest().await;
    let logged = async {
        // Nothing tells that a command is logged.
        while digest().await == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        completion = client.execute(both) => panic!("nobody can order it: {completion:?}"),
        logged = tokio::time::timeout(PATIENCE, logged) => logged.expect("its digest stays"),
    }
    assert_eq!(cluster.status(ids[0]).await.unwrap().counters.delivered, 0);
}

#[tokio::test]
async fn what_became_of_a_request_that_was_not_answered_in_time_is_told_later() {
    let topology = Topology::new(1, 3).unwrap();
    let oracle = Static::new();
    let mut cluster = Cluster::start::<Things>(ClusterOptions::new(topology, oracle)).unwrap();
    cluster.ready(PATIENCE).await.unwrap();
    let settings = ClientSettings::default()
        .with_deadline(Duration::from_millis(500))
        .with_late_answers(true);
    let (config, id, clock) = (cluster.config(), ClientId(1), cluster.clock());
    let mut client = Pipeline::new::<Things>(config, id, oracle, settings, clock).unwrap();
    let create = |key| Request::create::<Things>(ObjectId::new(key, 0), &key, None);
    client.submit(create(1));
    assert!(matches!(client.next().await.outcome, Outcome::Done(_)));
    assert!(client.late_answer().await.is_none(), "nothing is owed");

    let leader = cluster.leader_of(PartitionId(0).into()).unwrap();
    for id in topology.replicas() {
        cluster.faults().cut_replica(id, Cut::Peers, true);
    }
    client.submit(create(2));
    let unanswered = client.next().await;
    assert_eq!(unanswered.outcome, Outcome::Unknown, "{leader} is alone");
    for id in topology.replicas() {
        cluster.faults().cut_replica(id, Cut::Peers, false);
    }
    let late = tokio::time::timeout(PATIENCE, client.late_answer());
    let answer = late.await.expect("it is repeated").expect("it is owed");
    assert_eq!(Some(answer.id), unanswered.last_attempt);
    assert_eq!(answer.verdict, Verdict::Done);
    assert!(client.late_answer().await.is_none(), "all is told");
}

#[tokio::test]
async fn one_that_nobody_hears_does_not_lead_and_one_that_hears_nobody_neither() {
    for cut in [Cut::ToPeers, Cut::FromPeers] {
        let (mut cluster, client) = started(Topology::new(1, 3).unwrap()).await;
        // From then on the others are members, too.
        create(&client, 1).await;
        let group = PartitionId(0).into();
        let old = cluster.leader_of(group).unwrap();
        cluster.faults().cut_replica(old, cut, true);
        let mut leaders = cluster.leaders();
        let others = leaders.wait_for(|leaders| leaders.of(group).is_some_and(|new| new != old));
        tokio::time::timeout(PATIENCE, others)
            .await
            .unwrap_or_else(|_| panic!("{cut:?}: nobody else leads"))
            .unwrap();
        create(&client, 2).await;
        cluster.faults().cut_replica(old, cut, false);
        let new = cluster.leader_of(group).unwrap();
        let goal = applied(&cluster, new).await;
        let caught_up = async {
            while applied(&cluster, old).await < goal {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, caught_up)
            .await
            .unwrap_or_else(|_| panic!("{cut:?}: it does not catch up"));
    }
}

#[tokio::test]
async fn clients_of_a_leader_that_they_do_not_reach_are_answered_when_the_cut_is_over() {
    let (mut cluster, client) = started(Topology::new(1, 1).unwrap()).await;
    create(&client, 1).await;
    let only = cluster.leader_of(PartitionId(0).into()).unwrap();
    cluster.faults().cut_replica(only, Cut::Clients, true);
    let before = applied(&cluster, only).await;
    let asked = create(&client, 2);
    tokio::pin!(asked);
    tokio::select! {
        () = &mut asked => panic!("nobody can have heard it"),
        // Longer than it takes until the request is sent once more.
        () = tokio::time::sleep(Duration::from_millis(600)) => {}
    }
    assert_eq!(applied(&cluster, only).await, before);
    cluster.faults().cut_replica(only, Cut::Clients, false);
    asked.await;
}
