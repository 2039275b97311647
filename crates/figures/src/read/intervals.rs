//! `intervals.csv`: throughput and latency over time, and what was broken on purpose.

use super::summary::{P99, THROUGHPUT};
use super::table::{Missing, Row, Table};
use crate::error::ReadError;
use std::path::Path;

const FILE: &str = "intervals.csv";
const NEEDED: [&str; 5] = ["strategy", "op", "t_ms", THROUGHPUT, P99];

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Interval {
    pub(crate) strategy: String,
    pub(crate) op: String,
    /// When it begins, in seconds since measuring began.
    pub(crate) at: f64,
    /// Definite outcomes a second.
    pub(crate) throughput: f64,
    /// Microseconds. Nothing where nothing was answered.
    pub(crate) p99: Option<f64>,
    /// What was broken or put right again; empty for nothing.
    pub(crate) fault: String,
    /// Questions to an oracle for each command that was issued. Nothing where nobody asks, or
    /// nothing was issued.
    pub(crate) consults: Option<f64>,
}

/// Reads the file of a folder.
///
/// # Errors
/// If it cannot be read or has a bad number.
pub(crate) fn read(folder: &Path) -> Result<Result<Vec<Interval>, Missing<'static>>, ReadError> {
    let table = match Table::find(folder, FILE, &NEEDED)? {
        Ok(table) => table,
        Err(missing) => return Ok(Err(missing)),
    };
    let interval = |row: Row<'_>| {
        let (asked, issued) = (row.number("oracle_consults")?, row.number("issued")?);
        let issued = issued.filter(|count| *count > 0.0);
        Ok(Interval {
            strategy: row.text("strategy").into(),
            op: row.text("op").into(),
            at: row.number("t_ms")?.unwrap_or_default() / 1_000.0,
            throughput: row.number(THROUGHPUT)?.unwrap_or_default(),
            p99: row.number(P99)?,
            fault: row.text("fault").into(),
            consults: asked.zip(issued).map(|(asked, issued)| asked / issued),
        })
    };
    let rows: Result<_, ReadError> = table.rows().map(interval).collect();
    rows.map(Ok)
}
