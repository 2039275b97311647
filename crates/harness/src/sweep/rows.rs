//! Rows of CSV files that were written before, perhaps by another version of this program: by the
//! names of their columns, as text.

use crate::error::UsageError;
use std::path::Path;

/// The rows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Rows {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is not there, or not of this form: the error names it and the line.
    pub(super) fn read(path: &Path) -> Result<Self, UsageError> {
        let bad =
            |error: csv::Error| UsageError::new(path.display().to_string(), error.to_string());
        let mut reader = csv::Reader::from_path(path).map_err(bad)?;
        let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        let header = texts(reader.headers().map_err(bad)?);
        let rows = reader.records().map(|record| Ok(texts(&record?)));
        let rows = rows.collect::<Result<_, csv::Error>>().map_err(bad)?;
        Ok(Self { header, rows })
    }

    /// The file's content.
    pub(super) fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = [&self.header].into_iter().chain(&self.rows);
        for row in written {
            let written = writer.write_record(row);
            written.unwrap_or_else(|error| unreachable!("rows have one length: {error}"));
        }
        let bytes = writer.into_inner();
        bytes.unwrap_or_else(|error| unreachable!("memory takes all: {error}"))
    }

    /// The place of a column, if there is one of this name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The cell of a row in the column of this name; nothing if there is none.
    pub(super) fn cell<'a>(&self, row: &'a [String], name: &str) -> &'a str {
        let place = self.column(name);
        place
            .and_then(|place| row.get(place))
            .map_or("", String::as_str)
    }

    /// The number in a cell.
    pub(super) fn number(&self, row: &[String], name: &str) -> Option<f64> {
        let number: f64 = self.cell(row, name).parse().ok()?;
        number.is_finite().then_some(number)
    }
}
