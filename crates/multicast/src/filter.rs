//! The duplicate filter: which attempts of which sessions a group has logged already (part of
//! integrity, and of rule R5).
//!
//! It is bounded by what a session may have unanswered and, in log time, by the age of sessions.

use serde::{Deserialize, Serialize};
use ssmr_core::limits::{CLIENT_SESSIONS, SESSION_WINDOW, SESSIONS};
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::shared_map::{SharedMap, entry};
use ssmr_core::{ClientId, Command, CommandId, LogTime, Micros, SessionId};
use std::collections::{BTreeMap, BTreeSet};

/// What a group knows of the sessions that it has logged commands of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Filter {
    /// How long a session is remembered after it was opened, and how far ahead of the group's time
    /// it may have been opened.
    ttl: Micros,
    sessions: SharedMap<SessionId, Window>,
    /// The same sessions, oldest first.
    by_age: BTreeSet<(LogTime, ClientId)>,
    /// How many of them each client has.
    by_client: SharedMap<ClientId, u32>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Window {
    low_watermark: u64,
    /// The numbers of the attempts logged, from `low_watermark` on.
    numbers: BTreeSet<u64>,
    /// Commands that are logged and not delivered.
    pending: u32,
}

/// What the filter says of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Not logged before.
    Fresh,
    /// Logged before, or finished long ago.
    Seen,
    /// Its session is too old to tell.
    Expired,
    /// Not logged before, and its session was opened too far ahead of the group's time to be begun.
    TooEarly,
    /// Not logged before, and there is no room for its session.
    Full,
}

impl Filter {
    pub(crate) fn new(ttl: Micros) -> Self {
        Self {
            ttl,
            sessions: SharedMap::default(),
            by_age: BTreeSet::new(),
            by_client: SharedMap::default(),
        }
    }

    /// Whether a session is remembered.
    pub(crate) fn remembers(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// Whether an attempt may be logged at log time `time`.
    pub(crate) fn freshness(&self, command: &Command, time: LogTime) -> Freshness {
        let id = command.id;
        let Some(window) = self.sessions.get(&id.session) else {
            return self.freshness_of_new(id.session, time);
        };
        let past = id.number < window.low_watermark
            || id.number
                >= command
                    .low_watermark
                    .max(window.low_watermark)
                    .saturating_add(SESSION_WINDOW);
        if past || window.numbers.contains(&id.number) {
            Freshness::Seen
        } else {
            Freshness::Fresh
        }
    }

    /// The same for one of a session that is not known.
    fn freshness_of_new(&self, session: SessionId, time: LogTime) -> Freshness {
        let used = self.by_client.get(&session.client).copied();
        if session.opened + self.ttl < time {
            Freshness::Expired
        } else if session.opened > time + self.ttl {
            Freshness::TooEarly
        } else if self.sessions.size() >= SESSIONS || used >= Some(CLIENT_SESSIONS) {
            Freshness::Full
        } else {
            Freshness::Fresh
        }
    }

    /// An attempt is logged.
    pub(crate) fn enter(&mut self, command: &Command) {
        let id = command.id;
        let SessionId { client, opened } = id.session;
        if self.by_age.insert((opened, client)) {
            *entry(&mut self.by_client, client) += 1;
        }
        let window = entry(&mut self.sessions, id.session);
        window.low_watermark = window
            .low_watermark
            .max(command.low_watermark.min(id.number));
        let low = window.low_watermark;
        while window.numbers.first().is_some_and(|&number| number < low) {
            window.numbers.pop_first();
        }
        window.numbers.insert(id.number);
        window.pending += 1;
    }

    /// An attempt is delivered.
    pub(crate) fn leave(&mut self, id: CommandId) {
        if let Some(window) = self.sessions.get_mut(&id.session) {
            window.pending -= 1;
        }
    }

    /// All of it in a fixed order, for digests.
    pub(crate) fn sorted(&self) -> BTreeMap<SessionId, (u64, &BTreeSet<u64>, u32)> {
        self.sessions
            .iter()
            .map(|(&id, w)| (id, (w.low_watermark, &w.numbers, w.pending)))
            .collect()
    }

    /// Forgets and returns the sessions that are too old at log time `time`, none with an attempt
    /// that is not delivered.
    pub(crate) fn expire(&mut self, time: LogTime) -> Vec<SessionId> {
        let aged = self
            .by_age
            .iter()
            .take_while(|(opened, _)| *opened + self.ttl < time);
        let sessions = aged.map(|&(opened, client)| SessionId { client, opened });
        let idle = sessions.filter(|id| {
            let window = self.sessions.get(id);
            window.is_none_or(|window| window.pending == 0)
                || mutant::is_active(Mutant::PendingSessionsExpire)
        });
        let over: Vec<SessionId> = idle.collect();
        for id in &over {
            self.sessions.remove_mut(id);
            self.by_age.remove(&(id.opened, id.client));
            let used = entry(&mut self.by_client, id.client);
            *used -= 1;
            if *used == 0 {
                self.by_client.remove_mut(&id.client);
            }
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{command, session};
    use ssmr_core::limits::SESSION_TTL;

    const NOW: LogTime = LogTime::from_micros(1_000_000);

    /// Logs and delivers one command of a session.
    fn use_session(filter: &mut Filter, session: SessionId) {
        let command = command(session);
        filter.enter(&command);
        filter.leave(command.id);
    }

    fn freshness(filter: &Filter, session: SessionId, time: LogTime) -> Freshness {
        filter.freshness(&command(session), time)
    }

    #[test]
    fn a_client_has_so_many_sessions_and_no_more_until_some_expire() {
        let mut filter = Filter::new(SESSION_TTL);
        for opened in 0..u64::from(CLIENT_SESSIONS) {
            assert_eq!(
                freshness(&filter, session(1, opened), NOW),
                Freshness::Fresh
            );
            use_session(&mut filter, session(1, opened));
        }
        assert_eq!(freshness(&filter, session(1, 99), NOW), Freshness::Full);
        assert_eq!(freshness(&filter, session(2, 99), NOW), Freshness::Fresh);
        let mut another = command(session(1, 0));
        another.id.number = 2;
        let known = filter.freshness(&another, NOW);
        assert_eq!(known, Freshness::Fresh, "its session is known");
        let later = LogTime::from_micros(SESSION_TTL + 2);
        let over = filter.expire(later);
        assert_eq!(over, [session(1, 0), session(1, 1)]);
        assert_eq!(freshness(&filter, session(1, 99), later), Freshness::Fresh);
    }

    /// Only a client that breaks the rules gives one number to two commands.
    #[test]
    fn a_number_is_used_once_whatever_is_logged_under_it_at_another_group() {
        let mut filter = Filter::new(SESSION_TTL);
        let first = command(session(1, 0));
        filter.enter(&first);
        let mut second = first.clone();
        second.id.attempt = 2;
        assert_eq!(filter.freshness(&second, NOW), Freshness::Seen);
        // Another group has timestamped it, so it is logged whatever the filter says.
        filter.enter(&second);
        for command in [&first, &second] {
            assert_eq!(filter.freshness(command, NOW), Freshness::Seen);
        }
    }

    #[test]
    fn numbers_that_went_elsewhere_leave_gaps_which_the_low_watermark_passes() {
        let mut filter = Filter::new(SESSION_TTL);
        let numbered = |number, low_watermark| {
            let mut command = command(session(1, 0));
            (command.id.number, command.low_watermark) = (number, low_watermark);
            command
        };
        for (number, low_watermark) in [(1, 1), (900, 1), (1_900, 900)] {
            let command = numbered(number, low_watermark);
            assert_eq!(
                filter.freshness(&command, NOW),
                Freshness::Fresh,
                "{number}"
            );
            filter.enter(&command);
        }
        for (number, freshness) in [(899, Freshness::Seen), (901, Freshness::Fresh)] {
            assert_eq!(filter.freshness(&numbered(number, 900), NOW), freshness);
        }
        let window = filter.sorted().into_values().next().unwrap();
        assert_eq!(window, (900, &[900, 1_900].into(), 3));
    }

    #[test]
    fn a_session_from_the_far_future_is_not_taken() {
        let filter = Filter::new(SESSION_TTL);
        let latest = (NOW + SESSION_TTL).micros();
        for (opened, expected) in [
            (latest, Freshness::Fresh),
            (latest + 1, Freshness::TooEarly),
            (u64::MAX, Freshness::TooEarly),
        ] {
            assert_eq!(freshness(&filter, session(1, opened), NOW), expected);
        }
    }

    #[test]
    fn a_session_with_an_attempt_under_way_does_not_expire() {
        let mut filter = Filter::new(SESSION_TTL);
        let command = command(session(1, 0));
        filter.enter(&command);
        let late = LogTime::from_micros(9 * SESSION_TTL);
        assert_eq!(filter.expire(late), []);
        assert_eq!(filter.freshness(&command, late), Freshness::Seen);
        filter.leave(command.id);
        assert_eq!(filter.expire(late), [command.id.session]);
        assert_eq!(filter.freshness(&command, late), Freshness::Expired);
    }

    #[test]
    fn every_session_expires_in_the_end() {
        let mut filter = Filter::new(SESSION_TTL);
        let latest = NOW + SESSION_TTL;
        use_session(&mut filter, session(1, latest.micros()));
        let last = latest + SESSION_TTL;
        assert_eq!(filter.expire(last), []);
        assert_eq!(filter.expire(last + 1), [session(1, latest.micros())]);
        assert!(filter.by_client.is_empty() && filter.by_age.is_empty());
    }
}
