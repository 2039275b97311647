//! What the owner of a client can choose, and the same as the engine counts it.

use crate::limits::SESSION_TTL;
use crate::read::Reads;
use crate::time::Micros;
use std::time::Duration;

/// How many round trips a command may take: to the leader and back, to a majority, to the other
/// groups and theirs, and for the signals again.
const ROUND_TRIPS: u32 = 4;

/// Where an access to objects of several partitions executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Execution {
    /// S-SMR: every destination executes, on values that the destinations exchange.
    #[default]
    Exchange,
    /// DS-SMR: the objects are moved together first, and the command runs at one partition.
    Gather,
}

/// Settings of a client.
///
/// ```
/// use ssmr_core::client::{ClientSettings, Execution};
/// use std::time::Duration;
///
/// let settings = ClientSettings::default()
///     .with_execution(Execution::Gather)
///     .with_deadline(Duration::from_secs(5));
/// assert_eq!(settings.deadline, Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientSettings {
    /// Where multi-partition accesses execute.
    pub execution: Execution,
    /// How reads of objects at one partition are answered.
    pub reads: Reads,
    /// How long to wait for an answer before the same attempt is sent again, counted in whole
    /// microseconds; after the fourth time it doubles, up to sixteenfold.
    pub resend_after: Duration,
    /// How long a request may take before it ends as [`Outcome::Unknown`](crate::Outcome::Unknown),
    /// counted in whole microseconds. [`Duration::MAX`] is for ever.
    pub deadline: Duration,
    /// Whether answers are kept that come for requests which have ended as unknown, for
    /// [`poll_late`](crate::ClientEngine::poll_late). Whoever asks for that has to take them.
    pub late_answers: bool,
    /// How long, in log time, groups remember a session after it was opened: as
    /// [`SESSION_TTL`] says, but for simulations whose groups forget sooner.
    pub session_ttl: Micros,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            execution: Execution::Exchange,
            reads: Reads::Ordered,
            resend_after: Duration::from_millis(250),
            deadline: Duration::from_secs(30),
            late_answers: false,
            session_ttl: SESSION_TTL,
        }
    }
}

impl ClientSettings {
    /// These settings with another [`execution`](Self::execution).
    #[must_use]
    pub fn with_execution(self, execution: Execution) -> Self {
        Self { execution, ..self }
    }

    /// These settings with another way of [`reads`](Self::reads).
    #[must_use]
    pub fn with_reads(self, reads: Reads) -> Self {
        Self { reads, ..self }
    }

    /// These settings with another [`resend_after`](Self::resend_after).
    #[must_use]
    pub fn with_resend_after(self, resend_after: Duration) -> Self {
        Self {
            resend_after,
            ..self
        }
    }

    /// These settings for a network where a message gets anywhere and an answer back in
    /// `round_trip`, beyond the time that a local network takes: what an answer takes for the
    /// network's sake is no reason to send again.
    #[must_use]
    pub fn allowing_for(self, round_trip: Duration) -> Self {
        let resend_after = self.resend_after.saturating_add(ROUND_TRIPS * round_trip);
        Self {
            resend_after,
            ..self
        }
    }

    /// These settings with another [`deadline`](Self::deadline).
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// These settings with or without [`late_answers`](Self::late_answers).
    #[must_use]
    pub fn with_late_answers(self, late_answers: bool) -> Self {
        Self {
            late_answers,
            ..self
        }
    }

    /// These settings with another [`session_ttl`](Self::session_ttl).
    #[must_use]
    pub fn with_session_ttl(self, session_ttl: Micros) -> Self {
        Self {
            session_ttl,
            ..self
        }
    }
}

/// The settings with their times as [`LocalTime`](crate::LocalTime) counts them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) execution: Execution,
    pub(super) reads: Reads,
    pub(super) resend_us: Micros,
    pub(super) deadline_us: Micros,
    pub(super) late_answers: bool,
    pub(super) session_ttl: Micros,
}

impl From<ClientSettings> for Policy {
    fn from(settings: ClientSettings) -> Self {
        let micros = |length: Duration| Micros::try_from(length.as_micros()).unwrap_or(Micros::MAX);
        Self {
            execution: settings.execution,
            reads: settings.reads,
            resend_us: micros(settings.resend_after),
            deadline_us: micros(settings.deadline),
            late_answers: settings.late_answers,
            session_ttl: settings.session_ttl,
        }
    }
}

impl Policy {
    /// How long to wait before the repetition with this number: always the same for as long as an
    /// election may take, then doubling, sixteenfold at most.
    pub(super) fn patience_us(&self, repeats: u32) -> Micros {
        let factor = 1 << repeats.saturating_sub(3).min(4);
        self.resend_us.saturating_mul(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_doubles_after_the_fourth_repetition_up_to_sixteenfold() {
        let settings = ClientSettings::default().with_resend_after(Duration::from_micros(10));
        let policy = Policy::from(settings);
        let waits: Vec<_> = (0..9).map(|repeats| policy.patience_us(repeats)).collect();
        assert_eq!(waits, [10, 10, 10, 10, 20, 40, 80, 160, 160]);
    }

    #[test]
    fn times_beyond_the_clock_are_for_ever() {
        let settings = ClientSettings::default()
            .with_deadline(Duration::MAX)
            .with_resend_after(Duration::MAX);
        let policy = Policy::from(settings);
        assert_eq!(policy.deadline_us, Micros::MAX);
        assert_eq!(policy.patience_us(9), Micros::MAX);
    }
}
