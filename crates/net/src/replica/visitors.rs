//! Who is connected to a replica, and who was turned away: counts that the tasks of connections
//! write and the event loop reads.
//!
//! Invariant: of what strangers can do as often as they like, a line is logged now and then, and
//! all of it is counted.

use crate::clock::Clock;
use crate::report::{ConnectionReport, Refusals};
use ssmr_core::{LocalTime, Micros};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// At most one refusal is logged in such a time; the next line says how many were not.
const PAUSE: Micros = 10_000_000;

/// Who is connected, and who was turned away.
#[derive(Debug)]
pub(super) struct Visitors {
    clock: Clock,
    here: [AtomicU64; 4],
    turned_away: [AtomicU64; 5],
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    last: Option<LocalTime>,
    unsaid: u64,
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Visitor {
    Client,
    Replica,
    Operator,
    Ungreeted,
}

/// Why a connection was refused or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Greeting,
    Full,
    Message,
    Slow,
    Crowded,
}

/// A visitor, until it is dropped.
#[derive(Debug)]
pub(super) struct Visit(Arc<Visitors>, Visitor);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.here[self.1 as usize].fetch_sub(1, Relaxed);
    }
}

impl Fault {
    /// What this error was, if the connection did not just end; `greeted` if its greeting was
    /// right.
    fn of(error: &io::Error, greeted: bool) -> Option<Self> {
        Some(match error.kind() {
            io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::InvalidData if greeted => Self::Message,
            io::ErrorKind::InvalidData => Self::Greeting,
            io::ErrorKind::TimedOut => Self::Slow,
            io::ErrorKind::ConnectionAborted => Self::Crowded,
            _ => return None,
        })
    }
}

impl Visitors {
    /// Nobody yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            here: Default::default(),
            turned_away: Default::default(),
            said: Mutex::default(),
        }
    }

    /// Somebody came.
    pub(super) fn enter(self: &Arc<Self>, visitor: Visitor) -> Visit {
        self.here[visitor as usize].fetch_add(1, Relaxed);
        Visit(self.clone(), visitor)
    }

    /// A connection ended with an error. Counts what was wrong with it, and says so now and then.
    pub(super) fn ended(&self, error: &io::Error, from: SocketAddr, greeted: bool) {
        let Some(fault) = Fault::of(error, greeted) else {
            tracing::debug!(address = %from, %error, "a connection ended");
            return;
        };
        self.turned_away[fault as usize].fetch_add(1, Relaxed);
        match self.may_say(self.clock.now()) {
            Some(unsaid) => tracing::info!(
                address = %from,
                %error,
                reason = ?fault,
                unsaid,
                "a connection was refused or closed"
            ),
            None => tracing::debug!(address = %from, %error, reason = ?fault, "refused or closed"),
        }
    }

    /// Whether a line may be logged now; then how many were not since the last one.
    fn may_say(&self, now: LocalTime) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.last.is_some_and(|last| now < last + PAUSE) {
            said.unsaid += 1;
            return None;
        }
        said.last = Some(now);
        Some(std::mem::take(&mut said.unsaid))
    }

    /// Who is here.
    pub(super) fn connections(&self) -> ConnectionReport {
        let here = |visitor: Visitor| self.here[visitor as usize].load(Relaxed);
        ConnectionReport {
            clients: here(Visitor::Client),
            replicas: here(Visitor::Replica),
            operators: here(Visitor::Operator),
            ungreeted: here(Visitor::Ungreeted),
        }
    }

    /// Who was turned away.
    pub(super) fn count(&self, refusals: &mut Refusals) {
        let count = |fault: Fault| self.turned_away[fault as usize].load(Relaxed);
        refusals.greetings = count(Fault::Greeting);
        refusals.full = count(Fault::Full);
        refusals.messages = count(Fault::Message);
        refusals.slow = count(Fault::Slow);
        refusals.crowded = count(Fault::Crowded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_counted_and_little_is_said() {
        let visitors = Arc::new(Visitors::new(Clock::start()));
        let client = visitors.enter(Visitor::Client);
        let other = visitors.enter(Visitor::Client);
        drop(client);
        assert_eq!(visitors.connections().clients, 1);
        drop(other);
        assert_eq!(visitors.connections(), ConnectionReport::default());
        let from = SocketAddr::from(([127, 0, 0, 1], 1));
        for (kind, greeted) in [
            (io::ErrorKind::InvalidData, false),
            (io::ErrorKind::InvalidData, true),
            (io::ErrorKind::QuotaExceeded, false),
            (io::ErrorKind::TimedOut, false),
            (io::ErrorKind::ConnectionAborted, true),
            (io::ErrorKind::ConnectionAborted, false),
            (io::ErrorKind::UnexpectedEof, true),
        ] {
            visitors.ended(&kind.into(), from, greeted);
        }
        let mut refusals = Refusals::default();
        visitors.count(&mut refusals);
        let Refusals {
            greetings,
            full,
            messages,
            slow,
            crowded,
            ..
        } = refusals;
        assert_eq!((greetings, full, messages, slow, crowded), (1, 1, 1, 1, 2));
        // The first was said, five not.
        let now = visitors.clock.now();
        assert_eq!(visitors.may_say(now), None);
        assert_eq!(visitors.may_say(now + PAUSE), Some(6));
        assert_eq!(visitors.may_say(now + PAUSE + PAUSE), Some(0));
    }
}
