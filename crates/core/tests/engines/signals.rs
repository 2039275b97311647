//! What destinations tell each other, and when it takes effect.

use crate::cluster::Cluster;
use crate::probe::TestEngine;
use crate::script::{X, Y, Z, group, groups, session, shared, timestamp};
use crate::service::{append, read, update};
use crate::strategy::TestStrategy::{self, Home, OracleGroup};
use bytes::Bytes;
use ssmr_core::limits::{MAX_FAN_OUT, MAX_OPERANDS, MAX_VALUE};
use ssmr_core::replica::Applied;
use ssmr_core::{
    Delivery, GroupId, Groups, Intent, ObjectId, ObjectStatus, Partition, PartitionId, Placement,
    Request, Signal, Topology, Verdict, codec,
};

/// The signals that a group was sent for the script's commands, with their senders.
fn received(cluster: &Cluster, group: GroupId) -> Vec<(GroupId, Signal)> {
    let deliveries = cluster.probe(group).deliveries.iter();
    let signals = deliveries.filter_map(|delivery| match delivery {
        Delivery::Signal { from, signal } if signal.message.command.session == session() => {
            Some((*from, signal.clone()))
        }
        _ => None,
    });
    signals.collect()
}

/// What p0 told a group of X.
fn told(cluster: &Cluster, to: GroupId) -> ObjectStatus {
    let signals = received(cluster, to);
    let (_, signal) = signals
        .into_iter()
        .find(|(from, _)| *from == group(0))
        .unwrap();
    let mut reports = signal.reports.into_iter();
    reports.find(|report| report.object == X).unwrap().status
}

/// Whether a group got the value of X along.
fn got_value(cluster: &Cluster, to: GroupId) -> bool {
    match told(cluster, to) {
        ObjectStatus::Owned(_, value) => value.is_some(),
        other => panic!("{to} was told {other:?}"),
    }
}

/// X is at p0, and nothing else anywhere.
fn cluster(strategy: TestStrategy) -> Cluster {
    let mut cluster = Cluster::new(strategy, 3);
    cluster.place(X, 0, 7);
    cluster
}

#[test]
fn each_destination_signals_all_others_once_and_nobody_else() {
    let mut cluster = Cluster::with_replicas(Home, 4, 3);
    cluster.place(X, 0, 7);
    cluster.execute(1, groups([0, 1, 2]), append(&[X], 1));
    for to in 0..3 {
        let from: Vec<GroupId> = received(&cluster, group(to)).iter().map(|s| s.0).collect();
        let others = groups([0, 1, 2]).without(group(to));
        assert_eq!(from, others.iter().collect::<Vec<_>>(), "to p{to}");
    }
    assert_eq!(received(&cluster, group(3)), []);
}

#[test]
fn a_command_of_one_destination_signals_nobody() {
    let mut cluster = cluster(Home);
    cluster.execute(1, groups([0]), update(&[X], 1));
    for to in 0..3 {
        assert_eq!(received(&cluster, group(to)), []);
    }
}

#[test]
fn a_value_goes_to_partitions_that_may_read_it() {
    for (request, goes) in [
        (read(&[X]), true),
        (update(&[X], 1), true),
        (append(&[X], 1), false),
        (Request::lookup(X), false),
        (Request::default().and(X, Intent::Delete), false),
    ] {
        let mut cluster = cluster(Home);
        cluster.execute(1, groups([0, 1]), request.clone());
        assert_eq!(got_value(&cluster, group(1)), goes, "{request:?}");
    }
}

#[test]
fn a_value_that_moves_goes_to_its_new_owner_alone() {
    let mut cluster = cluster(Home);
    let to_p1 = Request::relocate(X, PartitionId(1));
    cluster.execute(1, groups([0, 1, 2]), to_p1);
    assert!(got_value(&cluster, group(1)));
    assert!(!got_value(&cluster, group(2)));
    assert_eq!(cluster.number(1, X), Some(7));
}

#[test]
fn a_group_that_owns_nothing_is_sent_no_values() {
    let mut cluster = cluster(OracleGroup);
    let destinations = groups([0, 1]).union(GroupId::ORACLE.into());
    cluster.execute(1, destinations, update(&[X], 1));
    assert!(got_value(&cluster, group(1)));
    assert!(!got_value(&cluster, GroupId::ORACLE));
}

#[test]
fn values_that_are_too_large_together_stay_where_they_are() {
    let mut cluster = Cluster::new(Home, 2);
    let value = Bytes::from_static(&[0; MAX_VALUE]);
    let count = MAX_OPERANDS / MAX_VALUE as u64 + 1;
    let objects = (0..count).map(|key| ObjectId::new(0, key));
    let mut request = Request::default();
    for object in objects {
        cluster.place_encoded(object, 0, value.clone());
        request = request.and(object, Intent::Read);
    }
    let answer = cluster.execute(1, groups([0, 1]), request);
    assert_eq!(answer.verdict, Verdict::TooLarge);
    let (_, signal) = received(&cluster, group(1)).pop().unwrap();
    assert_eq!(signal.operand_bytes, count * MAX_VALUE as u64);
    let carried = signal
        .reports
        .iter()
        .filter_map(|report| report.status.value());
    assert_eq!(carried.count(), 0);
}

/// What a group sends to all others together has a bound: what may be read by few groups may not
/// by many.
#[test]
fn values_that_are_too_large_for_so_many_groups_stay_where_they_are() {
    let value = Bytes::from_static(&[0; MAX_VALUE]);
    let count = MAX_OPERANDS / MAX_VALUE as u64;
    let most = MAX_FAN_OUT / MAX_OPERANDS + 1;
    for (group_count, fits) in [(most, true), (most + 1, false)] {
        let mut cluster = Cluster::new(Home, group_count as u8);
        let mut request = Request::default();
        for object in (0..count).map(|key| ObjectId::new(0, key)) {
            cluster.place_encoded(object, 0, value.clone());
            request = request.and(object, Intent::Read);
        }
        let all = (0..group_count as u8).map(group).collect();
        let answer = cluster.execute(1, all, request);
        let expected = if fits {
            Verdict::Done
        } else {
            Verdict::TooLarge
        };
        assert_eq!(answer.verdict, expected, "{group_count} groups");
        let sent = (1..group_count as u8).flat_map(|index| received(&cluster, group(index)));
        let reports = sent.flat_map(|(_, signal)| signal.reports);
        let carried = reports.filter_map(|report| report.status.value().map(Bytes::len));
        let sent: usize = carried.sum();
        assert_eq!(sent as u64, if fits { MAX_FAN_OUT } else { 0 });
    }
}

#[test]
fn a_signal_says_what_its_sender_owns_knows_and_lacks() {
    let mut cluster = cluster(Home);
    cluster.place(Y, 0, 5);
    cluster.execute(1, groups([0, 1, 2]), read(&[X, Y, Z]));
    let statuses = |from| {
        let signals = received(&cluster, group(if from == 1 { 0 } else { 1 }));
        let (_, signal) = signals
            .into_iter()
            .find(|(of, _)| *of == group(from))
            .unwrap();
        let reports = signal.reports.into_iter();
        reports
            .map(|report| (report.object, report.status))
            .collect::<Vec<_>>()
    };
    assert!(matches!(
        statuses(0)[..],
        [(X, ObjectStatus::Owned(..)), (Y, ObjectStatus::Owned(..))]
    ));
    assert_eq!(
        statuses(1),
        [(Y, ObjectStatus::Present)],
        "Y is at home here"
    );
    assert_eq!(
        statuses(2),
        [(Z, ObjectStatus::Absent)],
        "Z is at home here"
    );
}

/// The engine of p0, which owns X and Y, and of p1, which owns Z; all at home elsewhere or here.
fn engines() -> [TestEngine; 2] {
    let placement = Placement::new(Home, Topology::new(2, 1).unwrap());
    [0, 1].map(|partition| TestEngine::new(group(partition), placement.clone()))
}

fn deliver(number: u64, to: Groups, request: Request) -> Delivery {
    Delivery::Command {
        command: shared(number, to, request),
        timestamp: timestamp(number),
        expired: false,
    }
}

/// Lets a group apply a delivery.
fn apply(engine: &mut TestEngine, delivery: Delivery) -> Applied {
    let mut applied = Applied::default();
    engine.on_deliver(delivery, &mut applied);
    applied
}

fn create(object: ObjectId) -> Request {
    Request::create::<crate::service::Digits>(object, &7, None)
}

#[test]
fn a_signal_that_comes_before_its_command_is_kept() {
    let [mut p0, mut p1] = engines();
    apply(&mut p0, deliver(1, groups([0]), create(X)));
    apply(&mut p1, deliver(2, groups([1]), create(Y)));
    let command = || deliver(3, groups([0, 1]), update(&[X, Y], 1));
    let signals = apply(&mut p0, command()).signals;
    let [(to, signal)] = &signals[..] else {
        panic!("one signal, not {signals:?}");
    };
    assert_eq!(*to, group(1));
    let (from, signal) = (group(0), signal.clone());
    let before = p1.digest();
    let early = apply(&mut p1, Delivery::Signal { from, signal });
    assert!(early.signals.is_empty() && early.replies.is_empty());
    assert_ne!(p1.digest(), before, "it is state, and part of snapshots");

    let image = p1.image()();
    let [_, mut restored] = engines();
    apply(&mut restored, Delivery::Restore(image));
    for engine in [&mut p1, &mut restored] {
        let applied = apply(engine, command());
        assert_eq!(applied.signals.len(), 1);
        let (_, _, value) = engine.objects().next().unwrap();
        assert_eq!(value, codec::encode(&71u64), "it need not wait any more");
        assert_eq!(engine.unfinished_count(), 0);
    }
}

#[test]
#[should_panic(expected = "twice or unasked")]
fn a_second_signal_of_one_group_is_an_error_of_the_order() {
    let [mut p0, mut p1] = engines();
    let command = || deliver(1, groups([0, 1, 2]), update(&[X, Y], 1));
    let signals = apply(&mut p0, command()).signals;
    let signal = || Delivery::Signal {
        from: group(0),
        signal: signals[0].1.clone(),
    };
    apply(&mut p1, command());
    apply(&mut p1, signal());
    apply(&mut p1, signal());
}
