//! What a leader sends its followers, and when.

mod common;

use common::group::Group;
use ssmr_log::{Body, GroupLog, LogMessage, LogOutbox};
use std::time::Duration;

/// How often a leader says that it leads.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// Has the leader do something. Returns what it sends, undelivered.
fn begin(
    group: &mut Group,
    act: impl FnOnce(&mut GroupLog, Duration, &mut LogOutbox),
) -> Vec<(u8, LogMessage)> {
    let mut out = LogOutbox::default();
    act(&mut group.logs[0], group.now, &mut out);
    group.keep(0, out)
}

/// Delivers what the leader has sent, and what comes of it.
fn deliver(group: &mut Group, messages: Vec<(u8, LogMessage)>) {
    for (to, message) in messages {
        for (back, answer) in group.hand(to, 0, message) {
            let more = group.hand(back, to, answer);
            deliver(group, more);
        }
    }
}

fn propose(log: &mut GroupLog, now: Duration, out: &mut LogOutbox) {
    log.propose(now, "entry".into(), out);
}

fn carries_entries((_, message): &(u8, LogMessage)) -> bool {
    matches!(&message.body, Body::Append(append) if !append.entries.is_empty())
}

/// Found by measuring syncs in a row: the leader took the entry for lost, and the next one for
/// having a gap before it, until the next heartbeat.
#[test]
fn an_entry_under_way_at_a_heartbeat_does_not_hold_up_the_next_one() {
    let mut group = Group::led();
    for _ in 0..2 {
        group.now += HEARTBEAT;
        group.act(0, GroupLog::on_timer);
    }
    let first = begin(&mut group, propose);
    assert_eq!(first.iter().filter(|sent| carries_entries(sent)).count(), 2);
    group.now += HEARTBEAT;
    let heartbeat = begin(&mut group, GroupLog::on_timer);
    deliver(&mut group, first);
    deliver(&mut group, heartbeat);
    assert_eq!(group.logs[0].in_flight(), 0, "it is committed");
    let second = begin(&mut group, propose);
    let sent = second.iter().filter(|sent| carries_entries(sent)).count();
    assert_eq!(sent, 2, "both followers lack it: {second:?}");
}
