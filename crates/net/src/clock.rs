//! The one place that reads a clock: microseconds since a moment that the caller chose.
//!
//! It is monotonic; the date counts only where a replica that holds nothing begins a new
//! generation. The state machines below get the time as an argument.

use ssmr_core::{LocalTime, Micros};
use ssmr_log::MemberId;
use std::time::{Duration, Instant};

/// A monotonic clock that starts at 0. Copies agree with each other.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "the shells' one look at the clock"
    )]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// A moment of this clock as the standard library has it.
    #[must_use]
    pub fn instant(&self, moment: LocalTime) -> Instant {
        self.start + Duration::from_micros(moment.micros())
    }

    /// Waits until this moment; for ever, if there is none.
    pub(crate) async fn reaches(&self, moment: Option<LocalTime>) {
        match moment {
            Some(moment) => tokio::time::sleep_until(self.instant(moment).into()).await,
            None => std::future::pending().await,
        }
    }

    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> LocalTime {
        LocalTime::from_micros(self.start.elapsed().as_micros() as u64)
    }
}

/// The processor time that the calling thread has taken, in microseconds.
pub(crate) fn thread_processor_us() -> Micros {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as Micros * 1_000_000 + time.tv_nsec as Micros / 1_000
}

/// The number of a new generation: greater than those that began before, as far as the machine's
/// calendar can be trusted.
#[allow(
    clippy::disallowed_methods,
    reason = "a generation must be newer than those that are forgotten"
)]
pub(crate) fn new_generation() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since
        .map_or(1, |since| since.as_micros() as u64)
        .clamp(1, MemberId::LAST_GENERATION)
}
