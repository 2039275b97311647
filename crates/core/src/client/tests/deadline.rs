//! What the user is told once the deadline has passed, and what goes on nevertheless.

use crate::answer::{Outcome, ServerMessage, Verdict};
use crate::client::testing::{Bench, P1, P2, X, Y, hint};
use crate::client::{ClientSettings, Execution};
use crate::request::{Intent, Request};
use crate::time::LogTime;
use std::time::Duration;

const DEADLINE: u64 = 1_000;

fn settings() -> ClientSettings {
    ClientSettings::default().with_deadline(Duration::from_micros(DEADLINE))
}

fn update() -> Request {
    Request::default()
        .and(X, Intent::Update)
        .and(Y, Intent::Update)
}

fn knowing(settings: ClientSettings) -> Bench {
    let mut bench = Bench::new(settings);
    bench.tell(&[hint(X, P1, 1), hint(Y, P2, 1)]);
    bench
}

#[test]
fn r5_a_request_that_was_given_up_ends_when_its_attempt_is_answered() {
    for verdict in [Verdict::Done, Verdict::Retry, Verdict::SessionExpired] {
        let mut bench = knowing(settings());
        bench.submit(update());
        let attempt = bench.attempt();
        bench.pass(DEADLINE);
        let completion = bench.completed().unwrap();
        assert_eq!(completion.outcome, Outcome::Unknown);
        assert_eq!(completion.last_attempt, Some(attempt.id));
        assert_eq!(bench.client.outstanding(), 1);
        bench.pass(1_000_000);
        assert_eq!(bench.attempt(), attempt);
        bench.answer(&attempt, verdict, &[]);
        let time = ServerMessage::Time(LogTime::ZERO);
        for group in [P1, P2] {
            bench.hear(group, time.clone());
        }
        bench.pass(2_000_000);
        assert_eq!(bench.attempts(), [], "{verdict:?}");
        assert_eq!(bench.client.outstanding(), 0);
        assert!(bench.completed().is_none(), "{verdict:?}");
    }
}

#[test]
fn the_answer_to_a_request_that_was_given_up_is_kept_for_whoever_wants_it() {
    for wanted in [true, false] {
        for verdict in [Verdict::Done, Verdict::Retry, Verdict::SessionExpired] {
            let mut bench = knowing(settings().with_late_answers(wanted));
            bench.submit(update());
            let attempt = bench.attempt();
            bench.pass(DEADLINE);
            assert_eq!(bench.completed().unwrap().outcome, Outcome::Unknown);
            assert!(bench.client.poll_late().is_none());
            bench.answer(&attempt, verdict, &[]);
            bench.answer(&attempt, verdict, &[]);
            let late = bench.client.poll_late().map(|answer| answer.id);
            assert_eq!(late, wanted.then_some(attempt.id), "{verdict:?}");
            assert!(bench.client.poll_late().is_none(), "it is told once");
        }
    }
    let mut bench = knowing(settings().with_late_answers(true));
    bench.submit(update());
    let attempt = bench.attempt();
    bench.answer(&attempt, Verdict::Done, &[]);
    assert!(bench.client.poll_late().is_none(), "it was not late");
}

#[test]
fn a_request_without_an_attempt_under_way_is_given_up_for_good() {
    let mut bench = Bench::new(settings());
    bench.submit(update());
    bench.pass(DEADLINE);
    let completion = bench.completed().unwrap();
    assert_eq!(completion.outcome, Outcome::Unknown);
    assert_eq!(completion.last_attempt, None);
    assert_eq!(bench.client.outstanding(), 0);
    bench.sent();
    bench.tell(&[hint(X, P1, 1), hint(Y, P2, 1)]);
    assert_eq!(bench.attempts(), []);
}

/// The user was told `last_attempt: None`, which says that the request was never sent: it must not
/// be sent later either.
#[test]
fn a_request_that_was_given_up_while_it_gathered_is_never_sent() {
    let mut bench = knowing(settings().with_execution(Execution::Gather));
    bench.submit(update());
    let step = bench.attempt();
    assert_eq!(step.request, Request::relocate(Y, P1));
    bench.pass(DEADLINE);
    let completion = bench.completed().unwrap();
    assert_eq!(completion.outcome, Outcome::Unknown);
    assert_eq!(completion.last_attempt, None);
    // The move that is under way is not abandoned, and is all that ever happens.
    bench.pass(1_000_000);
    assert_eq!(bench.attempt(), step);
    bench.answer(&step, Verdict::Done, &[]);
    bench.pass(1_000_000);
    assert_eq!(bench.attempts(), []);
    assert!(bench.completed().is_none());
    assert_eq!(bench.client.outstanding(), 0);
}

#[test]
fn a_request_that_was_given_up_after_a_retry_has_changed_nothing() {
    let mut bench = knowing(settings().with_execution(Execution::Gather));
    bench.submit(update());
    let step = bench.attempt();
    bench.answer(&step, Verdict::Done, &[hint(Y, P1, 2)]);
    let attempt = bench.attempt();
    assert_eq!(attempt.request, update());
    bench.answer(&attempt, Verdict::Retry, &[hint(X, P1, 1), hint(Y, P2, 3)]);
    assert_eq!(bench.attempt().request, Request::relocate(Y, P1));
    bench.pass(DEADLINE);
    assert_eq!(bench.completed().unwrap().last_attempt, None);
}

#[test]
fn moves_that_were_not_sent_are_given_up_with_the_request_that_they_are_for() {
    let mut bench = knowing(settings().with_execution(Execution::Gather));
    bench.submit(update());
    let step = bench.attempt();
    bench.answer(&step, Verdict::Retry, &[]);
    bench.sent();
    bench.pass(DEADLINE);
    assert_eq!(bench.completed().unwrap().last_attempt, None);
    bench.tell(&[hint(X, P1, 9), hint(Y, P2, 9)]);
    bench.pass(1_000_000);
    assert_eq!(bench.sent(), []);
}

#[test]
fn whoever_asks_after_a_request_that_was_given_up_need_not_wait_for_its_hint() {
    let mut bench = Bench::new(settings());
    bench.submit(update());
    bench.pass(DEADLINE);
    assert!(bench.completed().is_some());
    bench.sent();
    bench.submit(update());
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn a_request_has_its_whole_life_without_a_deadline() {
    let mut bench = knowing(ClientSettings::default().with_deadline(Duration::MAX));
    bench.submit(update());
    bench.pass(u64::MAX / 2);
    assert!(bench.completed().is_none());
}
