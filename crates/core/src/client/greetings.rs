//! Which groups have told their log time, so that no session is born expired.
//!
//! A greeting is [`ClientMessage::Hello`](crate::ClientMessage::Hello), which asks a group for its
//! time; that of a connection, in crate `ssmr-net`, is another thing. A client greets every group
//! and waits for all of them, or after a while for one. Without a leader to answer for it, a group
//! must not keep a client from working with the others.

use crate::id::{GroupId, Groups};
use crate::time::{LocalTime, Micros};

/// How many intervals between greetings a client waits for the groups that stay silent, once one
/// has answered.
const INTERVALS: u64 = 4;

/// Greetings that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    /// The groups to greet.
    pub(super) groups: Groups,
    /// When they were greeted last, in vain.
    pub(super) before: Option<LocalTime>,
}

/// The groups that have not told their time yet, and when they were asked.
#[derive(Debug)]
pub(super) struct Greetings {
    all: Groups,
    silent: Groups,
    first: LocalTime,
    last: Option<LocalTime>,
    /// Time between two greetings.
    interval_us: Micros,
}

impl Greetings {
    /// Nobody has told the time.
    pub(super) fn new(groups: Groups, interval_us: Micros) -> Self {
        Self {
            all: groups,
            silent: groups,
            first: LocalTime::ZERO,
            last: None,
            interval_us,
        }
    }

    /// The time that was told is of no use any more: everybody is to be asked anew.
    pub(super) fn restart(&mut self) {
        self.silent = self.all;
        self.last = None;
    }

    /// A group has told its time.
    pub(super) fn told(&mut self, group: GroupId) {
        self.silent.remove(group);
    }

    /// Whether a group was greeted and has not told its time.
    pub(super) fn await_time_of(&self, group: GroupId) -> bool {
        self.last.is_some() && self.silent.contains(group)
    }

    /// Whether every group has told its time.
    pub(super) fn are_complete(&self) -> bool {
        self.silent.is_empty()
    }

    /// Whether the time is known: from every group, or after a while from one.
    pub(super) fn suffice(&self, now: LocalTime) -> bool {
        let patience = self.interval_us.saturating_mul(INTERVALS);
        let one = self.silent != self.all;
        self.are_complete() || (one && now >= self.first + patience)
    }

    /// The greetings that are due, which count as sent.
    pub(super) fn poll_round(&mut self, now: LocalTime) -> Option<Round> {
        let before = self.last;
        let is_early = before.is_some_and(|last| now < last + self.interval_us);
        if self.are_complete() || is_early {
            return None;
        }
        if before.is_none() {
            self.first = now;
        }
        self.last = Some(now);
        Some(Round {
            groups: self.silent,
            before,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PartitionId;

    fn at(micros: u64) -> LocalTime {
        LocalTime::from_micros(micros)
    }

    fn round(groups: Groups, before: Option<LocalTime>) -> Option<Round> {
        Some(Round { groups, before })
    }

    #[test]
    fn silent_groups_are_greeted_again_after_the_interval() {
        let all = Groups::partitions(2);
        let mut greetings = Greetings::new(all, 10);
        assert_eq!(greetings.poll_round(at(5)), round(all, None));
        assert_eq!(greetings.poll_round(at(14)), None);
        greetings.told(PartitionId(0).into());
        let rest = PartitionId(1).into();
        assert_eq!(greetings.poll_round(at(15)), round(rest, Some(at(5))));
        greetings.told(PartitionId(1).into());
        assert_eq!(greetings.poll_round(at(99)), None);
    }

    #[test]
    fn one_group_suffices_after_four_intervals_and_none_never() {
        let mut greetings = Greetings::new(Groups::partitions(2), 10);
        greetings.poll_round(at(5));
        assert!(!greetings.suffice(at(1_000)));
        greetings.told(PartitionId(0).into());
        assert!(!greetings.suffice(at(44)));
        assert!(greetings.suffice(at(45)));
        assert!(!greetings.are_complete());
        greetings.told(PartitionId(1).into());
        assert!(greetings.suffice(at(5)));
    }

    #[test]
    fn after_a_restart_everybody_is_greeted_at_once() {
        let all = Groups::partitions(1);
        let mut greetings = Greetings::new(all, 10);
        greetings.poll_round(at(5));
        greetings.told(PartitionId(0).into());
        greetings.restart();
        assert!(!greetings.suffice(at(6)));
        assert_eq!(greetings.poll_round(at(6)), round(all, None));
    }
}
