//! Units that keep numbers on axes short.

/// A unit, and what numbers in the file's unit are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) factor: f64,
}

impl Unit {
    /// For throughputs up to this many operations a second.
    pub(crate) fn of_throughput(most: f64) -> Self {
        match most >= 10_000.0 {
            true => Self {
                name: "kops/s",
                factor: 1e-3,
            },
            false => Self {
                name: "ops/s",
                factor: 1.0,
            },
        }
    }

    /// For latencies up to this many microseconds.
    pub(crate) fn of_latency(most: f64) -> Self {
        match most >= 10_000.0 {
            true => Self {
                name: "ms",
                factor: 1e-3,
            },
            false => Self {
                name: "µs",
                factor: 1.0,
            },
        }
    }

    /// A number of the file in this unit, in a few digits.
    pub(crate) fn of(self, number: f64) -> String {
        format!("{} {}", short(number * self.factor), self.name)
    }

    /// A quantity in this unit.
    pub(crate) fn label(self, quantity: &str) -> String {
        format!("{quantity} ({})", self.name)
    }
}

/// A number in three digits or a few more.
pub(crate) fn short(number: f64) -> String {
    match number.abs() {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}
