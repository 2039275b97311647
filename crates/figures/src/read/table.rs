//! A CSV file whose columns are found by name, so that files of older and newer programs can be
//! read: a column that is missing is a fact that figures can tell, one that is unknown is ignored.

use crate::error::ReadError;
use csv::StringRecord;
use std::path::{Path, PathBuf};

/// The rows of a CSV file.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    header: StringRecord,
    rows: Vec<StringRecord>,
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    table: &'a Table,
    cells: &'a StringRecord,
}

impl Table {
    /// Reads a file with a header.
    ///
    /// # Errors
    /// If it cannot be read, or a row has more or fewer cells than the header.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bad = ReadError::from_cause(path);
        let mut reader = csv::Reader::from_path(path).map_err(|error| bad(&error))?;
        let header = reader.headers().map_err(|error| bad(&error))?.clone();
        let rows: Result<_, _> = reader.into_records().collect();
        Ok(Self {
            path: path.into(),
            header,
            rows: rows.map_err(|error| bad(&error))?,
        })
    }

    /// The names of its columns, in the order of the file.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.header.iter()
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    /// All rows, in the order of the file.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let row = |cells| Row { table: self, cells };
        self.rows.iter().map(row)
    }
}

impl<'a> Row<'a> {
    /// The text of a cell. Empty if there is no such column.
    pub fn text(self, column: &str) -> &'a str {
        let place = self.table.header.iter().position(|name| name == column);
        place
            .and_then(|place| self.cells.get(place))
            .unwrap_or_default()
    }

    /// The number in a cell; nothing if it is empty or there is no such column.
    ///
    /// # Errors
    /// If something else is in it.
    pub fn number(self, column: &str) -> Result<Option<f64>, ReadError> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Some).ok_or_else(|| {
            let line = self.cells.position().map_or(0, csv::Position::line);
            let problem = format!("line {line}: {column}: expected a number, found {text:?}");
            ReadError::new(&self.table.path, problem)
        })
    }
}
