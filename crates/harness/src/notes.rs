//! What makes a measurement bad or needs to be known with it, in words.

use crate::audit::Audit;
use crate::load::sample::End;
use crate::machine::cores;
use crate::numbers::grouped;
use crate::results::measures::Measures;
use crate::trial::measured::Measured;

/// From this share of all processors on, they are what limits a run.
pub(crate) const SATURATED: f64 = 0.95;

/// From this share on they limit emulated machines, too.
pub(crate) const EMULATION_ENDS: f64 = 0.7;

/// Below this share of the wished rate, an open loop has not reached it.
pub(crate) const REACHED: f64 = 0.98;

/// The first of so many parts of what was measured tells whether the warm-up was long enough: it is
/// too slow below this share of the others' throughput. Less than a second is no matter of warm-up.
const PARTS: u64 = 5;
const WARM: f64 = 0.9;
const LONG_ENOUGH: u64 = 1_000_000;

/// A delay of issuing that shows in latencies, in microseconds.
const LATE: u64 = 1_000;

/// So few commands say little about the slowest thousandth.
const FEW: u64 = 10_000;

/// The share of the time of all processors that a run took.
pub(crate) fn busy(measured: &Measured) -> f64 {
    measured.processor_us as f64 / measured.span.length() as f64 / cores() as f64
}

/// That an open loop was not one, if it has not reached its rate.
pub(crate) fn missed_rate(
    rate: Option<u64>,
    measured: &Measured,
    all: &Measures,
) -> Option<String> {
    let (rate, came) = (rate?, all.throughput_ops);
    // What is refused by design was issued as well.
    let refused = (all.unsupported + all.errors) as f64 * 1e6 / measured.span.length() as f64;
    // So was what the shared cache answered alone.
    let stale = measured.samples.iter();
    let stale = stale.filter(|it| it.cost.stale && measured.span.contains(it.completed));
    let came = came + stale.count() as f64 * 1e6 / measured.span.length() as f64;
    (came + refused < rate as f64 * REACHED).then(|| {
        format!(
            "{came:.0} of {rate} commands a second: the rate was not reached, latencies grow with \
             time"
        )
    })
}

/// That the first part of what was measured was slower than the rest, if it was and nothing was
/// broken on purpose.
fn short_warmup(measured: &Measured) -> Option<String> {
    let span = measured.span;
    if !measured.marks.is_empty() || span.length() < LONG_ENOUGH {
        return None;
    }
    let first = span.length() / PARTS;
    let came = measured.samples.iter();
    let came = came.filter(|sample| sample.end == End::Ok && span.contains(sample.completed));
    let (mut early, mut late) = (0_u64, 0_u64);
    for sample in came {
        match sample.completed < span.from + first {
            true => early += 1,
            false => late += 1,
        }
    }
    let usual = late as f64 / (PARTS - 1) as f64;
    let share = early as f64 / usual;
    (share < WARM).then(|| {
        format!(
            "the first {:.1} s of what was measured had {:.0} % less throughput than the rest: \
             --warmup may be too short",
            first as f64 / 1e6,
            (1.0 - share) * 100.0
        )
    })
}

/// That not all of so many commands were issued, if so.
pub(crate) fn cut_short(measured: &Measured, count: u32) -> Option<String> {
    let issued = measured.samples.len() as u64;
    (issued < u64::from(count)).then(|| {
        let (issued, count) = (grouped(issued), grouped(count.into()));
        format!("{issued} of the {count} commands were issued before it was over")
    })
}

/// What makes a measurement of a strategy bad or needs to be known with it.
pub(crate) fn notes(rate: Option<u64>, measured: &Measured, all: &Measures) -> Vec<String> {
    let mut notes = measured.mishaps.clone();
    notes.extend(measured.verdicts.notes());
    let audit = measured.audit.as_ref();
    notes.extend(audit.and_then(Audit::shortfall));
    let busy = busy(measured);
    if busy > SATURATED {
        notes.push(format!(
            "the processors were busy ({:.0} % of {}): clients and replicas share them, so \
             throughput is what both can do together, and latency includes waiting for a processor",
            busy * 100.0,
            cores()
        ));
    }
    notes.extend(short_warmup(measured));
    if rate.is_some() {
        let within = measured
            .samples
            .iter()
            .filter(|s| measured.span.contains(s.due));
        let late = within.map(|sample| sample.late).max().unwrap_or(0);
        if late > LATE {
            notes.push(format!(
                "commands were issued up to {late} us late, which their latencies include"
            ));
        }
    }
    if all.errors > 0 {
        notes.push(format!("{} commands were not answered in time", all.errors));
    }
    if all.ok == 0 {
        notes.push("no command had a definite outcome".into());
    } else if all.ok < FEW {
        notes.push(format!(
            "{} commands are few for percentiles beyond the 99th",
            all.ok
        ));
    }
    notes
}
