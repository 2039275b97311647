//! A circuit breaker: a shared cache of which nothing answers is left alone for a while.
//!
//! Single servers are the business of whoever carries the calls out. So many failures in a row are
//! not to be expected where one server of two is away.

use ssmr_core::{LocalTime, Micros};

/// How many failures in a row open it.
const FAILURES: u32 = 16;
/// How long it stays open.
const PAUSE: Micros = 1_000_000;

/// Counts failures in a row; open for [`PAUSE`] after [`FAILURES`] of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    open_until: LocalTime,
}

impl Breaker {
    /// Whether the cache is to be left alone.
    pub(crate) fn is_open(&self, now: LocalTime) -> bool {
        now < self.open_until
    }

    /// The cache has answered.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The cache has not answered.
    pub(crate) fn failed(&mut self, now: LocalTime) {
        self.failures += 1;
        if self.failures >= FAILURES {
            self.failures = 0;
            self.open_until = now + PAUSE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_it_for_a_while() {
        let at = LocalTime::from_micros;
        let mut breaker = Breaker::default();
        let fail = |breaker: &mut Breaker, times| {
            (0..times).for_each(|_| breaker.failed(at(1)));
        };
        fail(&mut breaker, FAILURES - 1);
        breaker.succeeded();
        fail(&mut breaker, FAILURES - 1);
        assert!(!breaker.is_open(at(1)));
        breaker.failed(at(2));
        assert!(breaker.is_open(at(2)) && breaker.is_open(at(PAUSE)));
        assert!(!breaker.is_open(at(2 + PAUSE)));
    }
}
