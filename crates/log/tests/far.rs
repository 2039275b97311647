//! Replicas that are far from each other: timers that allow for the round trip depose nobody.

use bytes::Bytes;
use ssmr_log::{Committed, GroupLog, LogMessage, LogOutbox};
use std::collections::BTreeMap;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(5);

/// A group whose messages take half a round trip each, in order.
struct Group {
    logs: Vec<GroupLog>,
    now: Duration,
    one_way: Duration,
    /// By when they arrive.
    under_way: BTreeMap<(Duration, u64), (u8, u8, LogMessage)>,
    sent: u64,
    /// Entries that replica 0 was told are committed.
    committed: u64,
    proposed: u64,
    /// The leader that each term had.
    leaders: BTreeMap<u64, u8>,
    /// Entries that were sent.
    copies: u64,
}

impl Group {
    /// Timers allow for `allowed`.
    fn new(count: u8, round_trip: Duration, allowed: Duration) -> Self {
        let log = |index| {
            let seed = 7 + u64::from(index);
            GroupLog::new(index, count, seed).with_round_trip(allowed)
        };
        Self {
            logs: (0..count).map(log).collect(),
            now: STEP,
            one_way: round_trip / 2,
            under_way: BTreeMap::new(),
            sent: 0,
            committed: 0,
            proposed: 0,
            leaders: BTreeMap::new(),
            copies: 0,
        }
    }

    fn act(&mut self, who: u8, act: impl FnOnce(&mut GroupLog, Duration, &mut LogOutbox)) {
        let mut out = LogOutbox::default();
        let log = &mut self.logs[usize::from(who)];
        act(log, self.now, &mut out);
        if log.is_leader() {
            self.leaders.insert(log.term(), who);
        }
        while let Some(committed) = log.poll_committed() {
            let is_batch = matches!(committed, Committed::Entry(_, ssmr_log::LogEntry::Batch(_)));
            self.committed += u64::from(who == 0 && is_batch);
        }
        for (to, message) in out.messages {
            if let ssmr_log::Body::Append(append) = &message.body {
                self.copies += append.entries.len() as u64;
            }
            self.sent += 1;
            let arrival = (self.now + self.one_way, self.sent);
            self.under_way.insert(arrival, (who, to, message));
        }
    }

    /// Lets so much time pass. The leader proposes something now and then.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += STEP;
            while let Some(entry) = self.under_way.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let (from, to, message) = entry.remove();
                self.act(to, |log, now, out| log.on_message(now, from, message, out));
            }
            for who in 0..self.logs.len() as u8 {
                self.act(who, GroupLog::on_timer);
                let is_time = self.now.as_millis().is_multiple_of(500);
                if is_time && self.logs[usize::from(who)].is_leader() {
                    self.proposed += 1;
                    self.act(who, |log, now, out| {
                        log.propose(now, Bytes::from_static(b"far"), out);
                    });
                }
            }
        }
    }
}

#[test]
fn one_leader_leads_for_ever_and_sends_each_entry_once() {
    for count in [3, 5] {
        for millis in [0, 1, 80, 140, 300, 1_000, 4_000] {
            let round_trip = Duration::from_millis(millis);
            let mut group = Group::new(count, round_trip, round_trip);
            group.pass(2 * Duration::from_secs(20) + 20 * round_trip);
            let about = format!("{count} replicas, {round_trip:?}: {:?}", group.leaders);
            assert_eq!(group.leaders.len(), 1, "{about}");
            assert!(
                group.committed + 20 > group.proposed && group.committed > 60,
                "{about}"
            );
            // Each batch once to each follower, and the entry that a term begins with, which may
            // go to them again before it is known what they have.
            let once = group.proposed * u64::from(count - 1);
            let spare = 4 * u64::from(count);
            assert!(
                group.copies <= once + spare,
                "{about}: {} of {once}",
                group.copies
            );
        }
    }
}

/// What the setting is for: with the timers of a local network entries are sent again and again,
/// for no answer can be there by the next heartbeat.
#[test]
fn timers_of_a_local_network_are_not_for_far_ones() {
    let mut group = Group::new(3, Duration::from_millis(140), Duration::ZERO);
    group.pass(Duration::from_secs(40));
    let (copies, proposed) = (group.copies, group.proposed);
    assert!(copies > 3 * proposed, "{copies} copies of {proposed}");
}
