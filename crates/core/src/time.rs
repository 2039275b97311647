//! Three kinds of time that must not be mixed up: a machine's clock, a log's time, and the order's
//! logical clock.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign};

/// A length of time in microseconds.
pub type Micros = u64;

/// A moment on one machine's monotonic clock. Moments of different machines say nothing about each
/// other.
///
/// The state machines compare and subtract such moments; they never read a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct LocalTime(u64);

impl LocalTime {
    /// The moment that the clock counts from.
    pub const ZERO: Self = Self(0);
    /// After every other moment.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `micros` microseconds after [`ZERO`](Self::ZERO).
    #[must_use]
    pub const fn from_micros(micros: Micros) -> Self {
        Self(micros)
    }

    /// Microseconds since [`ZERO`](Self::ZERO).
    #[must_use]
    pub const fn micros(self) -> Micros {
        self.0
    }

    /// Microseconds since an earlier moment; 0 if it is a later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Micros {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Micros> for LocalTime {
    type Output = Self;

    fn add(self, length: Micros) -> Self {
        Self(self.0.saturating_add(length))
    }
}

impl AddAssign<Micros> for LocalTime {
    fn add_assign(&mut self, length: Micros) {
        *self = *self + length;
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} us", self.0)
    }
}

/// A moment in the log of a group: the sum of what its leaders' clocks advanced, as their entries
/// say.
///
/// It is ordered state, the same at every replica of the group. Sessions age by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct LogTime(u64);

impl LogTime {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    /// The moment `micros` microseconds after [`ZERO`](Self::ZERO).
    #[must_use]
    pub const fn from_micros(micros: Micros) -> Self {
        Self(micros)
    }

    /// Microseconds since [`ZERO`](Self::ZERO).
    #[must_use]
    pub const fn micros(self) -> Micros {
        self.0
    }
}

impl Add<Micros> for LogTime {
    type Output = Self;

    fn add(self, length: Micros) -> Self {
        Self(self.0.saturating_add(length))
    }
}

impl AddAssign<Micros> for LogTime {
    fn add_assign(&mut self, length: Micros) {
        *self = *self + length;
    }
}

impl fmt::Debug for LogTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A logical clock (Lamport, 1978): it grows with each message that is ordered and with each
/// greater reading that is seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct LogicalClock(pub u64);

impl LogicalClock {
    /// The next reading.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The reading `count` steps on.
    #[must_use]
    pub const fn ahead(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl fmt::Debug for LogicalClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::LowerHex for LogicalClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}
