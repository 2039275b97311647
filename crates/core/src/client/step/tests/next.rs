//! What follows from how far a task is.

use super::*;
use crate::codec;
use crate::topology::Topology;

#[test]
fn what_needs_no_group_is_completed_at_once_and_the_rest_is_planned() {
    let mut setting = setting();
    let submit = |setting: &Setting, request| setting.next(&Task::new(request, at(0)));
    let nowhere = Request::relocate(X, PartitionId(9));
    let refused = Step::Complete(Outcome::Refused(Defect::NoSuchPartition));
    assert_eq!(submit(&setting, nowhere), refused);
    let nothing = Step::Complete(Outcome::Done(Bytes::new()));
    assert_eq!(submit(&setting, Request::default()), nothing);
    assert_eq!(submit(&setting, Request::relocate(X, P0)), Step::Plan);
    let oracle = AskFirst {
        movable: false,
        shared_cache: false,
    };
    setting.placement = Placement::new(oracle, Topology::new(3, 3).unwrap());
    let unsupported = Step::Complete(Outcome::Unsupported);
    assert_eq!(submit(&setting, Request::relocate(X, P0)), unsupported);
    assert_eq!(submit(&setting, reads(&[X])), Step::Plan);
}

/// The requests at each stage in which something is about to be sent, with where it would go.
fn about_to_send() -> [(Task, Groups); 4] {
    let query = located(reads(&[X]), &[(X, P1)]);
    let attempt = located(writes(X), &[(X, P1)]);
    let mut spent = task(reads(&[X]), Stage::Planning);
    spent.budget = 0;
    [
        (Task::new(reads(&[X]), at(0)), Groups::EMPTY),
        (query, P1.into()),
        (attempt, P1.into()),
        (spent, Groups::partitions(3)),
    ]
}

#[test]
fn nothing_is_sent_before_the_time_is_known() {
    let mut setting = setting();
    setting.policy.reads = Reads::Index;
    setting.time_is_known = false;
    for (task, destinations) in about_to_send() {
        assert_eq!(setting.next(&task), Step::Queue { destinations });
    }
}

#[test]
fn what_would_go_to_a_group_that_does_not_answer_queues_and_the_rest_does_not() {
    let mut setting = setting();
    setting.policy.reads = Reads::Index;
    for _ in 0..SESSION_WINDOW {
        setting.sessions.allot(1, P1.into());
    }
    for (task, destinations) in about_to_send() {
        let queues = setting.next(&task) == Step::Queue { destinations };
        assert_eq!(queues, !destinations.is_empty());
    }
    let elsewhere = located(writes(X), &[(X, P2)]);
    let attempt = Step::Attempt {
        destinations: P2.into(),
    };
    assert_eq!(setting.next(&elsewhere), attempt);
}

#[test]
fn the_oldest_for_which_there_is_room_is_admitted_once_the_time_is_known() {
    let mut setting = setting();
    let mut waiting = Waiting::default();
    let admits = |setting: &Setting, waiting: &Waiting| admission(waiting, &setting.view());
    assert_eq!(admits(&setting, &waiting), Admission::Nobody);
    for (ticket, destinations) in [(1, P1), (2, P2), (3, P1)] {
        waiting.add(ticket, destinations.into());
    }
    assert_eq!(admits(&setting, &waiting), Admission::Plan(1));
    for _ in 0..SESSION_WINDOW {
        setting.sessions.allot(1, P1.into());
    }
    assert_eq!(admits(&setting, &waiting), Admission::Plan(2));
    waiting.remove(2, P2.into());
    assert_eq!(admits(&setting, &waiting), Admission::Nobody);
    setting.time_is_known = false;
    assert_eq!(admits(&setting, &waiting), Admission::Greet);
    let waits = task(reads(&[X]), super::waiting());
    assert_eq!(setting.next(&waits), Step::Wait, "its turn comes");
}

#[test]
fn a_plan_locates_the_objects_and_waits_for_the_hints_that_are_missing() {
    let setting = setting();
    let planning = task(reads(&[X, Y]), Stage::Planning);
    let locate = Step::Locate {
        known: vec![(X, P1)],
        missing: [Y].into(),
    };
    assert_eq!(setting.next(&planning), locate);
    let waiting = task(reads(&[X, Y]), locating(&[Y]));
    assert_eq!(setting.next(&waiting), Step::Wait);
}

#[test]
fn termination_the_request_goes_to_all_groups_once_the_budget_is_spent() {
    let setting = setting();
    let mut spent = task(reads(&[X]), Stage::Planning);
    spent.budget = 0;
    let destinations = Groups::partitions(3);
    assert_eq!(setting.next(&spent), Step::FallBack { destinations });
}

#[test]
fn what_is_located_is_attempted_where_it_is_and_else_at_an_authority() {
    let setting = setting();
    let to = |task: &Task| match setting.next(task) {
        Step::Attempt { destinations } => destinations,
        step => panic!("{step:?}"),
    };
    let apart = located(reads(&[X, Y]), &[(X, P1), (Y, P2)]);
    assert_eq!(to(&apart), Groups::from(P1).union(P2.into()));
    let unknown = located(reads(&[X]), &[]);
    assert_eq!(to(&unknown), P0.into());
}

#[test]
fn gather_moves_what_is_elsewhere_once_and_only_if_asked_to() {
    let mut setting = setting();
    let mut apart = located(reads(&[X, Y]), &[(X, P1), (Y, P2)]);
    assert!(matches!(setting.next(&apart), Step::Attempt { .. }));
    setting.policy.execution = Execution::Gather;
    let moves = vec![Request::relocate(Y, P1)];
    assert_eq!(setting.next(&apart), Step::Gather { moves });
    apart.gathered = true;
    assert!(matches!(setting.next(&apart), Step::Attempt { .. }));
    let together = located(reads(&[X, Y]), &[(X, P1), (Y, P1)]);
    assert!(matches!(setting.next(&together), Step::Attempt { .. }));
}

#[test]
fn moves_start_while_the_window_has_room_and_all_of_them_are_waited_for() {
    let setting = setting();
    for (left, under_way, step) in [
        (2, 0, Step::Move),
        (1, GATHER_WINDOW - 1, Step::Move),
        (1, GATHER_WINDOW, Step::Wait),
        (0, 1, Step::Wait),
        (0, 0, Step::Gathered),
    ] {
        let gathers = task(reads(&[X, Y]), gathering(left, under_way));
        assert_eq!(setting.next(&gathers), step, "{left}, {under_way}");
    }
}

#[test]
fn a_read_at_one_partition_is_queried_once_before_its_first_attempt() {
    let mut setting = setting();
    let mut read = located(reads(&[X]), &[(X, P1)]);
    let attempt = Step::Attempt {
        destinations: P1.into(),
    };
    assert_eq!(setting.next(&read), attempt);
    setting.policy.reads = Reads::Index;
    let group = P1.into();
    assert_eq!(setting.next(&read), Step::Query { group });
    read.queried = true;
    assert_eq!(setting.next(&read), attempt);
    (read.queried, read.attempts) = (false, 1);
    assert_eq!(setting.next(&read), attempt);
    let write = located(writes(X), &[(X, P1)]);
    assert_eq!(setting.next(&write), attempt);
    let apart = located(reads(&[X, Y]), &[(X, P1), (Y, P2)]);
    assert!(matches!(setting.next(&apart), Step::Attempt { .. }));
}

#[test]
fn r5_nothing_follows_an_attempt_or_a_query_until_it_is_answered() {
    let setting = setting();
    for stage in [attempting(0), attempting(99), querying()] {
        assert_eq!(setting.next(&task(reads(&[X]), stage)), Step::Wait);
    }
}

#[test]
fn a_verdict_completes_the_request() {
    let setting = setting();
    for (verdict, outcome) in [
        (Verdict::Done, Outcome::Done(Bytes::new())),
        (Verdict::AlreadyExists, Outcome::AlreadyExists),
        (Verdict::NotFound, Outcome::NotFound),
        (Verdict::Changed, Outcome::Changed),
        (Verdict::Failed, Outcome::Failed),
        (Verdict::Forgotten, Outcome::Unknown),
        (
            Verdict::TooLarge,
            Outcome::Refused(Defect::OperandsTooLarge),
        ),
    ] {
        let mut task = answered(verdict, 1);
        assert_eq!(setting.next(&task), Step::Complete(outcome.clone()));
        task.given_up = true;
        assert_eq!(setting.next(&task), Step::Complete(outcome));
    }
    let ended = task(reads(&[X]), Stage::Ended(Outcome::Unknown));
    assert_eq!(setting.next(&ended), Step::Complete(Outcome::Unknown));
}

#[test]
fn r5_another_attempt_follows_a_retry_and_a_declined_query_costs_none() {
    let setting = setting();
    assert_eq!(setting.next(&answered(Verdict::Retry, 1)), Step::Retry);
    assert_eq!(setting.next(&answered(Verdict::Retry, 0)), Step::Plan);
    let expired = answered(Verdict::SessionExpired, 1);
    assert_eq!(setting.next(&expired), Step::ChangeSession);
}

#[test]
fn r5_a_request_that_was_given_up_ends_with_its_attempt() {
    let setting = setting();
    for verdict in [Verdict::Retry, Verdict::SessionExpired] {
        let mut task = answered(verdict, 1);
        task.given_up = true;
        assert_eq!(setting.next(&task), Step::Drop, "{verdict:?}");
    }
}

#[test]
fn a_reply_reaches_the_user_as_the_service_gave_it() {
    let mut answer = answer(Verdict::Done);
    answer.reply = codec::encode(&7u64);
    let stage = Stage::Answered {
        answer: Arc::new(answer.clone()),
        hints: Vec::new(),
    };
    let step = Step::Complete(Outcome::Done(answer.reply));
    assert_eq!(setting().next(&task(reads(&[X]), stage)), step);
}
