//! R6 and R7: the state is a function of the deliveries, and hints are no part of it.

use super::rule;
use crate::cluster::Cluster;
use crate::probe::TestEngine;
use crate::script::{X, Y, Z, command, group, groups, hint, id, leader, shared, timestamp};
use crate::service::{Digits, append, read, update};
use crate::strategy::TestStrategy::{self, Everywhere, Home, OracleGroup};
use ssmr_core::Mutant::{SnapshotsWithoutSessions, SnapshotsWithoutSignals};
use ssmr_core::client::ClientSettings;
use ssmr_core::limits::RETRY_BUDGET;
use ssmr_core::replica::Applied;
use ssmr_core::{
    ClientId, Command, Delivery, Outcome, Partition, PartitionId, Placement, ReplicaId, Request,
    Signal, Topology,
};
use std::sync::Arc;

/// An engine of p0 that has answered command 1 and waits with command 2 for p1, whose signal for
/// command 3 has come; and one that was restored from its image.
pub(super) fn original_and_restored() -> [TestEngine; 2] {
    let placement = Placement::new(Home, Topology::new(3, 1).unwrap());
    let mut engine = TestEngine::new(group(0), placement.clone());
    let create = Request::create::<Digits>(X, &0, None);
    let signal = |number| Delivery::Signal {
        from: group(1),
        signal: Signal {
            message: id(number).into(),
            expired: false,
            operand_bytes: 0,
            reports: Vec::new(),
        },
    };
    for delivery in [
        ordered(command(1, groups([0]), create)),
        ordered(command(2, groups([0, 1]), append(&[X], 1))),
        signal(3),
    ] {
        engine.on_deliver(delivery, &mut Applied::default());
    }
    let mut restored = TestEngine::new(group(0), placement);
    let image = engine.image()();
    restored.on_deliver(Delivery::Restore(image), &mut Applied::default());
    [engine, restored]
}

fn ordered(command: Command) -> Delivery {
    Delivery::Command {
        timestamp: timestamp(command.id.number),
        command: Arc::new(command),
        expired: false,
    }
}

#[test]
fn r6_a_restored_replica_has_the_same_state() {
    let mutants = [SnapshotsWithoutSessions, SnapshotsWithoutSignals];
    rule("R6: an image is the whole state", &mutants, || {
        let [engine, restored] = original_and_restored();
        engine.digest() == restored.digest()
    });
}

#[test]
fn r6_a_restored_replica_needs_no_signal_twice() {
    rule(
        "R6: signals that are in are part of the state",
        &[SnapshotsWithoutSignals],
        || {
            let [_, mut restored] = original_and_restored();
            let third = command(3, groups([0, 1]), read(&[Z]));
            let mut applied = Applied::default();
            restored.on_deliver(ordered(third), &mut applied);
            applied.replies.len() == 1
        },
    );
}

/// Some of everything, on objects that move.
fn commands() -> Vec<Arc<Command>> {
    let create = |object, at| Request::create::<Digits>(object, &0, Some(PartitionId(at)));
    let relocate = |object, to| Request::relocate(object, PartitionId(to));
    let requests = [
        (groups([0]), create(X, 0)),
        (groups([1, 2]), create(Y, 2)),
        (groups([0, 2]), update(&[X, Y], 1)),
        (groups([0, 1]), relocate(X, 1)),
        (groups([0]), append(&[X], 2)),
        (groups([0, 1, 2]), update(&[X, Y], 3)),
        (groups([1]), append(&[X], 4)),
        (groups([1, 2]), Request::delete(Y)),
        (groups([1, 2]), read(&[X, Y])),
        (groups([0, 1]), relocate(X, 0)),
        (groups([0]), append(&[X], 5)),
    ];
    let numbered = (1..).zip(requests);
    numbered
        .map(|(number, (to, request))| shared(number, to, request))
        .collect()
}

/// What every replica's state was after each delivery, with whispered hints or without.
fn digests(hints: bool) -> Vec<Vec<u64>> {
    let mut cluster = Cluster::with_replicas(Home, 3, 3);
    for command in commands() {
        let now = command.id.number;
        cluster.order(command);
        if hints {
            for partition in 0..3 {
                let lies = [0, 1, 2].map(|owner| hint(X, owner, timestamp(1000 * now)));
                cluster.whisper(leader(partition), lies.to_vec());
            }
        }
        cluster.settle();
    }
    let replicas = (0..3).flat_map(|partition| (0..3).map(move |index| (partition, index)));
    let digests = replicas.map(|(partition, index)| {
        let group = group(partition);
        let id = ReplicaId { group, index };
        cluster.replica(id).partition().digests.clone().unwrap()
    });
    digests.collect()
}

#[test]
fn r6_replicas_of_a_group_have_equal_states_after_each_delivery() {
    rule("R6: applying is deterministic", &[], || {
        let digests = digests(false);
        let alike = |group: &[Vec<u64>]| group.iter().all(|replica| *replica == group[0]);
        let changed = |group: &[Vec<u64>]| group[0].windows(2).all(|pair| pair[0] != pair[1]);
        let mut groups = digests.chunks(3);
        groups.all(|group| group[0].len() > 5 && alike(group) && changed(group))
    });
}

#[test]
fn r6_a_replica_that_lags_reaches_the_same_states() {
    rule("R6: applying is deterministic", &[], || {
        let mut cluster = Cluster::with_replicas(Home, 3, 3);
        commands()
            .into_iter()
            .for_each(|command| cluster.order(command));
        // The leaders go through everything before any follower begins.
        for _ in 0..commands().len() * 2 {
            (0..3).for_each(|partition| cluster.step(leader(partition)));
        }
        cluster.settle();
        (0..3).all(|partition| {
            let replica = |index| {
                let group = group(partition);
                cluster.replica(ReplicaId { group, index }).digest()
            };
            replica(0) == replica(1) && replica(1) == replica(2)
        })
    });
}

#[test]
fn r7_hints_change_no_state() {
    rule("R7: hints live outside the state", &[], || {
        digests(true) == digests(false)
    });
}

#[test]
fn r7_hints_change_no_verdict() {
    rule(
        "R7: existence and place change by commands only",
        &[],
        || {
            let answers = |lies: bool| {
                let mut cluster = Cluster::new(Home, 3);
                for partition in (0..3).filter(|_| lies) {
                    let everywhere = [(X, 2), (Y, 0)];
                    let lies = everywhere.map(|(o, owner)| hint(o, owner, timestamp(1 << 40)));
                    cluster.whisper(leader(partition), lies.to_vec());
                }
                commands()
                    .into_iter()
                    .for_each(|command| cluster.order(command));
                cluster.settle();
                let numbers = 1..=commands().len() as u64;
                numbers
                    .map(|number| (*cluster.answers(number)[0]).clone())
                    .collect::<Vec<_>>()
            };
            answers(true) == answers(false)
        },
    );
}

#[test]
fn r7_false_hints_cost_a_client_time_and_nothing_else() {
    for strategy in [Home, OracleGroup, Everywhere] {
        rule("R7: a wrong hint leads to a retry", &[], || {
            misled(strategy)
        });
    }
}

/// Whether a client finds an object though every group believes a lie about it.
fn misled(strategy: TestStrategy) -> bool {
    let mut cluster = Cluster::new(strategy, 3);
    cluster.place(X, 0, 7);
    for group in cluster.groups().iter() {
        let lie = hint(X, 2, timestamp(1 << 40));
        cluster.whisper(ReplicaId { group, index: 0 }, vec![lie]);
    }
    let client = ClientId(5);
    cluster.add_client(client, ClientSettings::default());
    let completion = cluster.run(client, append(&[X], 1));
    let found = matches!(completion.outcome, Outcome::Done(_));
    let patient = completion.cost.retries <= RETRY_BUDGET;
    found && patient && cluster.number(0, X) == Some(71)
}
