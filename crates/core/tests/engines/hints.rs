//! Who is told where an object has gone, and what only the replica that leads does.

use crate::cluster::{Cluster, SentHints};
use crate::script::{SCRIPT, X, Y, Z, groups, hint, leader, timestamp};
use crate::service::{append, read, update};
use crate::strategy::TestStrategy::{Everywhere, Home};
use crate::strategy::location_key;
use ssmr_core::{
    CacheCall, ClientMessage, Hint, ObjectId, PartitionId, ReplicaId, Request, ServerMessage,
    Timestamp, Verdict,
};

/// Moves an object. Returns the timestamp of that, its epoch from then on.
fn relocate(cluster: &mut Cluster, object: ObjectId, from: u8, to: u8) -> Timestamp {
    let request = Request::relocate(object, PartitionId(to));
    let answer = cluster.execute(50, groups([from, to]), request);
    assert_eq!(answer.verdict, Verdict::Done);
    answer.timestamp
}

/// Where a partition's leader believes an object to be.
fn consult(cluster: &mut Cluster, partition: u8, object: ObjectId) -> Option<Hint> {
    let question = ClientMessage::Consult(vec![object]);
    cluster.say(SCRIPT, leader(partition), question);
    match cluster.last_told() {
        ServerMessage::Consulted { hints, unknown } => {
            assert_eq!(hints.len() + unknown.len(), 1);
            hints.first().copied()
        }
        other => panic!("no hint: {other:?}"),
    }
}

/// The hints that the last answer brought.
fn hints_of_answer(cluster: &Cluster) -> Vec<Hint> {
    match cluster.last_told() {
        ServerMessage::Answer { hints, .. } => hints.clone(),
        other => panic!("no answer: {other:?}"),
    }
}

#[test]
fn the_new_owner_tells_whom_the_strategy_names() {
    let mut cluster = Cluster::with_replicas(Everywhere, 4, 3);
    cluster.place(X, 0, 7);
    cluster.hints.clear();
    let epoch = relocate(&mut cluster, X, 0, 1);
    let told = |to| SentHints {
        from: leader(1),
        to: leader(to),
        hints: vec![hint(X, 1, epoch)],
    };
    for to in [0, 2, 3] {
        assert!(cluster.hints.contains(&told(to)), "{:?}", cluster.hints);
    }
    assert!(cluster.hints.iter().all(|sent| sent.from.index == 0));
    assert_eq!(consult(&mut cluster, 3, X), Some(hint(X, 1, epoch)));
}

#[test]
fn nobody_is_told_of_a_move_where_the_strategy_names_nobody() {
    let mut cluster = Cluster::new(Home, 3);
    cluster.place(X, 0, 7);
    cluster.hints.clear();
    relocate(&mut cluster, X, 0, 1);
    let others: Vec<_> = cluster
        .hints
        .iter()
        .filter(|sent| sent.from == leader(1))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn the_old_owner_knows_where_an_object_has_gone() {
    let mut cluster = Cluster::new(Home, 3);
    cluster.place(Z, 0, 7);
    let request = Request::relocate(Z, PartitionId(1));
    let epoch = cluster.execute(1, groups([0, 1, 2]), request).timestamp;
    for partition in 0..3 {
        let believed = consult(&mut cluster, partition, Z);
        assert_eq!(believed, Some(hint(Z, 1, epoch)), "p{partition}");
    }
    let answer = cluster.execute(2, groups([0]), append(&[Z], 1));
    assert_eq!(answer.verdict, Verdict::Retry);
    assert_eq!(hints_of_answer(&cluster), [hint(Z, 1, epoch)]);
}

#[test]
fn a_destination_that_lacks_an_object_tells_the_others_what_it_believes() {
    let mut cluster = Cluster::new(Home, 3);
    cluster.place(Y, 1, 0);
    let believed = hint(X, 0, timestamp(3));
    cluster.whisper(leader(1), vec![believed]);
    cluster.hints.clear();
    let answer = cluster.execute(1, groups([1, 2]), update(&[X, Y], 1));
    assert_eq!(answer.verdict, Verdict::Retry);
    let told = SentHints {
        from: leader(1),
        to: leader(2),
        hints: vec![believed],
    };
    assert!(cluster.hints.contains(&told), "{:?}", cluster.hints);
    assert_eq!(consult(&mut cluster, 2, X), Some(believed));
}

#[test]
fn only_a_newer_hint_replaces_another() {
    let mut cluster = Cluster::new(Home, 3);
    for (owner, epoch, believed) in [(1, 5, 1), (2, 4, 1), (2, 5, 1), (2, 6, 2)] {
        cluster.whisper(leader(0), vec![hint(X, owner, timestamp(epoch))]);
        let known = consult(&mut cluster, 0, X).unwrap();
        assert_eq!(
            known.owner,
            PartitionId(believed),
            "after {owner} at {epoch}"
        );
    }
}

#[test]
fn what_the_ordered_state_knows_is_no_older_than_a_hint() {
    let mut cluster = Cluster::new(Home, 3);
    cluster.place(X, 0, 7);
    cluster.whisper(leader(0), vec![hint(X, 2, timestamp(0))]);
    let known = consult(&mut cluster, 0, X).unwrap();
    assert_eq!(known.owner, PartitionId(0));
}

#[test]
fn an_answer_brings_hints_where_the_plan_was_not_the_best() {
    let mut cluster = Cluster::new(Home, 3);
    cluster.place(X, 0, 7);
    cluster.place(Y, 1, 7);
    cluster.execute(1, groups([0, 1]), read(&[X, Y]));
    assert_eq!(hints_of_answer(&cluster), [], "a plan that was right");
    cluster.execute(2, groups([0, 1]), read(&[X, Y, Z]));
    let told = hints_of_answer(&cluster);
    let places: Vec<_> = told.iter().map(|hint| (hint.object, hint.owner)).collect();
    assert_eq!(places, [(X, PartitionId(0)), (Y, PartitionId(1))]);
    cluster.execute(3, groups([0]), Request::lookup(X));
    let told = hints_of_answer(&cluster);
    assert_eq!(told[0].owner, PartitionId(0), "whoever looks it up");
}

#[test]
fn hooks_run_at_the_leader_of_each_destination_and_at_no_follower() {
    let mut cluster = Cluster::with_replicas(Home, 3, 3);
    cluster.place(X, 0, 7);
    cluster.place(Y, 1, 7);
    cluster.cache_calls.clear();
    cluster.execute(1, groups([0, 1]), update(&[X, Y], 1));
    relocate(&mut cluster, X, 0, 1);
    let noted: Vec<(ReplicaId, &CacheCall)> = cluster
        .cache_calls
        .iter()
        .map(|(id, call)| (*id, call))
        .collect();
    let keys = [X, Y].map(location_key);
    let of = |partition: u8, object: &ObjectId| {
        let calls = noted.iter().filter(|(id, call)| {
            let key = location_key(*object);
            *id == leader(partition) && matches!(call, CacheCall::Set { key: k, .. } if *k == key)
        });
        calls.count()
    };
    assert_eq!(
        (of(0, &X), of(1, &Y)),
        (2, 1),
        "written here; X moved away besides"
    );
    assert_eq!((of(1, &X), of(0, &Y)), (1, 0), "X moved here");
    assert_eq!(noted.len(), 4, "{noted:?}");
    assert!(noted.iter().all(|(id, call)| {
        id.index == 0 && matches!(call, CacheCall::Set { key, .. } if keys.contains(key))
    }));
}

#[test]
fn a_replica_sends_nobody_to_where_a_command_has_just_not_found_the_object() {
    // X is deleted; p2 owned it last and was told so by others, and p1 has heard of that too.
    let mut cluster = Cluster::new(Home, 3);
    for partition in 0..3 {
        cluster.whisper(leader(partition), vec![hint(X, 2, timestamp(3))]);
    }
    for (number, to) in [(1, groups([2])), (2, groups([1, 2]))] {
        let answer = cluster.execute(number, to, append(&[X], 1));
        assert_eq!(answer.verdict, Verdict::Retry);
        assert_eq!(hints_of_answer(&cluster), [], "to {to:?}");
    }
    cluster.execute(3, groups([1]), append(&[X], 1));
    assert_eq!(
        hints_of_answer(&cluster),
        [hint(X, 2, timestamp(3))],
        "p2 was not asked"
    );
    assert_eq!(cluster.query(2, X), Verdict::Retry);
    assert_eq!(hints_of_answer(&cluster), [], "p2 would own it");
}
