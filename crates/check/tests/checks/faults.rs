//! Every kind of fault, made by hand: which check finds it, and what it says.

use super::history_builder::*;
use ssmr_check::{Misfit, ViolationKind};
use ssmr_core::{Outcome, Request};

/// The witnessed check must report this fault and say all of this; the black-box check must refuse
/// too.
fn reject(builder: &HistoryBuilder, kind: ViolationKind, words: &[&str]) {
    let history = builder.history();
    let violation = history
        .check()
        .expect_err("the witnessed check must refuse");
    assert_eq!(violation.kind, kind, "{violation}");
    let text = violation.to_string();
    for word in words {
        assert!(text.contains(word), "'{word}' is missing in: {text}");
    }
    let violation = history
        .check_blackbox()
        .expect_err("the black-box check must refuse");
    assert_eq!(violation.kind, ViolationKind::NotLinearizable);
}

/// Two objects that are 0, created by #0 and #1.
fn builder() -> HistoryBuilder {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.then(create(Y, 0), (0, 10));
    builder
}

#[test]
fn stale_read() {
    let mut builder = builder();
    let stale = builder.model.clone().run(&read(&[X]));
    builder.then(set(&[X], 1), (20, 30));
    builder.then(read(&[X]), (40, 50)).hear(stale);
    let why = "#2 was answered before #3 was invoked, #3 takes effect before #2 on 0.1: a cycle";
    reject(
        &builder,
        ViolationKind::Cycle,
        &[why, "#3 c4 [40..50 us]", "1@p0v0 -> 1@p0v1"],
    );
    let violation = builder.history().check_blackbox().unwrap_err().to_string();
    assert!(
        violation.contains("explains #3, the last below"),
        "{violation}"
    );
    assert!(violation.contains("#2 c3 [20..30 us]"), "{violation}");
}

#[test]
fn lost_update() {
    let mut builder = builder();
    let same = builder.model.clone().run(&add(X, 1));
    builder.then(add(X, 1), (20, 30));
    builder.then(add(X, 1), (20, 30)).hear(same);
    reject(
        &builder,
        ViolationKind::Fork,
        &[
            "both #2 and #3 replaced 1@p0v0",
            "lost or was executed twice",
        ],
    );
}

#[test]
fn lost_update_across_a_move() {
    let mut builder = builder();
    let mut other = builder.model.clone();
    builder.then(add(X, 1), (20, 30));
    let partition = ssmr_core::PartitionId(1);
    let moved = other.run(&Request::relocate(X, partition));
    builder
        .then(Request::relocate(X, partition), (20, 30))
        .hear(moved);
    let old = other.run(&read(&[X]));
    builder.then(read(&[X]), (40, 50)).hear(old);
    reject(
        &builder,
        ViolationKind::Fork,
        &["both #2 and #3 replaced 1@p0v0"],
    );
}

#[test]
fn double_execution() {
    let mut builder = builder();
    builder.then(add(X, 1), (20, 30));
    builder.model.run(&add(X, 1));
    builder.then(read(&[X]), (40, 50));
    let why =
        "1@p0v2 needs 1 write by operations that nobody knows of: before it, it was at 1@p0v1";
    reject(&builder, ViolationKind::Unexplained, &[why, "Done [2]"]);
}

#[test]
fn half_of_a_write_of_two_objects_is_seen() {
    let mut builder = builder();
    let before = builder.model.clone().run(&read(&[X, Y]));
    builder.then(set(&[X, Y], 1), (20, 30));
    let read = builder.then(read(&[X, Y]), (20, 30));
    read.completion.touched[1] = before.2[1];
    read.reply(&[1, 0]);
    let why = [
        "#2 takes effect before #3 on 0.1",
        "#3 takes effect before #2 on 0.2",
    ];
    reject(&builder, ViolationKind::Cycle, &why);
}

#[test]
fn two_reads_disagree_on_the_order_of_two_writes() {
    let mut builder = builder();
    let mut other = builder.model.clone();
    builder.then(set(&[X], 1), (20, 90));
    builder.then(read(&[X, Y]), (20, 90));
    builder.then(set(&[Y], 1), (20, 90));
    other.run(&set(&[Y], 1));
    let seen = other.run(&read(&[X, Y]));
    builder.then(read(&[X, Y]), (20, 90)).hear(seen);
    reject(
        &builder,
        ViolationKind::Cycle,
        &["0.1", "0.2", "Done [1, 0]", "Done [0, 1]"],
    );
}

#[test]
fn real_time_is_inverted_across_two_objects() {
    let mut builder = builder();
    let before = builder.model.clone().run(&read(&[Y]));
    builder.then(set(&[X, Y], 1), (20, 100));
    builder.then(read(&[X]), (30, 40));
    builder.then(read(&[Y]), (50, 60)).hear(before);
    reject(
        &builder,
        ViolationKind::Cycle,
        &["#3 was answered before #4 was invoked"],
    );
}

#[test]
fn two_creates_succeed() {
    let mut builder = builder();
    let mut empty = Model::default();
    empty.shift(X);
    empty.shift(X);
    let second = empty.run(&create(X, 5));
    builder.then(create(X, 5), (20, 30)).hear(second);
    reject(
        &builder,
        ViolationKind::Existence,
        &["#0 had created it when #2 created it"],
    );
}

#[test]
fn read_after_delete() {
    let mut builder = builder();
    let before = builder.model.clone().run(&read(&[X]));
    builder.then(Request::delete(X), (20, 30));
    builder.then(read(&[X]), (40, 50)).hear(before);
    reject(
        &builder,
        ViolationKind::Cycle,
        &["#3 takes effect before #2 on 0.1"],
    );
}

#[test]
fn not_found_after_an_acknowledged_create() {
    let mut builder = HistoryBuilder::default();
    let early = builder.model.clone().run(&read(&[X]));
    builder.model.shift(X);
    builder.then(create(X, 0), (0, 10));
    let mut late = builder.clone();
    builder.then(read(&[X]), (20, 30)).hear(early.clone());
    reject(
        &builder,
        ViolationKind::Cycle,
        &["#0 was answered before #1 was invoked"],
    );
    let timestamp = late
        .then(read(&[X]), (20, 30))
        .completion
        .timestamp
        .unwrap();
    late.acts[1].hear((early.0, timestamp, early.2));
    reject(
        &late,
        ViolationKind::Existence,
        &["#0 had created it when #1 was told that it does not exist"],
    );
}

#[test]
fn already_exists_before_any_create() {
    let mut builder = HistoryBuilder::default();
    let mut other = builder.model.clone();
    other.run(&create(X, 0));
    let wrong = other.run(&create(X, 0));
    builder.then(create(X, 0), (0, 10)).hear(wrong);
    reject(
        &builder,
        ViolationKind::Existence,
        &["nobody had created it when #0 was told that it exists"],
    );
}

#[test]
fn wrong_reply() {
    let mut builder = builder();
    builder.then(set(&[X], 1), (20, 30));
    builder.then(read(&[X]), (40, 50)).reply(&[2]);
    let why = "#3 was told Done [2], but after the others before it the outcome is Done [1]";
    reject(&builder, ViolationKind::Replay, &[why, "#2 c3 [20..30 us]"]);
}

#[test]
fn half_of_an_unanswered_write_is_seen() {
    let mut builder = builder();
    let before = builder.model.clone().run(&read(&[Y]));
    builder.then(set(&[X, Y], 1), (20, 30)).forget();
    builder.then(read(&[X]), (40, 50));
    builder.then(read(&[Y]), (60, 70)).hear(before);
    reject(
        &builder,
        ViolationKind::Cycle,
        &["#4 takes effect before #2 on 0.2", "(unanswered)"],
    );
}

#[test]
fn half_of_an_unanswered_write_was_impossible() {
    let mut builder = builder();
    builder.then(set(&[X, Y], 1), (40, 50)).forget();
    let mut other = HistoryBuilder {
        acts: builder.acts.clone(),
        ..HistoryBuilder::default()
    };
    other.model.run(&create(X, 0));
    other.model.run(&create(Y, 0));
    other.then(Request::delete(Y), (20, 30));
    other.model.run(&set(&[X], 1));
    other.then(read(&[X]), (60, 70));
    reject(
        &other,
        ViolationKind::Unexplained,
        &["on this one it cannot have taken effect"],
    );
}

#[test]
fn an_unanswered_write_takes_effect_twice() {
    let mut builder = builder();
    builder.then(add(X, 1), (20, 30)).forget();
    builder.then(read(&[X]), (40, 50));
    builder.model.run(&add(X, 1));
    builder.then(read(&[X]), (60, 70));
    reject(
        &builder,
        ViolationKind::Unexplained,
        &["2 such write(s)", "1 unanswered operation(s)"],
    );
}

#[test]
fn an_unanswered_write_takes_effect_before_its_invocation() {
    let mut builder = builder();
    builder.then(add(X, 1), (80, 90)).forget();
    builder.then(read(&[X]), (40, 50));
    reject(
        &builder,
        ViolationKind::Cycle,
        &["#3 was answered before #2 was invoked"],
    );
}

#[test]
fn an_answer_does_not_fit_its_request() {
    let mut builder = builder();
    builder.then(add(X, 1), (20, 30)).completion.touched[0].after = None;
    let violation = builder.history().check().unwrap_err();
    let kind = ViolationKind::Answer(Misfit::Write);
    assert_eq!(violation.kind, kind, "{violation}");
    assert!(
        builder.history().check_blackbox().is_ok(),
        "what clients saw is in order"
    );
    builder.acts[2].completion.touched.clear();
    builder.acts[2].completion.outcome = Outcome::NotFound;
    let violation = builder.history().check().unwrap_err();
    let kind = ViolationKind::Answer(Misfit::NothingAbsent);
    assert_eq!(violation.kind, kind, "{violation}");
    let text = violation.to_string();
    assert!(text.contains("does not tell what is absent"), "{text}");
}

#[test]
fn an_object_exists_that_was_expected_to_be_absent() {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    let rests_on_absence = add(X, 1).expecting_absent(Y);
    let stale = builder.model.clone().run(&rests_on_absence);
    builder.then(create(Y, 0), (20, 30));
    builder.then(rests_on_absence, (40, 50)).hear(stale);
    let why = "#1 had created it when #2 was told that it does not exist";
    reject(&builder, ViolationKind::Existence, &[why]);
}

#[test]
fn it_took_effect_although_an_object_exists_that_was_to_be_absent() {
    let mut builder = builder();
    builder.then(add(X, 1).expecting_absent(Y), (20, 30));
    let kind = ViolationKind::Answer(Misfit::Unexpected);
    reject(&builder, kind, &["#2"]);
}
