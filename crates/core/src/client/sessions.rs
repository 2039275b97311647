//! The numbers of a client's attempts: one session after the other, each left well before it
//! expires.
//!
//! Each attempt has a number of its own, taken when it is known where it goes. Its low watermark is
//! the least unanswered number that one of *its own* destinations may have been sent: a group that
//! does not answer closes the window for what goes to it, and for nothing else.
//!
//! Invariant: a number that was given out has a task under way until it is answered for good; until
//! then no low watermark that one of its destinations is sent passes it.

use super::task::Ticket;
use crate::command::{CommandId, SessionId};
use crate::id::{ClientId, GroupId, Groups};
use crate::limits::SESSION_WINDOW;
use crate::time::{LocalTime, LogTime, Micros};
use std::collections::{BTreeMap, BTreeSet};

/// The session in which new attempts are numbered, and the unanswered numbers of all sessions.
#[derive(Debug)]
pub(super) struct SessionNumbers {
    client: ClientId,
    /// How long groups remember a session.
    ttl: Micros,
    current: Option<SessionId>,
    next_number: u64,
    unanswered: BTreeMap<(SessionId, u64), Sent>,
    /// The unanswered numbers of the current session, by group that may have been sent them.
    at: BTreeMap<GroupId, BTreeSet<u64>>,
    /// The greatest log time that a group has told.
    time: LogTime,
    /// When a group last told it.
    told: LocalTime,
}

/// What is unanswered.
#[derive(Clone, Copy, Debug)]
struct Sent {
    ticket: Ticket,
    destinations: Groups,
}

impl SessionNumbers {
    /// No session yet.
    pub(super) fn new(client: ClientId, ttl: Micros) -> Self {
        Self {
            client,
            ttl,
            current: None,
            next_number: 1,
            unanswered: BTreeMap::new(),
            at: BTreeMap::new(),
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
        now > self.told + self.ttl / 4
    }

    /// The session to number in, unless it is time for a new one.
    fn young(&self) -> Option<SessionId> {
        self.current
            .filter(|session| self.time <= session.opened + self.ttl / 2)
    }

    /// Whether there is a free number for what goes to these groups.
    pub(super) fn has_room(&self, destinations: Groups) -> bool {
        let end = |_| {
            self.low_watermark(destinations)
                .saturating_add(SESSION_WINDOW)
        };
        self.young()
            .map(end)
            .is_none_or(|end| self.next_number < end)
    }

    /// Gives what a task sends to these groups the next number, in a session young enough.
    ///
    /// # Panics
    /// If there is no [room](Self::has_room).
    pub(super) fn allot(&mut self, ticket: Ticket, destinations: Groups) -> (SessionId, u64) {
        assert!(self.has_room(destinations), "no number is free");
        let session = self.young().unwrap_or_else(|| {
            self.next_number = 1;
            self.at.clear();
            SessionId {
                client: self.client,
                opened: self.time,
            }
        });
        self.current = Some(session);
        let number = (session, self.next_number);
        self.next_number += 1;
        let sent = Sent {
            ticket,
            destinations,
        };
        self.unanswered.insert(number, sent);
        for group in destinations.iter() {
            self.at.entry(group).or_default().insert(number.1);
        }
        number
    }

    /// The task that an attempt belongs to; `None` once its number is answered for good.
    pub(super) fn holder(&self, id: CommandId) -> Option<Ticket> {
        let sent = self.unanswered.get(&(id.session, id.number));
        sent.map(|sent| sent.ticket)
    }

    /// The number was answered for good.
    pub(super) fn answered(&mut self, number: (SessionId, u64)) {
        let sent = self.unanswered.remove(&number);
        let (session, number) = number;
        let Some(sent) = sent.filter(|_| self.current == Some(session)) else {
            return;
        };
        for group in sent.destinations.iter() {
            if let Some(numbers) = self.at.get_mut(&group) {
                numbers.remove(&number);
            }
        }
    }

    /// The least unanswered number of the current session that one of these groups may have been
    /// sent; the next one if there is none.
    pub(super) fn low_watermark(&self, destinations: Groups) -> u64 {
        let at = |group| self.at.get(&group)?.first().copied();
        let least = destinations.iter().filter_map(at).min();
        least.unwrap_or(self.next_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PartitionId;
    use crate::limits::SESSION_TTL;

    fn at(partition: u8) -> Groups {
        PartitionId(partition).into()
    }

    /// Takes all numbers that there are for these groups.
    fn fill(sessions: &mut SessionNumbers, destinations: Groups) -> Vec<(SessionId, u64)> {
        let mut numbers = Vec::new();
        while sessions.has_room(destinations) {
            numbers.push(sessions.allot(1, destinations));
        }
        numbers
    }

    #[test]
    fn the_window_closes_on_the_least_unanswered_number() {
        let mut sessions = SessionNumbers::new(ClientId(1), SESSION_TTL);
        let numbers = fill(&mut sessions, at(0));
        assert_eq!(numbers.len() as u64, SESSION_WINDOW);
        sessions.answered(numbers[1]);
        assert!(!sessions.has_room(at(0)));
        sessions.answered(numbers[0]);
        assert_eq!(sessions.low_watermark(at(0)), 3);
        assert!(sessions.has_room(at(0)));
    }

    #[test]
    fn a_group_that_does_not_answer_closes_the_window_for_what_goes_to_it_alone() {
        let mut sessions = SessionNumbers::new(ClientId(1), SESSION_TTL);
        let (_, silent) = sessions.allot(1, at(0));
        for _ in 0..3 * SESSION_WINDOW {
            let number = sessions.allot(2, at(1));
            assert_eq!(sessions.low_watermark(at(1)), number.1);
            sessions.answered(number);
        }
        let both = at(0).union(at(1));
        assert!(sessions.has_room(at(1)) && sessions.has_room(at(2)));
        assert!(!sessions.has_room(at(0)) && !sessions.has_room(both));
        assert_eq!(sessions.low_watermark(both), silent);
    }

    #[test]
    fn a_session_is_changed_at_half_its_life() {
        let mut sessions = SessionNumbers::new(ClientId(1), SESSION_TTL);
        sessions.observe(LocalTime::ZERO, LogTime::from_micros(7));
        let (first, number) = sessions.allot(1, at(0));
        let later = LogTime::from_micros(7 + SESSION_TTL / 2 + 1);
        sessions.observe(LocalTime::ZERO, later);
        let (second, next) = sessions.allot(2, at(0));
        assert!(second.opened > first.opened);
        assert_eq!((number, next), (1, 1));
        sessions.answered((first, number));
        assert_eq!(sessions.low_watermark(at(0)), next, "that of another one");
    }

    #[test]
    fn a_full_window_does_not_keep_a_new_session_from_opening() {
        let mut sessions = SessionNumbers::new(ClientId(1), SESSION_TTL);
        fill(&mut sessions, at(0));
        sessions.observe(LocalTime::ZERO, LogTime::from_micros(SESSION_TTL));
        assert!(sessions.has_room(at(0)));
        assert_eq!(sessions.allot(2, at(0)).1, 1);
    }

    #[test]
    fn a_number_has_a_holder_until_it_is_answered() {
        let mut sessions = SessionNumbers::new(ClientId(1), SESSION_TTL);
        let (session, number) = sessions.allot(7, at(0));
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
