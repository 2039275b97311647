//! Sessions: the time before the first number, the window, and what outlives its session.

use crate::answer::{ClientMessage, Outcome, ServerMessage, Verdict};
use crate::client::ClientSettings;
use crate::client::testing::{Bench, P0, P1, P2, X, Y, hint};
use crate::id::ReplicaId;
use crate::limits::{SESSION_TTL, SESSION_WINDOW};
use crate::request::{Intent, Request};
use crate::time::LogTime;

fn update() -> Request {
    Request::default().and(X, Intent::Update)
}

fn knowing() -> Bench {
    let mut bench = Bench::new(ClientSettings::default());
    bench.tell(&[hint(X, P1, 1)]);
    bench
}

fn greeted(sent: &[(ReplicaId, ClientMessage)]) -> usize {
    let hello = |(_, message): &&(_, ClientMessage)| *message == ClientMessage::Hello;
    sent.iter().filter(hello).count()
}

#[test]
fn a_client_that_was_idle_for_long_asks_for_the_time_before_it_goes_on() {
    let mut bench = knowing();
    bench.submit(update());
    let first = bench.attempt();
    bench.answer(&first, Verdict::Done, &[]);
    bench.now += 2 * SESSION_TTL;
    bench.submit(update());
    let sent = bench.sent();
    assert_eq!((greeted(&sent), sent.len()), (3, 3));
    bench.tell_time();
    let second = bench.attempt();
    assert!(second.id.session.opened > first.id.session.opened);
}

#[test]
fn requests_beyond_the_window_wait_for_their_turn() {
    let mut bench = knowing();
    for _ in 0..SESSION_WINDOW + 2 {
        bench.submit(update());
    }
    let attempts = bench.attempts();
    assert_eq!(attempts.len() as u64, SESSION_WINDOW);
    bench.answer(&attempts[1], Verdict::Done, &[]);
    assert_eq!(bench.attempts(), []);
    bench.answer(&attempts[0], Verdict::Done, &[]);
    let rest = bench.attempts();
    let numbers: Vec<u64> = rest.iter().map(|command| command.id.number).collect();
    assert_eq!(numbers, [SESSION_WINDOW + 1, SESSION_WINDOW + 2]);
    assert_eq!(rest[0].low_watermark, 3);
}

/// The dead group's one request closed the window of all for as long as its session was young.
#[test]
fn a_group_that_does_not_answer_keeps_nothing_from_the_others() {
    let mut bench = knowing();
    bench.tell(&[hint(Y, P2, 1)]);
    bench.submit(update());
    let silent = bench.attempt();
    for _ in 0..3 * SESSION_WINDOW {
        bench.submit(Request::default().and(Y, Intent::Update));
        let attempt = bench.attempt();
        assert_eq!(attempt.low_watermark, attempt.id.number);
        bench.answer(&attempt, Verdict::Done, &[]);
    }
    bench.submit(update());
    assert_eq!(
        bench.attempts(),
        [],
        "too far from what is unanswered there"
    );
    bench.answer(&silent, Verdict::Done, &[]);
    bench.attempt();
}

#[test]
fn a_retry_goes_under_another_number_for_groups_may_have_forgotten_its_first() {
    let mut bench = knowing();
    bench.tell(&[hint(Y, P2, 1)]);
    bench.submit(update());
    let first = bench.attempt();
    bench.submit(Request::default().and(Y, Intent::Update));
    let elsewhere = bench.attempt();
    assert_eq!((first.id.number, elsewhere.low_watermark), (1, 2));
    bench.answer(&first, Verdict::Retry, &[hint(X, P2, 2)]);
    let second = bench.attempt();
    assert!(second.destinations.contains(P2.into()));
    assert!(second.id.number > elsewhere.low_watermark);
    assert_eq!((second.id.attempt, second.low_watermark), (2, 2));
}

#[test]
fn what_no_group_executed_for_its_session_had_expired_begins_anew_in_another() {
    let mut bench = knowing();
    bench.submit(update());
    let first = bench.attempt();
    bench.answer(&first, Verdict::SessionExpired, &[]);
    let sent = bench.sent();
    assert_eq!((greeted(&sent), sent.len()), (3, 3));
    // What the user would be told now is that nothing has happened.
    let ticket = 1;
    let standing = bench.client.abandoned(ticket, bench.now, bench.now);
    assert_eq!(standing.last_attempt, None);
    bench.now += SESSION_TTL;
    bench.tell_time();
    let second = bench.attempt();
    assert!(second.id.session.opened > first.id.session.opened);
    assert_eq!((second.id.number, second.id.attempt), (1, 2));
    bench.answer(&second, Verdict::Done, &[]);
    assert_eq!(bench.completed().unwrap().last_attempt, Some(second.id));
}

#[test]
fn r5_what_outlived_its_session_before_it_was_logged_ends_as_unknown() {
    let mut bench = knowing();
    bench.submit(update());
    let id = bench.attempt().id;
    let time = LogTime::from_micros(SESSION_TTL);
    bench.hear(P1, ServerMessage::Expired { id, time });
    let completion = bench.completed().unwrap();
    assert_eq!(completion.outcome, Outcome::Unknown);
    assert_eq!(completion.last_attempt, Some(id));
    assert_eq!(bench.attempts(), []);
}

#[test]
fn groups_that_stay_silent_do_not_keep_a_client_waiting_for_ever() {
    let mut bench = knowing();
    bench.now += 2 * SESSION_TTL;
    bench.submit(update());
    bench.hear(P0, ServerMessage::Time(LogTime::ZERO));
    bench.sent();
    bench.pass(999_999);
    assert_eq!(bench.attempts(), []);
    bench.pass(1);
    bench.attempt();
}
