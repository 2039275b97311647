//! What follows from the time that has passed.

use super::*;

#[test]
fn r5_an_unanswered_attempt_is_repeated_ever_more_seldom() {
    let setting = setting();
    let read = |stage| task(reads(&[X]), stage);
    assert_eq!(setting.overdue(9, &read(attempting(0))), Step::Wait);
    assert_eq!(setting.overdue(10, &read(attempting(0))), Step::Repeat);
    assert_eq!(setting.overdue(19, &read(attempting(4))), Step::Wait);
    assert_eq!(setting.overdue(20, &read(attempting(4))), Step::Repeat);
}

#[test]
fn hints_are_asked_for_again_and_an_unanswered_query_is_given_up() {
    let setting = setting();
    for (stage, step) in [
        (locating(&[X]), Step::AskAgain),
        (querying(), Step::StopQuery),
        (waiting(), Step::Wait),
        (gathering(1, 1), Step::Wait),
    ] {
        let task = task(reads(&[X]), stage);
        assert_eq!(setting.overdue(9, &task), Step::Wait);
        assert_eq!(setting.overdue(10, &task), step);
    }
}

#[test]
fn r5_at_the_deadline_an_attempt_goes_on_and_what_has_none_under_way_ends() {
    let setting = setting();
    for stage in [waiting(), locating(&[X]), gathering(1, 1), querying()] {
        let task = task(reads(&[X]), stage);
        assert_ne!(setting.overdue(999, &task), Step::GiveUp);
        assert_eq!(setting.overdue(1_000, &task), Step::GiveUp, "{task:?}");
    }
    let mut attempts = task(reads(&[X]), attempting(0));
    assert_eq!(setting.overdue(1_000, &attempts), Step::TellUnknown);
    attempts.given_up = true;
    assert_eq!(setting.overdue(1_000, &attempts), Step::Repeat);
}
