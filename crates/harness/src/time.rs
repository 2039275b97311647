//! The harness's own looks at the machine's clocks: the date for names and files, processor time
//! for costs, and how long simulations take. And times as people write them.
//!
//! Everything that is measured is timed by the cluster's monotonic clock instead.

use rustix::time::{ClockId, clock_gettime};
use ssmr_core::Micros;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The date.
#[allow(
    clippy::disallowed_methods,
    reason = "the harness's one look at the date"
)]
pub(crate) fn date() -> SystemTime {
    SystemTime::now()
}

/// A date as people and programs read it, in UTC.
pub(crate) fn text(date: SystemTime) -> String {
    humantime::format_rfc3339_seconds(date).to_string()
}

/// The longest time that anybody can ask for: times are added to each other.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Reads a length of time as people write it, such as `1m 30s`.
///
/// # Errors
/// What is wrong with it: it is none, or longer than a year.
pub(crate) fn length(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time <= LONGEST => Ok(time),
        Ok(_) => Err("must not be longer than a year".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// A number that no other run has: nanoseconds since 1970, with the process.
pub(crate) fn unique() -> u64 {
    let since = date().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    ssmr_core::topology::mix(since.as_nanos() as u64 ^ u64::from(std::process::id()) << 48)
}

/// How long something of the harness's own takes: microseconds on the machine's monotonic clock.
pub(crate) fn elapsed_us() -> Micros {
    micros(ClockId::Monotonic)
}

/// Processor time that this process has used so far, in user and kernel mode, all threads together.
pub(crate) fn processor_us() -> Micros {
    micros(ClockId::ProcessCPUTime)
}

fn micros(clock: ClockId) -> Micros {
    let time = clock_gettime(clock);
    time.tv_sec as Micros * 1_000_000 + time.tv_nsec as Micros / 1000
}
