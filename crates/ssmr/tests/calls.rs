//! What calls come to: errors, commands of several parts, time-outs, dropped futures, clones,
//! shutdown.

mod common;

use common::{Counters, Op, PATIENCE, cluster, object};
use ssmr::{
    Broker, Cache, Client, Defect, Error, Execution, Global, LocalCluster, ObjectId, PartitionId,
    Reads, Static, limits,
};
use std::time::Duration;
use tokio::time::Instant;

const P0: PartitionId = PartitionId(0);
const P1: PartitionId = PartitionId(1);

#[tokio::test]
async fn calls_end_as_they_should() {
    let cluster = cluster(Broker).await;
    let client = cluster.client().await.unwrap();
    let [x, y] = [1, 2].map(object);
    assert_eq!(client.exists(x).await, Ok(false));
    assert_eq!(client.locate(x).await, Err(Error::NotFound));
    assert_eq!(client.create(x, &1).at(P1).await, Ok(()));
    assert_eq!(client.create(x, &2).at(P0).await, Err(Error::AlreadyExists));
    assert_eq!(client.locate(x).await, Ok(P1));
    assert_eq!(client.move_to(x, P0).await, Ok(()));
    assert_eq!(client.locate(x).await, Ok(P0));
    assert_eq!(client.exists(x).await, Ok(true));
    assert_eq!(client.call(&Op::Add(vec![x], 4)).await, Ok(5));
    assert_eq!(
        client.call(&Op::Sum(vec![x, y])).await,
        Err(Error::NotFound)
    );
    assert_eq!(client.call(&Op::Divide(x, 0)).await, Err(Error::Failed));
    assert_eq!(client.call(&Op::Divide(x, 5)).await, Ok(1));
    let nowhere = client.create(y, &1).at(PartitionId(255)).await;
    assert_eq!(nowhere, Err(Error::Refused(Defect::NoSuchPartition)));
    let all = (0..=limits::MAX_OBJECTS as u64).map(object).collect();
    let too_many = client.call(&Op::Sum(all)).await;
    assert_eq!(too_many, Err(Error::TooLarge(Defect::TooManyObjects)));
    assert_eq!(client.delete(x).await, Ok(()));
    assert_eq!(client.delete(x).await, Err(Error::NotFound));
}

#[tokio::test]
async fn what_a_strategy_cannot_do_is_unsupported() {
    let cluster = cluster(Static::new()).await;
    let client = cluster.client().await.unwrap();
    client.create(object(1), &1).await.unwrap();
    let moved = client.move_to(object(1), P1).await;
    assert_eq!(moved, Err(Error::Unsupported));
}

#[tokio::test]
async fn a_shared_cache_answers_reads_that_may_be_stale() {
    let cluster = cluster(Cache).await;
    let client = cluster.client().await.unwrap();
    let x = object(1);
    let read = Op::Sum(vec![x]);
    assert_eq!(client.read_stale(&read).await, Err(Error::NotFound));
    client.create(x, &1).await.unwrap();
    // The first to ask makes the owner publish it.
    let of_cache = async |value| {
        loop {
            let told = client.read_stale(&read).await.unwrap();
            if told.stale.is_some() && told.reply == value {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, of_cache(1)).await.unwrap();
    client.call(&Op::Add(vec![x], 4)).await.unwrap();
    tokio::time::timeout(PATIENCE, of_cache(5)).await.unwrap();
    // What writes, or reads several objects, goes to the owner.
    let owners = client.read_stale(&Op::Add(vec![x], 1)).await.unwrap();
    assert_eq!((owners.reply, owners.stale), (6, None));
    client.create(object(2), &1).await.unwrap();
    let both = Op::Sum(vec![x, object(2)]);
    let owners = client.read_stale(&both).await.unwrap();
    assert_eq!((owners.reply, owners.stale), (7, None));
}

#[tokio::test]
async fn settings_change_how_and_not_what() {
    let cluster = cluster(Global).await;
    for (round, execution, reads) in [
        (0, Execution::Exchange, Reads::Lease),
        (10, Execution::Gather, Reads::Index),
    ] {
        let client = cluster.client_builder().execution(execution).reads(reads);
        let client = client.deadline(PATIENCE).connect().await.unwrap();
        let [x, y] = [round, round + 1].map(object);
        client
            .create(x, &1)
            .at(P0)
            .creating(y, &2)
            .at(P1)
            .await
            .unwrap();
        assert_eq!(client.call(&Op::Add(vec![x, y], 1)).await, Ok(5));
        assert_eq!(client.call(&Op::Sum(vec![x, y])).await, Ok(5));
        assert!(client.locate(y).await.is_ok());
    }
}

#[tokio::test]
async fn a_call_and_creates_are_one_command() {
    let cluster = cluster(Broker).await;
    let client = cluster.client().await.unwrap();
    let [x, y, z] = [1, 2, 3].map(object);
    client.create(x, &1).at(P0).await.unwrap();

    // All of it happens, at the places that were asked for.
    let add = Op::Add(vec![x], 1);
    let done = client
        .call(&add)
        .creating(y, &20)
        .at(P1)
        .creating(z, &30)
        .at(P0);
    assert_eq!(done.await, Ok(2));
    assert_eq!(client.locate(y).await, Ok(P1));
    assert_eq!(client.locate(z).await, Ok(P0));

    // Nothing of it happens.
    let w = object(4);
    let failed = client.call(&add).creating(w, &1).creating(y, &1).await;
    assert_eq!(failed, Err(Error::AlreadyExists));
    let failed = client.call(&Op::Add(vec![object(9)], 1)).creating(w, &1);
    assert_eq!(failed.await, Err(Error::NotFound));
    assert_eq!(client.exists(w).await, Ok(false));
    assert_eq!(client.call(&Op::Sum(vec![x, y, z])).await, Ok(52));

    // The operation does not see what is created beside it.
    let unseen = client.call(&Op::Add(vec![x, w], 100)).creating(w, &7).await;
    assert_eq!(unseen, Ok(102));
    assert_eq!(client.call(&Op::Sum(vec![w])).await, Ok(7));
}

/// A cluster of which one group has lost its only replica.
async fn half_dead() -> (LocalCluster<Counters>, Client<Counters>, ObjectId) {
    let mut cluster = cluster(Static::new()).await;
    let client = cluster.client().await.unwrap();
    let mut keys = (0..).map(object);
    let topology = *cluster.topology();
    let object = keys.find(|key| topology.home(*key) == P1).unwrap();
    client.create(object, &0).await.unwrap();
    let dead = topology.members(P1.into()).next().unwrap();
    assert!(cluster.stop_replica(dead));
    (cluster, client, object)
}

#[tokio::test]
async fn a_call_may_have_a_time_out_of_its_own() {
    let (_cluster, client, object) = half_dead().await;
    let started = Instant::now();
    let call = client.call(&Op::Add(vec![object], 1));
    let outcome = call.timeout(Duration::from_millis(200)).await;
    let may_have_executed = true;
    assert_eq!(outcome, Err(Error::Unknown { may_have_executed }));
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert!(started.elapsed() < PATIENCE);
    let endless = client.exists(self::object(77_777)).timeout(Duration::MAX);
    tokio::time::timeout(PATIENCE, endless.into_future())
        .await
        .ok();
}

#[tokio::test]
async fn the_deadline_of_a_client_ends_calls_too() {
    let (cluster, _, object) = half_dead().await;
    // The living half is enough for nothing here: the client cannot connect.
    let builder = cluster
        .client_builder()
        .connect_timeout(Duration::from_millis(100));
    assert!(builder.connect().await.is_err());
    drop(cluster);

    let mut cluster = common::cluster(Static::new()).await;
    let client = cluster
        .client_builder()
        .deadline(Duration::from_millis(300));
    let client = client.connect().await.unwrap();
    client.create(object, &0).await.unwrap();
    let dead = cluster.topology().members(P1.into()).next().unwrap();
    cluster.stop_replica(dead);
    let outcome = client.call(&Op::Add(vec![object], 1)).await;
    let may_have_executed = true;
    assert_eq!(outcome, Err(Error::Unknown { may_have_executed }));
}

#[tokio::test]
async fn a_call_in_a_full_queue_that_times_out_has_no_effect() {
    let (_cluster, client, object) = half_dead().await;
    let add = Op::Add(vec![object], 1);
    // As many as are under way and wait at a time, and one more.
    let calls = (0..2048).map(|_| tokio::spawn(client.call(&add).into_future()));
    let calls: Vec<_> = calls.collect();
    let outcome = loop {
        let call = client.call(&add).timeout(Duration::from_millis(100));
        match call.await {
            Err(Error::Unknown {
                may_have_executed: true,
            }) => {}
            other => break other,
        }
    };
    let may_have_executed = false;
    assert_eq!(outcome, Err(Error::Unknown { may_have_executed }));
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_dropped_future_leaves_a_call_that_takes_effect_at_most_once() {
    let cluster = cluster(Global).await;
    let client = cluster.client().await.unwrap();
    let x = object(1);
    client.create(x, &0).await.unwrap();
    let mut started = 0;
    for round in 0..300u64 {
        let mut call = client.call(&Op::Add(vec![x], 1)).into_future();
        if round % 3 > 0 {
            // Handed in, and left to itself.
            assert!(futures_poll_once(&mut call).await.is_none());
            started += 1;
        }
        if round % 3 > 1 {
            // The client's task takes it meanwhile.
            tokio::task::yield_now().await;
        }
        drop(call);
    }
    let settled = async {
        loop {
            // Each of these adds nothing, and is ordered with all the others.
            let sum = client.call(&Op::Sum(vec![x])).await.unwrap();
            assert!(sum <= started, "{sum} of {started} calls took effect");
            if sum > 0 {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.unwrap();
    client.shutdown().await;
    let client = cluster.client().await.unwrap();
    let sum = client.call(&Op::Sum(vec![x])).await.unwrap();
    assert!(
        0 < sum && sum <= started,
        "{sum} of {started} calls took effect"
    );
}

/// Polls a future once.
async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        let polled = std::pin::Pin::new(&mut *future).poll(context);
        std::task::Poll::Ready(match polled {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clones_call_in_parallel() {
    const CLONES: u64 = 50;
    const CALLS: u64 = 100;
    let cluster = cluster(Broker).await;
    let client = cluster.client().await.unwrap();
    let [x, y] = [1, 2].map(object);
    client.create(x, &0).at(P0).await.unwrap();
    client.create(y, &0).at(P1).await.unwrap();
    let work = (0..CLONES).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            let both = Op::Add(vec![x, y], 1);
            let one = Op::Add(vec![if number % 2 == 0 { x } else { y }], 1);
            for _ in 0..CALLS {
                client.call(&both).await?;
                client.call(&one).await?;
            }
            Ok::<(), Error>(())
        })
    });
    for done in work.collect::<Vec<_>>() {
        done.await.unwrap().unwrap();
    }
    let sum = client.call(&Op::Sum(vec![x, y])).await;
    assert_eq!(sum, Ok(3 * CLONES * CALLS));
}

#[tokio::test]
async fn after_a_shutdown_of_the_cluster_calls_are_closed_promptly() {
    let cluster = cluster(Broker).await;
    let client = cluster.client().await.unwrap();
    client.create(object(1), &1).await.unwrap();
    cluster.shutdown().await;
    let calls = async {
        // The farewell is on its way to the client's task.
        loop {
            match client.call(&Op::Add(vec![object(1)], 1)).await {
                Err(Error::Unknown { .. }) => {}
                other => break other,
            }
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(5), calls);
    assert_eq!(outcome.await.expect("it is prompt"), Err(Error::Closed));
    assert_eq!(client.exists(object(1)).await, Err(Error::Closed));
}

#[tokio::test]
async fn calls_under_way_at_a_shutdown_are_unknown_at_once() {
    let (cluster, client, object) = half_dead().await;
    let mut call = client.call(&Op::Add(vec![object], 1)).into_future();
    assert!(futures_poll_once(&mut call).await.is_none());
    let other = tokio::spawn(client.exists(object).into_future());
    cluster.shutdown().await;
    let outcome = tokio::time::timeout(Duration::from_secs(5), call);
    let outcome = outcome.await.expect("it is prompt");
    let ended = matches!(outcome, Err(Error::Unknown { .. } | Error::Closed));
    assert!(ended, "{outcome:?}");
    assert!(other.await.unwrap().is_err());
}

#[tokio::test]
async fn a_client_that_is_shut_down_finishes_what_is_under_way() {
    let cluster = cluster(Global).await;
    let client = cluster.client().await.unwrap();
    let x = object(1);
    client.create(x, &0).await.unwrap();
    let add = Op::Add(vec![x], 1);
    let mut calls: Vec<_> = (0..100).map(|_| client.call(&add).into_future()).collect();
    for call in &mut calls {
        assert!(futures_poll_once(call).await.is_none());
    }
    let clone = client.clone();
    client.shutdown().await;
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(clone.call(&add).await, Err(Error::Closed));
    clone.shutdown().await;
    let client = cluster.client().await.unwrap();
    assert_eq!(client.call(&Op::Sum(vec![x])).await, Ok(100));
}
