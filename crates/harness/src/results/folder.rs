//! The folder of a run and the files in it.
//!
//! Rows are on disk as soon as a strategy is done, so whatever ends a run leaves what was measured
//! before. The folder is made before anything is started: a run whose results could not be kept
//! does not begin.

use super::columns::{Column, Columns};
use super::measures::Measures;
use super::rows::{self, Interval, Point, Whole, interval_columns, summary_columns};
use crate::error::UsageError;
use crate::time;
use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where the files of a run go.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// Into a new folder in this one, whose `latest` is linked to it, with a data dictionary beside
    /// it.
    New(PathBuf),
    /// Into this folder, which is not there yet; the one it is in is.
    Exact {
        /// The run's name in the files.
        run_id: String,
        path: PathBuf,
    },
}

impl Destination {
    /// The name of the run that began then, and its folder.
    fn name(&self, began: SystemTime) -> (String, PathBuf) {
        match self {
            Self::New(out) => {
                let date: String = time::text(began)
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .collect();
                let run_id = format!("{date}-{:04x}", time::unique() & 0xffff);
                let path = out.join(&run_id);
                (run_id, path)
            }
            Self::Exact { run_id, path } => (run_id.clone(), path.clone()),
        }
    }
}

/// The folder of one run.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Its name.
    pub(crate) run_id: String,
    path: PathBuf,
    began: SystemTime,
    summary: csv::Writer<File>,
    intervals: csv::Writer<File>,
}

impl Folder {
    /// Makes the folder, with the headers of the files.
    ///
    /// # Errors
    /// If it cannot be written to.
    pub(crate) fn create(destination: &Destination) -> Result<Self, UsageError> {
        let began = time::date();
        let (run_id, path) = destination.name(began);
        let make = || -> io::Result<Self> {
            if let Destination::New(out) = destination {
                fs::create_dir_all(out)?;
                fs::write(out.join("data-dictionary.md"), rows::data_dictionary())?;
            }
            fs::create_dir(&path)?;
            fs::create_dir(path.join("histograms"))?;
            Ok(Self {
                summary: with_header(&path.join("summary.csv"), &summary_columns())?,
                intervals: with_header(&path.join("intervals.csv"), &interval_columns())?,
                run_id: run_id.clone(),
                path: path.clone(),
                began,
            })
        };
        let folder = make().map_err(|error| {
            let place = path.parent().unwrap_or(&path).display();
            UsageError::new("--out", format!("cannot write to {place}: {error}"))
        })?;
        if let Destination::New(out) = destination {
            link(out, &folder.run_id);
        }
        Ok(folder)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds rows to the summary.
    pub(crate) fn summarise(&mut self, rows: &[(Point, Measures, Whole)]) -> Result<()> {
        for (point, measures, whole) in rows {
            let cells = [point.cells(), measures.cells(), whole.cells()].concat();
            self.summary.write_record(cells).context("summary.csv")?;
        }
        self.summary.flush().context("summary.csv")
    }

    /// Adds rows to the time line.
    pub(crate) fn line_up(&mut self, rows: &[(Interval, Measures)]) -> Result<()> {
        for (interval, measures) in rows {
            let cells = [interval.cells(), measures.cells()].concat();
            self.intervals
                .write_record(cells)
                .context("intervals.csv")?;
        }
        self.intervals.flush().context("intervals.csv")
    }

    /// Writes the latencies of one strategy, a histogram for each kind of operation.
    pub(crate) fn keep_latencies<'a>(
        &self,
        strategy: &str,
        measured: Duration,
        latencies: impl Iterator<Item = (&'static str, &'a Histogram<u64>)>,
    ) -> Result<()> {
        let path = self
            .path
            .join("histograms")
            .join(format!("{strategy}.hlog"));
        let mut file = BufWriter::new(File::create(&path).context("histograms")?);
        let mut serializer = V2DeflateSerializer::new();
        let mut log = IntervalLogWriterBuilder::new()
            .with_base_time(self.began)
            .begin_log_with(&mut file, &mut serializer)
            .context("histograms")?;
        for (op, histogram) in latencies {
            let written = log.write_histogram(histogram, Duration::ZERO, measured, Tag::new(op));
            written.map_err(|error| anyhow::anyhow!("histograms: {error}"))?;
        }
        Ok(())
    }

    /// Writes `run.json`.
    pub(crate) fn describe(
        &self,
        run: &impl Serialize,
        finished: Option<SystemTime>,
    ) -> Result<()> {
        #[derive(Serialize)]
        struct Description<'a, T> {
            run_id: &'a str,
            began: String,
            finished: Option<String>,
            #[serde(flatten)]
            run: &'a T,
        }
        let description = Description {
            run_id: &self.run_id,
            began: time::text(self.began),
            finished: finished.map(time::text),
            run,
        };
        let file = File::create(self.path.join("run.json")).context("run.json")?;
        serde_json::to_writer_pretty(BufWriter::new(file), &description).context("run.json")
    }
}

/// Points `latest` in `out` to a run's folder. Where links cannot be made there is none.
fn link(out: &Path, run_id: &str) {
    let latest = out.join("latest");
    let _ = fs::remove_file(&latest);
    #[cfg(unix)]
    let _ = std::os::unix::fs::symlink(run_id, &latest);
}

fn with_header(path: &Path, columns: &[Column]) -> io::Result<csv::Writer<File>> {
    let mut writer = csv::Writer::from_writer(File::create(path)?);
    writer.write_record(columns.iter().map(|column| column.name))?;
    writer.flush()?;
    Ok(writer)
}
