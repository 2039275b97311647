//! What is measured, and its intervals.

use ssmr_core::Micros;

/// The length of an interval.
pub(crate) const INTERVAL: Micros = 100_000;

/// What is measured: the commands issued from `from` to `until`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// The first microsecond.
    pub(crate) from: Micros,
    /// The first one after it.
    pub(crate) until: Micros,
}

impl Span {
    /// How long it is.
    pub(crate) fn length(self) -> Micros {
        self.until - self.from
    }

    /// Whether a time is within.
    pub(crate) fn contains(self, at: Micros) -> bool {
        (self.from..self.until).contains(&at)
    }

    /// The intervals of this span. The last one may be shorter.
    pub(super) fn intervals(self) -> impl Iterator<Item = Span> {
        (self.from..self.until)
            .step_by(INTERVAL as usize)
            .map(move |from| Span {
                from,
                until: self.until.min(from + INTERVAL),
            })
    }
}
