//! `summary.csv`: what was measured of each strategy and kind of operation.
//!
//! The summary of a sweep has the rows of all its runs, with the point and the repeat that each
//! belongs to; that of one run is the only repeat of the only point.

use super::table::Table;
use crate::error::ReadError;
use std::path::Path;

/// Names of the columns that figures need; each is missing or there for a whole file.
pub(crate) const THROUGHPUT: &str = "throughput_ops";
/// Median latency.
pub(crate) const P50: &str = "p50_us";
/// 99th percentile of latency.
pub(crate) const P99: &str = "p99_us";
/// Values that replicas found in a shared cache.
pub(crate) const VALUE_HITS: &str = "value_hits";
/// Values that replicas did not find there.
pub(crate) const VALUE_MISSES: &str = "value_misses";
/// What replicas and clients sent, for each command.
pub(crate) const BYTES: &str = "bytes_per_command";
/// Processor time of all processes, for each command.
pub(crate) const PROCESSOR: &str = "cpu_us_per_command";
/// Where the time of a command goes, in its order.
pub(crate) const STAGES: [&str; 4] = ["order_us", "wait_us", "execute_us", "answer_us"];

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    pub(crate) strategy: String,
    pub(crate) op: String,
    /// The values of what was varied, in the order of the sweep's keys.
    pub(crate) values: Vec<String>,
    /// Definite outcomes a second.
    pub(crate) throughput: Option<f64>,
    /// Microseconds.
    pub(crate) p50: Option<f64>,
    /// Microseconds.
    pub(crate) p99: Option<f64>,
    /// Of 100 values that replicas looked for in a shared cache, how many were there.
    pub(crate) hit_percentage: Option<f64>,
    /// Bytes that replicas and clients sent for each command.
    pub(crate) bytes: Option<f64>,
    /// Microseconds of processor time for each command.
    pub(crate) processor: Option<f64>,
    /// Microseconds, as in [`STAGES`].
    pub(crate) stages: [Option<f64>; 4],
    /// Whether the history was judged and found to be linearizable.
    pub(crate) verdict: Verdict,
    /// Whether processors were too busy for the figures to mean anything.
    pub(crate) saturated: bool,
}

/// What is known of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is linearizable, or the file is of a time that did not say.
    Ok,
    /// Another word than `ok`.
    Other(String),
}

/// The rows, and which columns there are.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) table: Table,
    pub(crate) rows: Vec<Measurement>,
}

fn is_yes(word: &str) -> bool {
    matches!(word, "yes" | "true" | "1")
}

/// What was varied by a sweep.
#[derive(Clone, Debug)]
pub struct Key {
    /// As on the command line, without dashes in front.
    pub name: String,
    /// Its values, in the order that was asked for.
    pub values: Vec<String>,
}

impl Key {
    /// The name of its column.
    pub fn column(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whether all of its values are numbers, at least two of them.
    pub(crate) fn is_numeric(&self) -> bool {
        let is_number = |value: &String| value.parse().is_ok_and(f64::is_finite);
        self.values.len() >= 2 && self.values.iter().all(is_number)
    }
}

impl Summary {
    /// Reads the summary of a sweep over these keys, or of a run, without any.
    ///
    /// # Errors
    /// If it cannot be read, has a bad number, or does not say which row is what.
    pub(crate) fn read(path: &Path, keys: &[Key]) -> Result<Self, ReadError> {
        let table = Table::read(path)?;
        let columns: Vec<String> = keys.iter().map(Key::column).collect();
        let identity = ["strategy", "op"]
            .into_iter()
            .chain(columns.iter().map(String::as_str));
        for column in identity {
            if !table.has(column) {
                return Err(ReadError::new(path, format!("has no column {column}")));
            }
        }
        let measurement = |row: super::table::Row<'_>| {
            let mut stages = [None; 4];
            for (stage, column) in stages.iter_mut().zip(STAGES) {
                *stage = row.number(column)?;
            }
            Ok(Measurement {
                strategy: row.text("strategy").into(),
                op: row.text("op").into(),
                values: columns.iter().map(|name| row.text(name).into()).collect(),
                throughput: row.number(THROUGHPUT)?,
                p50: row.number(P50)?,
                p99: row.number(P99)?,
                hit_percentage: match (row.number(VALUE_HITS)?, row.number(VALUE_MISSES)?) {
                    (Some(hits), Some(misses)) if hits + misses > 0.0 => {
                        Some(100.0 * hits / (hits + misses))
                    }
                    _ => None,
                },
                bytes: row.number(BYTES)?,
                processor: row.number(PROCESSOR)?,
                stages,
                verdict: match row.text("linearizable") {
                    "" | "ok" => Verdict::Ok,
                    word => Verdict::Other(word.into()),
                },
                saturated: false,
            })
        };
        let mut rows: Vec<Measurement> = table.rows().map(measurement).collect::<Result<_, _>>()?;
        // It is told of all operations together, and true of each.
        let run = |row: super::table::Row<'_>| {
            ["point", "repeat", "strategy"].map(|column| row.text(column).to_owned())
        };
        let is_saturated = |row: &super::table::Row<'_>| is_yes(row.text("saturated"));
        let saturated: Vec<_> = table.rows().filter(is_saturated).map(run).collect();
        for (measured, row) in rows.iter_mut().zip(table.rows()) {
            measured.saturated = saturated.contains(&run(row));
        }
        Ok(Self { rows, table })
    }
}
