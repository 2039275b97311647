//! What a run says at its end: a table with throughput, latency and the shape of each strategy, and
//! what to distrust.
//!
//! It computes nothing that is not in the files.

use crate::machine::cores;
use crate::results::measures::Measures;
use crate::results::rows::{Point, Whole};
use crate::trial::measured::Measured;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// From this share of all processors on, they are what limits a run.
const SATURATED: f64 = 0.95;

/// Below this share of the wished rate, an open loop has not reached it.
const REACHED: f64 = 0.98;

/// A delay of issuing that shows in latencies, in microseconds.
const LATE: u64 = 1_000;

/// So few commands say little about the slowest thousandth.
const FEW: u64 = 10_000;

/// Rows for all operations together, one for each strategy.
pub(crate) fn table<'a>(rows: impl Iterator<Item = &'a (Point, Measures, Whole)>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "strategy",
        "ops/s",
        "p50 us",
        "p95 us",
        "p99 us",
        "max us",
        "errors",
        "multi %",
        "groups",
        "messages",
        "bytes",
        "retries",
        "lookups",
        "cpu us",
        "linearizable",
    ]);
    for (point, measures, whole) in rows {
        let per_command = |count: u64| (measures.ok > 0).then(|| count as f64 / measures.ok as f64);
        let lookups = [
            measures.oracle_consults,
            measures.cache_hits,
            measures.cache_misses,
        ];
        let asked = lookups.iter().any(Option::is_some);
        let lookups: u64 = lookups.into_iter().flatten().sum();
        table.add_row([
            point.strategy.to_owned(),
            grouped(measures.throughput_ops.round() as u64),
            whole_number(measures.p50_us),
            whole_number(measures.p95_us),
            whole_number(measures.p99_us),
            whole_number(measures.max_us),
            measures.errors.to_string(),
            rounded(measures.multi_partition_pct, 1),
            rounded(measures.groups_per_command, 2),
            rounded(whole.messages_per_command, 1),
            rounded(whole.bytes_per_command, 0),
            rounded(per_command(measures.retries), 3),
            rounded(per_command(lookups).filter(|_| asked), 3),
            rounded(whole.cpu_us_per_command, 0),
            whole.linearizable.to_owned(),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\ngroups, messages, bytes, retries, lookups and cpu: per command")
}

/// What makes a measurement of a strategy bad or needs to be known with it.
pub(crate) fn notes(rate: Option<u64>, measured: &Measured, all: &Measures) -> Vec<String> {
    let mut notes = Vec::new();
    let span_us = measured.span.length() as f64;
    let busy = measured.processor_us as f64 / span_us / cores() as f64;
    if busy > SATURATED {
        notes.push(format!(
            "the processors were busy ({:.0} % of {}): clients and replicas share them, so \
             throughput is what both can do together, and latency includes waiting for a processor",
            busy * 100.0,
            cores()
        ));
    }
    if let Some(rate) = rate {
        let came = all.throughput_ops;
        // What is refused by design was issued as well.
        let refused = (all.unsupported + all.errors) as f64 * 1e6 / span_us;
        if came + refused < rate as f64 * REACHED {
            notes.push(format!(
                "{came:.0} of {rate} commands a second: the rate was not reached, latencies grow \
                 with time"
            ));
        }
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
        notes.push(format!("{} commands were not answered", all.errors));
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

/// A number with its thousands set apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
