//! The same answers and the same states, in whatever order the groups take their turns.

use crate::cluster::Cluster;
use crate::script::{X, Y, Z, groups, leader, shared};
use crate::service::{Digits, append, read, update};
use crate::strategy::TestStrategy::{self, Everywhere, Home};
use ssmr_core::{
    Answer, Command, Encoded, GroupId, Groups, ObjectId, PartitionId, Request, Revision,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What came of a schedule: each command's answer, and every object at the end.
type Outcome = (
    Vec<Arc<Answer>>,
    BTreeMap<GroupId, Vec<(ObjectId, Revision, Encoded)>>,
);

/// How many turns a schedule lays down; then the cluster comes to rest by itself.
const TURNS: u32 = 5;

/// Runs commands that are ordered beforehand; the groups take their turns as the number says.
fn run(strategy: TestStrategy, commands: &[Arc<Command>], schedule: u32) -> Outcome {
    let mut cluster = Cluster::new(strategy, 3);
    cluster.place(X, 0, 0);
    cluster.place(Y, 1, 0);
    commands
        .iter()
        .for_each(|command| cluster.order(command.clone()));
    for turn in 0..TURNS {
        let partition = schedule / 3u32.pow(turn) % 3;
        cluster.step(leader(partition as u8));
    }
    cluster.settle();
    let numbers = 1..=commands.len() as u64;
    let answers = numbers.map(|number| {
        let answers = cluster.answers(number);
        assert_eq!(answers.len(), 1, "command {number} in schedule {schedule}");
        answers[0].clone()
    });
    (answers.collect(), cluster.objects())
}

/// The same in every schedule.
fn same_in_all(strategy: TestStrategy, requests: Vec<(Groups, Request)>) {
    let numbered = (1..).zip(requests);
    let commands: Vec<_> = numbered
        .map(|(number, (to, request))| shared(number, to, request))
        .collect();
    let first = run(strategy, &commands, 0);
    for schedule in 1..3u32.pow(TURNS) {
        let other = run(strategy, &commands, schedule);
        assert_eq!(
            first, other,
            "R4, R6: schedule {schedule} and the first one"
        );
    }
}

fn create(object: ObjectId, at: u8) -> Request {
    Request::create::<Digits>(object, &0, Some(PartitionId(at)))
}

fn relocate(object: ObjectId, to: u8) -> Request {
    Request::relocate(object, PartitionId(to))
}

#[test]
fn accesses_of_several_partitions() {
    same_in_all(
        Home,
        vec![
            (groups([0, 1]), update(&[X, Y], 1)),
            (groups([0]), append(&[X], 2)),
            (groups([0, 1, 2]), update(&[Y], 3)),
            (groups([1]), append(&[Y], 4)),
            (groups([0, 1]), read(&[X, Y])),
        ],
    );
}

#[test]
fn an_object_that_moves_while_it_is_used() {
    same_in_all(
        Home,
        vec![
            (groups([0, 2]), relocate(X, 2)),
            (groups([0]), append(&[X], 1)),
            (groups([1, 2]), update(&[X, Y], 2)),
            (groups([0, 1, 2]), relocate(X, 1)),
            (groups([1, 2]), update(&[X, Y], 3)),
        ],
    );
}

#[test]
fn objects_that_come_and_go() {
    same_in_all(
        Home,
        vec![
            (groups([2]), read(&[Z])),
            (groups([0, 2]), create(Z, 0)),
            (groups([1, 2]), create(Z, 1)),
            (groups([0, 1]), update(&[Y, Z], 1)),
            (groups([0, 2]), Request::delete(Z)),
            (groups([2]), Request::lookup(Z)),
        ],
    );
}

#[test]
fn two_creates_of_one_object_where_all_are_authorities() {
    same_in_all(
        Everywhere,
        vec![
            (groups([0, 1, 2]), create(Z, 1)),
            (groups([0, 1, 2]), create(Z, 2)),
            (groups([2]), read(&[Z])),
            (groups([1]), append(&[Z], 1)),
            (groups([0, 1, 2]), Request::delete(Z)),
        ],
    );
}
