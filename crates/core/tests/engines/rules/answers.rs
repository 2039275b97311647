//! R1 to R4: who may deny, what an answer waits for, who sees what until then, what a verdict is
//! computed from.

use super::rule;
use crate::cluster::Cluster;
use crate::lone_client::LoneClient;
use crate::probe::TestEngine;
use crate::script::{SCRIPT, X, Y, Z, group, groups, hint, id, leader, shared, timestamp};
use crate::service::{Digits, FULL, append, read, update};
use crate::strategy::TestStrategy::{Everywhere, Home, OracleGroup, SharedCache};
use ssmr_core::Mutant::{
    IgnoredExpectations, NoSignalWait, OpenQueues, PanicsFailAtOwners, ReadsPastQueues,
};
use ssmr_core::client::ClientSettings;
use ssmr_core::replica::Applied;
use ssmr_core::{
    ClientId, ClientMessage, Delivery, Intent, ObjectReport, ObjectStatus, Outcome, Partition,
    PartitionId, Placement, Request, Revision, ServerMessage, Signal, Topology, Verdict,
};

/// X is at p0 and Y at p1; p1 is held.
fn with_p1_held() -> Cluster {
    let mut cluster = Cluster::new(Home, 3);
    cluster.place(X, 0, 0);
    cluster.place(Y, 1, 0);
    cluster.hold(1);
    cluster
}

#[test]
fn r1_only_an_ordered_command_with_an_authority_says_that_nothing_is_there() {
    rule(
        "R1: an authority among the destinations denies",
        &[],
        || {
            let mut cluster = Cluster::new(Home, 3);
            let mut verdict = |number, to| cluster.execute(number, to, read(&[X])).verdict;
            let without = [verdict(1, groups([1])), verdict(2, groups([1, 2]))];
            let with = [verdict(3, groups([0])), verdict(4, groups([0, 2]))];
            without == [Verdict::Retry; 2] && with == [Verdict::NotFound; 2]
        },
    );
}

#[test]
fn r1_what_is_not_ordered_never_says_that_nothing_is_there() {
    rule("R1: neither a query nor a consultation denies", &[], || {
        let mut cluster = Cluster::new(Home, 3);
        let queried = cluster.query(0, X);
        cluster.say(SCRIPT, leader(0), ClientMessage::Consult(vec![X]));
        let ServerMessage::Consulted { hints, unknown } = cluster.last_told() else {
            return false;
        };
        queried == Verdict::Retry && hints.is_empty() && *unknown == [X]
    });
}

#[test]
fn r1_after_a_retry_an_authority_comes_along() {
    for strategy in [Home, OracleGroup, Everywhere, SharedCache] {
        rule(
            "R1: the next attempt has an authority among its destinations",
            &[],
            || {
                let mut client = LoneClient::new(strategy);
                client.learn(X, 2);
                client.submit(append(&[X], 1));
                let first = client.attempt();
                client.answer(&first, Verdict::Retry, &[]);
                client.answer_consultations();
                let second = client.attempt();
                let authorities = client.placement().authority(X);
                let comes = second
                    .destinations
                    .iter()
                    .any(|group| authorities.contains(group));
                first.destinations == groups([2]) && second.id.attempt == 2 && comes
            },
        );
    }
}

#[test]
fn r1_a_belief_that_is_refuted_is_not_tried_again() {
    rule(
        "R1: a place that was refuted leads to an authority",
        &[],
        || {
            let mut cluster = Cluster::new(Home, 3);
            cluster.place(X, 2, 7);
            // p2 has owned X, and others have told it so: that must not outlive X.
            let heard = hint(X, 2, timestamp(1));
            cluster.whisper(leader(2), vec![heard]);
            let [stale, other] = [ClientId(5), ClientId(6)];
            cluster.add_client(stale, ClientSettings::default());
            cluster.add_client(other, ClientSettings::default());
            cluster.run(stale, append(&[X], 1));
            cluster.run(other, Request::delete(X));
            let completion = cluster.run(stale, append(&[X], 2));
            completion.outcome == Outcome::NotFound && completion.cost.retries == 1
        },
    );
}

#[test]
fn r2_an_answer_waits_for_the_signals_of_all_destinations() {
    let requests = [append(&[X], 1), Request::delete(X), update(&[X], 1)];
    for request in requests {
        rule(
            "R2: an answer leaves after all signals",
            &[NoSignalWait],
            || {
                let mut cluster = with_p1_held();
                cluster.order(shared(1, groups([0, 1, 2]), request.clone()));
                cluster.settle();
                cluster.answers(1).is_empty() && cluster.waiting(0) == 1 && cluster.waiting(2) == 1
            },
        );
    }
}

#[test]
fn r2_also_a_denial_waits_for_the_signals_of_all_destinations() {
    rule(
        "R2: NotFound leaves after all signals",
        &[NoSignalWait],
        || {
            let mut cluster = Cluster::new(Home, 2);
            cluster.hold(1);
            cluster.order(shared(1, groups([0, 1]), read(&[X])));
            cluster.settle();
            cluster.answers(1).is_empty()
        },
    );
}

#[test]
fn r3_until_then_no_other_command_sees_anything_of_its_objects() {
    let requests = [
        append(&[X], 2),
        read(&[X]),
        Request::lookup(X),
        Request::delete(X),
    ];
    for request in requests {
        rule(
            "R3: a command waits in the queues of its objects",
            &[OpenQueues],
            || {
                let mut cluster = with_p1_held();
                cluster.order(shared(1, groups([0, 1]), update(&[X, Y], 1)));
                cluster.order(shared(2, groups([0]), request.clone()));
                cluster.settle();
                cluster.answers(2).is_empty()
            },
        );
    }
}

#[test]
fn r3_a_delete_is_not_seen_where_it_has_come_first() {
    // What DS-SMR's published delete gets wrong: the home delivers it, the owner has not yet.
    rule(
        "R3: absence is visible when the owner has signalled",
        &[OpenQueues],
        || {
            let mut cluster = Cluster::new(Home, 2);
            cluster.place(X, 1, 7);
            cluster.hold(1);
            cluster.order(shared(1, groups([0, 1]), Request::delete(X)));
            cluster.order(shared(2, groups([0]), Request::lookup(X)));
            cluster.settle();
            let early = cluster.answers(2).len();
            cluster.release(1);
            cluster.settle();
            let late = cluster.answers(2);
            early == 0 && late[0].verdict == Verdict::NotFound
        },
    );
}

#[test]
fn r3_until_then_no_query_sees_anything_of_its_objects() {
    rule(
        "R3: a query does not pass the queues",
        &[ReadsPastQueues],
        || {
            let mut cluster = with_p1_held();
            cluster.order(shared(1, groups([0, 1]), update(&[X, Y], 1)));
            cluster.settle();
            cluster.query(0, X) == Verdict::Retry
        },
    );
}

/// What a group owes the others once all signals of a command to p0, p1 and p2 are in, in an order.
fn outcome_of(order: &[usize]) -> (Option<Verdict>, u64) {
    let placement = Placement::new(Home, Topology::new(3, 1).unwrap());
    let mut engine = TestEngine::new(group(0), placement);
    let mut applied = Applied::default();
    let command = shared(1, groups([0, 1, 2]), read(&[X, Y]));
    let (timestamp, expired) = (timestamp(1), false);
    engine.on_deliver(
        Delivery::Command {
            command,
            timestamp,
            expired,
        },
        &mut applied,
    );
    let signal = |statuses: &[ObjectStatus]| Signal {
        message: id(1).into(),
        expired: false,
        operand_bytes: 0,
        reports: statuses
            .iter()
            .map(|status| ObjectReport {
                object: Y,
                status: status.clone(),
            })
            .collect(),
    };
    let signals = [
        (group(1), signal(&[ObjectStatus::Present])),
        (group(2), signal(&[])),
    ];
    for &place in order {
        let (from, signal) = signals[place].clone();
        engine.on_deliver(Delivery::Signal { from, signal }, &mut applied);
    }
    let reply = applied.replies.pop();
    (reply.map(|reply| reply.answer.verdict), engine.digest())
}

#[test]
fn r4_the_order_in_which_signals_come_does_not_matter() {
    rule("R4: a verdict is a function of the signals", &[], || {
        let [one, other] = [outcome_of(&[0, 1]), outcome_of(&[1, 0])];
        one.0 == Some(Verdict::NotFound) && one.0 == other.0
    });
}

#[test]
fn r4_all_destinations_conclude_the_same() {
    // Only p1 knows that its group has forgotten the session, only p0 that X exists, only p2 that Z
    // does not: each must hear it from the others, and none may act on what it alone knows.
    let create = |at| Request::create::<Digits>(Y, &5, Some(PartitionId(at)));
    let requests = [
        update(&[X], 1),
        update(&[X, Z], 1),
        create(1).and(X, Intent::Write),
        create(1).and(Z, Intent::Delete),
    ];
    for request in requests {
        for forgetful in [None, Some(group(0)), Some(group(1)), Some(group(2))] {
            rule("R4: nobody acts on what it alone knows", &[], || {
                let mut cluster = Cluster::new(Home, 3);
                cluster.place(X, 0, 0);
                if let Some(group) = forgetful {
                    cluster.expire_at(group, id(1));
                }
                let before = cluster.objects();
                let verdict = cluster
                    .execute(1, groups([0, 1, 2]), request.clone())
                    .verdict;
                let expected = match forgetful {
                    Some(_) => Verdict::SessionExpired,
                    None if request.intent(Z).is_some() => Verdict::NotFound,
                    None => Verdict::Done,
                };
                let changed = cluster.objects() != before;
                verdict == expected && changed == (expected == Verdict::Done)
            });
        }
    }
}

#[test]
fn r4_what_was_expected_is_judged_from_the_signals() {
    rule(
        "R4: nothing changes if an object has changed",
        &[IgnoredExpectations],
        || {
            let mut cluster = Cluster::new(Home, 2);
            cluster.place(X, 0, 0);
            cluster.place(Y, 1, 0);
            let request = update(&[X, Y], 1).expecting(Y, Revision::default());
            let verdict = cluster.execute(1, groups([0, 1]), request).verdict;
            verdict == Verdict::Changed && cluster.number(0, X) == Some(0)
        },
    );
}

#[test]
fn r4_a_panic_that_only_the_owner_has_is_no_part_of_the_verdict() {
    let name = "R4: what only one group can know decides nothing";
    rule(name, &[PanicsFailAtOwners], || {
        let mut cluster = Cluster::new(Home, 2);
        cluster.place(X, 0, 0);
        cluster.place(Y, 1, FULL);
        let answer = cluster.execute(1, groups([0, 1]), append(&[X, Y], 1));
        let owned = cluster.objects();
        let (_, revision, _) = owned[&group(1)][0];
        answer.verdict == Verdict::Done
            && answer.touched[1].after == Some(revision)
            && cluster.number(0, X) == Some(1)
            && cluster.number(1, Y) == Some(FULL)
    });
}
