//! Who waits for whom: a command waits behind the earlier ones on its objects, and no others.

use crate::cluster::{Cluster, Told};
use crate::script::{SCRIPT, X, Y, Z, group, groups, shared};
use crate::service::{Digits, append, read, update};
use crate::strategy::TestStrategy::Home;
use ssmr_core::{
    Delivery, ObjectId, Partition, PartitionId, Request, ServerMessage, Verdict, codec,
};

/// A second object of p0.
const W: ObjectId = ObjectId::new(0, 2);

/// X and W are at p0, Y is at p1, and p1 is held: command 1, on X and Y, waits at p0.
fn waiting() -> Cluster {
    let mut cluster = Cluster::new(Home, 3);
    for (object, at) in [(X, 0), (W, 0), (Y, 1), (Z, 2)] {
        cluster.place(object, at, 0);
    }
    cluster.hold(1);
    cluster.order(shared(1, groups([0, 1]), update(&[X, Y], 1)));
    cluster.settle();
    assert_eq!(cluster.waiting(0), 1);
    cluster
}

/// The numbers of the answered commands, in the order of their answers.
fn answered(cluster: &Cluster) -> Vec<u64> {
    let answers = cluster.told.iter().filter(|told| told.to == SCRIPT);
    let number = |told: &Told| match &told.message {
        ServerMessage::Answer { answer, .. } => Some(answer.id.number),
        _ => None,
    };
    answers.filter_map(number).collect()
}

#[test]
fn commands_on_one_object_run_in_the_order_of_their_delivery() {
    let mut cluster = waiting();
    for digit in 2..6 {
        cluster.order(shared(digit, groups([0]), append(&[X], digit)));
    }
    cluster.settle();
    assert_eq!(cluster.waiting(0), 5);
    assert_eq!(
        cluster.number(0, X),
        Some(0),
        "nothing has happened to it yet"
    );
    cluster.release(1);
    cluster.settle();
    assert_eq!(cluster.number(0, X), Some(12_345));
    assert_eq!(answered(&cluster), [1, 2, 3, 4, 5]);
}

#[test]
fn an_unrelated_command_does_not_wait() {
    let mut cluster = waiting();
    cluster.order(shared(2, groups([0]), append(&[W], 2)));
    cluster.order(shared(3, groups([0, 2]), update(&[W, Z], 3)));
    cluster.settle();
    assert_eq!(answered(&cluster), [2, 3]);
    assert_eq!(cluster.number(0, W), Some(23));
    assert_eq!(cluster.waiting(0), 1);
}

#[test]
fn a_command_waits_for_the_last_of_its_objects() {
    let mut cluster = waiting();
    cluster.order(shared(2, groups([0]), update(&[W, X], 2)));
    cluster.order(shared(3, groups([0]), append(&[W], 3)));
    cluster.order(shared(4, groups([0, 2]), append(&[Z], 4)));
    cluster.settle();
    assert_eq!(answered(&cluster), [4], "2 waits for X, and 3 waits for 2");
    cluster.release(1);
    cluster.settle();
    assert_eq!(answered(&cluster), [4, 1, 2, 3]);
    assert_eq!(cluster.number(0, W), Some(23));
}

#[test]
fn a_command_signals_only_when_it_is_at_the_head_of_all_its_queues() {
    let mut cluster = waiting();
    cluster.order(shared(2, groups([0, 2]), update(&[X, Z], 2)));
    cluster.settle();
    let is_of_p0 = |delivery: &&Delivery| {
        let p0 = group(0);
        matches!(delivery, Delivery::Signal { from, .. } if *from == p0)
    };
    let signalled = |cluster: &Cluster| {
        let deliveries = cluster.probe(group(2)).deliveries.iter();
        deliveries.filter(is_of_p0).count()
    };
    assert_eq!((signalled(&cluster), cluster.waiting(2)), (0, 1));
    cluster.release(1);
    cluster.settle();
    assert_eq!((signalled(&cluster), cluster.waiting(2)), (1, 0));
    assert_eq!(cluster.number(0, X), Some(12));
}

#[test]
fn what_waits_finds_what_the_one_before_it_left() {
    let mut cluster = waiting();
    cluster.order(shared(2, groups([0]), Request::delete(X)));
    cluster.order(shared(3, groups([0]), read(&[X])));
    let new = Request::create::<Digits>(X, &7, Some(PartitionId(0)));
    cluster.order(shared(4, groups([0]), new));
    cluster.order(shared(5, groups([0]), read(&[X])));
    cluster.release(1);
    cluster.settle();
    let verdicts = (1..=5).map(|number| cluster.answers(number)[0].verdict);
    let verdicts: Vec<Verdict> = verdicts.collect();
    assert_eq!(
        verdicts,
        [
            Verdict::Done,
            Verdict::Done,
            Verdict::NotFound,
            Verdict::Done,
            Verdict::Done
        ]
    );
    assert_eq!(cluster.answers(5)[0].reply, codec::encode(&vec![7u64]));
}

#[test]
fn an_object_that_nobody_has_yet_has_a_queue_too() {
    let mut cluster = Cluster::new(Home, 2);
    cluster.hold(1);
    let create = Request::create::<Digits>(X, &7, Some(PartitionId(1)));
    cluster.order(shared(1, groups([0, 1]), create));
    cluster.order(shared(2, groups([0]), Request::lookup(X)));
    cluster.settle();
    assert_eq!(answered(&cluster), [], "it is neither absent nor present");
    cluster.release(1);
    cluster.settle();
    assert_eq!(cluster.answers(2)[0].verdict, Verdict::Done);
}

#[test]
fn a_query_is_declined_while_a_command_waits_on_its_object() {
    let mut cluster = waiting();
    assert_eq!(cluster.query(0, X), Verdict::Retry);
    assert_eq!(cluster.query(0, W), Verdict::Done);
    cluster.release(1);
    cluster.settle();
    assert_eq!(cluster.query(0, X), Verdict::Done);
    assert_eq!(cluster.query(0, Y), Verdict::Retry, "it is not there");
}

#[test]
fn where_a_waiting_object_is_can_be_asked_meanwhile() {
    let cluster = waiting();
    let hint = cluster.probe(group(0)).locate(X).unwrap();
    assert_eq!(hint.owner, PartitionId(0));
}
