//! Followers that are reached slowly: what is large takes longer than an election, what is small
//! does not wait for it.

use bytes::Bytes;
use ssmr_log::{Body, Committed, GroupLog, LogMessage, LogOutbox};
use std::collections::BTreeMap;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(5);
/// How long entries occupy a connection: several times as long as followers are patient.
const SLOW: Duration = Duration::from_secs(4);

/// Three replicas. Their messages keep their order within each of two lanes.
struct Group {
    logs: Vec<GroupLog>,
    now: Duration,
    /// By when they arrive.
    under_way: BTreeMap<(Duration, u64), (u8, u8, LogMessage)>,
    sent: u64,
    /// When the connection for what is large, from one to another, is free again.
    free: BTreeMap<(u8, u8), Duration>,
    /// How often entries went to each follower.
    copies: BTreeMap<u8, u32>,
}

impl Group {
    fn new() -> Self {
        Self {
            logs: (0..3).map(|index| GroupLog::new(index, 3, 7)).collect(),
            now: STEP,
            under_way: BTreeMap::new(),
            sent: 0,
            free: BTreeMap::new(),
            copies: BTreeMap::new(),
        }
    }

    /// Has one replica do something, and sends what comes of it.
    fn act(&mut self, who: u8, act: impl FnOnce(&mut GroupLog, Duration, &mut LogOutbox)) {
        let mut out = LogOutbox::default();
        act(&mut self.logs[usize::from(who)], self.now, &mut out);
        for (to, message) in out.messages {
            let full = matches!(&message.body, Body::Append(it) if !it.entries.is_empty());
            *self.copies.entry(to).or_default() += u32::from(full);
            let mut arrival = self.now + STEP;
            if message.is_bulk() {
                let free = self.free.entry((who, to)).or_default();
                *free = self.now.max(*free) + if full { SLOW } else { STEP };
                arrival = *free;
            }
            self.sent += 1;
            self.under_way
                .insert((arrival, self.sent), (who, to, message));
        }
    }

    /// Lets so much time pass.
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
            for who in 0..3 {
                self.act(who, GroupLog::on_timer);
            }
        }
    }
}

#[test]
fn a_leader_goes_on_leading_and_sends_few_copies() {
    let mut group = Group::new();
    // The first entry is late too: that the group settles takes a while.
    group.pass(10 * SLOW);
    let leader = (0..3).find(|who| group.logs[usize::from(*who)].is_leader());
    let leader = leader.expect("somebody leads");
    let term = group.logs[usize::from(leader)].term();
    for log in &mut group.logs {
        while log.poll_committed().is_some() {}
    }
    group.copies.clear();
    group.act(leader, |log, now, out| {
        log.propose(now, Bytes::from_static(b"large"), out);
    });
    group.pass(10 * SLOW);
    for log in &mut group.logs {
        assert_eq!(log.term(), term, "somebody else was elected");
        assert!(matches!(log.poll_committed(), Some(Committed::Entry(..))));
    }
    for follower in (0..3).filter(|who| *who != leader) {
        let copies = group.copies[&follower];
        assert!((1..=7).contains(&copies), "{copies} copies to {follower}");
    }
}
