//! Histories that look odd and are linearizable.

use super::story::*;
use crate::check::Summary;
use ssmr_core::{Answer, Intent, Outcome, PartitionId, Request, Verdict};

fn accept(story: &Story) -> Summary {
    let history = story.history();
    let seen = history
        .check_blackbox()
        .unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(seen.undecided, 0);
    history
        .check()
        .unwrap_or_else(|violation| panic!("{violation}"))
}

#[test]
fn every_kind_of_request() {
    let mut story = Story::default();
    story.then(read(&[X]), (0, 10));
    story.then(create(X, 1), (0, 10));
    story.then(Request::lookup(X), (20, 30));
    story.then(create(X, 2), (20, 30));
    story.then(Request::relocate(X, PartitionId(1)), (40, 50));
    story.then(add(X, 4), (40, 50));
    story.then(create(Y, 9).and(X, Intent::Delete), (60, 70));
    story.then(Request::lookup(X), (60, 70));
    story.then(read(&[X, Y]), (80, 90));
    story.then(set(&[Y], 3), (80, 90));
    story.then(create(X, 5).and(Y, Intent::Lookup), (80, 90));
    story.then(read(&[X, Y]), (100, 110));
    story.then(Request::default(), (100, 110));
    story.lost(add(X, 1), (100, 110)).completion.outcome = Outcome::Unsupported;
    let summary = accept(&story);
    assert_eq!(summary.operations, 14);
    assert_eq!(summary.objects, 2);
    assert_eq!((summary.replayed, summary.unjudged), (13, 0));
}

#[test]
fn concurrent_operations_in_any_order() {
    let mut story = Story::default();
    story.then(create(X, 0), (0, 10));
    story.then(read(&[X]), (30, 90));
    story.then(add(X, 1), (20, 100));
    story.then(read(&[X]), (20, 95));
    accept(&story);
}

#[test]
fn moves_that_gather_made() {
    let mut story = Story::default();
    story.then(create(X, 0), (0, 10));
    story.model.shift(X);
    story.then(add(X, 1), (20, 30));
    story.model.shift(X);
    story.then(read(&[X]), (40, 50));
    assert_eq!(accept(&story).unjudged, 0);
}

#[test]
fn an_unanswered_write_may_be_seen_late_or_never() {
    let mut story = Story::default();
    story.then(create(X, 0), (0, 10));
    story.then(create(Y, 0), (0, 10));
    story.lost(set(&[X], 9), (20, 30));
    story.then(read(&[X]), (40, 50));
    story.then(set(&[X, Y], 7), (20, 30)).forget();
    story.then(read(&[X, Y]), (60, 70));
    // Two candidates for one write: what was read cannot be judged. Attributed, it can.
    assert_eq!(accept(&story).unjudged, 1);
    let mut history = story.history();
    history.attribute(2, None);
    assert_eq!(history.check().unwrap().unjudged, 0);
}

#[test]
fn the_only_candidate_is_replayed() {
    let mut story = Story::default();
    story.then(create(X, 0), (0, 10));
    story.then(add(X, 7), (20, 30)).forget();
    story.then(read(&[X]), (40, 50));
    assert_eq!(accept(&story).unjudged, 0);
    story.acts[2].reply(&[8]);
    let violation = story.history().check().unwrap_err().to_string();
    assert!(violation.contains("was told Done [8], but"), "{violation}");
}

#[test]
fn an_attributed_operation_takes_effect_once_and_later_than_its_client_waited() {
    let mut story = Story::default();
    story.then(create(X, 0), (0, 10));
    story.then(read(&[X]), (40, 50));
    let act = story.then(add(X, 7), (20, 30)).clone();
    story.acts[2].forget();
    story.then(read(&[X]), (60, 70));
    let mut history = story.history();
    assert_eq!(history.unanswered().count(), 1);
    let Outcome::Done(reply) = act.completion.outcome else {
        panic!()
    };
    let answer = Answer {
        id: act.completion.last_attempt.unwrap(),
        verdict: Verdict::Done,
        reply,
        timestamp: act.completion.timestamp.unwrap(),
        touched: act.completion.touched,
    };
    history.attribute(2, Some(&answer));
    assert_eq!(history.unanswered().count(), 0);
    assert_eq!(history.check().unwrap().replayed, 4);
    history.check_blackbox().unwrap();
}

#[test]
fn unanswered_creates_and_deletes_leave_existence_open() {
    let mut story = Story::default();
    story.then(create(X, 1), (0, 90)).forget();
    story.then(Request::lookup(X), (10, 20));
    story.then(read(&[X]), (10, 20));
    story.then(Request::delete(X), (30, 40)).forget();
    story.then(read(&[X]), (50, 60));
    story.then(create(X, 2), (70, 80));
    story.then(read(&[X]), (90, 95));
    accept(&story);
}
