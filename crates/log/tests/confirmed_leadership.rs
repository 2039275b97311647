//! What a leader may count on, and what its followers are bound by: for reads that are not ordered.

mod common;

use common::group::Group;
use ssmr_log::{Body, GroupLog, LogMessage, LogOutbox};
use std::time::Duration;

/// Longer than an election timeout: nobody is bound any more.
const LATER: Duration = Duration::from_millis(600);
/// Within it.
const SOON: Duration = Duration::from_millis(300);

#[test]
fn a_leader_is_sure_once_a_majority_has_confirmed_it() {
    let mut group = Group::led();
    assert_eq!(
        group.logs[0].confirmed_leadership(group.now),
        None,
        "nobody was asked"
    );
    group.now += SOON;
    let asked = group.now;
    group.confirm();
    group.now += SOON;
    let known = group.logs[0].confirmed_leadership(group.now);
    let known = known.expect("two have confirmed it");
    assert_eq!(known.confirmed_at, asked);
    assert!(known.lease_until > group.now && known.lease_until < asked + LATER);
    assert_eq!(
        group.logs[1].confirmed_leadership(group.now),
        None,
        "it does not lead"
    );
}

/// Found by the simulator: a machine that was suspended just when its leader had asked.
#[test]
fn no_question_confirms_a_read_that_came_after_it_though_the_clock_stands_still() {
    let mut group = Group::led();
    group.confirm();
    let read = group.logs[0].read_moment(group.now);
    let confirmed_at = |group: &Group| {
        let known = group.logs[0].confirmed_leadership(group.now);
        known.expect("two have confirmed it").confirmed_at
    };
    assert!(confirmed_at(&group) < read);
    group.confirm();
    assert!(confirmed_at(&group) >= read);
}

#[test]
fn an_answer_to_an_earlier_term_confirms_nothing() {
    let mut group = Group::led();
    let body = Body::LeadershipConfirmed {
        term: group.logs[0].term() - 1,
        asked: group.now,
    };
    for from in [1, 2] {
        let body = body.clone();
        group.hand(
            0,
            from,
            LogMessage {
                generation: 0,
                body,
            },
        );
    }
    assert_eq!(group.logs[0].confirmed_leadership(group.now), None);
}

#[test]
fn who_has_confirmed_a_leader_votes_for_nobody_for_a_while() {
    let mut group = Group::led();
    group.now += LATER;
    group.confirm();
    group.now += SOON;
    assert!(!group.votes(1, false), "it has promised");
    group.now += LATER;
    assert!(group.votes(1, false), "the promise is over");
}

#[test]
fn a_promise_holds_over_a_restart() {
    let mut group = Group::led();
    group.now += LATER;
    group.confirm();
    // Its clock begins anew, and it does not know when it promised.
    group.now = Duration::ZERO;
    let stored = group.stored[&1].clone();
    group.logs[1] = GroupLog::restore(1, 3, 7, stored);
    assert!(!group.votes(1, false), "it may have promised a moment ago");
    let mut out = LogOutbox::default();
    group.now += SOON;
    group.logs[1].on_timer(group.now, &mut out);
    assert!(out.messages.is_empty(), "nor does it campaign: {out:?}");
    group.now += LATER;
    assert!(group.votes(1, false));
}

#[test]
fn a_candidate_that_hears_of_a_leader_does_not_vote_for_itself() {
    let mut group = Group::led();
    group.now += 3 * LATER;
    let mut out = LogOutbox::default();
    group.logs[1].on_timer(group.now, &mut out);
    let asks = |(_, message): &(u8, LogMessage)| matches!(message.body, Body::PreVoteCall { .. });
    assert!(out.messages.iter().any(asks), "it has lost patience");
    let term = group.logs[0].term();
    let asked = group.now;
    let body = Body::ConfirmLeadership { term, asked };
    let said = group.hand(
        1,
        0,
        LogMessage {
            generation: 0,
            body,
        },
    );
    assert!(matches!(said[0].1.body, Body::LeadershipConfirmed { .. }));
    // What it has waited for comes too late.
    let body = Body::PreVoteReply {
        term: term + 1,
        granted: true,
    };
    let said = group.hand(
        1,
        2,
        LogMessage {
            generation: 0,
            body,
        },
    );
    assert!(said.is_empty(), "it campaigns: {said:?}");
}

#[test]
fn a_leader_that_hears_nobody_lets_its_group_go() {
    let mut group = Group::led();
    for _ in 0..400 {
        group.now += Duration::from_millis(10);
        // Somebody wants to read from it all the time.
        for who in 0..3 {
            let mut out = LogOutbox::default();
            let log = &mut group.logs[usize::from(who)];
            log.on_timer(group.now, &mut out);
            log.confirm_leadership(group.now, &mut out);
            let mut under_way = vec![(who, group.keep(who, out))];
            while let Some((from, messages)) = under_way.pop() {
                for (to, message) in messages.into_iter().filter(|(to, _)| *to != 0) {
                    let answers = group.hand(to, from, message);
                    under_way.push((to, answers));
                }
            }
        }
    }
    assert!(group.logs[1].is_leader() || group.logs[2].is_leader());
}
