//! What a leader may count on, and what its followers are bound by: for reads that are not ordered.

use ssmr_log::{Body, GroupLog, LogEntry, LogMessage, LogOutbox, LogPosition, Stored};
use std::collections::BTreeMap;
use std::time::Duration;

/// Longer than an election timeout: nobody is bound any more.
const LATER: Duration = Duration::from_millis(600);
/// Within it.
const SOON: Duration = Duration::from_millis(300);

/// Three replicas between which everything arrives at once, and what they have stored.
struct Group {
    logs: Vec<GroupLog>,
    stored: BTreeMap<u8, Stored>,
    now: Duration,
}

impl Group {
    /// A group in which replica 0 leads and has committed something.
    fn led() -> Self {
        let logs = (0..3).map(|index| GroupLog::new(index, 3, 7)).collect();
        let mut group = Self {
            logs,
            stored: BTreeMap::new(),
            now: Duration::from_millis(1),
        };
        group.act(0, GroupLog::on_timer);
        assert!(group.logs[0].is_leader());
        for log in &mut group.logs {
            while log.poll_committed().is_some() {}
        }
        group
    }

    /// Has one replica do something, and delivers what comes of it.
    fn act(&mut self, who: u8, act: impl FnOnce(&mut GroupLog, Duration, &mut LogOutbox)) {
        let mut out = LogOutbox::default();
        act(&mut self.logs[usize::from(who)], self.now, &mut out);
        let mut under_way = vec![(who, self.keep(who, out))];
        while let Some((from, messages)) = under_way.pop() {
            for (to, message) in messages {
                let answers = self.hand(to, from, message);
                under_way.push((to, answers));
            }
        }
    }

    /// Hands one message over. Returns what the receiver says.
    fn hand(&mut self, to: u8, from: u8, message: LogMessage) -> Vec<(u8, LogMessage)> {
        let mut out = LogOutbox::default();
        self.logs[usize::from(to)].on_message(self.now, from, message, &mut out);
        self.keep(to, out)
    }

    fn keep(&mut self, who: u8, out: LogOutbox) -> Vec<(u8, LogMessage)> {
        let stored = self.stored.entry(who).or_default();
        out.records
            .into_iter()
            .for_each(|record| stored.add(record));
        out.messages
    }

    /// Whether a replica votes for replica 2, which asks it to in a later term with all that is in
    /// the log.
    fn votes(&mut self, who: u8) -> bool {
        let log = &self.stored[&2].entries;
        let term = self.logs[0].term();
        let index = log.len() as u64;
        let last = LogPosition { term, index };
        assert!(matches!(log.last(), Some(LogEntry::Term(_))));
        let body = Body::VoteCall {
            term: term + 1,
            last,
        };
        let said = self.hand(
            who,
            2,
            LogMessage {
                generation: 0,
                body,
            },
        );
        let granted = |(_, message): &(u8, LogMessage)| {
            matches!(message.body, Body::VoteReply { granted: true, .. })
        };
        said.iter().any(granted)
    }

    fn confirm(&mut self) {
        self.act(0, GroupLog::confirm_leadership);
    }
}

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
    assert!(!group.votes(1), "it has promised");
    group.now += LATER;
    assert!(group.votes(1), "the promise is over");
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
    assert!(!group.votes(1), "it may have promised a moment ago");
    let mut out = LogOutbox::default();
    group.now += SOON;
    group.logs[1].on_timer(group.now, &mut out);
    assert!(out.messages.is_empty(), "nor does it campaign: {out:?}");
    group.now += LATER;
    assert!(group.votes(1));
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
