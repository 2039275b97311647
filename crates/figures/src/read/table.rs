//! A CSV file whose columns are found by name, so that files of older and newer programs can be
//! read: a column that is missing is a fact that figures can tell, one that is unknown is ignored.

use crate::error::ReadError;
use csv::StringRecord;
use std::fmt;
use std::path::{Path, PathBuf};

/// The rows of a CSV file.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    header: StringRecord,
    rows: Vec<StringRecord>,
}

/// Why there is nothing for a figure in a folder: a file that is not there, or lacks columns.
#[derive(Clone, Debug)]
pub(crate) enum Missing<'a> {
    File(&'a str),
    Columns(&'a str, Vec<&'a str>),
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "there is no {file}"),
            Self::Columns(file, columns) => {
                let plural = if columns.len() == 1 { "" } else { "s" };
                write!(f, "{file} has no column{plural} {}", columns.join(", "))
            }
        }
    }
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

    /// Reads a file of a folder, if it is there and has these columns.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub(crate) fn find<'a>(
        folder: &Path,
        file: &'a str,
        needed: &[&'a str],
    ) -> Result<Result<Self, Missing<'a>>, ReadError> {
        let path = folder.join(file);
        if !path.is_file() {
            return Ok(Err(Missing::File(file)));
        }
        let table = Self::read(&path)?;
        let missing = table.missing(needed);
        Ok(match missing.is_empty() {
            true => Ok(table),
            false => Err(Missing::Columns(file, missing)),
        })
    }

    /// Those of these columns that it lacks.
    pub(crate) fn missing<'a>(&self, columns: &[&'a str]) -> Vec<&'a str> {
        let missing = columns.iter().filter(|column| !self.has(column));
        missing.copied().collect()
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
