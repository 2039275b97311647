//! Reads that a cache answered: what an object was, how long ago, and what it never was.

use super::history_builder::*;
use ssmr_check::{History, StaleSummary, Staleness};
use ssmr_core::{ClientId, LocalTime, Micros, Outcome, Revision, Touch, codec};

/// What is judged of one read of X that was told this of this revision.
fn told(
    builder: &HistoryBuilder,
    (invoked, completed): (Micros, Micros),
    revision: Revision,
    value: u64,
) -> StaleSummary {
    let mut history: History<Cells> = builder.history();
    let before = history.check().map(|summary| summary.replayed);
    let mut completion = builder.acts[0].completion.clone();
    completion.outcome = Outcome::Done(codec::encode(&vec![value]));
    completion.timestamp = None;
    completion.touched = vec![Touch {
        object: X,
        before: Some(revision),
        after: Some(revision),
    }];
    completion.invoked = LocalTime::from_micros(invoked);
    completion.completed = LocalTime::from_micros(completed);
    history.push_stale(ClientId(9), &read(&[X]), &completion);
    let after = history.check().map(|summary| summary.replayed);
    assert_eq!(before, after, "it is no part of the history");
    history.judge_stale()
}

/// The same, where the object really was like this.
fn staleness(builder: &HistoryBuilder, at: Micros, revision: Revision, value: u64) -> Staleness {
    let summary = told(builder, (at, at + 1), revision, value);
    let [staleness] = summary.judged[..] else {
        panic!("{summary:?}");
    };
    staleness
}

fn one_unjudged() -> StaleSummary {
    StaleSummary {
        unjudged: 1,
        ..StaleSummary::default()
    }
}

fn never_held(summary: &StaleSummary, why: &str) {
    let [never] = &summary.never_held[..] else {
        panic!("{summary:?}");
    };
    assert!(never.to_string().ends_with(why), "{never}");
}

/// The revision that X has.
fn now(builder: &HistoryBuilder) -> Revision {
    builder.model.cells[&X].0
}

#[test]
fn lag_and_age_count_from_what_was_acknowledged_when_the_read_began() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 5), (0, 10));
    let first = now(&builder);
    builder.then(add(X, 1), (20, 30));
    builder.then(add(X, 1), (40, 60));
    let last = now(&builder);
    let of_first = |at| {
        let it = staleness(&builder, at, first, 5);
        assert_eq!((it.invoked, it.is_of_past_life), (at, false));
        (it.versions, it.age_us)
    };
    assert_eq!(of_first(15), (0, 0));
    assert_eq!(of_first(29), (0, 0), "the write is under way");
    assert_eq!(of_first(30), (1, 0));
    assert_eq!(of_first(50), (1, 20));
    assert_eq!(of_first(100), (2, 70));
    let it = staleness(&builder, 100, last, 7);
    assert_eq!((it.versions, it.age_us), (0, 0));
    // A write takes effect before it is acknowledged.
    let it = staleness(&builder, 45, last, 7);
    assert_eq!((it.versions, it.age_us), (0, 0));
}

#[test]
fn moves_are_no_versions() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 5), (0, 10));
    let before = now(&builder);
    builder.model.shift(X);
    let moved = now(&builder);
    builder.then(add(X, 1), (20, 30));
    for revision in [before, moved] {
        let it = staleness(&builder, 50, revision, 5);
        assert_eq!((it.versions, it.age_us), (1, 20));
    }
}

#[test]
fn another_life_is_told_apart() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 5), (0, 10));
    let first = now(&builder);
    builder.then(ssmr_core::Request::delete(X), (20, 30));
    let it = staleness(&builder, 35, first, 5);
    assert_eq!((it.versions, it.is_of_past_life), (1, true));
    builder.then(create(X, 8), (40, 50));
    let it = staleness(&builder, 60, first, 5);
    let expected = Staleness {
        invoked: 60,
        versions: 2,
        age_us: 30,
        is_of_past_life: true,
    };
    assert_eq!(it, expected);
    let it = staleness(&builder, 60, now(&builder), 8);
    assert_eq!((it.versions, it.is_of_past_life), (0, false));
}

#[test]
fn what_had_no_effect_is_no_version() {
    let mut builder = HistoryBuilder::default();
    builder.then(add(X, 1), (0, 5));
    builder.then(create(X, 5), (10, 20));
    let first = now(&builder);
    builder.then(create(X, 6), (30, 40));
    assert_eq!(staleness(&builder, 50, first, 5).versions, 0);
    builder.then(ssmr_core::Request::delete(X), (50, 60));
    builder.then(add(X, 1), (70, 80));
    builder.then(ssmr_core::Request::delete(X), (90, 100));
    let outcomes = builder.acts.iter().map(|act| &act.completion.outcome);
    let refused = outcomes.filter(|outcome| !matches!(outcome, Outcome::Done(_)));
    assert_eq!(refused.count(), 4);
    let it = staleness(&builder, 110, first, 5);
    assert_eq!((it.versions, it.age_us), (1, 50));
}

#[test]
fn what_an_object_never_was_is_found() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 5), (10, 20));
    let first = now(&builder);
    builder.then(add(X, 1), (30, 40));
    let at = (50, 60);
    never_held(&told(&builder, at, first, 6), "the reply is another one");
    let later = now(&builder).written();
    never_held(&told(&builder, at, later, 6), "no command left it");
    let earlier = Revision::default();
    never_held(&told(&builder, at, earlier, 5), "nothing had created it");
    let early = told(&builder, (15, 25), now(&builder), 6);
    never_held(&early, "what left it had not been asked for yet");
}

#[test]
fn what_depends_on_the_unanswered_is_not_judged() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 5), (0, 10));
    let first = now(&builder);
    builder.then(add(X, 1), (20, 30)).forget();
    builder.then(add(X, 2), (20, 30)).forget();
    builder.then(read(&[X]), (40, 50));
    let last = now(&builder);
    assert_eq!(told(&builder, (60, 70), last, 8), one_unjudged());
    assert_eq!(staleness(&builder, 15, first, 5).versions, 0);
}

#[test]
fn where_the_history_is_wrong_nothing_can_be_said() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 5), (0, 10));
    let first = now(&builder);
    builder.then(read(&[X]), (20, 30));
    assert_eq!(staleness(&builder, 15, first, 5).versions, 0);
    builder.acts[1].reply(&[6]);
    assert!(builder.history().check().is_err());
    assert_eq!(told(&builder, (15, 16), first, 5), one_unjudged());
}
