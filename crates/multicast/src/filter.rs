//! The duplicate filter: which attempts of which sessions a group has logged already (part of
//! integrity, and of rule R5).
//!
//! It is bounded by what a session may have unanswered and, in log time, by the age of sessions.

use serde::{Deserialize, Serialize};
use ssmr_core::limits::{SESSION_TTL, SESSION_WINDOW, SESSIONS};
use ssmr_core::shared_map::{SharedMap, entry};
use ssmr_core::{ClientId, Command, CommandId, LogTime, SessionId};
use std::collections::{BTreeMap, BTreeSet};

/// What a group knows of the sessions that it has logged commands of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Filter {
    sessions: SharedMap<SessionId, Window>,
    /// The same sessions, oldest first.
    by_age: BTreeSet<(LogTime, ClientId)>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Window {
    low_watermark: u64,
    /// The last attempt logged, by number, from `low_watermark` on.
    attempts: BTreeMap<u64, u32>,
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
}

impl Filter {
    /// Whether an attempt may be logged at log time `time`.
    pub(crate) fn freshness(&self, command: &Command, time: LogTime) -> Freshness {
        let id = command.id;
        let Some(window) = self.sessions.get(&id.session) else {
            let expired = id.session.opened + SESSION_TTL < time;
            return if expired {
                Freshness::Expired
            } else {
                Freshness::Fresh
            };
        };
        let past = id.number < window.low_watermark
            || id.number
                >= command
                    .low_watermark
                    .max(window.low_watermark)
                    .saturating_add(SESSION_WINDOW);
        let known = window
            .attempts
            .get(&id.number)
            .is_some_and(|&attempt| attempt >= id.attempt);
        if past || known {
            Freshness::Seen
        } else {
            Freshness::Fresh
        }
    }

    /// Whether no session beyond those that are known can be taken.
    pub(crate) fn is_full_for(&self, id: SessionId) -> bool {
        self.sessions.size() >= SESSIONS && !self.sessions.contains_key(&id)
    }

    /// An attempt is logged.
    pub(crate) fn enter(&mut self, command: &Command) {
        let id = command.id;
        self.by_age.insert((id.session.opened, id.session.client));
        let window = entry(&mut self.sessions, id.session);
        window.low_watermark = window
            .low_watermark
            .max(command.low_watermark.min(id.number));
        while window
            .attempts
            .first_key_value()
            .is_some_and(|(&number, _)| number < window.low_watermark)
        {
            window.attempts.pop_first();
        }
        window.attempts.insert(id.number, id.attempt);
        window.pending += 1;
    }

    /// An attempt is delivered.
    pub(crate) fn leave(&mut self, id: CommandId) {
        if let Some(window) = self.sessions.get_mut(&id.session) {
            window.pending -= 1;
        }
    }

    /// All of it in a fixed order, for digests.
    pub(crate) fn sorted(&self) -> BTreeMap<SessionId, (u64, &BTreeMap<u64, u32>, u32)> {
        self.sessions
            .iter()
            .map(|(&id, w)| (id, (w.low_watermark, &w.attempts, w.pending)))
            .collect()
    }

    /// Forgets and returns the sessions that are too old at log time `time`, none with an attempt
    /// that is not delivered.
    pub(crate) fn expire(&mut self, time: LogTime) -> Vec<SessionId> {
        let aged = self
            .by_age
            .iter()
            .take_while(|(opened, _)| *opened + SESSION_TTL < time);
        let sessions = aged.map(|&(opened, client)| SessionId { client, opened });
        let idle = sessions.filter(|id| {
            self.sessions
                .get(id)
                .is_none_or(|window| window.pending == 0)
        });
        let over: Vec<SessionId> = idle.collect();
        for id in &over {
            self.sessions.remove_mut(id);
            self.by_age.remove(&(id.opened, id.client));
        }
        over
    }
}
