//! Three replicas between which everything arrives at once.

use ssmr_log::{Body, GroupLog, LogEntry, LogMessage, LogOutbox, LogPosition, Stored};
use std::collections::BTreeMap;
use std::time::Duration;

/// Three replicas between which everything arrives at once, and what they have stored.
pub struct Group {
    pub logs: Vec<GroupLog>,
    pub stored: BTreeMap<u8, Stored>,
    pub now: Duration,
}

impl Group {
    /// A group in which replica 0 leads and has committed something.
    pub fn led() -> Self {
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
    pub fn act(&mut self, who: u8, act: impl FnOnce(&mut GroupLog, Duration, &mut LogOutbox)) {
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
    pub fn hand(&mut self, to: u8, from: u8, message: LogMessage) -> Vec<(u8, LogMessage)> {
        let mut out = LogOutbox::default();
        self.logs[usize::from(to)].on_message(self.now, from, message, &mut out);
        self.keep(to, out)
    }

    pub fn keep(&mut self, who: u8, out: LogOutbox) -> Vec<(u8, LogMessage)> {
        let stored = self.stored.entry(who).or_default();
        out.records
            .into_iter()
            .for_each(|record| stored.add(record));
        out.messages
    }

    /// Whether a replica votes for replica 2, which asks it to in a later term with all that is in
    /// the log; as their leader wanted it, if that is `requested`.
    pub fn votes(&mut self, who: u8, requested: bool) -> bool {
        let log = &self.stored[&2].entries;
        let term = self.logs[0].term();
        let index = log.len() as u64;
        let last = LogPosition { term, index };
        assert!(matches!(log.last(), Some(LogEntry::Term(_))));
        let body = Body::VoteCall {
            term: term + 1,
            last,
            requested,
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

    pub fn confirm(&mut self) {
        self.act(0, GroupLog::confirm_leadership);
    }
}
