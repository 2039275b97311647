//! Consultations, the shared cache and queries: what comes before an attempt.

use crate::answer::{ClientMessage, Outcome, ServerMessage, Verdict};
use crate::client::ClientSettings;
use crate::client::testing::{AskFirst, Bench, P0, P1, X, Y, answer, hint};
use crate::codec;
use crate::hooks::{CacheCall, CacheReply, Found};
use crate::id::PartitionId;
use crate::read::Reads;
use crate::request::{Intent, Request};
use crate::time::LogTime;
use bytes::Bytes;
use std::sync::Arc;

fn read() -> Request {
    Request::default().and(X, Intent::Read)
}

#[test]
fn one_question_serves_all_who_wait_for_its_answer() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.submit(read());
    bench.submit(read());
    let sent = bench.sent();
    assert!(matches!(&sent[..], [(_, ClientMessage::Consult(objects))] if *objects == [X]));
    bench.tell(&[hint(X, P1, 1)]);
    let attempts = bench.attempts();
    assert_eq!(attempts.len(), 2);
    for attempt in attempts {
        bench.answer(&attempt, Verdict::Done, &[]);
    }
    let first = bench.completed().unwrap().cost.oracle_consults;
    let second = bench.completed().unwrap().cost.oracle_consults;
    assert_eq!((first, second), (1, 0));
}

#[test]
fn an_unanswered_question_is_asked_again_and_an_unknown_object_is_sought_at_its_authority() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.submit(read());
    bench.sent();
    bench.pass(250_000);
    let sent = bench.sent();
    assert!(matches!(&sent[..], [(to, ClientMessage::Consult(_))] if to.index == 1));
    let (hints, unknown) = (Vec::new(), vec![X]);
    bench.hear(P0, ServerMessage::Consulted { hints, unknown });
    let attempt = bench.attempt();
    assert_eq!(attempt.destinations, P0.into());
    bench.answer(&attempt, Verdict::NotFound, &[]);
    assert_eq!(bench.completed().unwrap().cost.oracle_consults, 2);
}

#[test]
fn r7_hints_of_partitions_that_do_not_exist_are_not_believed() {
    let mut bench = Bench::new(ClientSettings::default());
    bench.submit(read());
    bench.sent();
    bench.tell(&[hint(X, PartitionId(255), 1)]);
    assert_eq!(bench.attempt().destinations, P0.into());
}

/// A client with a shared cache that was asked about X.
fn asking_the_cache() -> (Bench, Bytes) {
    let oracle = AskFirst {
        movable: true,
        shared_cache: true,
    };
    let mut bench = Bench::ungreeted(oracle, ClientSettings::default());
    bench.submit(read());
    bench.tell_time();
    bench.sent();
    match bench.out.cache.pop() {
        Some(CacheCall::Get { key }) => (bench, key),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_shared_cache_is_asked_first_and_spares_a_consultation() {
    let (mut bench, key) = asking_the_cache();
    let found = Found::Hit(codec::encode(&hint(X, P1, 1)));
    let reply = CacheReply { key, found };
    bench.client.on_cache(bench.now, reply, &mut bench.out);
    let attempt = bench.attempt();
    assert_eq!(attempt.destinations, P1.into());
    bench.answer(&attempt, Verdict::Done, &[]);
    let cost = bench.completed().unwrap().cost;
    let counts = (cost.cache_hits, cost.cache_misses, cost.oracle_consults);
    assert_eq!(counts, (1, 0, 0));
}

#[test]
fn r7_what_the_cache_says_of_another_object_or_partition_is_a_miss() {
    for lie in [hint(Y, P1, 1), hint(X, PartitionId(255), 1)] {
        let (mut bench, key) = asking_the_cache();
        let found = Found::Hit(codec::encode(&lie));
        let reply = CacheReply { key, found };
        bench.client.on_cache(bench.now, reply, &mut bench.out);
        let sent = bench.sent();
        assert!(
            matches!(&sent[..], [(_, ClientMessage::Consult(_))]),
            "{sent:?}"
        );
    }
}

#[test]
fn a_query_is_tried_once_and_leaves_no_attempt_behind() {
    let mut bench = Bench::new(ClientSettings::default().with_reads(Reads::Index));
    bench.tell(&[hint(X, P1, 1)]);
    bench.submit(read());
    let sent = bench.sent();
    let [(_, ClientMessage::Query(query))] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(query.id.attempt, 0);
    let mut declined = answer(Verdict::Retry);
    declined.id = query.id;
    let message = ServerMessage::Answer {
        answer: Arc::new(declined),
        hints: vec![hint(X, P1, 1)],
        time: LogTime::ZERO,
    };
    bench.hear(P1, message);
    let attempt = bench.attempt();
    assert_eq!(attempt.id.attempt, 1);
    bench.answer(&attempt, Verdict::Done, &[]);
    let completion = bench.completed().unwrap();
    assert_eq!(completion.outcome, Outcome::Done(Bytes::new()));
    assert_eq!(completion.cost.retries, 0);
    assert!(!completion.cost.unordered);
}

#[test]
fn an_unanswered_query_becomes_an_attempt() {
    let mut bench = Bench::new(ClientSettings::default().with_reads(Reads::Lease));
    bench.tell(&[hint(X, P1, 1)]);
    bench.submit(read());
    assert!(matches!(bench.sent()[..], [(_, ClientMessage::Query(_))]));
    bench.pass(250_000);
    let sent = bench.sent();
    assert!(matches!(&sent[..], [(to, ClientMessage::Submit(_))] if to.index == 1));
}
