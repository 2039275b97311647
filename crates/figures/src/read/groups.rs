//! `partitions.csv`: what each group did over time.

use super::table::{Missing, Row, Table};
use crate::error::ReadError;
use std::path::Path;

const FILE: &str = "partitions.csv";
const NEEDED: [&str; 6] = [
    "strategy",
    "t_ms",
    "group",
    "delivered",
    "multi",
    "objects_in",
];

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct GroupInterval {
    pub(crate) strategy: String,
    pub(crate) group: String,
    /// When it begins, in seconds since measuring began.
    pub(crate) at: f64,
    /// Commands delivered.
    pub(crate) delivered: f64,
    /// Of these, by other groups too.
    pub(crate) multi: f64,
    /// Objects that were moved there.
    pub(crate) objects_in: f64,
}

/// Reads the file of a folder.
///
/// # Errors
/// If it cannot be read or has a bad number.
pub(crate) fn read(
    folder: &Path,
) -> Result<Result<Vec<GroupInterval>, Missing<'static>>, ReadError> {
    let table = match Table::find(folder, FILE, &NEEDED)? {
        Ok(table) => table,
        Err(missing) => return Ok(Err(missing)),
    };
    let interval = |row: Row<'_>| {
        let count = |name| Ok(row.number(name)?.unwrap_or_default());
        Ok(GroupInterval {
            strategy: row.text("strategy").into(),
            group: row.text("group").into(),
            at: count("t_ms")? / 1_000.0,
            delivered: count("delivered")?,
            multi: count("multi")?,
            objects_in: count("objects_in")?,
        })
    };
    let rows: Result<_, ReadError> = table.rows().map(interval).collect();
    rows.map(Ok)
}
