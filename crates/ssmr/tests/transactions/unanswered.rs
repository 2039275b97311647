//! Transactions whose calls are not answered, for a group has lost its only replica.

use super::{P0, P1, add, attempts_and_conflicts, sum};
use crate::common::{Counters, cluster, object};
use ssmr::{Client, Error, LocalCluster, Static};
use std::cell::Cell;
use std::time::Duration;

/// A cluster of which the second group has lost its only replica, with an object at each group.
async fn half_dead() -> (LocalCluster<Counters>, Client<Counters>, [u64; 2]) {
    let mut cluster = cluster(Static::new()).await;
    let client = cluster.client().await.unwrap();
    let topology = *cluster.topology();
    let at = |home| (1..).find(|&key| topology.home(object(key)) == home);
    let [alive, dead] = [P0, P1].map(|home| at(home).unwrap());
    client.create(object(alive), &1).await.unwrap();
    client.create(object(dead), &2).await.unwrap();
    let replica = topology.members(P1.into()).next().unwrap();
    assert!(cluster.stop_replica(replica));
    (cluster, client, [alive, dead])
}

#[tokio::test]
async fn what_is_not_answered_in_time_is_unknown_and_not_tried_again() {
    let (_cluster, client, [alive, dead]) = half_dead().await;
    let short = || client.transaction().timeout(Duration::from_millis(300));
    let unknown = |may_have_executed| Err::<u64, _>(Error::Unknown { may_have_executed });
    let reads = short().run(async |tx| tx.read(&sum(dead)).await);
    assert_eq!(reads.await, unknown(false));
    let commits = short().run(async |tx| {
        tx.read(&sum(alive)).await?;
        tx.commit(client.call(&add(dead, 1))).await
    });
    assert_eq!(commits.await, unknown(true));
    // The time is over before the commit is sent.
    let late = short().run(async |tx| {
        let _ = tx.read(&sum(dead)).await;
        tx.commit(client.call(&add(alive, 1))).await
    });
    assert_eq!(late.await, unknown(false));
    assert_eq!(attempts_and_conflicts(&client), (3, 0));
}

#[tokio::test]
async fn a_commit_may_have_a_time_out_of_its_own() {
    let (_cluster, client, [alive, dead]) = half_dead().await;
    let own = client.transact(async |tx| {
        tx.read(&sum(alive)).await?;
        let add = client.call(&add(dead, 1));
        tx.commit(add.timeout(Duration::from_millis(100))).await
    });
    let may_have_executed = true;
    assert_eq!(own.await, Err(Error::Unknown { may_have_executed }));
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_is_not_sent_twice() {
    let (_cluster, client, [alive, dead]) = half_dead().await;
    let runs = Cell::new(0);
    let given_up = client.transact(async |tx| {
        runs.set(runs.get() + 1);
        tx.read(&sum(alive)).await?;
        let commit = tx.commit(client.call(&add(dead, 1)));
        let waited = tokio::time::timeout(Duration::from_millis(100), commit).await;
        assert!(waited.is_err());
        Ok::<_, Error>(())
    });
    assert_eq!(given_up.await, Ok(()));
    assert_eq!(runs.get(), 1);
}
