//! Clients with a cluster: what a stale belief costs, gathering, reads that are not ordered.

use crate::cluster::Cluster;
use crate::script::{X, Y, Z, groups};
use crate::service::{Digits, append, read, update};
use crate::strategy::TestStrategy::{self, Everywhere, Home, OracleGroup};
use ssmr_core::client::ClientSettings;
use ssmr_core::{
    ClientId, Command, Completion, Execution, GroupId, Groups, Intent, ObjectId, Outcome,
    PartitionId, Reads, Request, codec,
};
use std::sync::Arc;

const ALICE: ClientId = ClientId(10);
const BOB: ClientId = ClientId(11);

/// A cluster of three partitions with two clients.
fn cluster(strategy: TestStrategy, settings: ClientSettings) -> Cluster {
    let mut cluster = Cluster::new(strategy, 3);
    cluster.add_client(ALICE, settings);
    cluster.add_client(BOB, settings);
    cluster
}

fn gathering() -> ClientSettings {
    ClientSettings::default().with_execution(Execution::Gather)
}

fn done(reply: &[u64]) -> Outcome {
    Outcome::Done(codec::encode(&reply.to_vec()))
}

/// The attempts that a client has made.
fn attempts(cluster: &Cluster, client: ClientId) -> Vec<Arc<Command>> {
    let mut commands = cluster.commands_of(client);
    commands.dedup();
    commands
}

/// The destinations of a client's attempts at what it submitted last.
fn last_destinations(cluster: &Cluster, client: ClientId) -> Vec<Groups> {
    let attempts = attempts(cluster, client);
    let last = attempts.last().unwrap().request.clone();
    let of_last = attempts.iter().filter(|command| command.request == last);
    of_last.map(|command| command.destinations).collect()
}

#[test]
fn the_life_of_an_object_under_each_strategy() {
    for strategy in [Home, OracleGroup, Everywhere] {
        let mut cluster = cluster(strategy, ClientSettings::default());
        let create = || Request::create::<Digits>(X, &0, Some(PartitionId(1)));
        let story = [
            (read(&[X]), Outcome::NotFound),
            (create(), Outcome::Done(Default::default())),
            (create(), Outcome::AlreadyExists),
            (append(&[X], 4), done(&[])),
            (
                Request::relocate(X, PartitionId(2)),
                Outcome::Done(Default::default()),
            ),
            (update(&[X], 2), done(&[4])),
            (Request::lookup(X), Outcome::Done(Default::default())),
            (Request::delete(X), Outcome::Done(Default::default())),
            (read(&[X]), Outcome::NotFound),
            (Request::lookup(X), Outcome::NotFound),
        ];
        for (step, (request, outcome)) in story.into_iter().enumerate() {
            // The clients take turns, so that beliefs grow stale.
            let client = [ALICE, BOB][step % 2];
            let completion = cluster.run(client, request);
            assert_eq!(completion.outcome, outcome, "{strategy:?}, step {step}");
            assert_eq!(completion.cost.fallbacks, 0, "{strategy:?}, step {step}");
        }
    }
}

/// Alice knows where X is; Bob moves it; Alice uses it.
fn with_a_stale_belief(strategy: TestStrategy) -> (Cluster, Completion) {
    let mut cluster = cluster(strategy, ClientSettings::default());
    cluster.place(X, 1, 7);
    assert_eq!(cluster.run(ALICE, read(&[X])).outcome, done(&[7]));
    cluster.run(BOB, Request::relocate(X, PartitionId(2)));
    let completion = cluster.run(ALICE, update(&[X], 1));
    (cluster, completion)
}

#[test]
fn a_stale_belief_costs_one_retry() {
    for strategy in [OracleGroup, Everywhere] {
        let (cluster, completion) = with_a_stale_belief(strategy);
        assert_eq!(completion.outcome, done(&[7]), "{strategy:?}");
        assert_eq!(completion.cost.retries, 1, "{strategy:?}");
        assert_eq!(cluster.number(2, X), Some(71));
        let destinations = last_destinations(&cluster, ALICE);
        assert_eq!(destinations[0], groups([1]), "{strategy:?}: where it was");
        assert!(
            destinations[1].contains(PartitionId(2).into()),
            "{strategy:?}"
        );
    }
}

#[test]
fn what_a_retry_taught_is_known_the_next_time() {
    let (mut cluster, _) = with_a_stale_belief(OracleGroup);
    let completion = cluster.run(ALICE, update(&[X], 2));
    assert_eq!(completion.cost.retries, 0);
    assert_eq!(last_destinations(&cluster, ALICE), [groups([2])]);
}

#[test]
fn an_exchange_goes_to_all_owners_and_moves_nothing() {
    let mut cluster = cluster(Home, ClientSettings::default());
    for (object, at) in [(X, 0), (Y, 1), (Z, 2)] {
        cluster.place(object, at, u64::from(at));
    }
    let completion = cluster.run(ALICE, update(&[X, Y, Z], 5));
    assert_eq!(completion.outcome, done(&[0, 1, 2]));
    assert_eq!((completion.cost.moves, completion.cost.groups), (0, 3));
    assert!(completion.cost.multi_partition);
    let values = [(0, X), (1, Y), (2, Z)].map(|(at, object)| cluster.number(at, object));
    assert_eq!(values, [Some(5), Some(15), Some(25)]);
}

/// Objects of three partitions, two of them at p1, are gathered there.
fn gathered() -> (Cluster, Completion) {
    let mut cluster = cluster(OracleGroup, gathering());
    for (object, at) in [(X, 0), (Y, 1), (ObjectId::new(1, 2), 1), (Z, 2)] {
        cluster.place(object, at, u64::from(at));
    }
    let objects = [X, Y, ObjectId::new(1, 2), Z];
    let completion = cluster.run(ALICE, update(&objects, 5));
    (cluster, completion)
}

#[test]
fn gather_moves_the_objects_together_and_then_runs_at_one_partition() {
    let (cluster, completion) = gathered();
    assert_eq!(completion.outcome, done(&[0, 1, 1, 2]));
    assert_eq!(completion.cost.moves, 2);
    assert!(!completion.cost.multi_partition);
    let attempts = attempts(&cluster, ALICE);
    let (last, moves) = attempts.split_last().unwrap();
    assert_eq!(last.destinations, groups([1]));
    assert_eq!(moves.len(), 2);
    for command in moves {
        let [(object, Intent::Move { to })] = command.request.intents() else {
            panic!("not a move: {command:?}");
        };
        assert_eq!(*to, PartitionId(1), "where most of them are");
        assert!([X, Z].contains(object));
        assert!(command.destinations.contains(GroupId::ORACLE));
    }
    assert_eq!(cluster.number(1, X), Some(5));
    assert_eq!(cluster.number(1, Z), Some(25));
}

#[test]
fn gather_moves_nothing_that_is_together() {
    let (mut cluster, _) = gathered();
    let completion = cluster.run(ALICE, update(&[X, Y, Z], 6));
    assert_eq!((completion.cost.moves, completion.cost.groups), (0, 1));
}

#[test]
fn the_retries_of_a_gathering_count_against_one_budget() {
    let (mut cluster, _) = gathered();
    cluster.run(BOB, Request::relocate(X, PartitionId(2)));
    cluster.run(BOB, Request::relocate(Y, PartitionId(0)));
    let completion = cluster.run(ALICE, update(&[X, Y, Z], 7));
    assert_eq!(completion.outcome, done(&[5, 15, 25]));
    let cost = completion.cost;
    assert!(
        cost.retries > 0 && cost.retries <= 3 && cost.moves > 0,
        "{cost:?}"
    );
}

#[test]
fn two_clients_that_gather_the_same_objects_both_get_on() {
    let mut cluster = cluster(OracleGroup, gathering());
    cluster.place(X, 0, 0);
    cluster.place(Y, 1, 0);
    cluster.place(Z, 2, 0);
    for _ in 0..10 {
        cluster.submit(ALICE, update(&[X, Y], 1));
        cluster.submit(BOB, update(&[Y, Z], 2));
        cluster.settle();
        for client in [ALICE, BOB] {
            let outcome = cluster
                .completed(client)
                .map(|completion| completion.outcome);
            assert!(matches!(outcome, Some(Outcome::Done(_))), "{outcome:?}");
        }
    }
}

#[test]
fn a_read_that_is_not_ordered_says_so() {
    let settings = ClientSettings::default().with_reads(Reads::Index);
    let mut cluster = cluster(Home, settings);
    cluster.place(X, 0, 7);
    let completion = cluster.run(ALICE, read(&[X]));
    assert_eq!(completion.outcome, done(&[7]));
    assert!(completion.cost.unordered);
    assert_eq!(attempts(&cluster, ALICE), []);
    let missing = cluster.run(ALICE, read(&[Y]));
    assert_eq!(missing.outcome, Outcome::NotFound);
    assert!(
        !missing.cost.unordered,
        "R1: only an ordered command says so"
    );
}

#[test]
fn a_read_that_is_declined_waits_in_order() {
    let settings = ClientSettings::default().with_reads(Reads::Index);
    let mut cluster = cluster(Home, settings);
    cluster.place(X, 0, 7);
    cluster.place(Y, 1, 7);
    cluster.run(ALICE, read(&[X]));
    cluster.run(BOB, read(&[Y]));
    cluster.hold(1);
    cluster.submit(BOB, update(&[X, Y], 1));
    cluster.settle();
    cluster.submit(ALICE, read(&[X]));
    cluster.settle();
    assert!(cluster.completed(ALICE).is_none());
    cluster.release(1);
    cluster.settle();
    let completion = cluster.completed(ALICE).unwrap();
    assert_eq!(completion.outcome, done(&[71]));
    assert!(!completion.cost.unordered);
    assert_eq!(completion.cost.retries, 0, "a declined query is no retry");
}

#[test]
fn a_lost_answer_is_repeated_verbatim() {
    let mut cluster = cluster(Home, ClientSettings::default());
    cluster.place(X, 0, 7);
    cluster.run(ALICE, Request::lookup(X));
    cluster.loses_answers = true;
    cluster.submit(ALICE, update(&[X], 1));
    cluster.settle();
    cluster.loses_answers = false;
    cluster.pass(ClientSettings::default().resend_after);
    let completion = cluster.completed(ALICE).unwrap();
    assert_eq!(completion.outcome, done(&[7]));
    assert_eq!(cluster.number(0, X), Some(71));
}

#[test]
fn a_transaction_takes_effect_unless_what_it_read_has_changed() {
    for reads in [Reads::Ordered, Reads::Index] {
        let settings = ClientSettings::default().with_reads(reads);
        let mut cluster = cluster(OracleGroup, settings);
        cluster.place(X, 0, 7);
        let look = |cluster: &mut Cluster| {
            let touched = cluster.run(ALICE, read(&[X])).touched;
            touched[0].after.unwrap()
        };
        let first = look(&mut cluster);
        let append_at = |digit, revision| append(&[X], digit).expecting(X, revision);
        assert_eq!(cluster.run(ALICE, append_at(1, first)).outcome, done(&[]));
        assert_eq!(
            cluster.run(BOB, append_at(2, first)).outcome,
            Outcome::Changed
        );
        let second = look(&mut cluster);
        cluster.run(BOB, Request::relocate(X, PartitionId(2)));
        assert_eq!(
            cluster.run(ALICE, append_at(3, second)).outcome,
            Outcome::Changed
        );
        assert_eq!(
            cluster.number(2, X),
            Some(71),
            "a move changes the revision too"
        );
    }
}
