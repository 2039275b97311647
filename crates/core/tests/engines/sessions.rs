//! Recorded answers, and what is refused: an attempt that is repeated gets the answer of the first
//! time, until its session needs it no more.

use crate::cluster::Cluster;
use crate::probe::TestEngine;
use crate::script::{SCRIPT, X, Y, command, group, groups, id, leader, session, shared, timestamp};
use crate::service::{append, update};
use crate::strategy::TestStrategy::Home;
use ssmr_core::replica::Applied;
use ssmr_core::{
    Answer, ClientId, ClientMessage, Command, CommandId, Defect, Delivery, Groups, Partition,
    Placement, ReplicaId, Request, ServerMessage, Topology, Verdict,
};
use std::sync::Arc;

fn cluster() -> Cluster {
    let mut cluster = Cluster::new(Home, 2);
    cluster.place(X, 0, 0);
    cluster.place(Y, 1, 0);
    cluster
}

/// Hands a command in at the leader of p0. Returns what it says at once.
fn hand_in(cluster: &mut Cluster, command: Command) -> Option<ServerMessage> {
    let before = cluster.told.len();
    let from = command.id.session.client;
    cluster.say(from, leader(0), ClientMessage::Submit(Arc::new(command)));
    let told = cluster.told.get(before)?;
    Some(told.message.clone())
}

fn answer(told: Option<ServerMessage>) -> Arc<Answer> {
    match told {
        Some(ServerMessage::Answer { answer, .. }) => answer,
        other => panic!("no answer: {other:?}"),
    }
}

#[test]
fn a_repeated_attempt_gets_the_recorded_answer_and_changes_nothing() {
    let mut cluster = cluster();
    let request = update(&[X, Y], 1);
    let first = cluster.execute(1, groups([0, 1]), request.clone());
    cluster.execute(2, groups([0]), append(&[X], 2));
    for _ in 0..2 {
        let again = hand_in(&mut cluster, command(1, groups([0, 1]), request.clone()));
        assert_eq!(
            *answer(again),
            first,
            "verbatim, though X has changed since"
        );
    }
    cluster.settle();
    assert_eq!(cluster.number(0, X), Some(12));
    assert_eq!(cluster.number(1, Y), Some(1));
}

#[test]
fn every_verdict_is_recorded() {
    let mut cluster = cluster();
    let wants = [
        (Request::delete(X), Verdict::Done),
        (Request::delete(X), Verdict::NotFound),
        (append(&[Y], 1), Verdict::Retry),
    ];
    for (number, (request, verdict)) in (1..).zip(wants) {
        let first = cluster.execute(number, groups([0]), request.clone());
        assert_eq!(first.verdict, verdict);
        let again = hand_in(&mut cluster, command(number, groups([0]), request));
        assert_eq!(*answer(again), first);
    }
}

#[test]
fn the_group_that_answered_records_it_and_no_other() {
    let mut cluster = cluster();
    cluster.execute(1, groups([0, 1]), append(&[Y], 1));
    let recorded = |partition| cluster.probe(group(partition)).recorded(id(1));
    assert_eq!(recorded(0), None);
    assert_eq!(
        recorded(1).map(|answer| answer.verdict),
        Some(Verdict::Done)
    );
}

#[test]
fn an_answer_belongs_to_one_attempt() {
    let mut cluster = cluster();
    cluster.execute(1, groups([0]), append(&[Y], 1));
    let second = CommandId {
        attempt: 2,
        ..id(1)
    };
    assert_eq!(cluster.probe(group(0)).recorded(second), None);
    cluster.order(Arc::new(Command {
        id: second,
        ..command(1, groups([0, 1]), append(&[Y], 1))
    }));
    cluster.settle();
    let recorded = |id| cluster.probe(group(1)).recorded(id);
    assert!(recorded(second).is_some());
    assert_eq!(cluster.number(1, Y), Some(1));
}

#[test]
fn answers_are_forgotten_below_the_low_watermark() {
    let mut cluster = cluster();
    for number in 1..=3 {
        cluster.execute(number, groups([0]), append(&[X], number));
    }
    cluster.order(Arc::new(Command {
        low_watermark: 3,
        ..command(4, groups([0]), append(&[X], 4))
    }));
    cluster.settle();
    let known = (1..=4).filter(|&number| cluster.probe(group(0)).recorded(id(number)).is_some());
    assert_eq!(known.collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn a_session_that_ends_takes_its_answers_along() {
    let mut cluster = cluster();
    cluster.execute(1, groups([0]), append(&[X], 1));
    cluster.end_session(session(), group(0));
    cluster.settle();
    assert_eq!(cluster.probe(group(0)).recorded(id(1)), None);
    let late = cluster.execute(2, groups([0]), append(&[X], 2));
    assert_eq!(late.verdict, Verdict::SessionExpired);
    assert_eq!(cluster.number(0, X), Some(1));
}

#[test]
fn a_session_that_ends_stays_until_its_last_command_has_finished() {
    let mut cluster = cluster();
    cluster.hold(1);
    cluster.order(shared(1, groups([0, 1]), update(&[X, Y], 1)));
    cluster.settle();
    cluster.end_session(session(), group(0));
    cluster.settle();
    assert_eq!(cluster.waiting(0), 1);
    cluster.release(1);
    cluster.settle();
    let answers = cluster.answers(1);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].verdict, Verdict::Done);
    assert_eq!(cluster.number(1, Y), Some(1));
    assert_eq!(
        cluster.probe(group(0)).recorded(id(1)),
        None,
        "then it is over"
    );
}

#[test]
fn nobody_asks_in_the_name_of_another() {
    let mut cluster = cluster();
    let stranger = ClientId(666);
    cluster.execute(1, groups([0]), append(&[X], 1));
    let repeated = command(1, groups([0]), append(&[X], 1));
    cluster.say(
        stranger,
        leader(0),
        ClientMessage::Submit(Arc::new(repeated)),
    );
    let told = cluster.told.last().unwrap();
    let (id, defect) = (id(1), Defect::Malformed);
    assert_eq!(told.to, stranger);
    assert_eq!(told.message, ServerMessage::Refused { id, defect });
}

#[test]
fn what_no_client_of_ours_would_send_is_refused_and_not_ordered() {
    let mut cluster = cluster();
    let sound = command(1, groups([0]), append(&[X], 1));
    let numbered = |number, attempt| CommandId {
        number,
        attempt,
        ..sound.id
    };
    let defective = [
        ("for others", groups([1]), sound.id),
        ("for nobody", Groups::EMPTY, sound.id),
        ("for a group that is not there", groups([0, 7]), sound.id),
        ("with number 0", groups([0]), numbered(0, 1)),
        ("with attempt 0", groups([0]), numbered(1, 0)),
        ("beyond the window", groups([0]), numbered(1 << 40, 1)),
    ];
    for (name, destinations, id) in defective {
        let command = Command {
            id,
            destinations,
            ..sound.clone()
        };
        let defect = Defect::Malformed;
        let refused = ServerMessage::Refused { id, defect };
        assert_eq!(hand_in(&mut cluster, command), Some(refused), "{name}");
    }
    let unaware = command(
        1,
        groups([0]),
        Request::relocate(X, ssmr_core::PartitionId(1)),
    );
    assert!(
        matches!(
            hand_in(&mut cluster, unaware),
            Some(ServerMessage::Refused { .. })
        ),
        "a move without its target"
    );
    cluster.settle();
    assert_eq!(cluster.number(0, X), Some(0));
    assert_eq!(hand_in(&mut cluster, sound), None, "this one is sound");
    cluster.settle();
    assert_eq!(cluster.number(0, X), Some(1));
}

#[test]
fn a_follower_says_who_leads() {
    let mut cluster = Cluster::with_replicas(Home, 1, 3);
    let follower = ReplicaId {
        index: 1,
        ..leader(0)
    };
    let sound = command(1, groups([0]), Request::lookup(X));
    cluster.say(SCRIPT, follower, ClientMessage::Submit(Arc::new(sound)));
    let leader = Some(0);
    assert_eq!(cluster.last_told(), &ServerMessage::NotLeader { leader });
}

#[test]
fn nothing_is_kept_of_a_session_that_has_expired() {
    let placement = Placement::new(Home, Topology::new(2, 1).unwrap());
    let mut engine = TestEngine::new(group(0), placement);
    let before = engine.image()().len();
    let command = shared(1, groups([0]), append(&[X], 1));
    let (timestamp, expired) = (timestamp(1), true);
    let delivery = Delivery::Command {
        command,
        timestamp,
        expired,
    };
    let mut applied = Applied::default();
    engine.on_deliver(delivery, &mut applied);
    let verdict = applied.replies.pop().map(|reply| reply.answer.verdict);
    assert_eq!(verdict, Some(Verdict::SessionExpired));
    assert_eq!(engine.image()().len(), before);
}
