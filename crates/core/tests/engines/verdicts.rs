//! The verdict as a table: what each destination holds and knows, what a command intends, and what
//! follows. One test for each verdict, in the order in which they are considered.

mod row;

use crate::cluster::Cluster;
use crate::script::{X, Y, Z, group, groups};
use crate::service::{append, read, update};
use crate::strategy::TestStrategy::{Everywhere, Home, OracleGroup};
use row::Seen::{Absent, Exists, Placed, Version};
use row::{ask, create, create_intent, relocate, row};
use ssmr_core::Verdict::{
    AlreadyExists, Changed, Done, Failed, NotFound, Retry, SessionExpired, TooLarge,
};
use ssmr_core::limits::{MAX_OPERANDS, MAX_VALUE};
use ssmr_core::{Intent, ObjectId, PartitionId, Request};

/// Objects of p0, besides [`X`].
fn many(count: u64) -> impl Iterator<Item = ObjectId> {
    (0..count).map(|key| ObjectId::new(0, 100 + key))
}

/// Reads objects, but runs nothing: their values need not be numbers.
fn look_at(objects: impl IntoIterator<Item = ObjectId>) -> Request {
    all(objects, &Intent::Read)
}

fn all(objects: impl IntoIterator<Item = ObjectId>, intent: &Intent) -> Request {
    let add = |request: Request, object| request.and(object, intent.clone());
    objects.into_iter().fold(Request::default(), add)
}

/// How many values of the largest size a command may just read.
const MANY: u64 = MAX_OPERANDS / MAX_VALUE as u64;

#[test]
fn a_session_that_one_destination_has_forgotten_has_expired() {
    for row in [
        row("at its only destination")
            .held(X, 0)
            .forgotten_by([0])
            .asked([0], read(&[X]))
            .is(SessionExpired, []),
        row("at one of two, and the other could answer")
            .held(X, 0)
            .forgotten_by([1])
            .asked([0, 1], update(&[X], 1))
            .is(SessionExpired, []),
        row("at the owner, not at the answering group")
            .held(Z, 2)
            .forgotten_by([2])
            .asked([0, 2], append(&[Z], 1))
            .is(SessionExpired, []),
        row("over AlreadyExists")
            .held(X, 0)
            .forgotten_by([1])
            .asked([0, 1], create(X, 1))
            .is(SessionExpired, []),
        row("over NotFound")
            .forgotten_by([0])
            .asked([0], read(&[X]))
            .is(SessionExpired, []),
        row("over Retry")
            .forgotten_by([3])
            .asked([3], read(&[X]))
            .is(SessionExpired, []),
    ] {
        row.check();
    }
}

#[test]
fn what_is_created_must_not_exist() {
    for row in [
        row("at home, at its owner")
            .held(X, 0)
            .asked([0], create(X, 0))
            .is(AlreadyExists, [(X, Version(0), Version(0))]),
        row("at home, somewhere else")
            .held(X, 2)
            .asked([0, 1], create(X, 1))
            .is(AlreadyExists, [(X, Exists, Exists)]),
        row("at home, and its owner is asked too")
            .held(X, 2)
            .asked([0, 2], create(X, 2))
            .is(AlreadyExists, [(X, Version(0), Version(0))]),
        row("at the oracle group")
            .under(OracleGroup)
            .held(X, 2)
            .asked([1], create(X, 1))
            .with_oracle()
            .is(AlreadyExists, [(X, Exists, Exists)]),
        row("everywhere")
            .under(Everywhere)
            .held(X, 3)
            .asked([0, 1, 2, 3], create(X, 1))
            .is(AlreadyExists, [(X, Version(0), Version(0))]),
        row("over NotFound: only what exists is named")
            .held(X, 0)
            .asked([0, 1], create(X, 0).and(Y, Intent::Read))
            .is(AlreadyExists, [(X, Version(0), Version(0))]),
        row("over Retry")
            .held(X, 0)
            .asked([0, 1], create(X, 0).and(Z, Intent::Read))
            .is(AlreadyExists, [(X, Version(0), Version(0))]),
        row("one of two is enough, and both are named if both exist")
            .held(X, 0)
            .held(Y, 0)
            .asked(
                [0, 1, 2],
                create(X, 0)
                    .and(Y, create_intent(1))
                    .and(Z, create_intent(2)),
            )
            .is(
                AlreadyExists,
                [(X, Version(0), Version(0)), (Y, Version(0), Version(0))],
            ),
    ] {
        row.check();
    }
}

#[test]
fn what_an_authority_denies_is_not_found() {
    let every = [
        ("read", Intent::Read),
        ("written", Intent::Write),
        ("updated", Intent::Update),
        ("deleted", Intent::Delete),
        ("looked up", Intent::Lookup),
        ("moved", Intent::Move { to: PartitionId(0) }),
    ];
    for (name, intent) in every {
        let missing = [(X, Absent, Absent)];
        row(name)
            .asked([0], ask(X, intent.clone()))
            .is(NotFound, missing)
            .check();
        row(name)
            .under(OracleGroup)
            .asked([0], ask(X, intent.clone()))
            .with_oracle()
            .is(NotFound, missing)
            .check();
        row(name)
            .under(Everywhere)
            .asked([0], ask(X, intent))
            .is(NotFound, missing)
            .check();
    }
    for row in [
        row("only what is missing is named")
            .held(X, 0)
            .asked([0, 1], update(&[X, Y], 1))
            .is(NotFound, [(Y, Absent, Absent)]),
        row("over Retry")
            .held(X, 3)
            .asked([0, 1], read(&[X, Y]))
            .is(NotFound, [(Y, Absent, Absent)]),
        row("over TooLarge")
            .held_large(many(MANY + 1), 0)
            .asked([0, 1], look_at(many(MANY + 1)).and(Y, Intent::Read))
            .is(NotFound, [(Y, Absent, Absent)]),
        row("and what would be created is not")
            .asked([0, 1], create(X, 0).and(Y, Intent::Delete))
            .is(NotFound, [(Y, Absent, Absent)]),
    ] {
        row.check();
    }
}

#[test]
fn what_no_destination_owns_is_tried_again() {
    for row in [
        row("it is unknown there")
            .asked([1], read(&[X]))
            .is(Retry, []),
        row("it was moved away, as its home knows")
            .held(X, 1)
            .asked([0], append(&[X], 1))
            .is(Retry, []),
        row("one of two is not there")
            .held(X, 0)
            .held(Y, 2)
            .asked([0, 1], update(&[X, Y], 1))
            .is(Retry, []),
        row("a move without the owner")
            .held(X, 1)
            .asked([0, 2], relocate(X, 2))
            .is(Retry, []),
        row("a delete without the owner")
            .held(X, 1)
            .asked([0], Request::delete(X))
            .is(Retry, []),
        row("a lookup of whom nobody knows there")
            .held(X, 0)
            .asked([2], Request::lookup(X))
            .is(Retry, []),
        row("the oracle group knows of it but owns nothing")
            .under(OracleGroup)
            .held(X, 1)
            .asked([0], read(&[X]))
            .with_oracle()
            .is(Retry, []),
        row("over TooLarge")
            .held_large(many(MANY + 1), 0)
            .asked([0], look_at(many(MANY + 1)).and(Z, Intent::Read))
            .is(Retry, []),
    ] {
        row.check();
    }
}

#[test]
fn what_is_expected_at_another_revision_has_changed() {
    for row in [
        row("it was written since")
            .held(X, 0)
            .asked([0], update(&[X], 1))
            .expecting(X, 1)
            .is(Changed, [(X, Version(0), Version(0))]),
        row("only what has changed is named")
            .held(X, 0)
            .held(Y, 1)
            .asked([0, 1], update(&[X, Y], 1))
            .expecting(X, 0)
            .expecting(Y, 1)
            .is(Changed, [(Y, Version(0), Version(0))]),
        row("it would be deleted")
            .held(X, 1)
            .asked([0, 1], Request::delete(X))
            .expecting(X, 1)
            .is(Changed, [(X, Version(0), Version(0))]),
        row("it would be moved")
            .held(X, 0)
            .asked([0, 1], relocate(X, 1))
            .expecting(X, 1)
            .is(Changed, [(X, Version(0), Version(0))]),
        row("over TooLarge")
            .held_large(many(MANY), 0)
            .held(X, 0)
            .asked([0], look_at(many(MANY)).and(X, Intent::Read))
            .expecting(X, 1)
            .is(Changed, [(X, Version(0), Version(0))]),
        row("not over NotFound")
            .held(X, 0)
            .asked([0, 1], update(&[X, Y], 1))
            .expecting(X, 1)
            .is(NotFound, [(Y, Absent, Absent)]),
        row("not over Retry")
            .held(X, 0)
            .held(Y, 2)
            .asked([0, 1], update(&[X, Y], 1))
            .expecting(X, 1)
            .is(Retry, []),
        row("it exists, and was to be absent")
            .held(X, 0)
            .held(Y, 1)
            .asked([0, 1], update(&[X], 1).expecting_absent(Y))
            .is(Changed, [(Y, Version(0), Version(0))]),
        row("not over NotFound of another object")
            .held(Y, 1)
            .asked([0, 1], update(&[X], 1).expecting_absent(Y))
            .is(NotFound, [(X, Absent, Absent)]),
        row("it is absent as expected")
            .held(X, 0)
            .asked([0, 1], update(&[X], 1).expecting_absent(Y))
            .is(Done, [(X, Version(0), Version(1)), (Y, Absent, Absent)]),
        row("no authority says that it is absent")
            .held(X, 0)
            .asked([0], update(&[X], 1).expecting_absent(Y))
            .is(Retry, []),
        row("it is as expected")
            .held(X, 0)
            .asked([0], update(&[X], 1))
            .expecting(X, 0)
            .is(Done, [(X, Version(0), Version(1))]),
    ] {
        row.check();
    }
}

#[test]
fn an_operation_that_panics_on_what_is_read_has_failed() {
    for row in [
        row("at its only destination")
            .held_full(X, 0)
            .asked([0], update(&[X], 1))
            .is(Failed, [(X, Version(0), Version(0))]),
        row("at all destinations alike")
            .held(X, 0)
            .held_full(Y, 1)
            .asked([0, 1], update(&[X, Y], 1))
            .is(
                Failed,
                [(X, Version(0), Version(0)), (Y, Version(0), Version(0))],
            ),
        row("what is created, deleted and moved besides, is")
            .held_full(X, 0)
            .held(Y, 0)
            .asked(
                [0, 1, 2],
                update(&[X], 1)
                    .and(Y, Intent::Move { to: PartitionId(1) })
                    .and(Z, create_intent(2)),
            )
            .is(
                Failed,
                [
                    (X, Version(0), Version(0)),
                    (Y, Version(0), Placed(0)),
                    (Z, Absent, Placed(0)),
                ],
            ),
        row("not where only the owner sees the value: then it is left as it was")
            .held(X, 0)
            .held_full(Y, 1)
            .asked([0, 1], append(&[X, Y], 1))
            .is(
                Done,
                [(X, Version(0), Version(1)), (Y, Version(0), Version(1))],
            ),
    ] {
        row.check();
    }
}

#[test]
fn what_is_read_or_moved_has_a_bound_over_all_destinations() {
    let half = MANY / 2 + 1;
    let elsewhere = || (0..half).map(|key| ObjectId::new(1, 100 + key));
    let to = PartitionId(1);
    for row in [
        row("just too much at one partition")
            .held_large(many(MANY), 0)
            .held(X, 0)
            .asked([0], look_at(many(MANY)).and(X, Intent::Read))
            .is(TooLarge, []),
        row("too much at two partitions together")
            .held_large(many(half), 0)
            .held_large(elsewhere(), 1)
            .asked([0, 1], look_at(many(half).chain(elsewhere())))
            .is(TooLarge, []),
        row("too much to be moved")
            .held_large(many(MANY + 1), 0)
            .asked([0, 1], all(many(MANY + 1), &Intent::Move { to }))
            .is(TooLarge, []),
    ] {
        row.check();
    }
    let all_left_at = |version| many(MANY).map(move |o| (o, Version(0), Version(version)));
    let x = [(X, Version(0), Version(1))];
    for row in [
        row("just not too much")
            .held_large(many(MANY), 0)
            .asked([0], look_at(many(MANY)))
            .is(Done, all_left_at(0)),
        row("what is written unseen does not count")
            .held_large(many(MANY), 0)
            .held(X, 0)
            .asked([0], all(many(MANY), &Intent::Write).and(X, Intent::Write))
            .is(Done, x.into_iter().chain(all_left_at(1))),
    ] {
        row.check();
    }
}

#[test]
fn what_is_covered_is_done() {
    for row in [
        row("create at home")
            .asked([0], create(X, 0))
            .is(Done, [(X, Absent, Placed(0))]),
        row("create elsewhere")
            .asked([0, 2], create(X, 2))
            .is(Done, [(X, Absent, Placed(0))]),
        row("create by the oracle group")
            .under(OracleGroup)
            .asked([2], create(X, 2))
            .with_oracle()
            .is(Done, [(X, Absent, Placed(0))]),
        row("create everywhere")
            .under(Everywhere)
            .asked([0, 1, 2, 3], create(X, 2))
            .is(Done, [(X, Absent, Placed(0))]),
        row("read")
            .held(X, 2)
            .asked([2], read(&[X]))
            .is(Done, [(X, Version(0), Version(0))]),
        row("write")
            .held(X, 2)
            .asked([2], append(&[X], 1))
            .is(Done, [(X, Version(0), Version(1))]),
        row("update at two partitions")
            .held(X, 2)
            .held(Y, 1)
            .asked([1, 2], update(&[X, Y], 1))
            .is(
                Done,
                [(X, Version(0), Version(1)), (Y, Version(0), Version(1))],
            ),
        row("a destination too many")
            .held(X, 2)
            .asked([0, 1, 2, 3], append(&[X], 1))
            .is(Done, [(X, Version(0), Version(1))]),
        row("delete")
            .held(X, 1)
            .asked([0, 1], Request::delete(X))
            .is(Done, [(X, Version(0), Absent)]),
        row("move from home")
            .held(X, 0)
            .asked([0, 1], relocate(X, 1))
            .is(Done, [(X, Version(0), Placed(0))]),
        row("move between strangers")
            .held(X, 1)
            .asked([0, 1, 2], relocate(X, 2))
            .is(Done, [(X, Version(0), Placed(0))]),
        row("move to where it is")
            .held(X, 1)
            .asked([0, 1], relocate(X, 1))
            .is(Done, [(X, Version(0), Version(0))]),
        row("lookup at the owner")
            .held(X, 0)
            .asked([0], Request::lookup(X))
            .is(Done, [(X, Version(0), Version(0))]),
        row("lookup where only existence is known")
            .held(X, 1)
            .asked([0], Request::lookup(X))
            .is(Done, [(X, Exists, Exists)]),
        row("delete one and create another: an object under a new attribute")
            .held(X, 0)
            .asked([0, 1], Request::delete(X).and(Y, create_intent(1)))
            .is(Done, [(X, Version(0), Absent), (Y, Absent, Placed(0))]),
        row("create one and write another")
            .held(Y, 1)
            .asked([0, 1], append(&[Y], 1).and(X, create_intent(0)))
            .is(Done, [(X, Absent, Placed(0)), (Y, Version(0), Version(1))]),
    ] {
        row.check();
    }
}

#[test]
fn the_least_owner_of_what_is_accessed_answers_and_else_the_least_destination() {
    let mut cluster = Cluster::new(Home, 4);
    cluster.place(Y, 1, 7);
    cluster.place(Z, 2, 7);
    let requests = [
        (groups([0, 1, 2]), read(&[Y, Z]), 1),
        (groups([0, 2]), append(&[Z], 1), 2),
        (groups([1, 2]), relocate(Z, 1), 1),
        (groups([1, 3]), read(&[X]), 1),
        (groups([0, 3]), read(&[X]), 0),
    ];
    for (number, (to, request, answerer)) in (1..).zip(requests) {
        cluster.execute(number, to, request);
        let told = cluster.told.last().unwrap();
        assert_eq!(told.from.group, group(answerer), "request {number}");
    }
}
