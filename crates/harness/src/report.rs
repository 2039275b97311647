//! What a run says at its end: a table with throughput, latency and the shape of each strategy, and
//! what to distrust.
//!
//! It computes nothing that is not in the files.

use crate::audit::Audit;
use crate::load::sample::End;
use crate::machine::cores;
use crate::numbers::grouped;
use crate::results::measures::Measures;
use crate::results::rows::{Point, Whole};
use crate::trial::measured::Measured;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

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

/// Rows for all operations together, one for each strategy: what was measured, what a command took,
/// and the verdicts, below each other, so that a terminal is wide enough for each.
pub(crate) fn tables(rows: &[&(Point, Measures, Whole)]) -> String {
    let mut measured = table(&[
        "strategy", "ops/s", "p50 us", "p95 us", "p99 us", "max us", "errors",
    ]);
    let mut per_command = table(&[
        "a command",
        "multi %",
        "groups",
        "messages",
        "bytes",
        "retries",
        "lookups",
        "cpu us",
    ]);
    let mut verdicts = table(&[
        "verdicts",
        "linearizable",
        "judged",
        "unjudged",
        "replicas agree",
        "cluster",
    ]);
    for (point, measures, whole) in rows {
        let per_ok = |count: u64| (measures.ok > 0).then(|| count as f64 / measures.ok as f64);
        let lookups = [
            measures.oracle_consults,
            measures.cache_hits,
            measures.cache_misses,
        ];
        let asked = lookups.iter().any(Option::is_some);
        let lookups: u64 = lookups.into_iter().flatten().sum();
        measured.add_row([
            point.strategy.to_owned(),
            grouped(measures.throughput_ops.round() as u64),
            whole_number(measures.p50_us),
            whole_number(measures.p95_us),
            whole_number(measures.p99_us),
            whole_number(measures.max_us),
            measures.errors.to_string(),
        ]);
        per_command.add_row([
            point.strategy.to_owned(),
            rounded(measures.multi_partition_pct, 1),
            rounded(measures.groups_per_command, 2),
            rounded(whole.messages_per_command, 1),
            rounded(whole.bytes_per_command, 0),
            rounded(per_ok(measures.retries), 3),
            rounded(per_ok(lookups).filter(|_| asked), 3),
            rounded(whole.cpu_us_per_command, 0),
        ]);
        verdicts.add_row([
            point.strategy.to_owned(),
            whole.linearizable.to_owned(),
            whole_number(whole.judged_ops),
            whole_number(whole.unjudged_ops),
            whole.replicas_agree.unwrap_or_default().to_owned(),
            whole.cluster.to_owned(),
        ]);
    }
    let aligned = [measured, per_command, verdicts].map(|table| aligned(table, 1));
    aligned.join("\n\n")
}

/// A table with this header, whose first columns are names, and the others numbers and verdicts.
pub(crate) fn table_of(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    names: usize,
) -> String {
    let mut table = table(header);
    table.add_rows(rows);
    aligned(table, names)
}

fn aligned(mut table: Table, names: usize) -> String {
    for column in table.column_iter_mut().skip(names) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().copied());
    table
}

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

fn whole_number(value: Option<u64>) -> String {
    value.map(grouped).unwrap_or_default()
}

fn rounded(value: Option<f64>, digits: usize) -> String {
    value
        .map(|value| format!("{value:.digits$}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::sample::Sample;
    use crate::results::measures::{Applies, histogram};
    use crate::results::rows::ALL;
    use ssmr_core::Cost;

    #[test]
    fn a_terminal_of_80_columns_is_wide_enough() {
        let applies = Applies {
            moves: true,
            consults: true,
            cache: true,
        };
        let sample = Sample {
            kind: 0,
            due: 0,
            late: 0,
            completed: 2_999_999,
            end: End::Ok,
            cost: Cost {
                retries: 12,
                oracle_consults: 12,
                groups: 255,
                ..Cost::default()
            },
        };
        let samples = [sample];
        let mut latencies = histogram();
        let measures = Measures {
            errors: 1_234_567,
            ..Measures::of(
                samples.iter(),
                1_234_567,
                1_000_000,
                applies,
                &mut latencies,
            )
        };
        let point = Point {
            run_id: String::new(),
            strategy: "global",
            workload: "kv",
            digest: String::new(),
            execution: "exchange",
            partitions: 2,
            replicas: 3,
            clients: 16,
            window: Some(1),
            rate: None,
            durability: "memory",
            seed: 1,
            op: ALL,
        };
        let whole = Whole {
            messages_per_command: Some(1_234.5),
            bytes_per_command: Some(123_456.0),
            cpu_us_per_command: Some(12_345.0),
            linearizable: "unchecked",
            judged_ops: Some(123_456_789),
            unjudged_ops: Some(1_234_567),
            replicas_agree: Some("yes"),
            cluster: "degraded",
            duration_s: 10.0,
            reads: "ordered",
            unordered_pct: None,
            value_hits: None,
            value_misses: None,
            processors_busy_pct: Some(100.0),
            service_time_us: None,
            saturated: None,
            rss_first_mib: None,
            rss_last_mib: None,
        };
        let text = tables(&[&(point, measures, whole)]);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{widest:?}: {text}");
        for word in [
            "1,234,567",
            "linearizable",
            "unchecked",
            "replicas agree",
            "degraded",
        ] {
            assert!(text.contains(word), "no {word} in {text}");
        }
    }
}
