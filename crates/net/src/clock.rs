//! The one place that reads a clock: microseconds since a moment that the caller chose.
//!
//! It is monotonic; the date is nobody's business here. The state machines below get the time as an argument.

use ssmr_core::Micros;
use std::time::Instant;

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

    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.start.elapsed().as_micros() as Micros
    }
}
