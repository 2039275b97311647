//! The numbers of a client's requests: one session after the other, each left well before it
//! expires.
//!
//! Invariant: a number that was given out has a task under way until it is answered for good; the
//! low watermark of its session stays at or below it until then.

use super::task::Ticket;
use crate::command::{CommandId, SessionId};
use crate::id::ClientId;
use crate::limits::{SESSION_TTL, SESSION_WINDOW};
use crate::time::{LocalTime, LogTime};
use std::collections::BTreeMap;

/// The session in which new requests are numbered, and the unanswered numbers of all sessions.
#[derive(Debug)]
pub(super) struct SessionNumbers {
    client: ClientId,
    current: Option<SessionId>,
    next_number: u64,
    unanswered: BTreeMap<(SessionId, u64), Ticket>,
    /// The greatest log time that a group has told.
    time: LogTime,
    /// When a group last told it.
    told: LocalTime,
}

impl SessionNumbers {
    /// No session yet.
    pub(super) fn new(client: ClientId) -> Self {
        Self {
            client,
            current: None,
            next_number: 1,
            unanswered: BTreeMap::new(),
            time: LogTime::ZERO,
            told: LocalTime::ZERO,
        }
    }

    /// A group has told its log time.
    pub(super) fn observe(&mut self, now: LocalTime, time: LogTime) {
        self.time = self.time.max(time);
        self.told = now;
    }

    /// Whether the time that was told last is so long ago that a session judged by it might have
    /// expired.
    pub(super) fn is_out_of_touch(&self, now: LocalTime) -> bool {
        now > self.told + SESSION_TTL / 4
    }

    /// The session to number in, unless it is time for a new one.
    fn young(&self) -> Option<SessionId> {
        self.current
            .filter(|session| self.time <= session.opened + SESSION_TTL / 2)
    }

    /// Whether there is a free number.
    pub(super) fn has_room(&self) -> bool {
        self.young()
            .is_none_or(|session| self.next_number < self.low_watermark(session) + SESSION_WINDOW)
    }

    /// Gives a task the next number, in a session young enough; `None` while there is no
    /// [room](Self::has_room).
    pub(super) fn allot(&mut self, ticket: Ticket) -> Option<(SessionId, u64)> {
        if !self.has_room() {
            return None;
        }
        let session = self.young().unwrap_or_else(|| {
            self.next_number = 1;
            SessionId {
                client: self.client,
                opened: self.time,
            }
        });
        self.current = Some(session);
        let number = (session, self.next_number);
        self.next_number += 1;
        self.unanswered.insert(number, ticket);
        Some(number)
    }

    /// The task that an attempt belongs to; `None` once its number is answered for good.
    pub(super) fn holder(&self, id: CommandId) -> Option<Ticket> {
        self.unanswered.get(&(id.session, id.number)).copied()
    }

    /// The number was answered for good.
    pub(super) fn answered(&mut self, number: (SessionId, u64)) {
        self.unanswered.remove(&number);
    }

    /// The least unanswered number of a session; the next one if all are answered.
    pub(super) fn low_watermark(&self, session: SessionId) -> u64 {
        let first = self.unanswered.range((session, 0)..).next();
        let open = first
            .filter(|((of, _), _)| *of == session)
            .map(|((_, number), _)| *number);
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
        let numbers: Vec<_> = (1..).map_while(|ticket| sessions.allot(ticket)).collect();
        assert_eq!(numbers.len() as u64, SESSION_WINDOW);
        sessions.answered(numbers[1]);
        assert!(!sessions.has_room());
        assert_eq!(sessions.allot(7), None);
        sessions.answered(numbers[0]);
        assert_eq!(sessions.low_watermark(numbers[0].0), 3);
        assert!(sessions.has_room());
        assert!(sessions.allot(7).is_some());
    }

    #[test]
    fn a_session_is_changed_at_half_its_life() {
        let mut sessions = SessionNumbers::new(ClientId(1));
        sessions.observe(LocalTime::ZERO, LogTime::from_micros(7));
        let (first, _) = sessions.allot(1).unwrap();
        let later = LogTime::from_micros(7 + SESSION_TTL / 2 + 1);
        sessions.observe(LocalTime::ZERO, later);
        let (second, number) = sessions.allot(2).unwrap();
        assert!(second.opened > first.opened);
        assert_eq!(number, 1);
        assert_eq!(sessions.low_watermark(first), 1);
    }

    #[test]
    fn a_full_window_does_not_keep_a_new_session_from_opening() {
        let mut sessions = SessionNumbers::new(ClientId(1));
        while sessions.allot(1).is_some() {}
        sessions.observe(LocalTime::ZERO, LogTime::from_micros(SESSION_TTL));
        assert!(sessions.has_room());
        assert_eq!(sessions.allot(2).unwrap().1, 1);
    }

    #[test]
    fn a_number_has_a_holder_until_it_is_answered() {
        let mut sessions = SessionNumbers::new(ClientId(1));
        let (session, number) = sessions.allot(7).unwrap();
        let id = CommandId {
            session,
            number,
            attempt: 3,
        };
        assert_eq!(sessions.holder(id), Some(7));
        sessions.answered((session, number));
        assert_eq!(sessions.holder(id), None);
    }
}
