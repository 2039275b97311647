//! The tables that commands print: throughput, latency and the shape of each strategy.
//!
//! They compute nothing that is not in the files.

use crate::numbers::grouped;
use crate::results::measures::Measures;
use crate::results::rows::{Point, Whole};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

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

/// Rows for what the shared cache answered alone, one for each strategy: how fast, and how stale.
pub(crate) fn stale_reads(rows: &[&(Point, Measures, Whole)]) -> String {
    let header = [
        "stale",
        "ops/s",
        "p50 us",
        "hits %",
        "lag p99",
        "age p99 us",
        "values",
    ];
    let rows = rows.iter().map(|(point, measures, whole)| {
        vec![
            point.strategy.to_owned(),
            grouped(measures.throughput_ops.round() as u64),
            whole_number(measures.p50_us),
            rounded(whole.stale_pct, 1),
            whole_number(whole.stale_lag_p99),
            whole_number(whole.stale_age_p99_us),
            whole.stale_values.unwrap_or_default().to_owned(),
        ]
    });
    table_of(&header, rows, 1)
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

/// The same for many rows, without lines between them.
pub(crate) fn long_table_of(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    names: usize,
) -> String {
    let mut table = table(header);
    table.load_style(presets::NOTHING);
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
    use crate::load::sample::{End, Sample};
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
            conflicts: None,
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
            stale_values: Some("unchecked"),
            stale_pct: Some(100.0),
            stale_lag_p50: None,
            stale_lag_p99: Some(12_345),
            stale_lag_max: None,
            stale_age_p50_us: None,
            stale_age_p99_us: Some(12_345_678),
            stale_age_max_us: None,
            stale_past_lives: None,
            unordered_pct: None,
            value_hits: None,
            value_misses: None,
            processors_busy_pct: Some(100.0),
            service_time_us: None,
            saturated: None,
            rss_first_mib: None,
            rss_last_mib: None,
            order_us: None,
            wait_us: None,
            execute_us: None,
            answer_us: None,
            conflicts: Some(1_234_567),
            consistent: Some("unchecked"),
            net: "none".into(),
        };
        let row = (point, measures, whole);
        let text = [tables(&[&row]), stale_reads(&[&row])].join("\n");
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
