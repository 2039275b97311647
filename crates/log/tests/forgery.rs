//! What one message may move, whoever sends it: a group goes on after any of them.

mod common;

use common::Trial;
use ssmr_log::{Body, GroupLog, LogMessage, LogPosition, MemberId};
use std::time::Duration;

/// A group of three that has worked for a second.
fn at_work(seed: u64) -> Trial {
    let mut trial = Trial::new(seed, 0);
    (0..500).for_each(|_| trial.step());
    trial
}

/// Everybody is told something in the name of each replica, of each of these generations.
fn tell_all(trial: &mut Trial, body: &Body, generations: &[u64]) {
    let now = trial.now;
    for (from, to) in (0..3).flat_map(|from| (0..3).map(move |to| (from, to))) {
        for &generation in generations {
            let body = body.clone();
            let message = LogMessage { generation, body };
            trial.with(to, |log, out| log.on_message(now, from, message, out));
        }
    }
}

fn terms(trial: &Trial) -> Vec<u64> {
    let logs = (0..3).filter_map(|index| trial.log(index));
    logs.map(GroupLog::term).collect()
}

#[test]
fn no_message_uses_terms_up() {
    let last = LogPosition {
        term: u64::MAX,
        index: u64::MAX,
    };
    let term = u64::MAX;
    let forged = [
        Body::PreVoteCall { term, last },
        Body::PreVoteReply {
            term,
            granted: false,
        },
        Body::PreVoteReply {
            term,
            granted: true,
        },
        Body::VoteCall {
            term,
            last,
            requested: false,
        },
        Body::VoteCall {
            term,
            last,
            requested: true,
        },
        Body::TakeOver { term },
        Body::VoteReply {
            term,
            granted: false,
        },
        Body::Appended {
            term,
            last: LogPosition::ZERO,
            rejected: true,
        },
        Body::ConfirmLeadership {
            term,
            asked: Duration::MAX,
        },
        Body::LeadershipConfirmed {
            term,
            asked: Duration::MAX,
        },
    ];
    for (seed, body) in (0..).zip(&forged) {
        let mut trial = at_work(seed);
        let before = terms(&trial);
        tell_all(
            &mut trial,
            body,
            &[0, 1, MemberId::LAST_GENERATION, u64::MAX],
        );
        assert_eq!(terms(&trial), before, "{body:?}");
        trial.heal();
    }
}

#[test]
fn a_forged_wish_to_join_leaves_generations_to_the_real_replica() {
    let mut trial = at_work(1);
    let members = |trial: &Trial| {
        let told = (0..3).filter_map(|index| trial.log(index)?.settled_members());
        told.collect::<Vec<_>>()
    };
    let before = members(&trial);
    let far = [1 << 50, MemberId::LAST_GENERATION, u64::MAX];
    tell_all(&mut trial, &Body::Join, &far);
    (0..500).for_each(|_| trial.step());
    assert_eq!(members(&trial), before);
    trial.forget(1);
    trial.heal();
}

#[test]
fn a_member_does_not_leave_its_name_when_it_is_told_to() {
    let mut trial = at_work(2);
    let (refused, after) = (0, 7);
    tell_all(&mut trial, &Body::JoinLater { refused, after }, &[0, 1]);
    let generations = trial.seats.iter().map(|seat| seat.disk.generation);
    assert_eq!(generations.collect::<Vec<_>>(), [0, 0, 0]);
    trial.heal();
}

/// A replica forgets, and its machine's calendar has stepped back, or is years ahead: its
/// generation is then not one that comes next, and the group tells it one that does.
#[test]
fn a_generation_by_a_wrong_calendar_is_put_right() {
    let mut trial = at_work(3);
    trial.forget_in(1, 1 << 39);
    trial.heal();
    assert_eq!(trial.seats[1].disk.generation, 1 << 39, "it came next");
    for wrong in [5, (1 << 39) - 1, MemberId::LAST_GENERATION, 1 << 45] {
        let before = trial.seats[1].disk.generation;
        trial.forget_in(1, wrong);
        trial.heal();
        let generation = trial.seats[1].disk.generation;
        assert!(generation > before && generation != wrong, "{generation}");
    }
}
