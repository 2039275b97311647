//! Histories of outcomes and times alone, and what both checks say together.

use super::history_builder::*;
use ssmr_check::{History, Misfit, Rejection, ViolationKind};
use ssmr_core::{ClientId, Outcome, Request};

/// The same history without what only answers tell.
fn observed(builder: &HistoryBuilder) -> History<Cells> {
    let mut history = History::new();
    for (client, act) in (1..).zip(&builder.acts) {
        let (invoked, completed) = (act.completion.invoked, act.completion.completed);
        let times = invoked.micros()..=completed.micros();
        history.observe(
            ClientId(client),
            &act.request,
            &act.completion.outcome,
            times,
        );
    }
    history
}

fn builder() -> HistoryBuilder {
    let mut builder = HistoryBuilder::default();
    builder.then(create(X, 0), (0, 10));
    builder.then(add(X, 1), (20, 30));
    builder.then(read(&[X]), (40, 50));
    builder
}

#[test]
fn outcomes_and_times_are_enough_for_the_black_box() {
    let mut builder = builder();
    let summary = observed(&builder).check_blackbox().unwrap();
    assert_eq!((summary.operations, summary.undecided), (3, 0));
    builder.acts[2].reply(&[0]);
    let violation = observed(&builder).check_blackbox().unwrap_err();
    assert_eq!(violation.kind, ViolationKind::NotLinearizable);
}

#[test]
fn an_observed_request_without_outcome_may_have_taken_effect() {
    let mut builder = builder();
    builder.acts[1].completion.outcome = Outcome::Unknown;
    for seen in [0, 1] {
        builder.acts[2].reply(&[seen]);
        observed(&builder).check_blackbox().unwrap();
    }
    builder.acts[2].reply(&[2]);
    assert!(observed(&builder).check_blackbox().is_err());
}

#[test]
fn the_witnessed_check_refuses_what_has_no_witness() {
    let violation = observed(&builder()).check().unwrap_err();
    assert_eq!(violation.kind, ViolationKind::Answer(Misfit::Unwitnessed));
}

#[test]
fn both_checks_say_who_found_what() {
    let good = builder();
    let summary = good.history().check_both().unwrap();
    assert_eq!((summary.replayed, summary.components), (3, 1));

    let rejection = observed(&good).check_both().unwrap_err();
    assert!(matches!(rejection, Rejection::Witnessed(_)), "{rejection}");

    let mut wrong = good.clone();
    wrong.acts[2].reply(&[7]);
    let rejection = wrong.history().check_both().unwrap_err();
    let kinds: Vec<ViolationKind> = rejection.violations().map(|found| found.kind).collect();
    assert_eq!(
        kinds,
        [ViolationKind::Replay, ViolationKind::NotLinearizable]
    );
    let text = rejection.to_string();
    assert!(text.starts_with("witnessed: not linearizable: "), "{text}");
    assert!(text.contains("\nblack-box: not linearizable: "), "{text}");
}

#[test]
fn objects_are_listed_once() {
    let mut builder = builder();
    builder.then(Request::lookup(Y), (60, 70));
    assert_eq!(builder.history().objects(), [X, Y]);
}

#[test]
#[should_panic(expected = "time runs backwards")]
fn an_answer_before_its_invocation_is_refused() {
    let mut history = History::<Cells>::new();
    let times = std::ops::RangeInclusive::new(10, 5);
    history.observe(ClientId(1), &read(&[X]), &Outcome::NotFound, times);
}
