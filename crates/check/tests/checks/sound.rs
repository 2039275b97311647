//! Histories that look odd and are linearizable.

use super::history_builder::*;
use ssmr_check::{Summary, ViolationKind};
use ssmr_core::{Answer, Intent, Outcome, PartitionId, Request, Verdict};

fn accept(builder: &HistoryBuilder) -> Summary {
    let history = builder.history();
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
    let mut builder = HistoryBuilder::default();
    builder.then(read(&[X]), (0, 10));
    builder.then(create(X, 1), (0, 10));
    builder.then(Request::lookup(X), (20, 30));
    builder.then(create(X, 2), (20, 30));
    builder.then(Request::relocate(X, PartitionId(1)), (40, 50));
    builder.then(add(X, 4), (40, 50));
    builder.then(create(Y, 9).and(X, Intent::Delete), (60, 70));
    builder.then(Request::lookup(X), (60, 70));
    builder.then(read(&[X, Y]), (80, 90));
    builder.then(set(&[Y], 3), (80, 90));
    builder.then(create(X, 5).and(Y, Intent::Lookup), (80, 90));
    builder.then(read(&[X, Y]), (100, 110));
    builder.then(Request::default(), (100, 110));
    builder.lost(add(X, 1), (100, 110)).completion.outcome = Outcome::Unsupported;
    let summary = accept(&builder);
    assert_eq!(summary.operations, 14);
    assert_eq!(summary.objects, 2);
    assert_eq!((summary.replayed, summary.unjudged), (13, 0));
}

#[test]
fn concurrent_operations_in_any_order() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.then(read(&[X]), (30, 90));
    builder.then(add(X, 1), (20, 100));
    builder.then(read(&[X]), (20, 95));
    accept(&builder);
}

#[test]
fn moves_that_gather_made() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.model.shift(X);
    builder.then(add(X, 1), (20, 30));
    builder.model.shift(X);
    builder.then(read(&[X]), (40, 50));
    assert_eq!(accept(&builder).unjudged, 0);
}

#[test]
fn an_unanswered_write_may_be_seen_late_or_never() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.then(create(Y, 0), (0, 10));
    builder.lost(set(&[X], 9), (20, 30));
    builder.then(read(&[X]), (40, 50));
    builder.then(set(&[X, Y], 7), (20, 30)).forget();
    builder.then(read(&[X, Y]), (60, 70));
    // Two candidates for one write: what was read cannot be judged. Attributed, it can.
    assert_eq!(accept(&builder).unjudged, 1);
    let mut history = builder.history();
    history.attribute(2, None);
    assert_eq!(history.check().unwrap().unjudged, 0);
}

#[test]
fn the_only_candidate_is_replayed() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.then(add(X, 7), (20, 30)).forget();
    builder.then(read(&[X]), (40, 50));
    assert_eq!(accept(&builder).unjudged, 0);
    builder.acts[2].reply(&[8]);
    let violation = builder.history().check().unwrap_err().to_string();
    assert!(violation.contains("was told Done [8], but"), "{violation}");
}

#[test]
fn an_attributed_operation_takes_effect_once_and_later_than_its_client_waited() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.then(read(&[X]), (40, 50));
    let act = builder.then(add(X, 7), (20, 30)).clone();
    builder.acts[2].forget();
    builder.then(read(&[X]), (60, 70));
    let mut history = builder.history();
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
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 1), (0, 90)).forget();
    builder.then(Request::lookup(X), (10, 20));
    builder.then(read(&[X]), (10, 20));
    builder.then(Request::delete(X), (30, 40)).forget();
    builder.then(read(&[X]), (50, 60));
    builder.then(create(X, 2), (70, 80));
    builder.then(read(&[X]), (90, 95));
    accept(&builder);
}

#[test]
fn absence_that_is_expected() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.then(add(X, 1).expecting_absent(Y), (20, 60));
    builder.then(create(Y, 0), (20, 60));
    builder.then(Request::delete(Y), (70, 80));
    builder.then(add(X, 1).expecting_absent(Y), (90, 100));
    let summary = accept(&builder);
    assert_eq!((summary.replayed, summary.unjudged), (5, 0));
}

/// X is created, added to, read and deleted, as fast as one can; then a create of it is not
/// answered, and more follows.
fn with_an_unanswered_create() -> HistoryBuilder {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.then(add(X, 1), (20, 30));
    builder.then(read(&[X]), (40, 50));
    builder.then(Request::lookup(X), (40, 50));
    builder.then(Request::delete(X), (60, 70));
    builder.then(read(&[X]), (80, 90));
    builder.then(create(X, 7), (100, 110)).forget();
    builder.then(Request::lookup(X), (120, 130));
    builder.then(read(&[X]), (140, 150));
    builder
}

#[test]
fn an_unanswered_create_leaves_only_what_ends_after_its_invocation_unjudged() {
    let mut builder = with_an_unanswered_create();
    let summary = accept(&builder);
    assert_eq!((summary.replayed, summary.unjudged), (6, 2));
    assert_eq!((summary.unanswered, summary.unknown), (1, 1));
    // What ends after the invocation but was seen by something that ended before it.
    let mut early = HistoryBuilder::default();
    early.then(create(X, 0), (0, 10));
    early.then(add(X, 1), (20, 200));
    early.then(read(&[X]), (40, 50));
    early.lost(create(X, 7), (100, 110));
    assert_eq!(accept(&early).unjudged, 0);
    // Another object is none of its business.
    builder.then(create(Y, 1), (160, 170));
    builder.then(read(&[Y]), (180, 190));
    assert_eq!(accept(&builder).unjudged, 2);
}

#[test]
fn an_unanswered_create_hides_nothing_that_was_wrong_before_it() {
    let refuse = |builder: &HistoryBuilder| {
        builder.history().check().expect_err("it must be found");
        let violation = builder.history().check_blackbox().unwrap_err();
        assert_eq!(violation.kind, ViolationKind::NotLinearizable);
    };
    // A value that nobody wrote, an object that is gone too early, and one that is there too late.
    let mut builder = with_an_unanswered_create();
    builder.acts[2].reply(&[5]);
    refuse(&builder);
    let mut builder = with_an_unanswered_create();
    let late = builder.acts[5].completion.clone();
    builder.acts[2].completion.outcome = late.outcome;
    builder.acts[2].completion.touched = late.touched;
    refuse(&builder);
    let mut builder = with_an_unanswered_create();
    let present = builder.acts[3].clone();
    let late = &mut builder.acts[5];
    late.request = present.request;
    late.completion.outcome = present.completion.outcome;
    late.completion.touched = present.completion.touched;
    refuse(&builder);
}
