//! Attempts, retries and repetitions (rule R5).

use crate::answer::{ClientMessage, Outcome, ServerMessage, Stages, Verdict};
use crate::client::ClientSettings;
use crate::client::testing::{Bench, P0, P1, P2, X, Y, hint};
use crate::command::Command;
use crate::id::{GroupId, Groups, ObjectId, ReplicaId};
use crate::limits::RETRY_BUDGET;
use crate::request::{Intent, Request};

const RESEND: u64 = 250_000;

fn read(objects: &[ObjectId]) -> Request {
    let add = |request: Request, object: &ObjectId| request.and(*object, Intent::Update);
    objects.iter().fold(Request::default(), add)
}

#[test]
fn r5_attempt_k_plus_1_exists_only_after_a_retry_for_attempt_k() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.tell(&[hint(X, P1, 1)]);
    bench.submit(read(&[X]));
    let first = bench.attempt();
    assert_eq!((first.id.attempt, first.destinations), (1, P1.into()));
    for _ in 0..20 {
        bench.pass(RESEND);
        bench
            .attempts()
            .iter()
            .for_each(|again| assert_eq!(*again, first));
    }
    bench.answer(&first, Verdict::Retry, &[hint(X, P2, 2)]);
    let second = bench.attempt();
    assert_eq!((second.id.attempt, second.destinations), (2, P2.into()));
    // The other destinations may answer the first attempt too, and networks repeat what they carry.
    bench.answer(&first, Verdict::Retry, &[]);
    assert_eq!(bench.attempts(), []);
    bench.answer(&second, Verdict::Done, &[]);
    let completion = bench.completed().unwrap();
    assert_eq!(completion.last_attempt, Some(second.id));
    assert_eq!(completion.cost.retries, 1);
    bench.answer(&second, Verdict::Done, &[]);
    assert!(bench.completed().is_none());
}

#[test]
fn r5_a_repeated_attempt_goes_to_the_same_groups_and_in_each_to_whoever_may_lead() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.tell(&[hint(X, P1, 1), hint(Y, P2, 1)]);
    bench.submit(read(&[X, Y]));
    let places = |bench: &mut Bench| -> Vec<(GroupId, u8)> {
        let sent = bench.sent();
        let place = |(to, _): &(ReplicaId, ClientMessage)| (to.group, to.index);
        sent.iter().map(place).collect()
    };
    let (p1, p2) = (GroupId::from(P1), GroupId::from(P2));
    assert_eq!(places(&mut bench), [(p1, 0), (p2, 0)]);
    bench.pass(RESEND);
    assert_eq!(places(&mut bench), [(p1, 1), (p2, 1)]);
    // p2's old leader was slow, and names the new one; what it says of itself does not count any
    // more.
    bench.hear(P2, ServerMessage::NotLeader { leader: Some(2) });
    assert_eq!(places(&mut bench), []);
    bench.pass(RESEND);
    assert_eq!(places(&mut bench), [(p1, 2), (p2, 2)]);
}

#[test]
fn an_attempt_goes_at_once_to_the_leader_that_a_replica_names() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.tell(&[hint(X, P1, 1)]);
    bench.submit(read(&[X]));
    let attempt = bench.attempt();
    bench.hear(P1, ServerMessage::NotLeader { leader: Some(2) });
    let to = ReplicaId {
        group: P1.into(),
        index: 2,
    };
    assert_eq!(bench.sent(), [(to, ClientMessage::Submit(attempt))]);
}

#[test]
fn r1_a_retry_without_a_hint_brings_an_authority_along() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.tell(&[hint(X, P1, 1)]);
    bench.submit(read(&[X]));
    let first = bench.attempt();
    bench.answer(&first, Verdict::Retry, &[]);
    // The refuted hint is forgotten: somebody has to be asked.
    assert!(matches!(bench.sent()[..], [(_, ClientMessage::Consult(_))]));
    bench.tell(&[hint(X, P2, 1)]);
    let both = Groups::from(P0).union(P2.into());
    assert_eq!(bench.attempt().destinations, both);
}

#[test]
fn termination_a_request_goes_to_all_groups_once_its_budget_is_spent() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.tell(&[hint(X, P1, 1)]);
    bench.submit(read(&[X]));
    for retry in 1..=RETRY_BUDGET {
        let attempt = bench.attempt();
        assert_eq!(attempt.id.attempt, retry);
        assert_eq!(attempt.destinations.len(), 1);
        let elsewhere = if retry % 2 == 0 { P1 } else { P2 };
        let moved = hint(X, elsewhere, u64::from(retry) + 1);
        bench.answer(&attempt, Verdict::Retry, &[moved]);
    }
    let last = bench.attempt();
    assert_eq!(last.destinations, Groups::partitions(3));
    bench.answer(&last, Verdict::NotFound, &[]);
    let completion = bench.completed().unwrap();
    assert_eq!(completion.outcome, Outcome::NotFound);
    let cost = completion.cost;
    assert_eq!((cost.retries, cost.fallbacks, cost.groups), (3, 1, 6));
}

#[test]
fn r5_attempts_are_numbered_on_however_many_there_are() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.tell(&[hint(X, P1, 1)]);
    bench.submit(read(&[X]));
    for number in 1..=300 {
        let attempt = bench.attempt();
        assert_eq!(attempt.id.attempt, number);
        // Others move the object whenever it is looked for.
        let elsewhere = if number % 2 == 0 { P1 } else { P2 };
        let moved = hint(X, elsewhere, u64::from(number) + 1);
        bench.answer(&attempt, Verdict::Retry, &[moved]);
    }
}

#[test]
fn what_the_last_attempt_took_comes_with_the_completion() {
    let mut bench = Bench::new(ClientSettings::default());
    let stages = |order_us| Stages {
        order_us,
        wait_us: 2,
        execute_us: 3,
    };
    let measured = |command: &Command, order_us| ServerMessage::Measured {
        id: command.id,
        stages: stages(order_us),
    };
    for last_is_measured in [true, false] {
        bench.tell(&[hint(X, P1, 1)]);
        bench.submit(read(&[X]));
        let first = bench.attempt();
        bench.hear(P1, measured(&first, 1));
        bench.answer(&first, Verdict::Retry, &[hint(X, P2, 2)]);
        let second = bench.attempt();
        if last_is_measured {
            bench.hear(P2, measured(&second, 7));
        }
        bench.answer(&second, Verdict::Done, &[]);
        bench.hear(P1, measured(&first, 9));
        let completion = bench.completed().unwrap();
        assert_eq!(
            completion.cost.stages,
            last_is_measured.then_some(stages(7))
        );
    }
}
