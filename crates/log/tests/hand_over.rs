//! A leader that hands over: to whom, what it counts on meanwhile, and what becomes of it if nobody
//! takes over.

mod common;

use bytes::Bytes;
use common::Trial;
use common::group::Group;
use rand::RngExt;
use ssmr_log::{Body, GroupLog, HandOverRefused, LogMessage, LogOutbox, MemberId};
use std::time::Duration;

/// Within an election timeout.
const SOON: Duration = Duration::from_millis(300);
/// Longer than one.
const LATER: Duration = Duration::from_millis(600);

/// Has the leader hand over, and returns what it says then.
fn hand_over(group: &mut Group, to: Option<u8>) -> Vec<(u8, LogMessage)> {
    let mut out = LogOutbox::default();
    let begun = group.logs[0].hand_over(group.now, to, &mut out);
    begun.expect("it leads and everybody is there");
    group.keep(0, out)
}

/// A group in which replica 0 leads, hears all others, and has confirmed that it does.
fn confirmed() -> Group {
    let mut group = Group::led();
    group.act(0, |log, now, out| {
        log.propose(now, Bytes::from_static(b"x"), out);
    });
    group.now += SOON;
    group.confirm();
    group
}

fn lease_ends(group: &Group) -> Duration {
    let mut polled = group.logs[0].confirmed_leadership(group.now);
    polled.take().expect("it is confirmed").lease_until
}

#[test]
fn the_one_that_is_named_leads_at_once_though_all_have_just_heard_of_the_leader() {
    for to in [1, 2] {
        let mut group = confirmed();
        let poll = |log: &mut GroupLog| while log.poll_committed().is_some() {};
        group.logs.iter_mut().for_each(poll);
        let term = group.logs[0].term();
        group.act(0, |log, now, out| {
            let begun = log.hand_over(now, Some(to), out);
            assert_eq!(begun.map(MemberId::index), Ok(to));
        });
        let leads = |log: &GroupLog| log.is_leader();
        assert_eq!(group.logs.iter().position(leads), Some(usize::from(to)));
        for log in &group.logs {
            assert_eq!((log.leader(), log.term()), (Some(to), term + 1));
            assert!(!log.is_handing_over());
        }
    }
}

#[test]
fn a_leader_that_has_asked_somebody_counts_on_no_lease_in_that_term_and_confirms_reads() {
    let mut group = confirmed();
    group
        .logs
        .iter_mut()
        .for_each(|log| while log.poll_committed().is_some() {});
    assert!(lease_ends(&group) > group.now);
    let lost = hand_over(&mut group, None);
    let asks = |(_, message): &(u8, LogMessage)| matches!(message.body, Body::TakeOver { .. });
    assert!(lost.iter().any(asks), "{lost:?}");
    assert_eq!(lease_ends(&group), Duration::ZERO);
    // Nobody has taken over, and it goes on.
    group.now += LATER;
    group.act(0, GroupLog::on_timer);
    assert!(group.logs[0].is_leader() && !group.logs[0].is_handing_over());
    let read = group.logs[0].read_moment(group.now);
    group.confirm();
    let known = group.logs[0].confirmed_leadership(group.now).unwrap();
    assert!(
        known.confirmed_at >= read,
        "reads are answered by the index"
    );
    assert_eq!(known.lease_until, Duration::ZERO, "and by no lease");
    // For its request may come now.
    let (to, request) = lost.into_iter().find(asks).unwrap();
    let said = group.hand(to, 0, request);
    let calls = |(_, message): &(u8, LogMessage)| {
        matches!(
            message.body,
            Body::VoteCall {
                requested: true,
                ..
            }
        )
    };
    assert!(said.iter().all(calls) && said.len() == 2, "{said:?}");
}

#[test]
fn who_leads_later_has_leases_again() {
    let mut group = confirmed();
    for _ in 0..2 {
        let leader = group.logs.iter().position(GroupLog::is_leader).unwrap();
        group.act(leader as u8, |log, now, out| {
            log.hand_over(now, None, out).unwrap();
        });
        group
            .logs
            .iter_mut()
            .for_each(|log| while log.poll_committed().is_some() {});
    }
    let leader = group.logs.iter().position(GroupLog::is_leader).unwrap();
    group.act(leader as u8, GroupLog::confirm_leadership);
    let known = group.logs[leader].confirmed_leadership(group.now).unwrap();
    assert!(known.lease_until > group.now);
}

#[test]
fn nothing_is_proposed_while_a_leader_hands_over() {
    let mut group = confirmed();
    hand_over(&mut group, Some(1));
    assert!(group.logs[0].is_handing_over());
    let (now, mut out) = (group.now, LogOutbox::default());
    group.logs[0].propose(now, Bytes::from_static(b"y"), &mut out);
    assert!(out.records.is_empty() && out.messages.is_empty(), "{out:?}");
    group.now += LATER;
    group.act(0, GroupLog::on_timer);
    let before = group.logs[0].commit_index();
    group.act(0, |log, now, out| {
        log.propose(now, Bytes::from_static(b"z"), out);
    });
    assert_eq!(group.logs[0].commit_index(), before + 1, "it goes on");
}

#[test]
fn a_request_that_was_lost_is_made_again() {
    let mut group = confirmed();
    hand_over(&mut group, Some(2));
    group.now += Duration::from_millis(100);
    group.act(0, GroupLog::on_timer);
    assert!(group.logs[2].is_leader());
}

#[test]
fn nobody_is_asked_who_lacks_an_entry() {
    let mut group = confirmed();
    let (now, mut out) = (group.now, LogOutbox::default());
    group.logs[0].propose(now, Bytes::from_static(b"y"), &mut out);
    let on_their_way = group.keep(0, out);
    let said = hand_over(&mut group, Some(1));
    assert!(said.is_empty(), "{said:?}");
    // Replica 2 has it, so it is committed; replica 1 has not.
    let mut asked = Vec::new();
    for to in [2, 1] {
        let entry = on_their_way.iter().find(|(other, _)| *other == to).unwrap();
        let answers = group.hand(to, 0, entry.1.clone());
        for (_, answer) in answers {
            let said = group.hand(0, to, answer);
            let asks = |message: &LogMessage| matches!(message.body, Body::TakeOver { .. });
            asked.extend(said.iter().filter(|it| asks(&it.1)).map(|it| (to, it.0)));
        }
    }
    assert_eq!(asked, [(1, 1)], "it is asked when it has the entry");
}

#[test]
fn voters_are_free_only_if_the_leader_has_asked() {
    let mut group = Group::led();
    group.confirm();
    assert!(
        !group.votes(1, false),
        "it has heard of its leader just now"
    );
    assert!(group.votes(1, true));
}

#[test]
fn a_request_of_an_earlier_term_moves_nobody() {
    let mut group = confirmed();
    let lost = hand_over(&mut group, Some(1));
    let (_, request) = lost.into_iter().next().unwrap();
    group.now += Duration::from_millis(100);
    group.act(0, GroupLog::on_timer);
    assert!(group.logs[1].is_leader());
    group.act(1, |log, now, out| {
        log.hand_over(now, Some(0), out).unwrap();
    });
    assert!(group.logs[0].is_leader(), "it leads again, in a later term");
    assert_eq!(group.hand(1, 0, request), []);
}

#[test]
fn a_leader_says_why_it_does_not_hand_over() {
    let refused = |group: &mut Group, who: u8, to: Option<u8>| {
        let mut out = LogOutbox::default();
        let now = group.now;
        let begun = group.logs[usize::from(who)].hand_over(now, to, &mut out);
        assert!(out.messages.is_empty());
        begun.unwrap_err()
    };
    let mut group = confirmed();
    assert_eq!(refused(&mut group, 1, None), HandOverRefused::NotLeader);
    for to in [0, 3, 255] {
        assert_eq!(refused(&mut group, 0, Some(to)), HandOverRefused::NoVoter);
    }
    group.now += LATER;
    assert_eq!(
        refused(&mut group, 0, None),
        HandOverRefused::Behind,
        "all are silent"
    );
    let mut group = confirmed();
    hand_over(&mut group, Some(1));
    assert_eq!(
        refused(&mut group, 0, Some(2)),
        HandOverRefused::UnderWay { to: 1 }
    );
    let mut alone = GroupLog::new(0, 1, 7);
    let mut out = LogOutbox::default();
    alone.on_timer(Duration::ZERO, &mut out);
    let begun = alone.hand_over(Duration::ZERO, None, &mut out);
    assert_eq!(begun, Err(HandOverRefused::NoVoter));
}

#[test]
fn whoever_is_best_takes_over() {
    let mut group = confirmed();
    group.now += SOON;
    // Replica 2 is heard of, replica 1 has been silent for a while.
    let heartbeats = {
        let mut out = LogOutbox::default();
        group.logs[0].on_timer(group.now, &mut out);
        group.keep(0, out)
    };
    for (to, message) in heartbeats.into_iter().filter(|(to, _)| *to == 2) {
        for (_, answer) in group.hand(to, 0, message) {
            group.hand(0, 2, answer);
        }
    }
    let mut out = LogOutbox::default();
    let best = group.logs[0].hand_over(group.now, None, &mut out);
    assert_eq!(best.map(MemberId::index), Ok(2));
}

/// Under loss, crashes, torn writes, snapshots and replicas that forget.
#[test]
fn whatever_happens_meanwhile_replicas_agree_and_go_on() {
    let mut begun = 0;
    for seed in 0..40 {
        let mut trial = Trial::new(seed, 30);
        for step in 0..1_500 {
            trial.step();
            if step % 40 == 39 {
                trial.strike();
            }
            if step % 10 == 9 {
                let (index, now) = (trial.rng.random_range(0..3), trial.now);
                trial.with(index, |log, out| {
                    begun += u32::from(log.hand_over(now, None, out).is_ok());
                });
            }
        }
        trial.heal();
    }
    assert!(begun > 400, "only {begun} hand-overs began");
}

/// An elected leader costs its group an election timeout; one that is handed leadership does not.
/// Nor does it wait for a heartbeat before it says anything, however long the log.
#[test]
fn hand_overs_in_a_row_cost_no_time_out() {
    let mut trial = Trial::new(3, 0);
    (0..500).for_each(|_| trial.step());
    let leader = |trial: &Trial| (0..3).find(|index| trial.leads(*index));
    for _ in 0..50 {
        let (before, now) = (leader(&trial).unwrap(), trial.now);
        trial.with(before, |log, out| {
            log.hand_over(now, None, out).unwrap();
        });
        while leader(&trial).is_none_or(|leader| leader == before) {
            trial.step();
            assert!(trial.now < now + Duration::from_millis(100));
        }
        (0..20).for_each(|_| trial.step());
    }
    trial.heal();
}
