//! One CSV file that a run writes.

use super::columns::Column;
use anyhow::{Context, Result};
use std::fs::File;
use std::io;
use std::path::Path;

/// A CSV file: the header is there from the start, and rows are on disk once they are added.
#[derive(Debug)]
pub(super) struct Sheet {
    name: String,
    rows: csv::Writer<File>,
}

impl Sheet {
    /// Makes the file of this name in a folder.
    pub(super) fn create(folder: &Path, name: &str, columns: &[Column]) -> io::Result<Self> {
        let mut rows = csv::Writer::from_writer(File::create(folder.join(name))?);
        rows.write_record(columns.iter().map(|column| column.name))?;
        rows.flush()?;
        let name = name.to_owned();
        Ok(Self { name, rows })
    }

    /// Adds rows.
    pub(super) fn add(&mut self, rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
        for cells in rows {
            let written = self.rows.write_record(cells);
            written.with_context(|| self.name.clone())?;
        }
        self.rows.flush().with_context(|| self.name.clone())
    }
}
