//! Transactions over TCP: what they come to alone, against others' changes, and all at once.

mod common;
#[path = "transactions/purses.rs"]
mod purses;
#[path = "transactions/unanswered.rs"]
mod unanswered;

use common::{Counters, Op, PATIENCE, cluster, object};
use ssmr::{Broker, Cache, Client, Error, Global, LocalCluster, PartitionId, Static};
use std::cell::Cell;

const P0: PartitionId = PartitionId(0);
const P1: PartitionId = PartitionId(1);

/// A cluster with objects 1 (value 10) and 2 (value 20).
async fn two_counters() -> (LocalCluster<Counters>, Client<Counters>) {
    let cluster = cluster(Broker).await;
    let client = cluster.client().await.unwrap();
    let [x, y] = [1, 2].map(object);
    let both = client.create(x, &10).at(P0).creating(y, &20).at(P1);
    both.await.unwrap();
    (cluster, client)
}

fn sum(key: u64) -> Op {
    Op::Sum(vec![object(key)])
}

fn add(key: u64, amount: u64) -> Op {
    Op::Add(vec![object(key)], amount)
}

fn attempts_and_conflicts(client: &Client<Counters>) -> (u64, u64) {
    let count = client.transactions();
    (count.attempts, count.conflicts)
}

#[tokio::test]
async fn what_has_changed_is_read_again() {
    let (_cluster, client) = two_counters().await;
    let doubled = client
        .transact(async |tx| {
            let value = tx.read(&sum(1)).await?;
            if tx.attempt() == 1 {
                client.call(&add(1, 1)).await?;
            }
            tx.commit(client.call(&add(2, value))).await
        })
        .await;
    assert_eq!(
        doubled,
        Ok::<_, Error>(31),
        "not with the 10 that was read first"
    );
    assert_eq!(attempts_and_conflicts(&client), (2, 1));
    assert_eq!(client.call(&sum(2)).await, Ok(31));
}

#[tokio::test]
async fn a_move_counts_as_a_change_and_a_write_elsewhere_does_not() {
    let (_cluster, client) = two_counters().await;
    let done = client
        .transact(async |tx| {
            let value = tx.read(&sum(1)).await?;
            match tx.attempt() {
                1 => client.move_to(object(1), P1).await?,
                _ => drop(client.call(&add(2, 1)).await?),
            }
            tx.commit(client.call(&add(2, value))).await
        })
        .await;
    assert_eq!(done, Ok::<_, Error>(31));
    assert_eq!(attempts_and_conflicts(&client), (2, 1));
}

#[tokio::test]
async fn an_end_of_attempts_is_a_conflict_and_changes_nothing() {
    let (_cluster, client) = two_counters().await;
    let disturbed = client.transaction().attempts(3);
    let outcome = disturbed
        .run(async |tx| {
            let value = tx.read(&sum(1)).await?;
            client.call(&add(1, 1)).await?;
            // Whatever the closure makes of the error.
            let committed = tx.commit(client.call(&add(2, value))).await;
            assert_eq!(committed, Err(Error::Changed));
            Ok(0)
        })
        .await;
    assert_eq!(outcome, Err(Error::Conflict { attempts: 3 }));
    assert_eq!(attempts_and_conflicts(&client), (3, 3));
    assert_eq!(client.call(&sum(2)).await, Ok(20));
    assert_eq!(client.call(&sum(1)).await, Ok(13));
}

#[tokio::test]
async fn an_object_that_was_deleted_meanwhile_has_changed() {
    let (_cluster, client) = two_counters().await;
    let outcome = client
        .transact(async |tx| {
            if !tx.exists(object(1)).await? {
                return Ok(None);
            }
            if tx.attempt() == 1 {
                client.delete(object(1)).await?;
            }
            tx.commit(client.call(&add(2, 1))).await.map(Some)
        })
        .await;
    assert_eq!(outcome, Ok::<_, Error>(None));
    assert_eq!(client.call(&sum(2)).await, Ok(20));

    // Deleted and created again, as large as it was and written as often.
    client.create(object(1), &10).at(P0).await.unwrap();
    let outcome = client
        .transact(async |tx| {
            let value = tx.read(&sum(1)).await?;
            if tx.attempt() == 1 {
                client.delete(object(1)).await?;
                client.create(object(1), &10).at(P0).await?;
            }
            let attempt = u64::from(tx.attempt());
            tx.commit(client.call(&add(2, value + attempt))).await
        })
        .await;
    assert_eq!(outcome, Ok::<_, Error>(32), "at the second attempt");
}

#[tokio::test]
async fn absence_is_expected_of_what_is_created() {
    let (_cluster, client) = two_counters().await;
    let outcome = client
        .transact(async |tx| {
            let there = tx.exists(object(3)).await?;
            if tx.attempt() == 1 {
                client.create(object(3), &7).at(P1).await?;
            }
            match there {
                false => tx.commit(client.create(object(3), &1)).await.map(|()| 1),
                true => tx.commit(client.call(&add(3, 1))).await,
            }
        })
        .await;
    assert_eq!(outcome, Ok::<_, Error>(8));
    assert_eq!(attempts_and_conflicts(&client), (2, 1));
    // What was found cannot be created, and that is no conflict.
    let outcome = client
        .transact(async |tx| {
            tx.read(&sum(3)).await?;
            tx.commit(client.create(object(3), &1)).await
        })
        .await;
    assert_eq!(outcome, Err(Error::AlreadyExists));
    assert_eq!(attempts_and_conflicts(&client), (3, 1));
}

#[tokio::test]
async fn absence_is_expected_of_what_is_not_created_too() {
    let (_cluster, client) = two_counters().await;
    let outcome = client
        .transact(async |tx| {
            let amount = match tx.read(&sum(3)).await {
                Err(Error::NotFound) => 100,
                read => read?,
            };
            if tx.attempt() == 1 {
                client.create(object(3), &7).at(P1).await?;
            }
            tx.commit(client.call(&add(2, amount))).await
        })
        .await;
    assert_eq!(outcome, Ok::<_, Error>(27));
    let untouched = client
        .transact(async |tx| {
            assert!(!tx.exists(object(4)).await?);
            assert_eq!(tx.read(&sum(1)).await?, 10);
            tx.commit(client.call(&add(2, 1))).await
        })
        .await;
    assert_eq!(untouched, Ok::<_, Error>(28));
    assert_eq!(attempts_and_conflicts(&client), (3, 1));
    // Reads alone: both were absent at one moment, or this runs again.
    let neither = client
        .transact(async |tx| {
            let first = tx.exists(object(4)).await?;
            if tx.attempt() == 1 {
                client.create(object(4), &1).await?;
            }
            Ok::<_, Error>((first, tx.exists(object(5)).await?))
        })
        .await;
    assert_eq!(neither, Ok((true, false)));
    // There is no state in which it could take effect.
    let outcome = client
        .transact(async |tx| {
            tx.exists(object(5)).await?;
            tx.commit(client.delete(object(5))).await
        })
        .await;
    assert_eq!(outcome, Err(Error::NotFound));
}

#[tokio::test]
async fn what_was_only_read_has_held_together() {
    let (_cluster, client) = two_counters().await;
    let both = client
        .transact(async |tx| {
            let x = tx.read(&sum(1)).await?;
            if tx.attempt() == 1 {
                client.call(&Op::Add([1, 2].map(object).into(), 5)).await?;
            }
            Ok::<_, Error>((x, tx.read(&sum(2)).await?))
        })
        .await;
    assert_eq!(both, Ok((15, 25)));
    assert_eq!(attempts_and_conflicts(&client), (2, 1));

    // Errors count as results: the object is not missing in any state in which it is looked for.
    let found = client
        .transact(async |tx| {
            let key = tx.read(&sum(1)).await?;
            if tx.attempt() == 1 {
                client.call(&add(1, 1)).await?;
                client.create(object(16), &160).await?;
            }
            if key == 15 {
                return tx.read(&sum(99)).await;
            }
            tx.read(&sum(key)).await
        })
        .await;
    assert_eq!(found, Ok::<_, Error>(160));
    let missing = client.transact(async |tx| {
        tx.read(&sum(1)).await?;
        tx.read(&sum(99)).await
    });
    assert_eq!(missing.await, Err(Error::NotFound));

    // The same object at two times.
    let twice = client
        .transact(async |tx| {
            let before = tx.read(&sum(2)).await?;
            if tx.attempt() == 1 {
                client.call(&add(2, 1)).await?;
                assert_eq!(tx.read(&sum(2)).await, Err(Error::Changed));
                // Nothing is sent that would be in vain.
                assert_eq!(tx.read(&sum(1)).await, Err(Error::Changed));
            }
            tx.commit(client.call(&add(1, before))).await
        })
        .await;
    assert_eq!(twice, Ok::<_, Error>(16 + 26));
}

#[tokio::test]
async fn a_commit_that_fails_on_stale_reads_is_tried_again() {
    let (_cluster, client) = two_counters().await;
    // Object 1 says which object to add to: at first one that is gone when it is its turn.
    client.create(object(10), &0).await.unwrap();
    client.create(object(11), &0).await.unwrap();
    let outcome = client
        .transact(async |tx| {
            let target = tx.read(&sum(1)).await?;
            if tx.attempt() == 1 {
                client.call(&add(1, 1)).await?;
                client.delete(object(10)).await?;
            }
            tx.commit(client.call(&add(target, 3))).await
        })
        .await;
    assert_eq!(outcome, Ok::<_, Error>(3));
    assert_eq!(client.call(&sum(11)).await, Ok(3));
    // Where what was read still holds, the error does too.
    let outcome = client
        .transact(async |tx| {
            let target = tx.read(&sum(1)).await?;
            tx.commit(client.call(&add(target + 50, 3))).await
        })
        .await;
    assert_eq!(outcome, Err(Error::NotFound));
}

#[tokio::test]
async fn errors_of_the_closures_own() {
    #[derive(Debug, PartialEq)]
    enum Failure {
        TooPoor(u64),
        Call(Error),
    }
    impl From<Error> for Failure {
        fn from(error: Error) -> Self {
            Self::Call(error)
        }
    }
    let (_cluster, client) = two_counters().await;
    let pay = async |amount| {
        let paid = client.transact(async |tx| {
            let value = tx.read(&sum(1)).await?;
            if value < amount {
                return Err(Failure::TooPoor(value));
            }
            Ok(tx.commit(client.call(&add(2, amount))).await?)
        });
        paid.await
    };
    assert_eq!(pay(11).await, Err(Failure::TooPoor(10)));
    assert_eq!(pay(10).await, Ok(30));
    // What comes after the commit does not undo it.
    let late = client
        .transact(async |tx| {
            tx.read(&sum(1)).await?;
            tx.commit(client.call(&add(2, 1))).await?;
            Err::<(), _>(Failure::TooPoor(0))
        })
        .await;
    assert_eq!(late, Err(Failure::TooPoor(0)));
    assert_eq!(client.call(&sum(2)).await, Ok(31));
    assert_eq!(attempts_and_conflicts(&client), (3, 0));
    client.shutdown().await;
    let closed = client.transact(async |tx| Ok(tx.read(&sum(1)).await?));
    assert_eq!(closed.await, Err(Failure::Call(Error::Closed)));
}

#[tokio::test]
async fn a_transaction_reads_by_operations_that_only_read() {
    let (_cluster, client) = two_counters().await;
    let outcome = client
        .transact(async |tx| {
            assert_eq!(tx.read(&add(1, 5)).await, Err(Error::NotARead));
            assert_eq!(
                tx.read(&Op::Divide(object(1), 2)).await,
                Err(Error::NotARead)
            );
            tx.read(&sum(1)).await
        })
        .await;
    assert_eq!(outcome, Ok::<_, Error>(10));
}

#[tokio::test]
async fn one_commit_does_all_that_one_command_can() {
    let (_cluster, client) = two_counters().await;
    let outcome = client
        .transact(async |tx| {
            let value = tx.read(&Op::Sum([1, 2].map(object).into())).await?;
            let add = client.call(&add(1, value));
            let command = add.creating(object(3), &value).at(P0);
            tx.commit(command.creating(object(4), &1).at(P1)).await
        })
        .await;
    assert_eq!(outcome, Ok::<_, Error>(40));
    assert_eq!(client.call(&sum(3)).await, Ok(30));
    assert_eq!(client.locate(object(4)).await, Ok(P1));
    let moved = client.transact(async |tx| {
        let value = tx.read(&sum(3)).await?;
        assert_eq!(value, 30);
        tx.commit(client.move_to(object(3), P1)).await
    });
    assert_eq!(moved.await, Ok::<_, Error>(()));
    let deleted = client.transact(async |tx| {
        tx.read(&sum(4)).await?;
        tx.commit(client.delete(object(3))).await
    });
    assert_eq!(deleted.await, Ok::<_, Error>(()));
    assert_eq!(client.exists(object(3)).await, Ok(false));
}

#[tokio::test]
async fn a_handle_that_outlives_its_attempt_is_of_no_use() {
    let (_cluster, client) = two_counters().await;
    let kept = Cell::new(None);
    let done = client.transact(async |tx| {
        kept.set(Some(tx));
        Ok::<_, Error>(())
    });
    assert_eq!(done.await, Ok(()));
    let tx = kept.take().unwrap();
    assert_eq!(tx.read(&sum(1)).await, Err(Error::Changed));
    let commit = tx.commit(client.call(&add(1, 1))).await;
    assert_eq!(commit, Err(Error::Changed));
    assert_eq!(client.call(&sum(1)).await, Ok(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increments_by_transactions_are_not_lost() {
    const CLONES: u64 = 8;
    const ROUNDS: u64 = 10;
    let (_cluster, client) = two_counters().await;
    let tasks = (0..CLONES).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                let doubled = client.transact(async |tx| {
                    let value = tx.read(&sum(1)).await?;
                    tx.commit(client.call(&add(1, 10 - value % 10))).await
                });
                tokio::time::timeout(PATIENCE, doubled).await.unwrap()?;
            }
            Ok::<_, Error>(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    // Each begins with a multiple of ten, and adds ten.
    let total = client.call(&sum(1)).await;
    assert_eq!(total, Ok(10 + 10 * CLONES * ROUNDS));
    let (attempts, conflicts) = attempts_and_conflicts(&client);
    assert_eq!(attempts - conflicts, CLONES * ROUNDS);
}

/// Read-dependent payments under one strategy.
macro_rules! strategy {
    ($name:ident, $oracle:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            purses::payments_are_atomic($oracle).await;
        }
    };
}

strategy!(payments_are_atomic_under_global, Global);
strategy!(payments_are_atomic_under_broker, Broker);
strategy!(payments_are_atomic_under_static, Static::new());
strategy!(
    payments_are_atomic_under_a_directory,
    Static::with_directory()
);
strategy!(payments_are_atomic_under_cache, Cache);
