//! SessionNumbers as the client keeps them: numbers, the low watermark, and the change to a new one well before the old one expires.

use crate::command::SessionId;
use crate::id::ClientId;
use crate::limits::{SESSION_TTL, SESSION_WINDOW};
use crate::time::{LocalTime, LogTime};
use std::collections::BTreeSet;

/// The session in which new requests are numbered, and the unanswered numbers of all sessions.
#[derive(Debug)]
pub(super) struct SessionNumbers {
    client: ClientId,
    current: Option<SessionId>,
    next_number: u64,
    unanswered: BTreeSet<(SessionId, u64)>,
    /// The greatest log time that a group has told.
    time: LogTime,
    /// When a group last told it.
    told: LocalTime,
}

impl SessionNumbers {
    pub(super) fn new(client: ClientId) -> Self {
        Self {
            client,
            current: None,
            next_number: 1,
            unanswered: BTreeSet::new(),
            time: LogTime::ZERO,
            told: LocalTime::ZERO,
        }
    }

    /// A group has told its log time.
    pub(super) fn observe(&mut self, now: LocalTime, time: LogTime) {
        self.time = self.time.max(time);
        self.told = now;
    }

    /// Whether the time that was told last is so long ago that a session judged by it might have expired.
    pub(super) fn is_out_of_touch(&self, now: LocalTime) -> bool {
        now > self.told + SESSION_TTL / 4
    }

    /// The next number, in a session young enough; `None` while the window is full.
    pub(super) fn allot(&mut self) -> Option<(SessionId, u64)> {
        let old = self
            .current
            .is_none_or(|session| self.time > session.opened + SESSION_TTL / 2);
        if old {
            self.current = Some(SessionId {
                client: self.client,
                opened: self.time,
            });
            self.next_number = 1;
        }
        let session = self.current?;
        if self.next_number >= self.low_watermark(session) + SESSION_WINDOW {
            return None;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.unanswered.insert((session, number));
        Some((session, number))
    }

    /// The number was answered for good.
    pub(super) fn answered(&mut self, session: SessionId, number: u64) {
        self.unanswered.remove(&(session, number));
    }

    /// The least unanswered number of a session; the next one if all are answered.
    pub(super) fn low_watermark(&self, session: SessionId) -> u64 {
        let first = self.unanswered.range((session, 0)..).next();
        let open = first
            .filter(|(of, _)| *of == session)
            .map(|(_, number)| *number);
        let next = if self.current == Some(session) {
            self.next_number
        } else {
            u64::MAX
        };
        open.unwrap_or(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_closes_on_the_least_unanswered_number() {
        let mut sessions = SessionNumbers::new(ClientId(1));
        let numbers: Vec<_> = std::iter::from_fn(|| sessions.allot()).collect();
        assert_eq!(numbers.len() as u64, SESSION_WINDOW);
        let (session, second) = numbers[1];
        sessions.answered(session, second);
        assert_eq!(sessions.allot(), None);
        sessions.answered(session, numbers[0].1);
        assert_eq!(sessions.low_watermark(session), 3);
        assert!(sessions.allot().is_some());
    }

    #[test]
    fn a_session_is_changed_at_half_its_life() {
        let mut sessions = SessionNumbers::new(ClientId(1));
        sessions.observe(LocalTime::ZERO, LogTime::from_micros(7));
        let (first, _) = sessions.allot().unwrap();
        let later = LogTime::from_micros(7 + SESSION_TTL / 2 + 1);
        sessions.observe(LocalTime::ZERO, later);
        let (second, number) = sessions.allot().unwrap();
        assert!(second.opened > first.opened);
        assert_eq!(number, 1);
        assert_eq!(sessions.low_watermark(first), 1);
    }
}
