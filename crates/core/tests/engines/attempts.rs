//! A client by itself: attempts, retries, the fall-back to all groups, deadlines, questions.

use crate::lone_client::LoneClient;
use crate::script::{X, Y, Z, group, groups, hint, leader, timestamp};
use crate::service::{append, read, update};
use crate::strategy::TestStrategy::{self, Everywhere, Home, OracleGroup, SharedCache};
use crate::strategy::location_key;
use ssmr_core::client::ClientSettings;
use ssmr_core::limits::{RETRY_BUDGET, SESSION_TTL, SESSION_WINDOW};
use ssmr_core::{
    CacheCall, CacheReply, ClientMessage, Command, Defect, Found, GroupId, Groups, LogTime,
    Outcome, PartitionId, Reads, Request, Revision, ServerMessage, Verdict, codec,
};
use std::sync::Arc;

/// A client that has submitted a request and sent its first attempt, with all questions answered.
fn attempting(strategy: TestStrategy, request: Request) -> (LoneClient, Arc<Command>) {
    let mut client = LoneClient::new(strategy);
    client.submit(request);
    client.answer_consultations();
    let first = client.attempt();
    (client, first)
}

#[test]
fn after_the_retry_budget_an_attempt_goes_to_all_groups() {
    for strategy in [Home, OracleGroup, Everywhere, SharedCache] {
        let (mut client, mut command) = attempting(strategy, append(&[X], 1));
        let all = client.placement().topology().groups();
        for spent in 1..=RETRY_BUDGET {
            assert_ne!(command.destinations, all, "{strategy:?}: attempt {spent}");
            // An answer with a hint, so that the next plan is as narrow as it can be.
            let hint = hint(X, (spent % 2) as u8, timestamp(u64::from(spent)));
            client.answer(&command, Verdict::Retry, &[hint]);
            client.answer_consultations();
            command = client.attempt();
        }
        assert_eq!(command.destinations, all, "{strategy:?}");
        assert_eq!(command.id.attempt, RETRY_BUDGET + 1);
        client.answer(&command, Verdict::Done, &[]);
        let cost = client.completed().unwrap().cost;
        assert_eq!(cost.fallbacks, 1);
        assert_eq!(cost.retries, RETRY_BUDGET);
    }
}

#[test]
fn a_hint_in_a_retry_says_where_the_next_attempt_goes() {
    let (mut client, first) = attempting(Home, append(&[X], 1));
    assert_eq!(first.destinations, groups([0]));
    client.answer(&first, Verdict::Retry, &[hint(X, 2, timestamp(3))]);
    let second = client.attempt();
    assert!(second.destinations.contains(group(2)), "{second:?}");
    assert_eq!((second.id.number, second.id.attempt), (2, 2));
    client.answer(&second, Verdict::Done, &[]);
    client.submit(append(&[X], 2));
    assert_eq!(
        client.attempt().destinations,
        groups([2]),
        "it remembers that"
    );
}

#[test]
fn an_answer_to_another_attempt_is_not_taken_for_this_one() {
    let (mut client, first) = attempting(Home, append(&[X], 1));
    client.answer(&first, Verdict::Retry, &[]);
    let second = client.attempt();
    client.answer(&first, Verdict::Done, &[]);
    assert!(client.completed().is_none());
    client.answer(&second, Verdict::NotFound, &[]);
    assert_eq!(client.completed().unwrap().outcome, Outcome::NotFound);
    client.answer(&second, Verdict::Done, &[]);
    assert!(client.completed().is_none(), "it has completed before");
}

#[test]
fn each_verdict_has_its_outcome() {
    for (verdict, outcome) in [
        (Verdict::Done, Outcome::Done(Default::default())),
        (Verdict::AlreadyExists, Outcome::AlreadyExists),
        (Verdict::NotFound, Outcome::NotFound),
        (Verdict::Changed, Outcome::Changed),
        (Verdict::Failed, Outcome::Failed),
        (
            Verdict::TooLarge,
            Outcome::Refused(Defect::OperandsTooLarge),
        ),
    ] {
        let (mut client, first) = attempting(Home, append(&[X], 1));
        client.answer(&first, verdict, &[]);
        let completion = client.completed().unwrap();
        assert_eq!(completion.outcome, outcome);
        assert_eq!(completion.last_attempt, Some(first.id));
        assert_eq!(completion.timestamp, Some(timestamp(5)));
    }
}

#[test]
fn what_comes_next_is_ordered_after_what_was_answered() {
    let (mut client, first) = attempting(Home, append(&[X], 1));
    client.answer(&first, Verdict::Done, &[]);
    client.submit(append(&[X], 2));
    let second = client.attempt();
    assert_eq!(second.clock, timestamp(5).clock);
    assert_eq!(second.low_watermark, 2, "number 1 is answered");
}

#[test]
fn silence_is_answered_by_the_same_attempt_to_another_replica() {
    let (mut client, first) = attempting(Home, update(&[X, Y], 1));
    let resend = ClientSettings::default().resend_after;
    let mut asked = Vec::new();
    for _ in 0..3 {
        client.pass(resend);
        asked.extend(client.sent.iter().map(|(to, _)| *to));
        assert_eq!(client.attempt(), first);
    }
    for partition in [0, 1] {
        let indices = asked.iter().filter(|to| to.group == group(partition));
        let indices: Vec<u8> = indices.map(|to| to.index).collect();
        assert_eq!(indices, [1, 2, 0]);
    }
}

#[test]
fn a_replica_that_does_not_lead_says_who_does() {
    let (mut client, first) = attempting(Home, append(&[X], 1));
    client.not_leader(group(0));
    let (to, _) = client.sent[0];
    assert_eq!(to.index, 1);
    assert_eq!(client.attempt(), first);
}

#[test]
fn a_request_past_its_deadline_is_unknown_and_its_attempt_goes_on() {
    let (mut client, first) = attempting(Home, append(&[X], 1));
    client.pass(ClientSettings::default().deadline);
    assert_eq!(client.completed().unwrap().outcome, Outcome::Unknown);
    assert_eq!(client.outstanding(), 1);
    assert_eq!(client.attempt(), first);
    client.answer(&first, Verdict::Done, &[]);
    assert_eq!(client.outstanding(), 0);
    assert!(client.completed().is_none(), "its user was told");
}

#[test]
fn a_request_that_was_given_up_is_not_attempted_again_after_a_retry() {
    let (mut client, first) = attempting(Home, append(&[X], 1));
    client.pass(ClientSettings::default().deadline);
    client.commands();
    client.answer(&first, Verdict::Retry, &[]);
    assert_eq!(client.commands(), []);
    assert_eq!(client.outstanding(), 0);
}

#[test]
fn a_forgotten_session_is_followed_by_a_new_one() {
    let (mut client, first) = attempting(Home, append(&[X], 1));
    client.answer(&first, Verdict::SessionExpired, &[]);
    let late = LogTime::from_micros(2 * SESSION_TTL);
    client.answer_greetings(late);
    let next = client.attempt();
    assert_eq!(next.id.session.opened, late);
    assert_eq!((next.id.number, next.id.attempt), (1, 2));
    assert!(client.completed().is_none());
}

#[test]
fn an_attempt_that_a_group_refuses_for_its_session_may_have_run() {
    let (mut client, first) = attempting(Home, append(&[X], 1));
    let (id, time) = (first.id, LogTime::from_micros(2 * SESSION_TTL));
    client.hear(leader(0), ServerMessage::Expired { id, time });
    assert_eq!(client.completed().unwrap().outcome, Outcome::Unknown);
}

#[test]
fn the_window_of_a_session_holds_further_requests_back() {
    let mut client = LoneClient::new(Home);
    for _ in 0..=SESSION_WINDOW {
        client.submit(append(&[X], 1));
    }
    let sent = client.commands();
    assert_eq!(sent.len() as u64, SESSION_WINDOW);
    client.answer(&sent[1], Verdict::Done, &[]);
    assert_eq!(client.commands(), [], "the least number is still open");
    client.answer(&sent[0], Verdict::Done, &[]);
    let next = client.attempt();
    assert_eq!(
        (next.id.number, next.low_watermark),
        (SESSION_WINDOW + 1, 3)
    );
}

#[test]
fn where_objects_are_is_asked_before_the_first_attempt() {
    let mut client = LoneClient::new(OracleGroup);
    client.submit(update(&[X, Y], 1));
    let questions: Vec<_> = client.sent.drain(..).collect();
    let [(to, ClientMessage::Consult(objects))] = &questions[..] else {
        panic!("one question for both: {questions:?}");
    };
    assert_eq!((to.group, &objects[..]), (GroupId::ORACLE, &[X, Y][..]));
    let hints = vec![hint(X, 2, timestamp(1))];
    let unknown = vec![Y];
    client.hear(*to, ServerMessage::Consulted { hints, unknown });
    let asked = Groups::from(GroupId::ORACLE).union(groups([2]));
    assert_eq!(
        client.attempt().destinations,
        asked,
        "an authority for Y (R1)"
    );
}

/// A client that has a command for X, has asked the shared cache where X is, and was told this.
fn told_by_cache(found: Found) -> LoneClient {
    let mut client = LoneClient::new(SharedCache);
    client.submit(append(&[X], 1));
    let key = location_key(X);
    let call = client.cache_calls.pop_front();
    assert_eq!(call, Some(CacheCall::Get { key: key.clone() }));
    client.hear_cache(CacheReply { key, found });
    client
}

#[test]
fn a_hint_of_the_shared_cache_is_followed() {
    let hit = Found::Hit(codec::encode(&hint(X, 2, timestamp(1))));
    let mut client = told_by_cache(hit);
    let command = client.attempt();
    assert_eq!(command.destinations, groups([2]));
    client.answer(&command, Verdict::Done, &[]);
    let cost = client.completed().unwrap().cost;
    assert_eq!(
        (cost.cache_hits, cost.cache_misses, cost.oracle_consults),
        (1, 0, 0)
    );
}

#[test]
fn a_cache_that_knows_nothing_or_lies_is_followed_by_a_question() {
    let lie = |object, owner| Found::Hit(codec::encode(&hint(object, owner, timestamp(1))));
    let garbage = Found::Hit(codec::encode(&1u8));
    for found in [Found::Miss, Found::Down, garbage, lie(Y, 1), lie(X, 200)] {
        let mut client = told_by_cache(found);
        let question = client.sent.pop_front();
        assert_eq!(question, Some((leader(0), ClientMessage::Consult(vec![X]))));
    }
}

#[test]
fn a_read_of_one_partition_is_a_query_first() {
    let settings = ClientSettings::default().with_reads(Reads::Index);
    let mut client = LoneClient::with(Home, settings);
    client.submit(read(&[X]));
    let (to, query) = client.query();
    assert_eq!((to, query.id.attempt), (leader(0), 0));
    client.pass(settings.resend_after);
    let command = client.attempt();
    assert_eq!(
        command.id.attempt, 1,
        "a query that is not answered is given up"
    );
    client.answer(&command, Verdict::Done, &[]);
    assert!(!client.completed().unwrap().cost.unordered);
    for request in [append(&[X], 1), read(&[X, Y]), Request::lookup(X)] {
        client.submit(request);
        client.attempt();
    }
}

#[test]
fn some_requests_need_no_group() {
    let mut client = LoneClient::new(Home);
    client.submit(Request::default());
    let outcome = client.completed().unwrap().outcome;
    assert_eq!(outcome, Outcome::Done(Default::default()));
    client.submit(Request::relocate(Z, PartitionId(77)));
    let outcome = client.completed().unwrap().outcome;
    assert_eq!(outcome, Outcome::Refused(Defect::NoSuchPartition));
    client.submit(append(&[X], 1).expecting(Y, Revision::default()));
    let outcome = client.completed().unwrap().outcome;
    assert_eq!(
        outcome,
        Outcome::Refused(Defect::Malformed),
        "Y is not named"
    );
    assert_eq!(client.commands(), []);
}
